//! Removing what is no longer worth keeping. The caller holds the run lock.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::entries::{Entry, decode};
use super::{Store, Uses};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::EntryKind;

/// Everything that a store and an engine keep in their folder.
const OURS: [&str; 13] = [
    "cas",
    "ac",
    "tmp",
    "ir",
    "values",
    "index",
    "index.journal",
    "surveys",
    "settled",
    "stamp",
    "successes",
    "durations",
    "uses.json",
];

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub now_ms: u64,
    pub max_age_ms: Option<u64>,
    pub max_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    pub entries_removed: u64,
    pub entries_kept: u64,
    pub blobs_removed: u64,
    pub bytes_removed: u64,
    pub bytes_kept: u64,
}

/// Removes entries by age, then the least recently used beyond the size, then blobs that no entry
/// names and what crashes left. With `dry` only counts.
pub fn sweep(store: &Store, limits: Limits, dry: bool) -> Result<Swept> {
    let mut uses = Uses::read(store);
    let mut swept = Swept::default();
    let mut live: HashSet<Digest> = HashSet::new();
    let mut live_bytes: u64 = 0;
    for (path, entry) in newest_first(store, &uses)? {
        let kept = entry
            .filter(|entry| is_young(entry, &uses, limits))
            .and_then(|entry| {
                let blobs = blobs_of(store, &entry)?;
                let new: Vec<_> = blobs
                    .into_iter()
                    .filter(|(blob, _)| !live.contains(blob))
                    .collect();
                let sizes = new.iter().map(|(_, size)| *size);
                let bytes = sizes.fold(0, u64::saturating_add);
                let fits = limits
                    .max_bytes
                    .is_none_or(|most| bytes.saturating_add(live_bytes) <= most);
                fits.then_some((new, bytes))
            });
        if let Some((blobs, bytes)) = kept {
            live.extend(blobs.into_iter().map(|(blob, _)| blob));
            live_bytes = bytes.saturating_add(live_bytes);
            swept.entries_kept += 1;
        } else {
            swept.entries_removed += 1;
            uses.forget(&key_of(&path));
            if !dry {
                remove_tree(&path)?;
            }
        }
    }
    for path in files_below(&store.root.join("cas"))? {
        let size = fs::symlink_metadata(&path).map_or(0, |found| found.len());
        if Digest::from_hex(&key_of(&path)).is_some_and(|blob| live.contains(&blob)) {
            swept.bytes_kept += size;
        } else {
            swept.blobs_removed += 1;
            swept.bytes_removed += size;
            if !dry {
                remove_tree(&path)?;
            }
        }
    }
    if !dry {
        remove_tree(&store.root.join("tmp"))?;
        uses.write(store)?;
    }
    Ok(swept)
}

/// Removes everything that is ours in a state folder; other files stay.
pub fn clear(root: &Path) -> Result<()> {
    OURS.into_iter()
        .try_for_each(|name| remove_tree(&root.join(name)))
}

/// All entries with their files; None for a file that is no entry.
fn newest_first(store: &Store, uses: &Uses) -> Result<Vec<(PathBuf, Option<Entry>)>> {
    let mut entries: Vec<_> = files_below(&store.root.join("ac"))?
        .into_iter()
        .map(|path| {
            let entry = fs::read(&path).ok().and_then(|bytes| decode(&bytes));
            (path, entry)
        })
        .collect();
    entries.sort_by_key(|(path, entry)| {
        let last = entry.as_ref().map_or(0, |entry| last_use(entry, uses));
        (std::cmp::Reverse(last), path.clone())
    });
    Ok(entries)
}

fn last_use(entry: &Entry, uses: &Uses) -> u64 {
    uses.last(&entry.key).unwrap_or(0).max(entry.finished_ms)
}

fn is_young(entry: &Entry, uses: &Uses, limits: Limits) -> bool {
    let age = limits.now_ms.saturating_sub(last_use(entry, uses));
    limits.max_age_ms.is_none_or(|most| age <= most)
}

/// Every blob that an entry needs, with its size. None if its manifests cannot be read: then it can
/// never be a hit.
fn blobs_of(store: &Store, entry: &Entry) -> Option<Vec<(Digest, u64)>> {
    let mut blobs = Vec::new();
    let mut add = |hex: &str| {
        let digest = Digest::from_hex(hex)?;
        let size = fs::symlink_metadata(store.blob_path(digest)).ok()?.len();
        blobs.push((digest, size));
        Some(())
    };
    add(&entry.outputs)?;
    add(&entry.inputs)?;
    if let Some(log) = &entry.log {
        add(log)?;
    }
    let outputs = store.manifest(&entry.outputs).ok()?;
    let with_contents = outputs
        .entries
        .iter()
        .filter(|entry| entry.kind != EntryKind::Folder);
    blobs.extend(with_contents.map(|entry| (entry.digest, entry.size)));
    Some(blobs)
}

/// `ab/cdef` names what `abcdef` stands for.
fn key_of(path: &Path) -> String {
    let part = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
    };
    part(path.parent()).unwrap_or_default() + &part(Some(path)).unwrap_or_default()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for shard in entries_of(folder)? {
        if shard.is_dir() && !shard.is_symlink() {
            files.extend(entries_of(&shard)?);
        } else {
            files.push(shard);
        }
    }
    Ok(files)
}

fn entries_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        // A file where a folder of ours should be holds nothing of ours.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Error::at(folder)(error)),
    };
    listed
        .map(|entry| entry.map(|entry| entry.path()).map_err(Error::at(folder)))
        .collect()
}

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
