//! Blobs: bytes under their own digest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Store, create_new, replace};
use crate::digest::{Digest, read_and_hash};
use crate::error::{Error, Result};
use crate::tree::{Identity, open_file};

const PIECE: usize = 1 << 20;

/// A file that went into the store, as it was when it was read.
pub struct Stored {
    pub digest: Digest,
    pub identity: Identity,
    /// The store did not have it before.
    pub is_new: bool,
}

impl Store {
    pub(super) fn blob_path(&self, digest: Digest) -> PathBuf {
        let hex = digest.to_hex();
        self.root.join("cas").join(&hex[..2]).join(&hex[2..])
    }

    /// Whether a blob of this size is there. Its contents are checked when it is read.
    pub fn has_blob(&self, digest: Digest, size: u64) -> bool {
        fs::symlink_metadata(self.blob_path(digest))
            .is_ok_and(|found| found.is_file() && found.len() == size)
    }

    /// Stores bytes; gives their digest and whether they were new.
    pub fn put(&self, bytes: &[u8]) -> Result<(Digest, bool)> {
        let digest = Digest::of(bytes);
        if self.has_blob(digest, bytes.len() as u64) {
            return Ok((digest, false));
        }
        let temporary = self.temporary()?;
        let path = self.blob_path(digest);
        make_parent(&path)?;
        replace(&path, &temporary, bytes)?;
        Ok((digest, true))
    }

    /// Stores a file, reading it once. None if it changed while it was read.
    pub fn put_file(&self, path: &Path, before: &Identity) -> Result<Option<Stored>> {
        let mut file = open_file(path).map_err(Error::at(path))?;
        let temporary = self.temporary()?;
        let mut copy: Option<File> = None;
        let read = read_and_hash(&mut file, before, &mut |piece| {
            let copy = match &mut copy {
                Some(copy) => copy,
                None => copy.insert(create_new(&temporary, 0o644)?),
            };
            copy.write_all(piece)
        });
        let finished = match read.map_err(Error::at(path)) {
            Ok(Some(contents)) => match &contents.bytes {
                Some(bytes) => self
                    .put(bytes)
                    .map(|(_, is_new)| Some((contents.digest, is_new))),
                None => self
                    .adopt(&temporary, contents.digest, before.size)
                    .map(|is_new| Some((contents.digest, is_new))),
            },
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        if copy.is_some() {
            // Gone already if it became the blob.
            let _ = fs::remove_file(&temporary);
        }
        Ok(finished?.map(|(digest, is_new)| Stored {
            digest,
            identity: *before,
            is_new,
        }))
    }

    fn adopt(&self, temporary: &Path, digest: Digest, size: u64) -> Result<bool> {
        if self.has_blob(digest, size) {
            return Ok(false);
        }
        let path = self.blob_path(digest);
        make_parent(&path)?;
        fs::rename(temporary, &path).map_err(Error::at(&path))?;
        Ok(true)
    }

    /// The bytes of a blob, checked. A blob that is not what it should be is removed.
    pub fn read_blob(&self, digest: Digest) -> Result<Vec<u8>> {
        let path = self.blob_path(digest);
        let bytes = fs::read(&path).map_err(Error::at(&path))?;
        if Digest::of(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(remove_corrupt(&path))
        }
    }

    /// Copies a blob to a new file, checking it on the way.
    pub fn copy_blob(&self, digest: Digest, to: &Path, mode: u32) -> Result<()> {
        let from = self.blob_path(digest);
        let mut source = File::open(&from).map_err(Error::at(&from))?;
        let mut copy = create_new(to, 0o600).map_err(Error::at(to))?;
        let copied = copy_hashed(&mut source, &mut copy).map_err(Error::at(to))?;
        if copied != digest {
            return Err(remove_corrupt(&from));
        }
        set_mode(&copy, mode).map_err(Error::at(to))
    }
}

fn copy_hashed(source: &mut File, copy: &mut File) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    let length = usize::try_from(source.metadata()?.len()).unwrap_or(PIECE);
    let mut piece = vec![0; length.clamp(1, PIECE)];
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&piece[..count]);
                copy.write_all(&piece[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Digest(*hasher.finalize().as_bytes()))
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o777))
}

fn remove_corrupt(path: &Path) -> Error {
    // If it cannot be removed it stays corrupt, and the next reader says so again.
    let _ = fs::remove_file(path);
    Error::corrupt(path, "its contents are not those it was stored with")
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(Error::at(parent)),
        None => Ok(()),
    }
}
