//! The front door: a plain run, answered without Python.
//!
//! It knows a few whole forms of the command line and the plainest pipelines. Whatever it does not know
//! it leaves alone, and whoever called goes the long way: nothing is decided here that is decided
//! otherwise there. When something has to run that takes more than processes, what was found out on the
//! way is handed over.

mod arguments;
mod completion;
mod given;
mod lock;
mod looking;
mod params;
mod part;
mod plan;
mod project;
mod settled;
mod words;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

pub use lock::RunLock;
use project::{Compiled, Located};
use settled::Settled;
pub use words::VERBS;

use crate::digest::Digest;
use crate::engine::{Decision, Engine, Request};
use crate::error::Error;
use crate::ir::Pipeline;
use crate::key::environment::Variables;
use crate::run::graph::Graph;
use crate::run::record::{RequestRecord, RunFacts, Status, TaskRecord, timestamp};
use crate::run::records::{Bounds, create_folder, prune, run_id, write_graph};
use crate::run::report::{self, Detail, Report};
use crate::run::{Checked, ContinueMode, Recorder, Work, check, execute};

pub use crate::run::World;
use crate::view::{Look, View};

/// How a process was called.
pub struct Call {
    /// The command line without the program.
    pub words: Vec<String>,
    pub folder: PathBuf,
    pub environment: Variables,
    pub is_error_a_terminal: bool,
    /// Whether words for people are written in UTF-8, as far as there is anybody to read them.
    pub speaks_utf8: bool,
    /// The program that ends what is left of a run when pipec is gone, with its first arguments.
    pub ender: Vec<String>,
    pub pid: u32,
    pub cores: u32,
    pub platform: String,
    /// Four bytes that no other run has.
    pub nonce: [u8; 4],
    /// Whether the process ends with the call: the system takes its memory back faster than it can be
    /// freed, so it is left.
    pub ends_process: bool,
}

impl Call {
    /// Is done with something large.
    fn leave<T>(&self, large: T) {
        if self.ends_process {
            std::mem::forget(large);
        }
    }
}

pub enum Outcome {
    /// Not a form that is known here. Nothing was done.
    Unknown,
    /// Done: what to print, and the exit status; of a run in which tasks failed also its id.
    Done {
        out: String,
        err: String,
        status: u8,
        failed: Option<String>,
    },
    /// Something has to run that takes more than processes: what is known so far, with the lock held.
    HandOver(Box<HandOver>),
    /// pipec itself did something wrong. The record of the run says so.
    Fault(Error),
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

const OUTPUT_CLOSED: u8 = 141;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers a call, if it can.
pub fn answer(call: &Call, world: &dyn World) -> Outcome {
    if matches!(call.words.as_slice(), [only] if only == "--version" || only == "version") {
        let out = format!("pipec {VERSION}\n");
        return Outcome::Done {
            out,
            err: String::new(),
            status: 0,
            failed: None,
        };
    }
    if call.environment.contains_key(completion::VARIABLE) {
        return completion::answer(call).unwrap_or(Outcome::Unknown);
    }
    if let Some(done) = looking::answer(call) {
        return done;
    }
    words::plain_run(&call.words)
        .and_then(|asked| run(call, &asked, world))
        .unwrap_or(Outcome::Unknown)
}

/// The run of a plan, as far as the front door knows it.
struct Run<'a> {
    call: &'a Call,
    world: &'a dyn World,
    bounds: Bounds,
    located: &'a Located,
    compiled: &'a Compiled,
    pipeline: &'a Pipeline,
    plan: &'a plan::Plan,
    engine: &'a Engine,
    decisions: &'a BTreeMap<String, Decision>,
}

