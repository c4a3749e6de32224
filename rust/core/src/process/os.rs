//! What the operating system takes only through pointers: the one module of the core with `unsafe`.
//!
//! Three things are here, and nothing decides anything:
//!
//! * [`spawn`]: `posix_spawn`, because it alone starts a process in a session of its own without a fork,
//!   and a fork copies the tables of all our memory. Every pointer that it gets is into an argument or a
//!   local value that outlives the call, lists of pointers end with a null, and the C library keeps
//!   nothing after the call: what file actions name it copies.
//! * [`Signals`]: handlers for signals. The handler does nothing but write one byte to a pipe and restore
//!   `errno`, both allowed in a handler. The pipe is never closed, so a handler that is late writes to
//!   a pipe, not to a stranger's file.
//! * [`keep_descriptors`] and [`leave`]: system calls without pointers.

#![allow(
    unsafe_code,
    reason = "the operating system takes these only through pointers"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_short};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// What to start. A stream that is None is our own.
pub(super) struct Start<'a> {
    /// The path of the program, as seen from `cwd`.
    pub(super) program: &'a CStr,
    pub(super) argv: &'a [CString],
    pub(super) env: &'a [CString],
    pub(super) cwd: &'a CStr,
    /// Each with the number that it has in the new process. None of them is below 3 here.
    pub(super) streams: &'a [(BorrowedFd<'a>, c_int)],
    pub(super) own_session: bool,
}

/// Starts a process. Signals that Python ignores are as they were before it did.
pub(super) fn spawn(start: &Start<'_>) -> io::Result<i32> {
    let argv = pointers(start.argv);
    let env = pointers(start.env);
    let mut actions = Actions::new()?;
    for (from, to) in start.streams {
        // SAFETY: initialized by `new`; takes two numbers.
        check(unsafe {
            libc::posix_spawn_file_actions_adddup2(actions.0.as_mut_ptr(), from.as_raw_fd(), *to)
        })?;
    }
    // SAFETY: initialized by `new`; the text ends with a null and is copied.
    check(unsafe {
        libc::posix_spawn_file_actions_addchdir_np(actions.0.as_mut_ptr(), start.cwd.as_ptr())
    })?;
    let mut attributes = Attributes::new()?;
    attributes.set(start.own_session)?;
    let mut pid = 0;
    // SAFETY: all of these are alive until the call returns, which is when the new program runs;
    // both lists end with a null.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            start.program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            argv.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Ok(pid)
}

fn pointers(texts: &[CString]) -> Vec<*mut c_char> {
    let pointers = texts.iter().map(|text| text.as_ptr().cast_mut());
    pointers.chain([ptr::null_mut()]).collect()
}

/// These calls give an error number, not -1.
fn check(number: c_int) -> io::Result<()> {
    match number {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(number)),
    }
}

struct Actions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: this is the call that initializes it.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        Ok(Self(actions))
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialized by `new`, and destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

struct Attributes(MaybeUninit<libc::posix_spawnattr_t>);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: this is the call that initializes it.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        Ok(Self(attributes))
    }

    fn set(&mut self, own_session: bool) -> io::Result<()> {
        let mut flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        if own_session {
            flags |= c_int::from(libc::POSIX_SPAWN_SETSID);
        }
        let flags = c_short::try_from(flags).unwrap_or(c_short::MAX);
        let mut none = MaybeUninit::uninit();
        let mut ours = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initializes a set; the others get sets that are, and copy them.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigemptyset(ours.as_mut_ptr());
            libc::sigaddset(ours.as_mut_ptr(), libc::SIGPIPE);
            libc::sigaddset(ours.as_mut_ptr(), libc::SIGXFSZ);
            check(libc::posix_spawnattr_setsigmask(
                self.0.as_mut_ptr(),
                none.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setsigdefault(
                self.0.as_mut_ptr(),
                ours.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setflags(self.0.as_mut_ptr(), flags))
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialized by `new`, and destroyed once.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}

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

/// Keeps what this process has open, its three streams excepted, from the processes that it starts.
#[cfg(target_os = "linux")]
pub(crate) fn keep_descriptors() {
    let last = libc::c_uint::MAX;
    // SAFETY: takes three numbers; nothing is closed before a new program starts.
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3, last, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return;
    }
    // A kernel before 5.11.
    for entry in std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
    {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<c_int>().ok());
        if let Some(number) = number.filter(|number| *number > 2) {
            // SAFETY: takes three numbers, and does nothing to a descriptor that is not there.
            unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_descriptors() {
    for number in 3..256 {
        // SAFETY: takes three numbers, and does nothing to a descriptor that is not there.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Ends this process where it stands.
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: never returns, and runs nothing of ours.
    unsafe { libc::_exit(status) }
}
