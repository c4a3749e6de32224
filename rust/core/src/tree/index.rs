//! The memory of what was hashed: identity and digest of every file, so that none is read twice.
//!
//! One file, replaced by rename. It is read as it lies: fixed records, looked up in place, nothing is
//! deserialised. Whatever is wrong with it, it is an empty index: it only ever saves time.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::identity::{Identity, Kind};
use super::journal;
use super::os::read_own;
use super::walk::{FolderFound, Found, Walk};
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
/// Bytes; no file system allows as many in one name.
const LONGEST_NAME: u32 = 4096;

/// Bytes, the path of its folder counted in.
const USUAL_NAME: usize = 24;

/// An index as it was read: files that were clean when they were written down.
pub struct Index {
    bytes: Vec<u8>,
    folders: usize,
    files: usize,
    /// What was hashed since.
    newer: Fresh,
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
    newer: Option<&'a BTreeMap<Box<[u8]>, Known>>,
}

/// What a run found out itself: folder → name → what is known now.
pub type Fresh = BTreeMap<Box<[u8]>, BTreeMap<Box<[u8]>, Known>>;

impl Index {
    pub fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            folders: 0,
            files: 0,
            newer: Fresh::new(),
        }
    }

    /// The index at a path, with its journal.
    pub fn read(path: &Path) -> Self {
        let read = read_own(path).ok().and_then(Self::from_bytes);
        let journal = read_own(&journal::journal_of(path)).unwrap_or_default();
        Self {
            newer: journal::read(&journal),
            ..read.unwrap_or_else(Self::empty)
        }
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
        let index = Self {
            bytes,
            folders,
            files,
            newer: Fresh::new(),
        };
        index.shares_nothing(names).then_some(index)
    }

    /// Whether each file is in one folder and paths overlap nowhere, as in every index that was written:
    /// what is made of an index is then no larger than it.
    fn shares_nothing(&self, names: usize) -> bool {
        let (mut next, mut paths) = (0, 0_usize);
        let each_follows_the_last = (0..self.folders).all(|number| {
            let Some((folder, path)) = self.folder_at(number).zip(self.folder_path(number)) else {
                return false;
            };
            let follows = folder.first == next;
            next += folder.count;
            paths = paths.saturating_add(path.len());
            follows
        });
        each_follows_the_last && next == self.files && paths <= names
    }

    /// The folder of this path.
    pub fn folder(&self, path: &[u8]) -> Option<KnownFolder<'_>> {
        let newer = self.newer.get(path);
        match self.written_folder(path) {
            Some(folder) => Some(KnownFolder { newer, ..folder }),
            None => newer.is_some().then_some(KnownFolder {
                index: self,
                first: 0,
                count: 0,
                newer,
            }),
        }
    }

    /// Every file that the index itself knows: its folder, its name.
    pub fn files(&self) -> impl Iterator<Item = (&[u8], &[u8], Known)> {
        (0..self.folders).flat_map(move |number| {
            let path = self.folder_path(number).unwrap_or_default();
            let folder = self.folder_at(number);
            let files = folder.into_iter().flat_map(|folder| folder.files());
            files.map(move |(name, known)| (path, name, known))
        })
    }

    fn written_folder(&self, path: &[u8]) -> Option<KnownFolder<'_>> {
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

    /// The bytes of the next index: what is fresh, what a walk read, and of the rest what may still be there.
    ///
    /// `walked` is what that walk saw: files and folders that it did not see where it looked are dropped.
    pub fn next(&self, walked: Option<&Walk>, fresh: &Fresh) -> Vec<u8> {
        self.next_in_pieces(walked, fresh).concat()
    }

    /// The same in pieces that follow each other: of a large index none has to be copied to be written.
    pub fn next_in_pieces(&self, walked: Option<&Walk>, fresh: &Fresh) -> [Vec<u8>; 4] {
        let seen: Seen<'_> = walked
            .into_iter()
            .flat_map(|walk| &walk.folders)
            .filter(|folder| folder.is_listed)
            .map(|folder| (&*folder.path, folder))
            .collect();
        let read = walked.map_or(0, |walk| walk.folders.iter().map(|f| f.files.len()).sum());
        let mut writer = Writer::with_room_for(self.files + read);
        let mut ours = self.ours(walked, fresh).into_iter().peekable();
        for number in 0..self.folders {
            let Some(path) = self.folder_path(number) else {
                continue;
            };
            while let Some((path, files)) = ours.next_if(|(ours, _)| *ours < path) {
                writer.merged(path, &files, std::iter::empty());
            }
            let same = ours.next_if(|(ours, _)| *ours == path);
            let files = same.map(|(_, files)| files).unwrap_or_default();
            let kept = self
                .folder_at(number)
                .filter(|_| may_still_be_there(path, &seen));
            let kept = kept.iter().flat_map(KnownFolder::files);
            let folder = seen.get(path).copied();
            writer.merged(
                path,
                &files,
                kept.filter(|(name, known)| still_holds(folder, name, known)),
            );
        }
        for (path, files) in ours {
            writer.merged(path, &files, std::iter::empty());
        }
        writer.finish()
    }

    /// What came after the index, by folder.
    fn ours<'a>(
        &'a self,
        walked: Option<&'a Walk>,
        fresh: &'a Fresh,
    ) -> BTreeMap<&'a [u8], Ours<'a>> {
        let mut ours: BTreeMap<&[u8], Ours<'a>> = BTreeMap::new();
        for folder in walked.into_iter().flat_map(|walk| &walk.folders) {
            if folder.files.iter().any(|file| file.is_new) {
                ours.entry(&folder.path).or_default().read = &folder.files;
            }
        }
        for (path, files) in &self.newer {
            ours.entry(path).or_default().newer = Some(files);
        }
        for (path, files) in fresh {
            ours.entry(path).or_default().fresh = Some(files);
        }
        ours
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
            newer: None,
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
        let length = number32(&self.bytes, at + 80).filter(|length| *length <= LONGEST_NAME)?;
        self.name(number64(&self.bytes, at + 72)?, length)
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

impl<'a> KnownFolder<'a> {
    pub fn find(&self, name: &[u8]) -> Option<Known> {
        if let Some(known) = self.newer.and_then(|newer| newer.get(name)) {
            return Some(*known);
        }
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

    fn files(&self) -> impl Iterator<Item = (&'a [u8], Known)> + use<'a> {
        let index = self.index;
        (self.first..self.first + self.count)
            .filter_map(move |number| Some((index.file_name(number)?, index.file(number)?)))
    }
}

type Seen<'a> = HashMap<&'a [u8], &'a FolderFound>;

/// Whether no walked folder above shows that this one is gone.
fn may_still_be_there(path: &[u8], seen: &Seen<'_>) -> bool {
    let mut below = path;
    while !below.is_empty() {
        let (above, name) = match below.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&below[..slash], &below[slash + 1..]),
            None => (&below[..0], below),
        };
        if let Some(folder) = seen.get(above) {
            return folder
                .subfolders
                .binary_search_by(|own| (**own).cmp(name))
                .is_ok();
        }
        below = above;
    }
    true
}

/// Whether an old record says nothing that the walk saw to be otherwise.
fn still_holds(folder: Option<&FolderFound>, name: &[u8], known: &Known) -> bool {
    let Some(folder) = folder else { return true };
    match folder.files.binary_search_by(|file| (*file.name).cmp(name)) {
        Ok(at) => folder.files[at].identity == known.identity,
        Err(_) => folder
            .others
            .binary_search_by(|own| (**own).cmp(name))
            .is_ok(),
    }
}

/// What is known of a folder beyond the index: the latest last.
#[derive(Default)]
struct Ours<'a> {
    newer: Option<&'a BTreeMap<Box<[u8]>, Known>>,
    /// Of these what was read on the walk.
    read: &'a [Found],
    fresh: Option<&'a BTreeMap<Box<[u8]>, Known>>,
}

