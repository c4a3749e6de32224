//! Where a restore prepares things: on the project's own file system, where nobody looks for them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{remove_tree, temporary_in};
use crate::error::{Error, Result};
use crate::tree::Folder;

/// Names for what one restore prepares.
///
/// Every folder that is made here to be removed again has to be paid for by whoever makes files next:
/// a file system without a journal passes its inode over for a while. So there is none until it is needed,
/// and a tree that moves to its place as a whole lies in no other folder of ours.
pub(super) struct Staging<'a> {
    parent: &'a Path,
    /// For what is prepared, or kept, one by one.
    own: OnceLock<PathBuf>,
    trees: Mutex<Vec<PathBuf>>,
}

impl<'a> Staging<'a> {
    pub(super) fn in_folder(parent: &'a Path) -> Self {
        Self {
            parent,
            own: OnceLock::new(),
            trees: Mutex::default(),
        }
    }

    /// A folder that is nobody else's.
    pub(super) fn own(&self) -> Result<&Path> {
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let made = self.make_folder()?;
        Ok(self.own.get_or_init(|| made))
    }

    /// One more folder, for a tree that will be moved.
    pub(super) fn tree(&self) -> Result<PathBuf> {
        let made = self.make_folder()?;
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.push(made.clone());
        Ok(made)
    }

    fn make_folder(&self) -> Result<PathBuf> {
        let folder = temporary_in(self.parent)?;
        fs::create_dir(&folder).map_err(Error::at(&folder))?;
        Ok(folder)
    }

    /// Removes all that is left. `gc` sweeps what this cannot remove.
    pub(super) fn clear(self) {
        let trees = self.trees.into_inner();
        let trees = trees.unwrap_or_else(PoisonError::into_inner);
        for folder in trees.iter().chain(self.own.get()) {
            let _ = remove_tree(folder);
        }
    }
}

/// The folder in which files were made last, held open: a way through all folders from the top for each
/// file costs as much as writing a small one.
pub(super) struct Held<K>(Option<(K, Folder)>);

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq> Held<K> {
    /// Makes a file that is not there yet; no wider than this mode at any moment. `which` stands for the
    /// folder that lies at this path.
    pub(super) fn create_new(
        &mut self,
        which: K,
        path: impl FnOnce() -> PathBuf,
        name: &[u8],
        mode: u32,
    ) -> io::Result<File> {
        let held = match self.0.take().filter(|(held, _)| *held == which) {
            Some(held) => held,
            None => (which, Folder::reach(&path())?),
        };
        let file = held.1.create_file(name, mode & 0o777);
        self.0 = Some(held);
        file
    }
}
