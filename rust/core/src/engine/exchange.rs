//! Results that come from another store, or go to one: entries and blobs as bytes, checked on the way in.

use super::Engine;
use super::sets::Sets;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::ir::Task;
use crate::store::{Entry, Lookup, Store};
use crate::tree::{EntryKind, Manifest};

impl Engine {
    /// The entry that a finished task has in its own store, as bytes, and the blobs that belong to it.
    /// None if it was not stored.
    pub fn export(&self, id: &str) -> Result<Option<(Vec<u8>, Vec<Digest>)>> {
        let store = self.store(self.pipeline.task(id)?)?;
        let Lookup::Found(entry) = store.look_up(self.decided(id)?.key) else {
            return Ok(None);
        };
        let mut blobs = of_entry(&entry, &store)?;
        blobs.extend(of_outputs(&store.manifest(&entry.outputs)?));
        blobs.sort_unstable();
        blobs.dedup();
        Ok(Some((entry.encode()?, blobs)))
    }

    /// The bytes of a blob in the store of a task, checked.
    pub fn blob(&self, id: &str, digest: Digest) -> Result<Vec<u8>> {
        self.store(self.pipeline.task(id)?)?.read_blob(digest)
    }

    /// The blobs that the task's own store still needs before it can take an entry over. What they are
    /// shows in steps: the lists of files come first.
    ///
    /// Fails as corrupt on bytes that are not an entry for the task's key.
    pub fn wanted(&self, id: &str, entry: &[u8]) -> Result<Vec<Digest>> {
        let store = self.store(self.pipeline.task(id)?)?;
        let entry = self.entry_for(id, &store, entry)?;
        let lists = absent(&store, of_entry(&entry, &store)?);
        if !lists.is_empty() {
            return Ok(lists);
        }
        let outputs = store.manifest(&entry.outputs)?;
        Ok(absent(&store, of_outputs(&outputs).collect()))
    }

    /// Takes over a blob. Fails as corrupt if the bytes are not those that it names.
    pub fn take_blob(&self, id: &str, digest: Digest, bytes: &[u8]) -> Result<()> {
        let store = self.store(self.pipeline.task(id)?)?;
        if Digest::of(bytes) != digest {
            let what = "a blob of another store is not what it is named after";
            return Err(Error::corrupt(store.root(), what));
        }
        store.put(bytes).map(|_| ())
    }

    /// Takes over an entry of which every blob is there: the next decision about the task finds it.
    ///
    /// Fails as corrupt on bytes that are not an entry for the task's key, or without all of its blobs.
    pub fn take_entry(&self, id: &str, entry: &[u8]) -> Result<()> {
        if !self.wanted(id, entry)?.is_empty() {
            let root = self.store(self.pipeline.task(id)?)?.root().to_path_buf();
            return Err(Error::corrupt(
                &root,
                "an entry of another store without all of its blobs",
            ));
        }
        let task = self.pipeline.task(id)?;
        let store = self.store(task)?;
        let entry = self.entry_for(id, &store, entry)?;
        if !self.owns_all(task, &store.manifest(&entry.outputs)?)? {
            let what = "an entry of another store has outputs that the task does not own";
            return Err(Error::corrupt(store.root(), what));
        }
        store.put_entry(&entry)
    }

    fn owns_all(&self, task: &Task, outputs: &Manifest) -> Result<bool> {
        let mut sets = Sets::new(&self.pipeline);
        let Some(own) = sets.outputs_of(task)? else {
            return Ok(outputs.entries.is_empty());
        };
        let automaton = sets.build().automaton;
        Ok(outputs.is_tree()
            && outputs.entries.iter().all(|entry| {
                let is_folder = entry.kind == EntryKind::Folder;
                automaton.selects(own, &entry.path, is_folder)
            }))
    }

    fn entry_for(&self, id: &str, store: &Store, bytes: &[u8]) -> Result<Entry> {
        let corrupt = |what| Error::corrupt(store.root(), what);
        let entry = Entry::decode(bytes);
        let entry = entry.ok_or_else(|| corrupt("an entry of another store is damaged"))?;
        if entry.key != self.decided(id)?.key.to_hex() {
            return Err(corrupt("an entry of another store belongs to another key"));
        }
        Ok(entry)
    }
}

/// The blobs that an entry names itself.
fn of_entry(entry: &Entry, store: &Store) -> Result<Vec<Digest>> {
    let named = [
        Some(&entry.outputs),
        Some(&entry.inputs),
        entry.log.as_ref(),
    ];
    let digest = |hex: &String| {
        let corrupt = || Error::corrupt(store.root(), "an entry names no digest");
        Digest::from_hex(hex).ok_or_else(corrupt)
    };
    named.into_iter().flatten().map(digest).collect()
}

/// The blobs with the contents of outputs: links too keep their text in one.
fn of_outputs(outputs: &Manifest) -> impl Iterator<Item = Digest> {
    let with_contents = outputs
        .entries
        .iter()
        .filter(|entry| !matches!(entry.kind, EntryKind::Folder | EntryKind::Missing));
    with_contents.map(|entry| entry.digest)
}

fn absent(store: &Store, digests: Vec<Digest>) -> Vec<Digest> {
    let mut absent: Vec<Digest> = digests
        .into_iter()
        .filter(|digest| !store.has(*digest))
        .collect();
    absent.sort_unstable();
    absent.dedup();
    absent
}
