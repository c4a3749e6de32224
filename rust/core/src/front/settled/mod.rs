//! A plan that was found to be in place throughout, kept so that the next run of it need not decide again.
//!
//! It holds as long as everything that it was decided from is as it was: the pipeline file and the tool
//! (they are in its name), the survey of the project's files, the table of successes, and the variables
//! that keys depend on. Then nothing has to be parsed, matched, digested or looked up. If contents of files
//! are all that changed, it still holds for every task that depends on none of them.

mod bytes;
mod variables;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::project::{Compiled, Located};
use super::{Call, VERSION};
use crate::digest::{Digest, Fields};
use crate::engine::{
    Checked, Decision, Engine, EntryFacts, SeenTask, Standing, files_of_successes,
};
use crate::ir::{Pipeline, StructuredInput, Task};
use crate::run::record::TaskRecord;
use crate::store::{replace, temporary_in};
use crate::tree::{Identity, is_gone, read_own};
use variables::{values_of, variables_of};

/// As many files of plans of a project are kept: most plans have one, some have one of open tasks too.
const KEPT: usize = 24;
/// Beyond this many files, and this part of all, a survey is so much out of date that it is time for a new
/// one.
const FEW_FILES: usize = 16;
const MANY_FILES: usize = 20;
/// After this long a plan is decided anew, so that the uses of its entries are written down.
const GOOD_FOR_MS: u64 = 3_600_000;

/// Everything that a run with nothing to do tells of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) pipeline: String,
    pub(super) ir_digest: String,
    pub(super) warnings: u64,
    pub(super) targets: Vec<String>,
    pub(super) params: BTreeMap<String, String>,
    /// How long its jobs may take, 0 without a limit.
    limit_ms: u64,
    pub(super) tasks: Vec<SettledTask>,
    /// Whether some of the tasks can be run without a look at the others.
    is_divisible: bool,
    standing: Standing,
    successes: Digest,
    /// Names of variables that keys depend on, `NAME*` standing for all that begin so.
    variables: Vec<String>,
    values: Digest,
    /// From here on some hit may have expired, or its use has to be written down. Milliseconds.
    ends_ms: u64,
    /// Of the plan as it was written down.
    checksum: Digest,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct SettledTask {
    pub(super) id: String,
    /// None for a group.
    pub(super) hit: Option<(String, EntryFacts)>,
    pub(super) is_cached: bool,
    pub(super) seen: SeenTask,
    /// The places of the tasks that it depends on.
    pub(super) depends_on: Vec<u64>,
    /// It may have run since, and is decided anew whatever the survey says.
    is_open: bool,
}

impl Settled {
    /// What is kept of a call, if it may still hold; `check` says whether it does.
    pub(super) fn recall(
        located: &Located,
        targets: &[String],
        call: &Call,
        now_ms: u64,
    ) -> Option<Self> {
        let path = path_of(located, targets, call);
        let mut settled = Self::decode(&read_own(&path).ok()?)?;
        if let Ok(bytes) = read_own(&open_of(&path)) {
            // What is of another plan, or damaged, says nothing of this one.
            let _ = settled.decode_open(&bytes);
        }
        let is_current = now_ms < settled.ends_ms
            && now_ms.saturating_add(GOOD_FOR_MS) >= settled.ends_ms
            && settled.values == values_of(&settled.variables, &call.environment)
            && settled.successes == successes_of(&located.state())?;
        is_current.then_some(settled)
    }

    /// The survey that it was decided from, held against the disk.
    pub(super) fn check(&self, located: &Located) -> Option<Checked> {
        Checked::find(&located.root, &located.state(), self.standing)
    }

    /// Whether it was kept for the results of tasks as they are now.
    pub(super) fn is_of_these_results(&self, located: &Located) -> bool {
        successes_of(&located.state()) == Some(self.successes)
    }

    /// How long its jobs may take.
    pub(super) fn limit_ms(&self) -> Option<u64> {
        Some(self.limit_ms).filter(|ms| *ms > 0)
    }

    /// Whether there is no task that has to be decided anew in any case.
    pub(super) fn is_whole(&self) -> bool {
        self.tasks.iter().all(|task| !task.is_open)
    }

    /// For each task whether it has to be decided anew: it sees something that changed, or depends on a task
    /// that has to be. None if all of them have to be, or if it cannot be said of each alone.
    pub(super) fn affected(&self, checked: &Checked) -> Option<Vec<bool>> {
        let changed = checked.changes.files.len();
        let is_recent = changed <= FEW_FILES + checked.survey.file_count() / MANY_FILES;
        let touched = checked
            .touched()
            .filter(|_| self.is_divisible && is_recent)?;
        let mut affected = Vec::with_capacity(self.tasks.len());
        for task in &self.tasks {
            let seen = &task.seen;
            let sees_it = touched.contains(&seen.inputs)
                || seen.outputs.is_some_and(|set| touched.contains(&set));
            let mut is_affected = task.is_open || sees_it;
            for need in &task.depends_on {
                // Dependencies come first: what comes later is a place in no plan.
                is_affected |= *affected.get(usize::try_from(*need).ok()?)?;
            }
            affected.push(is_affected);
        }
        Some(affected)
    }

    /// Keeps what a run of the affected tasks left of it, to be called when that is over.
    pub(super) fn keep_open(
        mut self,
        affected: &[bool],
        located: &Located,
        targets: &[String],
        call: &Call,
    ) {
        for (task, is_affected) in self.tasks.iter_mut().zip(affected) {
            task.is_open |= is_affected;
        }
        if let Some(successes) = successes_of(&located.state()) {
            self.successes = successes;
            let path = open_of(&path_of(located, targets, call));
            let _ = put(located, &path, &self.encode_open());
        }
    }
}

