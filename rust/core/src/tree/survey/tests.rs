//! A walk that goes on from a survey is the walk that one from the top would be, whatever was edited.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{
    FILE, FOLDER, FolderChange, HEADER, SEALED, SUM, Sizes, SumOf, Summed, Survey, Surveyed,
    hot_digest, write,
};
use crate::digest::Digest;
use crate::glob::{Automaton, Pattern, Rule, SetSpec};
use crate::tree::{
    Counters, Folder, FolderFound, Identity, Index, Known, Now, Project, Resumed, Stamp, Walk,
    path_of, relist, resume, resume_part, touched_sets, walk,
};

const CONTEXT: Digest = Digest([7; 32]);

struct Place {
    folder: tempfile::TempDir,
    top: Folder,
    automaton: Automaton,
    index: Index,
    counters: Counters,
}

impl Place {
    fn new() -> Self {
        Self::of(&[0, 1, 2, 3])
    }

    /// With these of the sets only.
    fn of(wanted: &[usize]) -> Self {
        let glob = |text: &str, exclude| Rule::Glob {
            pattern: Pattern::parse(text).unwrap(),
            exclude,
        };
        let set = |rules, is_outputs: bool| SetSpec {
            rules,
            respects_ignore_files: !is_outputs,
            is_outputs,
        };
        let sets = [
            set(vec![glob("**/*.a", false), glob("**/x.a", true)], false),
            set(vec![glob("d0/**", false), glob("d1/d0/f1.b", false)], false),
            set(vec![glob("out/**", false), glob("d2/d1/**", false)], true),
            set(vec![glob("d2/*/f0.a", false)], false),
        ];
        let sets = wanted.iter().map(|number| sets[*number].clone());
        let sets: Vec<SetSpec> = sets.collect();
        let folder = tempfile::tempdir().unwrap();
        Self {
            top: Folder::reach_root(folder.path()).unwrap(),
            folder,
            automaton: Automaton::new(&sets),
            index: Index::empty(),
            counters: Counters::default(),
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn project(&self) -> Project<'_> {
        Project {
            root: self.root(),
            top: &self.top,
            automaton: &self.automaton,
            index: &self.index,
            is_relaxed: false,
            ahead: None,
            counters: &self.counters,
        }
    }

    fn walk(&self) -> Walk {
        walk(self.project()).unwrap()
    }

    /// A survey of the place as it is, in which every file counts as read.
    fn survey(&self, stamp: Stamp) -> Vec<u8> {
        let walk = self.walk();
        let known = |(folder, file): (u32, u32)| {
            let identity = walk.folders[folder as usize].files[file as usize].identity;
            let digest = Digest::of(&identity.inode.to_le_bytes());
            Some(Known { identity, digest })
        };
        let sums = [Summed {
            set: 1,
            of: SumOf::Inputs,
            digest: CONTEXT,
            count: 3,
        }];
        let surveyed = Surveyed {
            context: CONTEXT,
            folders: &walk.seen(),
            stamp,
            known,
            unsettled: &BTreeSet::new(),
            sums: &sums,
        };
        write(&surveyed).unwrap().concat()
    }

    fn resume(&self, bytes: &[u8]) -> Option<Resumed> {
        let survey = Survey::from_bytes(bytes, CONTEXT).unwrap();
        let changes = survey.check(self.root()).unwrap();
        resume(self.project(), &survey, &changes).unwrap()
    }
}

/// What of a folder a look is made of.
fn shown(folder: &FolderFound) -> String {
    let files: Vec<_> = folder
        .files
        .iter()
        .map(|file| (&file.name, file.identity, Arc::clone(&file.sets)))
        .collect();
    format!(
        "{:?} {:?} {:?} {:?}",
        String::from_utf8_lossy(&folder.path),
        folder.is_empty,
        folder.owners,
        files
    )
}

fn all(walk: &Walk) -> Vec<String> {
    walk.folders.iter().map(shown).collect()
}

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn path(&mut self, root: &Path) -> PathBuf {
        let mut path = root.to_path_buf();
        for _ in 0..self.below(3) {
            path.push(["d0", "d1", "d2", "out", "s"][usize::try_from(self.below(5)).unwrap()]);
        }
        path
    }
}

