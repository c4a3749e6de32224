//! The stat index: as it lies on disk, and with a checksum that fits whatever it holds.

use std::collections::BTreeMap;

use pipec_core::digest::Digest;
use pipec_core::tree::{FolderFound, Fresh, Identity, Index, Kind, Known, Walk};

use crate::source::Source;

const HEADER: usize = 64;

/// The next index is made of what was in the last: its records, and names that may be shared.
const MOST_GROWTH: usize = 64;

pub fn run(bytes: &[u8]) {
    if let Some(index) = Index::from_bytes(bytes.to_vec()) {
        use_it(&index, bytes);
    }
    if let Some(index) = Index::from_bytes(sealed(bytes)) {
        use_it(&index, bytes);
    }
    written_is_read(bytes);
}

/// The same with magic, version, lengths and checksum put right: only the offsets are left to be wrong.
pub fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes.to_vec();
    sealed.resize(sealed.len().max(HEADER), 0);
    let body = sealed.len() - HEADER;
    let [folders, files] = [sealed[12], sealed[16]].map(usize::from);
    let folders = folders.min(body / 24);
    let files = files.min((body - folders * 24) / 88);
    let names = body - folders * 24 - files * 88;
    sealed[..8].copy_from_slice(b"pipecidx");
    for (at, number) in [(8, 1), (12, folders), (16, files), (20, 0)] {
        let number = u32::try_from(number).expect("inputs are small");
        sealed[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    sealed[24..32].copy_from_slice(&(names as u64).to_le_bytes());
    let digest = Digest::of(&sealed[HEADER..]);
    sealed[32..64].copy_from_slice(&digest.0);
    sealed
}

fn use_it(index: &Index, bytes: &[u8]) {
    for name in bytes
        .split(|byte| *byte == 0)
        .take(64)
        .chain([&b""[..], b"a", b"src"])
    {
        if let Some(folder) = index.folder(name) {
            for file in bytes.split(|byte| *byte == 0).take(64).chain([&b"a"[..]]) {
                let _ = folder.find(file);
            }
        }
    }
    let walk = Walk {
        folders: vec![FolderFound {
            path: Box::default(),
            identity: known(&mut Source(b"")).identity,
            ignore_file: None,
            links: Vec::new(),
            files: Vec::new(),
            is_listed: true,
            others: vec![b"a"[..].into()],
            subfolders: vec![b"src"[..].into()],
            is_empty: false,
            owners: std::sync::Arc::default(),
        }],
    };
    for walked in [None, Some(&walk)] {
        let next = index.next(walked, &Fresh::new());
        assert!(
            next.len() <= HEADER + MOST_GROWTH * bytes.len(),
            "{} bytes",
            next.len()
        );
        assert!(Index::from_bytes(next).is_some_and(|next| next.len() <= index.len()));
    }
}

/// What is written is found again, and nothing else; one flipped bit and nothing is.
fn written_is_read(bytes: &[u8]) {
    let mut source = Source(bytes);
    let flipped = (usize::from(source.byte()) << 8) | usize::from(source.byte());
    let mut fresh = Fresh::new();
    while !source.is_empty() {
        let folder = fresh
            .entry(source.bytes().into())
            .or_insert_with(BTreeMap::new);
        folder.insert(source.bytes().into(), known(&mut source));
    }
    let written = Index::empty().next(None, &fresh);
    let index = Index::from_bytes(written.clone()).expect("it was just written");
    for (path, files) in &fresh {
        let folder = index.folder(path).expect("the folder was written");
        for (name, known) in files {
            assert_eq!(folder.find(name), Some(*known));
        }
    }
    assert_eq!(
        index.len(),
        fresh.values().map(BTreeMap::len).sum::<usize>()
    );
    assert_eq!(index.next(None, &Fresh::new()), written);
    let mut damaged = written;
    let at = flipped % damaged.len();
    if !(20..24).contains(&at) {
        damaged[at] ^= 1;
        assert!(Index::from_bytes(damaged).is_none());
    }
}

fn known(source: &mut Source<'_>) -> Known {
    let number = u64::from(source.byte());
    let (kind, mode) = source.one_of(&[(Kind::File, 0o644), (Kind::Link, 0o777)]);
    Known {
        identity: Identity {
            kind,
            device: number,
            inode: number << 40,
            size: u64::MAX - number,
            mtime: i64::MIN + i64::from(source.byte()),
            ctime: -1,
            mode,
        },
        digest: Digest::of(&[source.byte()]),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut fresh = Fresh::new();
    for (folder, name) in [("", "a"), ("src", "b"), ("src", "c"), ("src/d", "e")] {
        let known = known(&mut Source(name.as_bytes()));
        let folder = fresh.entry(folder.as_bytes().into()).or_default();
        folder.insert(name.as_bytes().into(), known);
    }
    vec![
        Index::empty().next(None, &Fresh::new()),
        Index::empty().next(None, &fresh),
    ]
}
