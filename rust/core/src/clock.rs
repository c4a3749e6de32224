//! The time, as it is handed in: the core has no clock of its own.

use std::time::Duration;

pub trait Clock: Sync {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> u64;

    /// How long it is since an arbitrary start; never goes back.
    fn monotonic(&self) -> Duration;
}

/// Whole milliseconds, to the nearest.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from((duration.as_micros() + 500) / 1000).unwrap_or(u64::MAX)
}
