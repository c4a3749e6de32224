//! Outputs written where nobody sees them yet, all of them checked, so that putting them in place is all that
//! is left to go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::blobs::PACKED;
use super::restore::{Present, parents};
use super::{Store, create_new};
use crate::error::{Error, Result};
use crate::tree::{Entry, EntryKind, Identity, Kind, path_of};

/// Old and new contents of files that are overwritten are in memory meanwhile: no more than this.
const MOST_IN_MEMORY: u64 = 16 << 20;

/// Where one output waits.
pub(super) enum Waiting<'a> {
    /// In a file or link of its own.
    Alone(PathBuf),
    /// In a folder that is put in place as a whole: the number of its tree.
    InTree(usize),
    /// In memory, to overwrite a file that looked like this.
    InMemory(&'a Identity),
    /// An empty folder waits nowhere.
    Nowhere,
}

/// A folder that is not there yet, with everything that is to be in it.
pub(super) struct Tree<'a> {
    pub(super) folder: &'a [u8],
    pub(super) staged: PathBuf,
    /// Itself and the folders below it, the outermost first.
    pub(super) folders: BTreeSet<&'a [u8]>,
    pub(super) files: Vec<&'a [u8]>,
}

/// Everything that differs, prepared.
pub(super) struct Staged<'a> {
    pub(super) trees: Vec<Tree<'a>>,
    /// One for each entry.
    pub(super) waiting: Vec<Waiting<'a>>,
    /// By the number of the entry: what each file was after it was written.
    pub(super) identities: BTreeMap<usize, Identity>,
    pub(super) contents: BTreeMap<usize, Vec<u8>>,
}

pub(super) struct Stage<'a> {
    pub(super) store: &'a Store,
    pub(super) folder: &'a Path,
    pub(super) entries: &'a [&'a Entry],
}

