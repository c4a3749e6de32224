//! What a store holds in its packs: found through the table, added by appending.
//!
//! The table may be behind the packs, by what other processes appended and by what was appended before a
//! crash: the rest of each pack is read when the store is. Of two records with one key the later counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};

use super::pack::{self, Kind, Place};
use super::table::{Records, Table};
use super::{replace, temporary_in};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::open_file;

/// A pack that is as long as this gets no more records.
const FULL: u64 = 64 << 20;
/// What waits to be written is written when there is this much of it.
const MUCH: usize = 4 << 20;
/// More than this does not wait for a disk that cannot be written.
const TOO_MUCH: usize = 4 * MUCH;

pub(super) struct Contents {
    root: PathBuf,
    table: Table,
    /// Packs that are at least as long as the table says: only their rows count.
    sound: BTreeSet<u32>,
    /// What the table does not have, or has at another place.
    fresh: Records,
    /// What the table has and that is damaged or removed.
    gone: BTreeSet<(Kind, Digest)>,
    /// The length of each pack as far as it is known here.
    packs: BTreeMap<u32, u64>,
    files: BTreeMap<u32, Arc<File>>,
    writer: Option<Writer>,
    pending: Pending,
    has_given_up: bool,
    /// The table on disk does not say all of this.
    is_changed: bool,
}

/// A pack that nobody else appends to: it is locked as long as this process has it open.
struct Writer {
    pack: u32,
    file: File,
    end: u64,
}

/// Records that are not in any pack yet.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Where the contents of each begin in `bytes`.
    records: BTreeMap<(Kind, Digest), (usize, u32)>,
}

/// Where something was found.
pub(super) enum Found {
    InPack(Arc<File>, Place),
    InMemory(Vec<u8>),
}

impl Contents {
    /// Reads the table, and of the packs what it does not cover. What cannot be read is not there.
    pub(super) fn read(root: &Path) -> Self {
        let mut contents = Self {
            root: root.to_path_buf(),
            table: Table::read(&root.join("table")),
            sound: BTreeSet::new(),
            fresh: Records::new(),
            gone: BTreeSet::new(),
            packs: BTreeMap::new(),
            files: BTreeMap::new(),
            writer: None,
            pending: Pending::default(),
            has_given_up: false,
            is_changed: false,
        };
        let covered: BTreeMap<u32, u64> = contents.table.packs().collect();
        for number in numbers_in(&contents.folder()) {
            let path = contents.path_of(number);
            let length = fs::symlink_metadata(&path).map_or(0, |found| found.len());
            match covered.get(&number) {
                Some(known) if *known == length => {
                    contents.sound.insert(number);
                    contents.packs.insert(number, length);
                }
                Some(known) if *known < length => {
                    contents.sound.insert(number);
                    contents.read_on(number, *known);
                }
                _ => contents.read_on(number, 0),
            }
        }
        // A pack that is gone leaves rows behind that mean nothing.
        contents.is_changed |= covered.keys().any(|pack| !contents.sound.contains(pack));
        contents
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.root.join("packs")
    }

    pub(super) fn path_of(&self, pack: u32) -> PathBuf {
        self.folder().join(pack.to_string())
    }

    /// Learns what a pack holds beyond what is `known`, and opens it for that.
    fn read_on(&mut self, pack: u32, known: u64) {
        let Ok(file) = self.file(pack) else { return };
        if !pack::is_pack(&file) {
            return;
        }
        let start = known.max(pack::MAGIC.len() as u64);
        let fresh = &mut self.fresh;
        let scanned = pack::scan(&file, pack, start, |kind, key, place| {
            fresh.insert((kind, key), place);
        });
        if let Ok(end) = scanned {
            self.is_changed |= self.packs.insert(pack, end) != Some(end) && end != known;
        }
    }

    fn file(&mut self, pack: u32) -> io::Result<Arc<File>> {
        if let Some(file) = self.files.get(&pack) {
            return Ok(Arc::clone(file));
        }
        let file = open_file(&self.path_of(pack))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let file = Arc::new(file);
        self.files.insert(pack, Arc::clone(&file));
        Ok(file)
    }

