//! Entries and blobs of a store that somebody else wrote.

use std::fs;
use std::path::Path;

use pipec_core::digest::Digest;
use pipec_core::store::{Limits, Lookup, Store, sweep};

const LIMITS: Limits = Limits {
    now_ms: 1_000_000,
    max_age_ms: Some(1000),
    max_bytes: Some(1000),
};

pub fn run(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let key = Digest::of(b"key");
    look_up(folder.path(), key, bytes);
    // A checksum that fits, so that what comes after it is read.
    let sum = Digest::of(bytes).to_hex();
    look_up(folder.path(), key, &[sum.as_bytes(), b"\n", bytes].concat());
    fs::write(folder.path().join("uses.json"), bytes).expect("it can be written");
    let store = Store::at(folder.path());
    let dry = sweep(&store, LIMITS, true).expect("a dry sweep changes nothing");
    let swept = sweep(&store, LIMITS, false).expect("nothing is in the way");
    assert_eq!(dry.entries_kept, swept.entries_kept);
    assert_eq!(dry.blobs_removed, swept.blobs_removed);
}

fn look_up(root: &Path, key: Digest, bytes: &[u8]) {
    let hex = key.to_hex();
    let path = root.join("ac").join(&hex[..2]).join(&hex[2..]);
    let shard = path.parent().expect("it has one");
    fs::create_dir_all(shard).expect("it can be made");
    fs::write(&path, bytes).expect("it can be written");
    let store = Store::at(root);
    match store.look_up(key) {
        Lookup::Found(entry) => {
            assert_eq!(entry.key, hex);
            for blob in [&entry.outputs, &entry.inputs] {
                let _ = store.manifest(blob);
            }
        }
        Lookup::Corrupt(why) => assert!(!why.is_empty()),
        Lookup::Absent => panic!("it was just written"),
    }
    // A blob by a name that is not its digest is never given out, and is gone afterwards.
    let blob = root.join("cas").join(&hex[..2]).join(&hex[2..]);
    let shard = blob.parent().expect("it has one");
    fs::create_dir_all(shard).expect("it can be made");
    fs::write(&blob, bytes).expect("it can be written");
    if Digest::of(bytes) != key {
        assert!(store.read_blob(key).is_err());
        assert!(!blob.exists());
    }
    let (stored, _) = store.put(bytes).expect("it can be written");
    assert_eq!(store.read_blob(stored).expect("it was just written"), bytes);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let hex = Digest::of(b"key").to_hex();
    let entry = serde_json::json!({
        "version": 1, "key": hex, "outputs": hex, "inputs": hex, "log": null,
        "components": [["step", hex]], "dependencies": {"a": hex}, "files": 1, "bytes": 2,
        "run_id": "run", "tool": "0.1.0", "platform": "linux", "domain": "local",
        "finished_ms": 999_999, "duration_ms": 3,
    });
    let uses = serde_json::json!({ hex: 999_999 });
    [entry, uses]
        .map(|json| json.to_string().into_bytes())
        .to_vec()
}