fn edit(root: &Path, numbers: &mut Numbers) {
    let folder = numbers.path(root);
    let names = ["f0.a", "f1.b", "x.a", ".gitignore", "s", "d0"];
    let name = names[usize::try_from(numbers.below(6)).unwrap()];
    let path = folder.join(name);
    let text =
        ["*.a\n", "d0/\n!f0.a\n", "/s\nout\n", ""][usize::try_from(numbers.below(4)).unwrap()];
    // Whatever cannot be done is not done: only that both walks see the same counts.
    let _ = match numbers.below(9) {
        0 | 1 => fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text)),
        2 => fs::remove_file(&path),
        3 => fs::remove_dir_all(&folder).and_then(|()| fs::create_dir_all(root)),
        4 => fs::rename(&folder, numbers.path(root)),
        5 => symlink(
            ["d0", "d1/d0", "gone", "f0.a"][usize::try_from(numbers.below(4)).unwrap()],
            &path,
        ),
        6 => fs::set_permissions(&path, fs::Permissions::from_mode(0o755)),
        7 => fs::create_dir_all(&path),
        _ => fs::hard_link(&path, folder.join("f0.a")),
    };
}

#[test]
fn going_on_from_a_survey_is_walking_from_the_top() {
    let mut numbers = Numbers(1);
    let mut resumed_some = 0;
    for _ in 0..40 {
        let place = Place::new();
        for _ in 0..12 {
            edit(place.root(), &mut numbers);
        }
        let mut bytes = place.survey(Stamp::ALWAYS);
        for _ in 0..20 {
            for _ in 0..=numbers.below(3) {
                edit(place.root(), &mut numbers);
            }
            let anew = place.walk();
            if let Some(resumed) = place.resume(&bytes) {
                assert_eq!(all(&resumed.walk), all(&anew));
                resumed_some += 1;
            }
            if numbers.below(3) == 0 {
                bytes = place.survey(Stamp::ALWAYS);
            }
        }
    }
    assert!(resumed_some > 400, "{resumed_some}");
}

/// Everything below a folder: what it is and, of a link, whether it leads to a folder. Of a folder only that
/// it is one: its times are those of what is in it.
fn contents(root: &Path) -> HashMap<Vec<u8>, (Option<Identity>, bool)> {
    let mut found = HashMap::new();
    let mut open = vec![Vec::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(path_of(root, &folder)).unwrap() {
            let name = entry.unwrap().file_name().into_encoded_bytes();
            let path = [&*folder, b"/", &*name].concat();
            let path = path.strip_prefix(b"/").unwrap_or(&path).to_vec();
            let on_disk = path_of(root, &path);
            let metadata = fs::symlink_metadata(&on_disk).unwrap();
            let leads = metadata.is_symlink() && fs::metadata(&on_disk).is_ok_and(|m| m.is_dir());
            let identity = (!metadata.is_dir()).then(|| Identity::from(&metadata));
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.insert(path, (identity, leads));
        }
    }
    found
}

#[test]
fn listing_again_what_changed_is_walking_from_the_top() {
    let mut numbers = Numbers(3);
    let mut relisted_some = 0;
    for _ in 0..40 {
        let place = Place::new();
        for _ in 0..12 {
            edit(place.root(), &mut numbers);
        }
        for _ in 0..20 {
            let (before, was) = (place.walk(), contents(place.root()));
            for _ in 0..=numbers.below(3) {
                edit(place.root(), &mut numbers);
            }
            let (anew, now) = (place.walk(), contents(place.root()));
            let changed = was.keys().chain(now.keys());
            let changed = changed.filter(|path| was.get(*path) != now.get(*path));
            let relisted = relist(place.project(), &before, changed.map(|path| &**path));
            // An error: a folder of the walk lies below a file now, and it takes a walk as well.
            if let Ok(Some(relisted)) = relisted {
                let folders = relisted.folders.iter().map(|now| match now {
                    Now::Before(row) => shown(&before.folders[*row as usize]),
                    Now::Listed(found, _) => shown(found),
                });
                assert_eq!(folders.collect::<Vec<_>>(), all(&anew));
                relisted_some += 1;
            }
        }
    }
    assert!(relisted_some > 400, "{relisted_some}");
}

/// Some writing to some file that is there, whatever else there may be.
fn edit_contents(root: &Path, numbers: &mut Numbers) {
    let name = ["f0.a", "f1.b", "x.a"][usize::try_from(numbers.below(3)).unwrap()];
    let path = numbers.path(root).join(name);
    if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        fs::write(&path, numbers.below(100_000).to_string()).unwrap();
    }
}

