//! The secrets of a run, taken out of every text that is printed or stored.

use std::collections::BTreeSet;

use super::words::split_lines;
use crate::redact::{SHORTEST, Secrets};

/// Knows the secrets of one run.
pub(crate) struct Redaction(Option<Secrets>);

impl Redaction {
    /// None for secrets that are too large to be looked for.
    pub(crate) fn of(secrets: &[(String, String)]) -> Option<Self> {
        let mut lines = BTreeSet::new();
        for (_, secret) in secrets {
            lines.insert(secret.as_bytes());
            // A secret on several lines is often printed a line at a time.
            lines.extend(split_lines(secret).map(str::as_bytes));
        }
        lines.remove(&b""[..]);
        if lines.is_empty() {
            return Some(Self(None));
        }
        Secrets::new(lines).ok().map(|secrets| Self(Some(secrets)))
    }

    /// None if there is nothing to hide.
    pub(crate) fn secrets(&self) -> Option<&Secrets> {
        self.0.as_ref()
    }

    /// A whole text without the secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        match &self.0 {
            None => text.to_owned(),
            Some(secrets) => String::from_utf8_lossy(&secrets.redact(text.as_bytes())).into_owned(),
        }
    }
}

/// The names of secrets that are left in the text: masking `1` or `no` would ruin every log.
pub(crate) fn too_short(secrets: &[(String, String)]) -> Vec<&str> {
    let mut names = Vec::new();
    for (name, value) in secrets {
        if (1..SHORTEST).contains(&value.len()) && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}
