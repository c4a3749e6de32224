//! Output of tasks without what a terminal would obey: nothing may move the cursor, ring, or ask.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

const ESCAPE: char = '\u{1b}';

/// The text as it would have ended up on a terminal of its own, line by line: what a carriage return goes
/// back to is written anew. With `colors`, colours stay, and end with the text.
pub fn clean(text: &str, colors: bool) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut cleaner = Cleaner {
        shown: String::with_capacity(text.len()),
        line: 0,
        goes_back: false,
        is_colored: false,
        colors,
    };
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        cleaner.take(character, &mut rest);
    }
    if cleaner.is_colored {
        cleaner.shown.push_str("\u{1b}[0m");
    }
    Cow::Owned(cleaner.shown)
}

fn is_obeyed(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

struct Cleaner {
    shown: String,
    /// Where the last line begins.
    line: usize,
    /// The next character begins the line again.
    goes_back: bool,
    is_colored: bool,
    colors: bool,
}

impl Cleaner {
    fn take(&mut self, character: char, rest: &mut Peekable<Chars<'_>>) {
        match character {
            '\n' => {
                self.goes_back = false;
                self.shown.push('\n');
                self.line = self.shown.len();
            }
            '\r' => self.goes_back = true,
            ESCAPE => self.escape(rest),
            // The same as ESC and `[`, as one character.
            '\u{9b}' => {
                Self::sequence(rest);
            }
            _ if is_obeyed(character) => {}
            _ => {
                if self.goes_back {
                    self.goes_back = false;
                    self.shown.truncate(self.line);
                }
                self.shown.push(character);
            }
        }
    }

    fn escape(&mut self, rest: &mut Peekable<Chars<'_>>) {
        match rest.peek() {
            Some('[') => {
                rest.next();
                if let Some(parameters) = Self::sequence(rest) {
                    self.color(&parameters);
                }
            }
            // A string: a title, a link, a picture.
            Some(']' | 'P' | 'X' | '^' | '_') => {
                while let Some(character) = rest.next_if(|character| *character != '\n') {
                    let ends = character == '\u{7}' || character == '\u{9c}';
                    if ends || (character == ESCAPE && rest.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            Some(' '..='/') => {
                while rest
                    .next_if(|character| (' '..='/').contains(character))
                    .is_some()
                {}
                rest.next_if(|character| ('0'..='~').contains(character));
            }
            Some('0'..='~') => {
                rest.next();
            }
            _ => {}
        }
    }

    /// Passes over a control sequence; gives its parameters if it is one that sets colours.
    fn sequence(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
        let mut parameters = String::new();
        while let Some(character) = rest.next_if(|character| (' '..='?').contains(character)) {
            parameters.push(character);
        }
        let end = rest.next_if(|character| ('@'..='~').contains(character))?;
        let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b';' || byte == b':';
        (end == 'm' && parameters.bytes().all(is_plain)).then_some(parameters)
    }

    fn color(&mut self, parameters: &str) {
        if self.colors {
            self.shown.push_str("\u{1b}[");
            self.shown.push_str(parameters);
            self.shown.push('m');
            self.is_colored = !matches!(parameters, "" | "0" | "00");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        assert!(matches!(clean("a\tb 世\n", false), Cow::Borrowed(_)));
    }

    #[test]
    fn nothing_that_moves_the_cursor_is_left() {
        for obeyed in [
            "\u{1b}[2J",
            "\u{1b}[1A",
            "\u{1b}[?25l",
            "\u{1b}[>4;1m",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]8;;http://a\u{1b}\\",
            "\u{1b}Pq#0\u{1b}\\",
            "\u{1b}c",
            "\u{1b}7",
            "\u{1b}(0",
            "\u{9b}2J",
            "\u{7}",
            "\u{8}",
            "\u{b}",
            "\u{7f}",
            "\u{85}",
            "\u{1b}",
        ] {
            for colors in [false, true] {
                assert_eq!(
                    clean(&format!("a{obeyed}b\n"), colors),
                    if obeyed == "\u{1b}" { "a\n" } else { "ab\n" },
                    "{obeyed:?}"
                );
            }
        }
    }

    #[test]
    fn a_sequence_that_does_not_end_takes_no_line_with_it() {
        assert_eq!(clean("a\u{1b}]0;never\nb\n", true), "a\nb\n");
        assert_eq!(clean("a\u{1b}[31\nb\n", true), "a\nb\n");
        assert_eq!(clean("a\u{1b}", true), "a");
    }

    #[test]
    fn colours_stay_where_there_are_some_and_end_with_the_text() {
        assert_eq!(clean("\u{1b}[1;31ma\u{1b}[0m", false), "a");
        assert_eq!(
            clean("\u{1b}[1;31ma\u{1b}[0m", true),
            "\u{1b}[1;31ma\u{1b}[0m"
        );
        assert_eq!(clean("\u{1b}[31ma\n", true), "\u{1b}[31ma\n\u{1b}[0m");
    }

    #[test]
    fn of_a_line_that_was_written_again_the_last_writing_is_shown() {
        assert_eq!(clean("10%\r50%\r100%\ndone\r\n", false), "100%\ndone\n");
        assert_eq!(clean("10%\r", false), "10%");
    }
}
