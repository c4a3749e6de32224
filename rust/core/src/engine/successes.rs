//! The last success of each task: a table, and what came after it was written.
//!
//! A run of two tasks of a thousand has two lines to add. Nothing is made of the others, and the table is
//! written anew only when so much came after it that reading both takes longer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::decision::EntryFacts;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::store::{read_own, replace, temporary_in};

/// A table grows by this part, and by this many in any case, before it is written anew.
const PART: usize = 20;
const FEW: usize = 16;

/// A task as it last succeeded, or was last found to have. Outputs that are still exactly these, under
/// the same key, need no look into the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Success {
    pub(super) key: String,
    pub(super) store: String,
    /// Of the outputs with their exact modes: `Manifest::exact_digest`.
    pub(super) exact: String,
    pub(super) facts: EntryFacts,
}

#[derive(Default)]
pub(super) struct Successes {
    /// The checksum of the table that is on disk.
    checksum: Option<Digest>,
    /// By task, each as it stands there.
    table: BTreeMap<String, Box<RawValue>>,
    newer: BTreeMap<String, Success>,
    has_changed: bool,
}

impl Successes {
    /// A damaged table costs a look into the store, and an explanation of the next miss.
    pub(super) fn read(state: &Path) -> Self {
        let Some((checksum, table)) = read_table(&table_in(state)) else {
            return Self::default();
        };
        Self {
            newer: read_newer(&newer_in(state), checksum).unwrap_or_default(),
            checksum: Some(checksum),
            table,
            has_changed: false,
        }
    }

    pub(super) fn of(&self, task: &str) -> Option<Success> {
        let newer = self.newer.get(task).cloned();
        newer.or_else(|| serde_json::from_str(self.table.get(task)?.get()).ok())
    }

    /// Whether anything is known of a task.
    pub(super) fn has(&self, task: &str) -> bool {
        self.newer.contains_key(task) || self.table.contains_key(task)
    }

    pub(super) fn succeeded(&mut self, task: &str, success: Success) {
        if self.of(task).as_ref() != Some(&success) {
            self.newer.insert(task.to_owned(), success);
            self.has_changed = true;
        }
    }

    /// Puts it in place, if there is anything new.
    pub(super) fn write(&mut self, state: &Path) -> Result<()> {
        if !self.has_changed {
            return Ok(());
        }
        let is_little = self.newer.len() <= FEW + self.table.len() / PART;
        match self.checksum.filter(|_| is_little) {
            Some(checksum) => {
                let text = format!("{}\n{}", checksum.to_hex(), json_of(&self.newer)?);
                put(state, &newer_in(state), &text)?;
            }
            None => self.write_whole(state)?,
        }
        self.has_changed = false;
        Ok(())
    }

    fn write_whole(&mut self, state: &Path) -> Result<()> {
        for (task, success) in std::mem::take(&mut self.newer) {
            self.table
                .insert(task, to_raw_value(&success).map_err(unwritable)?);
        }
        let json = json_of(&self.table)?;
        put(state, &table_in(state), &json)?;
        self.checksum = Some(Digest::of(json.as_bytes()));
        // What stays of it is of another table, and counts for nothing.
        let _ = fs::remove_file(newer_in(state));
        Ok(())
    }
}

/// The files that hold it, whether they are there or not.
pub fn files_of_successes(state: &Path) -> [PathBuf; 2] {
    [table_in(state), newer_in(state)]
}

fn table_in(state: &Path) -> PathBuf {
    state.join("successes")
}

fn newer_in(state: &Path) -> PathBuf {
    state.join("successes.newer")
}

fn read_table(path: &Path) -> Option<(Digest, BTreeMap<String, Box<RawValue>>)> {
    let (checksum, json) = read_checked(path)?;
    Some((checksum, serde_json::from_str(&json).ok()?))
}

/// What came after the table with this checksum. None if what is there is of another.
fn read_newer(path: &Path, table: Digest) -> Option<BTreeMap<String, Success>> {
    let (_, text) = read_checked(path)?;
    let (of, json) = text.split_once('\n')?;
    (Digest::from_hex(of)? == table)
        .then(|| serde_json::from_str(json).ok())
        .flatten()
}

