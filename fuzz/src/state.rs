//! Everything that runs leave for the next, written by real runs and then damaged: index and journal,
//! surveys, tables, packs. Whatever is damaged, the key of a task follows from its inputs alone, and a hit
//! gives exactly what was stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use pipec_core::engine::{Decision, Engine, Extras, Request, TaskFacts};
use pipec_core::tree::{Identity, Stamp};
use serde_json::json;
use tempfile::TempDir;

use crate::source::Source;

const TASK: &str = "t";
const KEPT: [&str; 11] = [
    "packs",
    "table",
    "uses",
    "cas",
    "index",
    "index.journal",
    "surveys",
    "settled",
    "successes",
    "successes.newer",
    "durations",
];

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A project in which everything is in place and old enough to be remembered.
struct Project {
    folder: TempDir,
    state: Files,
    outputs: Files,
    key: String,
}

/// What a run made of a state that was damaged.
pub enum Outcome {
    Right,
    /// With what is wrong about it.
    Wrong(String),
}

pub fn run(bytes: &[u8]) {
    for outcome in with_damaged(&mut Source(bytes), &mut |_, _| {}) {
        if let Outcome::Wrong(why) = outcome {
            panic!("{why}");
        }
    }
}

/// Damages the state, hands each file that was to `after` with its new contents, and runs twice.
pub fn with_damaged(
    source: &mut Source<'_>,
    after: &mut dyn FnMut(&Path, &mut Vec<u8>),
) -> Vec<Outcome> {
    static PROJECT: OnceLock<Mutex<Project>> = OnceLock::new();
    let project = PROJECT.get_or_init(|| Mutex::new(Project::make()));
    let project = project.lock().unwrap_or_else(PoisonError::into_inner);
    let root = project.folder.path();
    put_back(&state_of(root), &project.state);
    put_back(&root.join("out"), &project.outputs);
    let is_damaged = source.below(2) == 1;
    if is_damaged {
        fs::remove_file(root.join("out/small")).expect("it is there");
        fs::write(root.join("out/large"), "edited").expect("it can be written");
    }
    for _ in 0..=source.below(3) {
        damage(source, &state_of(root), &project.state, after);
    }
    let before = files_below(&root.join("out"));
    (0..2).map(|_| run_once(&project, &before)).collect()
}

fn run_once(project: &Project, before: &Files) -> Outcome {
    let root = project.folder.path();
    let engine = engine(root);
    let Some(decision) = decide(&engine) else {
        return Outcome::Wrong("inputs cannot be read".into());
    };
    let mut outcome = Outcome::Right;
    let mut check = |is_right: bool, why: &str| {
        if !is_right {
            outcome = Outcome::Wrong(why.into());
        }
    };
    check(decision.key == project.key, "another key");
    if decision.intact == Some(true) {
        let is_right = files_below(&root.join("out")) == project.outputs;
        check(is_right, "outputs are not intact");
    } else if decision.intact == Some(false) {
        let restored = engine.restore(TASK);
        let after = files_below(&root.join("out"));
        match restored {
            Ok(_) => check(after == project.outputs, "restored to something else"),
            Err(_) => check(after == *before, "half restored"),
        }
    }
    // What stands in its way is said, and is no matter of right and wrong.
    let _ = engine.save();
    outcome
}

impl Project {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let root = folder.path();
        for (path, contents) in [("src/b", "2"), ("src/d/c", "3"), ("lit", "4")] {
            write(&root.join(path), contents.as_bytes());
        }
        fs::create_dir_all(state_of(root)).expect("it can be made");
        let large = b"0123456789abcdef".repeat(8 * 1024);
        write(&root.join("out/small"), b"small");
        write(&root.join("out/large"), &large);
        // The second result is added to what the first one left: to a journal, to the latest results.
        let mut key = String::new();
        for contents in ["0", "1"] {
            write(&root.join("src/a"), contents.as_bytes());
            let_the_clock_move_on(root);
            let engine = engine(root);
            key = decide(&engine).expect("inputs can be read").key;
            let facts = json!({"finished_ms": 1000, "duration_ms": 1, "tool": "test"});
            let facts: TaskFacts = serde_json::from_value(facts).expect("they are");
            let sealed = engine.seal(TASK, &facts).expect("it can be looked at");
            assert!(sealed.stored, "{}", sealed.trouble);
            engine.save().expect("it can be written");
        }
        let_the_clock_move_on(root);
        for _ in 0..2 {
            let next = engine(root);
            let decision = decide(&next).expect("inputs can be read");
            assert_eq!(decision.intact, Some(true));
            next.save().expect("it can be written");
        }
        let state = files_below(&state_of(root));
        for name in [
            "index",
            "index.journal",
            "successes",
            "successes.newer",
            "table",
        ] {
            assert!(state.contains_key(Path::new(name)), "{name}");
        }
        Self {
            outputs: files_below(&root.join("out")),
            state,
            key,
            folder,
        }
    }
}

