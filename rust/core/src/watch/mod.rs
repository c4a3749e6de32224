//! Hearing that something happened in folders: nothing more, for what it was the files tell.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unix;

#[cfg(target_os = "linux")]
pub use linux::FolderEvents;
#[cfg(not(target_os = "linux"))]
pub use unix::FolderEvents;
