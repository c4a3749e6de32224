//! What one run leaves for the next: the stat index, the last success of each task, uses of entries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::again::First;
use super::durations::Durations;
use super::look::Look;
use super::successes::Successes;
use super::survey::{Basis, Checked};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::store::{Store, Uses, read_own, replace, replace_by_pieces, temporary_in};
use crate::tree::{Fresh, Index, Walk, append_to_journal, journal_of};

pub(super) struct Memory {
    /// Files that were read in this run and were clean then.
    pub(super) fresh: Fresh,
    /// The look at everything, if there was one: it tells what is gone.
    pub(super) looked: Option<Arc<Look>>,
    /// What was read on the walk of that look is in the index on disk.
    has_kept_walk: bool,
    /// The thread that puts it there, if nobody waits for it yet.
    keeping: Option<JoinHandle<Result<()>>>,
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
            keeping: None,
            first: None,
            basis: None,
            checked: None,
            successes: Successes::read(state),
            durations: Durations::default(),
            uses: BTreeMap::new(),
        }
    }

    /// Writes down what was read on the walk of a look, in a thread of its own.
    pub(super) fn keep_walk(&mut self, state: &Path, index: &Arc<Index>, look: &Arc<Look>) {
        let (state, index, look) = (state.to_path_buf(), Arc::clone(index), Arc::clone(look));
        let write = move || write_index(&state, &index, Some(look.walk()), &Fresh::new());
        // Without a thread it is written at the end.
        self.keeping = thread::Builder::new().spawn(write).ok();
    }

    pub(super) fn write<'a>(
        &mut self,
        state: &Path,
        index: impl FnOnce() -> &'a Arc<Index>,
    ) -> Result<()> {
        if let Some(keeping) = self.keeping.take() {
            let broken = |_| Err(Error::Invalid("the thread of an index broke".into()));
            keeping.join().unwrap_or_else(broken)?;
            self.has_kept_walk = true;
        }
        let has_read = |look: &Look| !self.has_kept_walk && look.has_read_ahead();
        if !self.fresh.is_empty() || self.looked.as_deref().is_some_and(has_read) {
            let path = state.join("index");
            let walk = self.looked.as_deref().map(Look::walk);
            let is_added =
                append_to_journal(&path, walk.filter(|_| !self.has_kept_walk), &self.fresh)
                    .map_err(Error::at(&journal_of(&path)))?;
            if !is_added {
                write_index(state, index(), walk, &self.fresh)?;
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

impl Drop for Memory {
    /// Nothing is written any more when a run has come to its end, whatever end that was.
    fn drop(&mut self) {
        if let Some(keeping) = self.keeping.take() {
            // It only ever saves time.
            let _ = keeping.join();
        }
    }
}

/// The index anew: what it was, what a walk read, what is fresh.
fn write_index(state: &Path, index: &Index, walk: Option<&Walk>, fresh: &Fresh) -> Result<()> {
    let path = state.join("index");
    let next = index.next_in_pieces(walk, fresh);
    replace_by_pieces(&path, &temporary_in(&state.join("tmp"))?, &next)?;
    // What stays of it is true still, and known already.
    let _ = fs::remove_file(journal_of(&path));
    Ok(())
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
