//! A walk that goes on from a survey: only what changed is listed again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::as_surveyed::AsSurveyed;
use super::ignore_files::{IgnoreFile, Ignored};
use super::survey::{Changes, FolderChange, Role, Survey};
use super::walk::{FolderFound, Pending, Project, Walk};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;

/// What became of a survey.
pub struct Resumed {
    pub walk: Walk,
    /// The sets of which something may have changed.
    pub touched: HashSet<SetId>,
}

/// Stands for the ignore files above the project: a survey made under others is of no use.
pub fn rules_above(root: &Path) -> Result<Digest> {
    Ok(Ignored::above(root)?.digest())
}

/// The walk that a survey stands for, with what changed since.
///
/// None if so much changed that a new walk is not more work, or if the survey makes no sense.
pub fn resume(project: Project<'_>, survey: &Survey, changes: &Changes) -> Result<Option<Resumed>> {
    if changes.folders.len() > 16 + survey.folder_count() / 4 {
        return Ok(None);
    }
    let Some(as_surveyed) = AsSurveyed::of(survey, project.automaton.set_count()) else {
        return Ok(None);
    };
    let mut resumption = Resumption {
        project,
        survey,
        as_surveyed,
        touched: HashSet::new(),
        ignored: HashMap::new(),
        rows: None,
        fates: vec![Fate::Gone; survey.folder_count()],
        found: Vec::new(),
        open: Vec::new(),
    };
    let Some(()) = resumption.decide(changes)? else {
        return Ok(None);
    };
    resumption.finish(changes)
}

/// What becomes of a folder of the survey.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its entries are those of the survey.
    Kept,
    /// It was listed again; the folders below are those that were found now.
    Listed,
    /// It is not there any more, or what was known of what lies below it does not count.
    Gone,
}

struct Resumption<'a> {
    project: Project<'a>,
    survey: &'a Survey,
    as_surveyed: AsSurveyed<'a>,
    touched: HashSet<SetId>,
    /// The rules that hold in a folder, by its path.
    ignored: HashMap<Vec<u8>, Ignored>,
    /// The survey's folders by path: made once a folder has to be listed.
    rows: Option<HashMap<&'a [u8], usize>>,
    fates: Vec<Fate>,
    found: Vec<FolderFound>,
    /// Folders that the survey knows nothing of.
    open: Vec<Pending>,
}

impl<'a> Resumption<'a> {
    /// Goes through the folders from the top down. None if the survey turns out to hold no walk.
    fn decide(&mut self, changes: &Changes) -> Result<Option<()>> {
        let to_list: HashMap<usize, FolderChange> = changes
            .folders
            .iter()
            .map(|(number, change)| (*number as usize, *change))
            .collect();
        // Of folders that were listed again: what is still to be entered in them.
        let mut entered: HashMap<usize, BTreeSet<Vec<u8>>> = HashMap::new();
        for number in 0..self.survey.folder_count() {
            let Some(row) = self.survey.folder(number) else {
                return Ok(None);
            };
            let is_below = match row.parent {
                None => true,
                Some(parent) => match self.fates[parent] {
                    Fate::Kept => true,
                    Fate::Listed => entered
                        .get(&parent)
                        .is_some_and(|paths| paths.contains(row.path)),
                    Fate::Gone => false,
                },
            };
            let fate = match to_list.get(&number) {
                _ if !is_below => Fate::Gone,
                None => Fate::Kept,
                Some(change) => {
                    let (fate, paths) = self.list(number, row.path, *change)?;
                    entered.insert(number, paths);
                    fate
                }
            };
            if fate != Fate::Kept {
                self.touch_row(number);
            }
            self.fates[number] = fate;
        }
        Ok(Some(()))
    }

    /// Lists a folder again. Gives the folders in it for which the survey still speaks.
    fn list(
        &mut self,
        number: usize,
        path: &[u8],
        change: FolderChange,
    ) -> Result<(Fate, BTreeSet<Vec<u8>>)> {
        let pending = self.pending(path)?;
        let Some((found, below)) = self.project.visit(&pending)? else {
            return Ok((Fate::Gone, BTreeSet::new()));
        };
        let has_same_rules =
            change == FolderChange::Entries && self.has_ignore_file(number, found.ignore_file);
        let mut known = BTreeSet::new();
        for pending in below {
            if has_same_rules && self.rows().contains_key(&*pending.path) {
                known.insert(pending.path);
            } else {
                self.open.push(pending);
            }
        }
        self.touch(&found);
        self.found.push(found);
        Ok((Fate::Listed, known))
    }

