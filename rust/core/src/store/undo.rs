//! Changes to files that can be taken back: a restore that fails in the middle has changed nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::staging::Staging;
use crate::error::{Error, Result};
use crate::tree::Identity;

/// What was done, in order. `staging` has room for what made room, until everything is done.
pub(super) struct Undo<'a> {
    staging: &'a Staging<'a>,
    done: Vec<Change>,
}

enum Change {
    Put(PathBuf),
    MovedAway {
        place: PathBuf,
        kept: PathBuf,
    },
    PutTree {
        files: Vec<PathBuf>,
        /// The outermost first.
        folders: Vec<PathBuf>,
    },
    Overwrote {
        file: File,
        was: Vec<u8>,
        mode: u32,
    },
    MadeFolder(PathBuf),
    RemovedFolder(PathBuf),
}

impl<'a> Undo<'a> {
    pub(super) fn new(staging: &'a Staging<'a>) -> Self {
        Self {
            staging,
            done: Vec::new(),
        }
    }

    /// Moves a prepared file to its place. What is there makes room; a folder only if it is empty.
    pub(super) fn put(&mut self, staged: &Path, place: &Path) -> Result<()> {
        self.remove(place)?;
        let moved = match fs::rename(staged, place) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy_across(staged, place)
            }
            other => other,
        };
        moved.map_err(Error::at(place))?;
        self.done.push(Change::Put(place.into()));
        Ok(())
    }

    /// Moves a prepared folder to a place where nothing is, with these files and folders in it.
    pub(super) fn put_tree(
        &mut self,
        staged: &Path,
        place: &Path,
        files: Vec<PathBuf>,
        folders: Vec<PathBuf>,
    ) -> Result<()> {
        let moved = match fs::rename(staged, place) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                // What is there already of a copy that fails has to go as well.
                self.done.push(Change::PutTree { files, folders });
                return copy_tree_across(staged, place).map_err(Error::at(place));
            }
            other => other,
        };
        moved.map_err(Error::at(place))?;
        self.done.push(Change::PutTree { files, folders });
        Ok(())
    }

    /// Gives a file new contents where it is, if it still is the one that was `seen` and goes by no other
    /// name. False if not: then nothing was changed.
    pub(super) fn overwrite(
        &mut self,
        place: &Path,
        seen: &Identity,
        bytes: &[u8],
        mode: u32,
    ) -> Result<bool> {
        let Some(mut file) = open_to_overwrite(place) else {
            return Ok(false);
        };
        let found = file.metadata().map_err(Error::at(place))?;
        if Identity::from(&found) != *seen || found.nlink() != 1 {
            return Ok(false);
        }
        let mut was = Vec::new();
        file.read_to_end(&mut was).map_err(Error::at(place))?;
        let written = write_over(&file, bytes, was.len(), (mode != seen.mode).then_some(mode));
        self.done.push(Change::Overwrote {
            file,
            was,
            mode: seen.mode,
        });
        written.map_err(Error::at(place))?;
        Ok(true)
    }

    /// Removes a file, a link or an empty folder. What is not there is removed already.
    pub(super) fn remove(&mut self, place: &Path) -> Result<()> {
        match fs::symlink_metadata(place) {
            Ok(found) if found.is_dir() => self.remove_folder(place).map_err(Error::at(place)),
            Ok(_) => self.move_away(place),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(Error::at(place)(error)),
        }
    }

    pub(super) fn remove_folder(&mut self, place: &Path) -> io::Result<()> {
        fs::remove_dir(place)?;
        self.done.push(Change::RemovedFolder(place.into()));
        Ok(())
    }

    /// Makes a folder and those above it that are missing.
    pub(super) fn make_folders(&mut self, place: &Path) -> Result<()> {
        let missing: Vec<&Path> = place
            .ancestors()
            .take_while(|folder| fs::symlink_metadata(folder).is_err())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(Error::at(folder))?;
            self.done.push(Change::MadeFolder(folder.into()));
        }
        Ok(())
    }

    fn move_away(&mut self, place: &Path) -> Result<()> {
        let kept = self.staging.own()?;
        let kept = kept.join(format!("old-{}", self.done.len()));
        match fs::rename(place, &kept) {
            Ok(()) => {
                let place = place.into();
                self.done.push(Change::MovedAway { place, kept });
                Ok(())
            }
            // A mount of its own has no room to keep it in: gone is gone.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                fs::remove_file(place).map_err(Error::at(place))
            }
            Err(error) => Err(Error::at(place)(error)),
        }
    }

    /// Takes everything back, the last first. What cannot be is left: the first error is the one to tell.
    pub(super) fn take_back(self) {
        for change in self.done.into_iter().rev() {
            let _ = match change {
                Change::Put(place) => fs::remove_file(place),
                Change::MovedAway { place, kept } => fs::rename(kept, place),
                Change::PutTree { files, folders } => {
                    for file in files {
                        let _ = fs::remove_file(file);
                    }
                    folders.into_iter().rev().try_for_each(fs::remove_dir)
                }
                Change::Overwrote { file, was, mode } => {
                    write_over(&file, &was, usize::MAX, Some(mode))
                }
                Change::MadeFolder(place) => fs::remove_dir(place),
                Change::RemovedFolder(place) => fs::create_dir(place),
            };
        }
    }
}

