//! One look at the files of some tasks: a walk, digests as they are asked for, manifests.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Engine;
use super::reading::Reading;
use super::sets::{Built, Sets};
use super::sums::Sums;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::{Automaton, SetId};
use crate::store::Present;
use crate::tree::{
    Entry, EntryKind, FolderFound, Found, Identity, Kind, Known, Manifest, Stamp, Walk, is_never,
    path_of,
};

pub(super) struct Look {
    pub(super) built: Built,
    walk: Walk,
    /// For each set the places of what it selects.
    members: Vec<Vec<Place>>,
    /// For each set of outputs the folders that it owns.
    owned: HashMap<SetId, Vec<u32>>,
    /// Taken before the first file is read: a look that reads none writes none.
    pub(super) stamp: OnceLock<Stamp>,
    /// What a survey knew of sets that have not changed since.
    pub(super) sums: Sums,
    /// What was found out, for whoever asks again and for the next survey.
    pub(super) added_up: Mutex<Sums>,
    /// Some set depends on what no walk sees.
    pub(super) is_unsteady: AtomicBool,
    /// Files that were read while somebody might have been writing to them.
    unsettled: Mutex<BTreeSet<Place>>,
    /// Files that changed after the walk, with the identity under which they were read.
    changed: Mutex<HashMap<Place, Identity>>,
    has_changed: AtomicBool,
    pub(super) troubles: Mutex<Vec<Trouble>>,
    /// Whether files were read on the walk, and where the folders stand in which they lie.
    has_read_ahead: bool,
    read_ahead: OnceLock<HashMap<Box<[u8]>, u32>>,
}

/// The index of a folder of the walk, and of a file in it.
pub(super) type Place = (u32, u32);
/// A place, with inode and mtime of what is there.
pub(super) type Writing = (Place, u64, i64);

/// An input that could not be read, with the sets it belongs to.
pub(super) type Trouble = (Arc<[SetId]>, Vec<u8>, io::Error);

/// The sets of one task in a look.
#[derive(Clone, Copy)]
pub(super) struct TaskSets {
    pub(super) inputs: SetId,
    pub(super) outputs: Option<SetId>,
}

impl Engine {
    /// Looks at what these tasks read and own.
    pub(super) fn look(&self, tasks: &[&str]) -> Result<(Look, Vec<TaskSets>)> {
        let mut sets = Sets::new(&self.pipeline);
        let mut of_tasks = Vec::with_capacity(tasks.len());
        for task in tasks {
            of_tasks.push(sets.of_task(self.pipeline.task(task)?)?);
        }
        Ok((self.look_for(sets.build())?, of_tasks))
    }

    pub(super) fn look_for(&self, built: Built) -> Result<Look> {
        let walk = self.walk(&built)?;
        Ok(Look::of(built, walk, OnceLock::new(), Sums::new()))
    }
}

impl Look {
    pub(super) fn of(built: Built, walk: Walk, stamp: OnceLock<Stamp>, sums: Sums) -> Self {
        let mut members = vec![Vec::new(); built.literals.len()];
        let mut owned: HashMap<SetId, Vec<u32>> = HashMap::new();
        let mut has_read_ahead = false;
        for (folder_number, folder) in (0..).zip(&walk.folders) {
            for set in folder.owners.iter() {
                owned.entry(*set).or_default().push(folder_number);
            }
            for (file_number, file) in (0..).zip(&folder.files) {
                has_read_ahead |= file.is_new;
                for set in file.sets.iter() {
                    members[*set as usize].push((folder_number, file_number));
                }
            }
        }
        Self {
            built,
            walk,
            members,
            owned,
            stamp,
            sums,
            added_up: Mutex::default(),
            is_unsteady: AtomicBool::new(false),
            unsettled: Mutex::default(),
            changed: Mutex::default(),
            has_changed: AtomicBool::new(false),
            troubles: Mutex::default(),
            has_read_ahead,
            read_ahead: OnceLock::new(),
        }
    }

    /// Whether files were read on the walk.
    pub(super) fn has_read_ahead(&self) -> bool {
        self.has_read_ahead
    }

