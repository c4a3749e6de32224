//! After the decision: outputs restored from a hit, or looked at and stored after a run.

use std::fs;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::decide::{hex, made_of};
use super::decision::{Sealed, TaskFacts, shown};
use super::look::{Look, TaskSets, entry as manifest_entry, read_stable};
use super::sets::Sets;
use super::{Decided, Engine, Made};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::ir::Task;
use crate::store::{ENTRY_VERSION, Entry, Restored, Restorer, Store};
use crate::tree::{
    Entry as File, EntryKind, Found, Kind, Known, Manifest, differences, path_of, read_link,
};

impl Engine {
    /// Makes the outputs of a hit exactly what was stored.
    pub fn restore(&self, id: &str) -> Result<Restored> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let Some((_, wanted)) = &decided.entry else {
            return Err(Error::Invalid(format!("`{id}` is no hit")));
        };
        let store = self.store(task)?;
        let mut done = Restored::default();
        if !task.outputs.is_empty() {
            let (look, sets) = self.look(&[id])?;
            let set = sets[0]
                .outputs
                .ok_or_else(|| Error::Invalid("it owns nothing".into()))?;
            self.digest(&look, &[set]);
            let restorer = Restorer {
                store: &store,
                root: &self.root,
                staging: &self.request.state.join("tmp"),
            };
            done = restorer.restore(wanted, &look.present(set))?;
        }
        let made = made_of(task, decided.key, wanted);
        self.lock().made.insert(id.to_owned(), made);
        Ok(done)
    }

    /// Closes a task whose steps succeeded: looks at its outputs, and stores them if it is cached.
    pub fn seal(&self, id: &str, facts: &TaskFacts) -> Result<Sealed> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let (look, sets, alone) = self.look_with_patterns(task)?;
        let mut sealed = Sealed::default();
        if let Some(set) = sets.outputs {
            sealed.missing = missing(task, &look, set, &alone);
            sealed.unsuitable = unsuitable(&look, set);
        }
        if !sealed.missing.is_empty() || !sealed.unsuitable.is_empty() {
            self.failed(id);
            return Ok(sealed);
        }
        self.digest(&look, &[sets.inputs]);
        let inputs = look.inputs(&self.root, sets.inputs)?;
        sealed.changed_inputs = differences(&decided.inputs, &inputs)
            .iter()
            .map(|d| shown(&d.path))
            .collect();
        let is_sure = sealed.changed_inputs.is_empty() && !self.follows_unsure(task);
        let store = match &task.cache {
            Some(cache) if is_sure && cache.policy != "read" => Some(self.store(task)?),
            _ => None,
        };
        let (outputs, trouble) = self.snapshot(&look, sets.outputs, store.as_ref())?;
        sealed.files = outputs.entries.len() as u64;
        sealed.bytes = outputs.bytes();
        sealed.digest = outputs.digest().to_hex();
        sealed.trouble = trouble.unwrap_or_default();
        if let Some(store) = store.filter(|_| sealed.trouble.is_empty()) {
            match self.store_entry(&store, task, &decided, &outputs, facts) {
                Ok(()) => {
                    sealed.stored = true;
                    self.lock().memory.set_baseline(id, &decided.key.to_hex());
                }
                Err(error) => sealed.trouble = error.to_string(),
            }
        }
        let made = if is_sure {
            made_of(task, decided.key, &outputs)
        } else {
            Made::Unsure
        };
        self.lock().made.insert(id.to_owned(), made);
        Ok(sealed)
    }

    /// The stored log of a hit.
    pub fn log_of(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let task = self.pipeline.task(id)?;
        let decided = self.decided(id)?;
        let log = decided
            .entry
            .as_ref()
            .and_then(|(entry, _)| entry.log.as_deref());
        match log.and_then(Digest::from_hex) {
            Some(digest) => Ok(self.store(task)?.read_blob(digest).ok()),
            None => Ok(None),
        }
    }

    fn decided(&self, id: &str) -> Result<Arc<Decided>> {
        let decided = self.lock().decided.get(id).cloned();
        decided.ok_or_else(|| Error::Invalid(format!("`{id}` has not been decided")))
    }

    fn follows_unsure(&self, task: &Task) -> bool {
        let inner = self.lock();
        task.depends_on
            .iter()
            .any(|id| matches!(inner.made.get(id), Some(Made::Unsure)))
    }

    /// A look at one task with each of its output patterns also as a set of its own.
    fn look_with_patterns<'a>(&'a self, task: &'a Task) -> Result<(Look, TaskSets, Vec<SetId>)> {
        let mut sets = Sets::new(&self.pipeline);
        let own = TaskSets {
            inputs: sets.inputs_of(task)?,
            outputs: sets.outputs_of(task)?,
        };
        let alone: Result<Vec<_>> = task
            .outputs
            .iter()
            .map(|output| sets.output_alone(output))
            .collect();
        let alone = alone?;
        Ok((self.look_for(sets.build())?, own, alone))
    }

    /// Reads every output once, into the store if there is one. Trouble with the store, in words, does
    /// not stop it: what the task made is needed for the tasks after it.
    fn snapshot(
        &self,
        look: &Look,
        set: Option<SetId>,
        store: Option<&Store>,
    ) -> Result<(Manifest, Option<String>)> {
        let Some(set) = set else {
            return Ok((Manifest::default(), None));
        };
        let trouble = Mutex::new(None);
        let files: Vec<_> = look.members(set).collect();
        let mut entries = files
            .into_par_iter()
            .map(|(folder, file)| {
                let path = folder.path_of(&file.name);
                let known = self.keep_output(&path, file, store, &trouble)?;
                // An earlier look may have known it already: it is the same then.
                let _ = file.known.set(Some(known));
                Ok(manifest_entry(path, &known))
            })
            .collect::<Result<Vec<File>>>()?;
        self.remember(look);
        self.lock().memory.is_index_old = true;
        entries.extend(
            look.present(set)
                .empty_folders
                .into_iter()
                .map(|path| File {
                    path,
                    kind: EntryKind::Folder,
                    digest: Digest::of(b""),
                    mode: 0o755,
                    size: 0,
                }),
        );
        let trouble = trouble.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((Manifest::new(entries), trouble))
    }

    /// One output, read and stored.
    fn keep_output(
        &self,
        relative: &[u8],
        file: &Found,
        store: Option<&Store>,
        trouble: &Mutex<Option<String>>,
    ) -> Result<Known> {
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
            return Ok(Known {
                identity: file.identity,
                digest: Digest::of(&text),
            });
        }
        match store.map(|store| store.put_file(&path, &file.identity)) {
            Some(Ok(Some(stored))) => {
                self.hashed
                    .blobs
                    .fetch_add(u64::from(stored.is_new), Ordering::Relaxed);
                return Ok(Known {
                    identity: stored.identity,
                    digest: stored.digest,
                });
            }
            Some(Ok(None)) => note(format!("{} changed while it was stored", shown(relative))),
            Some(Err(error)) => note(error.to_string()),
            None => {}
        }
        let known = match file.known.get() {
            Some(known) => *known,
            None => read_stable(&path, &file.identity).map_err(Error::at(&path))?,
        };
        known.ok_or_else(|| Error::at(&path)(io::Error::from(io::ErrorKind::NotFound)))
    }

    /// Blobs first, the entry last: an entry is never there without what it names.
    fn store_entry(
        &self,
        store: &Store,
        task: &Task,
        decided: &Decided,
        outputs: &Manifest,
        facts: &TaskFacts,
    ) -> Result<()> {
        let (outputs_blob, _) = store.put(&outputs.encode())?;
        let (inputs_blob, _) = store.put(&decided.inputs.encode())?;
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
            key: key.clone(),
        })?;
        self.hashed.entries.fetch_add(1, Ordering::Relaxed);
        self.used(store, &key);
        Ok(())
    }
}

/// The patterns that promised an output and got none.
fn missing(task: &Task, look: &Look, set: SetId, alone: &[SetId]) -> Vec<String> {
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
fn unsuitable(look: &Look, set: SetId) -> Vec<String> {
    let present = look.present(set);
    let special = present
        .files
        .iter()
        .filter(|(_, (identity, _))| identity.kind == Kind::Special);
    special.map(|(path, _)| shown(path)).collect()
}