    /// Whether the ignore file of a folder is the one that the survey knows, unchanged for sure.
    fn has_ignore_file(&self, number: usize, now: Option<IgnoreFile>) -> bool {
        let Some(row) = self.survey.folder(number) else {
            return false;
        };
        let mut files = (row.first..row.first + row.count)
            .filter_map(|at| self.survey.file(at, row.identity.device));
        match files.find(|file| file.role == Role::IgnoreFile) {
            Some(known) => known.is_clean && now.is_some_and(|now| now.identity == known.identity),
            None => now.is_none(),
        }
    }

    fn rows(&mut self) -> &HashMap<&'a [u8], usize> {
        let survey = self.survey;
        self.rows.get_or_insert_with(|| {
            let numbers = 0..survey.folder_count();
            numbers
                .filter_map(|number| Some((survey.folder(number)?.path, number)))
                .collect()
        })
    }

    /// A folder as a walk from the top would come to it.
    fn pending(&mut self, path: &[u8]) -> Result<Pending> {
        let automaton = self.project.automaton;
        if path.is_empty() {
            return Ok(Pending {
                path: Vec::new(),
                depth: 0,
                state: automaton.start(),
                ignored: Ignored::above(self.project.root)?,
                owners: Arc::default(),
            });
        }
        let depth = path.split(|byte| *byte == b'/').count();
        let depth = u16::try_from(depth).unwrap_or(u16::MAX);
        let above = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => &path[..slash],
            None => b"",
        };
        let ignored = self.rules_in(above)?.of_entry(path, depth, true);
        let state = automaton.state_of(path);
        let owners = automaton.selecting_folder(&state, ignored.depth);
        Ok(Pending {
            path: path.to_vec(),
            depth,
            state,
            ignored,
            owners,
        })
    }

    /// The rules for what lies in a folder, its own ignore file included.
    fn rules_in(&mut self, folder: &[u8]) -> Result<Ignored> {
        if let Some(known) = self.ignored.get(folder) {
            return Ok(known.clone());
        }
        let outside = if folder.is_empty() {
            Ignored::above(self.project.root)?
        } else {
            self.pending(folder)?.ignored
        };
        let (rules, _) = outside.with_file_of(self.project.root, folder)?;
        self.ignored.insert(folder.to_vec(), rules.clone());
        Ok(rules)
    }

    fn finish(mut self, changes: &Changes) -> Result<Option<Resumed>> {
        let open = std::mem::take(&mut self.open);
        let new = self.project.descend(open)?;
        for folder in &new {
            self.touch(folder);
        }
        for (folder, file, identity) in &changes.files {
            if self.fates.get(*folder as usize) == Some(&Fate::Kept) {
                self.as_surveyed.changed(*file, *identity);
            }
        }
        let mut folders = Vec::with_capacity(self.survey.folder_count());
        for number in 0..self.survey.folder_count() {
            if self.fates[number] == Fate::Kept {
                let Some(folder) = self.as_surveyed.folder(number) else {
                    return Ok(None);
                };
                folders.push(folder);
            }
        }
        if !self.found.is_empty() || !new.is_empty() {
            folders.append(&mut self.found);
            folders.extend(new);
            folders.sort_by(|a, b| in_order_of_a_walk(&a.path, &b.path));
        }
        let walk = Walk { folders };
        self.touched.extend(self.as_surveyed.touched());
        Ok(Some(Resumed {
            walk,
            touched: self.touched,
        }))
    }

    fn touch(&mut self, folder: &FolderFound) {
        self.touched.extend(folder.owners.iter());
        for file in &folder.files {
            self.touched.extend(file.sets.iter());
        }
    }

    /// What the survey has in a folder may be gone.
    fn touch_row(&mut self, number: usize) {
        let Some(row) = self.survey.folder(number) else {
            return;
        };
        let files = (row.first..row.first + row.count)
            .filter_map(|at| self.survey.file(at, row.identity.device));
        for at in files.map(|file| file.sets).chain([row.owners]) {
            // What is watched is in no set.
            let sets = self.as_surveyed.list(at).unwrap_or_default();
            self.touched.extend(sets.iter());
        }
    }
}

/// Level by level, and in a level folder by folder, each by name.
fn in_order_of_a_walk(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let names = |path: &'_ [u8]| {
        path.split(|byte| *byte == b'/')
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let depth = |path: &[u8]| {
        if path.is_empty() {
            0
        } else {
            names(path).len()
        }
    };
    depth(a)
        .cmp(&depth(b))
        .then_with(|| names(a).cmp(&names(b)))
}
