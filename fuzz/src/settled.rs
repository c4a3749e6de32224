//! A plan that was found in place, as a run left it for the next, with a checksum that fits whatever it
//! says: the front door tells what it says, or goes on without it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pipec_core::clock::Clock;
use pipec_core::digest::Digest;
use pipec_core::front::{Call, Outcome, VERSION, World, answer};
use pipec_core::view::Size;
use serde_json::json;
use tempfile::TempDir;

use crate::source::Source;

const FORMAT: &[u8] = b"pipec settled 3\n";
const CHECKSUM: usize = 32;
const PIPELINE: &str = "name = \"app\"\n";

/// A project whose last run found everything in place.
struct Project {
    folder: TempDir,
    path: PathBuf,
    /// What was kept of it, without its checksum.
    body: Vec<u8>,
}

pub fn run(bytes: &[u8]) {
    static PROJECT: OnceLock<Mutex<Project>> = OnceLock::new();
    let project = PROJECT.get_or_init(|| Mutex::new(Project::make()));
    let project = project.lock().unwrap_or_else(PoisonError::into_inner);
    let mut source = Source(bytes);
    let body = if source.below(8) == 0 {
        source.0.to_vec()
    } else {
        damaged(&mut source, &project.body)
    };
    write_settled(&project.path, &body);
    match answer_in(project.folder.path(), &["-q", "all"]) {
        Outcome::Done { status, failed, .. } => assert_eq!((status, failed), (0, None)),
        Outcome::Unknown => {}
        Outcome::HandOver(_) => panic!("nothing had to run"),
        Outcome::Fault(error) => panic!("{error}"),
    }
    let runs = project.folder.path().join(".pipec/runs");
    for run in fs::read_dir(runs).into_iter().flatten().flatten() {
        let record = run.path().join("execution.json");
        if let Ok(text) = fs::read(&record) {
            let record = serde_json::from_slice::<serde_json::Value>(&text);
            assert_eq!(record.expect("it is one")["status"], "passed");
        }
        let _ = fs::remove_dir_all(run.path());
    }
}

/// Numbers that are large, lengths that lie, texts that are others, pieces left out or put in.
pub(crate) fn damaged(source: &mut Source<'_>, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    while !source.is_empty() && !body.is_empty() {
        let at = ((usize::from(source.byte()) << 8) | usize::from(source.byte())) % body.len();
        match source.below(4) {
            0 => body[at] ^= 1 << source.below(8),
            1 => {
                let number = source.one_of(&[0_u64, 1, 2, u64::MAX, 1 << 32, 1 << 63, 1 << 40]);
                for (to, from) in body[at..].iter_mut().zip(number.to_le_bytes()) {
                    *to = from;
                }
            }
            2 => {
                for (to, from) in body[at..].iter_mut().zip(source.bytes()) {
                    *to = *from;
                }
            }
            _ => {
                let end = (at + usize::from(source.byte())).min(body.len());
                body.splice(at..end, source.bytes().to_vec());
            }
        }
    }
    body
}

fn write_settled(path: &Path, body: &[u8]) {
    let checksum = Digest::derive("pipec settled", body);
    let contents = [FORMAT, &checksum.0, body].concat();
    fs::write(path, contents).expect("it can be written");
}

impl Project {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let root = folder.path();
        lay_out(root);
        let settled = root.join(".pipec/cache/settled");
        // Runs until everything is remembered, which takes until the file system's clock has moved on.
        let path = loop {
            let outcome = answer_in(root, &["-q", "all"]);
            assert!(matches!(outcome, Outcome::Done { status: 0, .. }));
            let mut kept = fs::read_dir(&settled).into_iter().flatten().flatten();
            if let Some(kept) = kept.next() {
                break kept.path();
            }
        };
        let contents = fs::read(&path).expect("it is there");
        let body = contents[FORMAT.len() + CHECKSUM..].to_vec();
        write_settled(&path, &body);
        assert_eq!(fs::read(&path).expect("it is there"), contents);
        Self { folder, path, body }
    }
}

/// Makes a project of two tasks, with what Python would have compiled its file to: gives where that lies.
pub(crate) fn lay_out(root: &Path) -> PathBuf {
    fs::write(root.join("pipeline.toml"), PIPELINE).expect("it can be written");
    fs::write(root.join("source"), "text").expect("it can be written");
    let task = |inputs: &[&str], needs: &[&str]| {
        let inputs: Vec<_> = inputs.iter().map(|glob| json!({"glob": glob})).collect();
        json!({
            "inputs": inputs, "cache": {}, "depends-on": needs, "env-inputs": ["CI", "NODE_*"],
            "steps": [{"kind": "argv", "argv": ["true"]}],
        })
    };
    let ir = json!({
        "ir-version": 1, "name": "app",
        "tasks": {"one": task(&["source"], &[]), "all": task(&["source"], &["one"])},
    });
    let ir = ir.to_string();
    let digest = Digest::of(ir.as_bytes()).to_hex();
    let body = format!("{}\n{ir}", json!([digest, []]));
    let checksum = Digest::derive("pipec compiled entry", body.as_bytes()).to_hex();
    let domain = format!("pipec compiled {VERSION} toml");
    let name = Digest::derive(&domain, PIPELINE.as_bytes()).to_hex();
    let folder = root.join(".pipec/cache/ir");
    fs::create_dir_all(&folder).expect("it can be made");
    let entry = format!("pipec compiled 1\n{checksum}\n{body}");
    fs::write(folder.join(&name), entry).expect("it can be written");
    folder.join(name)
}

pub(crate) fn answer_in(root: &Path, words: &[&str]) -> Outcome {
    let call = Call {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        folder: root.to_path_buf(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        is_error_a_terminal: false,
        speaks_utf8: true,
        ender: vec!["true".to_owned()],
        pid: 1,
        cores: 1,
        platform: "any".to_owned(),
        nonce: [0; 4],
        ends_process: false,
    };
    answer(&call, &Quiet)
}

/// A world in which a millisecond passes whenever somebody looks at the clock, and nobody listens.
struct Quiet;

static NOW: AtomicU64 = AtomicU64::new(1_700_000_000_000);

impl Clock for Quiet {
    fn now_ms(&self) -> u64 {
        NOW.fetch_add(1, Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }
}

impl World for Quiet {
    fn is_interrupted(&self) -> bool {
        false
    }

    fn say(&self, _words: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn screen(&self) -> Size {
        Size::USUAL
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![1],
        vec![1, 0, 0, 1, 3],
        vec![1, 0, 20, 1, 3, 0, 40, 0, 1],
        vec![1, 0, 60, 3, 12, 3, b'a', b'b', 0x1b],
        (0..=255).collect(),
    ]
}
