//! The survey after a restore: what a run put back need not be looked for by the next one.
//!
//! A restore knows each file that it made, and the folders in which something came or went are listed once
//! more. All else is as the look before it says. That is enough for the next run, if the file system gives
//! everything that happens after these looks another time: elsewhere the next run looks for itself.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::Engine;
use super::look::{Look, entry, folder_entry};
use super::memory::Memory;
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;
use crate::tree::{
    Entry, FolderFound, Found, Fresh, Index, Kind, Known, Manifest, Now, Project, Relisted, Seen,
    Stamp, SumOf, Summed, path_of, read_link, relist,
};

/// A task's outputs as they were put back.
pub(super) struct PutBack {
    pub(super) task: String,
    /// The paths at which something came, went or changed.
    pub(super) changed: Vec<Box<[u8]>>,
}

/// What a look would find after a restore.
pub(super) struct After<'a> {
    look: &'a Look,
    relisted: Relisted,
    unsettled: BTreeSet<(u32, u32)>,
    sums: Vec<Summed>,
}

impl Engine {
    /// What there is now, after these restores and nothing else. None if that cannot be said for sure.
    pub(super) fn after_restores<'a>(
        &self,
        memory: &Memory,
        look: &'a Look,
        restores: &[PutBack],
    ) -> Result<Option<After<'a>>> {
        let Some(device) = self.finest_device() else {
            return Ok(None);
        };
        let Some(first) = memory.first.as_ref().filter(|_| look.is_steady()) else {
            return Ok(None);
        };
        // The digests of the outputs of each set, as they should be.
        let mut wanted: HashMap<SetId, Digest> = HashMap::with_capacity(restores.len());
        for put_back in restores {
            let success = memory.successes.of(&put_back.task);
            let exact = success.and_then(|success| Digest::from_hex(&success.exact));
            let sets = first.sets_of(&put_back.task);
            match (sets, exact) {
                (Some(sets), Some(exact)) => {
                    wanted.extend(sets.outputs.map(|set| (set, exact)));
                }
                _ => return Ok(None),
            }
        }
        let top = self.top()?;
        let project = Project {
            root: &self.root,
            top: &top,
            automaton: look.automaton(),
            index: &Index::empty(),
            is_relaxed: false,
            ahead: None,
            counters: &self.walked,
        };
        let changed = restores.iter().flat_map(|put_back| &put_back.changed);
        let Some(relisted) = relist(project, look.walk(), changed.map(|path| &**path))? else {
            return Ok(None);
        };
        let check = Check {
            engine: self,
            look,
            fresh: &memory.fresh,
            wanted: &wanted,
            device,
            unsettled: look.unsettled(),
        };
        Ok(check.after(relisted))
    }

    /// The device of the state folder, if nothing that is looked at can change there unseen.
    pub(super) fn finest_device(&self) -> Option<u64> {
        let probe = || Stamp::finest_on(&self.request.state);
        *self.finest.get_or_init(probe)
    }
}

impl After<'_> {
    /// The folders, to be written down.
    pub(super) fn seen(&self) -> Vec<Seen<'_>> {
        let folders = self.relisted.folders.iter();
        let seen = folders.map(|now| match now {
            Now::Before(row) => Seen {
                found: &self.look.walk().folders[*row as usize],
                is_certain: false,
            },
            Now::Listed(found, _) => Seen {
                found,
                is_certain: true,
            },
        });
        seen.collect()
    }

    /// What is known of the file at a place.
    pub(super) fn known(&self, (folder, file): (u32, u32)) -> Option<Known> {
        match &self.relisted.folders[folder as usize] {
            Now::Before(row) => self.look.known((*row, file)),
            Now::Listed(found, _) => known(&found.files[file as usize]),
        }
    }

    /// From before the look that it went on from.
    pub(super) fn stamp(&self) -> Stamp {
        self.look.moment()
    }

    pub(super) fn unsettled(&self) -> &BTreeSet<(u32, u32)> {
        &self.unsettled
    }

    pub(super) fn sums(&self) -> &[Summed] {
        &self.sums
    }
}

fn known(file: &Found) -> Option<Known> {
    Some(Known {
        identity: file.identity,
        digest: (*file.digest.get()?)?,
    })
}

struct Check<'a, 'b> {
    engine: &'b Engine,
    look: &'a Look,
    fresh: &'b Fresh,
    wanted: &'b HashMap<SetId, Digest>,
    device: u64,
    unsettled: BTreeSet<(u32, u32)>,
}

