//! The file system's own clock: which files may have been written after we looked.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::identity::{Identity, Kind};

/// File systems keep times in ticks. Linux's are 1 to 10 ms; this is on the safe side of them.
const TICK: i64 = 20_000_000;
/// Times that are whole seconds come from a file system that keeps nothing finer: FAT has 2 s.
const COARSE_TICK: i64 = 2_000_000_000;
/// Two writes one right after the other are no tick apart.
const FINER_THAN_ANY_TICK: i64 = 500_000;
const SECOND: i64 = 1_000_000_000;
/// A write sets the times when it begins, and one call may write a whole file: as long as it may take, at
/// 100 MB a second, nobody knows whether it is over.
const WRITING_A_BYTE: u64 = 10;

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
        identity.latest().saturating_add(writing(identity)) < self.0
    }
}

/// How long a write of all that a file holds may take.
fn writing(identity: &Identity) -> i64 {
    match identity.kind {
        Kind::File => {
            i64::try_from(identity.size.saturating_mul(WRITING_A_BYTE)).unwrap_or(i64::MAX)
        }
        Kind::Link | Kind::Folder | Kind::Special => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written_at_zero(kind: Kind, size: u64) -> Identity {
        Identity {
            kind,
            device: 1,
            inode: 1,
            size,
            mtime: 0,
            ctime: 0,
            mode: 0o644,
        }
    }

    #[test]
    fn a_large_file_may_still_be_being_written_when_a_small_one_is_done() {
        let a_tick_later = Stamp(TICK);
        let large = written_at_zero(Kind::File, 300_000_000);
        assert!(a_tick_later.is_clean(&written_at_zero(Kind::File, 10_000)));
        assert!(a_tick_later.is_clean(&written_at_zero(Kind::Folder, 300_000_000)));
        assert!(!a_tick_later.is_clean(&large));
        assert!(!Stamp(3 * SECOND).is_clean(&large));
        assert!(Stamp(3 * SECOND + 1).is_clean(&large));
        assert!(!Stamp(i64::MAX).is_clean(&written_at_zero(Kind::File, u64::MAX)));
    }
}
