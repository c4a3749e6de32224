//! Tasks that are left as they are: those that a plan depends on, and that are no part of it.
//!
//! What they made is what is there. So a key is the same as if they had run and made just that, and a
//! result that was made from something else is never taken for it.

use std::collections::HashSet;

use super::assess::{needs, needs_extras};
use super::decision::Extras;
use super::finish::{missing, unsuitable};
use super::{Engine, Made};
use crate::error::{Error, Result};

impl Engine {
    /// Finds out what each of them left, and gives their ids.
    pub(super) fn take_as_left(&self) -> Result<Vec<&str>> {
        let left = self.left()?;
        for id in &left {
            let made = match self.made_as_left(id) {
                Ok(made) => made,
                // Whoever depends on it runs, and its result is not kept.
                Err(Error::Io { .. } | Error::Corrupt { .. } | Error::Environment(_)) => {
                    Made::Unsure
                }
                Err(error) => return Err(error),
            };
            self.lock().made.insert((*id).to_owned(), made);
        }
        Ok(left)
    }

    /// The tasks outside of the plan that its keys depend on, each after those it depends on itself.
    fn left(&self) -> Result<Vec<&str>> {
        if !self.request.only {
            return Ok(Vec::new());
        }
        let mut seen: HashSet<&str> = self.request.tasks.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        // A task comes twice from the stack: first for what it depends on, then for itself.
        let mut waiting: Vec<(&str, bool)> = Vec::new();
        for id in &self.request.tasks {
            waiting.extend(needs(self.pipeline.task(id)?).map(|need| (need, false)));
        }
        while let Some((id, is_open)) = waiting.pop() {
            if is_open {
                found.push(id);
                continue;
            }
            if !seen.insert(id) {
                continue;
            }
            waiting.push((id, true));
            let task = self.pipeline.task(id)?;
            if task.outputs.is_empty() {
                // Without outputs its key stands for it, and that depends on what came before it.
                waiting.extend(needs(task).map(|need| (need, false)));
            }
        }
        Ok(found)
    }

    fn made_as_left(&self, id: &str) -> Result<Made> {
        let task = self.pipeline.task(id)?;
        let Some((look, set, alone)) = self.look_at_outputs(task)? else {
            if needs_extras(task) || self.follows_unsure(task) {
                return Ok(Made::Unsure);
            }
            return Ok(Made::Digest(self.key_of(id, &Extras::new())?));
        };
        if !missing(task, &look, set, &alone).is_empty() || !unsuitable(&look, set).is_empty() {
            return Ok(Made::Unsure);
        }
        let (outputs, trouble) = self.snapshot(&look, set, None)?;
        Ok(match trouble {
            None => Made::Digest(outputs.digest()),
            Some(_) => Made::Unsure,
        })
    }
}
