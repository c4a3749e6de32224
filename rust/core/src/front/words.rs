//! The forms of the command line that the front door knows whole.

use crate::run::report::Logs;

/// A plain run of one job or task.
pub(super) struct Asked {
    pub(super) target: String,
    pub(super) is_quiet: bool,
    pub(super) logs: Logs,
}

/// Every command of pipec. Any other first word is a job or a task to run. The command line's own list
/// is in Python; a test compares them.
pub const VERBS: &[&str] = &[
    "run",
    "run-task",
    "list",
    "show",
    "graph",
    "check",
    "compile",
    "diff",
    "why",
    "key",
    "env",
    "config",
    "fmt",
    "sync",
    "publish",
    "release",
    "import",
    "lsp",
    "runs",
    "profile",
    "audit",
    "cache",
    "gc",
    "github",
    "init",
    "explain",
    "doctor",
    "mcp",
    "schema",
    "completions",
    "version",
];

/// `run NAME` or `NAME`, quiet or not, with whichever logs: of hits only `full` shows any.
pub(super) fn plain_run(words: &[String]) -> Option<Asked> {
    let mut names = Vec::new();
    let mut is_quiet = false;
    let mut logs = Logs::ErrorsOnly;
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "-q" | "--quiet" => is_quiet = true,
            "--output-logs" => logs = logs_of_runs(rest.next()?)?,
            _ => match word.strip_prefix("--output-logs=") {
                Some(value) => logs = logs_of_runs(value)?,
                None if word.starts_with('-') || word.is_empty() => return None,
                None => names.push(word),
            },
        }
    }
    let target = match names.as_slice() {
        ["run", target] => *target,
        [target] if !VERBS.contains(target) => *target,
        _ => return None,
    };
    Some(Asked {
        target: target.to_owned(),
        is_quiet,
        logs,
    })
}

/// The stored logs of hits, which `full` shows, are not for the front door.
fn logs_of_runs(value: &str) -> Option<Logs> {
    match value {
        "new-only" => Some(Logs::NewOnly),
        "errors-only" => Some(Logs::ErrorsOnly),
        "none" => Some(Logs::None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(line: &str) -> Option<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        plain_run(&words).map(|asked| asked.target)
    }

    #[test]
    fn only_whole_forms_are_known() {
        assert_eq!(target("run verify").as_deref(), Some("verify"));
        assert_eq!(target("verify").as_deref(), Some("verify"));
        assert_eq!(target("run run").as_deref(), Some("run"));
        assert_eq!(
            target("-q verify --output-logs=none").as_deref(),
            Some("verify")
        );
        for unknown in [
            "list",
            "run",
            "run a b",
            "run a --force",
            "run a --output-logs full",
            "--help",
        ] {
            assert_eq!(target(unknown), None, "{unknown}");
        }
    }
}