/// What of a walk concerns some sets, by the numbers that they have among themselves.
fn part_of(walk: &Walk, numbers: &HashMap<u32, u32>) -> Vec<String> {
    let of = |sets: &[u32]| -> Vec<u32> {
        let sets = sets.iter().filter_map(|set| numbers.get(set).copied());
        sets.collect()
    };
    let mut found = Vec::new();
    for folder in &walk.folders {
        let owners = of(&folder.owners);
        if !owners.is_empty() {
            found.push(format!(
                "{:?} {owners:?} {:?}",
                folder.path, folder.is_empty
            ));
        }
        for file in &folder.files {
            let sets = of(&file.sets);
            if !sets.is_empty() {
                let path = folder.path_of(&file.name);
                found.push(format!("{path:?} {sets:?} {:?}", file.identity));
            }
        }
    }
    found
}

#[test]
fn a_part_of_a_survey_is_that_part_of_the_walk() {
    let mut numbers = Numbers(3);
    let mut parts = 0;
    for round in 0..60 {
        let place = Place::new();
        for _ in 0..12 {
            edit(place.root(), &mut numbers);
        }
        let bytes = place.survey(Stamp::ALWAYS);
        let survey = Survey::from_bytes(&bytes, CONTEXT).unwrap();
        for _ in 0..=numbers.below(3) {
            edit_contents(place.root(), &mut numbers);
        }
        let changes = survey.check(place.root()).unwrap();
        let wanted: &[usize] = [&[0][..], &[1], &[2], &[3], &[1, 2], &[0, 3]][round % 6];
        let automaton = Place::of(wanted).automaton;
        let wanted = wanted.iter().map(|set| u32::try_from(*set).unwrap());
        let renamed: HashMap<u32, u32> = wanted.zip(0..).collect();
        let Some(part) = resume_part(&survey, &changes, &automaton, &renamed) else {
            // Only a link that leads elsewhere now can have touched a folder.
            assert!(!changes.folders.is_empty());
            continue;
        };
        let whole = place.resume(&bytes).unwrap();
        assert_eq!(touched_sets(&survey, &changes), Some(whole.touched.clone()));
        let same = renamed.values().map(|set| (*set, *set)).collect();
        assert_eq!(part_of(&part.walk, &same), part_of(&place.walk(), &renamed));
        let touched = whole.touched.iter().filter_map(|set| renamed.get(set));
        assert_eq!(part.touched, touched.copied().collect());
        // Whatever comes to be anywhere where it could belong to the sets is in a folder of the part.
        for folder in &whole.walk.folders {
            let path = &folder.path;
            let state = if path.is_empty() {
                automaton.start()
            } else {
                automaton.state_of(path)
            };
            let is_there = part.walk.folders.iter().any(|other| other.path == *path);
            assert!(is_there || !state.can_enter, "{path:?}");
        }
        parts += 1;
    }
    assert!(parts > 30, "{parts}");
}

#[test]
fn a_set_of_which_nothing_changed_is_not_touched() {
    let place = Place::new();
    for folder in ["d0", "d1/d0", "out"] {
        fs::create_dir_all(place.root().join(folder)).unwrap();
        fs::write(place.root().join(folder).join("f0.a"), "1").unwrap();
    }
    let bytes = place.survey(Stamp::ALWAYS);
    let survey = Survey::from_bytes(&bytes, CONTEXT).unwrap();
    assert!(survey.check(place.root()).unwrap().is_empty());
    assert_eq!(
        survey.sums().collect::<Vec<_>>(),
        [(1, SumOf::Inputs, CONTEXT, 3)]
    );
    fs::write(place.root().join("out/f0.a"), "12").unwrap();
    let resumed = place.resume(&bytes).unwrap();
    let mut touched: Vec<_> = resumed.touched.into_iter().collect();
    touched.sort_unstable();
    assert_eq!(touched, [0, 2]);
}

#[test]
fn what_was_written_within_a_tick_of_the_walk_is_looked_at_anew() {
    let place = Place::new();
    fs::write(place.root().join("f0.a"), "1").unwrap();
    let bytes = place.survey(Stamp::NEVER);
    let survey = Survey::from_bytes(&bytes, CONTEXT).unwrap();
    assert!(!survey.check(place.root()).unwrap().is_empty());
}

/// A survey from when everything but what `edit` does was older than a tick.
fn surveyed_after(place: &Place, edit: impl Fn(&Path)) -> Survey {
    let youngest = Identity::from(&fs::symlink_metadata(place.root().join("f0.a")).unwrap());
    let clock = tempfile::tempdir().unwrap();
    while !Stamp::now(clock.path()).unwrap().is_clean(&youngest) {}
    edit(place.root());
    let bytes = place.survey(Stamp::now(clock.path()).unwrap());
    Survey::from_bytes(&bytes, CONTEXT).unwrap()
}

