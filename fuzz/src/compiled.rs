//! A pipeline as it was compiled before, damaged, mostly under a checksum that fits: the front door tells what
//! it says, or leaves it to those who compile.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use pipec_core::digest::Digest;
use pipec_core::front::Outcome;
use tempfile::TempDir;

use crate::settled::{answer_in, damaged, lay_out};
use crate::source::Source;

const FORMAT: &[u8] = b"pipec compiled 1\n";

/// A project whose pipeline file was compiled once.
struct Project {
    folder: TempDir,
    path: PathBuf,
    /// What it was compiled to, without format and checksum.
    body: Vec<u8>,
}

pub fn run(bytes: &[u8]) {
    static PROJECT: OnceLock<Mutex<Project>> = OnceLock::new();
    let project = PROJECT.get_or_init(|| Mutex::new(Project::make()));
    let project = project.lock().unwrap_or_else(PoisonError::into_inner);
    let mut source = Source(bytes);
    let contents = match source.below(8) {
        0 => source.0.to_vec(),
        1 => damaged(&mut source, &sealed(&project.body)),
        2 => sealed(source.0),
        _ => sealed(&damaged(&mut source, &project.body)),
    };
    fs::write(&project.path, contents).expect("it can be written");
    for words in [
        &["list"][..],
        &["graph"],
        &["graph", "--format", "dot", "all"],
    ] {
        match answer_in(project.folder.path(), words) {
            Outcome::Done { status, failed, .. } => assert_eq!((status, failed), (0, None)),
            Outcome::Unknown => {}
            Outcome::HandOver(_) => panic!("nothing was to run"),
            Outcome::Fault(error) => panic!("{error}"),
        }
    }
}

fn sealed(body: &[u8]) -> Vec<u8> {
    let checksum = Digest::derive("pipec compiled entry", body).to_hex();
    [FORMAT, checksum.as_bytes(), b"\n", body].concat()
}

impl Project {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = lay_out(folder.path());
        let contents = fs::read(&path).expect("it is there");
        // The checksum is hexadecimal.
        let body = contents[FORMAT.len() + 64 + 1..].to_vec();
        assert_eq!(sealed(&body), contents);
        let listed = answer_in(folder.path(), &["list"]);
        assert!(matches!(listed, Outcome::Done { status: 0, .. }));
        Self { folder, path, body }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![3],
        vec![3, 0, 0, 1, 3],
        vec![3, 0, 70, 3, 12, 3, b'a', b'b', 0x1b],
        vec![1, 0, 20, 0, 1],
        b"\x02[\"\", []]\n{}".to_vec(),
        (0..=255).collect(),
    ]
}