/// The checksum of a text and the text. None for one that is not what was written.
fn read_checked(path: &Path) -> Option<(Digest, String)> {
    let mut text = String::from_utf8(read_own(path).ok()?).ok()?;
    let (checksum, rest) = text.split_once('\n')?;
    let checksum = Digest::from_hex(checksum)?;
    let start = text.len() - rest.len();
    if Digest::of(rest.as_bytes()) != checksum {
        return None;
    }
    text.drain(..start);
    Some((checksum, text))
}

fn put(state: &Path, path: &Path, text: &str) -> Result<()> {
    let checked = format!("{}\n{text}", Digest::of(text.as_bytes()).to_hex());
    replace(path, &temporary_in(&state.join("tmp"))?, checked.as_bytes())
}

fn json_of<T: Serialize>(table: &BTreeMap<String, T>) -> Result<String> {
    serde_json::to_string(table).map_err(unwritable)
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unwritable(error: serde_json::Error) -> Error {
    Error::Invalid(format!("the table of successes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(key: &str) -> Success {
        Success {
            key: key.into(),
            store: "file".into(),
            exact: "e".into(),
            facts: EntryFacts {
                run_id: "r".into(),
                finished_ms: 1,
                duration_ms: 2,
                tool: "t".into(),
                files: 3,
                bytes: 4,
                outputs_digest: "o".into(),
                metadata: None,
            },
        }
    }

    fn key_of(successes: &Successes, task: &str) -> Option<String> {
        successes.of(task).map(|success| success.key)
    }

    #[test]
    fn a_few_successes_leave_the_table_as_it_is() {
        let state = tempfile::tempdir().unwrap();
        let mut successes = Successes::read(state.path());
        for number in 0..100 {
            successes.succeeded(&number.to_string(), success("first"));
        }
        successes.write(state.path()).unwrap();
        let table = fs::read(table_in(state.path())).unwrap();
        assert!(!newer_in(state.path()).exists());

        for number in 0..FEW + 100 / PART {
            let mut successes = Successes::read(state.path());
            successes.succeeded(&number.to_string(), success("second"));
            successes.write(state.path()).unwrap();
            assert_eq!(fs::read(table_in(state.path())).unwrap(), table);
            let read = Successes::read(state.path());
            assert_eq!(key_of(&read, &number.to_string()).unwrap(), "second");
            assert_eq!(key_of(&read, "99").unwrap(), "first");
        }
        let mut successes = Successes::read(state.path());
        successes.succeeded("new", success("third"));
        successes.write(state.path()).unwrap();
        assert!(!newer_in(state.path()).exists());
        let read = Successes::read(state.path());
        assert_eq!(key_of(&read, "new").unwrap(), "third");
        assert_eq!(key_of(&read, "3").unwrap(), "second");
    }

    #[test]
    fn what_came_after_another_table_or_is_damaged_counts_for_nothing() {
        let state = tempfile::tempdir().unwrap();
        let mut successes = Successes::read(state.path());
        successes.succeeded("a", success("first"));
        successes.write(state.path()).unwrap();
        successes.succeeded("a", success("second"));
        successes.write(state.path()).unwrap();
        let newer = fs::read(newer_in(state.path())).unwrap();
        assert_eq!(
            key_of(&Successes::read(state.path()), "a").unwrap(),
            "second"
        );
        for at in 0..newer.len() {
            let mut broken = newer.clone();
            broken[at] ^= 1;
            fs::write(newer_in(state.path()), &broken).unwrap();
            assert_eq!(
                key_of(&Successes::read(state.path()), "a").unwrap(),
                "first"
            );
        }
        fs::write(newer_in(state.path()), &newer).unwrap();
        let mut other = Successes::default();
        other.succeeded("a", success("other"));
        put(state.path(), &table_in(state.path()), &{
            let table: BTreeMap<_, _> = other.newer.iter().collect();
            serde_json::to_string(&table).unwrap()
        })
        .unwrap();
        assert_eq!(
            key_of(&Successes::read(state.path()), "a").unwrap(),
            "other"
        );
        fs::remove_file(table_in(state.path())).unwrap();
        assert_eq!(key_of(&Successes::read(state.path()), "a"), None);
    }
}
