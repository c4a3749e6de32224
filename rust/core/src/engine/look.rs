//! One look at the files of some tasks: a walk, digests as they are asked for, manifests.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::Engine;
use super::sets::{Built, Sets};
use super::survey::Sums;
use crate::digest::{Digest, hash_file};
use crate::error::{Error, Result};
use crate::glob::{Automaton, SetId};
use crate::store::Present;
use crate::tree::{
    Entry, EntryKind, Folder, FolderFound, Found, Identity, Kind, Known, Manifest, Stamp, Sum,
    SumOf, Summed, Walk, has_no_writer, is_gone, is_never, open_file, path_of, read_link,
};

/// A file that keeps changing while it is read is given up on after this many times.
const TRIES: usize = 16;
/// Fewer files than this are not worth several threads.
const FEW_FILES: usize = 32;

pub(super) struct Look {
    built: Built,
    walk: Walk,
    /// For each set the places of what it selects.
    members: Vec<Vec<Place>>,
    /// For each set of outputs the folders that it owns.
    owned: HashMap<SetId, Vec<u32>>,
    /// Taken before the first file is read: a look that reads none writes none.
    pub(super) stamp: OnceLock<Stamp>,
    /// What a survey knew of sets that have not changed since.
    sums: Sums,
    /// What was found out, for whoever asks again and for the next survey.
    added_up: Mutex<Sums>,
    /// Some set depends on what no walk sees.
    is_unsteady: AtomicBool,
    /// Files that were read while somebody might have been writing to them.
    unsettled: Mutex<BTreeSet<Place>>,
    /// Files that changed after the walk, with the identity under which they were read.
    changed: Mutex<HashMap<Place, Identity>>,
    has_changed: AtomicBool,
    troubles: Mutex<Vec<Trouble>>,
    /// Whether files were read on the walk, and where the folders stand in which they lie.
    has_read_ahead: bool,
    read_ahead: OnceLock<HashMap<Box<[u8]>, u32>>,
}

/// The index of a folder of the walk, and of a file in it.
pub(super) type Place = (u32, u32);
/// A place, with inode and mtime of what is there.
pub(super) type Writing = (Place, u64, i64);

