//! From the look at a task's files to its key and its verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decision::{Decision, EntryFacts, Extras, Verdict, shown};
use super::look::{Look, TaskSets};
use super::{Decided, Engine, FileChange, Made, step_env};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::ir::{EnvValue, StructuredInput, Task};
use crate::key::environment::{Resolved, resolve};
use crate::key::{Components, StaticParts, dependencies, static_parts, values};
use crate::store::{Entry, Lookup, Store};
use crate::tree::{EntryKind, Manifest, differences};

/// How many changed files a verdict names.
const NAMED_CHANGES: usize = 10;

/// A task with what is known of it when its key is looked up.
struct Asked<'a> {
    id: &'a str,
    task: &'a Task,
    look: &'a Look,
    sets: TaskSets,
    key: Digest,
    components: &'a Components,
    inputs: &'a Manifest,
}

type Hit = (Box<Entry>, Manifest);

impl Engine {
    /// Looks at the task's inputs as they are now, computes its key and looks it up.
    pub fn decide(&self, task: &str, extras: &Extras) -> Result<Decision> {
        let (look, sets) = self.look(&[task])?;
        let sets = sets[0];
        self.digest(&look, &[sets.inputs]);
        self.decide_from(task, &look, sets, extras)
    }

    pub(super) fn decide_from(
        &self,
        id: &str,
        look: &Look,
        sets: TaskSets,
        extras: &Extras,
    ) -> Result<Decision> {
        let task = self.pipeline.task(id)?;
        let (made, is_sure) = self.made_by_dependencies(task)?;
        let inputs = look.inputs(&self.root, sets.inputs)?;
        let components = self.components(task, &inputs, extras, &made)?;
        let key = components.key();
        let asked = Asked {
            id,
            task,
            look,
            sets,
            key,
            components: &components,
            inputs: &inputs,
        };
        let (verdict, entry) = self.verdict(&asked, is_sure)?;
        let intact = entry
            .as_ref()
            .map(|(_, wanted)| self.is_intact(look, sets, wanted));
        let decision = Decision {
            verdict,
            key: key.to_hex(),
            components: hex(&components),
            inputs: inputs.entries.len() as u64,
            intact,
            entry: entry
                .as_ref()
                .map(|(entry, wanted)| facts_of(entry, wanted)),
        };
        let decided = Decided {
            components,
            key,
            dependencies: made,
            inputs: Arc::new(inputs),
            entry,
        };
        self.keep(id, task, decided, intact)?;
        Ok(decision)
    }

    /// Remembers the decision; a task that needs nothing done is finished with it.
    fn keep(&self, id: &str, task: &Task, decided: Decided, intact: Option<bool>) -> Result<()> {
        let made = match (&decided.entry, intact) {
            (Some((_, wanted)), Some(true)) => Some(made_of(task, decided.key, wanted)),
            _ if task.steps.is_empty() && task.outputs.is_empty() => {
                Some(Made::Digest(decided.key))
            }
            _ => None,
        };
        if decided.entry.is_some() {
            let key = decided.key.to_hex();
            self.used(&self.store(task)?, &key);
            self.lock().memory.set_baseline(id, &key);
        }
        let mut inner = self.lock();
        if let Some(made) = made {
            inner.made.insert(id.to_owned(), made);
        }
        inner.decided.insert(id.to_owned(), Arc::new(decided));
        Ok(())
    }

    /// What each direct dependency made, and whether all of them can be relied on.
    fn made_by_dependencies(&self, task: &Task) -> Result<(BTreeMap<String, Digest>, bool)> {
        let inner = self.lock();
        let mut made = BTreeMap::new();
        let mut is_sure = true;
        for dependency in &task.depends_on {
            match inner.made.get(dependency) {
                Some(Made::Digest(digest)) => {
                    made.insert(dependency.clone(), *digest);
                }
                Some(Made::Unsure) => is_sure = false,
                None => {
                    let message = format!("`{dependency}` has to be finished first");
                    return Err(Error::Invalid(message));
                }
            }
        }
        Ok((made, is_sure))
    }

