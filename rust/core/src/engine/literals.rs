//! Patterns without magic whose paths a walk did not come across: missing, or behind a link.

use std::fs;
use std::path::Path;

use super::look::{Look, entry};
use super::reading::read_stable;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::SetId;
use crate::tree::{
    Entry, EntryKind, Identity, Known, Manifest, Stamp, is_gone, path_of, read_link,
};

impl Look {
    /// Patterns without magic that the walk did not come across: missing, or behind a link.
    pub(super) fn literals_not_walked(
        &self,
        root: &Path,
        set: SetId,
        found: &Manifest,
    ) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for literal in &self.built.literals[set as usize] {
            let path_at = |number: usize| found.entries.get(number).map(|entry| &*entry.path);
            if is_covered(found.entries.len(), path_at, literal) || !self.owns(set, literal, false)
            {
                continue;
            }
            let path = path_of(root, literal);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    let identity = Identity::from(&metadata);
                    // Asked for anew every time.
                    let reading = read_stable(&path, &identity, Stamp::NEVER);
                    let reading = reading.map_err(Error::at(&path))?;
                    entries.extend(reading.map(|read| entry(literal.clone(), &read.known)));
                }
                Ok(metadata) if metadata.is_symlink() => {
                    let text = read_link(&path).map_err(Error::at(&path))?;
                    let known = Known {
                        identity: Identity::from(&metadata),
                        digest: Digest::of(&text),
                    };
                    entries.push(entry(literal.clone(), &known));
                }
                Ok(_) => {}
                Err(error) if is_gone(&error) => {
                    entries.push(Entry {
                        path: literal.clone().into(),
                        kind: EntryKind::Missing,
                        digest: Digest::of(b""),
                        mode: 0,
                        size: 0,
                    });
                }
                Err(error) => return Err(Error::at(&path)(error)),
            }
        }
        Ok(entries)
    }
}

/// Whether a walk would see something appear at a path where it has seen nothing: not behind a link.
pub(super) fn is_seen_by_walks(root: &Path, path: &[u8]) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for (slash, _) in slashes {
        match fs::symlink_metadata(path_of(root, &path[..slash])) {
            Ok(found) if found.is_dir() => {}
            Ok(found) => return !found.is_symlink(),
            Err(error) => return is_gone(&error),
        }
    }
    true
}

/// Whether a path is among these `count` paths, or something below it. `path_at` gives them in order.
pub(super) fn is_covered<'a>(
    count: usize,
    path_at: impl Fn(usize) -> Option<&'a [u8]>,
    path: &[u8],
) -> bool {
    if path.is_empty() {
        return true;
    }
    let first_not_before = |wanted: &[u8]| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if path_at(middle).is_some_and(|path| path < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        path_at(low)
    };
    let below = [path, b"/"].concat();
    first_not_before(path) == Some(path)
        || first_not_before(&below).is_some_and(|found| found.starts_with(&below))
}