    pub(super) fn place(&self, kind: Kind, key: Digest) -> Option<Place> {
        if let Some(place) = self.fresh.get(&(kind, key)) {
            return Some(*place);
        }
        if self.gone.contains(&(kind, key)) {
            return None;
        }
        let place = self.table.find(kind, key)?;
        self.sound.contains(&place.pack).then_some(place)
    }

    /// The length of what is stored, if it is.
    pub(super) fn length(&self, kind: Kind, key: Digest) -> Option<u64> {
        let pending = self.pending.records.get(&(kind, key));
        let length = pending.map(|(_, length)| *length);
        let length = length.or_else(|| Some(self.place(kind, key)?.length));
        length.map(u64::from)
    }

    pub(super) fn find(&mut self, kind: Kind, key: Digest) -> Option<io::Result<Found>> {
        if let Some((start, length)) = self.pending.records.get(&(kind, key)) {
            let bytes = self.pending.bytes.get(*start..*start + *length as usize);
            return Some(Ok(Found::InMemory(bytes?.to_vec())));
        }
        let place = self.place(kind, key)?;
        Some(self.file(place.pack).map(|file| Found::InPack(file, place)))
    }

    /// All records, those of one kind in the order of their keys.
    pub(super) fn records(&self) -> Records {
        let counts = |(id, place): &((Kind, Digest), Place)| {
            self.sound.contains(&place.pack) && !self.gone.contains(id)
        };
        let mut all: Records = self.table.records().filter(counts).collect();
        all.extend(self.fresh.iter().map(|(id, place)| (*id, *place)));
        all
    }

    /// Forgets what turned out not to be what it should be.
    pub(super) fn forget(&mut self, kind: Kind, key: Digest) {
        self.fresh.remove(&(kind, key));
        self.gone.insert((kind, key));
        self.is_changed = true;
    }

    /// Adds a record. It is in a pack after the next `flush` at the latest.
    pub(super) fn add(&mut self, kind: Kind, key: Digest, contents: &[u8]) -> Result<()> {
        if self.has_given_up {
            let error = io::Error::other("what was to be stored could not be written");
            return Err(Error::at(self.folder())(error));
        }
        let too_long = || Error::Invalid("a record too long for any pack".into());
        let bytes = &mut self.pending.bytes;
        let length = pack::append(bytes, kind, key, contents).ok_or_else(too_long)?;
        let start = bytes.len() - contents.len();
        self.pending.records.insert((kind, key), (start, length));
        if self.pending.bytes.len() >= MUCH {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what was added since the last time, all at once. In trouble it goes on waiting: others rely on
    /// what they have put being there before their entries. When too much waits, nothing is taken any more.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.pending.bytes.is_empty() {
            return Ok(());
        }
        let written = self.write_pending();
        if written.is_err() && self.pending.bytes.len() >= TOO_MUCH {
            self.pending = Pending::default();
            self.has_given_up = true;
        }
        let (pack, start) = written?;
        let pending = std::mem::take(&mut self.pending);
        self.packs.insert(pack, start + pending.bytes.len() as u64);
        for (id, (at, length)) in pending.records {
            let place = Place {
                pack,
                offset: start + at as u64,
                length,
            };
            self.fresh.insert(id, place);
        }
        self.is_changed = true;
        Ok(())
    }

    /// Gives the pack to which all that waits was appended, and where in it.
    fn write_pending(&mut self) -> Result<(u32, u64)> {
        let folder = self.folder();
        let pending = std::mem::take(&mut self.pending.bytes);
        let written = self.writer().and_then(|writer| {
            let (pack, start) = (writer.pack, writer.end);
            writer
                .file
                .write_all_at(&pending, start)
                .map_err(Error::at(folder.join(pack.to_string())))?;
            writer.end += pending.len() as u64;
            Ok((pack, start))
        });
        self.pending.bytes = pending;
        if written.is_err() {
            // The next record has to follow the last whole one: whoever writes next sees to it.
            self.writer = None;
        }
        written
    }

