//! What a person is about to write at a place of a TOML text.

use toml_parser::parser::{Event, EventKind};

use super::toml_events::{decode_key, events, range};
use super::toml_outline::{Name, Outline, outline};

/// What comes at a place: a key of the table at `route`, or the value at `route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub slot: Slot,
    pub route: Vec<Name>,
    /// Where that which is written of it begins.
    pub start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Key,
    /// A key in a header.
    Header,
    Value,
}

/// What comes at an offset; None in a comment, after a finished value, in the middle of a character.
pub fn toml_cursor(text: &str, offset: usize) -> Option<Cursor> {
    let before = text.get(..offset)?;
    let outline = outline(text);
    let last = outline
        .statements
        .iter()
        .rposition(|statement| statement.range.start < offset);
    let in_last = last.filter(|&index| {
        let range = &outline.statements[index].range;
        offset <= range.end || !text[range.end..offset].contains('\n')
    });
    let (start, before_statement) = match in_last {
        Some(index) => (outline.statements[index].range.start, index),
        None => (
            before.rfind('\n').map_or(0, |newline| newline + 1),
            last.map_or(0, |index| index + 1),
        ),
    };
    let table = outline.statements[..before_statement]
        .iter()
        .rev()
        .find_map(|statement| statement.opens);
    let statement = &text[start..offset];
    let mut reader = Reader {
        text: statement,
        frames: vec![Frame::new(route(&outline, table), None)],
        in_header: false,
        is_over: false,
    };
    for event in events(statement) {
        reader.take(&event);
    }
    reader.cursor().map(|cursor| Cursor {
        start: start + cursor.start,
        ..cursor
    })
}

fn route(outline: &Outline, entry: Option<usize>) -> Vec<Name> {
    let mut route = Vec::new();
    let mut next = entry;
    while let Some(index) = next {
        route.push(outline.entries[index].name.clone());
        next = outline.entries[index].parent;
    }
    route.reverse();
    route
}

/// A table or list that is open at the cursor.
struct Frame {
    route: Vec<Name>,
    /// In a list: the index of the item.
    index: Option<usize>,
    keys: Vec<(String, usize, usize)>,
    awaits_value: bool,
    /// The last value, if nothing but it was read since.
    scalar: Option<(usize, usize)>,
    has_value: bool,
}

impl Frame {
    fn new(route: Vec<Name>, index: Option<usize>) -> Self {
        Self {
            route,
            index,
            keys: Vec::new(),
            awaits_value: index.is_some(),
            scalar: None,
            has_value: false,
        }
    }

    fn value_route(&self) -> Vec<Name> {
        let mut route = self.route.clone();
        match self.index {
            Some(index) => route.push(Name::Index(index)),
            None => route.extend(self.keys.iter().map(|(key, ..)| Name::Key(key.clone()))),
        }
        route
    }

    fn next(&mut self) {
        if let Some(index) = &mut self.index {
            *index += 1;
        }
        self.keys.clear();
        self.awaits_value = self.index.is_some();
        self.scalar = None;
        self.has_value = false;
    }
}

struct Reader<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    in_header: bool,
    /// Nothing can be written here.
    is_over: bool,
}

impl Reader<'_> {
    fn take(&mut self, event: &Event) {
        let span = range(event);
        let depth = self.frames.len();
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        match event.kind() {
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                self.in_header = true;
                frame.route.clear();
            }
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.is_over = true,
            EventKind::SimpleKey => {
                let key = decode_key(self.text, event);
                frame.keys.push((key, span.start, span.end));
            }
            EventKind::KeyValSep if !span.is_empty() => frame.awaits_value = true,
            EventKind::Scalar if !span.is_empty() => {
                frame.scalar = Some((span.start, span.end));
                frame.has_value = true;
            }
            EventKind::ArrayOpen | EventKind::InlineTableOpen if !span.is_empty() => {
                let index = (event.kind() == EventKind::ArrayOpen).then_some(0);
                frame.has_value = true;
                frame.scalar = None;
                let route = frame.value_route();
                self.frames.push(Frame::new(route, index));
            }
            EventKind::ArrayClose | EventKind::InlineTableClose
                if !span.is_empty() && depth > 1 =>
            {
                self.frames.pop();
            }
            EventKind::ValueSep => frame.next(),
            EventKind::Comment => self.is_over = span.end == self.text.len(),
            EventKind::Newline if depth == 1 => {
                frame.next();
                self.in_header = false;
                self.is_over = false;
            }
            _ => {}
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        let frame = self.frames.last()?;
        let end = self.text.len();
        if self.is_over {
            return None;
        }
        if frame.awaits_value {
            let start = match frame.scalar {
                Some((start, scalar_end)) if scalar_end == end => start,
                _ if frame.has_value => return None,
                _ => end,
            };
            return Some(Cursor {
                slot: Slot::Value,
                route: frame.value_route(),
                start,
            });
        }
        let slot = if self.in_header {
            Slot::Header
        } else {
            Slot::Key
        };
        let mut route = frame.route.clone();
        let start = match frame.keys.split_last() {
            Some(((_, start, key_end), before)) if *key_end == end => {
                route.extend(before.iter().map(|(key, ..)| Name::Key(key.clone())));
                *start
            }
            Some(_) => return None,
            None => end,
        };
        Some(Cursor { slot, route, start })
    }
}
