//! One line of a picture: its text with colours, and how wide it is.

use super::width::{fit, width};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) width: usize,
}

impl Line {
    /// Adds a text in a style, as much of it as fits into so many columns from here.
    pub(super) fn add(&mut self, text: &str, style: Option<&str>, columns: usize) {
        let text = fit(text, columns);
        self.width += width(&text);
        match style {
            Some(style) if !text.is_empty() => {
                for part in ["\u{1b}[", style, "m", &text, "\u{1b}[0m"] {
                    self.text.push_str(part);
                }
            }
            _ => self.text.push_str(&text),
        }
    }

    /// Adds spaces up to this column.
    pub(super) fn pad(&mut self, column: usize) {
        while self.width < column {
            self.text.push(' ');
            self.width += 1;
        }
    }
}
