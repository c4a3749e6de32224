//! Removing what is no longer worth keeping. The caller holds the run lock.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::entries::{Entry, Lookup};
use super::pack::Kind;
use super::table::Records;
use super::{Store, Uses, remove_tree};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::EntryKind;

/// Everything that a store and an engine keep in their folder.
const OURS: [&str; 15] = [
    "cas",
    "packs",
    "table",
    "uses",
    "tmp",
    "ir",
    "values",
    "index",
    "index.journal",
    "surveys",
    "settled",
    "stamp",
    "successes",
    "successes.newer",
    "durations",
];
/// What an earlier version kept, and nobody reads any more.
const FORMER: [&str; 2] = ["ac", "uses.json"];

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
/// names and what crashes and earlier versions left. With `dry` only counts.
pub fn sweep(store: &Store, limits: Limits, dry: bool) -> Result<Swept> {
    if !dry {
        make_way(store)?;
    }
    let mut uses = Uses::read(store);
    let mut swept = Swept::default();
    let records = store.contents().records();
    let mut live = Records::new();
    let mut blobs: HashSet<Digest> = HashSet::new();
    let mut live_bytes: u64 = 0;
    for (key, entry) in newest_first(store, &records, &uses) {
        let kept = entry
            .filter(|entry| is_young(entry, key, &uses, limits))
            .and_then(|entry| {
                let needed = blobs_of(store, &entry)?;
                let new: Vec<_> = needed
                    .into_iter()
                    .filter(|(blob, _)| !blobs.contains(blob))
                    .collect();
                let sizes = new.iter().map(|(_, size)| *size);
                let bytes = sizes.fold(0, u64::saturating_add);
                let fits = limits
                    .max_bytes
                    .is_none_or(|most| bytes.saturating_add(live_bytes) <= most);
                fits.then_some((new, bytes))
            });
        if let Some((needed, bytes)) = kept {
            blobs.extend(needed.into_iter().map(|(blob, _)| blob));
            live_bytes = bytes.saturating_add(live_bytes);
            live.extend(records.get_key_value(&(Kind::Entry, key)));
            swept.entries_kept += 1;
        } else {
            swept.entries_removed += 1;
            uses.forget(key);
        }
    }
    for (id, place) in records.range((Kind::Blob, Digest([0; 32]))..(Kind::Entry, Digest([0; 32])))
    {
        let is_live = blobs.contains(&id.1);
        swept.count(u64::from(place.length), is_live);
        if is_live {
            live.insert(*id, *place);
        }
    }
    for path in files_below(&store.root.join("cas"))? {
        let size = fs::symlink_metadata(&path).map_or(0, |found| found.len());
        let is_live = Digest::from_hex(&digest_of(&path)).is_some_and(|blob| blobs.contains(&blob));
        swept.count(size, is_live);
        if !is_live && !dry {
            remove_tree(&path)?;
        }
    }
    if !dry {
        store.contents().keep_only(live)?;
        uses.write(store)?;
    }
    Ok(swept)
}

/// Removes what crashes and earlier versions left, and what stands where something of ours has to be.
fn make_way(store: &Store) -> Result<()> {
    for name in FORMER.into_iter().chain(["tmp"]) {
        remove_tree(&store.root.join(name))?;
    }
    for (name, is_folder) in [("table", false), ("uses", false), ("packs", true)] {
        let path = store.root.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir() != is_folder) {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

impl Swept {
    fn count(&mut self, size: u64, is_live: bool) {
        if is_live {
            self.bytes_kept += size;
        } else {
            self.blobs_removed += 1;
            self.bytes_removed += size;
        }
    }
}

/// Removes everything that is ours in a state folder; other files stay.
pub fn clear(root: &Path) -> Result<()> {
    OURS.into_iter()
        .chain(FORMER)
        .try_for_each(|name| remove_tree(&root.join(name)))
}

/// All entries by their keys; None for one that is damaged.
fn newest_first(store: &Store, records: &Records, uses: &Uses) -> Vec<(Digest, Option<Entry>)> {
    let keys = records.keys().filter(|(kind, _)| *kind == Kind::Entry);
    let mut entries: Vec<_> = keys
        .map(|(_, key)| match store.look_up(*key) {
            Lookup::Found(entry) => (*key, Some(*entry)),
            Lookup::Corrupt(_) | Lookup::Absent => (*key, None),
        })
        .collect();
    entries.sort_by_key(|(key, entry)| {
        let last = entry
            .as_ref()
            .map_or(0, |entry| last_use(entry, *key, uses));
        (std::cmp::Reverse(last), *key)
    });
    entries
}

fn last_use(entry: &Entry, key: Digest, uses: &Uses) -> u64 {
    uses.last(key).unwrap_or(0).max(entry.finished_ms)
}

fn is_young(entry: &Entry, key: Digest, uses: &Uses, limits: Limits) -> bool {
    let age = limits.now_ms.saturating_sub(last_use(entry, key, uses));
    limits.max_age_ms.is_none_or(|most| age <= most)
}

/// Every blob that an entry needs, with its size. None if its manifests cannot be read: then it can
/// never be a hit.
fn blobs_of(store: &Store, entry: &Entry) -> Option<Vec<(Digest, u64)>> {
    let mut blobs = Vec::new();
    let mut add = |hex: &str| {
        let digest = Digest::from_hex(hex)?;
        blobs.push((digest, store.blob_size(digest)?));
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
fn digest_of(path: &Path) -> String {
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
