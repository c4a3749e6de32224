//! A survey held against the disk: which folders and files are not as they were.

use std::ffi::CStr;
use std::path::Path;

use rayon::prelude::*;

use super::{FolderRow, Role, Survey};
use crate::tree::identity::Identity;
use crate::tree::os::{Folder, is_link_to_folder, keeps_folder_times, path_of};

/// Folders that one thread takes at a time.
const BATCH: usize = 64;
/// A survey of fewer folders than this is not worth several threads.
const FEW_FOLDERS: usize = 512;

/// Where the disk is not, or may not be, as a survey says.
#[derive(Debug, Default)]
pub struct Changes {
    /// In the order of the survey's folders.
    pub folders: Vec<(u32, FolderChange)>,
    /// Folder, file, and what the file is now: it may have other contents, or none is known.
    pub files: Vec<(u32, u32, Identity)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderChange {
    /// It has to be listed again.
    Entries,
    /// It was not there. Whether it is there now is seen when its own folder is listed again.
    Missing,
    /// Its ignore file is another one: nothing that is known of what lies below it counts.
    IgnoreFile,
}

/// Whether surveys of a project mean anything: its file system keeps the times of folders.
pub fn is_surveyable(root: &Path) -> bool {
    Folder::open_root(root).is_ok_and(|folder| keeps_folder_times(&folder))
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.folders.extend(other.folders);
        self.files.extend(other.files);
    }
}

impl Survey {
    /// Looks at every folder and file by name. None if the project's folder cannot be opened, or the
    /// survey makes no sense.
    pub fn check(&self, root: &Path) -> Option<Changes> {
        let opened = Folder::open_root(root).ok()?;
        let checker = Checker {
            survey: self,
            root,
            opened: &opened,
            device: self.folder(0)?.identity.device,
        };
        let batches = self.folders.div_ceil(BATCH);
        let check = |batch: usize| {
            let mut changes = Changes::default();
            let mut path = Vec::with_capacity(256);
            for number in batch * BATCH..((batch + 1) * BATCH).min(self.folders) {
                checker.folder(number, &mut path, &mut changes)?;
            }
            Some(changes)
        };
        let found: Vec<Changes> = if self.folders < FEW_FOLDERS {
            (0..batches).map(check).collect::<Option<_>>()?
        } else {
            (0..batches)
                .into_par_iter()
                .map(check)
                .collect::<Option<_>>()?
        };
        let mut changes = Changes::default();
        for some in found {
            changes.extend(some);
        }
        Some(changes)
    }
}

struct Checker<'a> {
    survey: &'a Survey,
    root: &'a Path,
    opened: &'a Folder,
    /// Of the project's folder. What is mounted below it may be of another kind.
    device: u64,
}

impl Checker<'_> {
    fn folder(&self, number: usize, path: &mut Vec<u8>, changes: &mut Changes) -> Option<()> {
        let folder = self.survey.folder(number)?;
        let row = u32::try_from(number).ok()?;
        let now = self.identity_of(folder.path, path);
        let is_same = folder.is_clean
            && folder.identity.device == self.device
            && now == Some(folder.identity);
        if !is_same {
            let change = match now {
                Some(_) => FolderChange::Entries,
                None => FolderChange::Missing,
            };
            changes.folders.push((row, change));
            // Whether the ignore file is another one is known once the folder is listed.
            return Some(());
        }
        let mut others = Vec::new();
        for at in folder.first..folder.first + folder.count {
            match self.file(&folder, at, path)? {
                FileState::Same => {}
                FileState::Other(identity) => {
                    others.push((row, u32::try_from(at).ok()?, identity));
                }
                FileState::Gone => {
                    changes.folders.push((row, FolderChange::Entries));
                    return Some(());
                }
                FileState::OtherRules => {
                    changes.folders.push((row, FolderChange::IgnoreFile));
                    return Some(());
                }
            }
        }
        changes.files.extend(others);
        Some(())
    }

    fn file(&self, folder: &FolderRow<'_>, at: usize, path: &mut Vec<u8>) -> Option<FileState> {
        let file = self.survey.file(at, folder.identity.device)?;
        path.clear();
        if !folder.path.is_empty() {
            path.extend_from_slice(folder.path);
            path.push(b'/');
        }
        path.extend_from_slice(file.name);
        if file.role == Role::Watched {
            let leads = is_link_to_folder(&path_of(self.root, path));
            return Some(if leads == file.leads_to_folder {
                FileState::Same
            } else {
                FileState::Gone
            });
        }
        path.push(0);
        let now = self.look(path);
        let is_same = now == Some(file.identity) && file.is_clean;
        Some(match (file.role, now) {
            (Role::IgnoreFile, _) if !is_same => FileState::OtherRules,
            // Whoever needs a digest that is not known reads the file.
            _ if is_same => FileState::Same,
            (_, Some(identity)) if identity.kind == file.identity.kind => {
                FileState::Other(identity)
            }
            // Another kind of thing, or nothing: the listing will tell.
            _ => FileState::Gone,
        })
    }

    fn identity_of(&self, folder: &[u8], path: &mut Vec<u8>) -> Option<Identity> {
        if folder.is_empty() {
            return self.opened.own_identity().ok();
        }
        path.clear();
        path.extend_from_slice(folder);
        path.push(0);
        self.look(path)
    }

    /// What a path with a zero byte at its end stands for, links not followed. None too if nobody can say.
    fn look(&self, path: &[u8]) -> Option<Identity> {
        let path = CStr::from_bytes_with_nul(path).ok()?;
        self.opened.identity_at(path).ok().flatten()
    }
}

enum FileState {
    Same,
    Other(Identity),
    Gone,
    OtherRules,
}
