//! The file system's own clock: which files may have been written after we looked.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::identity::Identity;

/// File systems keep times in ticks. Linux's are 1 to 10 ms; this is on the safe side of them.
const TICK: i64 = 20_000_000;
/// Times that are whole seconds come from a file system that keeps nothing finer: FAT has 2 s.
const COARSE_TICK: i64 = 2_000_000_000;
/// Two writes one right after the other are no tick apart.
const FINER_THAN_ANY_TICK: i64 = 500_000;
const SECOND: i64 = 1_000_000_000;

/// A moment on the file system's clock, taken before files were looked at.
///
/// A file whose times are all before it is *clean*: any write after our look would have changed them.
/// One whose times are not might be written again within the same tick, and must be read next time
/// (git's racily clean entries).
#[derive(Clone, Copy, Debug)]
pub struct Stamp(i64);

impl Stamp {
    /// Before every file: nothing is clean. For when there is no place to ask the file system's clock.
    pub const NEVER: Self = Self(i64::MIN);

    /// After every file: everything is clean.
    #[cfg(test)]
    pub const ALWAYS: Self = Self(i64::MAX);

    /// Writes to a file of ours in `folder` and reads the time that it got.
    pub fn now(folder: &Path) -> io::Result<Self> {
        let path = folder.join("stamp");
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        file.write_all(b".")?;
        let time = Identity::of_file(&file)?.mtime;
        let tick = if time % SECOND == 0 {
            COARSE_TICK
        } else {
            TICK
        };
        Ok(Self(time.saturating_sub(tick)))
    }

    /// The device of `folder`, if its file system never gives one time to what was written before a look
    /// and after it.
    ///
    /// Times as fine as the clock are such, and those that Linux makes finer for files that were looked at.
    pub fn finest_on(folder: &Path) -> Option<u64> {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(folder.join("stamp"))
            .ok()?;
        let look = || {
            (&file).write_all(b".").ok()?;
            Identity::of_file(&file).ok()
        };
        let (first, second, third) = (look()?, look()?, look()?);
        let is_fine = |a: i64, b: i64| a < b && b - a < FINER_THAN_ANY_TICK;
        (is_fine(first.mtime, second.mtime) && is_fine(second.mtime, third.mtime))
            .then_some(first.device)
    }

    pub fn is_clean(self, identity: &Identity) -> bool {
        identity.latest() < self.0
    }
}
