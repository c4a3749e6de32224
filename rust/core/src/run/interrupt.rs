//! The end of a run from outside: a signal, a reader of our output that went away, its time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libc::c_int;
use rustix::process::Signal;

use crate::process::{Groups, leave, signal_name};

/// The signals that end a run. A terminal that closes ends it as TERM does.
pub(super) const HANDLED: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// The first signal asks every command to end, and kills it after the grace. The second kills at once,
/// the third ends pipec where it stands. Time that ran out is as good as a first signal.
#[derive(Default)]
pub(super) struct Interrupt {
    inner: Mutex<Inner>,
    begun: Condvar,
}

#[derive(Default)]
struct Inner {
    cause: Option<Cause>,
    count: u32,
}

enum Cause {
    Signal(c_int),
    /// How long the run may take, in words.
    Limit(String),
}

/// What the record of a run that was ended says.
pub(super) struct End {
    pub(super) status: &'static str,
    pub(super) exit_code: u8,
    pub(super) reason: String,
}

impl Cause {
    fn end(&self) -> End {
        match self {
            Self::Signal(number) => End {
                status: "interrupted",
                exit_code: exit_code(*number),
                reason: signal_name(*number),
            },
            Self::Limit(limit) => End {
                status: "failed",
                exit_code: 1,
                reason: format!("timed out: {limit}"),
            },
        }
    }
}

impl Interrupt {
    /// Whether the run is to end.
    pub(super) fn is_requested(&self) -> bool {
        self.lock().cause.is_some()
    }

    /// How the run ends, if it is to end.
    pub(super) fn end(&self) -> Option<End> {
        self.lock().cause.as_ref().map(Cause::end)
    }

    /// Why a task was cancelled, or never started.
    pub(super) fn task_reason(&self) -> String {
        match &self.lock().cause {
            Some(cause @ Cause::Limit(_)) => cause.end().reason,
            _ => "interrupted".to_owned(),
        }
    }

    /// Waits this long for the run to be ended, and gives whether it was.
    pub(super) fn is_requested_within(&self, time: Duration) -> bool {
        let inner = self.lock();
        if time.is_zero() {
            return inner.cause.is_some();
        }
        let waited = self
            .begun
            .wait_timeout_while(inner, time, |inner| inner.cause.is_none());
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.cause.is_some()
    }

    /// Ends the run, more firmly each time. True the first time.
    pub(super) fn begin(&self, number: c_int, groups: &Groups) -> bool {
        let mut inner = self.lock();
        inner.count += 1;
        if inner.count > 2 {
            leave(c_int::from(exit_code(number)));
        }
        if inner.cause.is_some() {
            groups.signal_all(Signal::KILL);
            return false;
        }
        inner.cause = Some(Cause::Signal(number));
        let asked = if number == libc::SIGINT {
            Signal::INT
        } else {
            Signal::TERM
        };
        groups.signal_all(asked);
        self.begun.notify_all();
        true
    }

    /// Ends the run for a reason of its own, such as that its time is up. True if nothing else has ended
    /// it before.
    pub(super) fn run_out(&self, limit: String, groups: &Groups) -> bool {
        let mut inner = self.lock();
        if inner.cause.is_some() {
            return false;
        }
        inner.count += 1;
        inner.cause = Some(Cause::Limit(limit));
        groups.signal_all(Signal::TERM);
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