fn known_in(files: Option<&BTreeMap<Box<[u8]>, Known>>) -> impl Iterator<Item = (&[u8], Known)> {
    let files = files.into_iter().flatten();
    files.map(|(name, known)| (&**name, *known))
}

fn what_was_read(file: &Found) -> Option<(&[u8], Known)> {
    let digest = file.digest.get().copied().flatten()?;
    let identity = file.identity;
    file.is_new
        .then_some((&*file.name, Known { identity, digest }))
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
    /// Room that is not used costs nothing, and room that grows is copied.
    fn with_room_for(files: usize) -> Self {
        Self {
            files: Vec::with_capacity(files * FILE),
            names: Vec::with_capacity(files * USUAL_NAME),
            ..Self::default()
        }
    }

    /// What came later wins.
    fn merged<'a>(
        &mut self,
        path: &[u8],
        ours: &Ours<'a>,
        kept: impl Iterator<Item = (&'a [u8], Known)>,
    ) {
        let mut all: Vec<(&[u8], Known)> = kept.collect();
        all.extend(known_in(ours.newer));
        all.extend(ours.read.iter().filter_map(what_was_read));
        all.extend(known_in(ours.fresh));
        // One after the other they are several sequences in order.
        all.sort_by_key(|(name, _)| *name);
        all.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                earlier.1 = later.1;
            }
            is_same
        });
        self.folder(path, all.into_iter());
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

    fn finish(self) -> [Vec<u8>; 4] {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.folders, &self.files, &self.names] {
            hasher.update(part);
        }
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.folder_count.to_le_bytes());
        bytes.extend_from_slice(&self.file_count.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(self.names.len() as u64).to_le_bytes());
        bytes.extend_from_slice(hasher.finalize().as_bytes());
        [bytes, self.folders, self.files, self.names]
    }
}

