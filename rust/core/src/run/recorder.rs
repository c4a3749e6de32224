//! Everything that happens in a run passes here: to the journal, the record and whoever reads along.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::World;
use super::journal::{Event, Journal};
use super::record::{Ending, RunFacts, RunRecord, Status, TaskRecord, WarningRecord, timestamp};
use super::records::{write_record, write_summary};
use super::report::Report;
use super::voice::{Aside, Voice};
use super::words::refusal;
use crate::clock::milliseconds;
use crate::error::Error;
use crate::view::{Fate, View};

const WRITE_EVERY: Duration = Duration::from_secs(1);
const WRITE_SHARE: u32 = 20;

/// The record of one run while it grows. A record that cannot be written is a warning.
pub(crate) struct Recorder<'a> {
    facts: &'a RunFacts<'a>,
    folder: &'a Path,
    report: Report<'a>,
    world: &'a dyn World,
    voice: Voice<'a>,
    started: Duration,
    /// Where each task stands in the plan.
    places: HashMap<&'a str, usize>,
    inner: Mutex<Inner>,
}

struct Inner {
    tasks: Vec<TaskRecord>,
    warnings: Vec<WarningRecord>,
    journal: Journal,
    next_write: Duration,
    is_new: bool,
    /// The closed record as JSON for people and programs, if it is wanted.
    told: Option<String>,
}

