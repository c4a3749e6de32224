//! What a person reads of a run: a line for each finished task, the log of each failed one, a summary.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::record::{RunRecord, Status, TaskRecord, WarningRecord};
use super::summary::{describe_unstarted, describe_verdict, slowest};
use super::words::{plural, refusal, spell_duration, visible};
use crate::key::environment::Variables;
use crate::view::{clean, fit};

const WIDEST_NAME: usize = 40;

/// Whose logs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logs {
    NewOnly,
    ErrorsOnly,
    None,
}

pub(crate) struct Report<'a> {
    pub(crate) uses_color: bool,
    pub(crate) detail: Detail,
    pub(crate) logs: Logs,
    /// Whether whoever reads has had the logs already.
    pub(crate) is_streamed: bool,
    /// Where the call was made.
    pub(crate) cwd: &'a Path,
    /// Where the record is.
    pub(crate) folder: &'a Path,
    /// How wide the column of names is.
    pub(crate) width: usize,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Only of what went wrong.
    Quiet,
    Usual,
    /// Every command, too.
    Verbose,
}

/// What `--color` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// By `--color`, `NO_COLOR`, `FORCE_COLOR` and the terminal, in this order.
pub(crate) fn uses_color(choice: Color, environment: &Variables, is_terminal: bool) -> bool {
    if choice != Color::Auto {
        return choice == Color::Always;
    }
    let value = |name: &str| environment.get(name).map_or("", String::as_str);
    if !value("NO_COLOR").is_empty() {
        return false;
    }
    if !matches!(value("FORCE_COLOR"), "" | "0") {
        return true;
    }
    is_terminal && value("TERM") != "dumb"
}

/// Whether what runs now is shown on a terminal: one that can move its cursor, and that a person looks at.
pub(crate) fn is_live(environment: &Variables, is_terminal: bool) -> bool {
    let value = |name: &str| environment.get(name).map_or("", String::as_str);
    is_terminal && value("TERM") != "dumb" && matches!(value("CI"), "" | "0" | "false")
}

/// The width of the column that holds the names of these tasks.
pub(crate) fn width_of(tasks: &[String]) -> usize {
    let longest = tasks.iter().map(|id| id.chars().count()).max();
    longest.unwrap_or(0).min(WIDEST_NAME)
}

/// What is said before a run of a pipeline file with warnings; nothing if it has none.
pub(crate) fn of_pipeline(shown: &str, warnings: usize) -> String {
    if warnings == 0 {
        return String::new();
    }
    let count = plural(warnings, "warning");
    format!("{shown} has {count}: `pipec check` shows more\n")
}

