//! From the look at a task's files to its key and its verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::again::First;
use super::decision::{Decision, EntryFacts, Extras, Verdict, shown};
use super::look::{Look, TaskSets};
use super::successes::Success;
use super::{Before, Decided, Engine, FileChange, Hit, Made, step_env};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::ir::{EnvValue, StructuredInput, Task};
use crate::key::environment::{Resolved, resolve};
use crate::key::{Components, StaticParts, dependencies, digests_of_values, static_parts, values};
use crate::store::{Entry, Lookup, Store};
use crate::tree::{EntryKind, Manifest, differences};

/// How many changed files a verdict names.
const NAMED_CHANGES: usize = 10;

/// A task with what is known of it when its key is looked up.
struct Asked<'a> {
    id: &'a str,
    task: &'a Task,
    seen: &'a Seen<'a>,
    key: Digest,
    components: &'a Components,
    values: &'a [(String, String)],
}

/// What was seen of a task's files.
pub(super) struct Seen<'a> {
    look: &'a Look,
    inputs: SetId,
    /// The look at what it owns, which may be another one.
    owned: Option<(&'a Look, SetId)>,
    /// The inputs are those of the first look at everything.
    is_first: bool,
}

impl<'a> Seen<'a> {
    /// In one look that is not the first.
    fn of(look: &'a Look, sets: TaskSets) -> Self {
        Self {
            look,
            inputs: sets.inputs,
            owned: sets.outputs.map(|set| (look, set)),
            is_first: false,
        }
    }

    /// In the first look.
    pub(super) fn first(look: &'a Look, sets: TaskSets) -> Self {
        Self {
            is_first: true,
            ..Self::of(look, sets)
        }
    }
}

/// A task's input files, summed up.
#[derive(Clone, Copy)]
pub(super) struct Inputs {
    pub(super) digest: Digest,
    pub(super) count: u64,
}

impl Inputs {
    pub(super) fn of(manifest: &Manifest) -> Self {
        Self {
            digest: manifest.digest(),
            count: manifest.entries.len() as u64,
        }
    }
}

impl Engine {
    /// Looks at the task's inputs as they are now, computes its key and looks it up.
    pub fn decide(&self, task: &str, extras: &Extras) -> Result<Decision> {
        if let Some((look, sets)) = self.as_first_seen_before(task)? {
            let (digest, count) = look.inputs_sum(&self.root, sets.inputs)?;
            let inputs = Inputs { digest, count };
            let owned = self.look_at_owned(self.pipeline.task(task)?)?;
            let seen = Seen {
                look: &look,
                inputs: sets.inputs,
                owned: owned.as_ref().map(|(look, set)| (look, *set)),
                is_first: true,
            };
            return self.decide_from(task, &seen, inputs, extras);
        }
        let (look, sets) = self.look(&[task])?;
        let sets = sets[0];
        self.digest(&look, &[sets.inputs]);
        let inputs = Inputs::of(&look.inputs(&self.root, sets.inputs)?);
        self.decide_from(task, &Seen::of(&look, sets), inputs, extras)
    }

    /// The task's key as things are now, without looking it up.
    pub(super) fn key_of(&self, id: &str, extras: &Extras) -> Result<Digest> {
        let task = self.pipeline.task(id)?;
        let (look, sets) = self.look(&[id])?;
        let inputs = sets[0].inputs;
        self.digest(&look, &[inputs]);
        let inputs = Inputs::of(&look.inputs(&self.root, inputs)?);
        let (made, _) = self.made_by_dependencies(task)?;
        let (components, _) = self.components(task, inputs.digest, extras, &made)?;
        Ok(components.key())
    }

