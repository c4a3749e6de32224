//! The process groups of the commands that run now, and signals to all of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use super::watcher::{Slot, Watched};

/// Every command has a group and session of its own; the id is that of its first process.
pub(crate) struct Groups {
    watched: Watched,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    live: BTreeMap<i32, Slot>,
    /// What a group gets that starts when all others are asked to end.
    closing: Option<Signal>,
}

impl Groups {
    pub(crate) fn new(watched: Watched) -> Self {
        Self {
            watched,
            inner: Mutex::default(),
        }
    }

    /// A new group.
    pub(super) fn add(&self, leader: Pid) {
        let slot = self.watched.add(leader);
        let mut inner = self.lock();
        inner.live.insert(leader.as_raw_pid(), slot);
        if let Some(number) = inner.closing {
            let _ = kill_process_group(leader, number);
        }
    }

    /// The group is gone.
    pub(super) fn remove(&self, leader: Pid) {
        let slot = self.lock().live.remove(&leader.as_raw_pid());
        if let Some(slot) = slot {
            self.watched.remove(slot);
        }
    }

    /// A signal to one of them; nothing happens if it is gone, or is not ours any more.
    pub(super) fn signal(&self, leader: Pid, number: Signal) {
        if self.lock().live.contains_key(&leader.as_raw_pid()) {
            let _ = kill_process_group(leader, number);
        }
    }

    /// A signal to all of them, and to each that starts from now on.
    pub(crate) fn signal_all(&self, number: Signal) {
        let mut inner = self.lock();
        inner.closing = Some(number);
        for leader in inner.live.keys().filter_map(|pid| Pid::from_raw(*pid)) {
            let _ = kill_process_group(leader, number);
        }
    }

    /// The groups that are registered now.
    pub(crate) fn live(&self) -> Vec<i32> {
        self.lock().live.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
