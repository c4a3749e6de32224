//! Starting a process on Linux: what `posix_spawn` does, and what it cannot do.
//!
//! A mark has to be there before the program runs, and `posix_spawn` sets no limits. Changing our own limit
//! around it would mark whatever another thread of this process starts meanwhile, which is none of ours
//! where pipec is a library. Nor does it close what nobody meant to hand on, in C libraries that are in use.
//! So this is done as the C libraries do it: a child that shares our memory runs on a stack of its own, and
//! this thread waits until it has become the program. Nothing is copied.
//!
//! While it waits so, no signal reaches this thread. A child that stays in our session could be stopped by a
//! key of the terminal before it is the program, and this thread would wait for good. Such a child gets a copy
//! of our memory, and a pipe whose end tells that it is there. In a session of its own nobody is stopped by a
//! key that was pressed before: who has no shell to let him go on is not stopped at all.
//!
//! Why that is sound:
//!
//! * The child runs [`be_born`] alone. That allocates nothing, takes no lock, cannot panic, and calls only
//!   system calls and functions that signal-safety(7) allows. It never returns to code of ours.
//! * Whatever it reads is borrowed by the caller, which waits (`CLONE_VFORK`), or is its own. It writes to its
//!   stack and to [`Birth::trouble`], which nobody else looks at meanwhile.
//! * All signals are blocked before the child is there. It gives up every handler before it unblocks them,
//!   so that none of ours runs in it.

#![allow(
    unsafe_code,
    reason = "the operating system takes these only through pointers"
)]

use std::convert::Infallible;
use std::ffi::{CString, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, WaitId, WaitIdOptions, chdir, getrlimit, setpgid, setrlimit, setsid,
    waitid,
};

use super::marks::Mark;
use super::pipe::open_pipe;
use super::start::{Place, Start};

const STACK_SIZE: usize = 64 * 1024;
const STACK_ALIGNMENT: usize = 16;
const LAST_SIGNAL: c_int = 64;
const NOT_STARTED: c_int = 127;

/// Starts a process. It has its streams, no handler, and no signal is blocked.
pub(super) fn spawn(start: &Start<'_>) -> io::Result<i32> {
    let argv = pointers(start.argv);
    let env = pointers(start.env);
    let inherited = if has_close_range() {
        Vec::new()
    } else {
        descriptors()
    };
    let mut birth = Birth {
        start,
        argv: argv.as_ptr(),
        env: env.as_ptr(),
        inherited: &inherited,
        report: None,
        trouble: None,
    };
    let (sharing, report) = match start.place {
        Place::OwnSession => (libc::CLONE_VM | libc::CLONE_VFORK, None),
        Place::Group(_) => (0, Some(open_pipe()?)),
    };
    birth.report = report.as_ref().map(|(_, writing)| writing.as_raw_fd());
    let mut stack = Box::<[u8]>::new_uninit_slice(STACK_SIZE);
    let top = stack.as_mut_ptr_range().end;
    let top = top.wrapping_byte_sub(top.addr() % STACK_ALIGNMENT);
    let before = block_signals();
    let flags = sharing | libc::SIGCHLD;
    // SAFETY: the stack grows down from its end, and is there until the call returns, as `birth` and all
    // that it points to are. That is when the child has another memory, or is gone.
    let pid = unsafe { libc::clone(be_born, top.cast(), flags, (&raw mut birth).cast()) };
    let refused = (pid < 0).then(io::Error::last_os_error);
    // SAFETY: `before` is what the system gave.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    drop(stack);
    let reported = match report {
        Some((reading, writing)) if refused.is_none() => {
            drop(writing);
            read_report(reading)
        }
        _ => None,
    };
    match (refused, birth.trouble.or(reported)) {
        (Some(refused), _) => Err(refused),
        (None, Some(trouble)) => {
            reap(pid);
            Err(trouble.into())
        }
        (None, None) => Ok(pid),
    }
}

/// Waits until the child is the program, or says why it is not.
fn read_report(reading: OwnedFd) -> Option<Errno> {
    let mut number = [0; size_of::<i32>()];
    match File::from(reading).read_exact(&mut number) {
        Ok(()) => Some(Errno::from_raw_os_error(i32::from_ne_bytes(number))),
        Err(_) => None,
    }
}

/// A list of them that ends with a null.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    let pointers = texts.iter().map(|text| text.as_ptr());
    pointers.chain([ptr::null()]).collect()
}

