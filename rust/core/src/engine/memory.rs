//! What one run leaves for the next: the stat index, the last success of each task, uses of entries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::{Store, Uses, replace, temporary_in};
use crate::tree::{Index, Visited};

pub(super) struct Memory {
    pub visited: BTreeMap<Box<[u8]>, Visited>,
    /// Something was hashed that the index did not know.
    pub is_index_old: bool,
    baselines: BTreeMap<String, String>,
    baselines_changed: bool,
    /// By the root of the store.
    pub uses: BTreeMap<PathBuf, Uses>,
}

impl Memory {
    pub(super) fn read(state: &Path) -> Self {
        let bytes = fs::read(state.join("baselines.json")).unwrap_or_default();
        Self {
            visited: BTreeMap::new(),
            is_index_old: false,
            // A damaged table only makes the next misses less well explained.
            baselines: serde_json::from_slice(&bytes).unwrap_or_default(),
            baselines_changed: false,
            uses: BTreeMap::new(),
        }
    }

    /// The key of the task's last success.
    pub(super) fn baseline(&self, task: &str) -> Option<&str> {
        self.baselines.get(task).map(String::as_str)
    }

    pub(super) fn set_baseline(&mut self, task: &str, key: &str) {
        if self.baseline(task) != Some(key) {
            self.baselines.insert(task.to_owned(), key.to_owned());
            self.baselines_changed = true;
        }
    }

    pub(super) fn write(&mut self, state: &Path, index: &Index) -> Result<()> {
        if self.is_index_old {
            let next = index.next(&self.visited);
            replace(
                &state.join("index"),
                &temporary_in(&state.join("tmp"))?,
                &next,
            )?;
            self.is_index_old = false;
        }
        if self.baselines_changed {
            let json = serde_json::to_vec(&self.baselines)
                .map_err(|error| Error::Invalid(format!("the baselines: {error}")))?;
            replace(
                &state.join("baselines.json"),
                &temporary_in(&state.join("tmp"))?,
                &json,
            )?;
            self.baselines_changed = false;
        }
        for (root, uses) in &mut self.uses {
            uses.write(&Store::at(root))?;
        }
        Ok(())
    }
}
