//! Looking again at what the first look saw: whether a task's inputs are as they were.
//!
//! While a run goes on, most tasks have to be looked at twice, before their steps and after them, and most
//! of the time nothing about their inputs has changed. A folder that is what it was has the entries that
//! it had, and a file that is what it was has its contents: no patterns, no listing. Wherever anything is
//! otherwise, or could be, the answer is no, and whoever asked looks anew.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::Engine;
use super::assess::needs;
use super::look::{Look, Place, TaskSets};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::{SetId, State};
use crate::store::Store;
use crate::tree::{Folder, FolderFound, Identity, Name, is_never, path_of};

const IGNORE_FILE: &[u8] = b".gitignore";
/// As many files are worth holding their folder open.
const FEW_FILES: usize = 3;

/// The first look of a run, with the sets of its tasks.
pub(super) struct First {
    pub(super) look: Arc<Look>,
    sets: HashMap<String, TaskSets>,
    /// For each set the folders in which something could belong to it.
    reach: OnceLock<Vec<Vec<u32>>>,
    /// The project's folder, held open.
    root: OnceLock<Option<Folder>>,
    /// Under which digest a store has the manifest of a set's inputs: tasks often share a set.
    manifests: Mutex<HashMap<SetId, Digest>>,
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
            root: OnceLock::new(),
            manifests: Mutex::default(),
        }
    }

    pub(super) fn sets_of(&self, id: &str) -> Option<TaskSets> {
        self.sets.get(id).copied()
    }

    fn root(&self, path: &Path) -> Option<&Folder> {
        let reach = || {
            Folder::reach(path)
                .or_else(|_| Folder::open_root(path))
                .ok()
        };
        self.root.get_or_init(reach).as_ref()
    }

    /// The manifest of a set's inputs as it was then, stored. Gives its digest.
    pub(super) fn store_inputs(&self, root: &Path, set: SetId, store: &Store) -> Result<Digest> {
        let lock = || {
            self.manifests
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = lock().get(&set).copied();
        if let Some(known) = known.filter(|known| store.blob_size(*known).is_some()) {
            return Ok(known);
        }
        let (digest, _) = store.put(&self.look.inputs(root, set)?.encode())?;
        lock().insert(set, digest);
        Ok(digest)
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
        let mut inner = self.lock();
        inner.order.forget_looks();
        let memory = &mut inner.memory;
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

    /// The same for a task that is about to run: looked at now, or when the tasks that it needs were over.
    pub(super) fn as_first_seen_before(&self, id: &str) -> Result<Option<(Arc<Look>, TaskSets)>> {
        let task = self.pipeline.task(id)?;
        let Some(first) = self.first() else {
            return Ok(None);
        };
        let Some(sets) = first.sets_of(id) else {
            return Ok(None);
        };
        let is_known = self
            .lock()
            .order
            .is_as_first_after(sets.inputs, needs(task));
        if is_known {
            return Ok(Some((Arc::clone(&first.look), sets)));
        }
        Ok(self.as_first_seen(id))
    }

    pub(super) fn first(&self) -> Option<Arc<First>> {
        self.lock().memory.first.clone()
    }

    fn is_unchanged(&self, first: &First, set: SetId) -> bool {
        let look = &first.look;
        let Some(root) = first.root(&self.root).filter(|_| look.is_steady_set(set)) else {
            return false;
        };
        let again = Again {
            engine: self,
            look,
            root,
            unsettled: look.unsettled(),
            set,
        };
        let in_one_folder = |a: &Place, b: &Place| a.0 == b.0;
        let mut selected = look.members(set).chunk_by(in_one_folder).peekable();
        let mut reached = first.reach().get(set as usize).into_iter().flatten();
        // Both are in the order of the walk, and the second has every folder of the first.
        let are_unchanged = reached.all(|number| {
            let files = selected.next_if(|files| files[0].0 == *number);
            again.is_folder_unchanged(*number, files.unwrap_or_default())
        });
        are_unchanged && selected.peek().is_none()
    }

    pub(super) fn identity(&self, path: &[u8]) -> Option<Identity> {
        let found = fs::symlink_metadata(path_of(&self.root, path)).ok()?;
        Some(Identity::from(&found))
    }
}

/// One look at what the first look saw of a set.
struct Again<'a> {
    engine: &'a Engine,
    look: &'a Look,
    root: &'a Folder,
    unsettled: BTreeSet<Place>,
    set: SetId,
}