/// Paths are far below this.
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

    fn boxed(name: &str) -> Box<[u8]> {
        name.as_bytes().into()
    }

    fn fresh(files: &[(&str, &str, u64)]) -> Fresh {
        let mut fresh = Fresh::new();
        for (folder, name, number) in files {
            fresh
                .entry(boxed(folder))
                .or_default()
                .insert(boxed(name), known(*number));
        }
        fresh
    }

    fn walked(path: &str, files: &[(&str, u64)], others: &[&str], below: &[&str]) -> FolderFound {
        let file = |(name, number): &(&str, u64)| crate::tree::Found {
            name: name.as_bytes().into(),
            identity: known(*number).identity,
            sets: std::sync::Arc::default(),
            digest: std::sync::OnceLock::new(),
            is_new: false,
        };
        FolderFound {
            path: boxed(path),
            identity: known(0).identity,
            ignore_file: None,
            links: Vec::new(),
            is_listed: true,
            files: files.iter().map(file).collect(),
            others: others.iter().map(|name| name.as_bytes().into()).collect(),
            subfolders: below.iter().map(|name| name.as_bytes().into()).collect(),
            is_empty: false,
            owners: std::sync::Arc::default(),
        }
    }

    fn find(index: &Index, folder: &str, name: &str) -> Option<Known> {
        index.folder(folder.as_bytes())?.find(name.as_bytes())
    }

    fn first() -> Index {
        let files = [
            ("", "a", 1),
            ("lib", "l", 4),
            ("src", "b", 2),
            ("src", "c", 3),
        ];
        Index::from_bytes(Index::empty().next(None, &fresh(&files))).unwrap()
    }

    #[test]
    fn what_was_hashed_is_found_again() {
        let index = first();
        assert_eq!(find(&index, "", "a"), Some(known(1)));
        assert_eq!(find(&index, "src", "c"), Some(known(3)));
        assert_eq!(find(&index, "", "other"), None);
        assert_eq!(find(&index, "other", "a"), None);
    }

    #[test]
    fn what_was_not_looked_at_is_kept_and_what_is_gone_is_not() {
        // The root has no `lib` any more; `src` was seen without `c`, and with `b` not looked at.
        let walk = Walk {
            folders: vec![
                walked("", &[("a", 9)], &[], &["src"]),
                walked("src", &[], &["b"], &[]),
            ],
        };
        let next = first().next(Some(&walk), &fresh(&[("", "a", 9), ("new", "n", 5)]));
        let index = Index::from_bytes(next).unwrap();
        assert_eq!(find(&index, "", "a"), Some(known(9)));
        assert_eq!(find(&index, "new", "n"), Some(known(5)));
        assert_eq!(find(&index, "src", "b"), Some(known(2)));
        assert_eq!(find(&index, "src", "c"), None);
        assert_eq!(find(&index, "lib", "l"), None);
        let unwalked = Index::from_bytes(first().next(None, &Fresh::new())).unwrap();
        assert_eq!(find(&unwalked, "lib", "l"), Some(known(4)));
    }

    #[test]
    fn what_a_walk_read_is_kept_and_what_was_found_out_after_it_wins() {
        let mut read = walked("src", &[("a", 6), ("b", 7), ("c", 3)], &[], &[]);
        for file in &mut read.files[..2] {
            file.is_new = true;
            let inode = file.identity.inode;
            let _ = file.digest.set(Some(known(inode).digest));
        }
        let walk = Walk {
            folders: vec![walked("", &[("a", 1)], &[], &["lib", "src"]), read],
        };
        let next = first().next(Some(&walk), &fresh(&[("src", "b", 8)]));
        let index = Index::from_bytes(next).unwrap();
        assert_eq!(find(&index, "src", "a"), Some(known(6)));
        assert_eq!(find(&index, "src", "b"), Some(known(8)));
        assert_eq!(find(&index, "src", "c"), Some(known(3)));
        assert_eq!(find(&index, "lib", "l"), Some(known(4)));
        assert_eq!(index.len(), 5);
    }

    #[test]
    fn a_file_that_changed_and_was_not_read_is_forgotten() {
        let walk = Walk {
            folders: vec![walked("", &[("a", 7)], &[], &["lib", "src"])],
        };
        let index = Index::from_bytes(first().next(Some(&walk), &Fresh::new())).unwrap();
        assert_eq!(find(&index, "", "a"), None);
        assert_eq!(find(&index, "src", "b"), Some(known(2)));
    }

    #[test]
    fn an_index_whose_folders_share_files_or_paths_is_an_empty_index() {
        let bytes = first().bytes;
        let with = |number: usize, field: usize, value: u32| {
            let mut forged = bytes.clone();
            let at = HEADER + number * FOLDER + field;
            forged[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let digest = Digest::of(&forged[HEADER..]);
            forged[32..64].copy_from_slice(&digest.0);
            Index::from_bytes(forged)
        };
        // `src` has the last two of four files.
        assert!(with(2, 12, 2).is_some());
        assert!(with(2, 12, 1).is_none());
        assert!(with(2, 16, 1).is_none());
        assert!(with(0, 16, 4).is_none());
        // The path of the root as long as all names together, and that of `lib` besides.
        assert!(with(0, 8, 10).is_none());
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