impl<'a> Stage<'a> {
    /// Writes all entries. `tree_of` gives the outermost folder of a path that is not there.
    pub(super) fn fill(
        &self,
        present: &'a Present,
        tree_of: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
    ) -> Result<Staged<'a>> {
        let (trees, waiting) = self.lay_out(present, tree_of)?;
        let mut links = Vec::new();
        let mut files = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            match entry.kind {
                EntryKind::File | EntryKind::Executable => files.push((number, entry.digest)),
                EntryKind::Link => links.push((number, entry.digest)),
                EntryKind::Folder => {}
                EntryKind::Missing => {
                    let what = "a missing file among outputs";
                    return Err(Error::corrupt(self.store.root(), what));
                }
            }
        }
        let place_of = |number: usize| self.place_of(number, &waiting[number], &trees);
        for (number, digest) in links {
            let text = self.store.read_blob(digest)?;
            let staged = place_of(number);
            std::os::unix::fs::symlink(path_of(Path::new(""), &text), &staged)
                .map_err(Error::at(&staged))?;
        }
        let identities = Mutex::new(BTreeMap::new());
        let contents = Mutex::new(BTreeMap::new());
        let finish = |number: usize, staged: &Path, file: &File| {
            let mode = self.entries[number].mode & 0o777;
            let identity = settle(file, mode).map_err(Error::at(staged))?;
            lock(&identities).insert(number, identity);
            Ok(())
        };
        let write = |number: usize, bytes: &[u8]| {
            if bytes.len() as u64 != self.entries[number].size {
                return Err(self.of_another_size());
            }
            if let Waiting::InMemory(_) = waiting[number] {
                lock(&contents).insert(number, bytes.to_vec());
                return Ok(());
            }
            let staged = place_of(number);
            let made = write_new(&staged, bytes, self.entries[number].mode);
            finish(number, &staged, &made.map_err(Error::at(&staged))?)
        };
        let copy = |number: &usize| {
            let (staged, entry) = (place_of(*number), self.entries[*number]);
            let copy = self.store.copy_large(entry.digest, &staged, entry.mode)?;
            if copy.metadata().map_err(Error::at(&staged))?.len() != entry.size {
                return Err(self.of_another_size());
            }
            finish(*number, &staged, &copy)
        };
        let large = self.store.each_packed(&files, write)?;
        large.par_iter().try_for_each(copy)?;
        Ok(Staged {
            trees,
            waiting,
            identities: identities
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            contents: contents
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        })
    }
    fn of_another_size(&self) -> Error {
        Error::corrupt(
            self.store.root(),
            "an output has another size than its blob",
        )
    }

    /// Says where each entry waits, and makes the folders of trees.
    fn lay_out(
        &self,
        present: &'a Present,
        tree_of: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
    ) -> Result<(Vec<Tree<'a>>, Vec<Waiting<'a>>)> {
        let mut trees: Vec<Tree<'a>> = Vec::new();
        let mut waiting = Vec::with_capacity(self.entries.len());
        let mut in_memory = 0;
        for (number, entry) in self.entries.iter().enumerate() {
            let Some(folder) = tree_of(&entry.path) else {
                waiting.push(self.alone(number, entry, present, &mut in_memory));
                continue;
            };
            // Entries come in the order of their paths: those of one tree one after the other.
            if trees.last().is_none_or(|tree| tree.folder != folder) {
                trees.push(Tree {
                    folder,
                    staged: self.folder.join(format!("tree-{}", trees.len())),
                    folders: BTreeSet::from([folder]),
                    files: Vec::new(),
                });
            }
            let number = trees.len() - 1;
            let tree = &mut trees[number];
            let above = parents(&entry.path).take_while(|parent| parent.len() > folder.len());
            tree.folders.extend(above);
            if entry.kind == EntryKind::Folder {
                tree.folders.insert(&entry.path);
            } else {
                tree.files.push(&entry.path);
            }
            waiting.push(Waiting::InTree(number));
        }
        for tree in &trees {
            for folder in &tree.folders {
                let staged = tree.place_of(folder);
                fs::create_dir(&staged).map_err(Error::at(&staged))?;
            }
        }
        Ok((trees, waiting))
    }

    fn alone(
        &self,
        number: usize,
        entry: &Entry,
        present: &'a Present,
        in_memory: &mut u64,
    ) -> Waiting<'a> {
        let seen = present.files.get(&entry.path);
        let seen = seen.map(|(identity, _)| identity).filter(|identity| {
            // What runs or is loaded must not change under whoever has it open.
            let is_plain = entry.kind == EntryKind::File && !identity.is_executable();
            let size = identity.size.max(entry.size);
            is_plain && identity.kind == Kind::File && size <= PACKED
        });
        match seen {
            Some(seen) if *in_memory + entry.size + seen.size <= MOST_IN_MEMORY => {
                *in_memory += entry.size + seen.size;
                Waiting::InMemory(seen)
            }
            _ if entry.kind == EntryKind::Folder => Waiting::Nowhere,
            _ => Waiting::Alone(self.own_place(number)),
        }
    }

    /// Where an entry waits that is in no tree.
    pub(super) fn own_place(&self, number: usize) -> PathBuf {
        self.folder.join(number.to_string())
    }

    fn place_of(&self, number: usize, waiting: &Waiting<'_>, trees: &[Tree<'_>]) -> PathBuf {
        match waiting {
            Waiting::InTree(tree) => trees[*tree].place_of(&self.entries[number].path),
            Waiting::Alone(path) => path.clone(),
            Waiting::InMemory(_) | Waiting::Nowhere => self.own_place(number),
        }
    }
}

impl Tree<'_> {
    /// Where something waits that is to be at this path.
    pub(super) fn place_of(&self, path: &[u8]) -> PathBuf {
        let below = path.get(self.folder.len() + 1..).unwrap_or_default();
        path_of(&self.staged, below)
    }
}

/// A new file with these contents; no wider than this mode at any moment.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<File> {
    let mut file = create_new(path, mode & 0o777)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Gives a file just this mode, whatever was taken from it when it was made. Gives what it is then.
pub(super) fn settle(file: &File, mode: u32) -> io::Result<Identity> {
    let before = Identity::of_file(file)?;
    if before.mode == mode {
        return Ok(before);
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Identity::of_file(file)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
