//! One look at the files of some tasks: a walk, digests as they are asked for, manifests.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Engine;
use super::sets::{Built, Sets};
use crate::digest::{Digest, hash_file};
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::store::Present;
use crate::tree::{
    Entry, EntryKind, FolderFound, Found, Identity, Kind, Known, Manifest, Stamp, Visited, Walk,
    path_of, read_link, walk,
};

/// A file that keeps changing while it is read is given up on after this many times.
const TRIES: usize = 4;
/// Fewer files than this are not worth several threads.
const FEW_FILES: usize = 32;

pub(super) struct Look {
    built: Built,
    walk: Walk,
    /// For each set the places (folder, file) of what it selects.
    members: HashMap<SetId, Vec<(u32, u32)>>,
    stamp: Stamp,
    /// Inputs that could not be read, with the sets they belong to.
    troubles: Mutex<Vec<Trouble>>,
}

/// An input that could not be read.
type Trouble = (Arc<[SetId]>, Vec<u8>, io::Error);

/// The sets of one task in a look.
#[derive(Clone, Copy)]
pub(super) struct TaskSets {
    pub inputs: SetId,
    pub outputs: Option<SetId>,
}

impl Engine {
    /// Looks at what these tasks read and own.
    pub(super) fn look(&self, tasks: &[&str]) -> Result<(Look, Vec<TaskSets>)> {
        let mut sets = Sets::new(&self.pipeline);
        let mut of_tasks = Vec::with_capacity(tasks.len());
        for task in tasks {
            let task = self.pipeline.task(task)?;
            of_tasks.push(TaskSets {
                inputs: sets.inputs_of(task)?,
                outputs: sets.outputs_of(task)?,
            });
        }
        Ok((self.look_for(sets.build())?, of_tasks))
    }

    pub(super) fn look_for(&self, built: Built) -> Result<Look> {
        let stamp = self.stamp();
        let walk = walk(&self.root, &built.automaton, &self.walked)?;
        let mut members: HashMap<SetId, Vec<(u32, u32)>> = HashMap::new();
        for (folder_number, folder) in (0..).zip(&walk.folders) {
            for (file_number, file) in (0..).zip(&folder.files) {
                for set in file.sets.iter() {
                    members
                        .entry(*set)
                        .or_default()
                        .push((folder_number, file_number));
                }
            }
        }
        Ok(Look {
            built,
            walk,
            members,
            stamp,
            troubles: Mutex::default(),
        })
    }

