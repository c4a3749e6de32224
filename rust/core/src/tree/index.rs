//! The memory of what was hashed: identity and digest of every file, so that none is read twice.
//!
//! One file, replaced by rename. It is read as it lies: fixed records, looked up in place, nothing is
//! deserialised. Whatever is wrong with it, it is an empty index: it only ever saves time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::identity::{Identity, Kind};
use crate::digest::Digest;

const MAGIC: &[u8; 8] = b"pipecidx";
const VERSION: u32 = 1;

/// magic 8, version 4, folders 4, files 4, unused 4, names 8, digest of the body 32
const HEADER: usize = 64;
/// path offset 8, path length 4, first file 4, number of files 4, unused 4
const FOLDER: usize = 24;
/// device 8, inode 8, size 8, mtime 8, ctime 8, digest 32, name offset 8, name length 4, mode 2, kind 1,
/// unused 1
const FILE: usize = 88;

/// An index as it was read: files that were clean when they were written down.
pub struct Index {
    bytes: Vec<u8>,
    folders: usize,
    files: usize,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub identity: Identity,
    pub digest: Digest,
}

/// A folder's files in the index.
#[derive(Clone, Copy)]
pub struct KnownFolder<'a> {
    index: &'a Index,
    first: usize,
    count: usize,
}

/// What a run saw of a folder, for the next index.
#[derive(Default)]
pub struct Visited {
    /// What is known of each file that was looked at; None for one that was not hashed, or that is racy
    /// (see `Stamp`) and has to be read again next time.
    pub files: BTreeMap<Box<[u8]>, Option<Known>>,
    /// Files that nothing selected: what the last index knew of them still holds as far as anyone knows.
    pub others: BTreeSet<Box<[u8]>>,
    pub subfolders: BTreeSet<Box<[u8]>>,
}

impl Index {
    pub fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            folders: 0,
            files: 0,
        }
    }

    pub fn read(path: &Path) -> Self {
        std::fs::read(path)
            .ok()
            .and_then(Self::from_bytes)
            .unwrap_or_else(Self::empty)
    }

    /// None for anything that was not written, whole, by this version.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        if header.get(..8)? != MAGIC || number32(header, 8)? != VERSION {
            return None;
        }
        let folders = usize::try_from(number32(header, 12)?).ok()?;
        let files = usize::try_from(number32(header, 16)?).ok()?;
        let names = usize::try_from(number64(header, 24)?).ok()?;
        let tables = folders
            .checked_mul(FOLDER)?
            .checked_add(files.checked_mul(FILE)?)?;
        let length = HEADER.checked_add(tables)?.checked_add(names)?;
        let body = bytes.get(HEADER..)?;
        if bytes.len() != length || Digest::of(body).0 != header[32..64] {
            return None;
        }
        Some(Self {
            bytes,
            folders,
            files,
        })
    }

    /// The folder of this path.
    pub fn folder(&self, path: &[u8]) -> Option<KnownFolder<'_>> {
        let (mut low, mut high) = (0, self.folders);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.folder_path(middle)?.cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.folder_at(middle),
            }
        }
        None
    }

    pub fn len(&self) -> usize {
        self.files
    }

    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// The bytes of the next index: what was visited, and of the rest what may still be there.
    pub fn next(&self, visited: &BTreeMap<Box<[u8]>, Visited>) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut ours = visited.iter().peekable();
        for number in 0..self.folders {
            let Some(path) = self.folder_path(number) else {
                continue;
            };
            while let Some((path, folder)) = ours.next_if(|(ours, _)| ***ours < *path) {
                writer.visited(path, folder, self.folder(path));
            }
            if let Some((path, folder)) = ours.next_if(|(ours, _)| ***ours == *path) {
                writer.visited(path, folder, self.folder_at(number));
            } else if may_still_be_there(path, visited)
                && let Some(folder) = self.folder_at(number)
            {
                writer.kept(path, folder);
            }
        }
        for (path, folder) in ours {
            writer.visited(path, folder, None);
        }
        writer.finish()
    }

    fn folder_path(&self, number: usize) -> Option<&[u8]> {
        let at = HEADER + number * FOLDER;
        self.name(number64(&self.bytes, at)?, number32(&self.bytes, at + 8)?)
    }

    fn folder_at(&self, number: usize) -> Option<KnownFolder<'_>> {
        let at = HEADER + number * FOLDER;
        let first = usize::try_from(number32(&self.bytes, at + 12)?).ok()?;
        let count = usize::try_from(number32(&self.bytes, at + 16)?).ok()?;
        (first.checked_add(count)? <= self.files).then_some(KnownFolder {
            index: self,
            first,
            count,
        })
    }

    fn name(&self, offset: u64, length: u32) -> Option<&[u8]> {
        let names = HEADER + self.folders * FOLDER + self.files * FILE;
        let start = names.checked_add(usize::try_from(offset).ok()?)?;
        self.bytes
            .get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }

    fn file_name(&self, number: usize) -> Option<&[u8]> {
        let at = self.file_offset(number);
        self.name(
            number64(&self.bytes, at + 72)?,
            number32(&self.bytes, at + 80)?,
        )
    }

    fn file(&self, number: usize) -> Option<Known> {
        let record = self.bytes.get(self.file_offset(number)..)?.get(..FILE)?;
        Some(Known {
            identity: Identity {
                device: number64(record, 0)?,
                inode: number64(record, 8)?,
                size: number64(record, 16)?,
                mtime: i64::from_le_bytes(*record.get(24..)?.first_chunk()?),
                ctime: i64::from_le_bytes(*record.get(32..)?.first_chunk()?),
                mode: u32::from(u16::from_le_bytes(*record.get(84..)?.first_chunk()?)),
                kind: if record[86] == 0 {
                    Kind::File
                } else {
                    Kind::Link
                },
            },
            digest: Digest(*record.get(40..)?.first_chunk()?),
        })
    }

    fn file_offset(&self, number: usize) -> usize {
        HEADER + self.folders * FOLDER + number * FILE
    }
}

