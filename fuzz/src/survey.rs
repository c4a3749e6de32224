//! A survey with checksums that fit, whatever it says: held against the disk, and gone on from.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use pipec_core::digest::Digest;
use pipec_core::glob::{Automaton, Pattern, Rule, SetSpec};
use pipec_core::tree::{
    Counters, Folder, Index, Known, Project, Stamp, SumOf, Summed, Survey, Surveyed, resume, walk,
    write_survey,
};
use tempfile::TempDir;

use crate::sealed;
use crate::source::Source;

const CONTEXT: Digest = Digest([7; 32]);
const SETS: usize = 3;
/// A walk that goes on from a survey is made of what the survey holds, and of what is on the disk.
const MOST_GROWTH: usize = 16;
const ON_DISK: usize = 4096;

struct Place {
    folder: TempDir,
    automaton: Automaton,
    survey: Vec<u8>,
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(Place::make)
}

pub fn run(bytes: &[u8]) {
    let place = place();
    let mut source = Source(bytes);
    let mut survey = if source.below(2) == 0 {
        damaged(&mut source, &place.survey)
    } else {
        source.0.to_vec()
    };
    sealed::survey(&mut survey);
    survey[32..64].copy_from_slice(&CONTEXT.0);
    sealed::survey(&mut survey);
    let Some(found) = Survey::from_bytes(&survey, CONTEXT) else {
        return;
    };
    let sums = found.sums().count();
    assert!(sums * 48 <= survey.len());
    let index = Index::empty();
    let counters = Counters::default();
    let root = place.folder.path();
    let Some(changes) = found.check(root) else {
        return;
    };
    let Ok(top) = Folder::reach_root(root) else {
        return;
    };
    let project = Project {
        ahead: None,
        root,
        top: &top,
        automaton: &place.automaton,
        index: &index,
        is_relaxed: false,
        counters: &counters,
    };
    let Ok(Some(resumed)) = resume(project, &found, &changes) else {
        return;
    };
    assert!(resumed.touched.iter().all(|set| (*set as usize) < SETS));
    let mut size = 0;
    for folder in &resumed.walk.folders {
        size += folder.path.len() + 64;
        for file in &folder.files {
            assert!(file.sets.len() <= SETS);
            assert!(!file.name.contains(&b'/') && !matches!(&*file.name, b"" | b"." | b".."));
            size += file.name.len() + 48;
        }
    }
    assert!(size <= MOST_GROWTH * survey.len() + ON_DISK, "{size} bytes");
}

/// A few bytes somewhere, numbers that are large, or a piece of it in another place.
fn damaged(source: &mut Source<'_>, survey: &[u8]) -> Vec<u8> {
    let mut damaged = survey.to_vec();
    while !source.is_empty() {
        let at = (usize::from(source.byte()) << 8) | usize::from(source.byte());
        let at = at % damaged.len();
        match source.below(4) {
            0 => damaged[at] ^= 1 << source.below(8),
            1 => {
                let number = source.one_of(&[0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 31, 1 << 16]);
                let number = number.to_le_bytes();
                let field = at - at % 4;
                for (to, from) in damaged[field..].iter_mut().zip(number) {
                    *to = from;
                }
            }
            2 => {
                for (to, from) in damaged[at..].iter_mut().zip(source.bytes()) {
                    *to = *from;
                }
            }
            _ => {
                let piece = damaged[at..].iter().take(usize::from(source.byte()));
                let piece: Vec<u8> = piece.copied().collect();
                let to = usize::from(source.byte()) * 8 % damaged.len();
                damaged.splice(to..to, piece);
            }
        }
    }
    damaged
}

impl Place {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        for path in ["a/b/x", "a/b/y", "a/x", "out/z", "out/deep/w", ".gitignore"] {
            let path = folder.path().join(path);
            let parent = path.parent().expect("it has one");
            fs::create_dir_all(parent).expect("it can be made");
            fs::write(path, "text").expect("it can be written");
        }
        // Until the file system's clock has moved on: only then does a survey say anything.
        let beside = tempfile::tempdir().expect("there is room for a folder");
        let youngest = fs::metadata(folder.path()).expect("it is there");
        let youngest = (&youngest).into();
        let stamp = loop {
            match Stamp::now(beside.path()) {
                Ok(stamp) if stamp.is_clean(&youngest) => break stamp,
                _ => {}
            }
        };
        let automaton = automaton();
        let index = Index::empty();
        let counters = Counters::default();
        let walked = walk(Project {
            ahead: None,
            root: folder.path(),
            top: &Folder::reach_root(folder.path()).expect("it is there"),
            automaton: &automaton,
            index: &index,
            is_relaxed: false,
            counters: &counters,
        });
        let walk = walked.expect("it can be walked");
        let known = |(folder, file): (u32, u32)| {
            let identity = walk.folders[folder as usize].files[file as usize].identity;
            let digest = Digest::of(&identity.inode.to_le_bytes());
            Some(Known { identity, digest })
        };
        let sums = [0, 1].map(|set| Summed {
            set,
            of: SumOf::Inputs,
            digest: CONTEXT,
            count: 3,
        });
        let survey = write_survey(&Surveyed {
            context: CONTEXT,
            folders: &walk.seen(),
            stamp,
            known,
            unsettled: &BTreeSet::new(),
            sums: &sums,
        });
        Self {
            survey: survey.expect("it is small").concat(),
            automaton,
            folder,
        }
    }
}

fn automaton() -> Automaton {
    let set = |text: &str, is_outputs: bool| SetSpec {
        rules: vec![Rule::Glob {
            pattern: Pattern::parse(text).expect("it is one"),
            exclude: false,
        }],
        respects_ignore_files: !is_outputs,
        is_outputs,
    };
    let sets: [_; SETS] = [set("**/x", false), set("a/**", false), set("out/**", true)];
    Automaton::new(&sets)
}

pub fn seeds() -> Vec<Vec<u8>> {
    let survey = &place().survey;
    let piece = |from: usize| [&[1][..], &survey[from.min(survey.len())..]].concat();
    vec![
        piece(0),
        piece(64),
        vec![0, 0, 12, 1, 3],
        vec![0, 0, 24, 1, 3, 0, 16, 1, 6],
        vec![0, 0, 200, 3, 144, 25, 1, 0, 0, 7],
        (0..=255).collect(),
    ]
}
