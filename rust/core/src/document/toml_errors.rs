//! All syntax errors of a TOML document, in one pass.

use std::ops::Range;

use toml::de::DeTable;

/// What is wrong, and where: a range of byte offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
    pub span: Range<usize>,
}

/// Every mistake in the order of the text, without the errors that only follow from another.
pub fn toml_errors(text: &str) -> Vec<SyntaxError> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let mut errors: Vec<SyntaxError> = errors
        .into_iter()
        .map(|error| SyntaxError {
            message: error.message().to_owned(),
            span: error.span().unwrap_or(text.len()..text.len()),
        })
        .collect();
    // Stable, so that of several errors at one place the parser's first one stays.
    errors.sort_by_key(|error| error.span.start);
    drop_swallowed(&mut errors);
    drop_later_of_a_line(text, &mut errors);
    errors
}

/// A bracket that is never closed swallows the rest of the document as its items: what the parser
/// says about those, after the first of them, is not the author's mistake.
fn drop_swallowed(errors: &mut Vec<SyntaxError>) {
    let Some(unclosed) = errors
        .iter()
        .position(|error| error.message.starts_with("unclosed "))
    else {
        return;
    };
    let is_item = |error: &SyntaxError| {
        ["between array", "in array", "between inline", "in inline"]
            .iter()
            .any(|words| error.message.contains(words))
    };
    if let Some(first) = errors[..unclosed].iter().position(is_item) {
        errors.drain(first + 1..unclosed);
    }
}

/// The parser finds its feet again at the end of a line, and is easily wrong before that.
fn drop_later_of_a_line(text: &str, errors: &mut Vec<SyntaxError>) {
    errors.dedup_by(|later, earlier| {
        !text.as_bytes()[earlier.span.start..later.span.start].contains(&b'\n')
    });
}
