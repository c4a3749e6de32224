//! The summary of a run in Markdown, and why a task ran in a few words.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write;

use super::record::{RunRecord, Status, TaskRecord};
use super::words::{cell, spell_duration, visible};

const LONG_MS: u64 = 10_000;
const SLOWEST: usize = 3;
const NAMED: usize = 5;
const REASONS: usize = 3;

/// A table of all tasks, then what failed and what was warned of.
pub(crate) fn summary(record: &RunRecord<'_>) -> String {
    let targets: Vec<String> = record
        .request
        .targets
        .iter()
        .map(|name| cell(name))
        .collect();
    let mut text = format!("# {}: {}\n\n", cell(record.pipeline), targets.join(", "));
    let after = record
        .duration_ms
        .map(|took| format!(" after {}", spell_duration(took)));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "Run `{}` **{}**{}.\n\n",
        record.run_id,
        record.status,
        after.unwrap_or_default()
    );
    text += "| Task | Status | Why | Attempts | Duration |\n| --- | --- | --- | ---: | ---: |";
    for task in record.tasks() {
        let _ = write!(
            text,
            "\n| {} | {} | {} | {} | {} |",
            cell(&task.id),
            task.status.word(),
            cell(&visible(&describe_verdict(task))),
            task.attempts.len(),
            task.duration_ms.map(spell_duration).unwrap_or_default()
        );
    }
    if record.time_saved_ms > 0 {
        let saved = spell_duration(record.time_saved_ms);
        let _ = write!(text, "\n\nTime saved by the cache: {saved}.");
    }
    let mut head = "\n\n## What went wrong\n";
    for task in record.tasks() {
        if let Some(error) = &task.error {
            let end = if task.may_fail { " (it may fail)" } else { "" };
            let _ = write!(
                text,
                "{head}\n- `{}`: {}{end}",
                task.id,
                cell(&error.message)
            );
            head = "";
        }
    }
    let mut head = "\n\n## Warnings\n";
    for warning in record.warnings {
        let about = warning.task.as_ref().map(|task| format!("`{task}`: "));
        let about = about.unwrap_or_default();
        let _ = write!(text, "{head}\n- {about}{}", cell(&warning.message));
        head = "";
    }
    text
}

/// The tasks to look at first if the run was too slow: at most three, the slowest first.
///
/// None of a run that nobody had to wait for, or in which fewer than two tasks ran.
pub(crate) fn slowest<'a>(record: &'a RunRecord<'_>) -> Vec<&'a TaskRecord> {
    let mut ran: Vec<&TaskRecord> = record.tasks().iter().collect();
    ran.retain(|task| {
        matches!(task.status, Status::Passed | Status::Failed) && !task.attempts.is_empty()
    });
    if ran.len() < 2 || record.duration_ms.unwrap_or(0) < LONG_MS {
        return Vec::new();
    }
    ran.sort_by_key(|task| Reverse(task.duration_ms));
    ran.truncate(SLOWEST);
    ran
}

/// The tasks that were never started in one line; None if there are none.
///
/// Up to five are named: `did not start: b, c (dependency failed: a)`. Of more their number is said, and
/// the three most frequent reasons: `994 tasks did not start: interrupted`.
pub(crate) fn describe_unstarted(record: &RunRecord<'_>) -> Option<String> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let tasks = record.tasks().iter();
    for task in tasks.filter(|task| task.status == Status::Skipped) {
        let why = visible(&describe_verdict(task));
        let place = *places.entry(why.clone()).or_insert(reasons.len());
        if place == reasons.len() {
            reasons.push((why, Vec::new()));
        }
        reasons[place].1.push(&task.id);
    }
    let number: usize = reasons.iter().map(|(_, ids)| ids.len()).sum();
    let first = reasons.first()?;
    if number <= NAMED {
        let parts = reasons.iter();
        let parts = parts.map(|(why, ids)| format!("{} ({why})", ids.join(", ")));
        let parts: Vec<String> = parts.collect();
        return Some(format!("did not start: {}", parts.join("; ")));
    }
    let head = format!("{number} tasks did not start");
    if reasons.len() == 1 {
        return Some(format!("{head}: {}", first.0));
    }
    reasons.sort_by_key(|(_, ids)| Reverse(ids.len()));
    let frequent = reasons.iter().take(REASONS);
    let mut parts: Vec<String> = frequent
        .map(|(why, ids)| format!("{} {why}", ids.len()))
        .collect();
    let others: usize = reasons.iter().skip(REASONS).map(|(_, ids)| ids.len()).sum();
    if others > 0 {
        parts.push(format!("{others} for other reasons"));
    }
    Some(format!("{head}: {}", parts.join("; ")))
}