/// An input that could not be read, with the sets it belongs to.
type Trouble = (Arc<[SetId]>, Vec<u8>, io::Error);

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

    /// Finds the digest of everything in these sets that has none yet.
    pub(super) fn digest(&self, look: &Look, wanted: &[SetId]) {
        let mut places: Vec<Place> = wanted
            .iter()
            .flat_map(|set| look.members[*set as usize].iter().copied())
            .filter(|place| look.at(*place).1.digest.get().is_none())
            .collect();
        if places.is_empty() {
            return;
        }
        places.sort_unstable();
        places.dedup();
        let places = self.not_read_earlier(look, places);
        self.before_reading(look);
        let in_one_folder = |a: &Place, b: &Place| a.0 == b.0;
        let read = |places: &[Place]| self.read_digests(look, places);
        let fresh: Vec<Vec<(Place, Known)>> = if places.len() < FEW_FILES {
            places.chunk_by(in_one_folder).map(read).collect()
        } else {
            places.par_chunk_by(in_one_folder).map(read).collect()
        };
        self.remember(look, fresh.into_iter().flatten());
    }

    /// To be called before files of a look are read: whatever is written from now on is later than this.
    pub(super) fn before_reading(&self, look: &Look) {
        look.stamp.get_or_init(|| self.stamp());
    }

    /// What an earlier look of this run found out is as good as the index. Gives what is left to read.
    fn not_read_earlier(&self, look: &Look, places: Vec<Place>) -> Vec<Place> {
        let inner = self.lock();
        let fresh = &inner.memory.fresh;
        let first = inner.memory.looked.as_deref();
        let first = first.filter(|first| !std::ptr::eq(*first, look) && first.has_read_ahead());
        if fresh.is_empty() && first.is_none() {
            return places;
        }
        let is_unknown = |place: &Place| {
            let (folder, file) = look.at(*place);
            let known = fresh
                .get(&folder.path)
                .and_then(|files| files.get(&file.name).copied());
            let known = known.or_else(|| first?.read_ahead(&folder.path, &file.name));
            match known.filter(|known| known.identity == file.identity) {
                Some(known) => file.digest.set(Some(known.digest)).is_err(),
                None => true,
            }
        };
        places.into_iter().filter(is_unknown).collect()
    }

    /// Reads files and links of one folder. Gives what may be remembered of them.
    fn read_digests(&self, look: &Look, places: &[Place]) -> Vec<(Place, Known)> {
        // A way through all folders from the top for each file costs more than reading it.
        let held = match places {
            [first, _, _, ..] => Folder::reach(&path_of(&self.root, &look.at(*first).0.path)).ok(),
            _ => None,
        };
        let read = |place: &Place| self.read_digest(look, *place, held.as_ref());
        places.iter().filter_map(read).collect()
    }

    fn read_digest(
        &self,
        look: &Look,
        place: Place,
        held: Option<&Folder>,
    ) -> Option<(Place, Known)> {
        let (folder, file) = look.at(place);
        self.hashed.files.fetch_add(1, Ordering::Relaxed);
        self.hashed
            .bytes
            .fetch_add(file.identity.size, Ordering::Relaxed);
        let in_full = || folder.path_of(&file.name);
        let stamp = look.moment();
        let read = match file.identity.kind {
            Kind::Link => read_link(&path_of(&self.root, &in_full())).map(|text| {
                Some(Reading {
                    known: Known {
                        identity: file.identity,
                        digest: Digest::of(&text),
                    },
                    is_settled: true,
                })
            }),
            Kind::File => match held.map(|held| read_once(held, file, stamp)) {
                Some(Ok(Some(reading))) => Ok(Some(reading)),
                // Something happens there: one more time, with all care.
                _ => read_stable(&path_of(&self.root, &in_full()), &file.identity, stamp),
            },
            Kind::Folder | Kind::Special => Ok(None),
        };
        let reading = match read {
            Ok(reading) => reading,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                lock(&look.troubles).push((Arc::clone(&file.sets), in_full(), error));
                return None;
            }
        };
        look.learn(place, reading);
        reading.map(|reading| (place, reading.known))
    }

    /// Keeps what was read, for later looks and for the next run: only what was settled when looked at.
    pub(super) fn remember(&self, look: &Look, read: impl Iterator<Item = (Place, Known)>) {
        let stamp = look.moment();
        let mut inner = self.lock();
        for (place, known) in read {
            let (folder, file) = look.at(place);
            if stamp.is_clean(&known.identity) && look.is_settled(place) {
                let files = inner.memory.fresh.entry(folder.path.clone()).or_default();
                files.insert(file.name.clone(), known);
            }
        }
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
    fn read_ahead(&self, folder: &[u8], name: &[u8]) -> Option<Known> {
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

    /// Whether all that a set selects was summed up and lies where a walk sees it.
    pub(super) fn is_steady_set(&self, set: SetId) -> bool {
        lock(&self.added_up).contains_key(&(set, SumOf::Inputs))
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

    /// The digest and the number of the inputs that a set selects, as of `inputs`, without a list of them.
    pub(super) fn inputs_sum(&self, root: &Path, set: SetId) -> Result<(Digest, u64)> {
        let added_up = lock(&self.added_up).get(&(set, SumOf::Inputs)).copied();
        if let Some(known) = added_up {
            return Ok(known);
        }
        if let Some(known) = self.sums.get(&(set, SumOf::Inputs)) {
            // Whatever could change it is seen by a walk: else it would not have been kept.
            self.keep_sum(set, SumOf::Inputs, *known);
            return Ok(*known);
        }
        let (sum, is_steady) = self.add_up_inputs(root, set)?;
        if is_steady {
            self.keep_sum(set, SumOf::Inputs, sum);
        } else {
            self.is_unsteady.store(true, Ordering::Release);
        }
        Ok(sum)
    }

    /// Whether the sum of a set's inputs is known without a look at any of them.
    pub(super) fn has_inputs_sum(&self, set: SetId) -> bool {
        self.sums.contains_key(&(set, SumOf::Inputs))
    }

    fn keep_sum(&self, set: SetId, of: SumOf, sum: (Digest, u64)) {
        lock(&self.added_up).insert((set, of), sum);
    }

    /// Every sum that a survey of this look may keep.
    pub(super) fn summed(&self) -> Vec<Summed> {
        let added_up = lock(&self.added_up);
        let summed = added_up.iter().map(|((set, of), (digest, count))| Summed {
            set: *set,
            of: *of,
            digest: *digest,
            count: *count,
        });
        let mut summed: Vec<_> = summed.collect();
        summed.sort_unstable_by_key(|sum| (sum.set, sum.of));
        summed
    }

    /// Whether everything that the sets select lies where a walk sees it.
    pub(super) fn is_steady(&self) -> bool {
        !self.is_unsteady.load(Ordering::Acquire)
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

    /// The sum, and whether a walk that finds everything as it was means that the sum is as it was.
    fn add_up_inputs(&self, root: &Path, set: SetId) -> Result<((Digest, u64), bool)> {
        let listed = |is_steady: bool| {
            let manifest = self.inputs(root, set)?;
            let sum = (manifest.digest(), manifest.entries.len() as u64);
            Ok((sum, is_steady))
        };
        if !lock(&self.troubles).is_empty() {
            return listed(false);
        }
        // All paths in one piece of memory, and where each of them stands in it.
        let mut paths = Vec::with_capacity(self.members(set).len() * 64);
        let mut entries = Vec::with_capacity(self.members(set).len());
        for place in self.members(set) {
            if let Some(known) = self.known(*place) {
                let (folder, file) = self.at(*place);
                let start = paths.len();
                if !folder.path.is_empty() {
                    paths.extend_from_slice(&folder.path);
                    paths.push(b'/');
                }
                paths.extend_from_slice(&file.name);
                entries.push((start..paths.len(), kind_of(&known.identity), known.digest));
            }
        }
        entries.sort_unstable_by(|a, b| paths[a.0.clone()].cmp(&paths[b.0.clone()]));
        let path_at = |number: usize| entries.get(number).map(|(range, ..)| &paths[range.clone()]);
        let literals = &self.built.literals[set as usize];
        let mut uncovered = literals
            .iter()
            .filter(|literal| !is_covered(entries.len(), path_at, literal))
            .peekable();
        if uncovered.peek().is_some() {
            return listed(uncovered.all(|literal| is_seen_by_walks(root, literal)));
        }
        let mut sum = Sum::new();
        for (range, kind, digest) in &entries {
            sum.add(&paths[range.clone()], *kind, *digest);
        }
        Ok(((sum.finish(), entries.len() as u64), true))
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

    /// The digest of the outputs on disk with their exact modes, as of `outputs`.
    pub(super) fn exact_digest(&self, set: SetId) -> Option<Digest> {
        let sum = if let Some(known) = self.sums.get(&(set, SumOf::Outputs)) {
            *known
        } else {
            let present = self.outputs(set)?;
            (present.exact_digest(), present.entries.len() as u64)
        };
        self.keep_sum(set, SumOf::Outputs, sum);
        Some(sum.0)
    }

    /// Whether the digest of a set's outputs is known without a look at any of them.
    pub(super) fn has_exact_digest(&self, set: SetId) -> bool {
        self.sums.contains_key(&(set, SumOf::Outputs))
    }

    pub(super) fn empty_folders(&self, set: SetId) -> impl Iterator<Item = &FolderFound> {
        self.owned_folders(set).filter(|folder| folder.is_empty)
    }

    fn owned_folders(&self, set: SetId) -> impl Iterator<Item = &FolderFound> {
        let owned = self.owned.get(&set).into_iter().flatten();
        owned.map(|number| &self.walk.folders[*number as usize])
    }

    /// Patterns without magic that the walk did not come across: missing, or behind a link.
    fn literals_not_walked(&self, root: &Path, set: SetId, found: &Manifest) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for literal in &self.built.literals[set as usize] {
            let path_at = |number: usize| found.entries.get(number).map(|entry| &*entry.path);
            if is_covered(found.entries.len(), path_at, literal) || !self.owns(set, literal, false)
            {
                continue;
            }
            let path = path_of(root, literal);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    let identity = Identity::from(&metadata);
                    // Asked for anew every time.
                    let reading = read_stable(&path, &identity, Stamp::NEVER);
                    let reading = reading.map_err(Error::at(&path))?;
                    entries.extend(reading.map(|read| entry(literal.clone(), &read.known)));
                }
                Ok(metadata) if metadata.is_symlink() => {
                    let text = read_link(&path).map_err(Error::at(&path))?;
                    let known = Known {
                        identity: Identity::from(&metadata),
                        digest: Digest::of(&text),
                    };
                    entries.push(entry(literal.clone(), &known));
                }
                Ok(_) => {}
                Err(error) if is_gone(&error) => {
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

fn kind_of(identity: &Identity) -> EntryKind {
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

/// Whether a walk would see something appear at a path where it has seen nothing: not behind a link.
fn is_seen_by_walks(root: &Path, path: &[u8]) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for (slash, _) in slashes {
        match fs::symlink_metadata(path_of(root, &path[..slash])) {
            Ok(found) if found.is_dir() => {}
            Ok(found) => return !found.is_symlink(),
            Err(error) => return is_gone(&error),
        }
    }
    true
}

/// Whether a path is among these `count` paths, or something below it. `path_at` gives them in order.
fn is_covered<'a>(count: usize, path_at: impl Fn(usize) -> Option<&'a [u8]>, path: &[u8]) -> bool {
    if path.is_empty() {
        return true;
    }
    let first_not_before = |wanted: &[u8]| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if path_at(middle).is_some_and(|path| path < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        path_at(low)
    };
    let below = [path, b"/"].concat();
    first_not_before(path) == Some(path)
        || first_not_before(&below).is_some_and(|found| found.starts_with(&below))
}

/// What was read of a file, and whether its identity will always stand for it.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) known: Known,
    pub(super) is_settled: bool,
}

/// Reads a file in a folder. None if it is not the one that was seen, or changes.
fn read_once(held: &Folder, seen: &Found, stamp: Stamp) -> io::Result<Option<Reading>> {
    read_open(held.open_file(&seen.name)?, &seen.identity, stamp)
}

fn read_open(mut file: File, identity: &Identity, stamp: Stamp) -> io::Result<Option<Reading>> {
    let is_settled = stamp.settles(identity, || has_no_writer(&file));
    let digest = hash_file(&mut file, identity)?;
    Ok(digest.map(|digest| Reading {
        known: Known {
            identity: *identity,
            digest,
        },
        is_settled,
    }))
}

/// Reads a file until its identity is the same before and after, and tells which identity that was.
pub(super) fn read_stable(
    path: &Path,
    identity: &Identity,
    stamp: Stamp,
) -> io::Result<Option<Reading>> {
    let mut identity = *identity;
    for _ in 0..TRIES {
        if let Some(reading) = read_open(open_file(path)?, &identity, stamp)? {
            return Ok(Some(reading));
        }
        identity = Identity::from(&fs::symlink_metadata(path)?);
        if identity.kind != Kind::File {
            return Ok(None);
        }
    }
    Err(io::Error::other("it keeps changing while it is read"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