    /// All components in the order in which a miss names them.
    fn components(
        &self,
        task: &Task,
        inputs: &Manifest,
        extras: &Extras,
        made: &BTreeMap<String, Digest>,
    ) -> Result<Components> {
        let keyed = |layers: Vec<&BTreeMap<String, EnvValue>>| self.resolve_for_key(&layers);
        let env = keyed(self.layers(task))?;
        let mut step_envs = Vec::with_capacity(task.steps.len());
        for number in 0..task.steps.len() {
            step_envs.push(keyed(vec![&step_env(task, number)?])?);
        }
        let fixed = static_parts(&StaticParts {
            task,
            env: &env,
            step_env: &step_envs,
            host: &self.host,
            platform: &self.request.platform,
        });
        let mut all = Components::default();
        all.push("inputs", inputs.digest());
        all.push("values", values(&mut self.labelled_values(task, extras)?));
        all.push(
            "dependencies",
            dependencies(&mut made.values().copied().collect::<Vec<_>>()),
        );
        all.0.extend(fixed.0);
        Ok(all)
    }

    /// Values that do not enter the key need not be there for it.
    fn resolve_for_key(
        &self,
        layers: &[&BTreeMap<String, EnvValue>],
    ) -> Result<BTreeMap<String, Resolved>> {
        let counted: Vec<BTreeMap<String, EnvValue>> = layers
            .iter()
            .map(|layer| {
                let counted = layer.iter().map(|(name, value)| {
                    let value = if enters_key(value) {
                        value.clone()
                    } else {
                        EnvValue::Literal {
                            value: String::new(),
                            in_key: false,
                        }
                    };
                    (name.clone(), value)
                });
                counted.collect()
            })
            .collect();
        resolve(&counted, &self.host).map_err(Error::Environment)
    }

    fn labelled_values(
        &self,
        task: &Task,
        extras: &Extras,
    ) -> Result<Vec<(String, Option<String>)>> {
        let mut labelled: Vec<_> = extras
            .iter()
            .map(|(label, value)| (label.clone(), Some(value.clone())))
            .collect();
        for input in &task.structured_inputs {
            match input {
                StructuredInput::Env { env } => {
                    labelled.push((format!("env {env}"), self.host.get(env).cloned()));
                }
                StructuredInput::OutputsOf { outputs_of } => {
                    let made = self.lock().made.get(outputs_of).copied();
                    match made {
                        Some(Made::Digest(digest)) => {
                            // Not the task's name: a renamed task made the same.
                            labelled.push(("outputs".to_owned(), Some(digest.to_hex())));
                        }
                        Some(Made::Unsure) => labelled.push(("outputs".to_owned(), None)),
                        None => {
                            let message = format!("`{outputs_of}` has to be finished first");
                            return Err(Error::Invalid(message));
                        }
                    }
                }
                // The caller finds these and passes them as extras.
                StructuredInput::FileValue { .. } | StructuredInput::Command { .. } => {}
            }
        }
        Ok(labelled)
    }

    fn verdict(&self, asked: &Asked<'_>, is_sure: bool) -> Result<(Verdict, Option<Hit>)> {
        let Asked { task, key, .. } = *asked;
        let Some(cache) = &task.cache else {
            return Ok((Verdict::of("disabled"), None));
        };
        if !is_sure {
            let detail = "a dependency failed, or its inputs changed while it ran";
            return Ok((Verdict::of("disabled").with_detail(detail), None));
        }
        if self.request.force {
            return Ok((Verdict::of("forced"), None));
        }
        let store = self.store(task)?;
        match store.look_up(key) {
            Lookup::Found(entry) => {
                let expires = cache
                    .ttl_ms
                    .map(|ttl| entry.finished_ms.saturating_add(ttl));
                if expires.is_some_and(|at| at <= self.request.now_ms) {
                    return Ok((Verdict::of("expired"), None));
                }
                match outputs_of_entry(asked, &store, &entry) {
                    Ok(wanted) => Ok((Verdict::of("hit"), Some((entry, wanted)))),
                    Err(error) => Ok((Verdict::of("corrupt").with_detail(error.to_string()), None)),
                }
            }
            Lookup::Corrupt(what) => Ok((Verdict::of("corrupt").with_detail(what), None)),
            Lookup::Absent => Ok((self.miss(asked, &store), None)),
        }
    }

