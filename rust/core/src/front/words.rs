//! The forms of the command line that the front door knows whole.

use std::collections::BTreeMap;

use crate::run::ContinueMode;
use crate::run::report::{Color, Detail, Logs};

/// A plain run of jobs and tasks.
#[derive(Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(super) struct Asked {
    /// Without repetition.
    pub(super) targets: Vec<String>,
    /// The target is a task, whatever else has its name.
    pub(super) is_task: bool,
    pub(super) detail: Detail,
    pub(super) logs: Logs,
    /// Whether output is said as it comes, and not with the end of its task.
    pub(super) is_streamed: bool,
    pub(super) color: Color,
    pub(super) wants_json: bool,
    pub(super) concurrency: Concurrency,
    pub(super) force: bool,
    pub(super) only: bool,
    pub(super) continue_mode: ContinueMode,
    pub(super) timeout_ms: Option<u64>,
    /// Name and value of each.
    pub(super) params: BTreeMap<String, String>,
    /// What stands behind `--`.
    pub(super) arguments: Vec<String>,
}

impl Asked {
    /// Whether the pipeline alone says what is to be done.
    pub(super) fn is_usual(&self) -> bool {
        !self.is_task
            && !self.force
            && !self.only
            && self.params.is_empty()
            && self.arguments.is_empty()
    }
}

/// How many tasks may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concurrency {
    Number(u32),
    Percent(u32),
}

impl Concurrency {
    fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Percent(100));
        }
        let (digits, of) = match text.strip_suffix('%') {
            Some(digits) => (digits, Self::Percent as fn(u32) -> Self),
            None => (text, Self::Number as fn(u32) -> Self),
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| *number > 0)?;
        is_number.then(|| of(number))
    }

    pub(super) fn on(self, cores: u32) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Percent(share) => {
                let tasks = u64::from(cores) * u64::from(share) / 100;
                u32::try_from(tasks).unwrap_or(u32::MAX).max(1)
            }
        }
    }
}

/// Every command of pipec. Any other first word is a job or a task to run. The command line's own list
/// is in Python; a test compares them.
pub const VERBS: &[&str] = &[
    "run",
    "run-task",
    "watch",
    "plan",
    "list",
    "show",
    "graph",
    "check",
    "compile",
    "metadata",
    "matrix",
    "diff",
    "why",
    "key",
    "env",
    "shell",
    "affected",
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

/// `run NAME…`, `run-task NAME` or `NAME…` with the options that are known here: all others, and whatever is
/// not quite right, are for those who know what to say.
pub(super) fn plain_run(words: &[String]) -> Option<Asked> {
    let (words, arguments) = match words.iter().position(|word| word == "--") {
        Some(at) => (&words[..at], words[at + 1..].to_vec()),
        None => (words, Vec::new()),
    };
    let mut asked = Asked {
        targets: Vec::new(),
        is_task: false,
        detail: Detail::Usual,
        logs: Logs::ErrorsOnly,
        is_streamed: false,
        color: Color::Auto,
        wants_json: false,
        concurrency: Concurrency::Percent(100),
        force: false,
        only: false,
        continue_mode: ContinueMode::Never,
        timeout_ms: None,
        params: BTreeMap::new(),
        arguments,
    };
    let mut names: Vec<&str> = Vec::new();
    let (mut is_quiet, mut is_verbose, mut logs) = (false, false, None);
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "-q" | "--quiet" => is_quiet = true,
            "-v" | "--verbose" => is_verbose = true,
            "--force" => asked.force = true,
            "--only" => asked.only = true,
            // Who has to wait goes the long way.
            "--wait" => {}
            _ if !word.starts_with('-') => names.push(word),
            _ => {
                let (name, value) = match word.split_once('=') {
                    Some((name, value)) => (name, value),
                    None => (word, rest.next()?),
                };
                if value.is_empty() || value.starts_with('-') {
                    return None;
                }
                if name == "--output-logs" {
                    logs = Some(logs_of_runs(value)?);
                } else {
                    asked.set(name, value)?;
                }
            }
        }
    }
    let usual = if asked.is_streamed {
        Logs::NewOnly
    } else {
        Logs::ErrorsOnly
    };
    asked.logs = logs.unwrap_or(usual);
    // Nobody knows of a task that runs whether it will fail.
    asked.is_streamed = asked.is_streamed && asked.logs == Logs::NewOnly && !is_quiet;
    asked.detail = match (is_quiet, is_verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Usual,
    };
    let (is_task, names) = match names.split_first()? {
        (&"run", names) => (false, names),
        (&"run-task", names) => (true, names),
        (first, _) if VERBS.contains(first) => return None,
        _ => (false, names.as_slice()),
    };
    for name in names {
        if name.is_empty() {
            return None;
        }
        if !asked.targets.iter().any(|known| known == name) {
            asked.targets.push((*name).to_owned());
        }
    }
    asked.is_task = is_task;
    let is_whole = match names.len() {
        0 => false,
        1 => true,
        _ => !is_task,
    };
    (is_whole && (asked.params.is_empty() || !is_task)).then_some(asked)
}

