//! Making outputs on disk exactly what was stored: prepared in full, then put in place.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

use super::stage::{Stage, Staged, Waiting, settle};
use super::staging::Staging;
use super::undo::{Undo, is_absent};
use super::{Store, create_new};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::{Entry, EntryKind, Identity, Kind, Known, Manifest, path_of};

/// What is on disk below the patterns of a task's outputs.
#[derive(Default)]
pub struct Present {
    /// Each file and link: its identity and its digest (None: it could not be read).
    pub files: BTreeMap<Box<[u8]>, (Identity, Option<Digest>)>,
    /// Owned folders with nothing in them.
    pub empty_folders: BTreeSet<Box<[u8]>>,
    /// All owned folders: those that may go when the last file in them goes.
    pub owned_folders: BTreeSet<Box<[u8]>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub restored: u64,
    pub removed: u64,
    pub unchanged: u64,
}

pub struct Restorer<'a> {
    pub store: &'a Store,
    pub root: &'a Path,
    /// A folder on the project's own file system.
    pub staging: &'a Path,
}

impl Present {
    /// Whether the outputs are exactly these.
    pub fn is(&self, wanted: &Manifest) -> bool {
        let count = self.files.len() + self.empty_folders.len();
        count == wanted.entries.len() && wanted.entries.iter().all(|entry| self.has(entry))
    }

    fn has(&self, wanted: &Entry) -> bool {
        match wanted.kind {
            EntryKind::Folder => self.empty_folders.contains(&wanted.path),
            EntryKind::Missing => false,
            EntryKind::Link => self
                .files
                .get(&wanted.path)
                .is_some_and(|(identity, digest)| {
                    identity.kind == Kind::Link && *digest == Some(wanted.digest)
                }),
            EntryKind::File | EntryKind::Executable => {
                self.files
                    .get(&wanted.path)
                    .is_some_and(|(identity, digest)| {
                        identity.kind == Kind::File
                            && identity.mode & 0o777 == wanted.mode
                            && identity.size == wanted.size
                            && *digest == Some(wanted.digest)
                    })
            }
        }
    }
}

/// What a restore did.
#[derive(Default)]
pub struct Done {
    pub counts: Restored,
    /// The paths at which something came, went or changed: of a folder that came as a whole its own.
    pub changed: Vec<Box<[u8]>>,
    /// Files that came into being here, which nobody else wrote to: what they are, and their digests.
    pub known: Vec<(Box<[u8]>, Known)>,
}

