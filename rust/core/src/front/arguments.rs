//! `-- ARGUMENTS`: words behind the last command of each task that was asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ir::Pipeline;
use crate::run::words::join_words;

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];
/// Shells that read words as POSIX says.
const POSIX: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "busybox"];

/// Appends them. None if a task has no command for them, or a shell that reads words in another way.
pub(super) fn append(
    pipeline: &mut Pipeline,
    tasks: &[String],
    arguments: &[String],
) -> Option<()> {
    for id in tasks {
        let task = pipeline.tasks.get_mut(id)?;
        let shell = task.shell.clone();
        append_to(task.steps.last_mut()?, shell.as_deref(), arguments)?;
    }
    Some(())
}

fn append_to(
    step: &mut BTreeMap<String, Value>,
    shell: Option<&[String]>,
    arguments: &[String],
) -> Option<()> {
    if step.get("kind")?.as_str()? == "argv" {
        let words = step.get_mut("argv")?.as_array_mut()?;
        words.extend(arguments.iter().map(|word| Value::from(word.as_str())));
        return Some(());
    }
    let own = match step.get("shell") {
        Some(own) => Some(own.get(0)?.as_str()?),
        None => shell.and_then(|words| words.first()).map(String::as_str),
    };
    let name = own.and_then(|program| program.rsplit('/').next());
    if name.is_some_and(|name| !POSIX.contains(&name)) {
        return None;
    }
    let command = step.get("command")?.as_str()?.trim_end_matches(BLANK);
    let command = format!("{command} {}", join_words(arguments));
    step.insert("command".to_owned(), Value::from(command));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(task: &str) -> Option<Value> {
        let json = format!(r#"{{"ir-version": 1, "tasks": {{"a": {task}}}}}"#);
        let mut pipeline = Pipeline::parse(json.as_bytes()).unwrap();
        append(&mut pipeline, &["a".into()], &["-k".into(), "b c".into()])?;
        serde_json::to_value(&pipeline.tasks["a"].steps).ok()
    }

    #[test]
    fn they_go_to_the_last_command() {
        let steps = appended(
            r#"{"steps": [{"kind": "shell", "command": "a"}, {"kind": "shell", "command": "b\n"}]}"#,
        );
        let steps = steps.unwrap();
        assert_eq!(steps[0]["command"], "a");
        assert_eq!(steps[1]["command"], "b -k 'b c'");
        let steps = appended(r#"{"steps": [{"kind": "argv", "argv": ["a"]}]}"#).unwrap();
        assert_eq!(steps[0]["argv"], serde_json::json!(["a", "-k", "b c"]));
    }

    #[test]
    fn who_reads_words_otherwise_is_left_to_others() {
        for task in [
            "{}",
            r#"{"steps": [{"kind": "call"}]}"#,
            r#"{"shell": ["pwsh", "-c"], "steps": [{"kind": "shell", "command": "a"}]}"#,
            r#"{"steps": [{"kind": "shell", "command": "a", "shell": ["cmd", "/c"]}]}"#,
        ] {
            assert_eq!(appended(task), None, "{task}");
        }
    }
}
