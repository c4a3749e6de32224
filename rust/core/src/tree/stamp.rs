//! The file system's own clock: which files may have been written after we looked.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::identity::Identity;
use super::os::open_own;

#[cfg(target_os = "linux")]
#[path = "lease_linux.rs"]
mod lease;
#[cfg(not(target_os = "linux"))]
#[path = "lease_unix.rs"]
mod lease;

/// File systems keep times in ticks. Linux's are 1 to 10 ms; this is on the safe side of them.
const TICK: i64 = 20_000_000;
/// Times that are whole seconds come from a file system that keeps nothing finer: FAT has 2 s.
const COARSE_TICK: i64 = 2_000_000_000;
/// Two writes one right after the other are no tick apart.
const FINER_THAN_ANY_TICK: i64 = 500_000;
const TRIES: usize = 4;
const SECOND: i64 = 1_000_000_000;
/// A write sets the times when it begins, and a store through a mapping sets them when it is the first since
/// the page was last on the disk. Bytes may come this much later: a write is 2 GiB at most and may have to
/// wait for a processor, for memory or for what it reads from; a changed page is written within 35 seconds.
const YOUNG: i64 = 60 * SECOND;

/// A moment on the file system's clock, taken before files were looked at.
///
/// A file whose times are all before it is *clean*: any write after our look would have changed them.
/// One whose times are not might be written again within the same tick, and must be read next time
/// (git's racily clean entries).
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// A tick before that moment.
    before: i64,
    /// The one whose clock it is from. None: of every device.
    device: Option<u64>,
}

impl Stamp {
    /// Before every file: nothing is clean. For when there is no place to ask the file system's clock.
    pub const NEVER: Self = Self {
        before: i64::MIN,
        device: None,
    };

    /// After every file: everything is clean.
    #[cfg(test)]
    pub const ALWAYS: Self = Self {
        before: i64::MAX,
        device: None,
    };

    /// Writes to a file of ours in `folder` and reads the time that it got.
    pub fn now(folder: &Path) -> io::Result<Self> {
        let mut file = open_own(&folder.join("stamp"))?;
        file.write_all(b".")?;
        let Identity { mtime, device, .. } = Identity::of_file(&file)?;
        let tick = if mtime % SECOND == 0 {
            COARSE_TICK
        } else {
            TICK
        };
        Ok(Self {
            before: mtime.saturating_sub(tick),
            device: Some(device),
        })
    }

    /// The device of `folder`, if its file system never gives one time to what was written before a look
    /// and after it: to files, and to folders in which something came or went.
    ///
    /// Times as fine as the clock are such, and those that Linux makes finer for files that were looked at.
    pub fn finest_on(folder: &Path) -> Option<u64> {
        // Whoever is kept waiting between two looks cannot tell, and asks once more.
        (0..TRIES).find_map(|_| finest_once(folder))
    }

    /// On other devices than its own only what is old: they may keep time in longer ticks, or by the clock of
    /// another machine.
    pub fn is_clean(self, identity: &Identity) -> bool {
        let is_here = self.device.is_none_or(|device| device == identity.device);
        (is_here && identity.latest() < self.before) || self.is_long_after(identity)
    }

    /// Whether what a file holds is what this identity will always stand for.
    ///
    /// A write that is not over yet may have set the times already. So for a file that was written not long
    /// ago it takes that nobody had it open for writing just before it was read: whoever opens it later sets
    /// later times.
    pub fn settles(self, identity: &Identity, has_no_writer: impl FnOnce() -> bool) -> bool {
        self.is_clean(identity) && (self.is_long_after(identity) || has_no_writer())
    }

    /// Whether every write that set these times, or earlier ones, was over by now.
    pub fn is_long_after(self, identity: &Identity) -> bool {
        identity.latest() < self.before.saturating_sub(YOUNG)
    }
}

fn finest_once(folder: &Path) -> Option<u64> {
    let path = folder.join("stamp");
    let file = open_own(&path).ok()?;
    let write = || {
        (&file).write_all(b".").ok()?;
        Identity::of_file(&file).ok()
    };
    let held = File::open(folder).ok()?;
    let linked = folder.join("stamp-linked");
    // A crash may have left it.
    let _ = fs::remove_file(&linked);
    let look = || Identity::of_file(&held).ok();
    let files = [write()?, write()?, write()?];
    // Another name, not another file: that would have to be removed again.
    fs::hard_link(&path, &linked).ok()?;
    let after_link = look()?;
    fs::remove_file(&linked).ok()?;
    let after_removal = look()?;
    let is_fine =
        |a: &Identity, b: &Identity| a.mtime < b.mtime && b.mtime - a.mtime < FINER_THAN_ANY_TICK;
    let [first, second, third] = &files;
    let are_fine =
        is_fine(first, second) && is_fine(second, third) && is_fine(&after_link, &after_removal);
    are_fine.then_some(first.device)
}

/// Whether nobody has a file open for writing, a mapping into memory included. False too if nobody can say.
pub fn has_no_writer(file: &File) -> bool {
    lease::has_no_writer(file)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn opened(options: &mut OpenOptions, path: &Path) -> File {
        options.open(path).unwrap()
    }

    #[test]
    fn a_young_file_settles_only_when_nobody_has_it_open_for_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        let file = opened(OpenOptions::new().read(true), &path);
        let identity = Identity::of_file(&file).unwrap();
        let later = |nanoseconds| Stamp {
            before: identity.latest() + nanoseconds,
            device: Some(identity.device),
        };
        assert!(!later(0).settles(&identity, || has_no_writer(&file)));
        let reader = opened(OpenOptions::new().read(true), &path);
        assert!(later(1).settles(&identity, || has_no_writer(&file)));
        let writer = opened(OpenOptions::new().append(true), &path);
        assert!(!later(1).settles(&identity, || has_no_writer(&file)));
        assert!(!later(YOUNG).settles(&identity, || has_no_writer(&file)));
        assert!(later(YOUNG + 1).settles(&identity, || has_no_writer(&file)));
        drop(writer);
        assert!(later(1).settles(&identity, || has_no_writer(&file)));
        drop(reader);
    }

    #[test]
    fn by_the_clock_of_another_device_only_what_is_old_is_clean() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        let identity = Identity::of_file(&File::open(&path).unwrap()).unwrap();
        let stamp = |device, nanoseconds| Stamp {
            before: identity.latest() + nanoseconds,
            device: Some(device),
        };
        let (here, elsewhere) = (identity.device, identity.device + 1);
        assert!(stamp(here, 1).is_clean(&identity));
        assert!(!stamp(elsewhere, 1).is_clean(&identity));
        assert!(!stamp(elsewhere, YOUNG).is_clean(&identity));
        assert!(!stamp(elsewhere, YOUNG).settles(&identity, || true));
        assert!(stamp(elsewhere, YOUNG + 1).is_clean(&identity));
        assert!(stamp(elsewhere, YOUNG + 1).settles(&identity, || false));
    }

    #[test]
    fn whoever_opens_a_file_for_writing_while_it_is_asked_about_notices_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        let file = opened(OpenOptions::new().read(true), &path);
        let asking = std::thread::spawn(move || {
            for _ in 0..20_000 {
                has_no_writer(&file);
            }
            file
        });
        // An open that a lease is in the way of would fail, or wait for longer than the test may take.
        while !asking.is_finished() {
            drop(opened(OpenOptions::new().write(true), &path));
        }
        let file = asking.join().unwrap();
        assert!(has_no_writer(&file));
    }
}
