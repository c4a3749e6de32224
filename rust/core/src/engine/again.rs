//! Looking again at what the first look saw: whether a task's inputs are as they were.
//!
//! While a run goes on, most tasks have to be looked at twice, before their steps and after them, and most
//! of the time nothing about their inputs has changed. A folder that is what it was has the entries that
//! it had, and a file that is what it was has its contents: no patterns, no listing. Wherever anything is
//! otherwise, or could be, the answer is no, and whoever asked looks anew.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::Engine;
use super::look::{Look, TaskSets};
use crate::glob::{SetId, State};
use crate::tree::{FolderFound, Identity, is_never, path_of};

const IGNORE_FILE: &[u8] = b".gitignore";

/// The first look of a run, with the sets of its tasks.
pub(super) struct First {
    pub(super) look: Arc<Look>,
    sets: HashMap<String, TaskSets>,
    /// For each set the folders in which something could belong to it.
    reach: OnceLock<Vec<Vec<u32>>>,
}

impl First {
    pub(super) fn of<'a>(
        look: &Arc<Look>,
        sets: impl IntoIterator<Item = (&'a str, TaskSets)>,
    ) -> Self {
        let sets = sets.into_iter().map(|(id, sets)| (id.to_owned(), sets));
        Self {
            look: Arc::clone(look),
            sets: sets.collect(),
            reach: OnceLock::new(),
        }
    }

    pub(super) fn sets_of(&self, id: &str) -> Option<TaskSets> {
        self.sets.get(id).copied()
    }

    fn reach(&self) -> &[Vec<u32>] {
        self.reach.get_or_init(|| {
            let look = &self.look;
            let sets_of = |folder: &FolderFound| {
                let automaton = look.automaton();
                automaton.reaching(&state_of(look, &folder.path), false)
            };
            let of_folders: Vec<_> = look.walk().folders.par_iter().map(sets_of).collect();
            let mut reach = vec![Vec::new(); look.set_count()];
            for (number, sets) in (0..).zip(of_folders) {
                for set in sets {
                    reach[set as usize].push(number);
                }
            }
            reach
        })
    }
}

fn state_of(look: &Look, path: &[u8]) -> Arc<State> {
    if path.is_empty() {
        look.automaton().start()
    } else {
        look.automaton().state_of(path)
    }
}

impl Engine {
    /// Makes ready to look again. Takes a moment in a large project, and nobody has to wait for it.
    pub fn prepare_to_look_again(&self) {
        if let Some(first) = self.first() {
            first.reach();
        }
    }

    /// Keeps the first look for later, where times of folders can be trusted.
    pub(super) fn remember_first<'a>(
        &self,
        look: &Arc<Look>,
        sets: impl Iterator<Item = (&'a str, TaskSets)>,
    ) {
        let memory = &mut self.lock().memory;
        memory.first = memory
            .basis
            .is_some()
            .then(|| Arc::new(First::of(look, sets)));
    }

    /// The first look, if a task's inputs are exactly what they were then.
    pub(super) fn as_first_seen(&self, id: &str) -> Option<(Arc<Look>, TaskSets)> {
        let first = self.first()?;
        let sets = *first.sets.get(id)?;
        self.is_unchanged(&first, sets.inputs)
            .then(|| (Arc::clone(&first.look), sets))
    }

    fn first(&self) -> Option<Arc<First>> {
        self.lock().memory.first.clone()
    }

    fn is_unchanged(&self, first: &First, set: SetId) -> bool {
        let look = &first.look;
        if !look.is_steady_set(set) {
            return false;
        }
        let folders = first.reach().get(set as usize).into_iter().flatten();
        let mut folders = folders.map(|number| &look.walk().folders[*number as usize]);
        folders.all(|folder| self.has_same_entries(look, folder, set))
            && look.members(set).iter().all(|place| {
                let (folder, file) = look.at(*place);
                let known = look.known(*place).map(|known| known.identity);
                let known = known.filter(|_| look.is_settled(*place));
                known.is_some_and(|known| self.is_same(look, &folder.path_of(&file.name), &known))
            })
    }

    /// Whether what is there is what was seen, and no write since could have left it looking like that.
    fn is_same(&self, look: &Look, path: &[u8], seen: &Identity) -> bool {
        let is_trusted = look.stamp.get().is_none_or(|stamp| stamp.is_clean(seen));
        is_trusted && self.identity(path).is_some_and(|now| now == *seen)
    }

    fn identity(&self, path: &[u8]) -> Option<Identity> {
        let found = fs::symlink_metadata(path_of(&self.root, path)).ok()?;
        Some(Identity::from(&found))
    }

    /// Whether nothing came to a folder, or left it, that could belong to the set.
    fn has_same_entries(&self, look: &Look, folder: &FolderFound, set: SetId) -> bool {
        if !folder.links.is_empty() {
            // What a link leads to may change without it.
            return false;
        }
        if let Some(ignore_file) = &folder.ignore_file
            && (look
                .stamp
                .get()
                .is_some_and(|stamp| !ignore_file.is_settled(*stamp))
                || !self.is_same(look, &folder.path_of(IGNORE_FILE), &ignore_file.identity))
        {
            return false;
        }
        self.is_same(look, &folder.path, &folder.identity)
            || self.has_same_listing(look, folder, set)
    }

    /// The same, by the names of what is in it now.
    fn has_same_listing(&self, look: &Look, folder: &FolderFound, set: SetId) -> bool {
        let Ok(listed) = fs::read_dir(path_of(&self.root, &folder.path)) else {
            return false;
        };
        let is_still_a_folder = self.identity(&folder.path).map(|now| now.kind);
        if is_still_a_folder != Some(folder.identity.kind) || !folder.is_listed {
            return false;
        }
        let automaton = look.automaton();
        let state = state_of(look, &folder.path);
        for entry in listed {
            let Ok((entry, kind)) = entry.and_then(|entry| {
                let kind = entry.file_type()?;
                Ok((entry, kind))
            }) else {
                return false;
            };
            let name = entry.file_name();
            let name = name.as_bytes();
            if is_never(name) {
                continue;
            }
            if name == IGNORE_FILE && folder.ignore_file.is_none() {
                return false;
            }
            let below = automaton.step(&state, name);
            let is_known = |names: &[Box<[u8]>]| names.iter().any(|known| **known == *name);
            let is_as_it_was = if kind.is_dir() {
                is_known(&folder.subfolders) || !automaton.reaching(&below, false).contains(&set)
            } else {
                let is_file = folder.files.iter().any(|file| *file.name == *name);
                let could_lead_on = kind.is_symlink() && below.can_enter;
                let is_selected = automaton.selecting(&below, None).contains(&set);
                is_file || is_known(&folder.others) || !(is_selected || could_lead_on)
            };
            if !is_as_it_was {
                return false;
            }
        }
        true
    }
}
