//! A walk that goes on from a survey: only what changed is listed again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use rayon::prelude::*;

use super::as_surveyed::AsSurveyed;
use super::ignore_files::{IgnoreFile, Ignored};
use super::rules::Rules;
use super::survey::{Changes, FolderChange, Role, Survey};
use super::walk::{FolderFound, Pending, Project, Walk};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;

/// Fewer folders than this are not worth several threads.
const FEW_FOLDERS: usize = 32;

/// What is in a folder, and what is to be visited below it. None: it is not there.
type Listing = Option<(FolderFound, Vec<Pending>)>;

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
    let to_list = changes
        .folders
        .iter()
        .filter(|(_, change)| *change != FolderChange::Missing);
    if to_list.count() > 16 + survey.folder_count() / 2 {
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
        rules: Rules::of(project),
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
    rules: Rules<'a>,
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
        let mut listings = self.listings(changes);
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
                    let listing = listings.remove(&number).transpose()?.flatten();
                    let (fate, paths) = self.take(number, listing, *change);
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

    /// What is in the folders that changed, several of them listed at once. An error counts only if the
    /// folder turns out to be there still.
    fn listings(&mut self, changes: &Changes) -> HashMap<usize, Result<Listing>> {
        let mut pending = Vec::with_capacity(changes.folders.len());
        for (number, _) in &changes.folders {
            // No folder of that number: the survey turns out to hold no walk.
            if let Some(row) = self.survey.folder(*number as usize) {
                pending.push((*number as usize, self.rules.pending(row.path)));
            }
        }
        let project = self.project;
        let visit = |(number, pending): (usize, Result<Pending>)| {
            let listing = pending.and_then(|pending| project.visit(&pending));
            (number, listing)
        };
        if pending.len() < FEW_FOLDERS {
            pending.into_iter().map(visit).collect()
        } else {
            pending.into_par_iter().map(visit).collect()
        }
    }

    /// Takes in a folder that was listed again. Gives the folders in it for which the survey still speaks.
    fn take(
        &mut self,
        number: usize,
        listing: Listing,
        change: FolderChange,
    ) -> (Fate, BTreeSet<Vec<u8>>) {
        let Some((found, below)) = listing else {
            return (Fate::Gone, BTreeSet::new());
        };
        let has_same_rules =
            change != FolderChange::IgnoreFile && self.has_ignore_file(number, found.ignore_file);
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
        (Fate::Listed, known)
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
pub(super) fn in_order_of_a_walk(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
        path.split(|byte| *byte == b'/')
    }
    let depth = |path: &[u8]| match path {
        b"" => 0,
        path => names(path).count(),
    };
    depth(a).cmp(&depth(b)).then_with(|| names(a).cmp(names(b)))
}
