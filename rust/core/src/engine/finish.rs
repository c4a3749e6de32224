//! After the decision: outputs restored from a hit, or looked at and stored after a run.

use std::fs;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::again::First;
use super::assess::needs;
use super::decide::{hex, success_of};
use super::decision::{EntryFacts, Sealed, TaskFacts, shown};
use super::look::{Look, entry as manifest_entry, folder_entry};
use super::reading::{Reading, read_stable};
use super::restored::PutBack;
use super::sets::{Built, Sets};
use super::successes::Success;
use super::sums::Sums;
use super::{Before, Decided, Engine, Hit, Made};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::ir::Task;
use crate::store::{Done, ENTRY_VERSION, Entry, Lookup, Present, Restored, Restorer, Store};
use crate::tree::{
    Found, Kind, Known, Manifest, Project, Stamp, differences, path_of, read_link, walk_below,
};

/// What a task's inputs are after its steps.
enum After {
    /// What the first look saw of this set.
    First(Arc<First>, SetId),
    Seen(Manifest),
}

impl Engine {
    /// Makes the outputs of a hit exactly what was stored.
    pub fn restore(&self, id: &str) -> Result<Restored> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let wanted = match &decided.hit {
            Some(Hit::Stored(_, wanted)) => wanted,
            Some(Hit::InPlace(_) | Hit::Unchanged(_)) => return Ok(Restored::default()),
            None => return Err(Error::Invalid(format!("`{id}` has nothing to restore"))),
        };
        let store = self.store(task)?;
        let mut done = Done::default();
        if !task.outputs.is_empty() {
            let present = self.present(task)?;
            let restorer = Restorer {
                store: &store,
                root: &self.root,
                staging: &self.request.state.join("tmp"),
            };
            let outcome = restorer.restore(wanted, &present);
            // What a restore that failed has left cannot be said.
            self.lock().has_changed_files |= outcome.is_err();
            done = outcome?;
            if !done.changed.is_empty() {
                self.lock().put_back.push(PutBack {
                    task: id.to_owned(),
                    changed: done.changed,
                });
            }
        }
        self.remember_restored(done.known);
        let made = made_of(task, decided.key, wanted);
        let mut inner = self.lock();
        inner.made.insert(id.to_owned(), made);
        inner.order.is_over(id);
        drop(inner);
        Ok(done.counts)
    }

    /// What is there of a task's outputs.
    fn present(&self, task: &Task) -> Result<Present> {
        let places = Sets::new(&self.pipeline).places_of_outputs(task)?;
        let is_gone = |place: &Vec<u8>| {
            let found = fs::symlink_metadata(path_of(&self.root, place));
            found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        if places.is_some_and(|places| places.iter().all(is_gone)) {
            // Nothing to match, to list or to digest.
            return Ok(Present::default());
        }
        let (look, set) = self
            .look_at_owned(task)?
            .ok_or_else(|| Error::Invalid("it owns nothing".into()))?;
        self.digest(&look, &[set]);
        Ok(look.present(set))
    }

    /// Keeps for the next run what was just restored, where a later change is sure to show.
    fn remember_restored(&self, files: Vec<(Box<[u8]>, Known)>) {
        if files.is_empty() {
            return;
        }
        let device = self.finest_device();
        let mut inner = self.lock();
        for (path, known) in files {
            if device == Some(known.identity.device) {
                let slash = path.iter().rposition(|byte| *byte == b'/');
                let (folder, name) = match slash {
                    Some(at) => (&path[..at], &path[at + 1..]),
                    None => (&path[..0], &*path),
                };
                let fresh = inner.memory.fresh.entry(folder.into()).or_default();
                fresh.insert(name.into(), known);
            }
        }
    }

    /// Closes a task whose steps succeeded: looks at its outputs, and stores them if it is cached.
    pub fn seal(&self, id: &str, facts: &TaskFacts) -> Result<Sealed> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let over = {
            let mut inner = self.lock();
            inner.has_changed_files = true;
            inner.order.is_over(id)
        };
        let mut sealed = Sealed::default();
        let owned = self.look_at_outputs(task)?;
        if let Some((look, set, alone)) = &owned {
            sealed.missing = missing(task, look, *set, alone);
            sealed.unsuitable = unsuitable(look, *set);
        }
        if !sealed.missing.is_empty() || !sealed.unsuitable.is_empty() {
            self.failed(id);
            return Ok(sealed);
        }
        let inputs;
        (inputs, sealed.changed_inputs) = self.inputs_after(id, &decided, over)?;
        sealed.changed_inputs.extend(facts.changed.iter().cloned());
        let is_sure = sealed.changed_inputs.is_empty() && !self.follows_unsure(task);
        let store = match &task.cache {
            Some(cache) if is_sure && cache.policy != "read" => Some(self.store(task)?),
            _ => None,
        };
        let (outputs, trouble) = match &owned {
            Some((look, set, _)) => self.snapshot(look, *set, store.as_ref())?,
            None => (Manifest::default(), None),
        };
        sealed.files = outputs.entries.len() as u64;
        sealed.bytes = outputs.bytes();
        sealed.digest = outputs.digest().to_hex();
        sealed.trouble = trouble.unwrap_or_default();
        if let Some(store) = store.filter(|_| sealed.trouble.is_empty()) {
            match self.store_entry(&store, task, &decided, &inputs, &outputs, facts) {
                Ok(success) => {
                    sealed.stored = true;
                    self.lock().memory.successes.succeeded(id, success);
                }
                Err(error) => sealed.trouble = error.to_string(),
            }
        }
        let made = if is_sure {
            made_of(task, decided.key, &outputs)
        } else {
            Made::Unsure
        };
        let mut inner = self.lock();
        inner.made.insert(id.to_owned(), made);
        if !task.steps.is_empty() {
            let state = &self.request.state;
            inner.memory.durations.took(state, id, facts.duration_ms);
        }
        drop(inner);
        Ok(sealed)
    }

    /// The stored log of a hit.
    pub fn log_of(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let store = self.store(task)?;
        let log = match &decided.hit {
            None | Some(Hit::Unchanged(_)) => None,
            Some(Hit::Stored(entry, _)) => entry.log.clone(),
            Some(Hit::InPlace(_)) => match store.look_up(decided.key) {
                Lookup::Found(entry) => entry.log,
                Lookup::Absent | Lookup::Corrupt(_) => None,
            },
        };
        let log = log.as_deref().and_then(Digest::from_hex);
        Ok(log.and_then(|digest| store.read_blob(digest).ok()))
    }

    pub(super) fn decided(&self, id: &str) -> Result<Arc<Decided>> {
        let decided = self.lock().decided.get(id).cloned();
        decided.ok_or_else(|| Error::Invalid(format!("`{id}` has not been decided")))
    }

    pub(super) fn follows_unsure(&self, task: &Task) -> bool {
        let inner = self.lock();
        needs(task).any(|id| matches!(inner.made.get(id), Some(Made::Unsure)))
    }

    /// A task's inputs as they are after its steps, and those that are not what they were before. `over` is
    /// when its steps were over.
    fn inputs_after(&self, id: &str, decided: &Decided, over: u64) -> Result<(After, Vec<String>)> {
        if let Before::First(first, set) = &decided.before
            && self.as_first_seen(id).is_some()
        {
            self.lock().order.saw_as_first(*set, over);
            return Ok((After::First(Arc::clone(first), *set), Vec::new()));
        }
        let (look, sets) = self.look(&[id])?;
        let set = sets[0].inputs;
        self.digest(&look, &[set]);
        let inputs = look.inputs(&self.root, set)?;
        let before = decided.before.inputs(&self.root)?;
        let before = before.as_deref().unwrap_or(&inputs);
        let mut changed: Vec<String> = differences(before, &inputs)
            .iter()
            .map(|difference| shown(&difference.path))
            .collect();
        if changed.is_empty() {
            let written = look.written_since(set, &decided.before.writings());
            changed = written.iter().map(|path| shown(path)).collect();
        }
        Ok((After::Seen(inputs), changed))
    }

    /// A look at what a task owns, with each of its patterns also as a set of its own. None if it owns
    /// nothing.
    pub(super) fn look_at_outputs<'a>(
        &'a self,
        task: &'a Task,
    ) -> Result<Option<(Look, SetId, Vec<SetId>)>> {
        let mut sets = Sets::new(&self.pipeline);
        let Some(own) = sets.outputs_of(task)? else {
            return Ok(None);
        };
        let alone: Result<Vec<_>> = task
            .outputs
            .iter()
            .map(|output| sets.output_alone(output))
            .collect();
        let alone = alone?;
        let folders = sets.folders_of_outputs(task)?;
        Ok(Some((self.look_below(sets.build(), folders)?, own, alone)))
    }

    /// A look at what a task owns. None if it owns nothing.
    pub(super) fn look_at_owned(&self, task: &Task) -> Result<Option<(Look, SetId)>> {
        let mut sets = Sets::new(&self.pipeline);
        let Some(own) = sets.outputs_of(task)? else {
            return Ok(None);
        };
        let folders = sets.folders_of_outputs(task)?;
        Ok(Some((self.look_below(sets.build(), folders)?, own)))
    }

    /// A look that goes only where it has to. `folders` None: anywhere.
    fn look_below(&self, built: Built, folders: Option<Vec<Vec<u8>>>) -> Result<Look> {
        let top = self.top()?;
        let project = Project {
            root: &self.root,
            top: &top,
            automaton: &built.automaton,
            index: self.index(),
            is_relaxed: self.is_relaxed(),
            ahead: None,
            counters: &self.walked,
        };
        let walked = match folders {
            Some(folders) => walk_below(project, &folders)?,
            None => None,
        };
        match walked {
            Some(walk) => Ok(Look::of(built, walk, OnceLock::new(), Sums::new())),
            None => self.look_for(built),
        }
    }

    /// Reads every output once, into the store if there is one. Trouble with the store, in words, does
    /// not stop it: what the task made is needed for the tasks after it.
    pub(super) fn snapshot(
        &self,
        look: &Look,
        set: SetId,
        store: Option<&Store>,
    ) -> Result<(Manifest, Option<String>)> {
        let trouble = Mutex::new(None);
        self.before_reading(look);
        let kept = look
            .members(set)
            .par_iter()
            .map(|place| {
                let (folder, file) = look.at(*place);
                let path = folder.path_of(&file.name);
                let known = look.known(*place);
                let reading =
                    self.keep_output(&path, file, known, look.moment(), store, &trouble)?;
                look.learn(*place, Some(reading));
                Ok((*place, reading.known))
            })
            .collect::<Result<Vec<_>>>()?;
        self.remember(look, kept.iter().copied());
        let files = kept.into_iter().map(|(place, known)| {
            let (folder, file) = look.at(place);
            manifest_entry(folder.path_of(&file.name), &known)
        });
        let folders = look
            .empty_folders(set)
            .map(|folder| folder_entry(&folder.path));
        let trouble = trouble.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((Manifest::new(files.chain(folders).collect()), trouble))
    }

    /// One output, read and stored.
    fn keep_output(
        &self,
        relative: &[u8],
        file: &Found,
        known: Option<Known>,
        stamp: Stamp,
        store: Option<&Store>,
        trouble: &Mutex<Option<String>>,
    ) -> Result<Reading> {
        let path = path_of(&self.root, relative);
        let note = |what: String| {
            trouble
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(what);
        };
        if file.identity.kind == Kind::Link {
            let text = read_link(&path).map_err(Error::at(&path))?;
            if let Some(Err(error)) = store.map(|store| store.put(&text)) {
                note(error.to_string());
            }
            return Ok(settled(file, Digest::of(&text)));
        }
        match store.map(|store| store.put_file(&path, &file.identity, stamp)) {
            Some(Ok(Some(stored))) => {
                self.hashed
                    .blobs
                    .fetch_add(u64::from(stored.is_new), Ordering::Relaxed);
                return Ok(Reading {
                    known: Known {
                        identity: stored.identity,
                        digest: stored.digest,
                    },
                    is_settled: stored.is_settled,
                });
            }
            Some(Ok(None)) => note(format!("{} changed while it was stored", shown(relative))),
            Some(Err(error)) => note(error.to_string()),
            None => {}
        }
        let reading = match known {
            // From the index, or read in this look.
            Some(known) => Some(Reading {
                known,
                is_settled: true,
            }),
            None => read_stable(&path, &file.identity, stamp).map_err(Error::at(&path))?,
        };
        reading.ok_or_else(|| Error::at(&path)(io::Error::from(io::ErrorKind::NotFound)))
    }

    /// Blobs first, the entry last: an entry is never there without what it names.
    fn store_entry(
        &self,
        store: &Store,
        task: &Task,
        decided: &Decided,
        inputs: &After,
        outputs: &Manifest,
        facts: &TaskFacts,
    ) -> Result<Success> {
        let (outputs_blob, _) = store.put(&outputs.encode())?;
        let inputs_blob = match inputs {
            After::First(first, set) => first.store_inputs(&self.root, *set, store)?,
            After::Seen(inputs) => store.put(&inputs.encode())?.0,
        };
        let keeps_log = !task.cache.as_ref().is_some_and(|cache| cache.outputs_only);
        let log = match &facts.log {
            Some(path) if keeps_log => {
                let bytes = fs::read(path).map_err(Error::at(path))?;
                Some(store.put(&bytes)?.0.to_hex())
            }
            _ => None,
        };
        let key = decided.key.to_hex();
        store.put_entry(&Entry {
            version: ENTRY_VERSION,
            outputs: outputs_blob.to_hex(),
            inputs: inputs_blob.to_hex(),
            log,
            components: hex(&decided.components),
            values: decided.values.clone(),
            dependencies: decided
                .dependencies
                .iter()
                .map(|(id, digest)| (id.clone(), digest.to_hex()))
                .collect(),
            files: outputs.entries.len() as u64,
            bytes: outputs.bytes(),
            run_id: self.request.run_id.clone(),
            tool: facts.tool.clone(),
            platform: self.request.platform.clone(),
            domain: "local".into(),
            finished_ms: facts.finished_ms,
            duration_ms: facts.duration_ms,
            metadata: facts.metadata.clone(),
            key: key.clone(),
        })?;
        self.hashed.entries.fetch_add(1, Ordering::Relaxed);
        self.used(store, decided.key);
        let facts = EntryFacts {
            run_id: self.request.run_id.clone(),
            finished_ms: facts.finished_ms,
            duration_ms: facts.duration_ms,
            tool: facts.tool.clone(),
            files: outputs.entries.len() as u64,
            bytes: outputs.bytes(),
            outputs_digest: outputs.digest().to_hex(),
            metadata: facts.metadata.clone(),
        };
        Ok(success_of(task, decided.key, outputs, facts))
    }
}

