//! Hearing of the end of a process where processes are no descriptors: a thread waits for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use rustix::pipe::pipe;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// Readable as soon as the process has ended.
pub(super) struct Ended(OwnedFd);

impl Ended {
    pub(super) fn of(pid: Pid) -> io::Result<Self> {
        let (reading, writing) = pipe()?;
        thread::Builder::new().spawn(move || {
            // It stays to be reaped: whoever reads the pipe does that.
            let _ = waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            );
            drop(writing);
        })?;
        Ok(Self(reading))
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
