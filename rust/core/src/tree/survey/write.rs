//! A survey as it is written down.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{
    DIGEST, FILE, FILE_CLEAN, FILE_HAS_DIGEST, FOLDER_CLEAN, FOLDER_EMPTY, HEADER, LEADS_TO_FOLDER,
    MAGIC, NO_PARENT, Role, SEALED, SumOf, VERSION, digest_of_many, hot_digest,
};
use crate::digest::Digest;
use crate::glob::SetId;
use crate::tree::identity::{Identity, Kind};
use crate::tree::index::Known;
use crate::tree::stamp::Stamp;
use crate::tree::walk::{FolderFound, Walk};

/// Bytes, the path of its folder counted in.
const USUAL_NAME: usize = 24;

/// A digest over what a set selects.
#[derive(Clone, Copy, Debug)]
pub struct Summed {
    pub set: SetId,
    pub of: SumOf,
    pub digest: Digest,
    pub count: u64,
}

/// A folder of a walk, with the files that were found in it.
pub struct Seen<'a> {
    pub found: &'a FolderFound,
    /// Whatever happens to it after this look, or to a file in it, gives it other times.
    pub is_certain: bool,
}

impl Walk {
    /// All folders, by the clock alone.
    pub fn seen(&self) -> Vec<Seen<'_>> {
        let seen = |found| Seen {
            found,
            is_certain: false,
        };
        self.folders.iter().map(seen).collect()
    }
}

/// What is written down: a walk, the moment before it, and what was found out of its files since.
pub struct Surveyed<'a, F: Fn((u32, u32)) -> Option<Known>> {
    pub context: Digest,
    /// In the order of a walk.
    pub folders: &'a [Seen<'a>],
    pub stamp: Stamp,
    /// What is known of the file at a place, under the identity with which it was read.
    pub known: F,
    /// Places of files that may have other contents by now under the same identity.
    pub unsettled: &'a BTreeSet<(u32, u32)>,
    pub sums: &'a [Summed],
}

/// The bytes of a survey in pieces that follow each other: none has to be copied to be written. The first is the
/// header.
pub type Pieces = [Vec<u8>; 7];

/// What is written down. None for a walk that is too large for one, or that is not of a whole tree.
pub fn write<F: Fn((u32, u32)) -> Option<Known>>(surveyed: &Surveyed<'_, F>) -> Option<Pieces> {
    let files = surveyed.folders.iter().map(|seen| seen.found.files.len());
    let mut writer = Writer::with_room_for(files.sum());
    let mut numbers: HashMap<&[u8], u32> = HashMap::with_capacity(surveyed.folders.len());
    for (number, seen) in (0..).zip(surveyed.folders) {
        let folder = seen.found;
        let is_clean = |identity: &Identity| seen.is_certain || surveyed.stamp.is_clean(identity);
        let parent = match folder.path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => *numbers.get(&folder.path[..slash])?,
            None if folder.path.is_empty() => NO_PARENT,
            None => *numbers.get(&b""[..])?,
        };
        numbers.insert(&folder.path, number);
        writer.folder(folder, parent, surveyed.stamp, is_clean(&folder.identity))?;
        for (at, file) in (0..).zip(&folder.files) {
            let known = (surveyed.known)((number, at));
            let identity = known.map_or(file.identity, |known| known.identity);
            let is_here = identity.device == folder.identity.device;
            let is_settled = !surveyed.unsettled.contains(&(number, at));
            let row = Row {
                name: &file.name,
                identity,
                role: Role::Selected,
                is_clean: is_here && is_settled && is_clean(&identity),
                digest: known.map(|known| known.digest),
                leads_to_folder: false,
            };
            let sets = writer.list(&file.sets)?;
            writer.file(&row, sets)?;
        }
    }
    for sum in surveyed.sums {
        writer.sum(sum);
    }
    writer.finish(surveyed.context)
}

#[derive(Default)]
struct Writer {
    folders: Vec<u8>,
    files: Vec<u8>,
    lists: Vec<u8>,
    sums: Vec<u8>,
    names: Vec<u8>,
    digests: Vec<u8>,
    folder_count: u32,
    file_count: u32,
    sum_count: u32,
    known_lists: HashMap<Arc<[SetId]>, u32>,
    last_list: Option<(Arc<[SetId]>, u32)>,
}

struct Row<'a> {
    name: &'a [u8],
    identity: Identity,
    role: Role,
    is_clean: bool,
    digest: Option<Digest>,
    leads_to_folder: bool,
}

impl Writer {
    /// Room that is not used costs nothing, and room that grows is copied.
    fn with_room_for(files: usize) -> Self {
        Self {
            files: Vec::with_capacity(files * FILE),
            names: Vec::with_capacity(files * USUAL_NAME),
            digests: Vec::with_capacity(files * DIGEST),
            ..Self::default()
        }
    }

