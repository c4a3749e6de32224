//! The lock of a project's run: the operating system's own, so that a crash leaves none.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FlockOperation;

/// Held until it is dropped, released or handed over.
pub struct RunLock(Option<File>);

impl RunLock {
    /// None if somebody holds it, if a crash left a note in it, or if it cannot be had at all: the long
    /// way says what there is to say.
    pub(super) fn take(root: &Path, pid: u32, started_ms: u64, run_id: &str) -> Option<Self> {
        let folder = root.join(".pipec");
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644);
        let file = options.open(folder.join("run.lock")).ok()?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        if file.metadata().ok()?.len() != 0 {
            return None;
        }
        let note = serde_json::json!({
            "pid": pid, "started_ms": started_ms, "run_id": run_id, "action": "run",
        });
        // The note is only for messages and for repairs.
        let _ = file.write_all_at(note.to_string().as_bytes(), 0);
        Some(Self(Some(file)))
    }

    /// The open file, for whoever goes on with the run.
    pub fn into_fd(mut self) -> Option<OwnedFd> {
        self.0.take().map(OwnedFd::from)
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Without it the next run would look for what a crash left.
            let _ = file.set_len(0);
        }
    }
}
