//! What a person reads: a line for each task and a summary, on the terminal and in Markdown.

use std::fmt::Write;
use std::path::Path;

use super::record::{RunRecord, TaskRecord};
use crate::key::environment::Variables;

const WIDEST_NAME: usize = 40;

pub(super) struct Report<'a> {
    pub(super) uses_color: bool,
    pub(super) folder: &'a Path,
    /// How many warnings the pipeline file has, and how it is called.
    pub(super) warnings: usize,
    pub(super) shown: &'a str,
}

/// By `NO_COLOR`, `FORCE_COLOR` and the terminal, in this order.
pub(super) fn uses_color(environment: &Variables, is_terminal: bool) -> bool {
    let value = |name: &str| environment.get(name).map_or("", String::as_str);
    if !value("NO_COLOR").is_empty() {
        return false;
    }
    if !matches!(value("FORCE_COLOR"), "" | "0") {
        return true;
    }
    is_terminal && value("TERM") != "dumb"
}

impl Report<'_> {
    pub(super) fn of(&self, record: &RunRecord<'_>, folder: &Path) -> String {
        let mut text = String::new();
        if self.warnings > 0 {
            let count = plural(self.warnings, "warning");
            let _ = writeln!(text, "{} has {count}: `pipec check` shows more", self.shown);
        }
        let longest = record
            .tasks
            .iter()
            .map(|task| task.id.chars().count())
            .max();
        let width = longest.unwrap_or(0).min(WIDEST_NAME);
        for task in record.tasks {
            text += &self.line(task, width);
            text.push('\n');
        }
        text.push('\n');
        text += &summary_line(record);
        text.push('\n');
        let _ = writeln!(text, "record: {}", relative(folder, self.folder));
        text
    }

    fn line(&self, task: &TaskRecord, width: usize) -> String {
        let (mark, color) = if task.status == "cached" {
            ("=", "36")
        } else {
            ("✓", "32")
        };
        let time = spell_duration(task.duration_ms);
        let why = self.style(task.verdict.kind, "2");
        let line = format!("{:<width$}  {time:>6}  {why}", task.id);
        format!("{} {}", self.style(mark, color), line.trim_end())
    }

    fn style(&self, text: &str, style: &str) -> String {
        if self.uses_color {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `3 tasks in 12ms: 3 cached (saved 3.4s)`
fn summary_line(record: &RunRecord<'_>) -> String {
    let counts = [
        ("passed", record.counts.passed),
        ("cached", record.counts.cached),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(status, number)| format!("{number} {status}"))
        .collect();
    let tasks = plural(record.tasks.len(), "task");
    let mut line = format!("{tasks} in {}", spell_duration(record.duration_ms));
    if !parts.is_empty() {
        let _ = write!(line, ": {}", parts.join(", "));
    }
    if record.time_saved_ms > 0 {
        let _ = write!(line, " (saved {})", spell_duration(record.time_saved_ms));
    }
    line
}

/// The summary in Markdown.
pub(super) fn summary(record: &RunRecord<'_>) -> String {
    let targets: Vec<String> = record
        .request
        .targets
        .iter()
        .map(|name| cell(name))
        .collect();
    let mut text = format!("# {}: {}\n\n", cell(record.pipeline), targets.join(", "));
    let after = spell_duration(record.duration_ms);
    let _ = write!(
        text,
        "Run `{}` **{}** after {after}.\n\n",
        record.run_id, record.status
    );
    text += "| Task | Status | Why | Attempts | Duration |\n| --- | --- | --- | ---: | ---: |";
    for task in record.tasks {
        let duration = spell_duration(task.duration_ms);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n| {} | {} | {} | 0 | {duration} |",
            cell(&task.id),
            task.status,
            task.verdict.kind
        );
    }
    if record.time_saved_ms > 0 {
        let saved = spell_duration(record.time_saved_ms);
        let _ = write!(text, "\n\nTime saved by the cache: {saved}.");
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('\n', " ")
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// `250ms`, `1.5s`, `2m 5s`, `1h 4m`
fn spell_duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds}ms"),
        1000..60_000 => format!("{}s", hundredths(milliseconds)),
        60_000..3_600_000 => match seconds % 60 {
            0 => format!("{}m", seconds / 60),
            rest => format!("{}m {rest}s", seconds / 60),
        },
        _ => match seconds / 60 % 60 {
            0 => format!("{}h", seconds / 3600),
            rest => format!("{}h {rest}m", seconds / 3600),
        },
    }
}

/// Seconds with at most two decimals, rounded as Python rounds the nearest double.
fn hundredths(milliseconds: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "less than a minute")]
    let seconds = milliseconds as f64 / 1000.0;
    let text = format!("{seconds:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
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
    fn durations_are_spelled_for_people() {
        let spelled: Vec<String> = [
            0, 999, 1000, 1500, 1005, 59_994, 60_000, 125_000, 3_600_000, 3_900_000,
        ]
        .map(spell_duration)
        .to_vec();
        let expected = [
            "0ms", "999ms", "1s", "1.5s", "1s", "59.99s", "1m", "2m 5s", "1h", "1h 5m",
        ];
        assert_eq!(spelled, expected);
    }

    #[test]
    fn paths_are_as_seen_from_below_the_project() {
        let path = Path::new("/p/.pipec/runs/x");
        assert_eq!(relative(path, Path::new("/p")), ".pipec/runs/x");
        assert_eq!(relative(path, Path::new("/p/a/b")), "../../.pipec/runs/x");
    }
}
