//! A step of a task as it is run: a command for a shell, or a program with its arguments.

use serde_json::Value;

use super::words::join_words;
use crate::ir::Task;

pub(super) struct Step<'a> {
    /// The command as a person would type it.
    pub(super) text: String,
    kind: Kind<'a>,
    pub(super) cwd: &'a str,
    pub(super) has_env: bool,
    pub(super) timeout_ms: Option<u64>,
}

enum Kind<'a> {
    Shell {
        command: &'a str,
        /// Empty: the task's.
        shell: Vec<String>,
    },
    Argv(Vec<String>),
}

const SHELL: [&str; 3] = ["sh", "-e", "-c"];

/// The steps of a task. None if one of them is of a kind that needs more than a process.
pub(super) fn steps_of(task: &Task) -> Option<Vec<Step<'_>>> {
    task.steps
        .iter()
        .map(|step| {
            let text = |key: &str| step.get(key).and_then(Value::as_str);
            let words = |key: &str| match step.get(key) {
                None => Some(Vec::new()),
                Some(value) => serde_json::from_value::<Vec<String>>(value.clone()).ok(),
            };
            let kind = match text("kind")? {
                "shell" => Kind::Shell {
                    command: text("command")?,
                    shell: words("shell")?,
                },
                "argv" => Kind::Argv(words("argv")?),
                _ => return None,
            };
            Some(Step {
                text: match &kind {
                    Kind::Shell { command, .. } => (*command).to_owned(),
                    Kind::Argv(words) => join_words(words),
                },
                kind,
                cwd: text("cwd").unwrap_or(&task.cwd),
                has_env: step
                    .get("env")
                    .and_then(Value::as_object)
                    .is_some_and(|env| !env.is_empty()),
                timeout_ms: step.get("timeout-ms").and_then(Value::as_u64),
            })
        })
        .collect()
}

impl Step<'_> {
    /// The command, if the shell that it is for is the one that everybody has.
    pub(super) fn for_the_usual_shell(&self, task: &Task) -> Option<&str> {
        match &self.kind {
            Kind::Shell { command, shell } if shell.is_empty() => {
                let own = task.shell.as_deref().unwrap_or_default();
                (own.is_empty() || own == SHELL).then_some(command)
            }
            _ => None,
        }
    }

    pub(super) fn argv(&self, task: &Task) -> Vec<String> {
        match &self.kind {
            Kind::Argv(words) => words.clone(),
            Kind::Shell { command, shell } => {
                let mut words = if shell.is_empty() {
                    let own = task.shell.clone();
                    own.unwrap_or_else(|| SHELL.map(str::to_owned).into())
                } else {
                    shell.clone()
                };
                words.push((*command).to_owned());
                words
            }
        }
    }
}