impl SettledTask {
    /// What a run tells of it if it is as it was.
    pub(super) fn record(&self, started_at: &str) -> Option<TaskRecord> {
        match &self.hit {
            None => Some(TaskRecord::of_group(&self.id, self.is_cached, started_at)),
            Some((key, entry)) => {
                let decision = Decision::of_hit(key.clone(), entry.clone());
                TaskRecord::of_hit(&self.id, &decision, started_at, 0)
            }
        }
    }
}

/// What a run found in place, to be kept.
pub(super) struct InPlace<'a> {
    pub(super) located: &'a Located,
    pub(super) call: &'a Call,
    pub(super) pipeline: &'a Pipeline,
    pub(super) compiled: &'a Compiled,
    pub(super) plan: &'a Plan,
    pub(super) decisions: &'a BTreeMap<String, Decision>,
    /// Id, and whether it counts as cached.
    pub(super) tasks: Vec<(&'a str, bool)>,
    pub(super) engine: &'a Engine,
    /// Whether nothing of a task but its files concerns the others.
    pub(super) is_divisible: bool,
    pub(super) standing: Standing,
    pub(super) now_ms: u64,
}

/// Keeps it. It only ever saves time: what cannot be written is not.
pub(super) fn keep(in_place: &InPlace<'_>) {
    let _ = try_to_keep(in_place);
}

fn try_to_keep(found: &InPlace<'_>) -> Option<()> {
    let state = found.located.state();
    let mut ends_ms = found.now_ms.saturating_add(GOOD_FOR_MS);
    let mut tasks = Vec::with_capacity(found.tasks.len());
    let mut places: HashMap<&str, u64> = HashMap::with_capacity(found.tasks.len());
    let mut is_divisible = found.is_divisible;
    for (place, (id, is_cached)) in (0..).zip(&found.tasks) {
        let task = found.pipeline.tasks.get(*id)?;
        let hit = if task.steps.is_empty() {
            None
        } else {
            let decision = found.decisions.get(*id)?;
            let facts = decision.entry.clone()?;
            let ttl = task.cache.as_ref().and_then(|cache| cache.ttl_ms);
            if let Some(ttl) = ttl {
                ends_ms = ends_ms.min(facts.finished_ms.saturating_add(ttl));
            }
            Some((decision.key.clone(), facts))
        };
        let needs = task.depends_on.iter();
        let depends_on = needs.map(|need| places.get(need.as_str()).copied());
        tasks.push(SettledTask {
            id: (*id).to_owned(),
            hit,
            is_cached: *is_cached,
            seen: found.engine.seen_task(id)?,
            depends_on: depends_on.collect::<Option<_>>()?,
            is_open: false,
        });
        is_divisible &= waits_for_what_it_reads(task);
        places.insert(id, place);
    }
    let variables: Vec<String> = variables_of(found.pipeline, found.plan)?
        .into_iter()
        .collect();
    let settled = Settled {
        pipeline: found.pipeline.name.clone(),
        ir_digest: found.compiled.ir_digest.clone(),
        warnings: found.compiled.warnings as u64,
        targets: found.plan.targets.clone(),
        params: found.plan.params.clone(),
        limit_ms: found.plan.limit_of_jobs_ms.unwrap_or(0),
        tasks,
        is_divisible,
        standing: found.standing,
        successes: successes_of(&state)?,
        values: values_of(&variables, &found.call.environment),
        variables,
        ends_ms,
        checksum: Digest([0; 32]),
    };
    let path = path_of(found.located, &found.plan.asked, found.call);
    fs::create_dir_all(path.parent()?).ok()?;
    let is_new = !path.exists();
    put(found.located, &path, &settled.encode())?;
    if is_new {
        crate::tree::keep_newest(path.parent()?, KEPT);
    }
    Some(())
}

fn put(located: &Located, path: &Path, bytes: &[u8]) -> Option<()> {
    let temporary = temporary_in(&located.state().join("tmp")).ok()?;
    replace(path, &temporary, bytes).ok()
}

/// Whether it depends on each task whose outputs it takes in.
fn waits_for_what_it_reads(task: &Task) -> bool {
    task.structured_inputs.iter().all(|input| match input {
        StructuredInput::OutputsOf { outputs_of } => task.depends_on.contains(outputs_of),
        _ => true,
    })
}

fn path_of(located: &Located, targets: &[String], call: &Call) -> PathBuf {
    let mut fields = Fields::new("pipec settled plan");
    fields
        .text(VERSION)
        .text(&located.compiled)
        .text(&call.platform);
    for target in targets {
        fields.text(target);
    }
    let name = fields.finish().to_hex();
    located.state().join("settled").join(&name[..32])
}

/// Where it stands which tasks of a plan are open.
fn open_of(path: &Path) -> PathBuf {
    path.with_extension("open")
}

/// Stands for the table of successes: whoever changes it replaces one of its files.
fn successes_of(state: &Path) -> Option<Digest> {
    let [table, newer] = files_of_successes(state);
    let mut fields = Fields::new("pipec table of successes");
    add_identity(&mut fields, &fs::symlink_metadata(table).ok()?);
    match fs::symlink_metadata(newer) {
        Ok(found) => add_identity(&mut fields, &found),
        Err(error) if is_gone(&error) => {}
        Err(_) => return None,
    }
    Some(fields.finish())
}

fn add_identity(fields: &mut Fields, found: &fs::Metadata) {
    let identity = Identity::from(found);
    fields
        .number(identity.device)
        .number(identity.inode)
        .number(identity.size)
        .bytes(&identity.mtime.to_le_bytes())
        .bytes(&identity.ctime.to_le_bytes());
}