impl Report<'_> {
    /// What there is to say of a task in its final state.
    ///
    /// `columns`: how wide a line may be that has to stay one.
    pub(crate) fn finished(&self, task: &TaskRecord, columns: Option<usize>, text: &mut String) {
        let failed = task.status == Status::Failed;
        // Of those that never started there may be thousands, and all for one reason: the summary tells.
        if task.status == Status::Skipped || self.is_quiet() && !failed {
            return;
        }
        self.line(task, columns, text);
        let is_wanted = match self.logs {
            Logs::NewOnly => failed || task.status == Status::Passed,
            Logs::ErrorsOnly => failed,
            Logs::None => false,
        };
        // What was said as it came is not said again.
        if is_wanted && !self.is_streamed {
            self.log(task, text);
        }
    }

    fn line(&self, task: &TaskRecord, columns: Option<usize>, text: &mut String) {
        let (mark, color) = match task.status {
            Status::Passed => ("✓", "32"),
            Status::Cached => ("=", "36"),
            Status::Failed if task.may_fail => ("✗", "33"),
            Status::Failed => ("✗", "31"),
            Status::Cancelled => ("!", "33"),
            Status::Skipped | Status::Waiting | Status::Running => ("?", "33"),
        };
        let time = task.duration_ms.map(spell_duration).unwrap_or_default();
        let width = self.width;
        let head = format!("{:<width$}  {time:>6}  ", task.id);
        let why = visible(&describe_verdict(task));
        let line = format!("{head}{why}");
        let line = match columns {
            // The mark and a space come first, and the last column stays free.
            Some(columns) => fit(line.trim_end(), columns.saturating_sub(3)),
            None => line.trim_end().into(),
        };
        let line = match line.strip_prefix(&head) {
            Some(why) => format!("{head}{}", self.style(why, "2")),
            None => line.into_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {line}", self.style(mark, color));
    }

    fn log(&self, task: &TaskRecord, text: &mut String) {
        let Some(name) = &task.log else {
            return;
        };
        let log = match fs::read(self.folder.join(name)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log cannot be read: {})", refusal(&error)),
        };
        let log = clean(&log, self.uses_color);
        if log.is_empty() {
            return;
        }
        let end = if log.ends_with('\n') { "" } else { "\n" };
        let head = self.style(&format!("--- log of {}", task.id), "2");
        let foot = self.style(&format!("--- end of {}", task.id), "2");
        let _ = write!(text, "{head}\n{log}{end}{foot}\n");
    }

    pub(crate) fn warning(&self, warning: &WarningRecord, text: &mut String) {
        let about = warning.task.as_ref().map(|task| format!("{task}: "));
        let head = self.style(&format!("warning[{}]", warning.code), "33");
        let about = about.unwrap_or_default();
        let _ = writeln!(text, "{head}: {about}{}", visible(&warning.message));
    }

    /// A try that failed, and another that follows.
    pub(crate) fn retry(&self, task: &str, number: u32, why: &str, in_ms: u64, text: &mut String) {
        if !self.is_quiet() {
            let delay = spell_duration(in_ms);
            let _ = writeln!(
                text,
                "↻ {task}: attempt {number} failed ({}), again in {delay}",
                visible(why)
            );
        }
    }

    /// A command that is about to start.
    pub(crate) fn step(&self, task: &str, command: &str, text: &mut String) {
        if self.detail == Detail::Verbose {
            let _ = writeln!(text, "$ {task}: {}", visible(command));
        }
    }

    /// The end of the run: failed first.
    pub(crate) fn summary(&self, record: &RunRecord<'_>, text: &mut String) {
        if !self.is_quiet() {
            if let Some(unstarted) = describe_unstarted(record) {
                let _ = writeln!(text, "{} {unstarted}", self.style("-", "33"));
            }
            text.push('\n');
        }
        for task in record
            .tasks()
            .iter()
            .filter(|task| task.status == Status::Failed)
        {
            let code = task.error.as_ref().map(|error| format!("[{}]", error.code));
            let (severity, color, end) = if task.may_fail {
                ("warning", "33", " (it may fail)")
            } else {
                ("error", "31", "")
            };
            let head = self.style(&format!("{severity}{}", code.unwrap_or_default()), color);
            let reason = task.error.as_ref().map(|error| visible(&error.message));
            let reason = reason.unwrap_or_else(|| "failed".to_owned());
            let _ = writeln!(text, "{head}: {}: {reason}{end}", task.id);
        }
        if !self.is_quiet() {
            text.push_str(&summary_line(record));
            let took = slowest(record).into_iter().map(|task| {
                let time = spell_duration(task.duration_ms.unwrap_or(0));
                format!("{} {time}", task.id)
            });
            let took: Vec<String> = took.collect();
            if !took.is_empty() {
                let _ = write!(text, "\nslowest: {}", took.join(", "));
            }
            let place = relative(self.folder, self.cwd);
            let _ = writeln!(text, "\nrecord: {}", visible(&place));
        }
    }

    fn is_quiet(&self) -> bool {
        self.detail == Detail::Quiet
    }

    fn style(&self, text: &str, style: &str) -> String {
        if self.uses_color && !text.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `3 tasks in 12ms: 1 failed, 2 cached (saved 3.4s)`; what went wrong comes first.
fn summary_line(record: &RunRecord<'_>) -> String {
    let counts = [
        ("failed", record.counts.failed),
        ("cancelled", record.counts.cancelled),
        ("skipped", record.counts.skipped),
        ("passed", record.counts.passed),
        ("cached", record.counts.cached),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(status, number)| format!("{number} {status}"))
        .collect();
    let tasks = plural(record.tasks().len(), "task");
    let took = spell_duration(record.duration_ms.unwrap_or(0));
    let mut line = format!("{tasks} in {took}");
    if !parts.is_empty() {
        let _ = write!(line, ": {}", parts.join(", "));
    }
    if record.time_saved_ms > 0 {
        let _ = write!(line, " (saved {})", spell_duration(record.time_saved_ms));
    }
    if let Some(reason) = record.reason {
        let _ = write!(line, ", {}", visible(reason));
    }
    line
}

/// A path below the project as somebody in `from`, a folder of the project, would write it.
fn relative(path: &Path, from: &Path) -> String {
    for (ups, above) in from.ancestors().enumerate() {
        if let Ok(below) = path.strip_prefix(above) {
            return "../".repeat(ups) + &below.to_string_lossy();
        }
    }
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_seen_from_below_the_project() {
        let path = Path::new("/p/.pipec/runs/x");
        assert_eq!(relative(path, Path::new("/p")), ".pipec/runs/x");
        assert_eq!(relative(path, Path::new("/p/a/b")), "../../.pipec/runs/x");
    }
}