fn run(call: &Call, asked: &words::Asked, world: &dyn World) -> Option<Outcome> {
    let started = world.monotonic();
    let bounds = Bounds::of(&call.environment).filter(|_| call.speaks_utf8)?;
    let located = project::locate(&call.folder)?;
    let started_ms = world.now_ms();
    let run_id = run_id(started_ms, call.nonce);
    let take_lock = || RunLock::take(&located.root, call.pid, started_ms, &run_id);
    let (mut lock, mut checked) = (None, None);
    // What the run is given may hold a secret, and what is remembered knows of none.
    let settled = (asked.is_usual() && !given::is_any(&call.environment))
        .then(|| Settled::recall(&located, &asked.targets, call, started_ms))
        .flatten();
    if let Some(settled) = settled {
        lock = Some(take_lock()?);
        checked = settled.check(&located);
        if let Some(found) = &checked {
            let began = Began {
                call,
                world,
                asked,
                located: &located,
                bounds,
                started,
                started_ms,
                run_id: &run_id,
            };
            let given = if found.changes.is_empty() && settled.is_whole() {
                Some(Ok(tell(&began, &settled)?))
            } else {
                part::run(&began, settled, found)
            };
            if let Some(given) = given {
                prune(&located.root, bounds.runs);
                call.leave(checked);
                return Some(ended(given, run_id));
            }
        }
    }
    let mut compiled = located.compiled()?;
    let mut pipeline = Pipeline::parse(&compiled.ir).ok()?;
    let plan = plan::select(&pipeline, asked)?;
    if !asked.arguments.is_empty() {
        arguments::append(&mut pipeline, &plan.targets, &asked.arguments)?;
        // Whoever goes on has other bytes, and looks for themselves.
        compiled.ir.extend(asked.arguments.join("\0").into_bytes());
    }
    let pipeline = Arc::new(pipeline);
    let lock = match lock {
        Some(lock) => lock,
        None => take_lock()?,
    };
    let request = plan.request(&located.root, call, &run_id, started_ms);
    let text = serde_json::to_string(&request).ok()?;
    let engine = Engine::of(
        &located.root,
        Arc::clone(&pipeline),
        Digest::of(&compiled.ir),
        Request::parse(&text).ok()?,
    )
    .ok()?;
    if let Some(checked) = checked {
        engine.expect(checked);
    }
    let decisions = engine.assess(&BTreeMap::new()).ok()?;
    let run = Run {
        call,
        world,
        bounds,
        located: &located,
        compiled: &compiled,
        pipeline: &pipeline,
        plan: &plan,
        engine: &engine,
        decisions: &decisions,
    };
    let facts = RunFacts {
        run_id: &run_id,
        pipeline: &pipeline.name,
        ir_digest: &compiled.ir_digest,
        pid: call.pid,
        request: request_record(call, asked, &plan),
        tells_record: asked.wants_json,
        targets: &plan.targets,
        planned: &plan.tasks,
        started_ms,
    };
    let given = run.give(&facts, asked, started);
    let Some(given) = given else {
        return Some(Outcome::HandOver(Box::new(HandOver {
            root: located.root,
            run_id,
            ir: compiled.ir,
            request: text,
            engine,
            decisions,
            lock,
        })));
    };
    prune(&located.root, bounds.runs);
    drop(lock);
    call.leave((engine, pipeline, decisions));
    Some(ended(given, run_id))
}

/// How a call ends whose run gave this.
fn ended(given: Result<Given, Error>, run_id: String) -> Outcome {
    given.map_or_else(Outcome::Fault, |given| {
        done(given.status, given.out, given.has_failed.then_some(run_id))
    })
}

fn request_record<'a>(
    call: &'a Call,
    asked: &'a words::Asked,
    plan: &'a plan::Plan,
) -> RequestRecord<'a> {
    RequestRecord {
        targets: &plan.asked,
        force: asked.force,
        concurrency: asked.concurrency.on(call.cores),
        params: &plan.params,
        continue_mode: Some(asked.continue_mode.name())
            .filter(|_| asked.continue_mode != ContinueMode::Never),
        only: asked.only,
        arguments: Vec::new(),
        timeout_ms: plan.limit.as_ref().map(|limit| limit.ms),
        environment: given::environment(&call.environment),
        approved: given::approvals(&call.environment),
    }
}

fn done(status: u8, out: Option<String>, failed: Option<String>) -> Outcome {
    Outcome::Done {
        out: out.unwrap_or_default(),
        err: String::new(),
        status,
        failed,
    }
}

/// A run of a plan of which it is known what was found the last time.
struct Began<'a> {
    call: &'a Call,
    world: &'a dyn World,
    asked: &'a words::Asked,
    located: &'a Located,
    bounds: Bounds,
    started: std::time::Duration,
    started_ms: u64,
    run_id: &'a str,
}

/// Tells of a run in which everything is as it was found before.
fn tell(began: &Began<'_>, settled: &Settled) -> Option<Given> {
    let started_at = timestamp(began.started_ms);
    let records = settled.tasks.iter().map(|task| task.record(&started_at));
    let tasks: Vec<TaskRecord> = records.collect::<Option<_>>()?;
    let planned: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    let facts = began.facts(settled, &planned);
    if began.world.is_interrupted() {
        return None;
    }
    let folder = create_folder(&began.located.root, began.run_id).ok()?;
    let recorder = began.recorder(settled, &facts, &folder);
    recorder.begin();
    for task in tasks {
        recorder.settle(task);
    }
    recorder.finish("passed", 0, None);
    Some(Given {
        status: status_of(0, recorder.output_is_closed()),
        out: recorder.told(),
        has_failed: false,
    })
}