fn block_signals() -> libc::sigset_t {
    let mut all = MaybeUninit::uninit();
    let mut before = MaybeUninit::zeroed();
    // SAFETY: the first call initializes the set; the second reads it and writes the other, of which all
    // zeros is a value, too.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

/// What the child needs to know, and what it has to say.
struct Birth<'a> {
    start: &'a Start<'a>,
    /// These two end with a null.
    argv: *const *const c_char,
    env: *const *const c_char,
    /// What was open a moment ago, where that cannot be closed all at once.
    inherited: &'a [c_int],
    /// Where it says so, if its memory is not ours.
    report: Option<RawFd>,
    trouble: Option<Errno>,
}

/// What the child runs.
extern "C" fn be_born(birth: *mut c_void) -> c_int {
    // SAFETY: `spawn` has passed its own `birth`, and waits.
    let birth = unsafe { &mut *birth.cast::<Birth<'_>>() };
    let Err(trouble) = birth.become_program();
    birth.trouble = Some(trouble);
    // SAFETY: `write` reads a number of its own; `_exit` never returns, and runs nothing of ours.
    unsafe {
        if let Some(report) = birth.report {
            let number = trouble.raw_os_error();
            libc::write(report, (&raw const number).cast(), size_of::<i32>());
        }
        libc::_exit(NOT_STARTED)
    }
}

impl Birth<'_> {
    fn become_program(&self) -> Result<Infallible, Errno> {
        let start = self.start;
        give_up_handlers();
        match start.place {
            Place::OwnSession => {
                setsid()?;
            }
            Place::Group(group) => setpgid(None, Pid::from_raw(group))?,
        }
        self.keep_descriptors();
        for (from, to) in start.streams {
            // SAFETY: both take numbers.
            let done = unsafe {
                if from == to {
                    libc::fcntl(*to, libc::F_SETFD, 0)
                } else {
                    libc::dup2(*from, *to)
                }
            };
            if done < 0 {
                return Err(last_trouble());
            }
        }
        chdir(start.cwd)?;
        bear(start.mark);
        let mut none = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initializes the set; both lists end with a null.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
            libc::execve(start.program.as_ptr(), self.argv, self.env);
        }
        Err(last_trouble())
    }

    /// What is open now is not handed on, the three streams excepted.
    fn keep_descriptors(&self) {
        if self.inherited.is_empty() {
            close_range_on_exec(3);
        }
        for number in self.inherited {
            // SAFETY: takes three numbers, and does nothing to a descriptor that is not there.
            unsafe { libc::fcntl(*number, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

fn last_trouble() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// What has a handler has none; what Python ignores is as it was before it did.
fn give_up_handlers() {
    for number in 1..=LAST_SIGNAL {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: all zeros is a valid action: the default one, with no flags and an empty mask. The first
        // call only reads, and fails for numbers that the C library keeps for itself.
        unsafe {
            if libc::sigaction(number, ptr::null(), action.as_mut_ptr()) != 0 {
                continue;
            }
            let before = action.assume_init().sa_sigaction;
            let is_of_python = matches!(number, libc::SIGPIPE | libc::SIGXFSZ);
            if before != libc::SIG_DFL && (before != libc::SIG_IGN || is_of_python) {
                let default = MaybeUninit::<libc::sigaction>::zeroed();
                libc::sigaction(number, default.as_ptr(), ptr::null_mut());
            }
        }
    }
}

/// Takes the mark, or has none: not that of the run to which this process belongs itself.
fn bear(mark: Option<Mark>) {
    let limit = getrlimit(Resource::Locks);
    let marked = Rlimit {
        current: mark.map(Mark::number).or(limit.maximum),
        maximum: limit.maximum,
    };
    if marked != limit {
        // Where that is not allowed the process is found by other means.
        let _ = setrlimit(Resource::Locks, marked);
    }
}

/// From this descriptor on, none is handed on to a new program. False in a kernel before 5.11.
fn close_range_on_exec(first: libc::c_uint) -> bool {
    let last = libc::c_uint::MAX;
    // SAFETY: takes three numbers; nothing is closed before a new program starts.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            last,
            libc::CLOSE_RANGE_CLOEXEC,
        ) == 0
    }
}

fn has_close_range() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| close_range_on_exec(libc::c_uint::MAX))
}

/// What is open, the three streams excepted.
fn descriptors() -> Vec<c_int> {
    let listed = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let numbers = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number > 2).collect()
}

fn reap(pid: i32) {
    let Some(pid) = Pid::from_raw(pid) else {
        return;
    };
    while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED).is_err_and(|error| error == Errno::INTR) {
    }
}
