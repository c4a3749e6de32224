//! Declared environment values, resolved against the host's environment.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ir::EnvValue;

/// Name → value, as the operating system would give it.
pub type Variables = BTreeMap<String, String>;

/// A value that a task sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub value: String,
    pub is_secret: bool,
    pub in_key: bool,
}

/// Why a value cannot be resolved. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub code: &'static str,
    pub message: String,
    /// The variable that the task would have seen.
    pub name: String,
}

/// Resolves one layer over another, lowest first; a later layer wins by name.
pub fn resolve<'a>(
    layers: impl IntoIterator<Item = &'a BTreeMap<String, EnvValue>>,
    host: &Variables,
) -> Result<BTreeMap<String, Resolved>, Vec<Problem>> {
    let mut declared: BTreeMap<&str, &EnvValue> = BTreeMap::new();
    for layer in layers {
        declared.extend(layer.iter().map(|(name, value)| (name.as_str(), value)));
    }
    let mut resolved = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in declared {
        match resolve_one(name, value, host) {
            Ok(value) => {
                resolved.insert(name.to_owned(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(resolved)
    } else {
        Err(problems)
    }
}

fn resolve_one(name: &str, value: &EnvValue, host: &Variables) -> Result<Resolved, Problem> {
    let problem = |code, message| Problem {
        code,
        message,
        name: name.to_owned(),
    };
    let plain = |value: &str, in_key| Resolved {
        value: value.to_owned(),
        is_secret: false,
        in_key,
    };
    match value {
        EnvValue::Text(text) => Ok(plain(text, true)),
        EnvValue::Literal { value, in_key } => Ok(plain(value, *in_key)),
        EnvValue::Secret { secret, in_key } => match on_host(secret, name, host) {
            Some(value) => Ok(Resolved {
                value: value.to_owned(),
                is_secret: true,
                in_key: *in_key,
            }),
            None => Err(problem(
                "PIPEC_MISSING_SECRET",
                format!("`{name}` needs the secret `{secret}`, which is not set"),
            )),
        },
        EnvValue::Variable {
            var,
            default,
            map,
            in_key,
        } => {
            let Some(text) = on_host(var, name, host).or(default.as_deref()) else {
                return Err(problem(
                    "PIPEC_MISSING_VARIABLE",
                    format!("`{name}` needs the variable `{var}`, which is not set"),
                ));
            };
            match map {
                None => Ok(plain(text, *in_key)),
                Some(map) => map
                    .get(text)
                    .map(|mapped| plain(mapped, *in_key))
                    .ok_or_else(|| {
                        let known: Vec<_> = map.keys().map(|key| format!("`{key}`")).collect();
                        problem(
                            "PIPEC_UNMAPPED_VARIABLE",
                            format!(
                                "`{name}` has no entry for the value of `{var}`: there are {}",
                                known.join(", ")
                            ),
                        )
                    }),
            }
        }
    }
}

/// The host's value under the source's name, else under the destination's. Empty counts as missing.
pub(crate) fn on_host<'a>(source: &str, destination: &str, host: &'a Variables) -> Option<&'a str> {
    [source, destination]
        .into_iter()
        .filter_map(|name| host.get(name))
        .find(|value| !value.is_empty())
        .map(String::as_str)
}

/// The host's variables that `env-inputs` names, `NAME*` standing for all that begin so.
///
/// A name without a star that is not set is in the result as None.
pub fn selected<'a>(
    patterns: &'a [String],
    host: &'a Variables,
) -> BTreeMap<&'a str, Option<&'a str>> {
    let mut selected = BTreeMap::new();
    for pattern in patterns {
        match pattern.strip_suffix('*') {
            None => {
                selected.insert(pattern.as_str(), host.get(pattern).map(String::as_str));
            }
            Some(prefix) => {
                let from = host.range(prefix.to_owned()..);
                for (name, value) in from.take_while(|(name, _)| name.starts_with(prefix)) {
                    selected.insert(name.as_str(), Some(value.as_str()));
                }
            }
        }
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(pairs: &[(&str, &str)]) -> Variables {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn one(json: &str, host: &Variables) -> Result<Resolved, Problem> {
        let value: EnvValue = serde_json::from_str(json).unwrap();
        let layer = BTreeMap::from([("DEST".to_owned(), value)]);
        resolve([&layer], host)
            .map(|mut all| all.remove("DEST").unwrap())
            .map_err(|mut problems| problems.remove(0))
    }

    fn value(json: &str, pairs: &[(&str, &str)]) -> String {
        one(json, &host(pairs)).unwrap().value
    }

    #[test]
    fn a_variable_falls_back_to_the_destination_and_then_the_default() {
        let json = r#"{"var": "SRC", "default": "d"}"#;
        assert_eq!(value(json, &[("SRC", "s"), ("DEST", "t")]), "s");
        assert_eq!(value(json, &[("SRC", ""), ("DEST", "t")]), "t");
        assert_eq!(value(json, &[]), "d");
        let missing = one(r#"{"var": "SRC"}"#, &host(&[])).unwrap_err();
        assert_eq!(missing.code, "PIPEC_MISSING_VARIABLE");
    }

    #[test]
    fn a_map_selects_and_refuses_what_it_lacks() {
        let json = r#"{"var": "MODE", "default": "dev", "map": {"dev": "http", "prod": "https"}}"#;
        assert_eq!(value(json, &[("MODE", "prod")]), "https");
        assert_eq!(value(json, &[]), "http");
        let unmapped = one(json, &host(&[("MODE", "hunter2")])).unwrap_err();
        assert_eq!(unmapped.code, "PIPEC_UNMAPPED_VARIABLE");
        assert!(!unmapped.message.contains("hunter2"));
    }

    #[test]
    fn secrets_stay_out_of_the_key_unless_told() {
        let token = [("TOKEN", "x")];
        assert!(!one(r#"{"secret": "TOKEN"}"#, &host(&token)).unwrap().in_key);
        assert!(
            one(r#"{"secret": "TOKEN", "in-key": true}"#, &host(&token))
                .unwrap()
                .in_key
        );
        assert_eq!(
            one(r#"{"secret": "TOKEN"}"#, &host(&[])).unwrap_err().code,
            "PIPEC_MISSING_SECRET"
        );
    }

    #[test]
    fn later_layers_win_by_name() {
        let layer =
            |text: &str| BTreeMap::from([("A".to_owned(), EnvValue::Text(text.to_owned()))]);
        let all = resolve(
            [&layer("pipeline"), &layer("job"), &layer("task")],
            &host(&[]),
        );
        assert_eq!(all.unwrap()["A"].value, "task");
    }

    #[test]
    fn a_star_selects_by_prefix() {
        let host = host(&[("CI", "1"), ("NODE_A", "a"), ("NODE_B", "b"), ("NODF", "c")]);
        let patterns = ["NODE_*".to_owned(), "GONE".to_owned()];
        let selected: Vec<_> = selected(&patterns, &host).into_iter().collect();
        assert_eq!(
            selected,
            [("GONE", None), ("NODE_A", Some("a")), ("NODE_B", Some("b"))]
        );
    }
}
