//! What the last walk of a plan saw, kept so that the next need not list what has not changed.
//!
//! A survey holds every folder that was entered and every file that was selected there, with their
//! identities. While a folder's times stand still nothing was added to it, removed from it or renamed in
//! it: its files are looked at by name, and it is not opened. Folders and files that were written within
//! one tick of the file system's clock of the walk say nothing (see `Stamp`): they are marked, and looked
//! at anew. Whatever is wrong with a survey, there is none: it only ever saves time.

mod check;
mod lists;
#[cfg(test)]
mod tests;
mod write;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(super) use check::FolderChange;
pub use check::{Changes, is_surveyable};
pub use write::{Pieces, Seen, Summed, Surveyed, write};

use super::identity::{Identity, Kind};
use super::os::open_file;
use crate::digest::Digest;

const MAGIC: &[u8; 8] = b"pipecsvy";
const VERSION: u32 = 1;

/// magic 8, version 4, folders 4, files 4, names 4, set lists 4, sums 4, context 32, digest of what is
/// read at once 32, digest of the rest 32
const HEADER: usize = 128;
/// What of the header the first digest covers.
const SEALED: usize = 64;
/// path offset 4, path length 4, parent 4, first file 4, files 4, owners 4, device 8, inode 8, size 8,
/// mtime 8, ctime 8, mode 4, flags 4
const FOLDER: usize = 72;
/// inode 8, size 8, mtime 8, ctime 8, name offset 4, sets 4, name length 2, mode 2, kind 1, role 1,
/// flags 1, unused 1
const FILE: usize = 48;
/// set 4, what of it 4, number of entries 8, digest 32
const SUM: usize = 48;
const DIGEST: usize = 32;
const NO_PARENT: u32 = u32::MAX;

/// The folder has not been written since the walk, as far as its times can tell.
const FOLDER_CLEAN: u32 = 1;
const FOLDER_EMPTY: u32 = 2;
const FILE_CLEAN: u8 = 1;
const FILE_HAS_DIGEST: u8 = 2;
const LEADS_TO_FOLDER: u8 = 4;

/// Why a file of a folder is in a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Some set selects it.
    Selected,
    /// A link whose meaning depends on whether it leads to a folder; selected or not, it stands here too.
    Watched,
    /// The folder's ignore file.
    IgnoreFile,
}

/// What is summed up of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SumOf {
    /// Its inputs, as of `Sum`.
    Inputs,
    /// Its outputs with exact modes, as of `Manifest::exact_digest`.
    Outputs,
}

pub struct Survey {
    /// Header and everything that a check needs.
    bytes: Vec<u8>,
    path: PathBuf,
    folders: usize,
    files: usize,
    lists: usize,
    sums: usize,
    names: usize,
    /// The digests of the files' contents: read once one is asked for.
    digests: OnceLock<Option<Vec<u8>>>,
}

#[derive(Clone, Copy)]
pub(super) struct FolderRow<'a> {
    pub(super) path: &'a [u8],
    pub(super) parent: Option<usize>,
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) owners: u32,
    pub(super) identity: Identity,
    pub(super) is_clean: bool,
    pub(super) is_empty: bool,
}

#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact about a file, none a state"
)]
#[derive(Clone, Copy)]
pub(super) struct FileRow<'a> {
    pub(super) name: &'a [u8],
    pub(super) sets: u32,
    pub(super) identity: Identity,
    pub(super) role: Role,
    pub(super) is_clean: bool,
    pub(super) has_digest: bool,
    pub(super) leads_to_folder: bool,
}

impl Survey {
    /// None for anything that was not written, whole, by this version for this context.
    pub fn read(path: &Path, context: Digest) -> Option<Self> {
        let mut file = open_file(path).ok()?;
        // A pipe in its place has no length, and no survey is that short.
        let length = file.metadata().ok()?.len();
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let sizes = Sizes::of(&header)?;
        if header.get(32..64)? != context.0 || sizes.whole()? as u64 != length {
            return None;
        }
        let mut bytes = Vec::with_capacity(sizes.hot()?.checked_add(1)?);
        bytes.extend_from_slice(&header);
        file.take((sizes.hot()? - HEADER) as u64)
            .read_to_end(&mut bytes)
            .ok()?;
        Self::from_hot(bytes, sizes, path)
    }

    /// The same from bytes that are at hand.
    pub fn from_bytes(bytes: &[u8], context: Digest) -> Option<Self> {
        let sizes = Sizes::of(bytes.get(..HEADER)?)?;
        if bytes.get(32..64)? != context.0 || sizes.whole()? != bytes.len() {
            return None;
        }
        let (hot, rest) = bytes.split_at_checked(sizes.hot()?)?;
        let survey = Self::from_hot(hot.to_vec(), sizes, Path::new(""))?;
        let digests = survey.checked(rest.to_vec());
        let _ = survey.digests.set(digests);
        Some(survey)
    }

