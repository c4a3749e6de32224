//! A command, and starting it.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::process::Pid;

use super::marks::Mark;
use super::start::{Launch, Place};

/// What to start, and where.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    pub argv: &'a [String],
    pub cwd: &'a Path,
    pub env: &'a BTreeMap<String, String>,
    /// None: it belongs to no run.
    pub mark: Option<Mark>,
}

impl Command<'_> {
    /// Starts the program in a session of its own, looked up in the PATH of the command's own environment.
    pub(super) fn start(&self, streams: &[(BorrowedFd<'_>, i32)]) -> io::Result<Pid> {
        let argv = self.argv.iter().map(|word| text(word));
        let argv = argv.collect::<io::Result<Vec<_>>>()?;
        let env = self.env.iter().map(|(name, value)| pair(name, value));
        let env = env.collect::<io::Result<Vec<_>>>()?;
        let streams: Vec<_> = streams
            .iter()
            .map(|(stream, number)| (stream.as_raw_fd(), *number))
            .collect();
        let launch = Launch {
            argv: &argv,
            env: &env,
            cwd: self.cwd,
            streams: &streams,
            place: Place::OwnSession,
            mark: self.mark,
        };
        launch.start()
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