impl Restorer<'_> {
    /// Changes what differs and nothing else.
    ///
    /// All blobs are read and checked before the first output is touched: a blob that is missing or
    /// damaged is an error that has changed nothing.
    pub fn restore(&self, wanted: &Manifest, present: &Present) -> Result<Done> {
        let different: Vec<&Entry> = wanted
            .entries
            .iter()
            .filter(|entry| !present.has(entry))
            .collect();
        let extra: Vec<&[u8]> = present
            .files
            .keys()
            .chain(&present.empty_folders)
            .map(|path| &**path)
            .filter(|path| wanted.find(path).is_none())
            .collect();
        let counts = Restored {
            restored: different.len() as u64,
            removed: extra.len() as u64,
            unchanged: (wanted.entries.len() - different.len()) as u64,
        };
        if different.is_empty() && extra.is_empty() {
            return Ok(Done {
                counts,
                ..Done::default()
            });
        }
        let absent = self.check_parents(&different, &extra)?;
        self.check_places(&different, present, &absent)?;
        let staging = Staging::in_folder(self.staging);
        let stage = Stage {
            store: self.store,
            staging: &staging,
            entries: &different,
        };
        let tree_of = |path| {
            parents(path)
                .take_while(|parent| absent.contains(parent))
                .last()
        };
        let applied = stage.fill(present, tree_of).and_then(|staged| {
            let mut undo = Undo::new(&staging);
            let change = Change {
                restorer: self,
                wanted,
                present,
                extra: &extra,
                stage: &stage,
                staged: &staged,
            };
            let applied = change.apply(&mut undo);
            if applied.is_err() {
                undo.take_back();
            }
            applied.map(|known| (known, change.changed()))
        });
        staging.clear();
        let (known, changed) = applied?;
        Ok(Done {
            counts,
            changed,
            known,
        })
    }

    /// No folder on the way to an output may be a link: it would lead the restore out of the project.
    /// Nor may it be a file, unless that is an output that goes. Gives the folders that are not there.
    fn check_parents<'a>(
        &self,
        entries: &[&'a Entry],
        extra: &[&[u8]],
    ) -> Result<HashSet<&'a [u8]>> {
        let extra: HashSet<&[u8]> = extra.iter().copied().collect();
        let mut checked = HashSet::new();
        let mut absent = HashSet::new();
        for entry in entries {
            for parent in parents(&entry.path) {
                if !checked.insert(parent) {
                    break;
                }
                let path = path_of(self.root, parent);
                match fs::symlink_metadata(&path) {
                    Ok(found) if found.is_symlink() => {
                        let error = io::Error::other("an output lies behind this link");
                        return Err(Error::at(&path)(error));
                    }
                    Ok(found) if !found.is_dir() && !extra.contains(parent) => {
                        return Err(in_the_way(&path));
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        absent.insert(parent);
                    }
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(Error::at(&path)(error)),
                }
            }
        }
        Ok(absent)
    }

    /// What stands where an output has to be is the task's own, or nothing is begun.
    fn check_places(
        &self,
        entries: &[&Entry],
        present: &Present,
        absent: &HashSet<&[u8]>,
    ) -> Result<()> {
        for entry in entries {
            if parents(&entry.path)
                .next()
                .is_some_and(|parent| absent.contains(parent))
            {
                continue;
            }
            let path = path_of(self.root, &entry.path);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => {
                    if entry.kind != EntryKind::Folder {
                        self.check_folder(&entry.path, present)?;
                    }
                }
                Ok(_) if !present.files.contains_key(&entry.path) => {
                    return Err(in_the_way(&path));
                }
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(Error::at(&path)(error)),
            }
        }
        Ok(())
    }

    /// A folder that has to make room holds nothing but outputs.
    fn check_folder(&self, folder: &[u8], present: &Present) -> Result<()> {
        let mut open = vec![folder.to_vec()];
        while let Some(folder) = open.pop() {
            let path = path_of(self.root, &folder);
            for found in fs::read_dir(&path).map_err(Error::at(&path))? {
                let found = found.map_err(Error::at(&path))?;
                let is_folder = found.file_type().map_err(Error::at(&path))?.is_dir();
                let below = [&*folder, b"/", found.file_name().as_bytes()].concat();
                if is_folder && present.owned_folders.contains(&*below) {
                    open.push(below);
                } else if is_folder || !present.files.contains_key(&*below) {
                    return Err(in_the_way(&path_of(self.root, &below)));
                }
            }
        }
        Ok(())
    }
}

/// A restore of which everything is prepared.
struct Change<'a> {
    restorer: &'a Restorer<'a>,
    wanted: &'a Manifest,
    present: &'a Present,
    extra: &'a [&'a [u8]],
    stage: &'a Stage<'a>,
    staged: &'a Staged<'a>,
}

