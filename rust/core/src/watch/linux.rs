//! Events of folders on Linux: inotify, a watch for each folder and none for what lies below it.

use std::collections::HashSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Everything after which a file may be another one. Reading is not among it: to look wakes nobody.
const EVENTS: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Readable as soon as something happened in one of the folders.
pub struct FolderEvents {
    descriptor: OwnedFd,
    watches: Mutex<HashSet<i32>>,
}

impl FolderEvents {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            descriptor: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?,
            watches: Mutex::default(),
        })
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Listens to a folder as well; gives whether it did not before. A folder that is gone is none.
    pub fn add(&self, folder: &Path) -> io::Result<bool> {
        // It is asked for each folder each time: a name may stand for another folder by now.
        match inotify::add_watch(&self.descriptor, folder, EVENTS) {
            Ok(watch) => Ok(self.lock().insert(watch)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether anything happened since the last call.
    pub fn take(&self) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); 16384];
        let mut reader = Reader::new(&self.descriptor, &mut buffer);
        let mut has_happened = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    has_happened = true;
                    if event.events().contains(ReadFlags::IGNORED) {
                        self.lock().remove(&event.wd());
                    }
                }
                Err(Errno::AGAIN) => return Ok(has_happened),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<i32>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_happens_in_a_folder_is_heard_once_and_reading_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let events = FolderEvents::new().unwrap();
        assert!(events.add(folder.path()).unwrap());
        assert!(!events.add(folder.path()).unwrap());
        assert!(!events.take().unwrap());
        fs::write(folder.path().join("a"), "text").unwrap();
        assert!(events.take().unwrap());
        assert!(!events.take().unwrap());
        fs::read(folder.path().join("a")).unwrap();
        fs::read_dir(folder.path()).unwrap().for_each(drop);
        assert!(!events.take().unwrap());
    }

    #[test]
    fn a_folder_that_comes_again_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        let events = FolderEvents::new().unwrap();
        assert!(!events.add(&below).unwrap());
        fs::create_dir(&below).unwrap();
        assert!(events.add(&below).unwrap());
        fs::remove_dir(&below).unwrap();
        fs::create_dir(&below).unwrap();
        assert!(events.take().unwrap());
        assert!(events.add(&below).unwrap());
        fs::write(below.join("a"), "text").unwrap();
        assert!(events.take().unwrap());
    }
}
