//! A restore of a manifest that nobody wrote on purpose, into a project that is not tidy.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use pipec_core::digest::Digest;
use pipec_core::store::{Present, Restorer, Store};
use pipec_core::tree::{Entry, EntryKind, Identity, Kind, Manifest, path_of};

use crate::source::Source;

const NAMES: [&str; 8] = ["out", "a", "b", "link", "..", ".", "", "out/c"];
const KINDS: [EntryKind; 5] = [
    EntryKind::File,
    EntryKind::Executable,
    EntryKind::Link,
    EntryKind::Folder,
    EntryKind::Missing,
];
const TEXTS: [&[u8]; 4] = [b"../../outside/canary", b"", b"a", b"\0"];

type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

pub fn run(bytes: &[u8]) {
    let base = tempfile::tempdir().expect("there is room for a folder");
    let [root, outside, state] = ["root", "outside", "state"].map(|name| base.path().join(name));
    for folder in [&root, &outside, &state] {
        fs::create_dir(folder).expect("it can be made");
    }
    fs::write(outside.join("canary"), "sings").expect("it can be written");
    let store = Store::at(&state);
    let mut source = Source(bytes);
    lay_out(&mut source, &root);
    let wanted = wanted(&mut source, &store);
    // Whoever restores has read the manifest from the store, and has asked whether it is a tree of
    // what the task owns.
    let decoded = Manifest::decode(&wanted.encode(), Path::new("manifest"));
    let Some(wanted) = decoded.ok().filter(|wanted| {
        wanted.is_tree() && wanted.entries.iter().all(|entry| is_owned(&entry.path))
    }) else {
        return;
    };
    let (before, beside) = (snapshot(&root), snapshot(&outside));
    let present = present(&root);
    let staging = state.join("tmp");
    let restorer = Restorer {
        store: &store,
        root: &root,
        staging: &staging,
    };
    let restored = restorer.restore(&wanted, &present).map(|done| done.counts);
    assert_eq!(snapshot(&outside), beside, "it left the project");
    assert!(
        !staging.exists() || snapshot(&staging).is_empty(),
        "leftovers"
    );
    let after = snapshot(&root);
    if let Err(error) = restored {
        assert_eq!(after, before, "{error}");
        return;
    }
    for entry in &wanted.entries {
        let path = path_of(&root, &entry.path);
        let found = fs::symlink_metadata(&path).expect("it was restored");
        assert_eq!(found.is_dir(), entry.kind == EntryKind::Folder);
        assert_eq!(found.is_symlink(), entry.kind == EntryKind::Link);
        if found.is_file() {
            let contents = fs::read(&path);
            assert!(contents.is_ok_and(|contents| Digest::of(&contents) == entry.digest));
        }
    }
    for (path, was) in &before {
        if !path.starts_with(root.join("out")) {
            assert_eq!(after.get(path), Some(was), "{}", path.display());
        }
    }
}

/// Some files, folders and links, in and beside `out`.
fn lay_out(source: &mut Source<'_>, root: &Path) {
    for _ in 0..source.below(6) {
        let path =
            root.join(source.one_of(&["out", "out/a", "out/b", "out/a/b", "a", "link", "b"]));
        let _ = match source.below(4) {
            0 => fs::create_dir_all(&path),
            1 => symlink(source.one_of(&["../outside", "a", "."]), &path),
            2 => symlink(source.one_of(&["../outside/canary", "gone"]), &path),
            _ => fs::write(&path, source.one_of(&["", "a"])),
        };
    }
}

fn wanted(source: &mut Source<'_>, store: &Store) -> Manifest {
    let mut entries = Vec::new();
    for _ in 0..source.below(6) {
        let mut path = String::from("out");
        for _ in 0..source.below(3) {
            path = format!("{path}/{}", source.one_of(&NAMES));
        }
        let text = source.one_of(&TEXTS);
        let kind = source.one_of(&KINDS);
        let digest = if source.below(8) == 0 {
            Digest::of(b"not in the store")
        } else {
            store.put(text).expect("it can be written").0
        };
        entries.push(Entry {
            path: path.into_bytes().into(),
            kind,
            digest,
            mode: u32::from(source.byte()) | 0o400,
            size: text.len() as u64,
        });
    }
    Manifest::new(entries)
}

/// As with `outputs = ["out"]`.
fn is_owned(path: &[u8]) -> bool {
    path == b"out" || path.starts_with(b"out/")
}

/// What the walk would say of `out`, which is what the task owns. It does not look behind links.
fn present(root: &Path) -> Present {
    let mut present = Present::default();
    for path in snapshot(root).into_keys() {
        let own = path.strip_prefix(root).expect("it is below").as_os_str();
        if !is_owned(own.as_bytes()) {
            continue;
        }
        let own: Box<[u8]> = own.as_bytes().into();
        let found = fs::symlink_metadata(&path).expect("it was just seen");
        let identity = Identity::from(&found);
        match identity.kind {
            Kind::Folder => {
                if fs::read_dir(&path).is_ok_and(|mut listed| listed.next().is_none()) {
                    present.empty_folders.insert(own.clone());
                }
                present.owned_folders.insert(own);
            }
            Kind::Link => {
                let text = fs::read_link(&path).expect("it is one");
                let digest = Digest::of(text.as_os_str().as_bytes());
                present.files.insert(own, (identity, Some(digest)));
            }
            Kind::File | Kind::Special => {
                let contents = fs::read(&path).ok();
                let digest = contents.map(|contents| Digest::of(&contents));
                present.files.insert(own, (identity, digest));
            }
        }
    }
    present
}

/// Everything below a folder: modes, contents, texts of links.
fn snapshot(folder: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("it is there").flatten() {
            let path = entry.path();
            let status = fs::symlink_metadata(&path).expect("nobody else is here");
            let (mode, contents) = if status.is_dir() {
                open.push(path.clone());
                (0, Vec::new())
            } else if status.is_symlink() {
                let text = fs::read_link(&path).expect("it is one");
                (1, text.as_os_str().as_bytes().to_vec())
            } else {
                (
                    status.permissions().mode(),
                    fs::read(&path).unwrap_or_default(),
                )
            };
            found.insert(path, (mode, contents));
        }
    }
    found
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![],
        b"\x02\x00\x00\x01\x03\x00\x03\x00\x01\x01\x02\x00\x01\xff\x00\x01\x02\x02\x02\x01\xa4"
            .to_vec(),
        b"\x03\x00\x01\x00\x05\x02\x00\x04\x03\x01\x02\x02\x01\x01\x00\x01\x02\x01\x02\x02\x01\xed"
            .to_vec(),
        (0..=255).collect(),
    ]
}
