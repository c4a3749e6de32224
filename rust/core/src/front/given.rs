//! What a run is given for the rules of a policy on command lines: approvals, and an environment. Here they
//! are only recorded, since a pipeline with such rules is for the long way.

use crate::key::environment::Variables;

/// The environment that the run is in.
pub(super) fn environment(host: &Variables) -> Option<String> {
    let name = host.get("PIPEC_ENVIRONMENT")?;
    Some(name.clone()).filter(|name| !name.is_empty())
}

/// Whether the run is given any of this.
pub(super) fn is_any(host: &Variables) -> bool {
    environment(host).is_some() || !approvals(host).is_empty()
}

/// The names of those who approve, each once.
pub(super) fn approvals(host: &Variables) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    let all = host.get("PIPEC_APPROVE").map_or("", String::as_str);
    for name in all.split(',').map(str::trim) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(str::to_owned).collect()
}
