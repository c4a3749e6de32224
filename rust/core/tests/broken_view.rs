//! What shows a run may break; the run must not be left to itself then.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pipec_core::clock::Clock;
use pipec_core::digest::Digest;
use pipec_core::front::{Call, Outcome, VERSION, World, answer};
use pipec_core::view::Size;
use serde_json::{Value, json};

const PIPELINE: &str = "name = \"app\"\n";

/// A terminal that breaks once, as soon as the task has told its process id.
struct Breaking<'a> {
    root: &'a Path,
    now: AtomicU64,
    has_broken: AtomicBool,
    after: Mutex<Vec<u8>>,
}

impl Clock for Breaking<'_> {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + self.now.fetch_add(200, Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }
}

impl World for Breaking<'_> {
    fn is_interrupted(&self) -> bool {
        false
    }

    fn say(&self, words: &[u8]) -> io::Result<()> {
        let breaks =
            self.root.join("pid").exists() && !self.has_broken.swap(true, Ordering::SeqCst);
        assert!(!breaks, "the terminal broke");
        if self.has_broken.load(Ordering::SeqCst) {
            self.after.lock().unwrap().extend_from_slice(words);
        }
        Ok(())
    }

    fn screen(&self) -> Size {
        Size::told(80, 24)
    }
}

#[test]
fn a_run_whose_view_breaks_ends_its_tasks_and_closes_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("pipeline.toml"), PIPELINE).unwrap();
    write_compiled(root);
    let world = Breaking {
        root,
        now: AtomicU64::new(0),
        has_broken: AtomicBool::new(false),
        after: Mutex::default(),
    };
    let outcome = answer(&call(root), &world);
    assert!(world.has_broken.load(Ordering::SeqCst));
    let Outcome::Fault(fault) = outcome else {
        panic!("pipec itself was at fault");
    };
    assert!(
        fault
            .to_string()
            .contains("the thread that shows the run broke")
    );
    let pid = fs::read_to_string(root.join("pid")).unwrap();
    let process = Path::new("/proc").join(pid.trim()).join("exe");
    assert!(process.read_link().is_err(), "{pid} lives on");
    let record = record_of(root);
    assert_eq!(record["status"], "failed");
    assert_eq!(record["exit_code"], 2);
    assert_eq!(record["tasks"][1]["status"], "skipped");
    // The last picture is gone, and the cursor is there again.
    let after = String::from_utf8(world.after.into_inner().unwrap()).unwrap();
    assert!(after.contains("\x1b["), "{after:?}");
}

fn record_of(root: &Path) -> Value {
    let runs: Vec<_> = fs::read_dir(root.join(".pipec/runs")).unwrap().collect();
    assert_eq!(runs.len(), 1);
    let record = runs[0].as_ref().unwrap().path().join("execution.json");
    serde_json::from_slice(&fs::read(record).unwrap()).unwrap()
}

/// What Python would have compiled that file to.
fn write_compiled(root: &Path) {
    let endless = "echo $$ > part; mv part pid; exec sleep 600";
    let ir = json!({
        "ir-version": 1, "name": "app",
        "tasks": {
            "endless": {"steps": [{"kind": "argv", "argv": ["sh", "-c", endless]}]},
            "after": {"depends-on": ["endless"], "steps": [{"kind": "argv", "argv": ["true"]}]},
        },
    });
    let ir = ir.to_string();
    let digest = Digest::of(ir.as_bytes()).to_hex();
    let body = format!("{}\n{ir}", json!([digest, []]));
    let checksum = Digest::derive("pipec compiled entry", body.as_bytes()).to_hex();
    let domain = format!("pipec compiled {VERSION} toml");
    let name = Digest::derive(&domain, PIPELINE.as_bytes()).to_hex();
    let folder = root.join(".pipec/cache/ir");
    fs::create_dir_all(&folder).unwrap();
    let entry = format!("pipec compiled 1\n{checksum}\n{body}");
    fs::write(folder.join(name), entry).unwrap();
}

fn call(root: &Path) -> Call {
    let environment = [("PATH", "/usr/bin:/bin"), ("TERM", "xterm")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Call {
        words: vec!["run".to_owned(), "after".to_owned()],
        folder: root.to_path_buf(),
        environment: BTreeMap::from(environment),
        is_error_a_terminal: true,
        speaks_utf8: true,
        ender: vec!["true".to_owned()],
        pid: std::process::id(),
        cores: 1,
        platform: "any".to_owned(),
        nonce: [0; 4],
        ends_process: false,
    }
}
