//! The processes of a run: started, listened to, timed, ended, and never left behind.
//!
//! Every command has a session of its own, no input, and one pipe for both of its outputs: a log file
//! in the place of the pipe would be emptied by the first `> /dev/stderr` of a script.

mod command;
#[cfg(target_os = "linux")]
mod ended_linux;
#[cfg(not(target_os = "linux"))]
mod ended_unix;
mod groups;
mod marks;
mod names;
mod os;
mod pipe;
mod programs;
mod running;
mod start;
#[cfg(target_os = "linux")]
mod start_linux;
#[cfg(not(target_os = "linux"))]
mod start_unix;
mod survivors;
mod watcher;

pub use command::Command;
pub use marks::{Mark, Marks};
pub use programs::has_program;
pub use running::{Exit, Processes, TIMED_OUT};
pub use start::{Launch, Place};
pub use survivors::end_survivors;
pub use watcher::{Slot, Watched, Watcher};

pub(crate) use groups::Groups;
pub(crate) use names::signal_name;
pub(crate) use os::{Signals, leave};
pub(crate) use pipe::signal_pipe;

#[cfg(target_os = "linux")]
use ended_linux::Ended;
#[cfg(not(target_os = "linux"))]
use ended_unix::Ended;
#[cfg(target_os = "linux")]
use start_linux::spawn;
#[cfg(not(target_os = "linux"))]
use start_unix::spawn;
