//! Starting a program: looked up, in its place, with nothing but what it is given.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::Pid;

use super::marks::Mark;
use super::programs::find_program;
use super::spawn;

/// What to start, and where. Nothing else that is open here is open there.
pub struct Launch<'a> {
    /// The program, looked up in the PATH of `env`, and its arguments.
    pub argv: &'a [CString],
    /// Pairs of `NAME=value`.
    pub env: &'a [CString],
    pub cwd: &'a Path,
    /// Each with the number that it has in the new process: the same, or one that none of them has here. A
    /// stream that is not named is our own.
    pub streams: &'a [(RawFd, RawFd)],
    pub place: Place,
    /// None: it belongs to no run of this process.
    pub mark: Option<Mark>,
}

/// Where a new process belongs.
#[derive(Clone, Copy)]
pub enum Place {
    OwnSession,
    /// A group of our own session; 0 for a new one.
    Group(i32),
}

/// The same for the operating system.
pub(super) struct Start<'a> {
    /// The path of the program, as seen from `cwd`.
    pub(super) program: &'a CStr,
    pub(super) argv: &'a [CString],
    pub(super) env: &'a [CString],
    pub(super) cwd: &'a CStr,
    pub(super) streams: &'a [(RawFd, RawFd)],
    pub(super) place: Place,
    #[cfg(target_os = "linux")]
    pub(super) mark: Option<Mark>,
}

impl Launch<'_> {
    /// Starts the program.
    pub fn start(&self) -> io::Result<Pid> {
        let name = self.argv.first().map_or(&b""[..], |name| name.to_bytes());
        let name = OsStr::from_bytes(name);
        let mut pairs = self.env.iter().map(|pair| pair.to_bytes());
        let search = pairs.find_map(|pair| pair.strip_prefix(b"PATH="));
        let search = search.map(OsStr::from_bytes);
        let Some(program) = find_program(name, search, self.cwd) else {
            return Err(self.why_not(name, search));
        };
        let pid = spawn(&Start {
            program: &CString::new(program.as_os_str().as_bytes())?,
            argv: self.argv,
            env: self.env,
            cwd: &CString::new(self.cwd.as_os_str().as_bytes())?,
            streams: self.streams,
            place: self.place,
            #[cfg(target_os = "linux")]
            mark: self.mark,
        })?;
        Pid::from_raw(pid).ok_or_else(|| io::Error::other("a process without an id"))
    }

    /// What the system says of a program that is not there, or that is no program.
    fn why_not(&self, name: &OsStr, search: Option<&OsStr>) -> io::Error {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let found = if name.as_bytes().contains(&b'/') {
            is_there(&self.cwd.join(name))
        } else {
            let search = search.unwrap_or_default().as_bytes();
            let mut places = search.split(|byte| *byte == b':').map(OsStr::from_bytes);
            places.any(|place| !name.is_empty() && is_there(&self.cwd.join(place).join(name)))
        };
        io::Error::from_raw_os_error(if found { libc::EACCES } else { libc::ENOENT })
    }
}
