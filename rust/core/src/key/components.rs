//! The key of a task, component by component, so that a miss can name the one that changed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::environment::{Resolved, Variables, selected};
use crate::digest::{Digest, Fields};
use crate::ir::Task;

const KEY: &str = "pipec task key v1";
const COMPONENT: &str = "pipec key component v1";

/// Step fields that do not change what a step does.
const NOT_IN_KEY: [&str; 3] = ["name", "timeout-ms", "env"];

/// Named digests in a fixed order; the key is the digest of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Components(pub Vec<(&'static str, Digest)>);

impl Components {
    pub fn push(&mut self, name: &'static str, digest: Digest) {
        self.0.push((name, digest));
    }

    pub fn key(&self) -> Digest {
        let mut fields = Fields::new(KEY);
        for (name, digest) in &self.0 {
            fields.text(name).digest(*digest);
        }
        fields.finish()
    }

    pub fn get(&self, name: &str) -> Option<Digest> {
        self.0
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, digest)| *digest)
    }
}

/// What a task's key takes from its definition and the environment: everything but files and
/// dependencies.
pub struct StaticParts<'a> {
    pub task: &'a Task,
    /// The declared values that the task and each of its steps see.
    pub env: &'a BTreeMap<String, Resolved>,
    pub step_env: &'a [BTreeMap<String, Resolved>],
    /// The host's environment, with the run's parameters.
    pub host: &'a Variables,
    pub platform: &'a str,
}

pub fn static_parts(parts: &StaticParts<'_>) -> Components {
    let task = parts.task;
    let mut components = Components::default();
    components.push("steps", steps(&task.steps));
    components.push("shell", shell(task));
    components.push("cwd", Fields::new(COMPONENT).text(&task.cwd).finish());
    components.push("outputs", outputs(task));
    components.push("env", environment(parts));
    components.push("env-inputs", env_inputs(task, parts.host));
    components.push("matrix", matrix(task));
    let platform = if task.platform_independent {
        "any"
    } else {
        parts.platform
    };
    components.push("platform", Fields::new(COMPONENT).text(platform).finish());
    let salt = task.cache.as_ref().map_or("", |cache| &cache.salt);
    components.push("salt", Fields::new(COMPONENT).text(salt).finish());
    components
}

fn steps(steps: &[BTreeMap<String, Value>]) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    for step in steps {
        let counted = step.iter().filter(|(name, _)| counts(step, name));
        let counted: BTreeMap<_, _> = counted.collect();
        // Maps of serde_json are sorted, numbers of the IR are integers: the text is canonical.
        fields.text(&serde_json::to_string(&counted).unwrap_or_default());
    }
    fields.finish()
}

/// Whether a field of a step counts as it is written. What a `dynamic` step returned and what an agent
/// is asked are values that the caller finds: how they are written does not count.
fn counts(step: &BTreeMap<String, Value>, field: &str) -> bool {
    match step.get("kind").and_then(Value::as_str) {
        Some("dynamic") => field == "kind",
        Some("agent") => matches!(field, "kind" | "stdout-to"),
        _ => !NOT_IN_KEY.contains(&field),
    }
}

/// The task's shell counts only if a step uses it.
fn shell(task: &Task) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    let is_used = task.steps.iter().any(|step| {
        step.get("kind").and_then(Value::as_str) == Some("shell") && !step.contains_key("shell")
    });
    if is_used {
        for word in task.shell.iter().flatten() {
            fields.text(word);
        }
    }
    fields.finish()
}

fn outputs(task: &Task) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    for output in &task.outputs {
        fields
            .text(&output.glob)
            .number(u64::from(output.exclude))
            .number(u64::from(output.optional));
    }
    fields.finish()
}

fn environment(parts: &StaticParts<'_>) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    for values in std::iter::once(parts.env).chain(parts.step_env) {
        fields.number(values.len() as u64);
        for (name, resolved) in values {
            fields
                .text(name)
                .optional(resolved.in_key.then_some(&resolved.value));
        }
    }
    fields.finish()
}

fn env_inputs(task: &Task, host: &Variables) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    for (name, value) in selected(&task.env_inputs, host) {
        fields.text(name).optional(value);
    }
    fields.finish()
}

fn matrix(task: &Task) -> Digest {
    let mut fields = Fields::new(COMPONENT);
    for (name, value) in &task.matrix {
        fields.text(name).text(value);
    }
    fields.finish()
}

/// The component for values that are neither files nor variables of the task: label and value of each.
pub fn values(labelled: &mut [(String, Option<String>)]) -> Digest {
    labelled.sort_unstable();
    let mut fields = Fields::new(COMPONENT);
    for (label, value) in labelled.iter() {
        fields.text(label).optional(value.as_deref());
    }
    fields.finish()
}

/// Each of these values by itself: its label and a digest, so that the one that changed can be named.
pub fn digests_of_values(labelled: &[(String, Option<String>)]) -> Vec<(String, String)> {
    let digest = |value: &Option<String>| {
        let mut fields = Fields::new(COMPONENT);
        fields.optional(value.as_deref()).finish().to_hex()
    };
    labelled
        .iter()
        .map(|(label, value)| (label.clone(), digest(value)))
        .collect()
}

/// The component for what the task's dependencies made: their order and names do not count.
pub fn dependencies(made: &mut [Digest]) -> Digest {
    made.sort_unstable();
    let mut fields = Fields::new(COMPONENT);
    for digest in made.iter() {
        fields.digest(*digest);
    }
    fields.finish()
}
