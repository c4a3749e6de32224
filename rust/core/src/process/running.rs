//! Runs one command to its end: reads what it writes, keeps its time, leaves nothing behind.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::Ended;
use super::command::Command;
use super::groups::Groups;
use super::names::signal_name;
use super::pipe::{above_streams, open_pipe};
use super::survivors::has_live_member;
use crate::clock::{Clock, milliseconds};

pub const TIMED_OUT: i32 = 124;
const SIGNALLED: i32 = 128;
const READ_SIZE: usize = 16384;
const POLL: Duration = Duration::from_millis(20);
/// How long a child in the background may hold the pipe after its shell has ended.
const PIPE_GRACE: Duration = Duration::from_secs(2);

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// What a shell says: 124 timed out, 128 plus a signal's number.
    pub code: i32,
    pub duration_ms: u64,
    pub signal: Option<String>,
    pub timed_out: bool,
    /// The command's process group if something in it lives on.
    pub group: Option<i32>,
}

/// The one place that starts processes for tasks.
pub struct Processes<'a> {
    groups: &'a Groups,
    clock: &'a dyn Clock,
    /// How long a process has between TERM and KILL.
    kill_grace: Duration,
    nothing: OwnedFd,
}

impl<'a> Processes<'a> {
    pub(crate) fn new(
        groups: &'a Groups,
        clock: &'a dyn Clock,
        kill_grace: Duration,
    ) -> io::Result<Self> {
        let nothing = above_streams(File::open("/dev/null")?.into())?;
        Ok(Self {
            groups,
            clock,
            kill_grace,
            nothing,
        })
    }

    /// Runs a command; `sink` gets its output as it comes, errors among it.
    ///
    /// Fails if it cannot be started.
    pub fn run(
        &self,
        command: &Command<'_>,
        sink: &mut dyn FnMut(&[u8]),
        limit: Option<Duration>,
    ) -> io::Result<Exit> {
        let started = self.clock.monotonic();
        let (reading, writing) = open_pipe()?;
        let streams = [
            (self.nothing.as_fd(), 0),
            (writing.as_fd(), 1),
            (writing.as_fd(), 2),
        ];
        let pid = command.start(&streams)?;
        self.groups.add(pid);
        let mut pipe = Pipe {
            reading: Some(reading),
            sink,
        };
        let waited = self.wait(pid, &mut pipe, limit.map(|limit| started + limit));
        // Until now it was open here as well: a command that ends lets go of its own streams first, and
        // nobody is to be woken for that and once more for its end.
        drop(writing);
        let waited = waited.and_then(|waited| self.drain(pid, &mut pipe).map(|()| waited));
        let (status, timed_out) = waited.inspect_err(|_| {
            // Only a fault of our own gets here: whatever it is, the command must not outlive it.
            self.groups.signal(pid, Signal::KILL);
        })?;
        let group = self.what_lives_on(pid);
        let duration_ms = milliseconds(self.clock.monotonic().saturating_sub(started));
        Ok(exit(status, duration_ms, timed_out, group))
    }

