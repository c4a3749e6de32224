//! The plan of one job or task, in the order that the planner gives it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::Path;

use serde_json::{Value, json};

use super::Call;
use crate::ir::{EnvValue, Job, Pipeline, StructuredInput, Task};

pub(super) struct Plan {
    /// Each after those it depends on; ties by id.
    pub(super) tasks: Vec<String>,
    /// The tasks asked for, directly or by the job.
    pub(super) targets: Vec<String>,
    /// What the record says was asked for.
    pub(super) asked: Vec<String>,
    /// Environment of the pipeline and the job, as the pipeline has it.
    layers: Vec<BTreeMap<String, EnvValue>>,
}

/// None for a name that means nothing here, and for everything that takes more than this knows.
pub(super) fn select(pipeline: &Pipeline, target: &str) -> Option<Plan> {
    if !pipeline.env_files.is_empty() || !pipeline.cache.stores.is_empty() {
        return None;
    }
    if pipeline.commands.is_some() || pipeline.orchestration.contains_key("depends") {
        return None;
    }
    let mut layers = vec![pipeline.env.clone()];
    let targets = match pipeline.jobs.get(target) {
        Some(job) if is_plain_job(job) => {
            layers.push(job.env.clone());
            job.targets.clone()
        }
        Some(_) => return None,
        None => vec![pipeline.tasks.get_key_value(target)?.0.clone()],
    };
    let mut unique = BTreeSet::new();
    let targets: Vec<String> = targets
        .into_iter()
        .filter(|id| unique.insert(id.clone()))
        .collect();
    let tasks = topological_order(pipeline, &targets)?;
    let are_plain = tasks
        .iter()
        .all(|id| pipeline.tasks.get(id).is_some_and(is_plain));
    are_plain.then(|| Plan {
        tasks,
        targets,
        asked: vec![target.to_owned()],
        layers,
    })
}

/// A job of tasks of this file, on this machine as it is.
fn is_plain_job(job: &Job) -> bool {
    job.params.is_empty() && job.foreign_targets.is_empty() && job.execution.is_empty()
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

fn topological_order(pipeline: &Pipeline, targets: &[String]) -> Option<Vec<String>> {
    let mut waits_for: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waiting: Vec<&str> = targets.iter().map(String::as_str).collect();
    while let Some(id) = waiting.pop() {
        if waits_for.contains_key(id) {
            continue;
        }
        let task = pipeline.tasks.get(id)?;
        waits_for.insert(id, task.depends_on.len());
        for need in &task.depends_on {
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
        target: &str,
        targets: Vec<String>,
        tasks: Vec<String>,
    ) -> Self {
        let of_job = pipeline.jobs.get(target).map(|job| job.env.clone());
        Self {
            tasks,
            targets,
            asked: vec![target.to_owned()],
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
            "params": {},
            "platform": call.platform,
            "run_id": run_id,
            "now_ms": now_ms,
            "force": false,
        })
    }
}
