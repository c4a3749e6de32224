//! Blobs: bytes under their own digest, small ones in packs and large ones each in a file.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::contents::Found;
use super::pack::{HEADER, Kind, Place};
use super::{Store, create_new, read_own, replace};
use crate::digest::{Digest, ONE_PIECE, hash_file, read_and_hash};
use crate::error::{Error, Result};
use crate::tree::{Identity, Stamp, has_no_writer, open_file};

/// Up to this size a blob goes into a pack: making a file costs more than its contents.
pub(super) const PACKED: u64 = 64 * 1024;
/// So many bytes of a pack are read in one piece, for one thread.
const READ_AT_ONCE: u64 = 256 * 1024;

/// A file that went into the store, as it was when it was read.
pub struct Stored {
    pub digest: Digest,
    pub identity: Identity,
    /// That identity will always stand for what was read: see `Stamp::settles`.
    pub is_settled: bool,
    /// The store did not have it before.
    pub is_new: bool,
}

impl Store {
    /// Where a blob lies that is in no pack.
    pub(super) fn large_path(&self, digest: Digest) -> PathBuf {
        let hex = digest.to_hex();
        self.root.join("cas").join(&hex[..2]).join(&hex[2..])
    }

    /// The size of a blob, if it is there. Its contents are checked when it is read.
    pub fn blob_size(&self, digest: Digest) -> Option<u64> {
        let packed = self.contents().length(Kind::Blob, digest);
        packed.or_else(|| {
            let found = fs::symlink_metadata(self.large_path(digest)).ok()?;
            found.is_file().then_some(found.len())
        })
    }

    /// Whether there is a blob of this name. Its contents are checked when it is read.
    pub fn has(&self, digest: Digest) -> bool {
        self.blob_size(digest).is_some()
    }

    fn has_blob(&self, digest: Digest, size: u64) -> bool {
        self.blob_size(digest) == Some(size)
    }

    /// Stores bytes; gives their digest and whether they were new. What is small is written with the next
    /// entry.
    pub fn put(&self, bytes: &[u8]) -> Result<(Digest, bool)> {
        self.put_hashed(bytes, Digest::of(bytes))
    }

    fn put_hashed(&self, bytes: &[u8], digest: Digest) -> Result<(Digest, bool)> {
        let size = bytes.len() as u64;
        if size <= PACKED {
            let mut contents = self.contents();
            if contents.length(Kind::Blob, digest) == Some(size) {
                return Ok((digest, false));
            }
            contents.add(Kind::Blob, digest, bytes)?;
            return Ok((digest, true));
        }
        if self.has_blob(digest, size) {
            return Ok((digest, false));
        }
        let temporary = self.temporary()?;
        let path = self.large_path(digest);
        make_parent(&path)?;
        replace(&path, &temporary, bytes)?;
        Ok((digest, true))
    }

    /// Stores a file, reading it once; `stamp` was taken before. None if it changed while it was read.
    pub fn put_file(&self, path: &Path, before: &Identity, stamp: Stamp) -> Result<Option<Stored>> {
        let mut file = open_file(path).map_err(Error::at(path))?;
        let is_settled = stamp.settles(before, || has_no_writer(&file));
        let stored = |(digest, is_new)| Stored {
            digest,
            identity: *before,
            is_settled,
            is_new,
        };
        if before.size > ONE_PIECE {
            return Ok(self.put_large(&mut file, path, before)?.map(stored));
        }
        let mut put = None;
        let mut sink = |piece: &[u8]| {
            put = Some(piece.to_vec());
            Ok(())
        };
        let read = read_and_hash(&mut file, before, &mut sink).map_err(Error::at(path))?;
        match (read, put) {
            (Some(digest), Some(bytes)) => self.put_hashed(&bytes, digest).map(stored).map(Some),
            _ => Ok(None),
        }
    }