    /// What was read of a file on the walk.
    pub(super) fn read_ahead(&self, folder: &[u8], name: &[u8]) -> Option<Known> {
        let number_of = |(number, folder): (u32, &FolderFound)| {
            let has_new = folder.files.iter().any(|file| file.is_new);
            has_new.then(|| (folder.path.clone(), number))
        };
        let numbers = self.read_ahead.get_or_init(|| {
            let folders = (0..).zip(&self.walk.folders);
            folders.filter_map(number_of).collect()
        });
        let number = *numbers.get(folder)?;
        let files = &self.walk.folders[number as usize].files;
        let at = files.binary_search_by(|file| (*file.name).cmp(name)).ok()?;
        let is_new = files[at].is_new;
        self.known((number, u32::try_from(at).ok()?))
            .filter(|_| is_new)
    }

    pub(super) fn automaton(&self) -> &Automaton {
        &self.built.automaton
    }

    pub(super) fn set_count(&self) -> usize {
        self.members.len()
    }

    pub(super) fn walk(&self) -> &Walk {
        &self.walk
    }

    pub(super) fn at(&self, (folder, file): Place) -> (&FolderFound, &Found) {
        let folder = &self.walk.folders[folder as usize];
        (folder, &folder.files[file as usize])
    }

    pub(super) fn members(&self, set: SetId) -> &[Place] {
        &self.members[set as usize]
    }

    /// When the first file was read: before all files if none was.
    pub(super) fn moment(&self) -> Stamp {
        self.stamp.get().copied().unwrap_or(Stamp::NEVER)
    }

    /// Notes what a file turned out to be.
    pub(super) fn learn(&self, place: Place, reading: Option<Reading>) {
        let file = self.at(place).1;
        if reading.is_some_and(|reading| !reading.is_settled) {
            lock(&self.unsettled).insert(place);
        }
        let known = reading.map(|reading| reading.known);
        if let Some(known) = known.filter(|known| known.identity != file.identity) {
            lock(&self.changed).insert(place, known.identity);
            self.has_changed.store(true, Ordering::Release);
        }
        // Whoever comes second has read the same.
        let _ = file.digest.set(known.map(|known| known.digest));
    }

    /// Whether what was read of a file is what its identity will always stand for.
    pub(super) fn is_settled(&self, place: Place) -> bool {
        !lock(&self.unsettled).contains(&place)
    }

    /// Every file that was read while somebody might have been writing to it.
    pub(super) fn unsettled(&self) -> BTreeSet<Place> {
        lock(&self.unsettled).clone()
    }

    /// What is known of a file, under the identity with which it was read.
    pub(super) fn known(&self, place: Place) -> Option<Known> {
        let file = self.at(place).1;
        let digest = (*file.digest.get()?)?;
        let changed = if self.has_changed.load(Ordering::Acquire) {
            lock(&self.changed).get(&place).copied()
        } else {
            None
        };
        Some(Known {
            identity: changed.unwrap_or(file.identity),
            digest,
        })
    }

    pub(super) fn is_empty(&self, set: SetId) -> bool {
        self.members(set).is_empty()
    }

    /// How many files a set selects.
    pub(super) fn count(&self, set: SetId) -> usize {
        self.members(set).len()
    }

    pub(super) fn owns(&self, set: SetId, path: &[u8], is_folder: bool) -> bool {
        !is_never(path) && self.built.automaton.selects(set, path, is_folder)
    }

    /// The sets that select this path, ignore files left aside.
    pub(super) fn selecting(&self, path: &[u8]) -> Arc<[SetId]> {
        self.built.automaton.selecting_path(path)
    }

    /// The inputs that a set selects. `Engine::digest` has to have been asked for them.
    pub(super) fn inputs(&self, root: &Path, set: SetId) -> Result<Manifest> {
        let troubles = lock(&self.troubles);
        if let Some((_, path, error)) = troubles.iter().find(|(sets, ..)| sets.contains(&set)) {
            let error = io::Error::new(error.kind(), error.to_string());
            return Err(Error::at(path_of(root, path))(error));
        }
        drop(troubles);
        let mut manifest = Manifest::new(self.entries(set));
        let missing = self.literals_not_walked(root, set, &manifest)?;
        if !missing.is_empty() {
            manifest.entries.extend(missing);
            manifest = Manifest::new(manifest.entries);
        }
        Ok(manifest)
    }

