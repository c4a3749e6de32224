//! How text for people is spelled: durations, counts, what comes from outside, commands.

use std::fmt::Write;

pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// `250ms`, `1.5s`, `2m 5s`, `1h 4m`
pub(crate) fn spell_duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds}ms"),
        1000..60_000 => format!("{}s", hundredths(milliseconds)),
        60_000..3_600_000 => match seconds % 60 {
            0 => format!("{}m", seconds / 60),
            rest => format!("{}m {rest}s", seconds / 60),
        },
        _ => match seconds / 60 % 60 {
            0 => format!("{}h", seconds / 3600),
            rest => format!("{}h {rest}m", seconds / 3600),
        },
    }
}

/// Seconds with at most two decimals, rounded as Python rounds the nearest double.
fn hundredths(milliseconds: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "less than a minute")]
    let seconds = milliseconds as f64 / 1000.0;
    let text = format!("{seconds:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text from outside on one line, without anything that a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_printable(character) {
            shown.push(character);
            continue;
        }
        // Writing to a string cannot fail.
        let _ = match (character, u32::from(character)) {
            ('\t', _) => write!(shown, "\\t"),
            ('\n', _) => write!(shown, "\\n"),
            ('\r', _) => write!(shown, "\\r"),
            (_, number @ 0..0x100) => write!(shown, "\\x{number:02x}"),
            (_, number @ 0x100..0x1_0000) => write!(shown, "\\u{number:04x}"),
            (_, number) => write!(shown, "\\U{number:08x}"),
        };
    }
    shown
}

fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..'\u{a0}' => false,
        _ => {
            // Only the first character of a text is escaped because it joins the one before it.
            let text = String::from_iter(['a', character]);
            text.escape_debug().count() == 2
        }
    }
}

/// The text of a cell of a Markdown table.
pub(crate) fn cell(text: &str) -> String {
    visible(&text.replace('\n', " "))
        .replace('\\', "\\\\")
        .replace('|', "\\|")
}

/// A command inside a message: its first line.
pub(crate) fn quote_command(text: &str) -> String {
    let mut lines = split_lines(text.trim());
    let first = lines.next().unwrap_or_default();
    if lines.next().is_none() {
        format!("`{first}`")
    } else {
        format!("`{first} …`")
    }
}

/// The lines of a text, whatever ends them.
pub(crate) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (end, next) = match rest.char_indices().find(|(_, c)| ends_line(*c)) {
            None => (rest.len(), rest.len()),
            Some((at, '\r')) if rest[at + 1..].starts_with('\n') => (at, at + 2),
            Some((at, character)) => (at, at + character.len_utf8()),
        };
        let line = &rest[..end];
        rest = &rest[next..];
        Some(line)
    })
}

fn ends_line(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The words of a command as somebody would type them into a shell.
pub(crate) fn join_words(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
    quoted.join(" ")
}

fn quote_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// Why the system refused, without the number that is of use to nobody.
pub(crate) fn refusal(error: &std::io::Error) -> String {
    without_number(&error.to_string())
}

pub(crate) fn without_number(text: &str) -> String {
    match text.rfind(" (os error ") {
        Some(at) if text.ends_with(')') => text[..at].to_owned(),
        _ => text.to_owned(),
    }
}

/// What the core refused, in words; a path below `root` is relative to it.
pub(crate) fn describe(error: &str, root: &str) -> String {
    let text = without_number(error);
    let below = text
        .strip_prefix(root)
        .and_then(|rest| rest.strip_prefix('/'));
    below.map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_for_people() {
        let spelled: Vec<String> = [
            0, 999, 1000, 1500, 1005, 59_994, 60_000, 125_000, 3_600_000, 3_900_000,
        ]
        .map(spell_duration)
        .to_vec();
        let expected = [
            "0ms", "999ms", "1s", "1.5s", "1s", "59.99s", "1m", "2m 5s", "1h", "1h 5m",
        ];
        assert_eq!(spelled, expected);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        assert_eq!(visible("a\tb\u{1b}[0m"), "a\\tb\\x1b[0m");
        assert_eq!(
            visible("é e\u{301} 世 \u{200b}\u{a0}"),
            "é e\u{301} 世 \\u200b\\xa0"
        );
        assert_eq!(visible("\u{e0001}"), "\\U000e0001");
    }

    #[test]
    fn a_command_is_quoted_by_its_first_line() {
        assert_eq!(quote_command("  true\n"), "`true`");
        assert_eq!(quote_command("a\r\nb"), "`a …`");
        assert_eq!(quote_command(" "), "``");
        assert_eq!(
            join_words(&["a b".into(), "c'd".into(), "e".into()]),
            "'a b' 'c'\"'\"'d' e"
        );
    }

    #[test]
    fn the_number_of_an_error_is_left_out() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(refusal(&error), "No such file or directory");
        assert_eq!(
            describe(&format!("/p/a: {error}"), "/p"),
            "a: No such file or directory"
        );
    }
}