/// What is certain of a file as it was seen.
fn settled(file: &Found, digest: Digest) -> Reading {
    Reading {
        known: Known {
            identity: file.identity,
            digest,
        },
        is_settled: true,
    }
}

/// What the tasks after this one see of it.
fn made_of(task: &Task, key: Digest, outputs: &Manifest) -> Made {
    Made::Digest(if task.outputs.is_empty() {
        key
    } else {
        outputs.digest()
    })
}

/// The patterns that promised an output and got none.
pub(super) fn missing(task: &Task, look: &Look, set: SetId, alone: &[SetId]) -> Vec<String> {
    let present = look.present(set);
    task.outputs
        .iter()
        .zip(alone)
        .filter(|(output, _)| !output.exclude && !output.optional)
        .filter(|(_, alone)| {
            let of_pattern = look.present(**alone);
            let has_file = of_pattern
                .files
                .keys()
                .any(|path| present.files.contains_key(path));
            let folders = &of_pattern.empty_folders;
            !has_file
                && !folders
                    .iter()
                    .any(|path| present.empty_folders.contains(path))
        })
        .map(|(output, _)| output.glob.clone())
        .collect()
}

/// Outputs that have no contents to keep: sockets, pipes, devices.
pub(super) fn unsuitable(look: &Look, set: SetId) -> Vec<String> {
    let present = look.present(set);
    let special = present
        .files
        .iter()
        .filter(|(_, (identity, _))| identity.kind == Kind::Special);
    special.map(|(path, _)| shown(path)).collect()
}
