//! What stands on the screen below the last line that stays, and how it becomes something else.
//!
//! The cursor always rests at the start of the line below the picture: whoever ends us, and however, finds
//! it there, and nothing else about the terminal is ever changed.

use std::fmt::Write;

use super::line::Line;

const CLEAR_BELOW: &str = "\u{1b}[J";

#[derive(Default)]
pub(super) struct Screen {
    drawn: Vec<Line>,
    columns: usize,
}

impl Screen {
    /// Puts words in the place of the picture and a new one below. Nothing if all is as it should be.
    pub(super) fn frame(&mut self, words: &str, lines: Vec<Line>, columns: usize) -> String {
        if words.is_empty() && lines == self.drawn && columns == self.columns {
            return String::new();
        }
        let mut text = self.go_up(columns);
        // Lines are written over each other: a screen that is cleared first would flicker.
        let is_same_place = words.is_empty() && columns == self.columns;
        if !is_same_place && !self.drawn.is_empty() {
            text.push_str(CLEAR_BELOW);
        }
        text.push_str(words);
        for line in &lines {
            text.push_str(&line.text);
            text.push_str(if is_same_place { "\u{1b}[K\n" } else { "\n" });
        }
        if is_same_place && lines.len() < self.drawn.len() {
            text.push_str(CLEAR_BELOW);
        }
        self.drawn = lines;
        self.columns = columns;
        text
    }

    /// Takes the picture away.
    pub(super) fn erase(&mut self, columns: usize) -> String {
        let mut text = self.go_up(columns);
        if !self.drawn.is_empty() {
            text.push_str(CLEAR_BELOW);
        }
        self.drawn.clear();
        text
    }

    /// To the first line of the picture. On a screen that has become narrower its lines take several.
    fn go_up(&self, columns: usize) -> String {
        let columns = columns.max(1);
        let rows: usize = self
            .drawn
            .iter()
            .map(|line| line.width.div_ceil(columns).max(1))
            .sum();
        let mut text = String::new();
        if rows > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "\r\u{1b}[{rows}A");
        }
        text
    }
}
