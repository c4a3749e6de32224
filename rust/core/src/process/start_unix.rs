//! Starting a process where there are no marks: `posix_spawn`.
//!
//! It alone starts a process in a session of its own without a fork, and a fork copies the tables of all
//! our memory. Every pointer that it gets is into an argument or a local value that outlives the call, lists
//! of pointers end with a null, and the C library keeps nothing after the call: what file actions name it
//! copies.

#![allow(
    unsafe_code,
    reason = "the operating system takes these only through pointers"
)]

use std::ffi::{CString, c_char, c_int, c_short};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use super::start::{Place, Start};

/// Starts a process. Signals that Python ignores are as they were before it did.
pub(super) fn spawn(start: &Start<'_>) -> io::Result<i32> {
    let argv = pointers(start.argv);
    let env = pointers(start.env);
    let mut actions = Actions::new()?;
    for (from, to) in start.streams {
        // SAFETY: initialized by `new`; takes two numbers.
        check(unsafe {
            libc::posix_spawn_file_actions_adddup2(actions.0.as_mut_ptr(), *from, *to)
        })?;
    }
    // SAFETY: initialized by `new`; the text ends with a null and is copied.
    check(unsafe {
        libc::posix_spawn_file_actions_addchdir_np(actions.0.as_mut_ptr(), start.cwd.as_ptr())
    })?;
    let mut attributes = Attributes::new()?;
    attributes.set(start.place)?;
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

    fn set(&mut self, place: Place) -> io::Result<()> {
        let mut flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        // What is open and not named is not handed on.
        #[cfg(target_vendor = "apple")]
        {
            flags |= libc::POSIX_SPAWN_CLOEXEC_DEFAULT;
        }
        match place {
            Place::OwnSession => flags |= c_int::from(libc::POSIX_SPAWN_SETSID),
            Place::Group(group) => {
                flags |= libc::POSIX_SPAWN_SETPGROUP;
                // SAFETY: initialized by `new`; takes a number.
                check(unsafe { libc::posix_spawnattr_setpgroup(self.0.as_mut_ptr(), group) })?;
            }
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
