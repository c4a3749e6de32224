//! Keeping of the packs only what is worth it, in as few bytes as it needs.

use std::collections::BTreeMap;
use std::fs::{self, File};

use super::contents::{Contents, Lock, lock, numbers_in};
use super::pack::{self, Kind, Place};
use super::remove_tree;
use super::table::Records;
use crate::digest::Digest;
use crate::error::Result;
use crate::tree::open_file;

type Record = ((Kind, Digest), Place);

/// A pack that is to go, closed to others until it is gone.
struct Old {
    pack: u32,
    lock: Option<File>,
    records: Vec<Record>,
}

impl Contents {
    /// Keeps only these records.
    ///
    /// First the new packs are written, then the table, then the old packs go: at any moment all that is
    /// kept is found. A pack to which somebody appends right now stays as it is.
    pub(super) fn keep_only(&mut self, live: Records) -> Result<()> {
        self.close()?;
        let mut moved = Vec::new();
        let mut kept = Records::new();
        let mut going = Vec::new();
        let count = live.len();
        for old in self.packs_by_worth(live, &mut kept) {
            // Nothing is in it: it may go at once, and makes room for what follows.
            if old.records.is_empty() {
                remove_tree(&self.path_of(old.pack))?;
                self.drop_pack(old.pack);
            } else {
                moved.extend(old.records);
                going.push((old.pack, old.lock));
            }
        }
        // In the order in which they lie, so that what belongs together stays together.
        moved.sort_unstable_by_key(|(_, place)| (place.pack, place.offset));
        if !moved.is_empty() {
            self.begin_anew()?;
        }
        for ((kind, key), place) in &moved {
            // What cannot be read is lost already.
            if let Ok(bytes) = self.read_place(place) {
                self.add(*kind, *key, &bytes)?;
            }
        }
        self.close()?;
        for (id, old) in moved {
            kept.extend(
                self.place(id.0, id.1)
                    .filter(|now| *now != old)
                    .map(|now| (id, now)),
            );
        }
        // The old packs are known until they are gone: what of them is not kept must not be found again.
        if !going.is_empty() {
            self.replace_table(&kept)?;
        }
        for (pack, _lock) in going {
            remove_tree(&self.path_of(pack))?;
            self.drop_pack(pack);
        }
        if self.records().len() != count || !self.is_written() {
            // Without it the next to read the store has more to do, and finds the same.
            let _ = self.replace_table(&kept);
        }
        self.read_again();
        Ok(())
    }

    /// The packs that hold something else than these records. Those that hold nothing else stay, with
    /// theirs in `kept`.
    fn packs_by_worth(&self, live: Records, kept: &mut Records) -> Vec<Old> {
        let mut by_pack: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
        for (id, place) in live {
            by_pack.entry(place.pack).or_default().push((id, place));
        }
        let mut old = Vec::new();
        for pack in numbers_in(&self.folder()) {
            let records = by_pack.remove(&pack).unwrap_or_default();
            let sizes = records
                .iter()
                .map(|(_, place)| pack::HEADER + u64::from(place.length));
            let needed = sizes.fold(pack::MAGIC.len() as u64, u64::saturating_add);
            let path = self.path_of(pack);
            let length = fs::symlink_metadata(&path).map_or(0, |found| found.len());
            let file = open_file(&path).ok();
            let is_needed = !records.is_empty() && length == needed;
            if is_needed || file.as_ref().is_some_and(|file| lock(file) == Lock::Theirs) {
                kept.extend(records);
            } else {
                old.push(Old {
                    pack,
                    lock: file,
                    records,
                });
            }
        }
        old
    }
}
