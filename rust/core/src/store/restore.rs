//! Making outputs on disk exactly what was stored: prepared in full, then put in place.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::undo::{Undo, is_absent};
use super::{Store, temporary_in};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::{Entry, EntryKind, Identity, Kind, Manifest, path_of};

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

impl Restorer<'_> {
    /// Changes what differs and nothing else.
    ///
    /// All blobs are copied and checked before the first output is touched: a blob that is missing or
    /// damaged is an error that has changed nothing.
    pub fn restore(&self, wanted: &Manifest, present: &Present) -> Result<Restored> {
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
        self.check_parents(&different, &extra)?;
        self.check_places(&different, present)?;
        let staging = temporary_in(self.staging)?;
        fs::create_dir(&staging).map_err(Error::at(&staging))?;
        let applied = self
            .stage(&different, &staging)
            .and_then(|()| self.apply(&different, &extra, present, wanted, &staging));
        // Whatever is left in it belongs to nobody; `gc` sweeps what this cannot remove.
        let _ = fs::remove_dir_all(&staging);
        applied?;
        Ok(Restored {
            restored: different.len() as u64,
            removed: extra.len() as u64,
            unchanged: (wanted.entries.len() - different.len()) as u64,
        })
    }

    /// No folder on the way to an output may be a link: it would lead the restore out of the project.
    /// Nor may it be a file, unless that is an output that goes.
    fn check_parents(&self, entries: &[&Entry], extra: &[&[u8]]) -> Result<()> {
        let extra: HashSet<&[u8]> = extra.iter().copied().collect();
        let mut checked = HashSet::new();
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
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(Error::at(&path)(error)),
                }
            }
        }
        Ok(())
    }

    /// What stands where an output has to be is the task's own, or nothing is begun.
    fn check_places(&self, entries: &[&Entry], present: &Present) -> Result<()> {
        for entry in entries {
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

    fn stage(&self, entries: &[&Entry], staging: &Path) -> Result<()> {
        entries
            .par_iter()
            .enumerate()
            .try_for_each(|(number, entry)| {
                let staged = staged_path(staging, number);
                match entry.kind {
                    EntryKind::File | EntryKind::Executable => {
                        self.store.copy_blob(entry.digest, &staged, entry.mode)
                    }
                    EntryKind::Link => {
                        let text = self.store.read_blob(entry.digest)?;
                        std::os::unix::fs::symlink(path_of(Path::new(""), &text), &staged)
                            .map_err(Error::at(&staged))
                    }
                    EntryKind::Folder => Ok(()),
                    EntryKind::Missing => Err(Error::corrupt(
                        self.store.root(),
                        "a missing file among outputs",
                    )),
                }
            })
    }

    fn apply(
        &self,
        entries: &[&Entry],
        extra: &[&[u8]],
        present: &Present,
        wanted: &Manifest,
        staging: &Path,
    ) -> Result<()> {
        let mut undo = Undo::new(staging);
        let applied = self.apply_all(entries, extra, present, wanted, staging, &mut undo);
        if applied.is_err() {
            undo.take_back();
        }
        applied
    }

    fn apply_all(
        &self,
        entries: &[&Entry],
        extra: &[&[u8]],
        present: &Present,
        wanted: &Manifest,
        staging: &Path,
        undo: &mut Undo<'_>,
    ) -> Result<()> {
        for path in extra {
            undo.remove(&path_of(self.root, path))?;
        }
        self.remove_emptied(extra, present, wanted, undo)?;
        for (number, entry) in entries.iter().enumerate() {
            let path = path_of(self.root, &entry.path);
            if entry.kind == EntryKind::Folder {
                if present.files.contains_key(&entry.path) {
                    undo.remove(&path)?;
                }
                undo.make_folders(&path)?;
                continue;
            }
            if let Some(parent) = path.parent() {
                undo.make_folders(parent)?;
            }
            undo.put(&staged_path(staging, number), &path)?;
        }
        Ok(())
    }

    /// Removes owned folders that lost their last file, from the bottom up.
    fn remove_emptied(
        &self,
        gone: &[&[u8]],
        present: &Present,
        wanted: &Manifest,
        undo: &mut Undo<'_>,
    ) -> Result<()> {
        let mut candidates: Vec<&[u8]> = gone
            .iter()
            .flat_map(|path| parents(path))
            .filter(|folder| present.owned_folders.contains(*folder) && !holds(wanted, folder))
            .collect();
        candidates.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.len()));
        candidates.dedup();
        for folder in candidates {
            let path = path_of(self.root, folder);
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

fn staged_path(staging: &Path, number: usize) -> PathBuf {
    staging.join(number.to_string())
}

/// Whether something wanted lies in this folder, or is it.
fn holds(wanted: &Manifest, folder: &[u8]) -> bool {
    wanted.entries.iter().any(|entry| {
        entry
            .path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    })
}

/// The folders of a path, nearest first.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
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
