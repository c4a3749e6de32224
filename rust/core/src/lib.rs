//! The pure and heavy half of pipec: patterns, one walk for all tasks, digests, keys and the store.
//!
//! Nothing here knows Python, reads a clock or looks at the environment: all of that is handed in.

pub mod clock;
pub mod digest;
pub mod document;
pub mod engine;
pub mod error;
pub mod front;
pub mod glob;
pub mod ir;
pub mod key;
pub mod outline;
pub mod process;
pub mod redact;
mod run;
pub mod store;
pub mod tree;
pub mod view;
pub mod watch;

pub use error::{Error, Result};