/// Why the task ran or did not, in a few words: `miss: src/app.ts changed (+3 more)`.
pub(crate) fn describe_verdict(task: &TaskRecord) -> String {
    if let Some(reason) = &task.reason {
        return reason.clone();
    }
    let Some(verdict) = &task.verdict else {
        return String::new();
    };
    if let [first, rest @ ..] = verdict.changed.as_slice() {
        let others = rest.len() as u64 + verdict.more.unwrap_or(0);
        let more = if others > 0 {
            format!(" (+{others} more)")
        } else {
            String::new()
        };
        return format!("{}: {} {}{more}", verdict.kind, first.path, first.change);
    }
    if let (Some("dependencies"), Some(dependency)) =
        (verdict.component.as_deref(), &verdict.detail)
    {
        return format!("{}: dependency {dependency} changed", verdict.kind);
    }
    if let (Some("values"), Some(label)) = (verdict.component.as_deref(), &verdict.detail) {
        return format!("{}: {label} changed", verdict.kind);
    }
    let detail = match verdict.component.as_deref() {
        Some("no-baseline") => Some("no earlier result"),
        None | Some("") => verdict.detail.as_deref(),
        component => component,
    };
    detail.map_or_else(
        || verdict.kind.to_owned(),
        |detail| format!("{}: {detail}", verdict.kind),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::record::{AttemptRecord, Ending, RunFacts};

    fn ran(id: &str, took: u64) -> TaskRecord {
        TaskRecord {
            status: Status::Passed,
            duration_ms: Some(took),
            attempts: vec![AttemptRecord {
                number: 1,
                started_at: String::new(),
                duration_ms: took,
                exit_code: 0,
                signal: None,
                timed_out: false,
                steps: Vec::new(),
            }],
            ..TaskRecord::waiting(id)
        }
    }

    fn slowest_of(tasks: &[TaskRecord], duration_ms: u64) -> Vec<String> {
        let params = std::collections::BTreeMap::new();
        let facts = RunFacts {
            run_id: "r",
            pipeline: "p",
            ir_digest: "d",
            pid: 1,
            request: crate::run::record::RequestRecord {
                targets: &[],
                force: false,
                concurrency: 1,
                params: &params,
                continue_mode: None,
                only: false,
                arguments: Vec::new(),
                timeout_ms: None,
                environment: None,
                approved: Vec::new(),
            },
            tells_record: false,
            targets: &[],
            planned: &[],
            started_ms: 0,
        };
        let ending = Ending {
            status: "passed",
            exit_code: 0,
            reason: None,
            finished_ms: 0,
            duration_ms,
        };
        let record = RunRecord::of(&facts, tasks, &[], Some(ending));
        let slowest = slowest(&record).into_iter();
        slowest.map(|task| task.id.clone()).collect()
    }

    #[test]
    fn the_slowest_are_named_where_somebody_had_to_wait() {
        let cached = TaskRecord {
            status: Status::Cached,
            ..ran("cached", 99_000)
        };
        let tasks = [
            ran("a", 1),
            cached,
            ran("b", 9000),
            ran("c", 5),
            ran("d", 7),
        ];
        assert_eq!(slowest_of(&tasks, 10_000), ["b", "d", "c"]);
        assert!(slowest_of(&tasks, 9999).is_empty());
        assert!(slowest_of(&tasks[..2], 10_000).is_empty());
    }
}
