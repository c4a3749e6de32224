//! How many columns a text takes, and what of it fits into some.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

pub(super) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// A character that no terminal shows takes no room.
fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// The text, or its start with a mark that something is missing. Takes no more than these columns.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    let mut used = 0;
    let mut end = None;
    for (at, character) in text.char_indices() {
        let wide = width_of(character);
        if end.is_none() && used + wide + 1 > columns {
            end = Some(at);
        }
        used += wide;
        if used > columns {
            let start = &text[..end.unwrap_or(0)];
            return match columns {
                0 => Cow::Borrowed(""),
                _ => Cow::Owned(format!("{start}…")),
            };
        }
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_wide_is_cut_with_a_mark() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 5), "abcd…");
        assert_eq!(fit("abcdef", 1), "…");
        assert_eq!(fit("abcdef", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns_and_are_not_halved() {
        assert_eq!(width("a世界"), 5);
        assert_eq!(fit("a世界", 5), "a世界");
        assert_eq!(fit("a世界", 4), "a世…");
        assert_eq!(fit("a世界", 3), "a…");
        assert_eq!(width("e\u{301}"), 1);
    }
}