impl<'a> Recorder<'a> {
    /// `words` are said first, in the view that shows the run.
    pub(crate) fn new(
        facts: &'a RunFacts<'a>,
        folder: &'a Path,
        report: Report<'a>,
        world: &'a dyn World,
        started: Duration,
        mut view: View,
        words: &str,
    ) -> Self {
        view.say(words);
        let tasks = facts.planned.iter().map(|id| TaskRecord::waiting(id));
        let places = facts.planned.iter().enumerate();
        Self {
            facts,
            folder,
            report,
            world,
            voice: Voice::new(world, view),
            started,
            places: places.map(|(place, id)| (id.as_str(), place)).collect(),
            inner: Mutex::new(Inner {
                tasks: tasks.collect(),
                warnings: Vec::new(),
                journal: Journal::at(folder),
                next_write: Duration::ZERO,
                is_new: false,
                told: None,
            }),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.world.now_ms()
    }

    /// Tells that the run starts.
    pub(crate) fn begin(&self) {
        let facts = self.facts;
        self.emit(&Event::RunStarted {
            at_ms: facts.started_ms,
            run_id: facts.run_id,
            pipeline: facts.pipeline,
            targets: facts.targets,
            tasks: facts.planned,
            concurrency: facts.request.concurrency,
            folder: &self.folder.to_string_lossy(),
        });
    }

    pub(crate) fn emit(&self, event: &Event<'_>) {
        self.lock().journal.add(event);
    }

    /// Something may run from now on: every task, and how long it took when it last ran.
    pub(crate) fn expect<'t>(&self, tasks: impl Iterator<Item = (&'t str, Option<u64>)>) {
        let now = self.world.monotonic();
        self.voice.view().expect(tasks, now);
    }

    /// The task has started.
    pub(crate) fn set_running(&self, task: &str) {
        let now = self.world.monotonic();
        self.voice.view().started(task, now);
        let mut inner = self.lock();
        if let Some(place) = self.places.get(task) {
            inner.tasks[*place] = TaskRecord {
                status: Status::Running,
                started_at: Some(timestamp(self.world.now_ms())),
                ..TaskRecord::waiting(task)
            };
        }
    }

    /// The task is in its final state.
    pub(crate) fn settle(&self, record: TaskRecord) {
        let mut inner = self.lock();
        let at_ms = self.world.now_ms();
        let event = if record.status == Status::Skipped {
            Event::TaskSkipped {
                at_ms,
                task: &record,
            }
        } else {
            Event::TaskFinished {
                at_ms,
                task: &record,
            }
        };
        inner.journal.add(&event);
        {
            let mut view = self.voice.view();
            view.settled(
                &record.id,
                Fate::of(record.status.word()).unwrap_or(Fate::Left),
            );
            let mut words = String::new();
            self.report.finished(&record, view.columns(), &mut words);
            view.say(&words);
        }
        inner.is_new = true;
        if let Some(place) = self.places.get(record.id.as_str()) {
            inner.tasks[*place] = record;
        }
    }

    /// A try ended; with `retry_in_ms` another one follows.
    pub(crate) fn attempt_finished(
        &self,
        task: &str,
        number: u32,
        exit_code: i32,
        error: Option<&str>,
        retry_in_ms: Option<u64>,
    ) {
        let mut inner = self.lock();
        inner.journal.add(&Event::AttemptFinished {
            at_ms: self.world.now_ms(),
            task,
            number,
            exit_code,
            error,
            retry_in_ms,
        });
        if let Some(delay) = retry_in_ms {
            let why = error.map_or_else(|| format!("exit code {exit_code}"), str::to_owned);
            let mut words = String::new();
            self.report.retry(task, number, &why, delay, &mut words);
            self.voice.view().say(&words);
        }
    }

    /// Something that the run goes on without.
    pub(crate) fn warn(&self, code: &'static str, message: String, task: Option<&str>) {
        self.warn_with(&mut self.lock(), code, message, task);
    }

    fn warn_with(
        &self,
        inner: &mut Inner,
        code: &'static str,
        message: String,
        task: Option<&str>,
    ) {
        let warning = WarningRecord {
            code,
            message,
            task: task.map(str::to_owned),
        };
        inner.journal.add(&Event::WarningRaised {
            at_ms: self.world.now_ms(),
            code,
            message: &warning.message,
            task,
        });
        let mut words = String::new();
        self.report.warning(&warning, &mut words);
        self.voice.view().say(&words);
        inner.warnings.push(warning);
    }

    pub(crate) fn status_of(&self, task: &str) -> Option<Status> {
        let place = self.places.get(task)?;
        self.lock().tasks.get(*place).map(|task| task.status)
    }

    /// Hands over what there is to say and to note: now somebody may wait.
    pub(crate) fn flush(&self) {
        self.note(&mut self.lock());
        self.voice.flush();
    }

    fn note(&self, inner: &mut Inner) {
        if let Err(error) = inner.journal.flush() {
            self.warn_of_record(inner, &error);
        }
    }

    /// Draws what runs now, if there is a terminal and it is time. Gives how long the next picture can wait.
    pub(crate) fn beat(&self) -> Option<Duration> {
        self.voice.beat()
    }

    /// A part of the output of a task that runs, without secrets.
    pub(crate) fn output(&self, task: &str, data: &[u8]) {
        self.voice.output(task, data);
    }

    /// A step is about to start.
    pub(crate) fn step_started(&self, event: &Event<'_>) {
        self.emit(event);
        if let Event::StepStarted { task, command, .. } = event {
            let mut words = String::new();
            self.report.step(task, command, &mut words);
            self.voice.view().say(&words);
        }
    }

    /// Leaves the screen to somebody else, as long as they keep what this gives.
    pub(crate) fn step_aside(&self) -> Aside<'_> {
        self.voice.step_aside()
    }

    /// What stands on the screen is not what was drawn last.
    pub(crate) fn lost_the_screen(&self) {
        self.voice.view().lost_the_screen();
    }

    /// Whether nobody reads any more: then the run ends.
    pub(crate) fn output_is_closed(&self) -> bool {
        self.voice.is_closed()
    }

    /// Writes the record, unless nothing is new or that was a moment ago.
    pub(crate) fn save(&self) {
        self.voice.flush();
        let mut inner = self.lock();
        self.note(&mut inner);
        let now = self.world.monotonic();
        if !inner.is_new || now < inner.next_write {
            return;
        }
        self.write(&mut inner);
    }

    /// Writes the record of the run as it starts.
    pub(crate) fn save_first(&self) {
        self.voice.flush();
        let mut inner = self.lock();
        self.note(&mut inner);
        self.write(&mut inner);
    }

    fn write(&self, inner: &mut Inner) {
        let now = self.world.monotonic();
        let record = RunRecord::of(self.facts, &inner.tasks, &inner.warnings, None);
        let written = write_record(self.folder, &record);
        inner.is_new = false;
        if let Err(error) = written {
            self.warn_of_record(inner, &io_of(error));
        }
        // The record of a huge run takes its time to write: it gets a small share of the run.
        let done = self.world.monotonic();
        let pause = WRITE_SHARE * done.saturating_sub(now);
        inner.next_write = done + pause.max(WRITE_EVERY);
    }

    /// Closes the record and tells of the end.
    pub(crate) fn finish(&self, status: &'static str, exit_code: u8, reason: Option<&str>) {
        let mut inner = self.lock();
        let ending = Ending {
            status,
            exit_code,
            reason,
            finished_ms: self.world.now_ms(),
            duration_ms: milliseconds(self.world.monotonic().saturating_sub(self.started)),
        };
        let tasks = std::mem::take(&mut inner.tasks);
        let warnings = inner.warnings.clone();
        let told = RunRecord::of(self.facts, &tasks, &warnings, Some(ending));
        inner.journal.add(&Event::RunFinished {
            at_ms: ending.finished_ms,
            record: &told.alone(),
        });
        let mut words = String::new();
        self.report.summary(&told, &mut words);
        self.voice.view().say(&words);
        self.note(&mut inner);
        self.voice.rest();
        let written =
            write_record(self.folder, &told).and_then(|()| write_summary(self.folder, &told));
        if let Err(error) = written {
            self.warn_of_record(&mut inner, &io_of(error));
            self.note(&mut inner);
            self.voice.rest();
        }
        if self.facts.tells_record {
            // As indented text it cannot fail: every key is text.
            inner.told = serde_json::to_string_pretty(&told).ok();
        }
        inner.tasks = tasks;
    }

    /// The closed record as JSON.
    pub(crate) fn told(&self) -> Option<String> {
        self.lock().told.take().map(|text| text + "\n")
    }

    /// Said once: a disk that is full stays full.
    fn warn_of_record(&self, inner: &mut Inner, error: &io::Error) {
        const CODE: &str = "PIPEC_STATE_UNWRITABLE";
        if inner.warnings.iter().any(|warning| warning.code == CODE) {
            return;
        }
        let message = format!("the record of this run is incomplete: {}", refusal(error));
        self.warn_with(inner, CODE, message, None);
    }

    /// Whether there is such a task.
    pub(crate) fn any_task(&self, is_wanted: impl FnMut(&TaskRecord) -> bool) -> bool {
        self.lock().tasks.iter().any(is_wanted)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn io_of(error: Error) -> io::Error {
    match error {
        Error::Io { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}