/// Only what is older than a tick of the file system's clock is remembered.
fn let_the_clock_move_on(root: &Path) {
    let youngest = ["src/a", "out/large"].map(|name| {
        let found = fs::metadata(root.join(name)).expect("it is there");
        Identity::from(&found)
    });
    let is_clean = |stamp: Stamp| youngest.iter().all(|file| stamp.is_clean(file));
    while !Stamp::now(&state_of(root)).is_ok_and(is_clean) {}
}

fn state_of(root: &Path) -> PathBuf {
    root.join(".pipec/cache")
}

fn engine(root: &Path) -> Engine {
    let ir = json!({
        "ir-version": 1, "name": "app",
        "tasks": {TASK: {
            "inputs": [{"glob": "src/**"}, {"glob": "lit"}], "outputs": [{"glob": "out/**"}],
            "cache": {}, "steps": [{"kind": "shell", "command": "make"}],
        }},
    });
    let state = state_of(root);
    let request = json!({
        "tasks": [TASK], "state": state, "stores": {"file": {"root": state}}, "now_ms": 2000,
        "run_id": "run", "platform": "any",
    });
    let request = Request::parse(&request.to_string()).expect("it is one");
    Engine::new(root, ir.to_string().as_bytes(), request).expect("state is no reason not to begin")
}

/// None if inputs cannot be read.
fn decide(engine: &Engine) -> Option<Decision> {
    let mut decisions = engine.assess(&BTreeMap::new()).ok()?;
    let decision = decisions.remove(TASK);
    decision.or_else(|| engine.decide(TASK, &Extras::default()).ok())
}

fn damage(
    source: &mut Source<'_>,
    folder: &Path,
    files: &Files,
    after: &mut dyn FnMut(&Path, &mut Vec<u8>),
) {
    let number = usize::from(source.byte()) % files.len();
    let Some((name, contents)) = files.iter().nth(number) else {
        return;
    };
    let path = folder.join(name);
    let mut contents = contents.clone();
    let at = (usize::from(source.byte()) << 8) | usize::from(source.byte());
    let at = at % contents.len().max(1);
    match source.below(7) {
        0 => {
            let bit = 1 << source.below(8);
            if let Some(byte) = contents.get_mut(at) {
                *byte ^= bit;
            }
        }
        1 => contents.truncate(at),
        2 => contents.extend_from_slice(source.bytes()),
        3 => contents = source.bytes().to_vec(),
        4 => {
            for (to, from) in contents[at..].iter_mut().zip(source.bytes()) {
                *to = *from;
            }
        }
        5 => {
            let other = usize::from(source.byte()) % files.len();
            contents = files.values().nth(other).cloned().unwrap_or_default();
        }
        _ => {
            let _ = fs::remove_file(path);
            return;
        }
    }
    after(name, &mut contents);
    write(&path, &contents);
}

/// Makes a folder hold these files and no others.
fn put_back(folder: &Path, wanted: &Files) {
    let found = files_below(folder);
    for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
        let _ = fs::remove_file(folder.join(name));
    }
    for (name, contents) in wanted {
        if found.get(name) != Some(contents) {
            write(&folder.join(name), contents);
        }
    }
}

fn write(path: &Path, contents: &[u8]) {
    let parent = path.parent().expect("it has one");
    fs::create_dir_all(parent).expect("it can be made");
    fs::write(path, contents).expect("it can be written");
}

/// The files of a folder by their paths in it; of a state folder those that are kept.
fn files_below(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            let own = path.strip_prefix(folder).expect("it is below");
            let first = own
                .components()
                .next()
                .map(|name| name.as_os_str().to_owned());
            let is_state = folder.ends_with("cache");
            if is_state && !first.is_some_and(|name| KEPT.iter().any(|kept| name == *kept)) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let contents = fs::read(&path).expect("nobody else is here");
                found.insert(own.to_path_buf(), contents);
            }
        }
    }
    found
}

pub fn seeds() -> Vec<Vec<u8>> {
    let each = (0..12_u8).map(|number| vec![number % 2, 0, number, 0, 40, number % 7, 3]);
    each.chain([(0..=255).collect()]).collect()
}
