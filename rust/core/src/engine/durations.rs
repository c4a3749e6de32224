//! How long tasks took when they last ran: what comes first is decided by that.

use std::collections::BTreeMap;
use std::path::Path;

use super::Engine;
use super::memory::{read_checked, write_checked};
use crate::error::Result;

/// By task, in milliseconds. Read when somebody asks; a damaged table is an empty one.
#[derive(Default)]
pub(super) struct Durations {
    known: Option<BTreeMap<String, u64>>,
    is_new: bool,
}

impl Durations {
    fn read(&mut self, state: &Path) -> &mut BTreeMap<String, u64> {
        self.known
            .get_or_insert_with(|| read_checked(&state.join(FILE)).unwrap_or_default())
    }

    /// What is nearly as it was stays as it was: a run that is like the last one writes nothing.
    pub(super) fn took(&mut self, state: &Path, task: &str, milliseconds: u64) {
        let known = self.read(state);
        let is_like_before = known
            .get(task)
            .is_some_and(|before| milliseconds.abs_diff(*before) <= before / 4 + 10);
        if !is_like_before {
            known.insert(task.to_owned(), milliseconds);
            self.is_new = true;
        }
    }

    pub(super) fn write(&mut self, state: &Path) -> Result<()> {
        if let Some(known) = self.known.as_ref().filter(|_| self.is_new) {
            write_checked(state, FILE, known)?;
            self.is_new = false;
        }
        Ok(())
    }
}

const FILE: &str = "durations";

impl Engine {
    /// How long each task took when it last ran, in milliseconds.
    pub fn durations(&self) -> BTreeMap<String, u64> {
        let mut inner = self.lock();
        inner.memory.durations.read(&self.request.state).clone()
    }
}
