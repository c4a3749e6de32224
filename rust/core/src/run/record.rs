//! What is kept of a run: the same fields, in the same order, whoever ran it.
//!
//! `python/pipec/runtime/record.py` says what each of them means.

use std::collections::BTreeMap;
use std::ops::Not;

use serde::Serialize;

use crate::engine::{Decision, EntryFacts, Verdict as Found};
use crate::front::VERSION;

const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
pub(crate) struct RunRecord<'a> {
    pub(crate) run_id: &'a str,
    tool_version: &'a str,
    pub(crate) pipeline: &'a str,
    ir_digest: &'a str,
    pid: u32,
    pub(crate) request: RequestRecord<'a>,
    pub(crate) status: &'static str,
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks: Option<&'a [TaskRecord]>,
    pub(crate) counts: Counts,
    pub(crate) time_saved_ms: u64,
    schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    pub(crate) warnings: &'a [WarningRecord],
}

/// What was asked for. What is none was not.
#[derive(Clone, Serialize)]
pub(crate) struct RequestRecord<'a> {
    pub(crate) targets: &'a [String],
    pub(crate) force: bool,
    pub(crate) concurrency: u32,
    pub(crate) params: &'a BTreeMap<String, String>,
    /// Unless it is `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) continue_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "is_no")]
    pub(crate) only: bool,
    /// Without secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    /// Without secrets, as the names below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) approved: Vec<String>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_no(value: &bool) -> bool {
    !*value
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct WarningRecord {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct TaskRecord {
    pub(crate) id: String,
    pub(crate) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) attempts: Vec<AttemptRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outputs: Option<Outputs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorRecord>,
    /// Whether the run passes although this task failed.
    #[serde(skip_serializing_if = "Not::not")]
    pub(crate) may_fail: bool,
}

/// Where a task stands. The last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Waiting,
    Running,
    Passed,
    Failed,
    Cached,
    Skipped,
    Cancelled,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Cached => "cached",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a task ran, or did not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changed: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) more: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) change: &'static str,
}

impl Verdict {
    pub(crate) fn of_kind(kind: &'static str) -> Self {
        Self {
            kind,
            component: None,
            changed: Vec::new(),
            more: None,
            detail: None,
        }
    }

