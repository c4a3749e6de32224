//! A finding as it comes over the border: what is wrong, where, and what would be right.

use std::fmt::{self, Formatter};

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    pub level: Severity,
    pub code: Text,
    pub message: Text,
    pub labels: Vec<Label>,
    pub help: Vec<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Reads a JSON list of findings.
///
/// # Errors
///
/// When it is anything else.
pub fn parse_findings(json: &str) -> Result<Vec<Finding>, serde_json::Error> {
    serde_json::from_str(json)
}

/// A range of bytes of the document, and what to say about it (nothing, if the text is empty).
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    #[serde(deserialize_with = "offset")]
    pub start: usize,
    #[serde(deserialize_with = "offset")]
    pub end: usize,
    pub text: Text,
    /// Whether this is the place of the finding; the others explain it.
    pub primary: bool,
}

/// A text that may name a file: what is not Unicode in it is replaced, for an error has to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, the JSON reader lets the lone surrogates pass that Python puts in the
        // place of bytes that are not UTF-8.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }
}

/// Any whole number: one that is below or beyond all offsets is as good as the nearest of them.
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let nearest = if number.as_f64().is_some_and(|number| number < 0.0) {
        0
    } else {
        u64::MAX
    };
    Ok(usize::try_from(number.as_u64().unwrap_or(nearest)).unwrap_or(usize::MAX))
}
