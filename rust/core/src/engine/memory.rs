//! What one run leaves for the next: the stat index, the last success of each task, uses of entries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::again::First;
use super::durations::Durations;
use super::look::Look;
use super::successes::Successes;
use super::survey::{Basis, Checked};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::store::{Store, Uses, read_own, replace, temporary_in};
use crate::tree::{Fresh, Index, append_to_journal, journal_of};

pub(super) struct Memory {
    /// Files that were read in this run and were clean then.
    pub(super) fresh: Fresh,
    /// The look at everything, if there was one: it tells what is gone.
    pub(super) looked: Option<Arc<Look>>,
    /// What was read on the walk of that look is in the index on disk.
    has_kept_walk: bool,
    /// What that look went on from.
    pub(super) basis: Option<Basis>,
    /// What the next look may go on from.
    pub(super) checked: Option<Checked>,
    /// The same for tasks that are looked at again.
    pub(super) first: Option<Arc<First>>,
    pub(super) successes: Successes,
    pub(super) durations: Durations,
    /// By the root of the store.
    pub(super) uses: BTreeMap<PathBuf, Uses>,
}

impl Memory {
    pub(super) fn read(state: &Path) -> Self {
        Self {
            fresh: Fresh::new(),
            looked: None,
            has_kept_walk: false,
            first: None,
            basis: None,
            checked: None,
            successes: Successes::read(state),
            durations: Durations::default(),
            uses: BTreeMap::new(),
        }
    }

    pub(super) fn write<'a>(
        &mut self,
        state: &Path,
        index: impl FnOnce() -> &'a Index,
    ) -> Result<()> {
        let temporary = || temporary_in(&state.join("tmp"));
        let has_read = |look: &Look| !self.has_kept_walk && look.has_read_ahead();
        if !self.fresh.is_empty() || self.looked.as_deref().is_some_and(has_read) {
            let path = state.join("index");
            let walk = self.looked.as_deref().map(Look::walk);
            let is_added = append_to_journal(&path, walk, &self.fresh)
                .map_err(Error::at(&journal_of(&path)))?;
            if !is_added {
                let next = index().next(walk, &self.fresh);
                replace(&path, &temporary()?, &next)?;
                // What stays of it is true still, and known already.
                let _ = fs::remove_file(journal_of(&path));
            }
            self.has_kept_walk = true;
            self.fresh.clear();
        }
        self.successes.write(state)?;
        self.durations.write(state)?;
        for (root, uses) in &mut self.uses {
            uses.write(&Store::at(root))?;
        }
        Ok(())
    }
}

/// A table with its checksum, put in place whole.
pub(super) fn write_checked<T: Serialize>(
    state: &Path,
    name: &str,
    table: &BTreeMap<String, T>,
) -> Result<()> {
    let json = serde_json::to_string(table)
        .map_err(|error| Error::Invalid(format!("the table of {name}: {error}")))?;
    let checked = format!("{}\n{json}", Digest::of(json.as_bytes()).to_hex());
    let temporary = temporary_in(&state.join("tmp"))?;
    replace(&state.join(name), &temporary, checked.as_bytes())
}

/// None for a table that is not there or is not what was written.
pub(super) fn read_checked<T: DeserializeOwned>(path: &Path) -> Option<BTreeMap<String, T>> {
    let text = String::from_utf8(read_own(path).ok()?).ok()?;
    let (checksum, json) = text.split_once('\n')?;
    let is_whole = Digest::from_hex(checksum)? == Digest::of(json.as_bytes());
    is_whole.then(|| serde_json::from_str(json).ok()).flatten()
}
