//! The folder of records: one folder a run, names that sort by time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::graph::Graph;
use super::record::{Moment, RunRecord};
use super::summary::summary;
use crate::key::environment::Variables;
use crate::store::replace;

/// How many records stay, and how many bytes of each log, unless the environment says otherwise.
const KEPT: usize = 50;
const LOG_BYTES: u64 = 8 << 20;

/// What the environment says of records and logs.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// 0: all.
    pub(crate) runs: usize,
    /// Of each task's log; 0: no limit.
    pub(crate) log_bytes: u64,
}

impl Bounds {
    /// None if the variables that bound records and logs are no numbers: the long way complains.
    pub(crate) fn of(environment: &Variables) -> Option<Self> {
        let number = |name: &str| match environment.get(name).map(String::as_str) {
            None | Some("") => Some(None),
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse::<u64>().ok().map(Some)
            }
            Some(_) => None,
        };
        let runs = number("PIPEC_KEEP_RUNS")?;
        Some(Self {
            runs: runs.map_or(Some(KEPT), |runs| usize::try_from(runs).ok())?,
            log_bytes: number("PIPEC_MAX_LOG_BYTES")?.unwrap_or(LOG_BYTES),
        })
    }
}

/// An id that sorts by time and that no other run has.
pub(crate) fn run_id(now_ms: u64, nonce: [u8; 4]) -> String {
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

/// Makes the folder of a new record.
pub(crate) fn create_folder(root: &Path, run_id: &str) -> io::Result<PathBuf> {
    let folder = root.join(".pipec/runs").join(run_id);
    fs::create_dir_all(folder.join("logs"))?;
    Ok(folder)
}

/// Puts `execution.json` in place, whole.
pub(crate) fn write_record(folder: &Path, record: &RunRecord<'_>) -> crate::Result<()> {
    put(folder, "execution.json", spaced(record) + "\n")
}

/// Puts `summary.md` in place.
pub(crate) fn write_summary(folder: &Path, record: &RunRecord<'_>) -> crate::Result<()> {
    put(folder, "summary.md", summary(record) + "\n")
}

/// Puts `graph.json` in place.
pub(crate) fn write_graph(folder: &Path, graph: &Graph<'_>) -> crate::Result<()> {
    put(folder, "graph.json", spaced(graph) + "\n")
}

fn put(folder: &Path, name: &str, text: String) -> crate::Result<()> {
    replace(
        &folder.join(name),
        &folder.join(format!("{name}.tmp")),
        text.as_bytes(),
    )
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
pub(crate) fn prune(root: &Path, keep: usize) {
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
