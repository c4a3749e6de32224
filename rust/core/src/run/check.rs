//! What is looked at before anything runs: the values that tasks need, and the secrets among them.

use std::collections::BTreeMap;

use super::redaction::{Redaction, too_short};
use super::step::steps_of;
use crate::engine::{Decision, Engine};
use crate::ir::{Pipeline, Task};
use crate::key::environment::Variables;

pub(crate) struct Checked {
    pub(super) redaction: Redaction,
    /// Names of secrets that are too short to be masked.
    pub(super) short_secrets: Vec<String>,
}

impl Checked {
    /// Whether there is anything to hide.
    pub(crate) fn has_secrets(&self) -> bool {
        self.redaction.secrets().is_some() || !self.short_secrets.is_empty()
    }

    /// Words of the command line as a record may show them.
    pub(crate) fn redacted(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.redaction.text(word)).collect()
    }
}

/// None if anything is missing, or if a task takes more than processes: the long way knows what to say,
/// and how to run it.
pub(crate) fn check(
    pipeline: &Pipeline,
    tasks: &[String],
    engine: &Engine,
    decisions: &BTreeMap<String, Decision>,
    host: &Variables,
) -> Option<Checked> {
    let mut secrets: Vec<(String, String)> = Vec::new();
    for id in tasks {
        let task = pipeline.tasks.get(id)?;
        if !is_plain(task) {
            return None;
        }
        let is_hit = decisions
            .get(id)
            .is_some_and(|decision| decision.verdict.kind == "hit");
        let will_run = !is_hit && !task.steps.is_empty();
        for name in &task.requires.secrets {
            let value = host.get(name).cloned().unwrap_or_default();
            if will_run && value.is_empty() {
                return None;
            }
            secrets.push((name.clone(), value));
        }
        let steps = steps_of(task)?;
        let with_env = steps.iter().enumerate().filter(|(_, step)| step.has_env);
        let of_steps = with_env.map(|(number, _)| Some(number));
        for step in std::iter::once(None).chain(of_steps) {
            match engine.environment(id, step) {
                Ok(values) => {
                    let found = values.into_iter().filter(|(_, value)| value.is_secret);
                    secrets.extend(found.map(|(name, value)| (name, value.value)));
                }
                Err(_) if will_run => return None,
                Err(_) => {}
            }
        }
    }
    Some(Checked {
        redaction: Redaction::of(&secrets)?,
        short_secrets: too_short(&secrets).into_iter().map(str::to_owned).collect(),
    })
}

/// A task that needs no terminal and does not stay, only processes that end.
fn is_plain(task: &Task) -> bool {
    !task.interactive && task.service.is_none()
}
