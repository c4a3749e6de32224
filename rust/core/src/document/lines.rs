//! The lines of a text, and where byte offsets fall in them.

/// A text and where each of its lines starts.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

/// A range of bytes within one line: on character boundaries, without the line's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Counted from 0.
    pub(super) line: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A part of the text, and the offset at which it starts.
pub(super) struct Window<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(newlines.map(|(offset, _)| offset + 1))
            .collect();
        Self { text, starts }
    }

    /// The nearest sensible place to the range `start..end`.
    ///
    /// A range over several lines is cut off at the end of its first, where the reader has to look.
    /// The end of a text that ends with a newline is the end of its last line, not an empty line.
    pub(super) fn spot(&self, start: usize, end: usize) -> Spot {
        let mut start = floor_boundary(self.text, start.min(self.text.len()));
        if start == self.text.len() && self.text.ends_with('\n') {
            start -= 1;
        }
        let line = self.starts.partition_point(|&first| first <= start) - 1;
        let line_end = self.end(line);
        let start = start.min(line_end);
        let end = ceil_boundary(self.text, end.clamp(start, line_end));
        Spot { line, start, end }
    }

    /// The text of the lines from `first` to `last`, both included.
    pub(super) fn window(&self, first: usize, last: usize) -> Window<'t> {
        let start = self.starts[first];
        Window {
            text: &self.text[start..self.end(last)],
            start,
        }
    }

    /// Where a line ends, not counting what ends it.
    fn end(&self, line: usize) -> usize {
        let Some(next) = self.starts.get(line + 1) else {
            return self.text.len();
        };
        let end = next - 1;
        if self.text[..end].ends_with('\r') && end > self.starts[line] {
            end - 1
        } else {
            end
        }
    }
}

fn floor_boundary(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn ceil_boundary(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset += 1;
    }
    offset
}
