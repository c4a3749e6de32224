//! The front door: a run in which everything is in place, answered without Python.
//!
//! It knows a few whole forms of the command line and the plainest pipelines. Whatever it does not know
//! it leaves alone, and whoever called goes the long way: nothing is decided here that is decided
//! otherwise there. When something has to run, what was found out on the way is handed over.

mod keep;
mod lines;
mod lock;
mod plan;
mod project;
mod record;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

pub use lock::RunLock;
pub use words::VERBS;

use crate::engine::{Decision, Engine, Request};
use crate::ir::Pipeline;
use crate::key::environment::Variables;
use record::{RunRecord, TaskRecord};

/// How a process was called.
pub struct Call {
    /// The command line without the program.
    pub words: Vec<String>,
    pub folder: PathBuf,
    pub environment: Variables,
    pub is_error_a_terminal: bool,
    pub pid: u32,
    pub cores: u32,
    pub platform: String,
    /// Four bytes that no other run has.
    pub nonce: [u8; 4],
}

/// What changes while a call is answered.
pub trait World {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> u64;

    /// Whether somebody asked the process to end. Asked on the calling thread, now and then.
    fn is_interrupted(&self) -> bool;
}

pub enum Outcome {
    /// Not a form that is known here. Nothing was done.
    Unknown,
    /// Done: what to print, and the exit status.
    Done {
        out: String,
        err: String,
        status: u8,
    },
    /// Something has to run: what is known so far, with the lock held.
    HandOver(Box<HandOver>),
}

/// A run that the front door began.
pub struct HandOver {
    pub root: PathBuf,
    pub run_id: String,
    pub ir: Vec<u8>,
    pub request: String,
    pub engine: Engine,
    pub decisions: BTreeMap<String, Decision>,
    pub lock: RunLock,
}

/// How many tasks are restored between two looks at whether to go on.
const AT_ONCE: usize = 32;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers a call, if it can.
pub fn answer(call: &Call, world: &dyn World) -> Outcome {
    if matches!(call.words.as_slice(), [only] if only == "--version" || only == "version") {
        let out = format!("pipec {VERSION}\n");
        return Outcome::Done {
            out,
            err: String::new(),
            status: 0,
        };
    }
    words::plain_run(&call.words)
        .and_then(|asked| run(call, &asked, world))
        .unwrap_or(Outcome::Unknown)
}

fn run(call: &Call, asked: &words::Asked, world: &dyn World) -> Option<Outcome> {
    let keep_runs = keep::runs_to_keep(&call.environment)?;
    let project = project::find(&call.folder)?;
    let pipeline = Pipeline::parse(&project.ir).ok()?;
    let plan = plan::select(&pipeline, &asked.target)?;
    let started_ms = world.now_ms();
    let run_id = keep::run_id(started_ms, call.nonce);
    let lock = RunLock::take(&project.root, call.pid, started_ms, &run_id)?;
    let request = plan.request(&project.root, call, &run_id, started_ms);
    let text = serde_json::to_string(&request).ok()?;
    let engine = Engine::new(&project.root, &project.ir, Request::parse(&text).ok()?).ok()?;
    let decisions = engine.assess(&BTreeMap::new()).ok()?;
    let tasks = to_restore(&pipeline, &plan, &decisions)
        .filter(|tasks| restore(&engine, tasks, world))
        .and_then(|_| settled(&pipeline, &plan, &decisions, world));
    let Some(tasks) = tasks else {
        return Some(Outcome::HandOver(Box::new(HandOver {
            root: project.root,
            run_id,
            ir: project.ir,
            request: text,
            engine,
            decisions,
            lock,
        })));
    };
    engine.save().ok()?;
    let facts = record::RunFacts {
        run_id: &run_id,
        pipeline: &pipeline.name,
        ir_digest: &project.ir_digest,
        call,
        plan: &plan,
        started_ms,
        finished_ms: world.now_ms(),
    };
    let (counts, saved) = (record::Counts::of(&tasks), record::time_saved_ms(&tasks));
    let record = RunRecord::of(&facts, &counts, saved, &tasks);
    let folder = keep::write(&project.root, &facts, &record).ok()?;
    keep::prune(&project.root, keep_runs);
    let report = lines::Report {
        uses_color: lines::uses_color(&call.environment, call.is_error_a_terminal),
        folder: &call.folder,
        warnings: project.warnings,
        shown: &project.shown,
    };
    let err = if asked.is_quiet {
        String::new()
    } else {
        report.of(&record, &folder)
    };
    drop(lock);
    // The process ends now, and the system takes its memory back faster than it can be freed.
    std::mem::forget((engine, pipeline, decisions));
    Some(Outcome::Done {
        out: String::new(),
        err,
        status: 0,
    })
}

/// The hits whose outputs are not in place. None if anything is no hit: then it is not for the front door.
fn to_restore<'a>(
    pipeline: &Pipeline,
    plan: &'a plan::Plan,
    decisions: &BTreeMap<String, Decision>,
) -> Option<Vec<&'a str>> {
    let mut tasks = Vec::new();
    for id in &plan.tasks {
        let decision = decisions.get(id)?;
        let is_group = pipeline.tasks.get(id)?.steps.is_empty();
        match decision.intact {
            Some(true) => {}
            Some(false) => tasks.push(id.as_str()),
            None if is_group => {}
            None => return None,
        }
    }
    Some(tasks)
}

/// Restores several tasks at once. False if one could not be: it has to run, and the long way says why.
fn restore(engine: &Engine, tasks: &[&str], world: &dyn World) -> bool {
    tasks
        .chunks(AT_ONCE)
        .all(|some| !world.is_interrupted() && some.par_iter().all(|id| engine.restore(id).is_ok()))
}

/// The record of every task of the plan, all of them hits or groups.
fn settled(
    pipeline: &Pipeline,
    plan: &plan::Plan,
    decisions: &BTreeMap<String, Decision>,
    world: &dyn World,
) -> Option<Vec<TaskRecord>> {
    let started_at = record::timestamp(world.now_ms());
    let mut statuses: BTreeMap<&str, &'static str> = BTreeMap::new();
    let mut tasks = Vec::with_capacity(plan.tasks.len());
    for id in &plan.tasks {
        let task = pipeline.tasks.get(id)?;
        let record = if task.steps.is_empty() {
            let mut needs = task.depends_on.iter();
            let is_cached = needs.all(|need| statuses.get(need.as_str()) == Some(&"cached"));
            // A group without members stands for nothing that was cached.
            let is_cached = is_cached && !task.depends_on.is_empty();
            TaskRecord::of_group(id, is_cached, &started_at)
        } else {
            TaskRecord::of_hit(id, decisions.get(id)?, &started_at)?
        };
        statuses.insert(id, record.status);
        tasks.push(record);
    }
    Some(tasks)
}