fn open_to_overwrite(path: &Path) -> Option<File> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
        .ok()
        .map(File::from)
}

fn write_over(file: &File, bytes: &[u8], length: usize, mode: Option<u32>) -> io::Result<()> {
    file.write_all_at(bytes, 0)?;
    if bytes.len() < length {
        file.set_len(bytes.len() as u64)?;
    }
    match mode {
        Some(mode) => file.set_permissions(fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

fn copy_tree_across(staged: &Path, place: &Path) -> io::Result<()> {
    fs::create_dir(place)?;
    for found in fs::read_dir(staged)? {
        let found = found?;
        let (from, to) = (found.path(), place.join(found.file_name()));
        if found.file_type()?.is_dir() {
            copy_tree_across(&from, &to)?;
        } else {
            copy_across(&from, &to)?;
        }
    }
    Ok(())
}

/// For an output folder that is a mount of its own: a copy beside the place, then a rename.
fn copy_across(staged: &Path, path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".pipec-new");
    let beside = path.with_file_name(name);
    let copied = if fs::symlink_metadata(staged)?.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(staged)?, &beside)
    } else {
        fs::copy(staged, &beside).map(|_| ())
    };
    copied
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overwrite(folder: &Path, seen: &Identity) -> bool {
        let staging = folder.join("staging");
        let staging = Staging::in_folder(&staging);
        let mut undo = Undo::new(&staging);
        let place = folder.join("file");
        undo.overwrite(&place, seen, b"new", 0o644).unwrap()
    }

    fn seen(path: &Path) -> Identity {
        Identity::from(&fs::symlink_metadata(path).unwrap())
    }

    #[test]
    fn only_the_file_that_was_seen_is_overwritten_and_only_if_it_has_no_other_name() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("file"), folder.path().join("other"));
        let text = || fs::read_to_string(&file).unwrap();
        fs::write(&file, "old").unwrap();
        fs::write(&other, "old").unwrap();
        assert!(!overwrite(folder.path(), &seen(&other)));
        assert_eq!(text(), "old");
        fs::remove_file(&other).unwrap();
        fs::hard_link(&file, &other).unwrap();
        assert!(!overwrite(folder.path(), &seen(&file)));
        assert_eq!(text(), "old");
        fs::remove_file(&other).unwrap();
        assert!(overwrite(folder.path(), &seen(&file)));
        assert_eq!(text(), "new");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("other", &file).unwrap();
        fs::write(&other, "old").unwrap();
        assert!(!overwrite(folder.path(), &seen(&other)));
        assert_eq!(fs::read_to_string(&other).unwrap(), "old");
    }
}