    /// Why there is nothing under this key: what changed since the task's last success.
    fn miss(&self, asked: &Asked<'_>, store: &Store) -> Verdict {
        let Asked {
            id,
            components,
            inputs,
            ..
        } = *asked;
        let baseline = self.lock().memory.baseline(id).map(str::to_owned);
        let entry = baseline.and_then(|key| match store.look_up(Digest::from_hex(&key)?) {
            Lookup::Found(entry) => Some(entry),
            Lookup::Absent | Lookup::Corrupt(_) => None,
        });
        let Some(entry) = entry else {
            return Verdict {
                component: Some("no-baseline".into()),
                ..Verdict::of("miss")
            };
        };
        let before: BTreeMap<&str, &str> = entry
            .components
            .iter()
            .map(|(name, hex)| (name.as_str(), hex.as_str()))
            .collect();
        let changed = components
            .0
            .iter()
            .find(|(name, digest)| before.get(name) != Some(&digest.to_hex().as_str()));
        // Every component as it was: the entry itself is gone.
        let component = changed.map_or("entry", |(name, _)| name);
        let mut verdict = Verdict {
            component: Some(component.into()),
            ..Verdict::of("miss")
        };
        match component {
            "inputs" => {
                if let Ok(old) = store.manifest(&entry.inputs) {
                    let found = differences(&old, inputs);
                    verdict.more = found.len().saturating_sub(NAMED_CHANGES) as u64;
                    verdict.changed = found
                        .iter()
                        .take(NAMED_CHANGES)
                        .map(FileChange::of)
                        .collect();
                }
            }
            "dependencies" => verdict.detail = self.changed_dependency(id, &entry),
            _ => {}
        }
        verdict
    }

    fn changed_dependency(&self, id: &str, entry: &Entry) -> Option<String> {
        let (made, _) = self
            .made_by_dependencies(self.pipeline.task(id).ok()?)
            .ok()?;
        let changed = made
            .iter()
            .find(|(name, digest)| entry.dependencies.get(*name) != Some(&digest.to_hex()));
        changed.map(|(name, _)| name.clone())
    }

    /// Whether the outputs on disk are the stored ones. Reads a file only if its size is right and its
    /// digest is not known.
    fn is_intact(&self, look: &Look, sets: TaskSets, wanted: &Manifest) -> bool {
        match sets.outputs {
            None => true,
            Some(set) => {
                look.could_be(set, wanted) && {
                    self.digest(look, &[set]);
                    look.present(set).is(wanted)
                }
            }
        }
    }
}

/// The outputs that an entry stands for. Refuses any that the task does not declare.
fn outputs_of_entry(asked: &Asked<'_>, store: &Store, entry: &Entry) -> Result<Manifest> {
    let wanted = store.manifest(&entry.outputs)?;
    let is_owned = |file: &crate::tree::Entry| {
        let is_folder = file.kind == EntryKind::Folder;
        asked
            .sets
            .outputs
            .is_some_and(|set| asked.look.owns(set, &file.path, is_folder))
    };
    if wanted.entries.iter().all(is_owned) {
        Ok(wanted)
    } else {
        Err(Error::corrupt(
            store.root(),
            "an entry holds what the task does not own",
        ))
    }
}

impl FileChange {
    pub(super) fn of(difference: &crate::tree::Difference) -> Self {
        Self {
            path: shown(&difference.path),
            change: difference.change.name(),
            rule: None,
        }
    }
}

/// What a hit means for the tasks after it.
pub(super) fn made_of(task: &Task, key: Digest, outputs: &Manifest) -> Made {
    Made::Digest(if task.outputs.is_empty() {
        key
    } else {
        outputs.digest()
    })
}

pub(super) fn hex(components: &Components) -> Vec<(String, String)> {
    components
        .0
        .iter()
        .map(|(name, digest)| ((*name).to_owned(), digest.to_hex()))
        .collect()
}

fn facts_of(entry: &Entry, wanted: &Manifest) -> EntryFacts {
    EntryFacts {
        run_id: entry.run_id.clone(),
        finished_ms: entry.finished_ms,
        duration_ms: entry.duration_ms,
        tool: entry.tool.clone(),
        files: entry.files,
        bytes: entry.bytes,
        outputs_digest: wanted.digest().to_hex(),
    }
}

fn enters_key(value: &EnvValue) -> bool {
    match value {
        EnvValue::Text(_) => true,
        EnvValue::Literal { in_key, .. }
        | EnvValue::Secret { in_key, .. }
        | EnvValue::Variable { in_key, .. } => *in_key,
    }
}
