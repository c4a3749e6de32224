//! Pipes that a new process may have an end of.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::fcntl_dupfd_cloexec;

/// Descriptors below this one are what new processes call their own streams: three, and the table of sessions.
const LOWEST: i32 = 4;

/// Both ends, not to be seen by any process that is not given one on purpose.
pub(super) fn open_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let (reading, writing) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    #[cfg(not(target_os = "linux"))]
    let (reading, writing) = rustix::pipe::pipe()?;
    #[cfg(not(target_os = "linux"))]
    for end in [&reading, &writing] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((above_streams(reading)?, above_streams(writing)?))
}

/// The same under a number that is nobody's stream: a process whose own streams are closed gets low ones.
pub(super) fn above_streams(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() >= LOWEST {
        return Ok(fd);
    }
    Ok(fcntl_dupfd_cloexec(&fd, LOWEST)?)
}

pub(super) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = fcntl_getfl(&fd)?;
    Ok(fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?)
}

/// A pipe that a handler of signals writes to: it must neither wait there nor have the reader wait.
pub(crate) fn signal_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reading, writing) = open_pipe()?;
    set_nonblocking(&reading)?;
    set_nonblocking(&writing)?;
    Ok((reading, writing))
}
