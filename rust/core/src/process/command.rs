//! A command, and starting it.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::process::Pid;

use super::os::{Start, spawn};
use super::programs::find_program;

/// What to start, and where.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    pub argv: &'a [String],
    pub cwd: &'a Path,
    pub env: &'a BTreeMap<String, String>,
}

impl Command<'_> {
    /// Starts the program, looked up in the PATH of the command's own environment.
    pub(super) fn start(
        &self,
        streams: &[(BorrowedFd<'_>, i32)],
        own_session: bool,
    ) -> io::Result<Pid> {
        let name = self.argv.first().map_or("", String::as_str);
        let argv = self.argv.iter().map(|word| text(word));
        let argv = argv.collect::<io::Result<Vec<_>>>()?;
        let env = self.env.iter().map(|(name, value)| pair(name, value));
        let env = env.collect::<io::Result<Vec<_>>>()?;
        let cwd = CString::new(self.cwd.as_os_str().as_encoded_bytes())?;
        let search = self.env.get("PATH").map(String::as_str);
        let pid = match find_program(name, search, self.cwd) {
            Some(program) => spawn(&Start {
                program: &CString::new(program.as_os_str().as_encoded_bytes())?,
                argv: &argv,
                env: &env,
                cwd: &cwd,
                streams,
                own_session,
            })?,
            None => return Err(self.why_not(name, search)),
        };
        Pid::from_raw(pid).ok_or_else(|| io::Error::other("a process without an id"))
    }

    /// What the system says of a program that is not there, or that is no program.
    fn why_not(&self, name: &str, search: Option<&str>) -> io::Error {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let found = if name.contains('/') {
            is_there(&self.cwd.join(name))
        } else {
            let mut places = search.unwrap_or_default().split(':');
            places.any(|place| !name.is_empty() && is_there(&self.cwd.join(place).join(name)))
        };
        io::Error::from_raw_os_error(if found { libc::EACCES } else { libc::ENOENT })
    }
}

fn text(text: &str) -> io::Result<CString> {
    CString::new(text)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "embedded null byte"))
}

fn pair(name: &str, value: &str) -> io::Result<CString> {
    let mut text = String::with_capacity(name.len() + 1 + value.len());
    text.push_str(name);
    text.push('=');
    text.push_str(value);
    self::text(&text)
}