impl<'a> Check<'a, '_> {
    /// None unless all that was wanted is there, and nothing else is another than it was.
    fn after(&self, relisted: Relisted) -> Option<After<'a>> {
        for row in &relisted.gone {
            let gone = self.before(*row);
            let mut sets = gone.files.iter().flat_map(|file| file.sets.iter());
            if !sets.all(|set| self.is_wanted(*set)) || !self.are_wanted(&gone.owners) {
                return None;
            }
        }
        let mut unsettled = BTreeSet::new();
        for (number, now) in (0..).zip(&relisted.folders) {
            match now {
                Now::Before(row) => {
                    let of_row = self.unsettled.range((*row, 0)..=(*row, u32::MAX));
                    unsettled.extend(of_row.map(|(_, file)| (number, *file)));
                }
                Now::Listed(found, row) => {
                    unsettled.extend(self.unsettled_of(found, *row)?.map(|file| (number, file)));
                }
            }
        }
        let sums = self.sums(&relisted)?;
        Some(After {
            look: self.look,
            relisted,
            unsettled,
            sums,
        })
    }

    fn before(&self, row: u32) -> &'a FolderFound {
        &self.look.walk().folders[row as usize]
    }

    fn is_wanted(&self, set: SetId) -> bool {
        self.wanted.contains_key(&set)
    }

    fn are_wanted(&self, sets: &[SetId]) -> bool {
        sets.iter().all(|set| self.is_wanted(*set))
    }

    /// The files of a folder that may have other contents by now under the same identity. None if something
    /// changed in it that nobody restored.
    fn unsettled_of(
        &self,
        found: &FolderFound,
        row: Option<u32>,
    ) -> Option<impl Iterator<Item = u32>> {
        let before = row.map(|row| (row, self.before(row)));
        let is_ours = found.identity.device == self.device
            && match before {
                Some((_, before)) => found.owners == before.owners,
                None => self.are_wanted(&found.owners),
            };
        if !is_ours {
            return None;
        }
        let mut unsettled = Vec::new();
        let mut kept = 0;
        for (at, file) in (0..).zip(&found.files) {
            let as_before = before.and_then(|(row, before)| {
                let at = before
                    .files
                    .binary_search_by(|old| (*old.name).cmp(&file.name));
                Some((row, u32::try_from(at.ok()?).ok()?))
            });
            kept += usize::from(as_before.is_some());
            let known = as_before.and_then(|place| Some((place, self.look.known(place)?)));
            let known = known.filter(|(_, known)| known.identity == file.identity);
            if let Some((place, known)) = known {
                let _ = file.digest.set(Some(known.digest));
                let is_clean = self.look.moment().is_clean(&file.identity);
                if !is_clean || self.unsettled.contains(&place) {
                    unsettled.push(at);
                }
            } else if self.are_wanted(&file.sets) {
                let digest = self.digest_of_restored(found, file)?;
                let _ = file.digest.set(Some(digest));
            } else {
                return None;
            }
        }
        let lost = before.filter(|(_, before)| before.files.len() > kept);
        let is_lost = |old: &&Found| {
            let same = found
                .files
                .binary_search_by(|file| (*file.name).cmp(&old.name));
            same.is_err()
        };
        let mut lost = lost
            .iter()
            .flat_map(|(_, before)| before.files.iter().filter(is_lost));
        lost.all(|old| self.are_wanted(&old.sets))
            .then(|| unsettled.into_iter())
    }

    /// What a file holds that is as it was made by a restore.
    fn digest_of_restored(&self, folder: &FolderFound, file: &Found) -> Option<Digest> {
        if file.identity.kind == Kind::Link {
            // A link never changes: what has its identity is it.
            let path = folder.path_of(&file.name);
            let text = read_link(&path_of(&self.engine.root, &path)).ok()?;
            let now = self.engine.identity(&path)?;
            return (now == file.identity).then(|| Digest::of(&text));
        }
        let made = self.fresh.get(&folder.path)?.get(&*file.name)?;
        (made.identity == file.identity).then_some(made.digest)
    }

    /// The sums of all sets, if those of what was restored are what they should be.
    fn sums(&self, relisted: &Relisted) -> Option<Vec<Summed>> {
        let mut entries: HashMap<SetId, Vec<Entry>> = HashMap::with_capacity(self.wanted.len());
        for now in &relisted.folders {
            let (folder, row) = match now {
                Now::Before(row) => (self.before(*row), Some(*row)),
                Now::Listed(found, _) => (&**found, None),
            };
            for (at, file) in (0..).zip(&folder.files) {
                for set in file.sets.iter().filter(|set| self.is_wanted(**set)) {
                    let known = match row {
                        Some(row) => self.look.known((row, at)),
                        None => known(file),
                    };
                    let entry = entry(folder.path_of(&file.name), &known?);
                    entries.entry(*set).or_default().push(entry);
                }
            }
            if folder.is_empty {
                for set in folder.owners.iter().filter(|set| self.is_wanted(**set)) {
                    let of_set = entries.entry(*set).or_default();
                    of_set.push(folder_entry(&folder.path));
                }
            }
        }
        let none = Vec::new;
        let entries: Vec<_> = self
            .wanted
            .iter()
            .map(|(set, exact)| (*set, *exact, entries.remove(set).unwrap_or_else(none)))
            .collect();
        let summed = |(set, exact, entries): (SetId, Digest, Vec<Entry>)| {
            let manifest = Manifest::new(entries);
            (manifest.exact_digest() == exact).then_some(Summed {
                set,
                of: SumOf::Outputs,
                digest: exact,
                count: manifest.entries.len() as u64,
            })
        };
        let restored = entries.into_par_iter().map(summed);
        let restored = restored.collect::<Option<Vec<_>>>()?;
        let others = self.look.summed().into_iter();
        let others = others.filter(|sum| sum.of == SumOf::Inputs || !self.is_wanted(sum.set));
        Some(others.chain(restored).collect())
    }
}
