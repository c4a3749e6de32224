//! Running a plan: as many tasks at once as allowed, none before its time, and the record of it all.
//!
//! Every task that runs has a thread that waits for its processes; the thread that was called hears
//! signals and writes the record now and then. Nothing here knows Python.

mod attempt;
mod check;
mod direct;
mod environment;
pub(crate) mod graph;
mod interrupt;
mod journal;
mod limit;
mod log;
mod perform;
pub(crate) mod record;
mod recorder;
pub(crate) mod records;
mod redaction;
pub(crate) mod report;
mod schedule;
mod session;
mod step;
mod summary;
mod voice;
pub(crate) mod words;
mod workers;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) use check::{Checked, check};
pub(crate) use limit::Limit;
pub(crate) use recorder::Recorder;
pub(crate) use schedule::ContinueMode;

use crate::clock::Clock;
use crate::engine::{Decision, Engine};
use crate::error::{Error, Result};
use crate::ir::Pipeline;
use crate::key::environment::Variables;
use crate::process::{Groups, Marks, Processes, Watched, Watcher, end_survivors};
use crate::view::Size;
use interrupt::{End, Interrupt};
use record::{ErrorRecord, Status, TaskRecord};
use redaction::Redaction;
use session::Session;
use words::refusal;

/// How long a process has between TERM and KILL.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// What changes while a run goes on, and how it speaks.
pub trait World: Clock {
    /// Whether somebody asked the process to end. Asked on the calling thread only.
    fn is_interrupted(&self) -> bool;

    /// Words for people, as they come.
    fn say(&self, words: &[u8]) -> io::Result<()>;

    /// How large the terminal is on which they are read, if there is one.
    fn screen(&self) -> Size;
}

/// What there is to run.
pub(crate) struct Work<'a> {
    pub(crate) root: &'a Path,
    pub(crate) run_id: &'a str,
    pub(crate) pipeline: &'a Pipeline,
    /// Each task after those that it depends on.
    pub(crate) tasks: &'a [String],
    /// Other tasks, which are in place: what depends on them alone is as it was foreseen.
    pub(crate) others: &'a HashSet<&'a str>,
    /// What is done while the first task runs, and before anything is told of it.
    pub(crate) meanwhile: &'a (dyn Fn() + Sync),
    pub(crate) engine: &'a Engine,
    pub(crate) decisions: &'a BTreeMap<String, Decision>,
    pub(crate) host: &'a Variables,
    pub(crate) concurrency: usize,
    pub(crate) continue_mode: ContinueMode,
    pub(crate) limit: Option<&'a Limit>,
    pub(crate) params: &'a BTreeMap<String, String>,
    /// When the run began.
    pub(crate) started: Duration,
    pub(crate) log_bytes: u64,
    pub(crate) checked: Checked,
    /// The program that ends what is left of the run when pipec is gone, with its first arguments.
    pub(crate) ender: &'a [String],
    pub(crate) world: &'a dyn World,
}

/// Everything that the tasks of one run share.
struct Context<'a> {
    root: &'a str,
    run_id: &'a str,
    host: &'a Variables,
    engine: &'a Engine,
    recorder: &'a Recorder<'a>,
    redaction: &'a Redaction,
    processes: &'a Processes<'a>,
    marks: &'a Marks,
    interrupt: &'a Interrupt,
    params: &'a BTreeMap<String, String>,
    world: &'a dyn World,
    /// The folder of the session's results.
    session: &'a str,
    log_bytes: u64,
    sessions: &'a Watched,
    watcher: Mutex<Option<Watcher>>,
    ender: Vec<String>,
}

impl Context<'_> {
    /// An error for a record, without secrets.
    fn error(&self, code: &'static str, message: &str) -> ErrorRecord {
        ErrorRecord {
            code,
            message: self.redaction.text(message),
        }
    }

    /// A warning, without secrets.
    fn warn(&self, code: &'static str, message: &str, task: Option<&str>) {
        self.recorder.warn(code, self.redaction.text(message), task);
    }

    /// Sees to it that the run is watched from now on.
    fn watch(&self) -> io::Result<()> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if watcher.is_none() {
            // The watcher of a pipec inside a pipec must not look like a process of the outer run.
            let mut env = self.host.clone();
            env.remove("PIPEC_RUN_ID");
            *watcher = Some(Watcher::start(self.sessions, &self.ender, &env)?);
        }
        Ok(())
    }
}

