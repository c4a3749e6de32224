//! The end of a run from outside: a signal, or a reader of our output that went away.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libc::c_int;
use rustix::process::Signal;

use crate::process::{Groups, leave, signal_name};

/// The signals that end a run. A terminal that closes ends it as TERM does.
pub(super) const HANDLED: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// The first signal asks every command to end, and kills it after the grace. The second kills at once,
/// the third ends pipec where it stands.
#[derive(Default)]
pub(super) struct Interrupt {
    inner: Mutex<Inner>,
    begun: Condvar,
}

#[derive(Default)]
struct Inner {
    number: Option<c_int>,
    count: u32,
}

impl Interrupt {
    /// Whether the run is to end.
    pub(super) fn is_requested(&self) -> bool {
        self.lock().number.is_some()
    }

    /// Exit status and name of what ended the run.
    pub(super) fn cause(&self) -> Option<(u8, String)> {
        let number = self.lock().number?;
        Some((exit_code(number), signal_name(number)))
    }

    /// Waits this long for the run to be ended, and gives whether it was.
    pub(super) fn is_requested_within(&self, time: Duration) -> bool {
        let inner = self.lock();
        if time.is_zero() {
            return inner.number.is_some();
        }
        let waited = self
            .begun
            .wait_timeout_while(inner, time, |inner| inner.number.is_none());
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.number.is_some()
    }

    /// Ends the run, more firmly each time. True the first time.
    pub(super) fn begin(&self, number: c_int, groups: &Groups) -> bool {
        let mut inner = self.lock();
        inner.count += 1;
        if inner.count > 2 {
            leave(c_int::from(exit_code(number)));
        }
        if inner.number.is_some() {
            groups.signal_all(Signal::KILL);
            return false;
        }
        inner.number = Some(number);
        let asked = if number == libc::SIGINT {
            Signal::INT
        } else {
            Signal::TERM
        };
        groups.signal_all(asked);
        self.begun.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exit_code(number: c_int) -> u8 {
    match number {
        libc::SIGINT => 130,
        libc::SIGPIPE => 141,
        _ => 143,
    }
}
