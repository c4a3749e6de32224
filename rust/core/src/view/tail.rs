//! The end of what a task has written so far, for the one line of it that is shown.

use super::clean::clean;

/// Bytes; the widest screens have fewer columns.
const KEPT: usize = 2048;

#[derive(Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Tail {
    /// Adds output. Costs the same however much it is.
    pub(super) fn add(&mut self, data: &[u8]) {
        let over = (self.bytes.len() + data.len()).saturating_sub(KEPT);
        if over > 0 {
            self.is_cut = true;
            self.bytes.drain(..over.min(self.bytes.len()));
        }
        let kept = data.len().saturating_sub(KEPT);
        self.bytes.extend_from_slice(&data[kept..]);
    }

    /// The last line that has something on it, without anything that a terminal obeys.
    pub(super) fn last_line(&self) -> String {
        let mut bytes = self.bytes.as_slice();
        if self.is_cut {
            // What comes first may be the second half of anything.
            let inner = &bytes[..bytes.len().saturating_sub(1)];
            let start = inner.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            bytes = &bytes[start.map_or(0, |at| at + 1)..];
        }
        let text = String::from_utf8_lossy(bytes);
        let text = clean(&text, false);
        let mut lines = text.lines().rev().map(str::trim);
        one_line(lines.find(|line| !line.is_empty()).unwrap_or_default())
    }
}

/// Without what has no width of its own, or turns the direction of writing.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => line.push(' '),
            _ if character.is_control() || is_format(character) => {}
            _ => line.push(character),
        }
    }
    line
}

fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_line(chunks: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        for chunk in chunks {
            tail.add(chunk);
        }
        tail.last_line()
    }

    #[test]
    fn the_last_line_is_the_last_with_something_on_it() {
        assert_eq!(last_line(&[]), "");
        assert_eq!(last_line(&[b"one\ntwo\n\n  \n"]), "two");
        assert_eq!(last_line(&[b"one\ntw", b"o"]), "two");
        assert_eq!(last_line(&[b"10%\r20%\r"]), "20%");
        assert_eq!(last_line(&[b"\xe4\xb8", b"\x96\tx"]), "世 x");
        assert_eq!(last_line(&["a\u{202e}b\u{200b}".as_bytes()]), "ab");
    }

    #[test]
    fn of_a_flood_only_the_end_is_kept() {
        let mut tail = Tail::default();
        for number in 0..100_000_u32 {
            tail.add(format!("\x1b[3{}mline {number}\x1b[0m\n", number % 8).as_bytes());
        }
        assert_eq!(tail.last_line(), "line 99999");
        tail.add(&vec![b'x'; 1 << 20]);
        assert_eq!(tail.last_line(), "x".repeat(KEPT));
        assert!(tail.bytes.capacity() <= 4 * KEPT);
    }
}
