//! The events of a TOML text that may be half written: what is never closed swallows nothing.

use std::ops::Range;

use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};
use toml_parser::{Raw, Source};

/// As deep as the parser of values goes.
const DEEPEST: u32 = 80;

/// How many unclosed brackets and quotes are taken out, one after the other.
const MOST_MENDED: usize = 16;

/// A list, table or text that nothing closes, up to where the next statement seems to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) range: Range<usize>,
    pub(super) is_table: bool,
}

/// A text as its events tell it.
pub(super) struct Events {
    /// The text, in which spaces stand for all that is unclosed.
    pub(super) text: String,
    pub(super) all: Vec<Event>,
    /// In the order of the text.
    pub(super) unclosed: Vec<Unclosed>,
}

/// The events of a text, without what is unclosed in it.
pub(super) fn mended_events(text: &str) -> Events {
    let mut text = text.to_owned();
    let mut unclosed = Vec::new();
    loop {
        let events = events(&text);
        let found = find_unclosed(&text, &events);
        match found {
            Some(found) if unclosed.len() < MOST_MENDED => {
                text = blank(&text, &found.range);
                unclosed.push(found);
            }
            _ => {
                unclosed.sort_by_key(|found| found.range.start);
                return Events {
                    text,
                    all: events,
                    unclosed,
                };
            }
        }
    }
}

/// The events of a text as it is.
pub(super) fn events(text: &str) -> Vec<Event> {
    let tokens = Source::new(text).lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut guard = RecursionGuard::new(&mut events, DEEPEST);
    parse_document(&tokens, &mut guard, &mut ());
    events
}

/// The key that an event spells.
pub(super) fn decode_key(text: &str, event: &Event) -> String {
    let mut key = String::new();
    if let Some(raw) = raw(text, event) {
        raw.decode_key(&mut key, &mut ());
    }
    key
}

/// The text that an event spells; None for a number, a date, a truth value.
pub(super) fn decode_text(text: &str, event: &Event) -> Option<String> {
    event.encoding()?;
    let mut value = String::new();
    // It is text, whatever is wrong with it.
    let _ = raw(text, event)?.decode_scalar(&mut value, &mut ());
    Some(value)
}

pub(super) fn range(event: &Event) -> Range<usize> {
    event.span().start()..event.span().end()
}

fn raw<'t>(text: &'t str, event: &Event) -> Option<Raw<'t>> {
    let raw = text.get(range(event))?;
    Some(Raw::new_unchecked(raw, event.encoding(), event.span()))
}

/// The first bracket or quote that nothing closes: up to the end of the text, or to a bracket that
/// closes another kind.
fn find_unclosed(text: &str, events: &[Event]) -> Option<Unclosed> {
    let mut open: Vec<&Event> = Vec::new();
    for event in events {
        match event.kind() {
            EventKind::Scalar if open.is_empty() && is_endless(text, event) => open.push(event),
            _ if event.span().is_empty() => {}
            EventKind::ArrayOpen | EventKind::InlineTableOpen => open.push(event),
            EventKind::ArrayClose if is_open(&open, EventKind::InlineTableOpen) => break,
            EventKind::InlineTableClose if is_open(&open, EventKind::ArrayOpen) => break,
            EventKind::ArrayClose | EventKind::InlineTableClose => {
                open.pop();
            }
            _ => {}
        }
    }
    let first = open.first()?;
    let start = first.span().start();
    Some(Unclosed {
        range: start..next_statement(text, start),
        is_table: first.kind() == EventKind::InlineTableOpen,
    })
}

fn is_open(open: &[&Event], kind: EventKind) -> bool {
    open.last().is_some_and(|event| event.kind() == kind)
}

/// Whether a text of several lines has no closing quotes.
fn is_endless(text: &str, event: &Event) -> bool {
    let quotes = match event.encoding() {
        Some(Encoding::MlBasicString) => "\"\"\"",
        Some(Encoding::MlLiteralString) => "'''",
        _ => return false,
    };
    let body = text.get(range(event)).and_then(|raw| raw.get(3..));
    !body.is_some_and(|body| body.ends_with(quotes))
}

/// The start of the first line after `start` that looks like a header or like `key =`.
fn next_statement(text: &str, start: usize) -> usize {
    let mut offset = start;
    while let Some(length) = text[offset..].find('\n') {
        offset += length + 1;
        let line = text[offset..].lines().next().unwrap_or_default();
        if is_header(line) || is_pair(line) {
            return offset;
        }
    }
    text.len()
}

fn is_header(line: &str) -> bool {
    let Some(inside) = line.trim_start().strip_prefix('[') else {
        return false;
    };
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    let Some((key, rest)) = inside.split_once(']') else {
        // Half written; an item of a list would be further to the right, or have quotes.
        return line.starts_with('[') && is_key(inside) && !inside.contains(['"', '\'', ' ']);
    };
    let rest = rest.strip_prefix(']').unwrap_or(rest).trim_start();
    is_key(key) && (rest.is_empty() || rest.starts_with('#'))
}

fn is_pair(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, _)| is_key(key))
}

fn is_key(text: &str) -> bool {
    let is_bare = |c: char| c.is_alphanumeric() || "_-.$*\"' \t".contains(c);
    !text.trim().is_empty() && text.chars().all(is_bare)
}

fn blank(text: &str, range: &Range<usize>) -> String {
    let spaces = text[range.clone()].bytes().map(|byte| match byte {
        b'\n' => '\n',
        b'\r' => '\r',
        _ => ' ',
    });
    let mut mended = String::with_capacity(text.len());
    mended.push_str(&text[..range.start]);
    mended.extend(spaces);
    mended.push_str(&text[range.end..]);
    mended
}
