//! A list of files with what matters of each: the inputs of a key, or the outputs of a task.

use std::path::Path;

use crate::digest::Digest;
use crate::error::{Error, Result};

const MAGIC: &[u8] = b"pipec manifest 1\n";

/// Sorted by path, no path twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the pipeline's folder, with forward slashes; any bytes but NUL.
    pub path: Box<[u8]>,
    pub kind: EntryKind,
    /// Of the contents, or of a link's text; of nothing for a folder and for what is missing.
    pub digest: Digest,
    /// Permission bits. Part of what is restored, not of any digest: there only `EntryKind` counts.
    pub mode: u32,
    pub size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Executable,
    Link,
    /// An empty folder; the others follow from their files.
    Folder,
    /// A pattern without magic that names nothing.
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: Box<[u8]>,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Changed,
    Added,
    Removed,
}

impl Change {
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

impl EntryKind {
    fn code(self) -> u8 {
        match self {
            Self::File => b'f',
            Self::Executable => b'x',
            Self::Link => b'l',
            Self::Folder => b'd',
            Self::Missing => b'm',
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [
            Self::File,
            Self::Executable,
            Self::Link,
            Self::Folder,
            Self::Missing,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

impl Entry {
    /// Whether two entries stand for the same thing, times and exact modes aside.
    fn means_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.digest == other.digest
    }
}

impl Manifest {
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        Self { entries }
    }

    /// The digest that keys are made of: path, kind and contents of everything.
    pub fn digest(&self) -> Digest {
        let mut sum = Sum::new();
        for entry in &self.entries {
            sum.add(&entry.path, entry.kind, entry.digest);
        }
        sum.finish()
    }

    /// The digest of exactly these files: their modes and sizes too.
    pub fn exact_digest(&self) -> Digest {
        Digest::derive("pipec exact manifest v1", &self.encode())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(self.entries.len() as u64).to_le_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.path.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&entry.path);
            bytes.push(entry.kind.code());
            bytes.extend_from_slice(&entry.digest.0);
            bytes.extend_from_slice(&entry.mode.to_le_bytes());
            bytes.extend_from_slice(&entry.size.to_le_bytes());
        }
        bytes
    }

    /// Reads what `encode` wrote. Refuses every path that could leave the folder.
    pub fn decode(bytes: &[u8], source: &Path) -> Result<Self> {
        let broken = || Error::corrupt(source, "it is not a manifest of this version");
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
        let count = u64::from_le_bytes(take(&mut rest).ok_or_else(broken)?);
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..count {
            let entry = decode_entry(&mut rest).ok_or_else(broken)?;
            if entries.last().is_some_and(|last| last.path >= entry.path) {
                return Err(Error::corrupt(source, "its paths are not in order"));
            }
            entries.push(entry);
        }
        if rest.is_empty() {
            Ok(Self { entries })
        } else {
            Err(broken())
        }
    }

    /// Whether these could lie on a disk together: none is below another.
    pub fn is_tree(&self) -> bool {
        // All paths that begin with one path follow it: those that the current one begins with.
        let mut above: Vec<&[u8]> = Vec::new();
        self.entries.iter().all(|entry| {
            while above.pop_if(|last| !entry.path.starts_with(last)).is_some() {}
            let is_below = above
                .iter()
                .any(|last| entry.path.get(last.len()) == Some(&b'/'));
            above.push(&entry.path);
            !is_below
        })
    }

    pub fn find(&self, path: &[u8]) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| (*entry.path).cmp(path))
            .ok()?;
        self.entries.get(at)
    }

    /// Whether something lies in this folder, or is it.
    pub fn holds(&self, folder: &[u8]) -> bool {
        let below = [folder, b"/"].concat();
        let first = self.entries.partition_point(|entry| *entry.path < *below);
        let next = self.entries.get(first);
        next.is_some_and(|entry| entry.path.starts_with(&below)) || self.find(folder).is_some()
    }

    pub fn bytes(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| entry.size);
        sizes.fold(0, u64::saturating_add)
    }
}

/// The digest of a manifest without the manifest: entries are added in the order of their paths.
pub struct Sum {
    hasher: blake3::Hasher,
    /// Many entries at a time: the digest of large pieces is several times as fast.
    pending: Vec<u8>,
}

const PIECE: usize = 16 * 1024;

impl Sum {
    pub fn new() -> Self {
        let hasher = blake3::Hasher::new_derive_key("pipec manifest digest v1");
        Self {
            hasher,
            pending: Vec::with_capacity(PIECE + 512),
        }
    }

