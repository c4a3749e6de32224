//! What the file system says about a file without opening it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

use super::os::identity_of_open;

/// What kind of thing a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Link,
    Folder,
    /// A socket, a pipe, a device: nothing that has contents to keep.
    Special,
}

/// A file that has the same identity as before has the same contents, unless it was written within
/// one tick of the file system's clock of when the identity was taken: see `Stamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub kind: Kind,
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub mtime: i64,
    pub ctime: i64,
    /// Permission bits, `0o7777`.
    pub mode: u32,
}

impl Identity {
    pub fn of_file(file: &File) -> io::Result<Self> {
        identity_of_open(file)
    }

    /// The same as far as a copy of a tree keeps it: a checkout that was restored elsewhere has other
    /// devices, inodes and change times.
    pub fn resembles(&self, other: &Self) -> bool {
        let kept = |identity: &Self| (identity.kind, identity.size, identity.mtime, identity.mode);
        kept(self) == kept(other)
    }

    /// Any of the execute bits: what an input's executable bit means.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }

    /// The later of the two times: ctime alone would do, but some file systems do not keep it.
    pub fn latest(&self) -> i64 {
        self.mtime.max(self.ctime)
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        Self {
            kind: if kind.is_file() {
                Kind::File
            } else if kind.is_symlink() {
                Kind::Link
            } else if kind.is_dir() {
                Kind::Folder
            } else {
                Kind::Special
            },
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            mode: metadata.mode() & 0o7777,
        }
    }
}

pub(super) fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two identities that only one thing tells apart: files made in one tick, in folders that changed
    /// places, have nothing but their inodes.
    #[test]
    fn whatever_is_another_makes_another_identity() {
        let identity = Identity::from(&std::fs::metadata(".").unwrap());
        let others = [
            Identity {
                kind: Kind::Special,
                ..identity
            },
            Identity {
                device: identity.device + 1,
                ..identity
            },
            Identity {
                inode: identity.inode + 1,
                ..identity
            },
            Identity {
                size: identity.size + 1,
                ..identity
            },
            Identity {
                mtime: identity.mtime + 1,
                ..identity
            },
            Identity {
                ctime: identity.ctime + 1,
                ..identity
            },
            Identity {
                mode: identity.mode ^ 1,
                ..identity
            },
        ];
        let alike: Vec<bool> = others
            .iter()
            .map(|other| identity.resembles(other))
            .collect();
        assert!(others.iter().all(|other| *other != identity));
        assert_eq!(alike, [false, true, true, false, false, true, false]);
    }
}
