//! The content-addressed local store: blobs by digest, entries by key, all checked when read.
//!
//! Everything is written to a temporary name and renamed: a crash leaves the old or the new. Nothing is
//! trusted when read back: a blob is hashed again, an entry carries its checksum.

mod blobs;
mod entries;
mod restore;
mod sweep;
mod undo;
mod uses;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use blobs::Stored;
pub use entries::{ENTRY_VERSION, Entry, Lookup};
pub use restore::{Present, Restored, Restorer};
pub use sweep::{Limits, Swept, clear, sweep};
pub use uses::Uses;

use crate::error::{Error, Result};

/// A folder that holds blobs and entries.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
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

/// Puts a whole file in place: readers see the old one or the new one.
pub(crate) fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> Result<()> {
    let written = write_new(temporary, bytes, 0o644).and_then(|()| fs::rename(temporary, path));
    written.map_err(|error| {
        // What could not be moved into place must not stay behind; the first error is the one to tell.
        let _ = fs::remove_file(temporary);
        Error::at(path)(error)
    })
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    create_new(path, mode)?.write_all(bytes)
}

fn create_new(path: &Path, mode: u32) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}
