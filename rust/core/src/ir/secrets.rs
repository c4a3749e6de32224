//! The secrets that a pipeline declares, wherever it does: what any of its tasks could let out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{EnvValue, Pipeline, Task};

/// A variable of the host that holds a secret, and the variable in which a task sees it: where the host
/// lacks the one, it may have the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredSecret {
    pub source: String,
    pub destination: String,
}

impl Pipeline {
    /// Every secret that anything in it declares: of the tasks, also of those of which nothing else was
    /// made. A task sees the host's environment, those of other tasks included.
    pub fn declared_secrets(&self) -> impl Iterator<Item = DeclaredSecret> {
        let layers = std::iter::once(&self.env).chain(self.jobs.values().map(|job| &job.env));
        let of_layers = layers.flat_map(of_variables);
        let of_tasks = self.tasks.values().flat_map(of_task);
        of_layers
            .chain(of_tasks)
            .chain(self.secrets_elsewhere.iter().cloned())
    }
}

/// Whether a task declares secrets, for all that its JSON says at first sight.
pub(super) fn may_declare(task: &str) -> bool {
    task.contains("\"secret")
}

pub(super) fn of_task(task: &Task) -> impl Iterator<Item = DeclaredSecret> {
    let required = task.requires.secrets.iter().map(|name| DeclaredSecret {
        source: name.clone(),
        destination: name.clone(),
    });
    let of_steps = task.steps.iter().filter_map(|step| step.get("env"));
    of_variables(&task.env)
        .chain(required)
        .chain(of_steps.flat_map(of_step))
}

fn of_step(env: &Value) -> Vec<DeclaredSecret> {
    // What is no environment is refused where the step runs.
    let declared: BTreeMap<String, EnvValue> =
        serde_json::from_value(env.clone()).unwrap_or_default();
    of_variables(&declared).collect()
}

fn of_variables(declared: &BTreeMap<String, EnvValue>) -> impl Iterator<Item = DeclaredSecret> {
    declared.iter().filter_map(|(name, value)| match value {
        EnvValue::Secret { secret, .. } => Some(DeclaredSecret {
            source: secret.clone(),
            destination: name.clone(),
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = r#"{
        "ir-version": 1,
        "env": {"A": {"secret": "PIPELINE"}},
        "jobs": {"j": {"targets": ["one"], "env": {"B": {"secret": "JOB"}}}},
        "tasks": {
            "one": {"env": {"C": {"secret": "TASK"}, "D": "text"}},
            "two": {"requires": {"secrets": ["REQUIRED"]}},
            "three": {"steps": [{"kind": "shell", "env": {"E": {"secret": "STEP"}}}]}
        }
    }"#;

    fn sources(pipeline: &Pipeline) -> Vec<String> {
        let mut sources: Vec<_> = pipeline.declared_secrets().map(|one| one.source).collect();
        sources.sort_unstable();
        sources
    }

    #[test]
    fn every_place_that_can_declare_a_secret_is_looked_at() {
        let whole = Pipeline::parse(PIPELINE.as_bytes()).unwrap();
        let expected = ["JOB", "PIPELINE", "REQUIRED", "STEP", "TASK"];
        assert_eq!(sources(&whole), expected);
    }

    #[test]
    fn a_part_of_a_pipeline_declares_the_secrets_of_the_whole() {
        let whole = Pipeline::parse(PIPELINE.as_bytes()).unwrap();
        for wanted in ["one", "two", "three", "none"] {
            let part = Pipeline::parse_part(PIPELINE.as_bytes(), |id| id == wanted).unwrap();
            assert_eq!(sources(&part), sources(&whole));
        }
    }
}
