//! A run in which contents of a few files are all that changed: only the tasks that depend on them are
//! decided anew, and of the others it is told what was found before.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::Plan;
use super::settled::Settled;
use super::{Began, Given, status_of};
use crate::digest::Digest;
use crate::engine::{Checked, Decision, Engine, Request, SeenTask};
use crate::error::Error;
use crate::ir::Pipeline;
use crate::run::graph::Graph;
use crate::run::record::{Status, TaskRecord, timestamp};
use crate::run::records::{create_folder, write_graph};
use crate::run::{Work, check, execute};

/// Does the run. None if it takes a look at everything:
/// nothing was done then.
pub(super) fn run(
    began: &Began<'_>,
    settled: Settled,
    checked: &Checked,
) -> Option<Result<Given, Error>> {
    // What is told of jobs is not known here.
    let is_bounded = began.asked.timeout_ms.is_some() || settled.limit_ms().is_some();
    if is_bounded || !settled.params.is_empty() {
        return None;
    }
    if !settled.is_of_these_results(began.located) {
        return None;
    }
    let affected = settled.affected(checked)?;
    let part = Part::of(began, &settled, &affected)?;
    let decisions = part.decide(checked)?;
    let Part {
        pipeline,
        plan,
        engine,
        others,
        ..
    } = part;
    let host = &began.call.environment;
    let to_run = check(&pipeline, &plan.tasks, &engine, &decisions, host)?;
    let started_at = timestamp(began.started_ms);
    let records = with(&settled, &affected, false).map(|task| task.record(&started_at));
    let records: Vec<TaskRecord> = records.collect::<Option<_>>()?;
    let records = Mutex::new(records);
    let planned: Vec<String> = settled.tasks.iter().map(|task| task.id.clone()).collect();
    if began.world.is_interrupted() {
        return None;
    }
    let folder = create_folder(&began.located.root, began.run_id).ok()?;
    let facts = began.facts(&settled, &planned);
    let recorder = began.recorder(&settled, &facts, &folder);
    recorder.begin();
    let meanwhile = || {
        let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.drain(..) {
            recorder.settle(record);
        }
        let _ = write_graph(
            &folder,
            &graph_of(&pipeline, facts.request.targets, &settled),
        );
    };
    let others: HashSet<&str> = others.iter().map(|(id, _)| *id).collect();
    let work = Work {
        root: &began.located.root,
        run_id: began.run_id,
        pipeline: &pipeline,
        tasks: &plan.tasks,
        others: &others,
        meanwhile: &meanwhile,
        engine: &engine,
        decisions: &decisions,
        host,
        concurrency: began.asked.concurrency.on(began.call.cores) as usize,
        continue_mode: began.asked.continue_mode,
        limit: None,
        params: &settled.params,
        started: began.started,
        log_bytes: began.bounds.log_bytes,
        checked: to_run,
        ender: &began.call.ender,
        world: began.world,
    };
    let outcome = execute(&work, &recorder);
    let is_closed = recorder.output_is_closed();
    let has_failed = recorder.any_task(|task| task.status == Status::Failed);
    let out = recorder.told();
    drop(recorder);
    settled.keep_open(&affected, began.located, &began.asked.targets, began.call);
    Some(outcome.map(|status| Given {
        status: status_of(status, is_closed),
        out,
        has_failed,
    }))
}

/// The tasks that are decided anew, with what is known of the others.
struct Part<'a> {
    pipeline: Arc<Pipeline>,
    plan: Plan,
    engine: Engine,
    seen: Vec<SeenTask>,
    /// Each with what it made.
    others: Vec<(&'a str, Digest)>,
}

impl<'a> Part<'a> {
    fn of(began: &Began<'_>, settled: &'a Settled, affected: &[bool]) -> Option<Self> {
        let compiled = began.located.compiled()?;
        let ids: HashSet<&str> = with(settled, affected, true)
            .map(|task| &*task.id)
            .collect();
        let pipeline = Pipeline::parse_part(&compiled.ir, |id| ids.contains(id)).ok()?;
        let tasks = with(settled, affected, true).map(|task| task.id.clone());
        let targets = settled.targets.clone();
        let plan = Plan::of_part(&pipeline, &began.asked.targets, targets, tasks.collect());
        let root = &began.located.root;
        let request = plan.request(root, began.call, began.run_id, began.started_ms);
        let request = Request::parse(&serde_json::to_string(&request).ok()?).ok()?;
        let pipeline = Arc::new(pipeline);
        let ir_digest = Digest::of(&compiled.ir);
        Some(Self {
            engine: Engine::of(root, Arc::clone(&pipeline), ir_digest, request).ok()?,
            pipeline,
            plan,
            seen: with(settled, affected, true)
                .map(|task| task.seen)
                .collect(),
            others: with(settled, affected, false)
                .map(|task| (&*task.id, task.seen.made))
                .collect(),
        })
    }

    /// None unless some of the tasks have to run, and none to be restored: what is restored may be an input
    /// of others, and where nothing runs it is time to bring the survey up to date.
    fn decide(&self, checked: &Checked) -> Option<BTreeMap<String, Decision>> {
        let decided = self.engine.assess_part(checked, &self.seen, &self.others);
        let decisions = decided.ok().flatten()?;
        let has_to_restore = decisions
            .values()
            .any(|decision| decision.intact == Some(false));
        let is_in_place = |id: &String| {
            let is_group = |task: &crate::ir::Task| task.steps.is_empty();
            decisions.get(id).is_some_and(|decision| {
                decision.intact == Some(true) || self.pipeline.tasks.get(id).is_some_and(is_group)
            })
        };
        let has_to_run = !self.plan.tasks.iter().all(is_in_place);
        (has_to_run && !has_to_restore).then_some(decisions)
    }
}

/// The tasks that are affected, or those that are not.
fn with<'a>(
    settled: &'a Settled,
    affected: &[bool],
    is_affected: bool,
) -> impl Iterator<Item = &'a super::settled::SettledTask> {
    let tasks = settled.tasks.iter().zip(affected);
    tasks
        .filter(move |(_, affected)| **affected == is_affected)
        .map(|(task, _)| task)
}

fn graph_of<'a>(pipeline: &'a Pipeline, asked: &'a [String], settled: &'a Settled) -> Graph<'a> {
    let name = |place: &u64| {
        let task = usize::try_from(*place)
            .ok()
            .and_then(|place| settled.tasks.get(place));
        task.map(|task| &*task.id)
    };
    let tasks = settled.tasks.iter().map(|task| {
        let depends_on = task.depends_on.iter().filter_map(name);
        (&*task.id, depends_on.collect())
    });
    Graph::of_tasks(pipeline, asked, tasks)
}