#[test]
fn a_file_that_was_written_within_a_tick_of_the_walk_is_another_and_its_folder_is_not() {
    let place = Place::new();
    fs::write(place.root().join("f1.a"), "1").unwrap();
    fs::write(place.root().join("f0.a"), "1").unwrap();
    let survey = surveyed_after(&place, |root| fs::write(root.join("f0.a"), "2").unwrap());
    let changes = survey.check(place.root()).unwrap();
    assert_eq!(changes.folders, []);
    let names = changes.files.iter().map(|(_, file, _)| {
        let file = survey.file(*file as usize, 0).unwrap();
        file.name.to_vec()
    });
    assert_eq!(names.collect::<Vec<_>>(), [b"f0.a"]);
}

#[test]
fn a_folder_in_which_something_came_within_a_tick_of_the_walk_is_listed_again() {
    let place = Place::new();
    fs::write(place.root().join("f0.a"), "1").unwrap();
    let survey = surveyed_after(&place, |root| fs::write(root.join("other"), "2").unwrap());
    let changes = survey.check(place.root()).unwrap();
    assert_eq!(changes.folders, [(0, FolderChange::Entries)]);
}

#[test]
fn every_cut_and_every_flipped_bit_is_no_survey() {
    let place = Place::new();
    fs::create_dir_all(place.root().join("d0")).unwrap();
    fs::write(place.root().join("d0/f0.a"), "1").unwrap();
    let bytes = place.survey(Stamp::ALWAYS);
    assert!(Survey::from_bytes(&bytes, Digest([8; 32])).is_none());
    for length in 0..bytes.len() {
        assert!(Survey::from_bytes(&bytes[..length], CONTEXT).is_none());
    }
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        // A broken digest of a file is noticed when it is asked for.
        let survey = Survey::from_bytes(&broken, CONTEXT);
        assert!(
            survey.is_none_or(|survey| survey.digest(0).is_none()),
            "{at}"
        );
    }
}

/// With other bytes at a place of it, and a checksum that fits.
fn sealed_with(bytes: &[u8], at: usize, other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + other.len()].copy_from_slice(other);
    let hot = Sizes::of(&bytes).unwrap().hot().unwrap();
    let digest = hot_digest(&bytes[..SEALED], &[&bytes[HEADER..hot]]);
    bytes[64..96].copy_from_slice(&digest.0);
    bytes
}

#[test]
fn a_survey_with_a_checksum_that_fits_is_made_nothing_of_that_is_larger_than_it() {
    let place = Place::new();
    for path in ["d0/f.a", "d0/g.a", "d1/f.a", "out/x"] {
        let path = place.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    // Another name of the same file: as long as the way to it over its own folder.
    fs::hard_link(place.root().join("d0/g.a"), place.root().join("d0/xxg.a")).unwrap();
    let bytes = place.survey(Stamp::ALWAYS);
    let sizes = Sizes::of(&bytes).unwrap();
    let files = HEADER + sizes.folders * FOLDER;
    let lists = files + sizes.files * FILE;
    let names = lists + sizes.lists * 4 + sizes.sums * SUM;
    assert!(place.resume(&sealed_with(&bytes, 0, b"pipecsvy")).is_some());
    // A file's name that reaches over those of others.
    let long = u16::try_from(sizes.names).unwrap().to_le_bytes();
    let shared = sealed_with(&sealed_with(&bytes, files + 32, &[0; 4]), files + 40, &long);
    assert!(Survey::from_bytes(&shared, CONTEXT).is_none());
    // A folder that lies elsewhere than in the one above it.
    let elsewhere = sealed_with(&bytes, names, b"/0");
    assert!(Survey::from_bytes(&elsewhere, CONTEXT).is_none());
    // A name that is a path.
    let mut names = bytes.windows(5);
    let name = names.rposition(|window| window == b"xxg.a").unwrap();
    assert!(place.resume(&sealed_with(&bytes, name, b"./g.a")).is_none());
    // The first list is the empty one of a folder that nobody owns: one of more sets than there are, a set
    // that there is not, a list that begins within another.
    assert_eq!(bytes[lists..lists + 4], [0; 4]);
    for (at, number) in [
        (lists, u32::MAX),
        (lists, 5),
        (lists + 8, 99),
        (files + 36, 2),
    ] {
        let damaged = sealed_with(&bytes, at, &number.to_le_bytes());
        assert!(place.resume(&damaged).is_none(), "{at} {number}");
    }
}