/// Runs the plan and closes its record; gives the exit status of the program.
///
/// Fails only when pipec itself did something wrong; the record says so then.
pub(crate) fn execute(work: &Work<'_>, recorder: &Recorder<'_>) -> Result<u8> {
    let in_place = in_place(work);
    for name in &work.checked.short_secrets {
        let message =
            format!("the secret `{name}` has fewer than 4 characters and will not be masked");
        recorder.warn("PIPEC_SHORT_SECRET", message, None);
    }
    let outcome = run_tasks(work, recorder, &in_place);
    match outcome {
        Ok(Some(end)) => {
            recorder.finish(end.status, end.exit_code, Some(&end.reason));
            Ok(end.exit_code)
        }
        Ok(None) => {
            let is_failure = |task: &TaskRecord| task.status == Status::Failed && !task.may_fail;
            let (status, exit_code) = if recorder.any_task(is_failure) {
                ("failed", 1)
            } else {
                ("passed", 0)
            };
            recorder.finish(status, exit_code, None);
            Ok(exit_code)
        }
        Err(error) => {
            recorder.finish("failed", 2, Some("internal error"));
            Err(error)
        }
    }
}

/// How the run ended, if that was from outside.
fn run_tasks(
    work: &Work<'_>,
    recorder: &Recorder<'_>,
    in_place: &HashSet<&str>,
) -> Result<Option<End>> {
    let fault = |error: io::Error| Error::at(work.root)(error);
    let session = Session::open(work.host, work.run_id).map_err(fault)?;
    let sessions = Watched::new().map_err(fault)?;
    let groups = Groups::new(sessions.clone());
    let processes = Processes::new(&groups, as_clock(work.world), KILL_GRACE).map_err(fault)?;
    let interrupt = Interrupt::default();
    let marks = Marks::draw().map_err(fault)?;
    let mut ender = work.ender.to_vec();
    ender.push(work.run_id.to_owned());
    ender.push(marks.run().number().to_string());
    ender.extend(session.own_folder().map(str::to_owned));
    let root = work.root.to_string_lossy();
    let run = Context {
        root: &root,
        run_id: work.run_id,
        host: work.host,
        engine: work.engine,
        recorder,
        redaction: &work.checked.redaction,
        processes: &processes,
        marks: &marks,
        interrupt: &interrupt,
        params: work.params,
        world: work.world,
        session: session.folder(),
        log_bytes: work.log_bytes,
        sessions: &sessions,
        watcher: Mutex::new(None),
        ender,
    };
    workers::drive(&run, work, &groups, in_place)?;
    if interrupt.is_requested() {
        end_survivors(work.run_id, None, marks.run(), &groups.live());
    }
    if let Err(error) = work.engine.save() {
        let reason = match &error {
            Error::Io { source, .. } => refusal(source),
            other => other.to_string(),
        };
        let message = format!("what pipec knows of the files cannot be kept: {reason}");
        recorder.warn("PIPEC_STATE_UNWRITABLE", message, None);
    }
    let watcher = run
        .watcher
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(watcher) = watcher {
        watcher.stop();
    }
    Ok(interrupt.end())
}

fn as_clock(world: &dyn World) -> &dyn Clock {
    world
}

/// The tasks that need not run, nor does anything that they depend on.
fn in_place<'a>(work: &Work<'a>) -> HashSet<&'a str> {
    let mut found = work.others.clone();
    let planned: HashSet<&String> = work.tasks.iter().collect();
    for id in work.tasks {
        let Some(task) = work.pipeline.tasks.get(id) else {
            continue;
        };
        let decision = work.decisions.get(id);
        let is_done =
            task.steps.is_empty() || decision.is_some_and(|decision| decision.intact == Some(true));
        // What is no part of the plan is left as it is.
        let is_met = |need: &String| found.contains(need.as_str()) || !planned.contains(need);
        if is_done && task.depends_on.iter().all(is_met) {
            found.insert(id.as_str());
        }
    }
    found
}
