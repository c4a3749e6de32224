//! The values of parameters of jobs, as far as they are right: whatever is not is for the long way to tell.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ir::Job;

/// The value of every parameter of these jobs. None if one is missing, wrong, unknown or of two jobs.
pub(super) fn bind_params(
    jobs: &[(&str, &Job)],
    given: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (name, param) in jobs.iter().flat_map(|(_, job)| &job.params) {
        let default = || param.get("default").and_then(Value::as_str);
        let value = given.get(name).map(String::as_str).or_else(default)?;
        if !fits(param, value) || values.insert(name.clone(), value.to_owned()).is_some() {
            return None;
        }
    }
    given
        .keys()
        .all(|name| values.contains_key(name))
        .then_some(values)
}

fn fits(param: &Value, value: &str) -> bool {
    match param.get("type").and_then(Value::as_str) {
        None | Some("string") => true,
        Some("int") => {
            let digits = value.strip_prefix('-').unwrap_or(value);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Some("bool") => value == "true" || value == "false",
        Some("choice") => {
            let choices = param.get("choices").and_then(Value::as_array);
            choices.is_some_and(|choices| choices.iter().any(|choice| choice == value))
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(given: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
        let job: Job = serde_json::from_str(
            r#"{"params": {
                "n": {"type": "int", "default": "1"}, "text": {"default": "t"},
                "flag": {"type": "bool", "default": "false"},
                "one": {"type": "choice", "choices": ["a", "b"], "default": "a"}
            }}"#,
        )
        .unwrap();
        let given = given
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        bind_params(&[("job", &job)], &given.collect())
    }

    #[test]
    fn values_are_given_or_the_defaults() {
        let values = bind(&[("n", "-3"), ("one", "b")]).unwrap();
        let values: Vec<&str> = values.values().map(String::as_str).collect();
        assert_eq!(values, ["false", "-3", "b", "t"]);
    }

    #[test]
    fn whatever_is_wrong_is_left_to_others() {
        for (name, value) in [
            ("n", "x"),
            ("n", "-"),
            ("flag", "yes"),
            ("one", "c"),
            ("no", ""),
        ] {
            assert_eq!(bind(&[(name, value)]), None, "{name} {value}");
        }
        let job: Job = serde_json::from_str(r#"{"params": {"needed": {}}}"#).unwrap();
        assert_eq!(bind_params(&[("job", &job)], &BTreeMap::new()), None);
    }
}
