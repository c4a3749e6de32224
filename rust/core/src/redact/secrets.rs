//! A set of secrets, made ready to be looked for in all their forms at once.

use std::collections::BTreeSet;

use super::finder::{Finder, FinderError};
use super::forms::forms;
use super::{SHORTEST, Stream};

/// Secrets, compiled. Immutable: any number of streams can search with it.
pub struct Secrets {
    /// None if there is nothing to look for.
    pub(super) finder: Option<Finder>,
}

impl Secrets {
    /// Compiles secrets. Those shorter than [`SHORTEST`] are left out.
    ///
    /// # Errors
    ///
    /// When the secrets are too large to be compiled: gigabytes.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, FinderError> {
        let patterns: BTreeSet<Vec<u8>> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(forms)
            .collect();
        let finder = if patterns.is_empty() {
            None
        } else {
            Some(Finder::new(&patterns)?)
        };
        Ok(Self { finder })
    }

    /// A whole text, redacted.
    pub fn redact(&self, text: &[u8]) -> Vec<u8> {
        let mut stream = Stream::default();
        let mut redacted = stream.feed(self, text);
        redacted.extend(stream.finish());
        redacted
    }
}
