//! The digests of a look's files: each is read once, if no earlier look has read it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::Engine;
use super::look::{Look, Place, lock};
use super::reading::{Reading, read_once, read_stable};
use crate::digest::Digest;
use crate::glob::SetId;
use crate::tree::{Folder, Kind, Known, path_of, read_link};

/// Fewer files than this are not worth several threads.
const FEW_FILES: usize = 32;

impl Engine {
    /// Finds the digest of everything in these sets that has none yet.
    pub(super) fn digest(&self, look: &Look, wanted: &[SetId]) {
        let mut places: Vec<Place> = wanted
            .iter()
            .flat_map(|set| look.members(*set).iter().copied())
            .filter(|place| look.at(*place).1.digest.get().is_none())
            .collect();
        if places.is_empty() {
            return;
        }
        places.sort_unstable();
        places.dedup();
        let places = self.not_read_earlier(look, places);
        self.before_reading(look);
        let in_one_folder = |a: &Place, b: &Place| a.0 == b.0;
        let read = |places: &[Place]| self.read_digests(look, places);
        let fresh: Vec<Vec<(Place, Known)>> = if places.len() < FEW_FILES {
            places.chunk_by(in_one_folder).map(read).collect()
        } else {
            places.par_chunk_by(in_one_folder).map(read).collect()
        };
        self.remember(look, fresh.into_iter().flatten());
    }

    /// To be called before files of a look are read: whatever is written from now on is later than this.
    pub(super) fn before_reading(&self, look: &Look) {
        look.stamp.get_or_init(|| self.stamp());
    }

    /// What an earlier look of this run found out is as good as the index. Gives what is left to read.
    fn not_read_earlier(&self, look: &Look, places: Vec<Place>) -> Vec<Place> {
        let inner = self.lock();
        let fresh = &inner.memory.fresh;
        let first = inner.memory.looked.as_deref();
        let first = first.filter(|first| !std::ptr::eq(*first, look) && first.has_read_ahead());
        if fresh.is_empty() && first.is_none() {
            return places;
        }
        let is_unknown = |place: &Place| {
            let (folder, file) = look.at(*place);
            let known = fresh
                .get(&folder.path)
                .and_then(|files| files.get(&*file.name).copied());
            let known = known.or_else(|| first?.read_ahead(&folder.path, &file.name));
            match known.filter(|known| known.identity == file.identity) {
                Some(known) => file.digest.set(Some(known.digest)).is_err(),
                None => true,
            }
        };
        places.into_iter().filter(is_unknown).collect()
    }

    /// Reads files and links of one folder. Gives what may be remembered of them.
    fn read_digests(&self, look: &Look, places: &[Place]) -> Vec<(Place, Known)> {
        // A way through all folders from the top for each file costs more than reading it.
        let held = match places {
            [first, _, _, ..] => Folder::reach(&path_of(&self.root, &look.at(*first).0.path)).ok(),
            _ => None,
        };
        let read = |place: &Place| self.read_digest(look, *place, held.as_ref());
        places.iter().filter_map(read).collect()
    }

    fn read_digest(
        &self,
        look: &Look,
        place: Place,
        held: Option<&Folder>,
    ) -> Option<(Place, Known)> {
        let (folder, file) = look.at(place);
        self.hashed.files.fetch_add(1, Ordering::Relaxed);
        self.hashed
            .bytes
            .fetch_add(file.identity.size, Ordering::Relaxed);
        let in_full = || folder.path_of(&file.name);
        let stamp = look.moment();
        let read = match file.identity.kind {
            Kind::Link => read_link(&path_of(&self.root, &in_full())).map(|text| {
                Some(Reading {
                    known: Known {
                        identity: file.identity,
                        digest: Digest::of(&text),
                    },
                    is_settled: true,
                })
            }),
            Kind::File => match held.map(|held| read_once(held, file, stamp)) {
                Some(Ok(Some(reading))) => Ok(Some(reading)),
                // Something happens there: one more time, with all care.
                _ => read_stable(&path_of(&self.root, &in_full()), &file.identity, stamp),
            },
            Kind::Folder | Kind::Special => Ok(None),
        };
        let reading = match read {
            Ok(reading) => reading,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                lock(&look.troubles).push((Arc::clone(&file.sets), in_full(), error));
                return None;
            }
        };
        look.learn(place, reading);
        reading.map(|reading| (place, reading.known))
    }

    /// Keeps what was read, for later looks and for the next run: only what was settled when looked at.
    pub(super) fn remember(&self, look: &Look, read: impl Iterator<Item = (Place, Known)>) {
        let stamp = look.moment();
        let mut inner = self.lock();
        for (place, known) in read {
            let (folder, file) = look.at(place);
            if stamp.is_clean(&known.identity) && look.is_settled(place) {
                let files = inner.memory.fresh.entry(folder.path.clone()).or_default();
                files.insert((*file.name).into(), known);
            }
        }
    }
}