    /// Finds the digest of everything in these sets that has none yet.
    pub(super) fn digest(&self, look: &Look, wanted: &[SetId]) {
        let mut places: Vec<(u32, u32)> = wanted
            .iter()
            .flat_map(|set| look.members.get(set).into_iter().flatten().copied())
            .filter(|place| look.at(*place).1.known.get().is_none())
            .collect();
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return;
        }
        // What an earlier look of this run found out is as good as the index.
        let earlier = self.known_earlier(look, &places);
        let one = |(place, known): (&(u32, u32), &Option<Known>)| {
            let (folder, file) = look.at(*place);
            self.digest_one(look, folder, file, *known);
        };
        if places.len() < FEW_FILES {
            places.iter().zip(&earlier).for_each(one);
        } else {
            places.par_iter().zip(&earlier).for_each(one);
        }
        self.remember(look);
        let is_new = |(place, known): (&(u32, u32), &Option<Known>)| {
            known.is_none_or(|known| known.identity != look.at(*place).1.identity)
        };
        if places.iter().zip(&earlier).any(is_new) {
            self.lock().memory.is_index_old = true;
        }
    }

    fn known_earlier(&self, look: &Look, places: &[(u32, u32)]) -> Vec<Option<Known>> {
        let inner = self.lock();
        let mut known = Vec::with_capacity(places.len());
        let mut last: Option<(u32, _, Option<&Visited>)> = None;
        for place in places {
            let (folder, file) = look.at(*place);
            let (index, visited) = match last {
                Some((number, index, visited)) if number == place.0 => (index, visited),
                _ => (
                    self.index.folder(&folder.path),
                    inner.memory.visited.get(&folder.path),
                ),
            };
            last = Some((place.0, index, visited));
            let earlier = visited.and_then(|visited| *visited.files.get(&file.name)?);
            known.push(earlier.or_else(|| index?.find(&file.name)));
        }
        known
    }

    fn digest_one(&self, look: &Look, folder: &FolderFound, file: &Found, known: Option<Known>) {
        if let Some(known) = known.filter(|known| known.identity == file.identity) {
            self.hashed.known.fetch_add(1, Ordering::Relaxed);
            let _ = file.known.set(Some(known));
            return;
        }
        let relative = folder.path_of(&file.name);
        match self.read_digest(&path_of(&self.root, &relative), &file.identity) {
            Ok(known) => {
                // Two threads never look at one file: whoever sets it first has what the other has.
                let _ = file.known.set(known);
            }
            Err(error) => {
                let mut troubles = look.troubles.lock().unwrap_or_else(PoisonError::into_inner);
                troubles.push((Arc::clone(&file.sets), relative, error));
            }
        }
    }

    /// The digest of a file or a link that is not known. None for what is gone or has no contents.
    fn read_digest(&self, path: &Path, identity: &Identity) -> io::Result<Option<Known>> {
        self.hashed.files.fetch_add(1, Ordering::Relaxed);
        self.hashed
            .bytes
            .fetch_add(identity.size, Ordering::Relaxed);
        let read = match identity.kind {
            Kind::Link => read_link(path).map(|text| {
                Some(Known {
                    identity: *identity,
                    digest: Digest::of(&text),
                })
            }),
            Kind::File => read_stable(path, identity),
            Kind::Folder | Kind::Special => Ok(None),
        };
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }

    /// Keeps what a look found out, for later looks and for the next run.
    pub(super) fn remember(&self, look: &Look) {
        let mut inner = self.lock();
        for folder in &look.walk.folders {
            let seen = inner.memory.visited.entry(folder.path.clone()).or_default();
            // A file known from an earlier look that this one did not select may still be there.
            let unselected: Vec<_> = folder.others.clone();
            seen.files.retain(|name, _| {
                unselected.binary_search(name).is_ok()
                    || folder
                        .files
                        .binary_search_by(|file| file.name.cmp(name))
                        .is_ok()
            });
            seen.others = unselected.into_iter().collect();
            seen.subfolders = folder.subfolders.iter().cloned().collect();
            for file in &folder.files {
                let known = file.known.get().copied().flatten();
                let known = known.filter(|known| look.stamp.is_clean(&known.identity));
                let before = seen.files.get(&file.name).copied().flatten();
                // A look that did not hash the file takes nothing away from one that did.
                let still = before.filter(|before| before.identity == file.identity);
                seen.files.insert(file.name.clone(), known.or(still));
            }
        }
    }
}

impl Look {
    fn at(&self, (folder, file): (u32, u32)) -> (&FolderFound, &Found) {
        let folder = &self.walk.folders[folder as usize];
        (folder, &folder.files[file as usize])
    }

    pub(super) fn members(&self, set: SetId) -> impl Iterator<Item = (&FolderFound, &Found)> {
        self.members
            .get(&set)
            .into_iter()
            .flatten()
            .map(|place| self.at(*place))
    }

    pub(super) fn is_empty(&self, set: SetId) -> bool {
        self.members.get(&set).is_none_or(Vec::is_empty)
    }

    pub(super) fn owns(&self, set: SetId, path: &[u8], is_folder: bool) -> bool {
        self.built.automaton.selects(set, path, is_folder)
    }