    pub(super) fn decide_from(
        &self,
        id: &str,
        seen: &Seen<'_>,
        inputs: Inputs,
        extras: &Extras,
    ) -> Result<Decision> {
        let task = self.pipeline.task(id)?;
        let (made, is_sure) = self.made_by_dependencies(task)?;
        let (components, values) = self.components(task, inputs.digest, extras, &made)?;
        let key = components.key();
        let asked = Asked {
            id,
            task,
            seen,
            key,
            components: &components,
            values: &values,
        };
        let is_sure = is_sure && !self.follows_unsure(task);
        let (verdict, hit) = self.verdict(&asked, is_sure)?;
        let intact = hit.as_ref().map(|hit| match hit {
            Hit::InPlace(_) | Hit::Unchanged(_) => true,
            Hit::Stored(_, wanted) => self.is_intact(&asked, wanted),
        });
        let decision = Decision {
            verdict,
            key: key.to_hex(),
            components: components.clone(),
            values: values.clone(),
            inputs: inputs.count,
            intact,
            entry: hit.as_ref().and_then(Hit::facts),
        };
        // A task that may have to run is compared with its inputs of now when it has.
        let before = match intact {
            Some(true) => Before::Nothing,
            _ => self.before(seen)?,
        };
        let decided = Decided {
            components,
            values,
            key,
            dependencies: made,
            before,
            hit,
        };
        self.keep(id, task, decided)?;
        Ok(decision)
    }

    fn before(&self, seen: &Seen<'_>) -> Result<Before> {
        let (look, set) = (seen.look, seen.inputs);
        let is_of =
            |first: &Arc<First>| seen.is_first && std::ptr::eq(&raw const *first.look, look);
        let first = self.first().filter(is_of);
        let first = first.filter(|_| look.is_steady_set(set));
        Ok(match first {
            Some(first) => Before::First(first, set),
            None => Before::Seen(seen.look.inputs(&self.root, set)?, seen.look.writings(set)),
        })
    }

    /// Remembers the decision, and what the tasks after it see if nothing has to run.
    fn keep(&self, id: &str, task: &Task, decided: Decided) -> Result<()> {
        if let Some(facts) = decided.hit.as_ref().and_then(Hit::facts) {
            let store = self.store(task)?;
            self.used(&store, decided.key);
            if let Some(Hit::Stored(_, wanted)) = &decided.hit {
                let success = success_of(task, decided.key, wanted, facts);
                self.lock().memory.successes.succeeded(id, success);
            }
        }
        let made = match &decided.hit {
            // What is not in place yet will be when it is restored.
            Some(hit) => Some(Made::Digest(hit.made(task, decided.key))),
            None if self.request.failed.get(id) == Some(&decided.key.to_hex()) => {
                Some(Made::Unsure)
            }
            // Nobody waits for the end of a service: what it is made of is all that it makes.
            None if is_made_of_key(task) => Some(if self.follows_unsure(task) {
                Made::Unsure
            } else {
                Made::Digest(decided.key)
            }),
            None => None,
        };
        let mut inner = self.lock();
        if decided.hit.is_some() {
            inner.order.is_over(id);
        }
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
        inputs: Digest,
        extras: &Extras,
        made: &BTreeMap<String, Digest>,
    ) -> Result<(Components, Vec<(String, String)>)> {
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
        all.push("inputs", inputs);
        let mut labelled = self.labelled_values(task, extras)?;
        all.push("values", values(&mut labelled));
        all.push(
            "dependencies",
            dependencies(&mut made.values().copied().collect::<Vec<_>>()),
        );
        all.0.extend(fixed.0);
        Ok((all, digests_of_values(&labelled)))
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
        let (verdict, hit) = self.looked_up(asked, is_sure)?;
        Ok(match hit {
            None => match self.unchanged(asked)? {
                Some(made) => (Verdict::of("unchanged"), Some(Hit::Unchanged(made))),
                None => (verdict, None),
            },
            hit => (verdict, hit),
        })
    }