impl Asked {
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--log-order" => self.is_streamed = is_stream(value)?,
            "--color" => self.color = color_of(value)?,
            "--format" => {
                self.wants_json = match value {
                    "json" => true,
                    "text" => false,
                    _ => return None,
                }
            }
            "--concurrency" => self.concurrency = Concurrency::parse(value)?,
            "--continue" => self.continue_mode = ContinueMode::parse(value)?,
            "--timeout" => self.timeout_ms = Some(parse_duration(value)?),
            "--param" => {
                let (name, value) = value.split_once('=').filter(|(name, _)| !name.is_empty())?;
                self.params.insert(name.to_owned(), value.to_owned());
            }
            _ => return None,
        }
        Some(())
    }
}

/// The milliseconds of a duration in whole units, such as `1h30m`.
fn parse_duration(text: &str) -> Option<u64> {
    const LONGEST: usize = 12;
    if text.len() > LONGEST {
        return None;
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit());
        let (unit, after) = unit.split_at(end.unwrap_or(unit.len()));
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(milliseconds)?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (total > 0).then_some(total)
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

    fn asked(line: &str) -> Option<Asked> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        plain_run(&words)
    }

    fn targets(line: &str) -> String {
        asked(line).map_or_else(String::new, |asked| asked.targets.join(" "))
    }

    #[test]
    fn only_whole_forms_are_known() {
        assert_eq!(targets("run verify"), "verify");
        assert_eq!(targets("verify"), "verify");
        assert_eq!(targets("run run"), "run");
        assert_eq!(targets("-q verify --output-logs=none"), "verify");
        assert_eq!(
            targets("verify -v --color always --log-order=stream"),
            "verify"
        );
        assert_eq!(targets("run a b a --force"), "a b");
        assert_eq!(targets("run-task a"), "a");
        for unknown in [
            "list",
            "verify --twice",
            "run",
            "run --force",
            "run-task a b",
            "run-task a --param b=c",
            "run a --dry",
            "run a --filter b",
            "run a --environment prod",
            "run a --approve b",
            "run a --format jsonl",
            "run a --output-logs full",
            "run a --concurrency 0",
            "run a --concurrency +1",
            "run a --continue sometimes",
            "run a --timeout 5",
            "run a --timeout 1.5s",
            "run a --param b",
            "run a --param",
            "run a --force=1",
            "run a --color=pink",
            "run a --log-order",
            "run a --quiet=1",
            "--help",
        ] {
            assert_eq!(asked(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn options_mean_what_they_say() {
        let asked = asked(
            "run a --continue=always --only --concurrency 50% --timeout 1h30m --param x=y=z \
             --format json -- -k --force",
        );
        let asked = asked.unwrap();
        assert_eq!(asked.continue_mode, ContinueMode::Always);
        assert!(asked.only && asked.wants_json && !asked.force);
        assert_eq!(asked.concurrency.on(4), 2);
        assert_eq!(asked.concurrency.on(1), 1);
        assert_eq!(asked.timeout_ms, Some(5_400_000));
        assert_eq!(asked.params["x"], "y=z");
        assert_eq!(asked.arguments, ["-k", "--force"]);
    }
}
