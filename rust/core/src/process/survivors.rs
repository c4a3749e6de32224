//! Finds and ends what a run left behind.
//!
//! A process belongs to a run, or to a task, if it has its [`Mark`]. Where limits cannot be set or seen, it
//! does if it was started with the run's id in its environment, or if it is in the session of one of the
//! run's commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::marks::Mark;

const PAUSE: Duration = Duration::from_millis(10);
const MOST_ROUNDS: usize = 1000;

/// Kills every process of the run, or of one `task` of it, until none is left. The mark is that of the run
/// or of the task.
pub fn end_survivors(run_id: &str, task: Option<&str>, mark: Mark, sessions: &[i32]) {
    if !Path::new("/proc/self").is_dir() {
        for group in sessions.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        return;
    }
    let mut variables = vec![format!("PIPEC_RUN_ID={run_id}")];
    variables.extend(task.map(|task| format!("PIPEC_TASK={task}")));
    let mut known: BTreeSet<i32> = sessions.iter().copied().collect();
    let mut quiet = 0;
    for _ in 0..MOST_ROUNDS {
        let found = find_survivors(&variables, mark, &known);
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
fn find_survivors(variables: &[String], mark: Mark, sessions: &BTreeSet<i32>) -> Vec<(i32, i32)> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let mut found = Vec::new();
    for pid in processes().filter(|pid| *pid != own) {
        let Some(facts) = facts(pid).filter(Facts::is_alive) else {
            continue;
        };
        let is_of_run = sessions.contains(&facts.session)
            || limit_of(pid).is_some_and(|limit| mark.includes(limit))
            || has_variables(pid, variables);
        if is_of_run {
            found.push((pid, facts.session));
        }
    }
    found
}

/// The soft limit in which marks are; None if the process is gone, or has no such limit.
fn limit_of(pid: i32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let mut lines = limits.lines();
    let locks = lines.find_map(|line| line.strip_prefix("Max file locks"))?;
    locks.split_ascii_whitespace().next()?.parse().ok()
}

fn has_variables(pid: i32, variables: &[String]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let has = |variable: &String| {
        let mut pairs = environment.split(|byte| *byte == 0);
        pairs.any(|pair| pair == variable.as_bytes())
    };
    variables.iter().all(has)
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
        // After the parent.
        group: fields.nth(1)?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
    })
}