    /// What the task made when it passed a moment ago, if its key and its outputs are still those.
    fn unchanged(&self, asked: &Asked<'_>) -> Result<Option<Digest>> {
        let passed = self.request.passed.get(asked.id);
        if passed.is_none_or(|passed| passed.key != asked.key.to_hex()) {
            return Ok(None);
        }
        let Some((look, set)) = asked.seen.owned else {
            return Ok(Some(asked.key));
        };
        self.digest(look, &[set]);
        let made = self.snapshot(look, set, None)?.0.digest();
        Ok(passed
            .is_some_and(|passed| passed.outputs == made.to_hex())
            .then_some(made))
    }

    /// What the store has under the task's key.
    fn looked_up(&self, asked: &Asked<'_>, is_sure: bool) -> Result<(Verdict, Option<Hit>)> {
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
        let is_expired = |facts_ms: u64| {
            let expires = cache.ttl_ms.map(|ttl| facts_ms.saturating_add(ttl));
            expires.is_some_and(|at| at <= self.request.now_ms)
        };
        if let Some(success) = self.in_place(asked, &cache.store) {
            return Ok(if is_expired(success.facts.finished_ms) {
                (Verdict::of("expired"), None)
            } else {
                (Verdict::of("hit"), Some(Hit::InPlace(success)))
            });
        }
        let store = self.store(task)?;
        match store.look_up(key) {
            Lookup::Found(entry) if is_expired(entry.finished_ms) => {
                Ok((Verdict::of("expired"), None))
            }
            Lookup::Found(entry) => match outputs_of_entry(asked, &store, &entry) {
                Ok(wanted) => Ok((Verdict::of("hit"), Some(Hit::Stored(entry, wanted)))),
                Err(error) => Ok((Verdict::of("corrupt").with_detail(error.to_string()), None)),
            },
            Lookup::Corrupt(what) => Ok((Verdict::of("corrupt").with_detail(what), None)),
            Lookup::Absent => Ok((self.miss(asked, &store)?, None)),
        }
    }

    /// The last success, if it had this key and its outputs are still exactly there.
    fn in_place(&self, asked: &Asked<'_>, store: &str) -> Option<Success> {
        let success = self.lock().memory.successes.of(asked.id)?;
        if success.store != store || Digest::from_hex(&success.key) != Some(asked.key) {
            return None;
        }
        let exact = match asked.seen.owned {
            None => Manifest::default().exact_digest(),
            Some((look, set)) => {
                if !look.has_exact_digest(set) {
                    self.digest(look, &[set]);
                }
                look.exact_digest(set)?
            }
        };
        (Digest::from_hex(&success.exact) == Some(exact)).then_some(success)
    }

    /// Why there is nothing under this key: what changed since the task's last success.
    fn miss(&self, asked: &Asked<'_>, store: &Store) -> Result<Verdict> {
        let Asked {
            id,
            components,
            seen,
            ..
        } = *asked;
        let last = self
            .lock()
            .memory
            .successes
            .of(id)
            .map(|success| success.key);
        let entry = last.and_then(|key| match store.look_up(Digest::from_hex(&key)?) {
            Lookup::Found(entry) => Some(entry),
            Lookup::Absent | Lookup::Corrupt(_) => None,
        });
        let Some(entry) = entry else {
            return Ok(Verdict {
                component: Some("no-baseline".into()),
                ..Verdict::of("miss")
            });
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
                    let found = differences(&old, &seen.look.inputs(&self.root, seen.inputs)?);
                    verdict.more = found.len().saturating_sub(NAMED_CHANGES) as u64;
                    verdict.changed = found
                        .iter()
                        .take(NAMED_CHANGES)
                        .map(FileChange::of)
                        .collect();
                }
            }
            "dependencies" => verdict.detail = self.changed_dependency(id, &entry),
            "values" => verdict.detail = first_changed(&entry.values, asked.values),
            _ => {}
        }
        Ok(verdict)
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

    /// Whether the outputs on disk are the stored ones.
    fn is_intact(&self, asked: &Asked<'_>, wanted: &Manifest) -> bool {
        let Some((look, set)) = asked.seen.owned else {
            return true;
        };
        let count = look.members(set).len() + look.empty_folders(set).count();
        if count != wanted.entries.len() {
            return false;
        }
        self.digest(look, &[set]);
        look.present(set).is(wanted)
    }
}

