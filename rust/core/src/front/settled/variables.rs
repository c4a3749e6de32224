//! The variables of the host that the keys of a plan depend on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::digest::{Digest, Fields};
use crate::front::plan::Plan;
use crate::ir::{EnvValue, Pipeline, StructuredInput, Task};
use crate::key::environment::{Variables, selected};

pub(super) fn values_of(variables: &[String], environment: &Variables) -> Digest {
    let mut fields = Fields::new("pipec values of variables");
    for (name, value) in selected(variables, environment) {
        fields.text(name).optional(value);
    }
    fields.finish()
}

/// Every variable of the host that the key of a task of the plan may depend on.
pub(super) fn variables_of(pipeline: &Pipeline, plan: &Plan) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for layer in plan.layers() {
        add_sources(layer, &mut names);
    }
    for id in &plan.tasks {
        let task: &Task = pipeline.tasks.get(id)?;
        add_sources(&task.env, &mut names);
        names.extend(task.env_inputs.iter().cloned());
        for input in &task.structured_inputs {
            if let StructuredInput::Env { env } = input {
                names.insert(env.clone());
            }
        }
        for step in &task.steps {
            if let Some(Value::Object(_)) = step.get("env") {
                let declared = serde_json::from_value(step.get("env")?.clone()).ok()?;
                add_sources(&declared, &mut names);
            }
        }
    }
    Some(names)
}

/// A value comes from the variable that it names, or from one of its own name.
fn add_sources(declared: &BTreeMap<String, EnvValue>, names: &mut BTreeSet<String>) {
    for (name, value) in declared {
        let source = match value {
            EnvValue::Text(_) | EnvValue::Literal { .. } => continue,
            EnvValue::Secret { secret, .. } => secret,
            EnvValue::Variable { var, .. } => var,
        };
        names.insert(source.clone());
        names.insert(name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_counts_under_each_name_it_may_be_found() {
        let declared = serde_json::from_str(
            r#"{"A": "text", "B": {"var": "C"}, "D": {"secret": "E", "in-key": true}}"#,
        );
        let mut names = BTreeSet::new();
        add_sources(&declared.unwrap(), &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["B", "C", "D", "E"]);
    }
}
