//! A store that somebody else wrote: its packs, its table, what the sweep makes of them.

use std::fs;
use std::path::Path;

use pipec_core::digest::Digest;
use pipec_core::store::{Limits, Lookup, Store, sweep};

use crate::source::Source;

const LIMITS: Limits = Limits {
    now_ms: 1_000_000,
    max_age_ms: Some(1000),
    max_bytes: Some(1000),
};

const MAGIC: &[u8] = b"pipec pack 2\n\0\0\0";
const HEADER: usize = 64;
const ROW: usize = 48;
const TEXTS: [&[u8]; 3] = [b"", b"one", b"another text"];

pub fn run(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (name, contents) in files(bytes) {
        let path = folder.path().join(name);
        let parent = path.parent().expect("it has one");
        fs::create_dir_all(parent).expect("it can be made");
        fs::write(&path, contents).expect("it can be written");
    }
    use_it(folder.path(), bytes);
    let store = Store::at(folder.path());
    let dry = sweep(&store, LIMITS, true).expect("a dry sweep changes nothing");
    let swept = sweep(&Store::at(folder.path()), LIMITS, false).expect("nothing is in the way");
    assert_eq!(dry.entries_kept, swept.entries_kept);
    let again = sweep(&Store::at(folder.path()), LIMITS, true).expect("it was just swept");
    assert_eq!(again.entries_kept, swept.entries_kept);
    assert_eq!(again.bytes_kept, swept.bytes_kept);
    assert_eq!((again.entries_removed, again.blobs_removed), (0, 0));
    use_it(folder.path(), bytes);
}

/// Files of a store: as they are, or with checks put right so that only what they say is wrong.
fn files(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut source = Source(bytes);
    let mut files = Vec::new();
    while !source.is_empty() && files.len() < 4 {
        let name = source.one_of(&[
            "packs/1",
            "packs/2",
            "packs/7",
            "table",
            "uses",
            "cas/ab/cd",
        ]);
        let contents = match source.below(4) {
            0 => source.bytes().to_vec(),
            1 => pack(&mut source),
            2 => table(source.bytes()),
            _ => uses(source.bytes()),
        };
        files.push((name, contents));
    }
    files
}

/// Records whose checks fit, whatever their kinds, keys and lengths.
fn pack(source: &mut Source<'_>) -> Vec<u8> {
    let mut pack = MAGIC.to_vec();
    for _ in 0..source.below(6) {
        let contents = source.one_of(&TEXTS);
        let key = if source.below(4) == 0 {
            Digest::of(source.bytes())
        } else {
            Digest::of(contents)
        };
        let length = match source.below(8) {
            0 => u64::MAX - u64::from(source.byte()),
            1 => u64::from(source.byte()),
            _ => contents.len() as u64,
        };
        let mut header = [b"prec".as_slice(), &[source.below(3), 0, 0, 0]].concat();
        header.extend_from_slice(&length.to_le_bytes());
        header.extend_from_slice(&key.0);
        let check = Digest::of(&header);
        header.extend_from_slice(&check.0[..16]);
        pack.extend_from_slice(&header);
        if source.below(3) == 0 {
            let json = source.bytes();
            let sum = Digest::of(json).to_hex();
            pack.extend_from_slice(&[sum.as_bytes(), b"\n", json].concat());
        } else {
            pack.extend_from_slice(contents);
        }
    }
    pack.extend_from_slice(source.bytes());
    pack
}

/// A table whose lengths and checksum fit: only packs, offsets and keys are left to be wrong.
fn table(bytes: &[u8]) -> Vec<u8> {
    let mut table = bytes.to_vec();
    table.resize(table.len().max(HEADER), 0);
    let rest = table.len() - HEADER;
    let packs = usize::from(table[12]).min(rest / 16);
    let rows = (rest - packs * 16) / ROW;
    let blobs = usize::from(table[16]).min(rows);
    table.truncate(HEADER + packs * 16 + rows * ROW);
    table[..8].copy_from_slice(b"pipectbl");
    table[8..12].copy_from_slice(&1_u32.to_le_bytes());
    table[12..16].copy_from_slice(
        &u32::try_from(packs)
            .expect("inputs are small")
            .to_le_bytes(),
    );
    table[16..24].copy_from_slice(&(blobs as u64).to_le_bytes());
    table[24..32].copy_from_slice(&((rows - blobs) as u64).to_le_bytes());
    let digest = Digest::of(&[&table[..32], &table[HEADER..]].concat());
    table[32..64].copy_from_slice(&digest.0);
    table
}

fn uses(bytes: &[u8]) -> Vec<u8> {
    let rows = &bytes[..bytes.len() - bytes.len() % 40];
    [b"pipec uses 2\n\0\0\0", &Digest::of(rows).0[..], rows].concat()
}

fn use_it(root: &Path, bytes: &[u8]) {
    let store = Store::at(root);
    let pieces = bytes.split(|byte| *byte == 0).take(16);
    let named = pieces.clone().map(Digest::of).chain(TEXTS.map(Digest::of));
    let written = bytes.windows(32).take(256).map(|window| {
        let mut digest = Digest([0; 32]);
        digest.0.copy_from_slice(window);
        digest
    });
    for key in named.chain(written) {
        match store.look_up(key) {
            Lookup::Found(entry) => {
                assert_eq!(entry.key, key.to_hex());
                for blob in [&entry.outputs, &entry.inputs] {
                    let _ = store.manifest(blob);
                }
            }
            Lookup::Corrupt(why) => assert!(!why.is_empty()),
            Lookup::Absent => {}
        }
        // What is given out under a digest has that digest.
        if let Ok(contents) = store.read_blob(key) {
            assert_eq!(Digest::of(&contents), key);
        }
    }
    // Whatever there is, what is stored now is found: by this store, and by the next.
    let (stored, _) = store.put(bytes).expect("it can be written");
    assert_eq!(store.read_blob(stored).expect("it was just written"), bytes);
    store.save().expect("nothing is in the way");
    let next = Store::at(root);
    assert_eq!(next.read_blob(stored).expect("it was written"), bytes);
    drop(store);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let hex = Digest::of(b"key").to_hex();
    let entry = serde_json::json!({
        "version": 2, "key": hex, "outputs": hex, "inputs": hex, "log": null,
        "components": [["step", hex]], "dependencies": {"a": hex}, "files": 1, "bytes": 2,
        "run_id": "run", "tool": "0.1.0", "platform": "linux", "domain": "local",
        "finished_ms": 999_999, "duration_ms": 3,
    });
    let entry = entry.to_string().into_bytes();
    let length = u8::try_from(entry.len().min(255)).unwrap_or(u8::MAX);
    let with_entry = [
        &[0, 1, 1, 2, 0, 3, b'k', b'e', b'y', 5, 1, 0, length],
        &entry[..],
    ]
    .concat();
    let rows: Vec<u8> = (0..HEADER + 16 + 2 * ROW)
        .map(|at| u8::try_from(at % 251).unwrap_or_default())
        .collect();
    let with_table = [&[0, 1, 2, 1, 1, 2, 0, 2, 1, 3, 2, 176], &rows[..]].concat();
    vec![
        with_entry,
        with_table,
        b"\x00\x01\x05\x01\x02\x03\x00\x02\x01\x01\x03\x00\x00\x02\x01\x07\x01".to_vec(),
        (0..=255).collect(),
    ]
}