    pub(crate) fn of(found: &Found) -> Self {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let changed = found.changed.iter().map(|file| Change {
            path: file.path.clone(),
            change: file.change,
        });
        Self {
            kind: found.kind,
            component: text(&found.component),
            changed: changed.collect(),
            more: (found.more > 0).then_some(found.more),
            detail: text(&found.detail),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct AttemptRecord {
    pub(crate) number: u32,
    pub(crate) started_at: String,
    pub(crate) duration_ms: u64,
    pub(crate) exit_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    pub(crate) timed_out: bool,
    pub(crate) steps: Vec<StepRecord>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct StepRecord {
    pub(crate) command: String,
    pub(crate) started_at: String,
    pub(crate) duration_ms: u64,
    pub(crate) exit_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    pub(crate) timed_out: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outputs {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin {
    run_id: String,
    finished_at: String,
    duration_ms: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ErrorRecord {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Counts {
    waiting: u64,
    running: u64,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) cached: u64,
    pub(crate) skipped: u64,
    pub(crate) cancelled: u64,
}

/// What a record says beside its tasks; the same from start to end.
#[derive(Clone)]
pub(crate) struct RunFacts<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) pipeline: &'a str,
    pub(crate) ir_digest: &'a str,
    pub(crate) pid: u32,
    pub(crate) request: RequestRecord<'a>,
    /// Whether somebody wants the closed record.
    pub(crate) tells_record: bool,
    /// The tasks asked for.
    pub(crate) targets: &'a [String],
    /// All tasks of the plan, in its order.
    pub(crate) planned: &'a [String],
    pub(crate) started_ms: u64,
}

/// How a run ended, and when.
#[derive(Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) status: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) reason: Option<&'a str>,
    pub(crate) finished_ms: u64,
    pub(crate) duration_ms: u64,
}

impl<'a> RunRecord<'a> {
    /// The record as it is now; without `ending` the run goes on.
    pub(crate) fn of(
        facts: &'a RunFacts<'a>,
        tasks: &'a [TaskRecord],
        warnings: &'a [WarningRecord],
        ending: Option<Ending<'a>>,
    ) -> Self {
        Self {
            run_id: facts.run_id,
            tool_version: VERSION,
            pipeline: facts.pipeline,
            ir_digest: facts.ir_digest,
            pid: facts.pid,
            request: facts.request.clone(),
            status: ending.map_or("running", |ending| ending.status),
            started_at: timestamp(facts.started_ms),
            tasks: Some(tasks),
            counts: Counts::of(tasks),
            time_saved_ms: time_saved_ms(tasks),
            schema_version: SCHEMA_VERSION,
            exit_code: ending.map(|ending| ending.exit_code),
            finished_at: ending.map(|ending| timestamp(ending.finished_ms)),
            duration_ms: ending.map(|ending| ending.duration_ms),
            reason: ending.and_then(|ending| ending.reason),
            warnings,
        }
    }

    /// The same without the tasks.
    pub(crate) fn alone(&self) -> Self {
        Self {
            started_at: self.started_at.clone(),
            finished_at: self.finished_at.clone(),
            request: self.request.clone(),
            tasks: None,
            ..*self
        }
    }

    pub(crate) fn tasks(&self) -> &'a [TaskRecord] {
        self.tasks.unwrap_or_default()
    }
}

impl Counts {
    fn of(tasks: &[TaskRecord]) -> Self {
        let mut counts = Self::default();
        for task in tasks {
            let count = match task.status {
                Status::Waiting => &mut counts.waiting,
                Status::Running => &mut counts.running,
                Status::Passed => &mut counts.passed,
                Status::Failed => &mut counts.failed,
                Status::Cached => &mut counts.cached,
                Status::Skipped => &mut counts.skipped,
                Status::Cancelled => &mut counts.cancelled,
            };
            *count += 1;
        }
        counts
    }
}

/// How much longer the hits took when they ran than they took now.
fn time_saved_ms(tasks: &[TaskRecord]) -> u64 {
    let hits = tasks.iter().filter(|task| task.status == Status::Cached);
    hits.filter_map(|task| Some((task.origin.as_ref()?, task.duration_ms.unwrap_or(0))))
        .map(|(origin, took)| origin.duration_ms.saturating_sub(took))
        .sum()
}

impl TaskRecord {
    /// A task before it starts.
    pub(crate) fn waiting(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            status: Status::Waiting,
            verdict: None,
            key: None,
            attempts: Vec::new(),
            started_at: None,
            duration_ms: None,
            log: None,
            outputs: None,
            origin: None,
            reason: None,
            error: None,
            may_fail: false,
        }
    }

    /// A hit whose outputs are in place. None for a decision that is none.
    pub(crate) fn of_hit(
        id: &str,
        decision: &Decision,
        started_at: &str,
        duration_ms: u64,
    ) -> Option<Self> {
        let entry = decision.entry.as_ref()?;
        Some(Self {
            status: Status::Cached,
            verdict: Some(Verdict::of(&decision.verdict)),
            key: Some(decision.key.clone()),
            started_at: Some(started_at.to_owned()),
            duration_ms: Some(duration_ms),
            outputs: Some(Outputs {
                files: entry.files,
                bytes: entry.bytes,
                digest: Some(entry.outputs_digest.clone()),
            }),
            origin: Some(Origin::of(entry)),
            ..Self::waiting(id)
        })
    }

    /// A task without steps: cached when all that it stands for is.
    pub(crate) fn of_group(id: &str, is_cached: bool, started_at: &str) -> Self {
        Self {
            status: if is_cached {
                Status::Cached
            } else {
                Status::Passed
            },
            verdict: Some(Verdict::of_kind("group")),
            started_at: Some(started_at.to_owned()),
            duration_ms: Some(0),
            ..Self::waiting(id)
        }
    }

    /// A task that does not run in this run.
    pub(crate) fn skipped(id: &str, reason: String) -> Self {
        Self {
            status: Status::Skipped,
            reason: Some(reason),
            ..Self::waiting(id)
        }
    }
}

impl Origin {
    fn of(entry: &EntryFacts) -> Self {
        Self {
            run_id: entry.run_id.clone(),
            finished_at: timestamp(entry.finished_ms),
            duration_ms: entry.duration_ms,
        }
    }
}

/// A time as records write it: `2026-11-22T01:19:48.123Z`.
pub(crate) fn timestamp(epoch_ms: u64) -> String {
    let moment = Moment::of(epoch_ms);
    let Moment {
        year,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
    } = moment;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// A time in the calendar of UTC.
pub(crate) struct Moment {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
    pub(crate) millisecond: u64,
}

impl Moment {
    /// Days to years by the 400-year cycle of the Gregorian calendar, counted from the first of March,
    /// so that the leap day is the last of a year.
    pub(crate) fn of(epoch_ms: u64) -> Self {
        const DAYS_TO_1970: u64 = 719_468;
        const CYCLE: u64 = 146_097;
        let (seconds, millisecond) = (epoch_ms / 1000, epoch_ms % 1000);
        let days = seconds / 86_400 + DAYS_TO_1970;
        let (cycle, in_cycle) = (days / CYCLE, days % CYCLE);
        let year_in_cycle =
            (in_cycle - in_cycle / 1_460 + in_cycle / 36_524 - in_cycle / 146_096) / 365;
        let in_year = in_cycle - (365 * year_in_cycle + year_in_cycle / 4 - year_in_cycle / 100);
        let from_march = (5 * in_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        Self {
            year: cycle * 400 + year_in_cycle + u64::from(month <= 2),
            month,
            day: in_year - (153 * from_march + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millisecond,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(timestamp(1_709_251_199_999), "2024-02-29T23:59:59.999Z");
        assert_eq!(timestamp(1_795_310_400_000), "2026-11-22T01:20:00.000Z");
        assert_eq!(timestamp(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }
}