    /// Whether nothing was unreadable or vanished while it was looked at.
    pub(super) fn is_complete(&self) -> bool {
        let is_gone = |file: &Found| matches!(file.digest.get(), Some(None));
        let has_contents = |file: &Found| file.identity.kind != Kind::Special;
        lock(&self.troubles).is_empty()
            && !self
                .walk
                .files()
                .any(|(_, file)| has_contents(file) && is_gone(file))
    }

    /// Which writing of each file of a set this is, in the order of the walk.
    ///
    /// What was changed and changed back has the digest that it had, and was read in between for all we
    /// know. Not the ctime: a hard link or a mode changes that, and nobody reads otherwise for it.
    pub(super) fn writings(&self, set: SetId) -> Vec<Writing> {
        let writing_at = |place: &Place| {
            let identity = self.known(*place)?.identity;
            Some((*place, identity.inode, identity.mtime))
        };
        self.members(set).iter().filter_map(writing_at).collect()
    }

    /// The files of a set that were written since, their contents left aside. The same files as before:
    /// others are told apart by their manifests.
    pub(super) fn written_since(&self, set: SetId, before: &[Writing]) -> Vec<Vec<u8>> {
        let pairs = before.iter().zip(self.writings(set));
        pairs
            .filter(|((_, inode, mtime), (_, now_inode, now_mtime))| {
                (inode, mtime) != (now_inode, now_mtime)
            })
            .map(|(_, (place, ..))| {
                let (folder, file) = self.at(place);
                folder.path_of(&file.name)
            })
            .collect()
    }

    fn entries(&self, set: SetId) -> Vec<Entry> {
        let entry_at = |place: &Place| {
            let (folder, file) = self.at(*place);
            Some(entry(folder.path_of(&file.name), &self.known(*place)?))
        };
        self.members(set).iter().filter_map(entry_at).collect()
    }

    /// The outputs on disk as a manifest. None if something among them is unknown or unsuitable.
    pub(super) fn outputs(&self, set: SetId) -> Option<Manifest> {
        let mut entries = self.entries(set);
        if entries.len() != self.members(set).len() {
            return None;
        }
        entries.extend(
            self.empty_folders(set)
                .map(|folder| folder_entry(&folder.path)),
        );
        Some(Manifest::new(entries))
    }

    pub(super) fn empty_folders(&self, set: SetId) -> impl Iterator<Item = &FolderFound> {
        self.owned_folders(set).filter(|folder| folder.is_empty)
    }

    fn owned_folders(&self, set: SetId) -> impl Iterator<Item = &FolderFound> {
        let owned = self.owned.get(&set).into_iter().flatten();
        owned.map(|number| &self.walk.folders[*number as usize])
    }

    /// What lies below the patterns of outputs, with what is known of the digests.
    pub(super) fn present(&self, set: SetId) -> Present {
        let mut present = Present::default();
        for place in self.members(set) {
            let (folder, file) = self.at(*place);
            let known = self.known(*place);
            let seen = known.map_or((file.identity, None), |k| (k.identity, Some(k.digest)));
            present
                .files
                .insert(folder.path_of(&file.name).into(), seen);
        }
        for folder in self.owned_folders(set) {
            present.owned_folders.insert(folder.path.clone());
            if folder.is_empty {
                present.empty_folders.insert(folder.path.clone());
            }
        }
        present
    }
}

pub(super) fn entry(path: Vec<u8>, known: &Known) -> Entry {
    let identity = &known.identity;
    Entry {
        path: path.into(),
        kind: kind_of(identity),
        digest: known.digest,
        mode: identity.mode & 0o777,
        size: identity.size,
    }
}

pub(super) fn kind_of(identity: &Identity) -> EntryKind {
    match identity.kind {
        Kind::Link => EntryKind::Link,
        _ if identity.is_executable() => EntryKind::Executable,
        _ => EntryKind::File,
    }
}

pub(super) fn folder_entry(path: &[u8]) -> Entry {
    Entry {
        path: path.into(),
        kind: EntryKind::Folder,
        digest: Digest::of(b""),
        mode: 0o755,
        size: 0,
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