impl Began<'_> {
    fn facts<'a>(&'a self, settled: &'a Settled, planned: &'a [String]) -> RunFacts<'a> {
        RunFacts {
            run_id: self.run_id,
            pipeline: &settled.pipeline,
            ir_digest: &settled.ir_digest,
            pid: self.call.pid,
            request: RequestRecord {
                targets: &self.asked.targets,
                force: false,
                concurrency: self.asked.concurrency.on(self.call.cores),
                params: &settled.params,
                continue_mode: Some(self.asked.continue_mode.name())
                    .filter(|_| self.asked.continue_mode != ContinueMode::Never),
                only: false,
                arguments: Vec::new(),
                timeout_ms: [self.asked.timeout_ms, settled.limit_ms()]
                    .into_iter()
                    .flatten()
                    .min(),
                environment: given::environment(&self.call.environment),
                approved: given::approvals(&self.call.environment),
            },
            tells_record: self.asked.wants_json,
            targets: &settled.targets,
            planned,
            started_ms: self.started_ms,
        }
    }

    fn recorder<'a>(
        &'a self,
        settled: &Settled,
        facts: &'a RunFacts<'a>,
        folder: &'a Path,
    ) -> Recorder<'a> {
        let warnings = usize::try_from(settled.warnings).unwrap_or(usize::MAX);
        Recorder::new(
            facts,
            folder,
            report_of(self.call, self.asked, folder, facts.planned),
            self.world,
            self.started,
            view_of(self.call, self.asked, self.world),
            &words_of(self.asked, self.located, warnings),
        )
    }
}

fn report_of<'a>(
    call: &'a Call,
    asked: &words::Asked,
    folder: &'a Path,
    tasks: &[String],
) -> Report<'a> {
    Report {
        uses_color: uses_color(call, asked),
        detail: asked.detail,
        logs: asked.logs,
        is_streamed: asked.is_streamed,
        cwd: &call.folder,
        folder,
        width: report::width_of(tasks),
    }
}

fn uses_color(call: &Call, asked: &words::Asked) -> bool {
    report::uses_color(asked.color, &call.environment, call.is_error_a_terminal)
}

fn view_of(call: &Call, asked: &words::Asked, world: &dyn World) -> View {
    let is_live = report::is_live(&call.environment, call.is_error_a_terminal);
    let look = Look {
        uses_color: uses_color(call, asked),
        is_live: is_live && asked.detail != Detail::Quiet,
        is_streamed: asked.is_streamed,
    };
    View::new(look, world.screen())
}

/// What is said before anything else.
fn words_of(asked: &words::Asked, located: &Located, warnings: usize) -> String {
    if asked.detail == Detail::Quiet {
        String::new()
    } else {
        report::of_pipeline(&located.shown, warnings)
    }
}

/// The exit status of the program, given that of the run.
fn status_of(status: u8, is_closed: bool) -> u8 {
    match status {
        0 if is_closed => OUTPUT_CLOSED,
        status => status,
    }
}

/// What became of a run.
struct Given {
    status: u8,
    /// Its record, if that is wanted.
    out: Option<String>,
    has_failed: bool,
}

