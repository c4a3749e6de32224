//! Every key and item of a TOML text as it is written, also of one that is half written.

use std::collections::HashMap;
use std::ops::Range;

use toml_parser::parser::{Event, EventKind};

use super::toml_events::{decode_key, decode_text, mended_events, range};

/// A key, or an item of a list, at one place of the text. A table that is written in several pieces
/// has an entry for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry that it is in; None at the top.
    pub parent: Option<usize>,
    pub name: Name,
    pub kind: Kind,
    /// Where the key is written: for an item of a list, where its value is.
    pub key: Range<usize>,
    /// Where the value is written: for a header, all that stands under it.
    pub value: Range<usize>,
    /// What a text says; empty for anything else.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    Key(String),
    Index(usize),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table, as the last name of a header.
    Header,
    /// A table, as one of the other names of a header or of a dotted key.
    Part,
    Table,
    List,
    Text,
    /// A number, a date, a truth value.
    Plain,
    /// Nothing yet.
    Missing,
}

/// A header, or a key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) range: Range<usize>,
    /// The entry of the table that a header opens.
    pub(super) opens: Option<usize>,
}

pub(super) struct Outline {
    pub(super) entries: Vec<Entry>,
    pub(super) statements: Vec<Statement>,
}

/// The entries in the order of the text, each after the one that it is in.
pub fn toml_outline(text: &str) -> Vec<Entry> {
    outline(text).entries
}

pub(super) fn outline(text: &str) -> Outline {
    let mended = mended_events(text);
    let mut writer = Writer {
        text: &mended.text,
        entries: Vec::new(),
        statements: Vec::new(),
        open: Vec::new(),
        table: None,
        keys: Vec::new(),
        items: HashMap::new(),
        header: None,
    };
    for event in &mended.all {
        writer.take(event);
    }
    let Writer {
        mut entries,
        mut statements,
        ..
    } = writer;
    for unclosed in mended.unclosed {
        let before = entries
            .iter_mut()
            .rfind(|entry| entry.kind == Kind::Missing && entry.key.end <= unclosed.range.start);
        if let Some(entry) = before {
            entry.kind = if unclosed.is_table {
                Kind::Table
            } else {
                Kind::List
            };
            entry.value = unclosed.range.clone();
        }
        let around = statements
            .iter_mut()
            .rfind(|statement| statement.range.start <= unclosed.range.start);
        if let Some(statement) = around {
            statement.range.end = statement.range.end.max(unclosed.range.end);
        }
    }
    Outline {
        entries,
        statements,
    }
}

/// A list or table that is not closed yet.
struct Open {
    entry: Option<usize>,
    /// In a list: the index of the next item.
    index: Option<usize>,
    /// In a table: where in `keys` its own begin.
    keys: usize,
}

struct Writer<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    statements: Vec<Statement>,
    open: Vec<Open>,
    /// The entry of the last header.
    table: Option<usize>,
    /// The names of a key that are read so far, outermost table first.
    keys: Vec<(String, Range<usize>)>,
    /// How many tables each array of tables has, by the names that lead to it.
    items: HashMap<Vec<Name>, usize>,
    header: Option<(usize, bool)>,
}

