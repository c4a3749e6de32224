//! Putting the record of a run where records are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::lines;
use super::record::{Moment, RunFacts, RunRecord};
use crate::key::environment::Variables;
use crate::store::replace;

/// How many records stay unless `PIPEC_KEEP_RUNS` says otherwise.
const KEPT: usize = 50;

/// An id that sorts by time and that no other run has.
pub(super) fn run_id(now_ms: u64, nonce: [u8; 4]) -> String {
    let Moment {
        year,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
    } = Moment::of(now_ms);
    let nonce = u32::from_be_bytes(nonce);
    format!(
        "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{millisecond:03}-{nonce:08x}"
    )
}

/// None if the variables that bound records and logs are no numbers: the long way complains.
pub(super) fn runs_to_keep(environment: &Variables) -> Option<usize> {
    let number = |name: &str| match environment.get(name).map(String::as_str) {
        None | Some("") => Some(None),
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Some),
        Some(_) => None,
    };
    number("PIPEC_MAX_LOG_BYTES")?;
    Some(number("PIPEC_KEEP_RUNS")?.unwrap_or(KEPT))
}

/// Writes journal, record and summary; gives their folder.
pub(super) fn write(
    root: &Path,
    facts: &RunFacts<'_>,
    record: &RunRecord<'_>,
) -> crate::Result<PathBuf> {
    let folder = root.join(".pipec/runs").join(facts.run_id);
    let logs = folder.join("logs");
    fs::create_dir_all(&logs).map_err(crate::Error::at(&logs))?;
    let journal = folder.join("journal.jsonl");
    let text = journal_of(&folder, facts, record);
    fs::write(&journal, text).map_err(crate::Error::at(&journal))?;
    put(&folder, "execution.json", spaced(record) + "\n")?;
    put(&folder, "summary.md", lines::summary(record) + "\n")?;
    Ok(folder)
}

fn put(folder: &Path, name: &str, text: String) -> crate::Result<()> {
    replace(
        &folder.join(name),
        &folder.join(format!("{name}.tmp")),
        text.as_bytes(),
    )
}

/// One line an event: the start, each task, the end without repeating the tasks.
fn journal_of(folder: &Path, facts: &RunFacts<'_>, record: &RunRecord<'_>) -> String {
    let started = Started {
        event: "run_started",
        at_ms: facts.started_ms,
        run_id: facts.run_id,
        pipeline: facts.pipeline,
        targets: &facts.plan.targets,
        tasks: &facts.plan.tasks,
        concurrency: facts.call.cores,
        folder: &folder.to_string_lossy(),
    };
    let mut text = compact(&started);
    for task in record.tasks {
        let at_ms = facts.finished_ms;
        text += &compact(&Finished {
            event: "task_finished",
            at_ms,
            task,
        });
    }
    let record = &RunRecord::of(facts, &record.counts, record.time_saved_ms, &[]);
    text + &compact(&Ended {
        event: "run_finished",
        at_ms: facts.finished_ms,
        record,
    })
}

/// JSON on one line without white space, and the end of the line.
fn compact<T: Serialize>(value: &T) -> String {
    // These types have no maps with keys that are no text: they are always JSON.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// JSON on one line with a space after commas and colons, as Python writes it.
fn spaced<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Spaced);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

/// Removes the oldest records beyond `keep` (0: none). What cannot be removed stays.
pub(super) fn prune(root: &Path, keep: usize) {
    let Ok(listed) = fs::read_dir(root.join(".pipec/runs")) else {
        return;
    };
    let mut runs: Vec<PathBuf> = listed
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    if keep == 0 || runs.len() <= keep {
        return;
    }
    runs.sort_unstable();
    for run in &runs[..runs.len() - keep] {
        let _ = fs::remove_dir_all(run);
    }
}

#[derive(Serialize)]
struct Started<'a> {
    event: &'static str,
    at_ms: u64,
    run_id: &'a str,
    pipeline: &'a str,
    targets: &'a [String],
    tasks: &'a [String],
    concurrency: u32,
    folder: &'a str,
}

#[derive(Serialize)]
struct Finished<'a, T> {
    event: &'static str,
    at_ms: u64,
    task: &'a T,
}

#[derive(Serialize)]
struct Ended<'a, T> {
    event: &'static str,
    at_ms: u64,
    record: &'a T,
}
