//! What the operating system takes only through pointers.
//!
//! Two things are here, and nothing decides anything:
//!
//! * [`Signals`]: handlers for signals. The handler does nothing but write one byte to a pipe and restore
//!   `errno`, both allowed in a handler. The pipe is never closed, so a handler that is late writes to
//!   a pipe, not to a stranger's file.
//! * [`leave`]: a system call without pointers.

#![allow(
    unsafe_code,
    reason = "the operating system takes these only through pointers"
)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// The writing end of the pipe of signals; -1 before the first listener.
static HEARD: AtomicI32 = AtomicI32::new(-1);

/// Hears signals from `listen` until it is dropped; then they do again what they did before.
pub(crate) struct Signals {
    before: Vec<(c_int, libc::sigaction)>,
}

impl Signals {
    /// Listens to these signals. One that is ignored stays ignored.
    ///
    /// Each writes its number as a byte to `writing`, which is given away for good. There may be one
    /// listener at a time.
    pub(crate) fn listen(numbers: &[c_int], writing: OwnedFd) -> Self {
        let fd = writing.into_raw_fd();
        HEARD.store(fd, Ordering::SeqCst);
        let mut signals = Self { before: Vec::new() };
        for number in numbers {
            if let Some(before) = replace_handler(*number) {
                signals.before.push((*number, before));
            }
        }
        signals
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for (number, before) in &self.before {
            // SAFETY: `before` is what the system gave for this signal.
            unsafe { libc::sigaction(*number, before, ptr::null_mut()) };
        }
    }
}

/// None if the signal is ignored, or cannot be had.
fn replace_handler(number: c_int) -> Option<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid action: the default one, with no flags and an empty mask. The first
    // call only reads; the handler does only what a handler may.
    unsafe {
        if libc::sigaction(number, ptr::null(), before.as_mut_ptr()) != 0 {
            return None;
        }
        let before = before.assume_init();
        if before.sa_sigaction == libc::SIG_IGN {
            return None;
        }
        let handler: extern "C" fn(c_int) = hear;
        (*action.as_mut_ptr()).sa_sigaction = handler as usize;
        (*action.as_mut_ptr()).sa_flags = libc::SA_RESTART;
        (libc::sigaction(number, action.as_ptr(), ptr::null_mut()) == 0).then_some(before)
    }
}

extern "C" fn hear(number: c_int) {
    let byte = u8::try_from(number).unwrap_or(0);
    // SAFETY: `write` may be called in a handler, with a pointer to one byte; `errno` belongs to the
    // thread that the handler interrupts, which must find it as it was.
    unsafe {
        let errno = errno();
        let before = *errno;
        libc::write(HEARD.load(Ordering::SeqCst), (&raw const byte).cast(), 1);
        *errno = before;
    }
}

#[cfg(target_os = "linux")]
use libc::__errno_location as errno;
#[cfg(not(target_os = "linux"))]
use libc::__error as errno;

/// Ends this process where it stands.
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: never returns, and runs nothing of ours.
    unsafe { libc::_exit(status) }
}
