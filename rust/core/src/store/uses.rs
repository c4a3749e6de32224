//! When each entry was last used: kept apart from file times, which backups and copies change.

use std::collections::BTreeMap;
use std::fs;

use super::{Store, replace};
use crate::error::{Error, Result};

/// A use is worth writing down again after this long: a warm run writes nothing.
const WORTH_WRITING_MS: u64 = 3_600_000;

/// Key → milliseconds since the epoch.
#[derive(Default)]
pub struct Uses {
    times: BTreeMap<String, u64>,
    changed: bool,
}

impl Uses {
    /// An unreadable table is an empty one: entries then count from when they were made.
    pub fn read(store: &Store) -> Self {
        let bytes = fs::read(store.root.join("uses.json")).unwrap_or_default();
        Self {
            times: serde_json::from_slice(&bytes).unwrap_or_default(),
            changed: false,
        }
    }

    pub fn last(&self, key: &str) -> Option<u64> {
        self.times.get(key).copied()
    }

    pub fn used(&mut self, key: &str, now_ms: u64) {
        let last = self.last(key).unwrap_or(0);
        if now_ms.abs_diff(last) >= WORTH_WRITING_MS {
            self.times.insert(key.to_owned(), now_ms);
            self.changed = true;
        }
    }

    pub fn forget(&mut self, key: &str) {
        self.changed |= self.times.remove(key).is_some();
    }

    pub fn write(&mut self, store: &Store) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let json = serde_json::to_vec(&self.times)
            .map_err(|error| Error::Invalid(format!("the table of uses: {error}")))?;
        replace(&store.root.join("uses.json"), &store.temporary()?, &json)?;
        self.changed = false;
        Ok(())
    }
}
