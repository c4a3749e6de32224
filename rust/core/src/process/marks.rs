//! Marks: what tells the processes of a run, and of one of its tasks, from all others.
//!
//! A mark is a number in the soft limit of the locks on files, `RLIMIT_LOCKS`. That limit means nothing to
//! Linux since 2.4.25 (getrlimit(2): "Linux 2.4.0 to Linux 2.4.24"), but it is handed on to every child and
//! kept by every new program, whatever a process does to its session, its group, its parent and its
//! environment; and `/proc/PID/limits` shows it to everybody. The hard limit stays what it is, so that
//! whoever wants to can raise the soft one again.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Marks begin with this bit: no limit that somebody means is as large, but for "none" with all bits.
const IS_MARK: u64 = 1 << 62;
/// Below it, 40 bits that the system has drawn tell the run, and these the task.
const TASK_BITS: u32 = 22;
const TOKEN_BYTES: usize = 5;

/// The mark of a run or of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    /// The mark with this number.
    pub const fn numbered(number: u64) -> Self {
        Self(number)
    }

    /// What stands in the limit.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Whether a process with this limit belongs to the run, or to the task.
    pub(super) fn includes(self, limit: u64) -> bool {
        let is_of_run = self.0.trailing_zeros() >= TASK_BITS;
        limit == self.0 || (is_of_run && limit >> TASK_BITS == self.0 >> TASK_BITS)
    }
}

/// The marks of one run.
pub struct Marks {
    run: Mark,
    given: AtomicU64,
}

impl Marks {
    /// Draws the mark of a new run.
    pub fn draw() -> io::Result<Self> {
        let mut token = [0; size_of::<u64>()];
        File::open("/dev/urandom")?.read_exact(&mut token[..TOKEN_BYTES])?;
        let token = u64::from_le_bytes(token);
        Ok(Self {
            run: Mark(IS_MARK | token << TASK_BITS),
            given: AtomicU64::new(0),
        })
    }

    /// The mark of the run: whoever belongs to a task belongs to it.
    pub fn run(&self) -> Mark {
        self.run
    }

    /// A mark for one more task. The run has its own once there are no more.
    pub fn of_next_task(&self) -> Mark {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        if number >> TASK_BITS == 0 {
            Mark(self.run.0 | number)
        } else {
            self.run
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_what_its_tasks_have_and_a_task_only_its_own() {
        let (run, other) = (Marks::draw().unwrap(), Marks::draw().unwrap());
        let (a, b) = (run.of_next_task(), run.of_next_task());
        for mark in [run.run(), a, b] {
            assert!(run.run().includes(mark.number()));
            assert!(!other.run().includes(mark.number()));
        }
        assert!(a.includes(a.number()));
        assert!(!a.includes(b.number()));
        assert!(!a.includes(run.run().number()));
        assert!(!run.run().includes(u64::MAX));
        assert!(!run.run().includes(0));
    }

    #[test]
    fn who_comes_when_all_numbers_are_given_belongs_to_the_run() {
        let marks = Marks::draw().unwrap();
        marks.given.store((1 << TASK_BITS) - 2, Ordering::Relaxed);
        let last = marks.of_next_task();
        assert_ne!(last, marks.run());
        assert_eq!(marks.of_next_task(), marks.run());
        assert_eq!(marks.of_next_task(), marks.run());
    }
}
