//! Files that are read while the walk has their folder open, because their digests are wanted anyway.
//!
//! Most files of a project have not been touched for long. Those are read without being looked at before:
//! the look afterwards says that they were last written long before the walk began, so what was read is
//! what this identity stands for. Of any other file nothing is said here, and whoever needs its digest
//! reads it with all care.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::identity::Identity;
use super::index::Known;
use super::os::Folder;
use super::stamp::Stamp;
use crate::digest::hash_unseen;
use crate::glob::SetId;

/// After so many old files in a row the next is expected to be old too.
const ENOUGH: u32 = 16;

/// How many files were read, and how many bytes that was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadSoFar {
    pub files: u64,
    pub bytes: u64,
}

/// What is to be read on the way.
pub struct ReadAhead {
    /// For each set whether the digests of what it selects are wanted.
    wanted: Vec<bool>,
    stamp: Stamp,
    /// The one whose clock the stamp is from.
    device: u64,
    /// How many files in a row were old.
    old: AtomicU32,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl ReadAhead {
    /// `stamp` was taken on `device` before the walk.
    pub fn of(wanted: Vec<bool>, stamp: Stamp, device: u64) -> Self {
        Self {
            wanted,
            stamp,
            device,
            old: AtomicU32::new(0),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    pub fn read_so_far(&self) -> ReadSoFar {
        ReadSoFar {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Counts what was read in a folder. Counting each file would have threads wait for each other.
    pub(super) fn add(&self, read: ReadSoFar) {
        if read.files > 0 {
            self.files.fetch_add(read.files, Ordering::Relaxed);
            self.bytes.fetch_add(read.bytes, Ordering::Relaxed);
        }
    }

    pub(super) fn wants(&self, sets: &[SetId]) -> bool {
        let is_wanted = |set: &SetId| self.wanted.get(*set as usize).copied().unwrap_or(false);
        sets.iter().any(is_wanted)
    }

    /// Whether files are old here. Where they are young, reading one first would be in vain.
    pub(super) fn expects_old_files(&self) -> bool {
        self.old.load(Ordering::Relaxed) >= ENOUGH
    }

    /// Takes note of a file that was looked at.
    pub(super) fn saw(&self, identity: &Identity) {
        if !self.is_old(identity) {
            self.old.store(0, Ordering::Relaxed);
        } else if !self.expects_old_files() {
            self.old.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_old(&self, identity: &Identity) -> bool {
        identity.device == self.device && self.stamp.is_long_after(identity)
    }

    /// Reads a file that has not been touched for long. None for any other, and for what cannot be read.
    pub(super) fn read(&self, folder: &Folder, name: &[u8]) -> Option<Known> {
        let read = folder
            .open_file(name)
            .and_then(|mut file| hash_unseen(&mut file));
        let (digest, identity) = read.ok().flatten()?;
        self.saw(&identity);
        self.is_old(&identity).then_some(Known { identity, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::glob::{Automaton, Pattern, Rule, SetSpec};
    use crate::tree::{Counters, Fresh, Identity, Index, Project, Walk, walk};
    use std::fs::{self, File};
    use std::path::Path;

    fn read(folder: &Path, name: &str, ahead: &ReadAhead) -> Option<Digest> {
        let held = Folder::reach(folder).unwrap();
        ahead.read(&held, name.as_bytes()).map(|known| known.digest)
    }

    #[test]
    fn only_files_that_nobody_has_touched_for_long_are_taken_as_they_were_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        let identity = Identity::of_file(&File::open(&path).unwrap()).unwrap();
        let ahead = |stamp, device| ReadAhead::of(vec![true], stamp, device);
        let old = ahead(Stamp::ALWAYS, identity.device);
        assert_eq!(read(folder.path(), "file", &old), Some(Digest::of(b"text")));
        let young = ahead(Stamp::now(folder.path()).unwrap(), identity.device);
        assert_eq!(read(folder.path(), "file", &young), None);
        let elsewhere = ahead(Stamp::ALWAYS, identity.device + 1);
        assert_eq!(read(folder.path(), "file", &elsewhere), None);
    }

    #[test]
    fn files_of_every_size_are_read_whole_or_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let device = Identity::of_file(&File::open(folder.path()).unwrap())
            .unwrap()
            .device;
        let ahead = ReadAhead::of(vec![true], Stamp::ALWAYS, device);
        for size in [0, 1, 131_071, 131_072, 131_073, 1 << 20] {
            let bytes: Vec<u8> = (0..size).map(|at: u32| at.to_le_bytes()[0]).collect();
            fs::write(folder.path().join("file"), &bytes).unwrap();
            let digest = read(folder.path(), "file", &ahead);
            assert_eq!(digest, Some(Digest::of(&bytes)), "{size}");
        }
        fs::write(folder.path().join("file"), vec![0; (1 << 20) + 1]).unwrap();
        assert_eq!(read(folder.path(), "file", &ahead), None);
        fs::create_dir(folder.path().join("folder")).unwrap();
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        for name in ["folder", "link", "missing"] {
            assert_eq!(read(folder.path(), name, &ahead), None, "{name}");
        }
    }

    #[test]
    fn a_walk_that_reads_on_the_way_finds_what_others_find_and_the_index_knows_it_then() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for number in 0..40 {
            fs::create_dir_all(root.join(format!("src/{number}/deep"))).unwrap();
            for name in ["a.in", "deep/b.in", "deep/c.out", "d"] {
                let path = format!("src/{number}/{name}");
                fs::write(root.join(&path), &path).unwrap();
            }
        }
        std::os::unix::fs::symlink("1/a.in", root.join("src/link.in")).unwrap();
        let set = |glob: &str, is_outputs: bool| SetSpec {
            rules: vec![Rule::Glob {
                pattern: Pattern::parse(glob).unwrap(),
                exclude: false,
            }],
            respects_ignore_files: !is_outputs,
            is_outputs,
        };
        let automaton = Automaton::new(&[set("**/*.in", false), set("**/*.out", true)]);
        let counters = Counters::default();
        let look = |index: &Index, ahead: Option<&ReadAhead>| {
            walk(Project {
                root,
                top: &Folder::reach_root(root).unwrap(),
                automaton: &automaton,
                index,
                is_relaxed: false,
                ahead,
                counters: &counters,
            })
            .unwrap()
        };
        let found = |walk: &Walk| -> Vec<_> {
            let files = walk.files();
            files
                .map(|(folder, file)| (folder.path_of(&file.name), file.identity))
                .collect()
        };
        let plain = look(&Index::empty(), None);
        let device = plain.folders[0].identity.device;
        let ahead = || {
            let ahead = ReadAhead::of(vec![true, false], Stamp::ALWAYS, device);
            ahead.old.store(ENOUGH, Ordering::Relaxed);
            ahead
        };
        let first = ahead();
        let read = look(&Index::empty(), Some(&first));
        assert_eq!(first.read_so_far().files, 80);
        assert_eq!(found(&read), found(&plain));
        for (folder, file) in read.files() {
            let path = folder.path_of(&file.name);
            let is_input = path.ends_with(b".in") && !path.ends_with(b"link.in");
            assert_eq!(file.is_new, is_input);
            let digest = is_input.then(|| Some(Digest::of(&path)));
            assert_eq!(file.digest.get().copied(), digest);
        }
        let index = Index::from_bytes(Index::empty().next(Some(&read), &Fresh::new())).unwrap();
        assert_eq!(index.len(), 80);
        // What changed since is looked at with care, the rest is known.
        fs::write(root.join("src/7/a.in"), "other").unwrap();
        let second = ahead();
        let again = look(&index, Some(&second));
        assert_eq!(second.read_so_far(), ReadSoFar::default());
        let unknown: Vec<_> = again
            .files()
            .filter(|(_, file)| file.digest.get().is_none())
            .map(|(folder, file)| folder.path_of(&file.name))
            .filter(|path| path.ends_with(b".in"))
            .collect();
        assert_eq!(unknown, [b"src/link.in".to_vec(), b"src/7/a.in".to_vec()]);
        assert!(!again.files().any(|(_, file)| file.is_new));
    }

    #[test]
    fn no_file_is_read_first_where_files_are_young() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        let identity = Identity::of_file(&File::open(&path).unwrap()).unwrap();
        let ahead = |stamp| ReadAhead::of(vec![false, true], stamp, identity.device);
        let young = ahead(Stamp::now(folder.path()).unwrap());
        assert!(young.wants(&[0, 1]) && !young.wants(&[0]) && !young.wants(&[7]));
        let old = ahead(Stamp::ALWAYS);
        for _ in 0..ENOUGH {
            assert!(!old.expects_old_files());
            old.saw(&identity);
            young.saw(&identity);
        }
        assert!(old.expects_old_files() && !young.expects_old_files());
        let elsewhere = Identity {
            device: identity.device + 1,
            ..identity
        };
        old.saw(&elsewhere);
        assert!(!old.expects_old_files());
    }
}