    fn from_hot(bytes: Vec<u8>, sizes: Sizes, path: &Path) -> Option<Self> {
        if bytes.len() != sizes.hot()?
            || hot_digest(bytes.get(..SEALED)?, &[bytes.get(HEADER..)?]).0 != *bytes.get(64..96)?
        {
            return None;
        }
        let survey = Self {
            bytes,
            path: path.to_path_buf(),
            folders: sizes.folders,
            files: sizes.files,
            lists: sizes.lists,
            sums: sizes.sums,
            names: sizes.names,
            digests: OnceLock::new(),
        };
        survey.is_in_order().then_some(survey)
    }

    /// Whether folders lie in the one before which they stand, each file is in one folder and no name is
    /// there twice, as in every survey that was written: what is made of a survey is then no larger than it.
    fn is_in_order(&self) -> bool {
        let (mut next, mut paths) = (0, 0_usize);
        let are_folders_in_order = (0..self.folders).all(|number| {
            let Some(folder) = self.folder(number) else {
                return false;
            };
            let follows = folder.first == next;
            next += folder.count;
            paths = paths.saturating_add(folder.path.len());
            let has_parent = match folder.parent {
                Some(parent) => parent < number && self.lies_in(parent, folder.path),
                None => number == 0 && folder.path.is_empty(),
            };
            follows && has_parent && next <= self.files
        });
        let start = HEADER + self.folders * FOLDER;
        let rows = self.bytes[start..].chunks_exact(FILE).take(self.files);
        let names: usize = rows.map(|row| usize::from(name_length(row))).sum();
        are_folders_in_order && next == self.files && paths.saturating_add(names) <= self.names
    }

    /// Whether a path is that of something right in a folder that stands before it.
    fn lies_in(&self, folder: usize, path: &[u8]) -> bool {
        let Some(folder) = self.folder(folder) else {
            return false;
        };
        let below = path.strip_prefix(folder.path);
        let name = match below {
            Some(below) if !folder.path.is_empty() => below.strip_prefix(b"/"),
            _ => below,
        };
        name.is_some_and(is_name)
    }

    /// Stands for exactly this survey.
    pub fn generation(&self) -> Digest {
        generation_of(&self.bytes).unwrap_or(Digest([0; 32]))
    }

    pub fn folder_count(&self) -> usize {
        self.folders
    }

    pub fn file_count(&self) -> usize {
        self.files
    }

    /// What was known of a set when this was written: its digest, and of how many entries.
    pub fn sums(&self) -> impl Iterator<Item = (u32, SumOf, Digest, u64)> {
        let start = HEADER + self.folders * FOLDER + self.files * FILE + self.lists * 4;
        (0..self.sums).filter_map(move |number| {
            let row = self.bytes.get(start + number * SUM..)?.get(..SUM)?;
            let of = match number32(row, 4)? {
                0 => SumOf::Inputs,
                _ => SumOf::Outputs,
            };
            let digest = Digest(*row.get(16..)?.first_chunk()?);
            Some((number32(row, 0)?, of, digest, number64(row, 8)?))
        })
    }

