//! The environment of a task: what of the host's it sees, and what pipec tells it.

use super::Context;
use crate::ir::{EnvMode, Task};
use crate::key::environment::Variables;

const CREDENTIALS: [&str; 2] = ["ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN"];
const CREDENTIAL_PREFIX: &str = "ACTIONS_ID_TOKEN_REQUEST_";
const OF_A_RUN: [&str; 2] = ["PIPEC_MATRIX_", "PIPEC_PARAM_"];
const BASICS: [&str; 17] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "COMSPEC",
    "PATHEXT",
    "USERPROFILE",
];

/// What the task sees of the host's environment.
///
/// Runner credentials pass only by name: in `env-inputs` or in the required secrets.
pub(crate) fn host_part(task: &Task, host: &Variables) -> Variables {
    let is_named = |name: &String| {
        task.requires.secrets.contains(name)
            || task
                .env_inputs
                .iter()
                .any(|input| !input.contains('*') && input == name)
    };
    let has_prefix = |name: &str| {
        task.env_inputs
            .iter()
            .any(|input| input.ends_with('*') && name.starts_with(input.trim_end_matches('*')))
    };
    let passes = |name: &String| {
        if CREDENTIALS.contains(&name.as_str()) || name.starts_with(CREDENTIAL_PREFIX) {
            return is_named(name);
        }
        match task.env_mode {
            EnvMode::Strict => {
                BASICS.contains(&name.as_str()) || is_named(name) || has_prefix(name)
            }
            EnvMode::Loose => !OF_A_RUN.iter().any(|prefix| name.starts_with(prefix)),
        }
    };
    let seen = host.iter().filter(|(name, _)| passes(name));
    seen.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Adds what pipec tells a task about itself.
pub(super) fn tell(env: &mut Variables, id: &str, task: &Task, run: &Context<'_>, attempt: u32) {
    let mut set = |name: &str, value: &str| env.insert(name.to_owned(), value.to_owned());
    set("PIPEC_ROOT", run.root);
    set("PIPEC_TASK", id);
    set("PIPEC_RUN_ID", run.run_id);
    set("PIPEC_ATTEMPT", &attempt.to_string());
    for (name, value) in &task.matrix {
        set(&format!("PIPEC_MATRIX_{}", variable(name)), value);
    }
    for (name, value) in run.params {
        set(&format!("PIPEC_PARAM_{}", variable(name)), value);
    }
}

fn variable(name: &str) -> String {
    let plain = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' });
    plain.collect::<String>().to_uppercase()
}
