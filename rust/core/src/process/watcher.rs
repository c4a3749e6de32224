//! What ends the processes of a run when pipec itself is killed: one small process that watches it.
//!
//! The watcher is a shell that waits for the end of a pipe whose writing end only pipec has. Whatever
//! ends pipec closes it; no promise of the operating system about parents and grandchildren is needed.
//! Until then it costs nothing: which sessions there are stands in a file in memory, and nobody is woken
//! when it changes. Only when pipec is gone without a word does the shell become the program that looks
//! for what is left and ends it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::command::Command;
use super::pipe::{above_streams, open_pipe};

/// The number under which the program finds the table of sessions.
const TABLE: i32 = 3;
/// Every session has a line of this many bytes, filled up with spaces; `0` stands for none.
const LINE: u64 = 12;
const SCRIPT: &str = r#"trap "" INT TERM HUP; read -r word && exit 0; exec "$@""#;

/// The table of sessions: who writes there wakes nobody.
#[derive(Clone, Default)]
pub struct Watched(Option<Arc<Table>>);

struct Table {
    file: File,
    free: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    free: Vec<u64>,
    count: u64,
}

/// Where a session stands in the table.
pub struct Slot(u64);

impl Watched {
    /// A table in memory.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Some(Arc::new(Table {
            file: File::from(above_streams(memory_file()?)?),
            free: Mutex::default(),
        }))))
    }

    /// A session to end with the run. None for what can be no process.
    pub fn watch(&self, session: i32) -> Option<Slot> {
        Pid::from_raw(session).map(|session| self.add(session))
    }

    /// The session is over.
    pub fn forget(&self, slot: Slot) {
        self.remove(slot);
    }

    pub(super) fn add(&self, session: Pid) -> Slot {
        let Some(table) = &self.0 else {
            return Slot(0);
        };
        let line = {
            let mut lines = table.free.lock().unwrap_or_else(PoisonError::into_inner);
            lines.free.pop().unwrap_or_else(|| {
                lines.count += 1;
                lines.count - 1
            })
        };
        self.write(line, session.as_raw_pid());
        Slot(line)
    }

    pub(super) fn remove(&self, slot: Slot) {
        self.write(slot.0, 0);
        if let Some(table) = &self.0 {
            let mut lines = table.free.lock().unwrap_or_else(PoisonError::into_inner);
            lines.free.push(slot.0);
        }
    }

    fn write(&self, line: u64, session: i32) {
        if let Some(table) = &self.0 {
            // A session that is not in the table is found by the run's id in its environment.
            let _ = table
                .file
                .write_all_at(format!("{session:<11}\n").as_bytes(), line * LINE);
        }
    }
}

#[cfg(target_os = "linux")]
fn memory_file() -> io::Result<OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    Ok(rustix::fs::memfd_create("pipec-sessions", flags)?)
}

#[cfg(not(target_os = "linux"))]
fn memory_file() -> io::Result<OwnedFd> {
    let path = std::path::PathBuf::from(format!("/tmp/pipec-sessions-{}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file.into())
}

/// The watcher of one run, from its start to `stop`.
pub struct Watcher {
    pid: Pid,
    /// Closed by whatever ends pipec.
    _alive: OwnedFd,
}

impl Watcher {
    /// Starts watching. `program` with its arguments is what ends the run; it finds the table at
    /// descriptor 3. `env` is what it sees.
    pub fn start(
        watched: &Watched,
        program: &[String],
        env: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let (reading, writing) = open_pipe()?;
        let nothing = above_streams(File::options().write(true).open("/dev/null")?.into())?;
        let mut argv: Vec<String> = ["/bin/sh", "-c", SCRIPT, "sh"].map(str::to_owned).into();
        argv.extend_from_slice(program);
        let mut streams = vec![
            (reading.as_fd(), 0),
            (nothing.as_fd(), 1),
            (nothing.as_fd(), 2),
        ];
        if let Some(table) = &watched.0 {
            streams.push((table.file.as_fd(), TABLE));
        }
        let command = Command {
            argv: &argv,
            cwd: Path::new("/"),
            env,
            // It has to outlive what it ends, and an outer run that ends us.
            mark: None,
        };
        let pid = command.start(&streams)?;
        Ok(Self {
            pid,
            _alive: writing,
        })
    }

    /// The run is over, all is well.
    pub fn stop(self) {
        let _ = kill_process(self.pid, Signal::KILL);
        let _ = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED);
    }
}