impl Writer<'_> {
    fn take(&mut self, event: &Event) {
        let span = range(event);
        match event.kind() {
            EventKind::StdTableOpen => self.begin_header(&span, false),
            EventKind::ArrayTableOpen => self.begin_header(&span, true),
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.end_header(span.end),
            EventKind::SimpleKey => self.take_key(event, span),
            EventKind::KeyValSep => self.extend(span.end),
            EventKind::Scalar => {
                self.extend(span.end);
                let text = decode_text(self.text, event);
                let kind = match text {
                    _ if span.is_empty() => Kind::Missing,
                    Some(_) => Kind::Text,
                    None => Kind::Plain,
                };
                self.value(kind, span, text.unwrap_or_default());
            }
            EventKind::ArrayOpen => self.begin(Kind::List, span, Some(0)),
            EventKind::InlineTableOpen => self.begin(Kind::Table, span, None),
            EventKind::ArrayClose | EventKind::InlineTableClose => self.end(span.end),
            EventKind::ValueSep => self.separate(),
            EventKind::Newline if self.open.is_empty() => self.end_line(),
            _ => {}
        }
    }

    fn begin_header(&mut self, span: &Range<usize>, is_array: bool) {
        self.end_line();
        self.header = Some((span.start, is_array));
        self.statements.push(Statement {
            range: span.clone(),
            opens: None,
        });
    }

    fn end_header(&mut self, end: usize) {
        self.extend(end);
        self.end_line();
        self.extend(end);
    }

    fn take_key(&mut self, event: &Event, span: Range<usize>) {
        if self.open.is_empty() && self.header.is_none() && self.keys.is_empty() {
            self.statements.push(Statement {
                range: span.clone(),
                opens: None,
            });
        }
        self.extend(span.end);
        self.keys.push((decode_key(self.text, event), span));
    }

    /// Notes that the statement, and what is under the header, goes on to here.
    fn extend(&mut self, end: usize) {
        if let Some(statement) = self.statements.last_mut() {
            statement.range.end = statement.range.end.max(end);
        }
        if self.header.is_some() {
            return;
        }
        let mut around = self.table;
        while let Some(index) = around {
            let entry = &mut self.entries[index];
            if entry.kind == Kind::Header {
                entry.value.end = entry.value.end.max(end);
            }
            around = entry
                .parent
                .filter(|_| matches!(entry.name, Name::Index(_)));
        }
    }

    /// A line that is over leaves no key behind.
    fn end_line(&mut self) {
        if let Some((start, is_array)) = self.header.take() {
            self.table = self.open_table(start, is_array);
            if let Some(statement) = self.statements.last_mut() {
                statement.opens = self.table;
            }
        } else if !self.keys.is_empty() && self.open.is_empty() {
            let end = self.keys.last().map_or(0, |(_, span)| span.end);
            self.value(Kind::Missing, end..end, String::new());
        }
        self.keys.clear();
    }

    fn open_table(&mut self, start: usize, is_array: bool) -> Option<usize> {
        let keys = std::mem::take(&mut self.keys);
        let end = keys.last()?.1.end;
        let last = keys.len() - 1;
        let mut parent = None;
        let mut path = Vec::new();
        for (position, (key, span)) in keys.into_iter().enumerate() {
            path.push(Name::Key(key.clone()));
            let is_last = position == last;
            let kind = match (is_last, is_array) {
                (false, _) => Kind::Part,
                (true, false) => Kind::Header,
                (true, true) => Kind::List,
            };
            let value = if is_last { start..end } else { span.clone() };
            parent = Some(self.push(parent, Name::Key(key), kind, span.clone(), value));
            let count = self.items.get(&path).copied();
            let index = match (is_last && is_array, count) {
                (true, count) => Some(count.unwrap_or(0)),
                (false, count) => count.map(|count| count - 1),
            };
            if let Some(index) = index {
                if is_last && is_array {
                    self.items.insert(path.clone(), index + 1);
                }
                let kind = if is_last { Kind::Header } else { Kind::Part };
                path.push(Name::Index(index));
                parent = Some(self.push(parent, Name::Index(index), kind, span, start..end));
            }
        }
        parent
    }

    fn begin(&mut self, kind: Kind, span: Range<usize>, index: Option<usize>) {
        self.extend(span.end);
        let entry = self.value(kind, span, String::new());
        self.open.push(Open {
            entry,
            index,
            keys: self.keys.len(),
        });
    }

    fn end(&mut self, end: usize) {
        self.leave_key();
        let Some(open) = self.open.pop() else {
            return;
        };
        self.keys.truncate(open.keys);
        if let Some(entry) = open.entry.map(|index| &mut self.entries[index]) {
            entry.value.end = end;
            if matches!(entry.name, Name::Index(_)) {
                entry.key.end = end;
            }
        }
        self.extend(end);
    }

    fn separate(&mut self) {
        self.leave_key();
        if let Some(open) = self.open.last_mut() {
            if let Some(index) = &mut open.index {
                *index += 1;
            }
            self.keys.truncate(open.keys);
        }
    }

    /// A key in a table on one line that has no value.
    fn leave_key(&mut self) {
        let Some(open) = self.open.last() else {
            return;
        };
        if open.index.is_none() && self.keys.len() > open.keys {
            let end = self.keys.last().map_or(0, |(_, span)| span.end);
            self.value(Kind::Missing, end..end, String::new());
        }
    }

    /// Adds the entry of a value: under the keys that were read, or as the item that is next.
    fn value(&mut self, kind: Kind, value: Range<usize>, text: String) -> Option<usize> {
        let (parent, first) = match self.open.last() {
            Some(open) => (open.entry, open.keys),
            None => (self.table, 0),
        };
        if let Some(index) = self.open.last().and_then(|open| open.index) {
            if kind == Kind::Missing {
                return None;
            }
            let entry = self.push(parent, Name::Index(index), kind, value.clone(), value);
            self.entries[entry].text = text;
            return Some(entry);
        }
        let keys = self.keys.split_off(first.min(self.keys.len()));
        let last = keys.len().checked_sub(1)?;
        let mut parent = parent;
        for (position, (key, span)) in keys.into_iter().enumerate() {
            let (kind, value) = if position == last {
                (kind, value.clone())
            } else {
                (Kind::Part, span.clone())
            };
            parent = Some(self.push(parent, Name::Key(key), kind, span, value));
        }
        if let Some(entry) = parent {
            self.entries[entry].text = text;
        }
        parent
    }

    fn push(
        &mut self,
        parent: Option<usize>,
        name: Name,
        kind: Kind,
        key: Range<usize>,
        value: Range<usize>,
    ) -> usize {
        self.entries.push(Entry {
            parent,
            name,
            kind,
            key,
            value,
            text: String::new(),
        });
        self.entries.len() - 1
    }
}
