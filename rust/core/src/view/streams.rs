//! The output of several tasks at once, line by line, each line with the name of its task.

use std::collections::BTreeMap;

use super::Look;
use super::clean::clean;

/// Bytes of a line that does not end: then it is said in pieces.
const LONGEST: usize = 64 << 10;

/// The starts of lines whose ends are still to come.
#[derive(Default)]
pub(super) struct Streams(BTreeMap<String, Vec<u8>>);

impl Streams {
    /// Says every line that is whole.
    pub(super) fn take(&mut self, task: &str, data: &[u8], look: Look, words: &mut String) {
        if !self.0.contains_key(task) {
            self.0.insert(task.to_owned(), Vec::new());
        }
        let Some(begun) = self.0.get_mut(task) else {
            return;
        };
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            if begun.is_empty() && piece.ends_with(b"\n") {
                say(task, piece, look, words);
                continue;
            }
            begun.extend_from_slice(piece);
            if begun.ends_with(b"\n") || begun.len() >= LONGEST {
                say(task, begun, look, words);
                begun.clear();
            }
        }
    }

    /// The task writes no more: a line without an end is one, too.
    pub(super) fn end(&mut self, task: &str, look: Look, words: &mut String) {
        let begun = self.0.remove(task).unwrap_or_default();
        if !begun.is_empty() {
            say(task, &begun, look, words);
        }
    }
}

fn say(task: &str, line: &[u8], look: Look, words: &mut String) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let (before, after) = if look.uses_color {
        ("\u{1b}[2m[", "]\u{1b}[0m ")
    } else {
        ("[", "] ")
    };
    for part in [before, task, after, &clean(&text, look.uses_color), "\n"] {
        words.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_tasks_are_whole_and_in_order() {
        let (mut streams, look) = (Streams::default(), Look::default());
        let mut words = String::new();
        for (task, data) in [
            ("a", "1\n2"),
            ("b", "x"),
            ("a", "\n\n3"),
            ("b", "y\r\n"),
            ("b", "\u{1b}[2Jz\n"),
        ] {
            streams.take(task, data.as_bytes(), look, &mut words);
        }
        streams.end("a", look, &mut words);
        streams.end("a", look, &mut words);
        assert_eq!(words, "[a] 1\n[a] 2\n[a] \n[b] xy\n[b] z\n[a] 3\n");
    }

    #[test]
    fn a_line_without_an_end_is_said_in_pieces() {
        let (mut streams, look) = (Streams::default(), Look::default());
        let mut words = String::new();
        for _ in 0..64 {
            streams.take("a", &[b'x'; 4096], look, &mut words);
        }
        streams.end("a", look, &mut words);
        let parts: Vec<&str> = words
            .lines()
            .map(|line| line.strip_prefix("[a] ").unwrap())
            .collect();
        assert_eq!(parts.concat(), "x".repeat(64 * 4096));
        assert!(parts.iter().all(|part| part.len() <= LONGEST));
    }
}