    /// Ends these groups: TERM, and KILL after the grace.
    pub fn end_groups(&self, leaders: &[i32]) {
        let mut live: Vec<Pid> = leaders
            .iter()
            .filter_map(|pid| Pid::from_raw(*pid))
            .collect();
        for leader in &live {
            self.groups.signal(*leader, Signal::TERM);
        }
        let deadline = self.clock.monotonic() + self.kill_grace;
        loop {
            live.retain(|leader| has_live_member(*leader));
            if live.is_empty() {
                break;
            }
            if self.clock.monotonic() >= deadline {
                for leader in &live {
                    self.groups.signal(*leader, Signal::KILL);
                }
                break;
            }
            std::thread::sleep(POLL);
        }
        for leader in leaders.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            self.groups.remove(leader);
        }
    }

    fn what_lives_on(&self, leader: Pid) -> Option<i32> {
        if has_live_member(leader) {
            return Some(leader.as_raw_pid());
        }
        self.groups.remove(leader);
        None
    }

    /// Waits for the command, and reads meanwhile; ends its group when time runs out.
    fn wait(
        &self,
        pid: Pid,
        pipe: &mut Pipe<'_>,
        deadline: Option<Duration>,
    ) -> io::Result<(Status, bool)> {
        let ended = Ended::of(pid)?;
        let child = Some(ended.descriptor());
        let mut timed_out = false;
        if !self.until(pipe, child, deadline)? {
            timed_out = true;
            self.groups.signal(pid, Signal::TERM);
            let end = self.clock.monotonic() + self.kill_grace;
            if !self.until(pipe, child, Some(end))? {
                self.groups.signal(pid, Signal::KILL);
                self.until(pipe, child, None)?;
            }
        }
        Ok((reap(pid)?, timed_out))
    }

    /// Reads what is left in the pipe; ends whoever holds it open for too long.
    fn drain(&self, pid: Pid, pipe: &mut Pipe<'_>) -> io::Result<()> {
        if pipe.reading.is_none() {
            return Ok(());
        }
        let now = self.clock.monotonic();
        if !self.until(pipe, None, Some(now + PIPE_GRACE))? {
            self.end_groups(&[pid.as_raw_pid()]);
            // What is in the pipe by now is all that counts.
            let now = self.clock.monotonic();
            self.until(pipe, None, Some(now + POLL))?;
        }
        Ok(())
    }

    /// Reads until the child has ended or, without one, until nobody holds the pipe. False: it is `end`.
    fn until(
        &self,
        pipe: &mut Pipe<'_>,
        child: Option<BorrowedFd<'_>>,
        end: Option<Duration>,
    ) -> io::Result<bool> {
        loop {
            if child.is_none() && pipe.reading.is_none() {
                return Ok(true);
            }
            let left = match end.map(|end| end.checked_sub(self.clock.monotonic())) {
                None => None,
                Some(Some(left)) if !left.is_zero() => Some(left),
                Some(_) => return Ok(false),
            };
            let (is_readable, has_ended) = look(pipe.reading.as_ref(), child, left)?;
            if is_readable {
                pipe.read()?;
            }
            if has_ended {
                return Ok(true);
            }
        }
    }
}

/// Waits for the pipe or the end of the child, and tells which it was.
fn look(
    pipe: Option<&OwnedFd>,
    child: Option<BorrowedFd<'_>>,
    left: Option<Duration>,
) -> io::Result<(bool, bool)> {
    let mut waiting = Vec::with_capacity(2);
    if let Some(pipe) = pipe {
        waiting.push(PollFd::new(pipe, PollFlags::IN));
    }
    if let Some(child) = child {
        waiting.push(PollFd::from_borrowed_fd(child, PollFlags::IN));
    }
    let timeout = left.and_then(|left| Timespec::try_from(left).ok());
    match poll(&mut waiting, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let is_ready = |number: usize| {
        let ready = waiting.get(number).map(PollFd::revents);
        ready.is_some_and(|ready| !ready.is_empty())
    };
    let of_child = usize::from(pipe.is_some());
    Ok((
        pipe.is_some() && is_ready(0),
        child.is_some() && is_ready(of_child),
    ))
}

/// The reading end: every chunk goes to the sink, in large pieces, never line by line.
struct Pipe<'a> {
    /// None once nobody holds the other end any more.
    reading: Option<OwnedFd>,
    sink: &'a mut dyn FnMut(&[u8]),
}

impl Pipe<'_> {
    fn read(&mut self) -> io::Result<()> {
        let Some(reading) = &self.reading else {
            return Ok(());
        };
        let mut buffer = [0; READ_SIZE];
        match rustix::io::read(reading, &mut buffer) {
            Ok(0) => self.reading = None,
            Ok(count) => (self.sink)(&buffer[..count]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

enum Status {
    Exited(i32),
    Signalled(i32),
}

fn reap(pid: Pid) -> io::Result<Status> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                return Ok(match status.terminating_signal() {
                    Some(number) => Status::Signalled(number),
                    None => Status::Exited(status.exit_status().unwrap_or(0)),
                });
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn exit(status: Status, duration_ms: u64, timed_out: bool, group: Option<i32>) -> Exit {
    let (code, signal) = match status {
        Status::Exited(code) => (code, None),
        Status::Signalled(number) => (SIGNALLED + number, Some(signal_name(number))),
    };
    Exit {
        code: if timed_out { TIMED_OUT } else { code },
        duration_ms,
        signal,
        timed_out,
        group,
    }
}