impl Run<'_> {
    /// Does the run. None: it is not for the front door, and nothing has run.
    fn give(
        &self,
        facts: &RunFacts<'_>,
        asked: &words::Asked,
        started: std::time::Duration,
    ) -> Option<Result<Given, Error>> {
        let tasks = self
            .to_restore()
            .filter(|tasks| self.restore(tasks))
            .and_then(|_| self.settled());
        // Among what was given on the command line too there may be a secret, which no record may show.
        let is_given = !asked.arguments.is_empty()
            || !self.plan.params.is_empty()
            || given::is_any(&self.call.environment);
        let checked = if tasks.is_some() && !is_given {
            None
        } else {
            Some(self.check()?)
        };
        let params = match &checked {
            None => BTreeMap::new(),
            Some(checked) => checked.redacted_values(&self.plan.params),
        };
        let mut facts = facts.clone();
        facts.request.params = &params;
        if let Some(checked) = &checked {
            facts.request.arguments = checked.redacted(&asked.arguments);
            let environment = facts.request.environment.take();
            facts.request.environment = environment.map(|name| checked.redacted_text(&name));
            facts.request.approved = checked.redacted(&facts.request.approved);
        }
        let to_run = checked.filter(|_| tasks.is_none());
        let facts = &facts;
        if self.world.is_interrupted() {
            return None;
        }
        let folder = create_folder(&self.located.root, facts.run_id).ok()?;
        let recorder = Recorder::new(
            facts,
            &folder,
            report_of(self.call, asked, &folder, &self.plan.tasks),
            self.world,
            started,
            view_of(self.call, asked, self.world),
            &words_of(asked, self.located, self.compiled.warnings),
        );
        recorder.begin();
        let outcome = if let Some(checked) = to_run {
            let graph = || {
                // Without it the pipeline tells, as long as that is kept.
                let graph = Graph::of(self.pipeline, facts.request.targets, facts.planned);
                let _ = write_graph(&folder, &graph);
            };
            let others = HashSet::new();
            let work = Work {
                root: &self.located.root,
                run_id: facts.run_id,
                pipeline: self.pipeline,
                tasks: &self.plan.tasks,
                others: &others,
                meanwhile: &graph,
                engine: self.engine,
                decisions: self.decisions,
                host: &self.call.environment,
                concurrency: asked.concurrency.on(self.call.cores) as usize,
                continue_mode: asked.continue_mode,
                limit: self.plan.limit.as_ref(),
                params: &self.plan.params,
                started,
                log_bytes: self.bounds.log_bytes,
                checked,
                ender: &self.call.ender,
                world: self.world,
            };
            execute(&work, &recorder)
        } else {
            let tasks = tasks.unwrap_or_default();
            self.engine.save().ok()?;
            if asked.is_usual() {
                self.keep(&tasks, facts.started_ms);
            }
            for task in tasks {
                recorder.settle(task);
            }
            recorder.finish("passed", 0, None);
            Ok(0)
        };
        let is_closed = recorder.output_is_closed();
        let has_failed = recorder.any_task(|task| task.status == Status::Failed);
        Some(outcome.map(|status| Given {
            status: status_of(status, is_closed),
            out: recorder.told(),
            has_failed,
        }))
    }

    /// Keeps what was decided, if the next run can go by it.
    fn keep(&self, tasks: &[TaskRecord], now_ms: u64) {
        if let Some(standing) = self.engine.standing() {
            let is_cached = |task: &TaskRecord| task.status == Status::Cached;
            settled::keep(&settled::InPlace {
                located: self.located,
                call: self.call,
                pipeline: self.pipeline,
                compiled: self.compiled,
                plan: self.plan,
                decisions: self.decisions,
                tasks: tasks
                    .iter()
                    .map(|task| (&*task.id, is_cached(task)))
                    .collect(),
                engine: self.engine,
                is_divisible: self.check().is_some_and(|checked| !checked.has_secrets()),
                standing,
                now_ms,
            });
        }
    }

    /// None if what has to run is not for the front door.
    fn check(&self) -> Option<Checked> {
        check(
            self.pipeline,
            &self.plan.tasks,
            self.engine,
            self.decisions,
            &self.call.environment,
        )
    }

    /// The hits whose outputs are not in place. None if anything is no hit.
    fn to_restore(&self) -> Option<Vec<&str>> {
        let mut tasks = Vec::new();
        for id in &self.plan.tasks {
            let decision = self.decisions.get(id)?;
            let is_group = self.pipeline.tasks.get(id)?.steps.is_empty();
            match decision.intact {
                Some(true) => {}
                Some(false) => tasks.push(id.as_str()),
                None if is_group => {}
                None => return None,
            }
        }
        Some(tasks)
    }

    /// Restores several tasks at once. False if one could not be: it has to run.
    fn restore(&self, tasks: &[&str]) -> bool {
        tasks.chunks(AT_ONCE).all(|some| {
            !self.world.is_interrupted()
                && some.par_iter().all(|id| self.engine.restore(id).is_ok())
        })
    }

    /// The record of every task of the plan, all of them hits or groups.
    fn settled(&self) -> Option<Vec<TaskRecord>> {
        let started_at = timestamp(self.world.now_ms());
        let mut statuses: BTreeMap<&str, Status> = BTreeMap::new();
        let mut tasks = Vec::with_capacity(self.plan.tasks.len());
        for id in &self.plan.tasks {
            let task = self.pipeline.tasks.get(id)?;
            let record = if task.steps.is_empty() {
                let needs = task.depends_on.iter();
                let mut statuses = needs.filter_map(|need| statuses.get(need.as_str()));
                let first = statuses.next();
                // A group without members stands for nothing that was cached.
                let is_cached = |status: &Status| *status == Status::Cached;
                let is_cached = first.is_some_and(is_cached) && statuses.all(is_cached);
                TaskRecord::of_group(id, is_cached, &started_at)
            } else {
                TaskRecord::of_hit(id, self.decisions.get(id)?, &started_at, 0)?
            };
            statuses.insert(id, record.status);
            tasks.push(record);
        }
        Some(tasks)
    }
}
