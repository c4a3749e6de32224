//! Outputs written where nobody sees them yet, all of them checked, so that putting them in place is all that
//! is left to go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::blobs::PACKED;
use super::restore::{Present, parents};
use super::staging::{Held, Staging};
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
    /// One for each entry: what a file was after it was written.
    pub(super) identities: Vec<OnceLock<Identity>>,
    pub(super) contents: BTreeMap<usize, Vec<u8>>,
}

pub(super) struct Stage<'a> {
    pub(super) store: &'a Store,
    pub(super) staging: &'a Staging<'a>,
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
        let identities = vec![OnceLock::new(); self.entries.len()];
        for (number, digest) in links {
            let text = self.store.read_blob(digest)?;
            let staged = place_of(number)?;
            std::os::unix::fs::symlink(path_of(Path::new(""), &text), &staged)
                .map_err(Error::at(&staged))?;
        }
        let contents = Mutex::new(BTreeMap::new());
        let finish = |number: usize, file: &File| {
            let identity = settle(file, self.entries[number].mode & 0o777)?;
            let _ = identities[number].set(identity);
            Ok(())
        };
        let write = |held: &mut Held<_>, number: usize, bytes: &[u8]| {
            if bytes.len() as u64 != self.entries[number].size {
                return Err(self.of_another_size());
            }
            if let Waiting::InMemory(_) = waiting[number] {
                let mut contents = contents.lock().unwrap_or_else(PoisonError::into_inner);
                contents.insert(number, bytes.to_vec());
                return Ok(());
            }
            let mut write = || {
                let mut made = self.create_new(number, &waiting[number], &trees, held)?;
                made.write_all(bytes)?;
                finish(number, &made)
            };
            let told = |error| match place_of(number) {
                Ok(staged) => Error::at(&staged)(error),
                Err(error) => error,
            };
            write().map_err(told)
        };
        let copy = |number: &usize| {
            let (staged, entry) = (place_of(*number)?, self.entries[*number]);
            let copy = self.store.copy_large(entry.digest, &staged, entry.mode)?;
            if copy.metadata().map_err(Error::at(&staged))?.len() != entry.size {
                return Err(self.of_another_size());
            }
            finish(*number, &copy).map_err(Error::at(&staged))
        };
        let large = self.store.each_packed(&files, write)?;
        large.par_iter().try_for_each(copy)?;
        Ok(Staged {
            trees,
            waiting,
            identities,
            contents: contents
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// Makes the file of an entry that waits in one.
    fn create_new(
        &self,
        number: usize,
        waiting: &Waiting<'_>,
        trees: &[Tree<'_>],
        held: &mut Held<(usize, &'a [u8])>,
    ) -> io::Result<File> {
        let entry = self.entries[number];
        match waiting {
            Waiting::InTree(tree) => {
                let (folder, name) = folder_and_name(&entry.path);
                let path = || trees[*tree].place_of(folder);
                held.create_new((*tree, folder), path, name, entry.mode)
            }
            Waiting::Alone(path) => create_new(path, entry.mode & 0o777),
            Waiting::InMemory(_) | Waiting::Nowhere => {
                Err(io::Error::other("an output that waits in no file"))
            }
        }
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
                waiting.push(self.alone(number, entry, present, &mut in_memory)?);
                continue;
            };
            // Entries come in the order of their paths: those of one tree one after the other.
            if trees.last().is_none_or(|tree| tree.folder != folder) {
                trees.push(Tree {
                    folder,
                    staged: self.staging.tree()?,
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
            // The first of them is there: the tree itself.
            for folder in tree.folders.iter().skip(1) {
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
    ) -> Result<Waiting<'a>> {
        let seen = present.files.get(&entry.path);
        let seen = seen.map(|(identity, _)| identity).filter(|identity| {
            // What runs or is loaded must not change under whoever has it open.
            let is_plain = entry.kind == EntryKind::File && !identity.is_executable();
            let size = identity.size.max(entry.size);
            is_plain && identity.kind == Kind::File && size <= PACKED
        });
        Ok(match seen {
            Some(seen) if *in_memory + entry.size + seen.size <= MOST_IN_MEMORY => {
                *in_memory += entry.size + seen.size;
                Waiting::InMemory(seen)
            }
            _ if entry.kind == EntryKind::Folder => Waiting::Nowhere,
            _ => Waiting::Alone(self.own_place(number)?),
        })
    }

    /// Where an entry waits that is in no tree.
    pub(super) fn own_place(&self, number: usize) -> Result<PathBuf> {
        Ok(self.staging.own()?.join(number.to_string()))
    }

    fn place_of(
        &self,
        number: usize,
        waiting: &Waiting<'_>,
        trees: &[Tree<'_>],
    ) -> Result<PathBuf> {
        Ok(match waiting {
            Waiting::InTree(tree) => trees[*tree].place_of(&self.entries[number].path),
            Waiting::Alone(path) => path.clone(),
            Waiting::InMemory(_) | Waiting::Nowhere => self.own_place(number)?,
        })
    }
}

impl Tree<'_> {
    /// Where something waits that is to be at this path.
    pub(super) fn place_of(&self, path: &[u8]) -> PathBuf {
        let below = path.get(self.folder.len() + 1..).unwrap_or_default();
        path_of(&self.staged, below)
    }
}

/// A path taken apart; the folder of a name in the project's own is empty.
fn folder_and_name(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
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