impl KnownFolder<'_> {
    pub fn find(&self, name: &[u8]) -> Option<Known> {
        let (mut low, mut high) = (self.first, self.first + self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.index.file_name(middle)?.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.index.file(middle),
            }
        }
        None
    }

    fn files(&self) -> impl Iterator<Item = (&[u8], Known)> {
        (self.first..self.first + self.count)
            .filter_map(|number| Some((self.index.file_name(number)?, self.index.file(number)?)))
    }
}

/// Whether no visited folder above shows that this one is gone.
fn may_still_be_there(path: &[u8], visited: &BTreeMap<Box<[u8]>, Visited>) -> bool {
    let mut below = path;
    while !below.is_empty() {
        let (above, name) = match below.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&below[..slash], &below[slash + 1..]),
            None => (&below[..0], below),
        };
        if let Some(folder) = visited.get(above) {
            return folder.subfolders.contains(name);
        }
        below = above;
    }
    true
}

#[derive(Default)]
struct Writer {
    folders: Vec<u8>,
    files: Vec<u8>,
    names: Vec<u8>,
    folder_count: u32,
    file_count: u32,
}

impl Writer {
    fn visited(&mut self, path: &[u8], seen: &Visited, old: Option<KnownFolder<'_>>) {
        let clean = seen
            .files
            .iter()
            .filter_map(|(name, known)| Some((&**name, (*known)?)));
        let kept = seen
            .others
            .iter()
            .filter_map(|name| Some((&**name, old?.find(name)?)));
        let all: BTreeMap<&[u8], Known> = kept.chain(clean).collect();
        self.folder(path, all.into_iter());
    }

    fn kept(&mut self, path: &[u8], folder: KnownFolder<'_>) {
        self.folder(path, folder.files());
    }

