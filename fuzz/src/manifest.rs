//! Manifests as the store gives them: read, written again, compared.

use std::path::Path;

use pipec_core::digest::Digest;
use pipec_core::tree::{Entry, EntryKind, Manifest, differences};

pub const MAGIC: &[u8] = b"pipec manifest 1\n";

pub fn run(bytes: &[u8]) {
    check(bytes);
    check(&[MAGIC, bytes].concat());
}

fn check(bytes: &[u8]) {
    let Ok(manifest) = Manifest::decode(bytes, Path::new("manifest")) else {
        return;
    };
    for entry in &manifest.entries {
        let mut names = entry.path.split(|byte| *byte == b'/');
        assert!(names.all(|name| !matches!(name, b"" | b"." | b"..")));
        assert_eq!(manifest.find(&entry.path), Some(entry));
    }
    let again = Manifest::decode(&manifest.encode(), Path::new("manifest"));
    assert_eq!(again.expect("it was just written"), manifest);
    assert_eq!(Manifest::new(manifest.entries.clone()), manifest);
    let _ = (manifest.bytes(), manifest.digest(), manifest.exact_digest());
    let nothing = Manifest::default();
    assert!(differences(&manifest, &manifest).is_empty());
    assert_eq!(
        differences(&nothing, &manifest).len(),
        manifest.entries.len()
    );
    assert_eq!(manifest.is_tree(), is_tree(&manifest));
}

/// The slow way to say so.
fn is_tree(manifest: &Manifest) -> bool {
    let has = |path: &[u8]| manifest.find(path).is_some();
    manifest.entries.iter().all(|entry| {
        let slashes = (0..entry.path.len()).filter(|at| entry.path[*at] == b'/');
        slashes.map(|at| &entry.path[..at]).all(|above| !has(above))
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    let kinds = [
        ("a", EntryKind::File),
        ("b/c", EntryKind::Executable),
        ("b/d", EntryKind::Link),
        ("e", EntryKind::Folder),
        ("f", EntryKind::Missing),
    ];
    let entry = |(path, kind): (&str, EntryKind)| Entry {
        path: path.as_bytes().into(),
        kind,
        digest: Digest::of(path.as_bytes()),
        mode: 0o644,
        size: path.len() as u64,
    };
    let some = Manifest::new(kinds.into_iter().map(entry).collect());
    let other = Manifest::new([kinds[1], kinds[4]].into_iter().map(entry).collect());
    vec![some.encode(), other.encode(), Manifest::default().encode()]
}
