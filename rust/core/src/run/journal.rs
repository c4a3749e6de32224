//! The journal of a run: one event a line, only ever added to. What a crash leaves behind.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::record::{RunRecord, TaskRecord, Verdict};

/// What happens, as `python/pipec/runtime/events.py` says it. Output is not in the journal: each task's
/// log has that, in full.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    RunStarted {
        at_ms: u64,
        run_id: &'a str,
        pipeline: &'a str,
        targets: &'a [String],
        tasks: &'a [String],
        concurrency: u32,
        folder: &'a str,
    },
    TaskReady {
        at_ms: u64,
        task: &'a str,
    },
    TaskStarted {
        at_ms: u64,
        task: &'a str,
        verdict: &'a Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<&'a str>,
    },
    AttemptStarted {
        at_ms: u64,
        task: &'a str,
        number: u32,
        limit: u32,
    },
    StepStarted {
        at_ms: u64,
        task: &'a str,
        index: usize,
        command: &'a str,
    },
    AttemptFinished {
        at_ms: u64,
        task: &'a str,
        number: u32,
        exit_code: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_in_ms: Option<u64>,
    },
    TaskFinished {
        at_ms: u64,
        task: &'a TaskRecord,
    },
    TaskSkipped {
        at_ms: u64,
        task: &'a TaskRecord,
    },
    WarningRaised {
        at_ms: u64,
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<&'a str>,
    },
    /// Without the tasks: each has had its own line.
    RunFinished {
        at_ms: u64,
        record: &'a RunRecord<'a>,
    },
}

pub(crate) struct Journal {
    path: PathBuf,
    file: Option<File>,
    pending: Vec<u8>,
    is_broken: bool,
}

impl Journal {
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            path: folder.join("journal.jsonl"),
            file: None,
            pending: Vec::new(),
            is_broken: false,
        }
    }

    /// Notes an event; `flush` writes it.
    pub(crate) fn add(&mut self, event: &Event<'_>) {
        if !self.is_broken {
            // These types have no maps with keys that are no text: they are always JSON.
            let _ = serde_json::to_writer(&mut self.pending, event);
            self.pending.push(b'\n');
        }
    }

    /// Writes what was noted. After an error nothing more is written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() || self.is_broken {
            return Ok(());
        }
        let written = self.write();
        self.pending.clear();
        self.is_broken = written.is_err();
        written
    }

    fn write(&mut self) -> io::Result<()> {
        let mut file = if let Some(file) = self.file.take() {
            file
        } else {
            let mut options = OpenOptions::new();
            options.append(true).create(true).mode(0o644);
            options.open(&self.path)?
        };
        file.write_all(&self.pending)?;
        self.file = Some(file);
        Ok(())
    }
}