    fn folder<'a>(&mut self, path: &[u8], files: impl Iterator<Item = (&'a [u8], Known)>) {
        let first = self.file_count;
        for (name, known) in files {
            self.file(name, &known);
        }
        if self.file_count == first {
            return;
        }
        let offset = self.name(path);
        self.folders.extend_from_slice(&offset.to_le_bytes());
        self.folders.extend_from_slice(&length(path).to_le_bytes());
        self.folders.extend_from_slice(&first.to_le_bytes());
        self.folders
            .extend_from_slice(&(self.file_count - first).to_le_bytes());
        self.folders.extend_from_slice(&[0; 4]);
        self.folder_count += 1;
    }

    fn file(&mut self, name: &[u8], known: &Known) {
        let identity = &known.identity;
        let offset = self.name(name);
        let kind = u8::from(identity.kind != Kind::File);
        let mode = u16::try_from(identity.mode).unwrap_or(u16::MAX);
        let record = &mut self.files;
        for number in [identity.device, identity.inode, identity.size] {
            record.extend_from_slice(&number.to_le_bytes());
        }
        record.extend_from_slice(&identity.mtime.to_le_bytes());
        record.extend_from_slice(&identity.ctime.to_le_bytes());
        record.extend_from_slice(&known.digest.0);
        record.extend_from_slice(&offset.to_le_bytes());
        record.extend_from_slice(&length(name).to_le_bytes());
        record.extend_from_slice(&mode.to_le_bytes());
        record.extend_from_slice(&[kind, 0]);
        self.file_count += 1;
    }

    fn name(&mut self, name: &[u8]) -> u64 {
        let offset = self.names.len() as u64;
        self.names.extend_from_slice(name);
        offset
    }

    fn finish(self) -> Vec<u8> {
        let body = [self.folders, self.files, self.names.clone()].concat();
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.folder_count.to_le_bytes());
        bytes.extend_from_slice(&self.file_count.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(self.names.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&Digest::of(&body).0);
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// Names are far below this: the system's own limit is 4,096 bytes a path.
fn length(name: &[u8]) -> u32 {
    u32::try_from(name.len()).unwrap_or(u32::MAX)
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64) -> Known {
        Known {
            identity: Identity {
                kind: Kind::File,
                device: 1,
                inode: number,
                size: number * 2,
                mtime: 5,
                ctime: 6,
                mode: 0o755,
            },
            digest: Digest::of(&number.to_le_bytes()),
        }
    }

    fn folder(files: &[(&str, Option<u64>)], others: &[&str], subfolders: &[&str]) -> Visited {
        let boxed = |name: &str| Box::<[u8]>::from(name.as_bytes());
        Visited {
            files: files
                .iter()
                .map(|(name, n)| (boxed(name), n.map(known)))
                .collect(),
            others: others.iter().map(|name| boxed(name)).collect(),
            subfolders: subfolders.iter().map(|name| boxed(name)).collect(),
        }
    }

    fn visited<const N: usize>(folders: [(&str, Visited); N]) -> BTreeMap<Box<[u8]>, Visited> {
        folders
            .into_iter()
            .map(|(path, seen)| (path.as_bytes().into(), seen))
            .collect()
    }

    fn find(index: &Index, folder: &str, name: &str) -> Option<Known> {
        index.folder(folder.as_bytes())?.find(name.as_bytes())
    }

    fn first() -> Index {
        let seen = visited([
            (
                "",
                folder(&[("a", Some(1)), ("racy", None)], &[], &["src", "lib"]),
            ),
            ("lib", folder(&[("l", Some(4))], &[], &[])),
            ("src", folder(&[("b", Some(2)), ("c", Some(3))], &[], &[])),
        ]);
        Index::from_bytes(Index::empty().next(&seen)).unwrap()
    }

    #[test]
    fn what_was_hashed_is_found_again() {
        let index = first();
        assert_eq!(find(&index, "", "a"), Some(known(1)));
        assert_eq!(find(&index, "src", "c"), Some(known(3)));
        assert_eq!(find(&index, "", "racy"), None);
        assert_eq!(find(&index, "other", "a"), None);
    }

    #[test]
    fn what_was_not_visited_is_kept_and_what_is_gone_is_not() {
        // `src` was seen without `c`, and with `b` unlooked at; the root has no `lib` any more.
        let seen = visited([
            ("", folder(&[("a", Some(9))], &[], &["src"])),
            ("src", folder(&[], &["b"], &[])),
        ]);
        let index = Index::from_bytes(first().next(&seen)).unwrap();
        assert_eq!(find(&index, "", "a"), Some(known(9)));
        assert_eq!(find(&index, "src", "b"), Some(known(2)));
        assert_eq!(find(&index, "src", "c"), None);
        assert_eq!(find(&index, "lib", "l"), None);
        let unvisited = Index::from_bytes(first().next(&visited([]))).unwrap();
        assert_eq!(find(&unvisited, "lib", "l"), Some(known(4)));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_empty_index() {
        let bytes = first().bytes;
        for length in 0..bytes.len() {
            assert!(Index::from_bytes(bytes[..length].to_vec()).is_none());
        }
        for at in (0..bytes.len()).filter(|at| !(20..24).contains(at)) {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert!(Index::from_bytes(broken).is_none(), "{at}");
        }
    }
}
