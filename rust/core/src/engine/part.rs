//! Some tasks of a plan decided anew, while of the others it is known that they are in place.
//!
//! The survey of the whole plan tells which sets a change has touched. A task that has no such set, and that
//! depends on no task that has, is what it was found to be; nothing of it has to be looked at, matched or
//! added up. Whatever takes more than that is for a look at everything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::again::First;
use super::decision::Decisions;
use super::look::{Look, TaskSets};
use super::sets::Sets;
use super::survey::Checked;
use super::{Engine, Made};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;
use crate::tree::{Resumed, resume_part, touched_sets};

/// What a look at everything had of a task, for later runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenTask {
    /// Its sets, as surveys of the plan number them.
    pub inputs: SetId,
    pub outputs: Option<SetId>,
    /// What the tasks after it see of it.
    pub made: Digest,
}

impl Checked {
    /// The sets of which a file is not as the survey has it. None if folders have to be listed.
    pub fn touched(&self) -> Option<HashSet<SetId>> {
        touched_sets(&self.survey, &self.changes)
    }
}

impl Engine {
    /// What is known of a task once it was decided in a look at everything. None if not all of it is.
    pub fn seen_task(&self, id: &str) -> Option<SeenTask> {
        let inner = self.lock();
        let sets = inner.memory.first.as_ref()?.sets_of(id)?;
        match inner.made.get(id)? {
            Made::Digest(made) => Some(SeenTask {
                inputs: sets.inputs,
                outputs: sets.outputs,
                made: *made,
            }),
            Made::Unsure => None,
        }
    }

    /// Decides the tasks of this engine as `assess` does, going on from a survey of a plan with more tasks.
    ///
    /// `seen` is what was seen of them, in order; `others` are the tasks of the plan that are in place, with what they
    /// made. None if it takes a look at everything.
    pub fn assess_part(
        &self,
        checked: &Checked,
        seen: &[SeenTask],
        others: &[(&str, Digest)],
    ) -> Result<Option<Decisions>> {
        let tasks: Vec<&str> = self.request.tasks.iter().map(String::as_str).collect();
        let mut sets = Sets::new(&self.pipeline);
        let mut of_tasks = Vec::with_capacity(tasks.len());
        for id in &tasks {
            of_tasks.push((*id, sets.of_task(self.pipeline.task(id)?)?));
        }
        let Some(numbers) = numbers_of(&of_tasks, seen) else {
            return Ok(None);
        };
        let stamp = OnceLock::from(self.stamp());
        let built = sets.build();
        let (survey, changes) = (&checked.survey, &checked.changes);
        let resumed = resume_part(survey, changes, &built.automaton, &numbers);
        let Some(Resumed { walk, touched }) = resumed else {
            return Ok(None);
        };
        let known = survey.sums().filter_map(|(set, of, digest, count)| {
            let set = *numbers.get(&set)?;
            (!touched.contains(&set)).then_some(((set, of), (digest, count)))
        });
        let look = Arc::new(Look::of(built, walk, stamp, known.collect()));
        let mut inner = self.lock();
        inner.memory.first = Some(Arc::new(First::of(&look, of_tasks.iter().copied())));
        for (id, made) in others {
            inner.made.insert((*id).to_owned(), Made::Digest(*made));
        }
        drop(inner);
        let finished = others.iter().map(|(id, _)| *id).collect();
        self.assess_from(&look, &of_tasks, finished, &BTreeMap::new())
            .map(Some)
    }
}

/// The number of each set by its number in the survey. None if they do not go together one by one.
fn numbers_of(tasks: &[(&str, TaskSets)], seen: &[SeenTask]) -> Option<HashMap<SetId, SetId>> {
    let mut numbers = HashMap::new();
    let mut surveyed = HashMap::new();
    let mut is_pair = |in_survey: SetId, here: SetId| {
        *numbers.entry(in_survey).or_insert(here) == here
            && *surveyed.entry(here).or_insert(in_survey) == in_survey
    };
    let are_pairs = tasks.len() == seen.len()
        && tasks.iter().zip(seen).all(|((_, sets), seen)| {
            let outputs = match (seen.outputs, sets.outputs) {
                (None, None) => true,
                (Some(in_survey), Some(here)) => is_pair(in_survey, here),
                _ => false,
            };
            outputs && is_pair(seen.inputs, sets.inputs)
        });
    are_pairs.then_some(numbers)
}
