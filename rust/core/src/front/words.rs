//! The forms of the command line that the front door knows whole.

use crate::run::report::{Color, Detail, Logs};

/// A plain run of one job or task.
pub(super) struct Asked {
    pub(super) target: String,
    pub(super) detail: Detail,
    pub(super) logs: Logs,
    /// Whether output is said as it comes, and not with the end of its task.
    pub(super) is_streamed: bool,
    pub(super) color: Color,
}

/// Every command of pipec. Any other first word is a job or a task to run. The command line's own list
/// is in Python; a test compares them.
pub const VERBS: &[&str] = &[
    "run",
    "run-task",
    "watch",
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

/// `run NAME` or `NAME`, and how to show it. Of hits only `--output-logs full` shows any logs.
pub(super) fn plain_run(words: &[String]) -> Option<Asked> {
    let mut names = Vec::new();
    let (mut is_quiet, mut is_verbose) = (false, false);
    let (mut logs, mut is_streamed, mut color) = (None, false, Color::Auto);
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        match name {
            "-q" | "--quiet" if value.is_none() => is_quiet = true,
            "-v" | "--verbose" if value.is_none() => is_verbose = true,
            "--output-logs" => logs = Some(logs_of_runs(value.or_else(|| rest.next())?)?),
            "--log-order" => is_streamed = is_stream(value.or_else(|| rest.next())?)?,
            "--color" => color = color_of(value.or_else(|| rest.next())?)?,
            _ if word.starts_with('-') || word.is_empty() => return None,
            _ => names.push(word),
        }
    }
    let logs = logs.unwrap_or(if is_streamed {
        Logs::NewOnly
    } else {
        Logs::ErrorsOnly
    });
    let detail = match (is_quiet, is_verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Usual,
    };
    let target = match names.as_slice() {
        ["run", target] => *target,
        [target] if !VERBS.contains(target) => *target,
        _ => return None,
    };
    Some(Asked {
        target: target.to_owned(),
        detail,
        logs,
        // Nobody knows of a task that runs whether it will fail.
        is_streamed: is_streamed && logs == Logs::NewOnly && !is_quiet,
        color,
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

fn is_stream(value: &str) -> Option<bool> {
    match value {
        "stream" => Some(true),
        "grouped" => Some(false),
        _ => None,
    }
}

fn color_of(value: &str) -> Option<Color> {
    match value {
        "auto" => Some(Color::Auto),
        "always" => Some(Color::Always),
        "never" => Some(Color::Never),
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
        assert_eq!(
            target("verify -v --color always --log-order=stream").as_deref(),
            Some("verify")
        );
        for unknown in [
            "list",
            "run a --color=pink",
            "run a --log-order",
            "run a --quiet=1",
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