    /// A folder with what is watched in it; its files follow.
    fn folder(
        &mut self,
        folder: &FolderFound,
        parent: u32,
        stamp: Stamp,
        is_clean: bool,
    ) -> Option<()> {
        let first = self.file_count;
        for (name, leads_to_folder) in &folder.links {
            let row = Row {
                name,
                identity: folder.identity,
                role: Role::Watched,
                is_clean: true,
                digest: None,
                leads_to_folder: *leads_to_folder,
            };
            self.file(&row, u32::MAX)?;
        }
        if let Some(file) = folder.ignore_file {
            let identity = file.identity;
            let row = Row {
                name: super::super::ignore_files::IGNORE_FILE,
                identity,
                role: Role::IgnoreFile,
                is_clean: file.is_settled(stamp) && identity.device == folder.identity.device,
                digest: None,
                leads_to_folder: false,
            };
            self.file(&row, u32::MAX)?;
        }
        let watched = self.file_count - first;
        let count = watched.checked_add(u32::try_from(folder.files.len()).ok()?)?;
        let identity = &folder.identity;
        let flags = if is_clean { FOLDER_CLEAN } else { 0 }
            | if folder.is_empty { FOLDER_EMPTY } else { 0 };
        let path = self.name(&folder.path)?;
        let owners = self.list(&folder.owners)?;
        let length = u32::try_from(folder.path.len()).ok()?;
        let row = &mut self.folders;
        for number in [path, length, parent, first, count, owners] {
            row.extend_from_slice(&number.to_le_bytes());
        }
        for number in [identity.device, identity.inode, identity.size] {
            row.extend_from_slice(&number.to_le_bytes());
        }
        for time in [identity.mtime, identity.ctime] {
            row.extend_from_slice(&time.to_le_bytes());
        }
        row.extend_from_slice(&identity.mode.to_le_bytes());
        row.extend_from_slice(&flags.to_le_bytes());
        self.folder_count = self.folder_count.checked_add(1)?;
        Some(())
    }

    fn file(&mut self, file: &Row<'_>, sets: u32) -> Option<()> {
        let name = self.name(file.name)?;
        let identity = &file.identity;
        let row = &mut self.files;
        for number in [identity.inode, identity.size] {
            row.extend_from_slice(&number.to_le_bytes());
        }
        for time in [identity.mtime, identity.ctime] {
            row.extend_from_slice(&time.to_le_bytes());
        }
        row.extend_from_slice(&name.to_le_bytes());
        row.extend_from_slice(&sets.to_le_bytes());
        row.extend_from_slice(&u16::try_from(file.name.len()).ok()?.to_le_bytes());
        row.extend_from_slice(&u16::try_from(identity.mode).ok()?.to_le_bytes());
        let kind = match identity.kind {
            Kind::File => 0,
            Kind::Link => 1,
            Kind::Folder | Kind::Special => 2,
        };
        let role = match file.role {
            Role::Selected => 0,
            Role::Watched => 1,
            Role::IgnoreFile => 2,
        };
        let mut flags = if file.is_clean { FILE_CLEAN } else { 0 };
        if file.digest.is_some() {
            flags |= FILE_HAS_DIGEST;
        }
        if file.leads_to_folder {
            flags |= LEADS_TO_FOLDER;
        }
        row.extend_from_slice(&[kind, role, flags, 0]);
        let digest = file.digest.unwrap_or(Digest([0; DIGEST]));
        self.digests.extend_from_slice(&digest.0);
        self.file_count = self.file_count.checked_add(1)?;
        Some(())
    }

    fn sum(&mut self, sum: &Summed) {
        self.sums.extend_from_slice(&sum.set.to_le_bytes());
        let of = match sum.of {
            SumOf::Inputs => 0_u32,
            SumOf::Outputs => 1,
        };
        self.sums.extend_from_slice(&of.to_le_bytes());
        self.sums.extend_from_slice(&sum.count.to_le_bytes());
        self.sums.extend_from_slice(&sum.digest.0);
        self.sum_count += 1;
    }

    /// Where a list of sets stands. Most files are selected by the same sets as the one before.
    fn list(&mut self, sets: &Arc<[SetId]>) -> Option<u32> {
        if let Some((last, at)) = &self.last_list
            && Arc::ptr_eq(last, sets)
        {
            return Some(*at);
        }
        let at = if let Some(at) = self.known_lists.get(sets) {
            *at
        } else {
            let at = u32::try_from(self.lists.len() / 4).ok()?;
            let length = u32::try_from(sets.len()).ok()?;
            self.lists.extend_from_slice(&length.to_le_bytes());
            for set in sets.iter() {
                self.lists.extend_from_slice(&set.to_le_bytes());
            }
            self.known_lists.insert(Arc::clone(sets), at);
            at
        };
        self.last_list = Some((Arc::clone(sets), at));
        Some(at)
    }

    fn name(&mut self, name: &[u8]) -> Option<u32> {
        let offset = u32::try_from(self.names.len()).ok()?;
        self.names.extend_from_slice(name);
        Some(offset)
    }

    fn finish(self, context: Digest) -> Option<Pieces> {
        let names = u32::try_from(self.names.len()).ok()?;
        let lists = u32::try_from(self.lists.len() / 4).ok()?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        for number in [
            VERSION,
            self.folder_count,
            self.file_count,
            names,
            lists,
            self.sum_count,
        ] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        header.extend_from_slice(&context.0);
        debug_assert_eq!(header.len(), SEALED);
        let parts = [
            &*self.folders,
            &self.files,
            &self.lists,
            &self.sums,
            &self.names,
        ];
        let hot = hot_digest(&header, &parts);
        header.extend_from_slice(&hot.0);
        header.extend_from_slice(&digest_of_many(&[&self.digests]).0);
        Some([
            header,
            self.folders,
            self.files,
            self.lists,
            self.sums,
            self.names,
            self.digests,
        ])
    }
}
