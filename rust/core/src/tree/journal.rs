//! What was hashed since the index was written: small changes are added here, the index stays as it is.
//!
//! A sequence of small indexes, each with its length in front. What a crash left half written ends the
//! journal; an entry that is older than the index says something true of a file that was.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::index::{Fresh, Index};
use super::os::open_own_to_append;
use super::walk::Walk;

/// A journal of this size is worth no new index, however small that is. Bytes.
const SMALL: u64 = 64 * 1024;
/// Beyond this part of the index, a new index is worth writing.
const WORTH_WRITING: u64 = 20;

/// The journal of an index.
pub fn journal_of(index: &Path) -> PathBuf {
    index.with_extension("journal")
}

/// Adds to the journal what was read on a walk, and what is fresh. False if it is time to write a new index instead.
pub fn append(index: &Path, walked: Option<&Walk>, fresh: &Fresh) -> io::Result<bool> {
    let Ok(written) = fs::metadata(index) else {
        return Ok(false);
    };
    let journal = journal_of(index);
    let length = match fs::symlink_metadata(&journal) {
        Ok(found) if found.is_file() => found.len(),
        // A new index clears away what is there instead of a journal.
        Ok(_) => return Ok(false),
        Err(_) => 0,
    };
    let mut bytes = vec![0; 8];
    bytes.extend_from_slice(&Index::empty().next(walked, fresh));
    let size = (bytes.len() - 8) as u64;
    bytes[..8].copy_from_slice(&size.to_le_bytes());
    if length.saturating_add(size) > SMALL.max(written.len() / WORTH_WRITING) {
        return Ok(false);
    }
    open_own_to_append(&journal)?.write_all(&bytes)?;
    Ok(true)
}

/// Everything in a journal that is whole; what came later wins.
pub(super) fn read(bytes: &[u8]) -> Fresh {
    let mut all = Fresh::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((block, after)) = after.split_at_checked(length) else {
            break;
        };
        let Some(index) = Index::from_bytes(block.to_vec()) else {
            break;
        };
        for (folder, name, known) in index.files() {
            all.entry(folder.into())
                .or_default()
                .insert(name.into(), known);
        }
        rest = after;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::tree::{Identity, Kind, Known};

    fn known(number: u64) -> Known {
        Known {
            identity: Identity {
                kind: Kind::File,
                device: 1,
                inode: number,
                size: 2,
                mtime: 3,
                ctime: 4,
                mode: 0o644,
            },
            digest: Digest::of(&number.to_le_bytes()),
        }
    }

    fn fresh(folder: &str, name: &str, number: u64) -> Fresh {
        let files = [(name.as_bytes().into(), known(number))].into();
        [(folder.as_bytes().into(), files)].into()
    }

    #[test]
    fn what_was_added_is_known_and_the_last_word_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        assert!(!append(&path, None, &fresh("", "a", 1)).unwrap());
        let base = Index::empty().next(None, &fresh("src", "a", 1));
        fs::write(&path, base).unwrap();
        for (name, number) in [("a", 2), ("b", 3), ("b", 4)] {
            assert!(append(&path, None, &fresh("src", name, number)).unwrap());
        }
        let find = |name: &str| {
            let index = Index::read(&path);
            index.folder(b"src")?.find(name.as_bytes())
        };
        assert_eq!(find("a"), Some(known(2)));
        assert_eq!(find("b"), Some(known(4)));
        // A crash in the middle of the last entry.
        let bytes = fs::read(journal_of(&path)).unwrap();
        for length in 0..bytes.len() {
            fs::write(journal_of(&path), &bytes[..length]).unwrap();
            assert!([None, Some(known(3))].contains(&find("b")));
        }
        let next = Index::read(&path).next(None, &fresh("src", "c", 5));
        let next = Index::from_bytes(next).unwrap();
        assert_eq!(next.len(), 3);
        assert_eq!(next.folder(b"src").unwrap().find(b"a"), Some(known(2)));
    }

    #[test]
    fn a_journal_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        fs::write(&path, Index::empty().next(None, &Fresh::new())).unwrap();
        let mut added = 0;
        while append(&path, None, &fresh("src", "a", added)).unwrap() {
            added += 1;
        }
        assert!(added > 100);
        assert!(fs::metadata(journal_of(&path)).unwrap().len() <= SMALL + 8 * added);
    }
}
