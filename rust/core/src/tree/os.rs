//! The calls to the operating system that the walk lives on: Unix; another system is another file.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

use super::identity::{Identity, Kind, nanoseconds};
use super::name::Name;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "list_linux.rs"]
mod list;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "list_unix.rs"]
mod list;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "times_linux.rs"]
mod times;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "times_unix.rs"]
mod times;

/// No following of links, no waiting at a pipe.
const TO_READ: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY);

/// What is there already is left alone, a link too.
const TO_CREATE: OFlags = OFlags::CREATE
    .union(OFlags::EXCL)
    .union(OFlags::WRONLY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Linux opens a place without the work of opening what is there.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PLACE: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PLACE: OFlags = OFlags::RDONLY;

/// A folder held open: names are looked up relative to it, however deep it lies.
pub struct Folder(OwnedFd);

/// A name in a folder, with its kind if the listing tells.
pub(super) struct Listed {
    pub name: Name,
    pub kind: Option<Kind>,
}

impl Folder {
    /// Opens a folder at a path below this one, to list it; a link to one is refused.
    pub(super) fn open_below(&self, path: &[u8]) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let path = OsStr::from_bytes(path);
        let opened = rustix::fs::openat(&self.0, path, flags, Mode::empty())?;
        Ok(Self(opened))
    }

    /// The project's folder itself, which may be reached through a link.
    pub fn open_root(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The project's folder itself, to reach what is below it.
    pub fn reach_root(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | PLACE;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a folder to reach files in it, not to list it; a link to one is refused.
    pub fn reach(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | PLACE;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The same for one at a path below this one.
    pub fn reach_below(&self, path: &[u8]) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | PLACE;
        let path = OsStr::from_bytes(path);
        let opened = rustix::fs::openat(&self.0, path, flags, Mode::empty())?;
        Ok(Self(opened))
    }

    /// Opens a file in the folder for reading, as `open_file` does.
    pub fn open_file(&self, name: &[u8]) -> io::Result<File> {
        let name = OsStr::from_bytes(name);
        let opened = rustix::fs::openat(&self.0, name, TO_READ, Mode::empty())?;
        Ok(File::from(opened))
    }

    /// Makes a file in the folder that is not there yet, for writing.
    pub fn create_file(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let name = OsStr::from_bytes(name);
        let mode = Mode::from_bits_truncate(mode as _);
        let opened = rustix::fs::openat(&self.0, name, TO_CREATE, mode)?;
        Ok(File::from(opened))
    }

    /// Everything in the folder, sorted by name, without `.` and `..`.
    pub(super) fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        list::each_entry(&self.0, |name, file_type| {
            if name != b"." && name != b".." {
                listed.push(Listed {
                    name: name.into(),
                    kind: kind_of(file_type),
                });
            }
        })?;
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// What the folder itself is.
    pub fn own_identity(&self) -> io::Result<Identity> {
        Ok(identity_of(&rustix::fs::fstat(&self.0)?))
    }

    /// What a path below the folder stands for, links not followed at its end. None if it is gone.
    pub(super) fn identity_at(&self, path: &CStr) -> io::Result<Option<Identity>> {
        match rustix::fs::statat(&self.0, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(identity_of(&stat))),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a name or a path below the folder stands for, links not followed at its end. None if it is gone.
    pub fn identity(&self, name: &[u8]) -> io::Result<Option<Identity>> {
        match rustix::fs::statat(&self.0, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(identity_of(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a folder's times tell that nothing was added to it, removed from it or renamed in it.
pub(super) fn keeps_folder_times(folder: &Folder) -> bool {
    times::keeps_folder_times(&folder.0)
}

fn kind_of(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Symlink => Some(Kind::Link),
        FileType::Directory => Some(Kind::Folder),
        FileType::Unknown => None,
        _ => Some(Kind::Special),
    }
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the fields' types differ from system to system"
)]
fn identity_of(stat: &Stat) -> Identity {
    let kind = kind_of(FileType::from_raw_mode(stat.st_mode as _)).unwrap_or(Kind::Special);
    Identity {
        kind,
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        size: stat.st_size as u64,
        mtime: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctime: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        mode: stat.st_mode as u32 & 0o7777,
    }
}

/// A path relative to `root`, from its bytes.
pub fn path_of(root: &Path, relative: &[u8]) -> PathBuf {
    if relative.is_empty() {
        root.to_path_buf()
    } else {
        root.join(OsStr::from_bytes(relative))
    }
}

/// Opens a file for reading. Not what a link leads to, and without waiting for anybody at the other end
/// of a pipe that took the file's place.
pub fn open_file(path: &Path) -> io::Result<File> {
    Ok(File::from(rustix::fs::open(path, TO_READ, Mode::empty())?))
}

/// The bytes of a file of ours. What is there instead of a file is not waited for, and no link is followed.
pub fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_file(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file of ours for writing, made if need be. What is there instead of a file is not waited for, and
/// no link is followed.
pub(super) fn open_own(path: &Path) -> io::Result<File> {
    open_own_with(path, OFlags::empty())
}

/// The same for adding to it.
pub(super) fn open_own_to_append(path: &Path) -> io::Result<File> {
    open_own_with(path, OFlags::APPEND)
}

fn open_own_with(path: &Path, how: OFlags) -> io::Result<File> {
    let flags = OFlags::CREATE
        | OFlags::WRONLY
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC
        | how;
    let mode = Mode::from_bits_truncate(0o666);
    let file = File::from(rustix::fs::open(path, flags, mode)?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no file"))
    }
}

/// What an open file is.
pub(super) fn identity_of_open(file: &File) -> io::Result<Identity> {
    Ok(identity_of(&rustix::fs::fstat(file)?))
}

/// The text of a link.
pub fn read_link(path: &Path) -> io::Result<Vec<u8>> {
    let text: &CStr = &rustix::fs::readlink(path, Vec::new())?;
    Ok(text.to_bytes().to_vec())
}

/// Whether a link leads to a folder. A broken one does not.
pub(super) fn is_link_to_folder(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