    /// A copy is made while the digest is taken, and thrown away if the store has it already.
    fn put_large(
        &self,
        file: &mut File,
        path: &Path,
        before: &Identity,
    ) -> Result<Option<(Digest, bool)>> {
        let temporary = self.temporary()?;
        let mut copy = create_new(&temporary, 0o644).map_err(Error::at(&temporary))?;
        let read = read_and_hash(file, before, &mut |piece| copy.write_all(piece));
        let put = match read.map_err(Error::at(path)) {
            Ok(Some(digest)) => self
                .adopt(&temporary, digest, before.size)
                .map(|is_new| Some((digest, is_new))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        // Gone already if it became the blob.
        let _ = fs::remove_file(&temporary);
        put
    }

    fn adopt(&self, temporary: &Path, digest: Digest, size: u64) -> Result<bool> {
        if self.has_blob(digest, size) {
            return Ok(false);
        }
        let path = self.large_path(digest);
        make_parent(&path)?;
        fs::rename(temporary, &path).map_err(Error::at(&path))?;
        Ok(true)
    }

    /// The bytes of a blob, checked. A blob that is not what it should be is forgotten.
    pub fn read_blob(&self, digest: Digest) -> Result<Vec<u8>> {
        let (packed, path) = self.read_packed(Kind::Blob, digest);
        let (bytes, path) = if let Some(read) = packed {
            (read, path)
        } else {
            let path = self.large_path(digest);
            (read_own(&path), path)
        };
        match bytes {
            Ok(bytes) if Digest::of(&bytes) == digest => Ok(bytes),
            Ok(_) => Err(self.corrupt(digest, &path)),
            Err(error) => Err(self.unreadable(&path, error)),
        }
    }

    /// What a pack holds under a key, unchecked, and the pack's path.
    pub(super) fn read_packed(
        &self,
        kind: Kind,
        key: Digest,
    ) -> (Option<io::Result<Vec<u8>>>, PathBuf) {
        let mut contents = self.contents();
        let found = contents.find(kind, key);
        let path = contents
            .place(kind, key)
            .map_or_else(|| contents.folder(), |place| contents.path_of(place.pack));
        // Others need not wait while this one reads.
        drop(contents);
        let bytes = found.map(|found| match found? {
            Found::InMemory(bytes) => Ok(bytes),
            Found::InPack(file, place) => place.read(&file),
        });
        if matches!(bytes, Some(Err(_))) {
            self.contents().forget(kind, key);
        }
        (bytes, path)
    }

    /// Forgets a blob that is not what it should be: the next to store it writes it anew.
    pub(super) fn corrupt(&self, digest: Digest, path: &Path) -> Error {
        self.contents().forget(Kind::Blob, digest);
        // If it cannot be removed it stays corrupt, and the next reader says so again.
        let _ = fs::remove_file(self.large_path(digest));
        Error::corrupt(path, "its contents are not those it was stored with")
    }
}

/// Blobs of one pack that lie one after the other: one read for all of them.
struct Run {
    file: Arc<File>,
    path: PathBuf,
    blobs: Vec<Wanted>,
}

/// The number under which a blob is asked for, its digest and its place.
type Wanted = (usize, Digest, Place);

impl Store {
    /// Hands over the contents of these blobs, each with its number and checked, in any order and from
    /// several threads. What they `hold` is for blobs that lie one after the other. Gives the numbers of
    /// those that lie in no pack.
    pub(super) fn each_packed<H: Default>(
        &self,
        wanted: &[(usize, Digest)],
        each: impl Fn(&mut H, usize, &[u8]) -> Result<()> + Sync,
    ) -> Result<Vec<usize>> {
        let mut others = Vec::new();
        let mut places = Vec::new();
        let mut in_memory = Vec::new();
        let mut contents = self.contents();
        for (number, digest) in wanted {
            match contents.find(Kind::Blob, *digest) {
                None | Some(Err(_)) => others.push(*number),
                Some(Ok(Found::InMemory(bytes))) => in_memory.push((*number, bytes)),
                Some(Ok(Found::InPack(file, place))) => {
                    let path = contents.path_of(place.pack);
                    places.push((file, path, (*number, *digest, place)));
                }
            }
        }
        drop(contents);
        let mut held = H::default();
        in_memory
            .iter()
            .try_for_each(|(number, bytes)| each(&mut held, *number, bytes))?;
        let runs = runs(places);
        let in_one_go = |run: &Run| self.each_of_run(run, &each);
        match &runs[..] {
            // Not worth waking anybody.
            [run] => in_one_go(run)?,
            runs => runs.par_iter().try_for_each(in_one_go)?,
        }
        Ok(others)
    }

    fn each_of_run<H: Default>(
        &self,
        run: &Run,
        each: impl Fn(&mut H, usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (Some((_, _, first)), Some((_, _, last))) = (run.blobs.first(), run.blobs.last())
        else {
            return Ok(());
        };
        let length = last.end().saturating_sub(first.offset);
        let whole = Place {
            length: u32::try_from(length).unwrap_or(u32::MAX),
            ..*first
        };
        let bytes = whole
            .read(&run.file)
            .map_err(|error| self.unreadable(&run.path, error))?;
        let mut held = H::default();
        for (number, digest, place) in &run.blobs {
            let start = usize::try_from(place.offset - first.offset).unwrap_or(usize::MAX);
            let blob = bytes
                .get(start..)
                .and_then(|rest| rest.get(..place.length as usize));
            match blob {
                Some(blob) if Digest::of(blob) == *digest => each(&mut held, *number, blob)?,
                _ => return Err(self.corrupt(*digest, &run.path)),
            }
        }
        Ok(())
    }

    /// What was stored and is not there, or not all of it, is as good as damaged.
    fn unreadable(&self, path: &Path, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => Error::corrupt(&self.root, "a blob is not there any more"),
            io::ErrorKind::UnexpectedEof => Error::corrupt(path, "it ends too early"),
            _ => Error::at(path)(error),
        }
    }

    /// Copies a blob that lies in no pack to a new file, checked; where the file system can share the
    /// contents of files, it does.
    pub(super) fn copy_large(&self, digest: Digest, to: &Path, mode: u32) -> Result<File> {
        let from = self.large_path(digest);
        let mut source = open_file(&from).map_err(|error| self.unreadable(&from, error))?;
        let before = Identity::of_file(&source).map_err(Error::at(&from))?;
        if hash_file(&mut source, &before).map_err(Error::at(&from))? != Some(digest) {
            return Err(self.corrupt(digest, &from));
        }
        let mut copy = create_new(to, mode).map_err(Error::at(to))?;
        let copied = source
            .rewind()
            .and_then(|()| io::copy(&mut source, &mut copy));
        copied.map_err(Error::at(to))?;
        // Nobody writes to a blob; if somebody did after all, what was copied is not what was checked.
        if Identity::of_file(&source).map_err(Error::at(&from))? != before {
            return Err(self.corrupt(digest, &from));
        }
        Ok(copy)
    }
}

/// Puts together what lies together.
fn runs(mut places: Vec<(Arc<File>, PathBuf, Wanted)>) -> Vec<Run> {
    places.sort_unstable_by_key(|(_, _, (_, _, place))| (place.pack, place.offset));
    let mut runs: Vec<Run> = Vec::new();
    for (file, path, blob) in places {
        let place = blob.2;
        let fits = |run: &Run| {
            let (Some(first), Some(last)) = (run.blobs.first(), run.blobs.last()) else {
                return false;
            };
            let (first, last) = (first.2, last.2);
            // The same blob twice, or the next one: nothing else lies between.
            last.pack == place.pack
                && place.offset <= last.end().saturating_add(HEADER)
                && place.end() - first.offset.min(place.end()) <= READ_AT_ONCE
        };
        match runs.last_mut().filter(|run| fits(run)) {
            Some(run) => run.blobs.push(blob),
            None => runs.push(Run {
                file,
                path,
                blobs: vec![blob],
            }),
        }
    }
    runs
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(Error::at(parent)),
        None => Ok(()),
    }
}
