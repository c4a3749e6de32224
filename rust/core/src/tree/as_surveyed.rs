//! Folders that are as a survey has them, with the files in them that are not.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::identity::Identity;
use super::ignore_files::IgnoreFile;
use super::survey::{Role, Survey, is_name};
use super::walk::{FolderFound, Found};
use crate::glob::SetId;

/// Makes of a survey's folders what a walk would have found.
pub(super) struct AsSurveyed<'a> {
    survey: &'a Survey,
    /// Lists of sets by their place in the survey.
    lists: HashMap<u32, Arc<[SetId]>>,
    /// What files are now, by their number.
    changed: HashMap<u32, Identity>,
    touched: HashSet<SetId>,
}

impl<'a> AsSurveyed<'a> {
    /// Of a plan with so many sets. None if the survey makes no sense.
    pub(super) fn of(survey: &'a Survey, set_count: usize) -> Option<Self> {
        Some(Self::with(survey, survey.lists(set_count)?))
    }

    /// Only of the sets that have a number here, and under these numbers. None if the survey makes no sense.
    pub(super) fn of_sets(survey: &'a Survey, numbers: &HashMap<SetId, SetId>) -> Option<Self> {
        let wanted = |(at, list): (u32, Arc<[SetId]>)| {
            let wanted = list.iter().filter_map(|set| numbers.get(set).copied());
            let mut wanted: Vec<SetId> = wanted.collect();
            wanted.sort_unstable();
            (at, wanted.into())
        };
        let lists = survey.lists(usize::MAX)?.into_iter().map(wanted).collect();
        Some(Self::with(survey, lists))
    }

    fn with(survey: &'a Survey, lists: HashMap<u32, Arc<[SetId]>>) -> Self {
        Self {
            survey,
            lists,
            changed: HashMap::new(),
            touched: HashSet::new(),
        }
    }

    /// A file that is not what it was.
    pub(super) fn changed(&mut self, file: u32, identity: Identity) {
        self.changed.insert(file, identity);
    }

    /// The sets of the folders asked for of which something is not what it was.
    pub(super) fn touched(&self) -> impl Iterator<Item = SetId> {
        self.touched.iter().copied()
    }

    /// A folder as the survey has it. None if the survey makes no sense.
    pub(super) fn folder(&mut self, number: usize) -> Option<FolderFound> {
        let survey = self.survey;
        let row = survey.folder(number)?;
        let mut found = FolderFound {
            path: row.path.into(),
            identity: row.identity,
            ignore_file: None,
            links: Vec::new(),
            files: Vec::with_capacity(row.count),
            is_listed: false,
            others: Vec::new(),
            subfolders: Vec::new(),
            is_empty: row.is_empty,
            owners: self.list(row.owners)?,
        };
        for at in row.first..row.first + row.count {
            let file = survey.file(at, row.identity.device)?;
            if !is_name(file.name) {
                return None;
            }
            match file.role {
                Role::Watched => found.links.push((file.name.into(), file.leads_to_folder)),
                Role::IgnoreFile => {
                    found.ignore_file = Some(IgnoreFile::settled(file.identity));
                }
                Role::Selected => {
                    let sets = self.list(file.sets)?;
                    if sets.is_empty() {
                        continue;
                    }
                    let identity = self.changed.get(&u32::try_from(at).ok()?).copied();
                    let digest = OnceLock::new();
                    if identity.is_some() {
                        self.touched.extend(sets.iter());
                    } else if file.has_digest {
                        let _ = digest.set(Some(survey.digest(at)?));
                    }
                    found.files.push(Found {
                        name: file.name.into(),
                        identity: identity.unwrap_or(file.identity),
                        sets,
                        digest,
                        is_new: false,
                    });
                }
            }
        }
        Some(found)
    }

    /// The sets of a list. None if there is no list at that place.
    pub(super) fn list(&self, at: u32) -> Option<Arc<[SetId]>> {
        self.lists.get(&at).map(Arc::clone)
    }
}
