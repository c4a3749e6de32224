//! Deciding everything that can be decided before anything runs, from one walk.

use std::collections::{BTreeMap, HashSet};

use super::Engine;
use super::decision::{Decisions, Extras};
use crate::error::{Error, Result};
use crate::ir::{StructuredInput, Task};

impl Engine {
    /// Decides each task whose dependencies need nothing done. Changes no file of the project.
    ///
    /// A task that cannot be decided yet, whatever the reason, is left out with all that depend on it:
    /// the caller comes to it in its turn, and is told the reason then.
    pub fn assess(&self, extras: &BTreeMap<String, Extras>) -> Result<Decisions> {
        let tasks: Vec<&str> = self.request.tasks.iter().map(String::as_str).collect();
        let mut decisions = Decisions::new();
        let (look, sets) = match self.look(&tasks) {
            Ok(looked) => looked,
            Err(Error::Io { .. }) => return Ok(decisions),
            Err(error) => return Err(error),
        };
        let inputs: Vec<_> = sets.iter().map(|sets| sets.inputs).collect();
        self.digest(&look, &inputs);
        let mut finished: HashSet<&str> = HashSet::new();
        let none = Extras::new();
        for (id, sets) in tasks.into_iter().zip(sets) {
            let task = self.pipeline.task(id)?;
            let given = extras.get(id);
            let is_ready = needs(task).all(|need| finished.contains(need));
            if !is_ready || (given.is_none() && needs_extras(task)) {
                continue;
            }
            match self.decide_from(id, &look, sets, given.unwrap_or(&none)) {
                Ok(decision) => {
                    if self.lock().made.contains_key(id) {
                        finished.insert(id);
                    }
                    decisions.insert(id.to_owned(), decision);
                }
                Err(Error::Io { .. } | Error::Environment(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(decisions)
    }
}

/// The tasks that have to be finished before this one can be decided.
fn needs(task: &Task) -> impl Iterator<Item = &str> {
    let whole_outputs = task
        .structured_inputs
        .iter()
        .filter_map(|input| match input {
            StructuredInput::OutputsOf { outputs_of } => Some(outputs_of.as_str()),
            _ => None,
        });
    task.depends_on
        .iter()
        .map(String::as_str)
        .chain(whole_outputs)
}

fn needs_extras(task: &Task) -> bool {
    task.structured_inputs.iter().any(|input| {
        matches!(
            input,
            StructuredInput::FileValue { .. } | StructuredInput::Command { .. }
        )
    })
}
