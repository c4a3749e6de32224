//! The plan of jobs and tasks, in the order that the planner gives it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::Path;

use serde_json::{Value, json};

use super::Call;
use super::params::bind_params;
use super::words::Asked;
use crate::ir::{EnvValue, Job, Pipeline, StructuredInput, Task};
use crate::run::Limit;

pub(super) struct Plan {
    /// Each after those it depends on; ties by id.
    pub(super) tasks: Vec<String>,
    /// The tasks asked for, directly or by the job.
    pub(super) targets: Vec<String>,
    /// What the record says was asked for.
    pub(super) asked: Vec<String>,
    /// Environment of the pipeline and the job, as the pipeline has it.
    layers: Vec<BTreeMap<String, EnvValue>>,
    /// The values of the parameters of its jobs.
    pub(super) params: BTreeMap<String, String>,
    /// How long the run may take.
    pub(super) limit: Option<Limit>,
    pub(super) limit_of_jobs_ms: Option<u64>,
    force: bool,
    only: bool,
}

/// None for a name that means nothing here, and for everything that takes more than this knows.
pub(super) fn select(pipeline: &Pipeline, asked: &Asked) -> Option<Plan> {
    if !pipeline.env_files.is_empty() || !pipeline.cache.stores.is_empty() {
        return None;
    }
    if pipeline.commands.is_some() || pipeline.orchestration.contains_key("depends") {
        return None;
    }
    // A task alone still needs its services.
    if asked.only && pipeline.tasks.values().any(|task| task.service.is_some()) {
        return None;
    }
    let mut jobs: Vec<(&str, &Job)> = Vec::new();
    let mut targets: Vec<String> = Vec::new();
    for name in &asked.targets {
        match pipeline.jobs.get(name) {
            // Its record would not say which of the two it was.
            Some(_) if asked.is_task => return None,
            Some(job) if is_plain_job(job) => {
                jobs.push((name, job));
                targets.extend(job.targets.iter().cloned());
            }
            Some(_) => return None,
            None => targets.push(pipeline.tasks.get_key_value(name)?.0.clone()),
        }
    }
    // Whether what was asked for beside such a job agrees with it is for the planner.
    if asked.targets.len() > 1 && jobs.iter().any(|(_, job)| !job.env.is_empty()) {
        return None;
    }
    let mut layers = vec![pipeline.env.clone()];
    layers.extend(jobs.first().map(|(_, job)| job.env.clone()));
    let params = bind_params(&jobs, &asked.params)?;
    let mut unique = BTreeSet::new();
    targets.retain(|id| unique.insert(id.clone()));
    let tasks = topological_order(pipeline, &targets, asked.only)?;
    let are_plain = tasks
        .iter()
        .all(|id| pipeline.tasks.get(id).is_some_and(is_plain));
    are_plain.then(|| Plan {
        tasks,
        targets,
        asked: asked.targets.clone(),
        layers,
        params,
        limit_of_jobs_ms: Limit::of(&jobs, asked.targets.len(), None).map(|limit| limit.ms),
        limit: Limit::of(&jobs, asked.targets.len(), asked.timeout_ms),
        force: asked.force,
        only: asked.only,
    })
}

/// A job of tasks of this file, on this machine as it is.
fn is_plain_job(job: &Job) -> bool {
    job.foreign_targets.is_empty() && job.execution.is_empty()
}

/// A task that is settled by files and environment alone, for every system, in the local store.
fn is_plain(task: &Task) -> bool {
    let inputs = task.structured_inputs.iter().all(|input| {
        matches!(
            input,
            StructuredInput::Env { .. } | StructuredInput::OutputsOf { .. }
        )
    });
    let steps = task.steps.iter().all(|step| {
        matches!(
            step.get("kind").and_then(Value::as_str),
            Some("shell" | "argv")
        )
    });
    let cache = task.cache.as_ref();
    let is_local = cache.is_none_or(|cache| cache.store == "file" && cache.policy != "session");
    inputs && steps && is_local && task.platforms.is_empty() && task.foreign_needs.is_empty()
}

/// The targets with what they depend on or, with `only`, alone.
fn topological_order(pipeline: &Pipeline, targets: &[String], only: bool) -> Option<Vec<String>> {
    let are_asked: BTreeSet<&str> = targets.iter().map(String::as_str).collect();
    let mut waits_for: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waiting: Vec<&str> = targets.iter().map(String::as_str).collect();
    while let Some(id) = waiting.pop() {
        if waits_for.contains_key(id) {
            continue;
        }
        let task = pipeline.tasks.get(id)?;
        let takes_part = |need: &&String| !only || are_asked.contains(need.as_str());
        let needs: Vec<&String> = task.depends_on.iter().filter(takes_part).collect();
        waits_for.insert(id, needs.len());
        for need in needs {
            dependents.entry(need).or_default().push(id);
            waiting.push(need);
        }
    }
    let mut ready: BinaryHeap<Reverse<&str>> = waits_for
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(id, _)| Reverse(*id))
        .collect();
    let mut order = Vec::with_capacity(waits_for.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id.to_owned());
        for dependent in dependents.get(id).into_iter().flatten() {
            let count = waits_for.get_mut(dependent)?;
            *count -= 1;
            if *count == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    (order.len() == waits_for.len()).then_some(order)
}

impl Plan {
    /// Of some tasks of a plan that was selected before, in its order.
    pub(super) fn of_part(
        pipeline: &Pipeline,
        asked: &[String],
        targets: Vec<String>,
        tasks: Vec<String>,
    ) -> Self {
        let job = asked.iter().find_map(|name| pipeline.jobs.get(name));
        let of_job = job.map(|job| job.env.clone());
        Self {
            tasks,
            targets,
            asked: asked.to_vec(),
            params: BTreeMap::new(),
            limit: None,
            limit_of_jobs_ms: None,
            force: false,
            only: false,
            layers: std::iter::once(pipeline.env.clone())
                .chain(of_job)
                .collect(),
        }
    }

    /// What is declared above the tasks.
    pub(super) fn layers(&self) -> &[BTreeMap<String, EnvValue>] {
        &self.layers
    }

    /// What the engine is asked, as the long way asks it.
    pub(super) fn request(&self, root: &Path, call: &Call, run_id: &str, now_ms: u64) -> Value {
        let state = format!("{}/.pipec/cache", root.display());
        json!({
            "tasks": self.tasks,
            "state": state,
            "stores": {"file": {"root": state}},
            "host": call.environment,
            "layers": self.layers,
            "params": self.params,
            "platform": call.platform,
            "run_id": run_id,
            "now_ms": now_ms,
            "force": self.force,
            "only": self.only,
        })
    }
}
