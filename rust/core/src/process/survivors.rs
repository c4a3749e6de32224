//! Finds and ends what a run left behind.
//!
//! A process belongs to a run if it was started with the run's id in its environment, or if it is in the
//! session of one of the run's commands. Where pipec adopts what loses its parent, it belongs to the run as
//! well if it has become a child of pipec without having been started as one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

const PAUSE: Duration = Duration::from_millis(10);
const MOST_ROUNDS: usize = 1000;

/// From now on what a task has started and left without a parent becomes a child of this process, and is
/// found as such: whatever it has done to its session, its group and its environment. Linux only.
pub fn adopt_orphans() {
    // What cannot be found by this is found by the run's id in its environment, if it is there.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills every process of the run, or of one `task` of it, until none is left.
pub fn end_survivors(run_id: &str, sessions: &[i32], task: Option<&str>) {
    end(run_id, sessions, task, None);
}

/// Kills every process of the run, and whatever was adopted, until none is left but the `watcher`.
///
/// Only for a process that has no other children with sessions of their own.
pub fn end_survivors_and_orphans(run_id: &str, sessions: &[i32], watcher: Option<i32>) {
    let own = rustix::process::getpid().as_raw_pid();
    let orphans = facts(own).map(|facts| Orphans {
        parent: own,
        session: facts.session,
        watcher,
    });
    end(run_id, sessions, None, orphans.as_ref());
}

/// What tells an adopted process from those that pipec has started and needs.
struct Orphans {
    parent: i32,
    /// What is in pipec's own session it has started itself.
    session: i32,
    watcher: Option<i32>,
}

impl Orphans {
    fn has(&self, pid: i32, facts: &Facts) -> bool {
        facts.parent == self.parent && facts.session != self.session && self.watcher != Some(pid)
    }
}

fn end(run_id: &str, sessions: &[i32], task: Option<&str>, orphans: Option<&Orphans>) {
    if !Path::new("/proc/self").is_dir() {
        for group in sessions.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        return;
    }
    let mut marks = vec![format!("PIPEC_RUN_ID={run_id}")];
    marks.extend(task.map(|task| format!("PIPEC_TASK={task}")));
    let mut known: BTreeSet<i32> = sessions.iter().copied().collect();
    let mut quiet = 0;
    for _ in 0..MOST_ROUNDS {
        let found = find_survivors(&marks, &known, orphans);
        // A command that nobody had time to tell of: its session may hold what hides its origin.
        known.extend(
            found
                .iter()
                .filter(|(pid, session)| pid == session)
                .map(|(pid, _)| *pid),
        );
        // A process that forks while /proc is read may be missed once, not twice.
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        if quiet > 1 {
            return;
        }
        for pid in found.iter().filter_map(|(pid, _)| Pid::from_raw(*pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        if !found.is_empty() {
            sleep(PAUSE);
        }
    }
}

/// The live processes of the run with their sessions, this one excepted.
fn find_survivors(
    marks: &[String],
    sessions: &BTreeSet<i32>,
    orphans: Option<&Orphans>,
) -> Vec<(i32, i32)> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let mut found = Vec::new();
    for pid in processes().filter(|pid| *pid != own) {
        let Some(facts) = facts(pid).filter(Facts::is_alive) else {
            continue;
        };
        let is_orphan = orphans.is_some_and(|orphans| orphans.has(pid, &facts));
        if is_orphan || sessions.contains(&facts.session) || has_marks(pid, marks) {
            found.push((pid, facts.session));
        }
    }
    found
}

fn has_marks(pid: i32, marks: &[String]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let has = |mark: &String| {
        let mut pairs = environment.split(|byte| *byte == 0);
        pairs.any(|pair| pair == mark.as_bytes())
    };
    marks.iter().all(has)
}

/// Whether a process group has a member that is not a zombie.
pub(super) fn has_live_member(group: Pid) -> bool {
    match test_kill_process_group(group) {
        Err(Errno::SRCH) => return false,
        Err(Errno::PERM) => return true,
        _ => {}
    }
    if !Path::new("/proc/self").is_dir() {
        return true;
    }
    // Without a process 1 that reaps, the dead stay in the group for good.
    processes().any(|pid| {
        facts(pid).is_some_and(|facts| facts.group == group.as_raw_pid() && facts.is_alive())
    })
}

fn processes() -> impl Iterator<Item = i32> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

struct Facts {
    state: u8,
    parent: i32,
    group: i32,
    session: i32,
}

impl Facts {
    fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }
}

/// None if the process is gone.
fn facts(pid: i32) -> Option<Facts> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, brackets and spaces included.
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let text = std::str::from_utf8(&text[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    Some(Facts {
        state: *fields.next()?.as_bytes().first()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
    })
}