    /// The inputs that a set selects, digests included. Asks `Engine::digest` first.
    pub(super) fn inputs(&self, root: &Path, set: SetId) -> Result<Manifest> {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, path, error)) = troubles.iter().find(|(sets, ..)| sets.contains(&set)) {
            let error = io::Error::new(error.kind(), error.to_string());
            return Err(Error::at(path_of(root, path))(error));
        }
        drop(troubles);
        let entries = self.members(set).filter_map(|(folder, file)| {
            let known = file.known.get().copied().flatten()?;
            Some(entry(folder.path_of(&file.name), &known))
        });
        let mut manifest = Manifest::new(entries.collect());
        let missing = self.literals_not_walked(root, set, &manifest)?;
        if !missing.is_empty() {
            manifest.entries.extend(missing);
            manifest = Manifest::new(manifest.entries);
        }
        Ok(manifest)
    }

    /// Patterns without magic that the walk did not come across: missing, or behind a link.
    fn literals_not_walked(&self, root: &Path, set: SetId, found: &Manifest) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for literal in &self.built.literals[set as usize] {
            if is_covered(found, literal) || !self.built.automaton.selects(set, literal, false) {
                continue;
            }
            let path = path_of(root, literal);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    let identity = Identity::from(&metadata);
                    let known = read_stable(&path, &identity).map_err(Error::at(&path))?;
                    entries.extend(known.map(|known| entry(literal.clone(), &known)));
                }
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    entries.push(Entry {
                        path: literal.clone().into(),
                        kind: EntryKind::Missing,
                        digest: Digest::of(b""),
                        mode: 0,
                        size: 0,
                    });
                }
                Err(error) => return Err(Error::at(&path)(error)),
            }
        }
        Ok(entries)
    }

    /// What lies below the patterns of outputs, with what is known of the digests.
    pub(super) fn present(&self, set: SetId) -> Present {
        let mut present = Present::default();
        for (folder, file) in self.members(set) {
            let known = file.known.get().copied().flatten();
            let seen = known.map_or((file.identity, None), |k| (k.identity, Some(k.digest)));
            present
                .files
                .insert(folder.path_of(&file.name).into(), seen);
        }
        for folder in &self.walk.folders {
            if folder.owners.binary_search(&set).is_ok() {
                present.owned_folders.insert(folder.path.clone());
                if folder.is_empty {
                    present.empty_folders.insert(folder.path.clone());
                }
            }
        }
        present
    }

    /// Whether outputs are as they should be as far as can be told without reading any.
    pub(super) fn could_be(&self, set: SetId, wanted: &Manifest) -> bool {
        let files = wanted
            .entries
            .iter()
            .filter(|entry| entry.kind != EntryKind::Folder);
        let sizes: BTreeMap<&[u8], (EntryKind, u64)> = files
            .map(|entry| (&*entry.path, (entry.kind, entry.size)))
            .collect();
        let mut count = 0;
        self.members(set).all(|(folder, file)| {
            count += 1;
            sizes
                .get(&*folder.path_of(&file.name))
                .is_some_and(|(kind, size)| *kind == EntryKind::Link || file.identity.size == *size)
        }) && count == sizes.len()
    }
}

pub(super) fn entry(path: Vec<u8>, known: &Known) -> Entry {
    let identity = &known.identity;
    Entry {
        path: path.into(),
        kind: match identity.kind {
            Kind::Link => EntryKind::Link,
            _ if identity.is_executable() => EntryKind::Executable,
            _ => EntryKind::File,
        },
        digest: known.digest,
        mode: identity.mode & 0o777,
        size: identity.size,
    }
}

/// Whether a path is in the manifest, or something below it.
fn is_covered(manifest: &Manifest, path: &[u8]) -> bool {
    if path.is_empty() {
        return true;
    }
    let from = manifest
        .entries
        .partition_point(|entry| *entry.path < *path);
    let below = [path, b"/"].concat();
    let from_below = manifest
        .entries
        .partition_point(|entry| *entry.path < *below);
    manifest
        .entries
        .get(from)
        .is_some_and(|entry| *entry.path == *path)
        || manifest
            .entries
            .get(from_below)
            .is_some_and(|entry| entry.path.starts_with(&below))
}

/// Reads a file until its identity is the same before and after, and tells which identity that was.
pub(super) fn read_stable(path: &Path, identity: &Identity) -> io::Result<Option<Known>> {
    let mut identity = *identity;
    for _ in 0..TRIES {
        let mut file = File::open(path)?;
        if let Some(digest) = hash_file(&mut file, &identity)? {
            return Ok(Some(Known { identity, digest }));
        }
        identity = Identity::from(&fs::symlink_metadata(path)?);
        if identity.kind != Kind::File {
            return Ok(None);
        }
    }
    Err(io::Error::other("it keeps changing while it is read"))
}