    pub(super) fn folder(&self, number: usize) -> Option<FolderRow<'_>> {
        let row = self.row(HEADER, number, self.folders, FOLDER)?;
        let parent = number32(row, 8)?;
        let first = usize::try_from(number32(row, 12)?).ok()?;
        let count = usize::try_from(number32(row, 16)?).ok()?;
        let flags = number32(row, 68)?;
        Some(FolderRow {
            path: self.name(number32(row, 0)?, number32(row, 4)?)?,
            parent: match parent {
                NO_PARENT => None,
                parent => Some(usize::try_from(parent).ok()?),
            },
            first,
            count,
            owners: number32(row, 20)?,
            identity: Identity {
                kind: Kind::Folder,
                device: number64(row, 24)?,
                inode: number64(row, 32)?,
                size: number64(row, 40)?,
                mtime: signed64(row, 48)?,
                ctime: signed64(row, 56)?,
                mode: number32(row, 64)?,
            },
            is_clean: flags & FOLDER_CLEAN != 0,
            is_empty: flags & FOLDER_EMPTY != 0,
        })
    }

    /// A file of a folder on this device.
    pub(super) fn file(&self, number: usize, device: u64) -> Option<FileRow<'_>> {
        let row = self.row(HEADER + self.folders * FOLDER, number, self.files, FILE)?;
        let flags = row[46];
        Some(FileRow {
            name: self.name(number32(row, 32)?, u32::from(name_length(row)))?,
            sets: number32(row, 36)?,
            identity: Identity {
                kind: match row[44] {
                    0 => Kind::File,
                    1 => Kind::Link,
                    _ => Kind::Special,
                },
                device,
                inode: number64(row, 0)?,
                size: number64(row, 8)?,
                mtime: signed64(row, 16)?,
                ctime: signed64(row, 24)?,
                mode: u32::from(u16::from_le_bytes(*row.get(42..)?.first_chunk()?)),
            },
            role: match row[45] {
                0 => Role::Selected,
                1 => Role::Watched,
                _ => Role::IgnoreFile,
            },
            is_clean: flags & FILE_CLEAN != 0,
            has_digest: flags & FILE_HAS_DIGEST != 0,
            leads_to_folder: flags & LEADS_TO_FOLDER != 0,
        })
    }

    /// The digest of a file's contents.
    pub(super) fn digest(&self, number: usize) -> Option<Digest> {
        let digests = self.digests.get_or_init(|| {
            let mut file = open_file(&self.path).ok()?;
            file.seek(SeekFrom::Start(self.bytes.len() as u64)).ok()?;
            let mut bytes = Vec::with_capacity(self.files * DIGEST + 1);
            file.take((self.files * DIGEST) as u64)
                .read_to_end(&mut bytes)
                .ok()?;
            self.checked(bytes)
        });
        let at = number.checked_mul(DIGEST)?;
        Some(Digest(*digests.as_ref()?.get(at..)?.first_chunk()?))
    }

    fn checked(&self, digests: Vec<u8>) -> Option<Vec<u8>> {
        let is_whole = digests.len() == self.files * DIGEST
            && self.bytes.get(96..128)? == digest_of_many(&[&digests]).0;
        is_whole.then_some(digests)
    }

    fn row(&self, table: usize, number: usize, count: usize, size: usize) -> Option<&[u8]> {
        if number >= count {
            return None;
        }
        self.bytes.get(table + number * size..)?.get(..size)
    }

    fn name(&self, offset: u32, length: u32) -> Option<&[u8]> {
        let names = self.bytes.len() - self.names;
        let start = names.checked_add(usize::try_from(offset).ok()?)?;
        self.bytes
            .get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }
}

/// Of a file's row.
fn name_length(row: &[u8]) -> u16 {
    u16::from_le_bytes([row[40], row[41]])
}

/// Whether these bytes can be what something in a folder is called.
pub(super) fn is_name(bytes: &[u8]) -> bool {
    !matches!(bytes, b"" | b"." | b"..") && !bytes.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// What stands for exactly the survey of these bytes.
pub fn generation_of(bytes: &[u8]) -> Option<Digest> {
    Some(Digest(*bytes.get(64..96)?.first_chunk()?))
}

#[derive(Clone, Copy)]
struct Sizes {
    folders: usize,
    files: usize,
    names: usize,
    lists: usize,
    sums: usize,
}

impl Sizes {
    fn of(header: &[u8]) -> Option<Self> {
        if header.get(..8)? != MAGIC || number32(header, 8)? != VERSION {
            return None;
        }
        let size = |at| usize::try_from(number32(header, at)?).ok();
        Some(Self {
            folders: size(12)?,
            files: size(16)?,
            names: size(20)?,
            lists: size(24)?,
            sums: size(28)?,
        })
    }

    fn hot(self) -> Option<usize> {
        HEADER
            .checked_add(self.folders.checked_mul(FOLDER)?)?
            .checked_add(self.files.checked_mul(FILE)?)?
            .checked_add(self.lists.checked_mul(4)?)?
            .checked_add(self.sums.checked_mul(SUM)?)?
            .checked_add(self.names)
    }

    fn whole(self) -> Option<usize> {
        self.hot()?.checked_add(self.files.checked_mul(DIGEST)?)
    }
}

/// Of the sealed part of a header, and of the parts that are read at once.
fn hot_digest(sealed: &[u8], parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("pipec survey v1");
    hasher.update(sealed);
    hasher.update(digest_of_many(parts).0.as_slice());
    Digest(*hasher.finalize().as_bytes())
}

/// Of many megabytes that follow each other, in several threads.
fn digest_of_many(parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        if part.len() < (1 << 20) {
            hasher.update(part);
        } else {
            hasher.update_rayon(part);
        }
    }
    Digest(*hasher.finalize().as_bytes())
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn signed64(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