    pub fn add(&mut self, path: &[u8], kind: EntryKind, digest: Digest) {
        self.pending
            .extend_from_slice(&(path.len() as u64).to_le_bytes());
        self.pending.extend_from_slice(path);
        self.pending.push(kind.code());
        self.pending.extend_from_slice(&digest.0);
        if self.pending.len() >= PIECE {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
    }

    pub fn finish(mut self) -> Digest {
        self.hasher.update(&self.pending);
        Digest(*self.hasher.finalize().as_bytes())
    }
}

impl Default for Sum {
    fn default() -> Self {
        Self::new()
    }
}

fn decode_entry(rest: &mut &[u8]) -> Option<Entry> {
    let length = usize::try_from(u64::from_le_bytes(take(rest)?)).ok()?;
    let (path, after) = rest.split_at_checked(length)?;
    *rest = after;
    if !is_safe(path) {
        return None;
    }
    let [code] = take(rest)?;
    Some(Entry {
        path: path.into(),
        kind: EntryKind::from_code(code)?,
        digest: Digest(take(rest)?),
        mode: u32::from_le_bytes(take(rest)?) & 0o777,
        size: u64::from_le_bytes(take(rest)?),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// A path that stays below the folder it is joined to, links aside.
fn is_safe(path: &[u8]) -> bool {
    !path.contains(&0)
        && path
            .split(|byte| *byte == b'/')
            .all(|name| !matches!(name, b"" | b"." | b".."))
}

/// What is different in `after`, by path.
pub fn differences(before: &Manifest, after: &Manifest) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut old = before.entries.iter().peekable();
    let mut push = |path: &[u8], change| {
        found.push(Difference {
            path: path.into(),
            change,
        });
    };
    for entry in &after.entries {
        while let Some(gone) = old.next_if(|old| old.path < entry.path) {
            push(&gone.path, Change::Removed);
        }
        match old.next_if(|old| old.path == entry.path) {
            Some(same) if same.means_the_same(entry) => {}
            Some(was) => push(&entry.path, change_between(was.kind, entry.kind)),
            None => push(&entry.path, Change::Added),
        }
    }
    for gone in old {
        push(&gone.path, Change::Removed);
    }
    found
}

fn change_between(before: EntryKind, after: EntryKind) -> Change {
    match (before, after) {
        (EntryKind::Missing, _) => Change::Added,
        (_, EntryKind::Missing) => Change::Removed,
        _ => Change::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, text: &str) -> Entry {
        Entry {
            path: path.as_bytes().into(),
            kind: EntryKind::File,
            digest: Digest::of(text.as_bytes()),
            mode: 0o644,
            size: text.len() as u64,
        }
    }

    fn decode(bytes: &[u8]) -> Result<Manifest> {
        Manifest::decode(bytes, Path::new("m"))
    }

    #[test]
    fn what_was_written_is_read_back() {
        let manifest = Manifest::new(vec![entry("b", "2"), entry("a\n\u{1F600}/c", "1")]);
        assert_eq!(decode(&manifest.encode()).unwrap(), manifest);
    }

    #[test]
    fn sizes_that_nothing_can_have_add_up_all_the_same() {
        let mut entries = vec![entry("a", "1"), entry("b", "2")];
        for entry in &mut entries {
            entry.size = u64::MAX;
        }
        assert_eq!(Manifest::new(entries).bytes(), u64::MAX);
    }

    #[test]
    fn every_cut_of_a_manifest_is_refused() {
        let bytes = Manifest::new(vec![entry("a", "1"), entry("b", "2")]).encode();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for path in ["../a", "/a", "a/../b", "a//b", "", "a/.", "a\0b"] {
            let manifest = Manifest {
                entries: vec![entry(path, "x")],
            };
            assert!(decode(&manifest.encode()).is_err(), "{path:?}");
        }
    }

    #[test]
    fn nothing_lies_below_a_file() {
        let is_tree = |paths: &[&str]| {
            let entries = paths.iter().map(|path| entry(path, "x"));
            Manifest::new(entries.collect()).is_tree()
        };
        assert!(is_tree(&["a", "a-b", "a.b/c", "ab/c", "b/a"]));
        assert!(!is_tree(&["a", "a/b"]));
        assert!(!is_tree(&["a", "a-b", "a.b", "a/b/c"]));
    }

    #[test]
    fn a_folder_holds_what_lies_in_it_and_itself() {
        let paths = ["a/b/c", "a/b-d", "a-b/c", "b"];
        let manifest = Manifest::new(paths.map(|path| entry(path, "x")).into());
        for folder in ["a", "a/b", "a-b", "b", "a/b/c"] {
            assert!(manifest.holds(folder.as_bytes()), "{folder}");
        }
        for folder in ["a/b/c/d", "a/c", "a-", "c", "b/a"] {
            assert!(!manifest.holds(folder.as_bytes()), "{folder}");
        }
    }

    #[test]
    fn differences_name_each_path_once() {
        let before = Manifest::new(vec![entry("a", "1"), entry("b", "1"), entry("d", "1")]);
        let after = Manifest::new(vec![entry("a", "1"), entry("b", "2"), entry("c", "1")]);
        let found = differences(&before, &after);
        let shown: Vec<_> = found
            .iter()
            .map(|d| {
                (
                    String::from_utf8_lossy(&d.path).into_owned(),
                    d.change.name(),
                )
            })
            .collect();
        let expected = [("b", "changed"), ("c", "added"), ("d", "removed")];
        assert_eq!(
            shown,
            expected.map(|(path, change)| (path.to_owned(), change))
        );
    }

    #[test]
    fn exact_modes_do_not_enter_the_digest() {
        let mut other = entry("a", "1");
        other.mode = 0o600;
        assert_eq!(
            Manifest::new(vec![other]).digest(),
            Manifest::new(vec![entry("a", "1")]).digest()
        );
    }
}