impl Change<'_> {
    fn changed(&self) -> Vec<Box<[u8]>> {
        let trees = self.staged.trees.iter().map(|tree| tree.folder);
        let waiting = self.stage.entries.iter().zip(&self.staged.waiting);
        let alone = waiting.filter(|(_, waiting)| !matches!(waiting, Waiting::InTree(_)));
        let alone = alone.map(|(entry, _)| &*entry.path);
        let paths = trees.chain(alone).chain(self.extra.iter().copied());
        paths.map(Into::into).collect()
    }

    fn apply(&self, undo: &mut Undo<'_>) -> Result<Vec<(Box<[u8]>, Known)>> {
        let root = self.restorer.root;
        for path in self.extra {
            undo.remove(&path_of(root, path))?;
        }
        self.remove_emptied(undo)?;
        for tree in &self.staged.trees {
            let place = path_of(root, tree.folder);
            if let Some(parent) = place.parent() {
                undo.make_folders(parent)?;
            }
            let files = tree.files.iter().map(|path| path_of(root, path)).collect();
            let folders = tree
                .folders
                .iter()
                .map(|path| path_of(root, path))
                .collect();
            undo.put_tree(&tree.staged, &place, files, folders)?;
        }
        let mut known = Vec::new();
        for (number, entry) in self.stage.entries.iter().enumerate() {
            let seen = self.put(number, entry, undo)?;
            known.extend(seen.map(|identity| {
                let digest = entry.digest;
                (entry.path.clone(), Known { identity, digest })
            }));
        }
        Ok(known)
    }

    /// Puts one entry in place. Gives what it is then, if it is a file that nobody else can have written.
    fn put(&self, number: usize, entry: &Entry, undo: &mut Undo<'_>) -> Result<Option<Identity>> {
        let path = path_of(self.restorer.root, &entry.path);
        let made = self.staged.identities[number].get();
        match &self.staged.waiting[number] {
            Waiting::InTree(_) => return Ok(made.copied()),
            Waiting::Nowhere => {
                if self.present.files.contains_key(&entry.path) {
                    undo.remove(&path)?;
                }
                undo.make_folders(&path)?;
                return Ok(None);
            }
            Waiting::InMemory(seen) => {
                let Some(bytes) = self.staged.contents.get(&number) else {
                    let what = "an output is not as small as it should be";
                    return Err(Error::corrupt(self.restorer.store.root(), what));
                };
                if undo.overwrite(&path, seen, bytes, entry.mode & 0o777)? {
                    return Ok(None);
                }
                let own = self.stage.own_place(number)?;
                let write = || {
                    let mut made = create_new(&own, entry.mode & 0o777)?;
                    made.write_all(bytes)?;
                    settle(&made, entry.mode & 0o777)
                };
                write().map_err(Error::at(&own))?;
                undo.put(&own, &path)?;
                return Ok(None);
            }
            Waiting::Alone(staged) => {
                if let Some(parent) = path.parent() {
                    undo.make_folders(parent)?;
                }
                undo.put(staged, &path)?;
            }
        }
        let Some(made) = made else { return Ok(None) };
        // A move changes nothing but the ctime: else somebody else was here.
        let now = fs::symlink_metadata(&path).map(|found| Identity::from(&found));
        Ok(now.ok().filter(|now| {
            *made
                == Identity {
                    ctime: made.ctime,
                    ..*now
                }
        }))
    }

    /// Removes owned folders that lost their last file, from the bottom up.
    fn remove_emptied(&self, undo: &mut Undo<'_>) -> Result<()> {
        let lost_something: BTreeSet<&[u8]> =
            self.extra.iter().flat_map(|path| parents(path)).collect();
        let mut candidates: Vec<&[u8]> = lost_something
            .into_iter()
            .filter(|folder| {
                self.present.owned_folders.contains(*folder) && !self.wanted.holds(folder)
            })
            .collect();
        candidates.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.len()));
        for folder in candidates {
            let path = path_of(self.restorer.root, folder);
            match undo.remove_folder(&path) {
                Ok(()) => {}
                // Something that is no output lies in it.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(Error::at(&path)(error)),
            }
        }
        Ok(())
    }
}

/// The folders of a path, nearest first.
pub(super) fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'/');
    slashes.map(move |(at, _)| &path[..at])
}

fn in_the_way(path: &Path) -> Error {
    Error::at(path)(io::Error::other("it is in the way of an output"))
}