impl Hit {
    /// Where it came from, if it came out of a store.
    fn facts(&self) -> Option<EntryFacts> {
        match self {
            Self::InPlace(success) => Some(success.facts.clone()),
            Self::Stored(entry, wanted) => Some(EntryFacts {
                run_id: entry.run_id.clone(),
                finished_ms: entry.finished_ms,
                duration_ms: entry.duration_ms,
                tool: entry.tool.clone(),
                files: entry.files,
                bytes: entry.bytes,
                outputs_digest: wanted.digest().to_hex(),
                metadata: entry.metadata.clone(),
            }),
            Self::Unchanged(_) => None,
        }
    }

    /// What the tasks after a hit see of it.
    fn made(&self, task: &Task, key: Digest) -> Digest {
        if task.outputs.is_empty() {
            return key;
        }
        match self {
            Self::Unchanged(made) => *made,
            Self::Stored(_, wanted) => wanted.digest(),
            // A digest that does not read is no digest of anything: nothing will match it.
            Self::InPlace(success) => {
                Digest::from_hex(&success.facts.outputs_digest).unwrap_or(key)
            }
        }
    }
}

/// Whether nothing of the task is left when it is done: a group without outputs, or a service.
fn is_made_of_key(task: &Task) -> bool {
    task.service.is_some() || (task.steps.is_empty() && task.outputs.is_empty())
}

/// What is remembered of a success.
pub(super) fn success_of(
    task: &Task,
    key: Digest,
    outputs: &Manifest,
    facts: EntryFacts,
) -> Success {
    Success {
        key: key.to_hex(),
        store: task
            .cache
            .as_ref()
            .map(|cache| cache.store.clone())
            .unwrap_or_default(),
        exact: outputs.exact_digest().to_hex(),
        facts,
    }
}

/// The outputs that an entry stands for. Refuses any that the task does not declare.
fn outputs_of_entry(asked: &Asked<'_>, store: &Store, entry: &Entry) -> Result<Manifest> {
    let wanted = store.manifest(&entry.outputs)?;
    let is_owned = |file: &crate::tree::Entry| {
        let is_folder = file.kind == EntryKind::Folder;
        asked
            .seen
            .owned
            .is_some_and(|(look, set)| look.owns(set, &file.path, is_folder))
    };
    if wanted.is_tree() && wanted.entries.iter().all(is_owned) {
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

/// The first label, in their order, whose value is another one, or is there only now or only then.
fn first_changed(before: &[(String, String)], now: &[(String, String)]) -> Option<String> {
    changed_values(before, now)
        .into_iter()
        .next()
        .map(|(label, _, _)| label)
}

/// Label, digest then and digest now of each value that is another one; empty: there was none.
pub(super) fn changed_values(
    before: &[(String, String)],
    now: &[(String, String)],
) -> Vec<(String, String, String)> {
    let mut found: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for (label, digest) in before {
        found.entry(label).or_default().0.push(digest);
    }
    for (label, digest) in now {
        found.entry(label).or_default().1.push(digest);
    }
    // A label may stand for several values: they count together.
    found
        .into_iter()
        .filter(|(_, (then, now))| then != now)
        .map(|(label, (then, now))| (label.to_owned(), then.join(" "), now.join(" ")))
        .collect()
}

pub(super) fn hex(components: &Components) -> Vec<(String, String)> {
    components
        .0
        .iter()
        .map(|(name, digest)| ((*name).to_owned(), digest.to_hex()))
        .collect()
}

fn enters_key(value: &EnvValue) -> bool {
    match value {
        EnvValue::Text(_) => true,
        EnvValue::Literal { in_key, .. }
        | EnvValue::Secret { in_key, .. }
        | EnvValue::Variable { in_key, .. } => *in_key,
    }
}