    fn writer(&mut self) -> Result<&mut Writer> {
        if self
            .writer
            .as_ref()
            .is_some_and(|writer| writer.end >= FULL)
        {
            self.writer = None;
        }
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => match self.go_on_with_last() {
                Some(writer) => writer,
                None => self.begin_pack()?,
            },
        };
        Ok(self.writer.insert(writer))
    }

    /// The last pack, if there is room in it and nobody else writes to it.
    fn go_on_with_last(&mut self) -> Option<Writer> {
        let (pack, known) = self.packs.last_key_value()?;
        let (pack, known) = (*pack, *known);
        let is_last = numbers_in(&self.folder()).last() == Some(&pack);
        if !is_last || known >= FULL {
            return None;
        }
        let path = self.path_of(pack);
        let found = fs::symlink_metadata(&path).ok()?;
        let file = fs::OpenOptions::new().read(true).write(true).open(&path);
        let file = file.ok().filter(|_| found.is_file())?;
        if lock(&file) != Lock::Ours {
            return None;
        }
        // Others may have appended before it was locked.
        self.files.remove(&pack);
        self.read_on(pack, known);
        let end = *self.packs.get(&pack)?;
        file.set_len(end).ok()?;
        Some(Writer { pack, file, end })
    }

    fn begin_pack(&mut self) -> Result<Writer> {
        let folder = self.folder();
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let last = numbers_in(&folder).last().copied();
        let known = self.packs.last_key_value().map(|(pack, _)| *pack);
        let mut pack = last.max(known).unwrap_or(0);
        loop {
            pack = pack.saturating_add(1);
            let path = self.path_of(pack);
            let made = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path);
            let file = match made {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && pack < u32::MAX => {
                    continue;
                }
                Err(error) => return Err(Error::at(&path)(error)),
            };
            // A sweep may have taken it for one that is empty for good.
            if lock(&file) == Lock::Theirs {
                continue;
            }
            let begun = file.write_all_at(pack::MAGIC, 0);
            begun.map_err(Error::at(&path))?;
            let end = pack::MAGIC.len() as u64;
            return Ok(Writer { pack, file, end });
        }
    }

    /// Writes everything and goes on with no pack.
    pub(super) fn close(&mut self) -> Result<()> {
        self.flush()?;
        self.writer = None;
        Ok(())
    }

    /// What is added from now on goes to a new pack.
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        self.writer = Some(self.begin_pack()?);
        Ok(())
    }

    pub(super) fn read_place(&mut self, place: &Place) -> io::Result<Vec<u8>> {
        place.read(&*self.file(place.pack)?)
    }

    /// Forgets a pack that is gone.
    pub(super) fn drop_pack(&mut self, pack: u32) {
        self.is_changed |= self.packs.remove(&pack).is_some();
        self.files.remove(&pack);
        self.sound.remove(&pack);
    }

    /// Whether the table on disk says all that is known here.
    pub(super) fn is_written(&self) -> bool {
        !self.is_changed
    }

    pub(super) fn read_again(&mut self) {
        *self = Self::read(&self.root);
    }

    pub(super) fn replace_table(&self, records: &Records) -> Result<()> {
        let bytes = Table::encode(&self.packs, records);
        let temporary = temporary_in(&self.root.join("tmp"))?;
        replace(&self.root.join("table"), &temporary, &bytes)
    }

    /// Brings the table up to date. Nothing new: nothing is written.
    pub(super) fn write_table(&mut self) -> Result<()> {
        // What cannot be written was told to whoever put it, and is in no table.
        let _ = self.flush();
        if !self.is_changed {
            return Ok(());
        }
        self.replace_table(&self.records())?;
        self.is_changed = false;
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
pub(super) enum Lock {
    Ours,
    /// Somebody else writes to it, or has removed it.
    Theirs,
    /// Nothing can be locked on this file system: nobody goes on with what another has begun.
    Impossible,
}

/// Locks a pack until it is closed.
pub(super) fn lock(pack: &File) -> Lock {
    match flock(pack, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) if pack.metadata().is_ok_and(|found| found.nlink() > 0) => Lock::Ours,
        Ok(()) | Err(rustix::io::Errno::WOULDBLOCK) => Lock::Theirs,
        Err(_) => Lock::Impossible,
    }
}

/// The numbers of the packs in a folder, in order. Other names are no packs.
pub(super) fn numbers_in(folder: &Path) -> Vec<u32> {
    let mut numbers: Vec<u32> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number: u32 = name.parse().ok()?;
            (number.to_string() == name).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    numbers
}
