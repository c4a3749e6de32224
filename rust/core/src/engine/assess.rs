//! Deciding everything that can be decided before anything runs, from one walk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::decide::{Inputs, Seen};
use super::decision::{Decisions, Extras};
use super::look::{Look, TaskSets};
use super::{Engine, Hit, is_large};
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::ir::{StructuredInput, Task};

/// A project of fewer folders than this is not worth several threads.
const FEW_FOLDERS: usize = 64;

impl Engine {
    /// Decides each task whose dependencies are hits. Changes no file of the project.
    ///
    /// Outputs that have to be restored first are taken for restored, as far as no input of the task can
    /// be among them. A task that cannot be decided yet, whatever the reason, is left out with all that depend on it:
    /// the caller comes to it in its turn, and is told the reason then.
    pub fn assess(&self, extras: &BTreeMap<String, Extras>) -> Result<Decisions> {
        let tasks: Vec<&str> = self.request.tasks.iter().map(String::as_str).collect();
        let left = self.take_as_left()?;
        let (look, sets) = match self.survey(&tasks) {
            Ok(looked) => looked,
            Err(Error::Io { .. }) => return Ok(Decisions::new()),
            Err(error) => return Err(error),
        };
        let look = Arc::new(look);
        let mut inner = self.lock();
        inner.memory.looked = Some(Arc::clone(&look));
        // Where tasks are to run, what they leave goes into the index too: that is worth one writing.
        let is_known = |id: &&str| inner.memory.successes.has(id);
        if is_large(&look) && look.has_read_ahead() && tasks.iter().all(is_known) {
            let state = &self.request.state;
            inner.memory.keep_walk(state, self.index(), &look);
        }
        drop(inner);
        self.remember_first(&look, tasks.iter().copied().zip(sets.iter().copied()));
        let sets: Vec<_> = tasks.into_iter().zip(sets).collect();
        self.assess_from(&look, &sets, left.into_iter().collect(), extras)
    }

    /// Decides these tasks of a look, each after those it depends on. `finished`: what is settled already.
    pub(super) fn assess_from<'a>(
        &'a self,
        look: &Look,
        tasks: &[(&'a str, TaskSets)],
        mut finished: HashSet<&'a str>,
        extras: &BTreeMap<String, Extras>,
    ) -> Result<Decisions> {
        let mut decisions = Decisions::new();
        let inputs = self.inputs_of(look, tasks.iter().map(|(_, sets)| sets.inputs));
        // Sets of inputs that a restore may change.
        let mut unsettled: HashSet<SetId> = HashSet::new();
        let none = Extras::new();
        for (id, sets) in tasks.iter().copied() {
            let task = self.pipeline.task(id)?;
            let given = extras.get(id);
            let is_ready = needs(task).all(|need| finished.contains(need))
                && !unsettled.contains(&sets.inputs);
            if !is_ready || (given.is_none() && needs_extras(task)) {
                continue;
            }
            // Not all of its inputs can be read: who decides it alone is told why.
            let Some(inputs) = inputs.get(&sets.inputs) else {
                continue;
            };
            match self.decide_from(
                id,
                &Seen::first(look, sets),
                *inputs,
                given.unwrap_or(&none),
            ) {
                Ok(decision) => {
                    if self.lock().made.contains_key(id) {
                        finished.insert(id);
                    }
                    if decision.intact == Some(false) {
                        unsettled.extend(self.touched_by_restore(id, look, sets.outputs)?);
                    }
                    decisions.insert(id.to_owned(), decision);
                }
                Err(Error::Io { .. } | Error::Environment(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(decisions)
    }

    /// The sets that select something which restoring the task's outputs writes or removes.
    fn touched_by_restore(
        &self,
        id: &str,
        look: &Look,
        outputs: Option<SetId>,
    ) -> Result<HashSet<SetId>> {
        let mut touched = HashSet::new();
        if let Some(Hit::Stored(_, wanted)) = &self.decided(id)?.hit {
            for entry in &wanted.entries {
                touched.extend(look.selecting(&entry.path).iter());
            }
        }
        for place in outputs.into_iter().flat_map(|set| look.members(set)) {
            touched.extend(look.at(*place).1.sets.iter());
        }
        Ok(touched)
    }

    /// Every distinct set of inputs summed up, side by side.
    fn inputs_of(&self, look: &Look, sets: impl Iterator<Item = SetId>) -> HashMap<SetId, Inputs> {
        let mut distinct: Vec<SetId> = sets.collect();
        distinct.sort_unstable();
        distinct.dedup();
        let unknown: Vec<SetId> = distinct
            .iter()
            .copied()
            .filter(|set| !look.has_inputs_sum(*set))
            .collect();
        self.digest(look, &unknown);
        let one = |set: SetId| {
            let (digest, count) = look.inputs_sum(&self.root, set).ok()?;
            Some((set, Inputs { digest, count }))
        };
        if look.walk().folders.len() < FEW_FOLDERS {
            distinct.into_iter().filter_map(one).collect()
        } else {
            distinct.into_par_iter().filter_map(one).collect()
        }
    }
}

/// The tasks that have to be finished before this one can be decided.
pub(super) fn needs(task: &Task) -> impl Iterator<Item = &str> {
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

/// Whether the key holds what only the caller can find: values of files and commands, and what Python
/// steps and agents are.
pub(super) fn needs_extras(task: &Task) -> bool {
    let inputs = task.structured_inputs.iter().any(|input| {
        matches!(
            input,
            StructuredInput::FileValue { .. } | StructuredInput::Command { .. }
        )
    });
    let steps = task.steps.iter().any(|step| {
        let kind = step.get("kind").and_then(Value::as_str);
        matches!(kind, Some("dynamic" | "call" | "agent"))
    });
    inputs || steps
}