impl Again<'_> {
    /// Whether nothing came to a folder of the walk, or left it, that could belong to the set, and these
    /// files in it are what they were.
    fn is_folder_unchanged(&self, number: u32, files: &[Place]) -> bool {
        let folder = &self.look.walk().folders[number as usize];
        if files.len() < FEW_FILES && folder.ignore_file.is_none() {
            let own = self.root.identity(or_itself(&folder.path));
            return self.has_same_entries(folder, own.ok().flatten().as_ref(), None)
                && files.iter().all(|place| {
                    let path = folder.path_of(&self.look.at(*place).1.name);
                    self.is_file_unchanged(*place, self.root, &path)
                });
        }
        // A way through all folders from the top for each file takes twice as long as the look.
        let Ok(held) = self.root.reach_below(or_itself(&folder.path)) else {
            return false;
        };
        self.has_same_entries(folder, held.own_identity().ok().as_ref(), Some(&held))
            && files.iter().all(|place| {
                let name = &self.look.at(*place).1.name;
                self.is_file_unchanged(*place, &held, name)
            })
    }

    fn is_file_unchanged(&self, place: Place, held: &Folder, path: &[u8]) -> bool {
        let known = self
            .look
            .known(place)
            .filter(|_| !self.unsettled.contains(&place));
        known.is_some_and(|known| {
            let now = held.identity(path).ok().flatten();
            self.is_same(now.as_ref(), &known.identity)
        })
    }

    /// Whether what is there is what was seen, and no write since could have left it looking like that.
    fn is_same(&self, now: Option<&Identity>, seen: &Identity) -> bool {
        let stamp = self.look.stamp.get();
        now == Some(seen) && stamp.is_none_or(|stamp| stamp.is_clean(seen))
    }

    /// `now` is what the folder itself is, `held` the folder if it has an ignore file.
    fn has_same_entries(
        &self,
        folder: &FolderFound,
        now: Option<&Identity>,
        held: Option<&Folder>,
    ) -> bool {
        if !folder.links.is_empty() {
            // What a link leads to may change without it.
            return false;
        }
        if let Some(ignore_file) = &folder.ignore_file {
            let stamp = self.look.stamp.get();
            let found = held.and_then(|held| held.identity(IGNORE_FILE).ok().flatten());
            if stamp.is_some_and(|stamp| !ignore_file.is_settled(*stamp))
                || !self.is_same(found.as_ref(), &ignore_file.identity)
            {
                return false;
            }
        }
        self.is_same(now, &folder.identity)
            || self.engine.has_same_listing(self.look, folder, self.set)
    }
}

/// A path for a call that takes no empty one.
fn or_itself(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"." } else { path }
}

impl Engine {
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
            let is_known = |names: &[Name]| names.iter().any(|known| **known == *name);
            let is_as_it_was = if kind.is_dir() {
                is_known(&folder.subfolders) || !automaton.reaching(&below, false).contains(&set)
            } else {
                let is_file = folder.files.iter().any(|file| *file.name == *name);
                let could_lead_on = kind.is_symlink() && below.can_enter;
                let is_selected = automaton.selecting(&below, None).contains(&set);
                let is_other = is_known(&folder.others) && !could_lead_on;
                is_file || is_other || !(is_selected || could_lead_on)
            };
            if !is_as_it_was {
                return false;
            }
        }
        true
    }
}
