//! Whether anybody could be writing to a file right now: Linux tells, to the owner of the file.
//!
//! The kernel grants a lease for reading only if nobody has the file open for writing, a mapping into
//! memory included, and it is given back at once. An open for writing that falls between the two calls
//! waits for the second. The signal that it would send us is one that nobody takes notice of.

#![allow(
    unsafe_code,
    reason = "the operating system's calls on descriptors that the standard library lacks"
)]

use std::fs::File;
use std::os::fd::AsRawFd;

use libc::{F_RDLCK, F_SETLEASE, F_UNLCK, SIGURG, c_int};

/// From Linux's `fcntl.h`; the crate `libc` has it for some machines only.
const F_SETSIG: c_int = 10;

/// False too if nobody can say: the file is somebody else's, or its file system has no leases.
pub(super) fn has_no_writer(file: &File) -> bool {
    let call = |command: c_int, argument: c_int| {
        // SAFETY: the descriptor is open as long as `file` is, and these commands take a number.
        unsafe { libc::fcntl(file.as_raw_fd(), command, argument) == 0 }
    };
    call(F_SETSIG, SIGURG) && call(F_SETLEASE, F_RDLCK) && call(F_SETLEASE, F_UNLCK)
}
