//! Keeps secrets out of streams of bytes, in whatever form and whichever way the stream is cut.

mod finder;
mod forms;
mod secrets;
mod stream;

#[cfg(test)]
mod tests;

pub use finder::FinderError;
pub use secrets::Secrets;
pub use stream::Stream;

/// What stands in the place of a secret.
pub const MASK: &[u8] = b"***";

/// Secrets shorter than this many bytes are left alone: masking `1` or `no` would ruin every log.
pub const SHORTEST: usize = 4;
