//! The content-addressed local store: blobs by digest, entries by key, all checked when read.
//!
//! Whatever is small is appended to packs, the rest is written to a temporary name and renamed: a crash
//! leaves the old or the new. Nothing is trusted when read back: a blob is hashed again, an entry carries
//! its checksum.

mod blobs;
mod compact;
mod contents;
mod entries;
mod pack;
mod restore;
mod stage;
mod staging;
mod sweep;
mod table;
mod undo;
mod uses;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use blobs::Stored;
pub use entries::{ENTRY_VERSION, Entry, Lookup};
pub use restore::{Done, Present, Restored, Restorer};
pub use sweep::{Limits, Swept, clear, sweep};
pub use uses::Uses;

use crate::error::{Error, Result};
pub(crate) use crate::tree::read_own;
use contents::Contents;

/// A folder that holds blobs and entries. Clones know what each other stored.
#[derive(Clone)]
pub struct Store {
    root: PathBuf,
    /// Read when somebody asks: in a run that finds everything in place nobody does.
    contents: Arc<OnceLock<Mutex<Contents>>>,
}

impl Store {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            contents: Arc::default(),
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        let read = || Mutex::new(Contents::read(&self.root));
        let contents = self.contents.get_or_init(read);
        contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down where everything is, for whoever opens the store next. Nothing new: nothing is written.
    pub fn save(&self) -> Result<()> {
        match self.contents.get() {
            Some(_) => self.contents().write_table(),
            None => Ok(()),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn temporary(&self) -> Result<PathBuf> {
        temporary_in(&self.root.join("tmp"))
    }
}

/// A name in `folder` that no other writer uses. The folder is made if need be.
///
/// Process ids come again, so what a crash left may have any such name: it is passed over.
pub(crate) fn temporary_in(folder: &Path) -> Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder).map_err(Error::at(folder))?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{}-{number}", std::process::id()));
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(Error::at(&path)(error)),
        }
    }
}

/// Removes a file or a folder with all that is in it. What is not there is removed already.
fn remove_tree(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at(path)(error)),
        _ => Ok(()),
    }
}

/// Puts a whole file in place: readers see the old one or the new one.
pub(crate) fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> Result<()> {
    replace_by_pieces(path, temporary, &[bytes])
}

/// The same for a file that is never one piece of memory: one after the other these are what it holds.
pub(crate) fn replace_by_pieces<P: AsRef<[u8]>>(
    path: &Path,
    temporary: &Path,
    pieces: &[P],
) -> Result<()> {
    let written = write_new(temporary, pieces, 0o644).and_then(|()| fs::rename(temporary, path));
    written.map_err(|error| {
        // What could not be moved into place must not stay behind; the first error is the one to tell.
        let _ = fs::remove_file(temporary);
        Error::at(path)(error)
    })
}

fn write_new<P: AsRef<[u8]>>(path: &Path, pieces: &[P], mode: u32) -> io::Result<()> {
    let mut file = create_new(path, mode)?;
    pieces
        .iter()
        .try_for_each(|piece| file.write_all(piece.as_ref()))
}

fn create_new(path: &Path, mode: u32) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}
