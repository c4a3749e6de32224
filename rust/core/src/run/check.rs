//! What is looked at before anything runs: the values that tasks need, and the secrets among them.

use std::collections::BTreeMap;

use super::redaction::{Redaction, too_short};
use super::step::steps_of;
use crate::engine::{Decision, Engine};
use crate::ir::{Pipeline, Task};
use crate::key::environment::{Variables, on_host};

pub(crate) struct Checked {
    /// Knows every secret that the pipeline declares: what a task prints of the host's environment may
    /// be the secret of another one.
    pub(super) redaction: Redaction,
    /// Whether the tasks themselves have secrets.
    has_secrets: bool,
    /// Names of secrets that are too short to be masked.
    pub(super) short_secrets: Vec<String>,
}

impl Checked {
    /// Whether the tasks have secrets of their own.
    pub(crate) fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// Words of the command line as a record may show them.
    pub(crate) fn redacted(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.redaction.text(word)).collect()
    }

    /// A text as a record may show it.
    pub(crate) fn redacted_text(&self, text: &str) -> String {
        self.redaction.text(text)
    }

    /// Values of parameters as a record may show them.
    pub(crate) fn redacted_values(
        &self,
        params: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let values = params.iter();
        values
            .map(|(name, value)| (name.clone(), self.redaction.text(value)))
            .collect()
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
    let short_secrets = too_short(&secrets).into_iter().map(str::to_owned).collect();
    let has_secrets = secrets.iter().any(|(_, value)| !value.is_empty());
    secrets.extend(declared(pipeline, host));
    Some(Checked {
        redaction: Redaction::of(&secrets)?,
        has_secrets,
        short_secrets,
    })
}

/// What the host has of the secrets that the pipeline declares.
fn declared(pipeline: &Pipeline, host: &Variables) -> Vec<(String, String)> {
    let mut secrets = Vec::new();
    for secret in pipeline.declared_secrets() {
        if let Some(value) = on_host(&secret.source, &secret.destination, host) {
            secrets.push((secret.source, value.to_owned()));
        }
    }
    secrets
}

/// A task that needs no terminal and does not stay, only processes that end.
fn is_plain(task: &Task) -> bool {
    !task.interactive && task.service.is_none()
}
