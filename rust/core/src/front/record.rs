//! The record of a run in which nothing ran: the same fields, in the same order, as any other.

use serde::Serialize;

use super::plan::Plan;
use super::{Call, VERSION};
use crate::engine::Decision;

const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
pub(super) struct RunRecord<'a> {
    pub(super) run_id: &'a str,
    tool_version: &'a str,
    pub(super) pipeline: &'a str,
    ir_digest: &'a str,
    pid: u32,
    pub(super) request: RequestRecord<'a>,
    pub(super) status: &'a str,
    started_at: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) tasks: &'a [TaskRecord],
    pub(super) counts: Counts,
    pub(super) time_saved_ms: u64,
    schema_version: u32,
    exit_code: u8,
    finished_at: String,
    pub(super) duration_ms: u64,
    warnings: [String; 0],
}

#[derive(Serialize)]
pub(super) struct RequestRecord<'a> {
    pub(super) targets: &'a [String],
    force: bool,
    concurrency: u32,
    params: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Serialize)]
pub(super) struct TaskRecord {
    pub(super) id: String,
    pub(super) status: &'static str,
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    attempts: [String; 0],
    started_at: String,
    pub(super) duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Outputs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

#[derive(Clone, Serialize)]
pub(super) struct Verdict {
    pub(super) kind: &'static str,
}

#[derive(Clone, Serialize)]
struct Outputs {
    files: u64,
    bytes: u64,
    digest: String,
}

#[derive(Clone, Serialize)]
struct Origin {
    run_id: String,
    finished_at: String,
    duration_ms: u64,
}

#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Counts {
    waiting: u64,
    running: u64,
    pub(super) passed: u64,
    failed: u64,
    pub(super) cached: u64,
    skipped: u64,
    cancelled: u64,
}

/// What a record says beside its tasks.
pub(super) struct RunFacts<'a> {
    pub(super) run_id: &'a str,
    pub(super) pipeline: &'a str,
    pub(super) ir_digest: &'a str,
    pub(super) call: &'a Call,
    pub(super) plan: &'a Plan,
    pub(super) started_ms: u64,
    pub(super) finished_ms: u64,
}

impl<'a> RunRecord<'a> {
    pub(super) fn of(
        facts: &RunFacts<'a>,
        counts: &Counts,
        time_saved_ms: u64,
        tasks: &'a [TaskRecord],
    ) -> Self {
        Self {
            run_id: facts.run_id,
            tool_version: VERSION,
            pipeline: facts.pipeline,
            ir_digest: facts.ir_digest,
            pid: facts.call.pid,
            request: RequestRecord {
                targets: &facts.plan.asked,
                force: false,
                concurrency: facts.call.cores,
                params: std::collections::BTreeMap::new(),
            },
            status: "passed",
            started_at: timestamp(facts.started_ms),
            tasks,
            counts: *counts,
            time_saved_ms,
            schema_version: SCHEMA_VERSION,
            exit_code: 0,
            finished_at: timestamp(facts.finished_ms),
            duration_ms: facts.finished_ms.saturating_sub(facts.started_ms),
            warnings: [],
        }
    }
}

impl Counts {
    pub(super) fn of(tasks: &[TaskRecord]) -> Self {
        let count = |status| tasks.iter().filter(|task| task.status == status).count() as u64;
        Self {
            passed: count("passed"),
            cached: count("cached"),
            ..Self::default()
        }
    }
}

/// How long the hits took when they ran.
pub(super) fn time_saved_ms(tasks: &[TaskRecord]) -> u64 {
    tasks
        .iter()
        .filter_map(|task| task.origin.as_ref())
        .map(|origin| origin.duration_ms)
        .sum()
}

impl TaskRecord {
    pub(super) fn of_hit(id: &str, decision: &Decision, started_at: &str) -> Option<Self> {
        let entry = decision.entry.as_ref()?;
        Some(Self {
            id: id.to_owned(),
            status: "cached",
            verdict: Verdict { kind: "hit" },
            key: Some(decision.key.clone()),
            attempts: [],
            started_at: started_at.to_owned(),
            duration_ms: 0,
            outputs: Some(Outputs {
                files: entry.files,
                bytes: entry.bytes,
                digest: entry.outputs_digest.clone(),
            }),
            origin: Some(Origin {
                run_id: entry.run_id.clone(),
                finished_at: timestamp(entry.finished_ms),
                duration_ms: entry.duration_ms,
            }),
        })
    }

    pub(super) fn of_group(id: &str, is_cached: bool, started_at: &str) -> Self {
        Self {
            id: id.to_owned(),
            status: if is_cached { "cached" } else { "passed" },
            verdict: Verdict { kind: "group" },
            key: None,
            attempts: [],
            started_at: started_at.to_owned(),
            duration_ms: 0,
            outputs: None,
            origin: None,
        }
    }
}

/// A time as records write it: `2026-11-22T01:19:48.123Z`.
pub(super) fn timestamp(epoch_ms: u64) -> String {
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
pub(super) struct Moment {
    pub(super) year: u64,
    pub(super) month: u64,
    pub(super) day: u64,
    pub(super) hour: u64,
    pub(super) minute: u64,
    pub(super) second: u64,
    pub(super) millisecond: u64,
}

impl Moment {
    /// Days to years by the 400-year cycle of the Gregorian calendar, counted from the first of March,
    /// so that the leap day is the last of a year.
    pub(super) fn of(epoch_ms: u64) -> Self {
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
