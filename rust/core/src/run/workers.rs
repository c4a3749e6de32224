//! The threads of a run: one for each task that runs at a time, and the one that was called.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use libc::c_int;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::interrupt::HANDLED;
use super::journal::Event;
use super::perform::perform;
use super::record::{Status, TaskRecord};
use super::schedule::{Ending, Place, Schedule};
use super::{Context, KILL_GRACE, Work};
use crate::error::{Error, Result};
use crate::ir::Task;
use crate::process::{Groups, Signals, signal_name, signal_pipe};

/// How often the record is looked after.
const TICK: Duration = Duration::from_secs(1);
/// What a worker writes where signals write their numbers: there is something to look at.
const LOOK: u8 = 0;

struct Shared<'a> {
    run: &'a Context<'a>,
    work: &'a Work<'a>,
    in_place: &'a HashSet<&'a str>,
    tasks: Vec<(&'a str, &'a Task)>,
    state: Mutex<State<'a>>,
    changed: Condvar,
    calling: OwnedFd,
}

/// Lets the tasks be told of, whatever becomes of what comes before.
struct Begun<'a, 'b>(&'a Shared<'b>);

impl Drop for Begun<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().is_begun = true;
        self.0.changed.notify_all();
    }
}

struct State<'a> {
    schedule: Schedule<'a>,
    workers: usize,
    idle: usize,
    /// Everything that is told before the first task has been.
    is_begun: bool,
    fault: Option<Error>,
}

/// Runs every task that may run. Gives up at the first fault of our own, and nothing survives that.
pub(super) fn drive(
    run: &Context<'_>,
    work: &Work<'_>,
    groups: &Groups,
    in_place: &HashSet<&str>,
) -> Result<()> {
    let fault = |error: std::io::Error| Error::at(work.root)(error);
    let (hearing, calling) = signal_pipe().map_err(fault)?;
    // Whoever stopped us has written over what we drew.
    let heard = [HANDLED.as_slice(), &[libc::SIGCONT]].concat();
    let signals = Signals::listen(&heard, calling.try_clone().map_err(fault)?);
    let mut tasks = Vec::with_capacity(work.tasks.len());
    for id in work.tasks {
        tasks.push((id.as_str(), work.pipeline.task(id)?));
    }
    let weights = work.engine.durations();
    run.recorder.expect(tasks.iter().map(|(id, task)| {
        let nothing = task.steps.is_empty().then_some(0);
        (*id, nothing.or_else(|| weights.get(*id).copied()))
    }));
    let middle = middle_of(weights.values().copied().collect());
    let weight = |id: &str| weights.get(id).copied().unwrap_or(middle);
    let schedule = Schedule::new(
        tasks.clone(),
        work.concurrency,
        &work.pipeline.pools,
        work.continue_mode,
        weight,
    );
    let shared = Shared {
        run,
        work,
        in_place,
        tasks,
        state: Mutex::new(State {
            schedule,
            workers: 1,
            idle: 0,
            is_begun: false,
            fault: None,
        }),
        changed: Condvar::new(),
        calling,
    };
    std::thread::scope(|scope| {
        let shared = &shared;
        scope.spawn(move || work_off(scope, shared));
        // While the first task runs.
        let begun = Begun(shared);
        (work.meanwhile)();
        run.recorder.save_first();
        drop(begun);
        work.engine.prepare_to_look_again();
        let mut hearing = File::from(hearing);
        let listened = catch_unwind(AssertUnwindSafe(|| listen(shared, groups, &mut hearing)));
        if listened.is_err() {
            give_up(shared, groups, &mut hearing);
        }
    });
    drop(signals);
    let state = shared
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    for (place, reason) in state.schedule.never_started() {
        run.recorder
            .settle(TaskRecord::skipped(shared.tasks[place].0, reason));
    }
    state.fault.map_or(Ok(()), Err)
}

/// What is expected of a task that is new.
fn middle_of(mut known: Vec<u64>) -> u64 {
    known.sort_unstable();
    known.get(known.len() / 2).copied().unwrap_or(1)
}

/// What the calling thread does until the last worker has ended.
fn listen(shared: &Shared<'_>, groups: &Groups, hearing: &mut File) {
    let run = shared.run;
    let mut kill_at = None;
    let mut aside = None;
    let mut begin = |number: c_int, kill_at: &mut Option<Duration>| {
        if run.interrupt.is_requested() && aside.is_none() {
            // The next signal ends pipec where it stands.
            aside = Some(run.recorder.step_aside());
        }
        if run.interrupt.begin(number, groups) {
            *kill_at = Some(run.world.monotonic() + KILL_GRACE);
            shared.stop();
            let name = signal_name(number);
            let message = format!("{name}: the tasks are asked to end, a second signal kills them");
            run.recorder.warn("PIPEC_INTERRUPTED", message, None);
        }
    };
    if run.world.is_interrupted() {
        // Somebody was quicker than our handlers.
        begin(libc::SIGINT, &mut kill_at);
    }
    let limit = shared.work.limit;
    let mut ends_at = limit.map(|limit| shared.work.started + Duration::from_millis(limit.ms));
    while shared.lock().workers > 0 {
        let now = run.world.monotonic();
        let tick = run.recorder.beat().map_or(TICK, |left| left.min(TICK));
        let next = [kill_at, ends_at].into_iter().flatten().min();
        let left = next.map_or(tick, |at: Duration| at.saturating_sub(now).min(tick));
        for byte in heard(hearing, left) {
            match c_int::from(byte) {
                0 => {}
                libc::SIGCONT => run.recorder.lost_the_screen(),
                number => begin(number, &mut kill_at),
            }
        }
        if let Some(limit) = limit
            && ends_at.is_some_and(|at| run.world.monotonic() >= at)
        {
            ends_at = None;
            if run.interrupt.run_out(limit.words(), groups) {
                kill_at = Some(run.world.monotonic() + KILL_GRACE);
                shared.stop();
                let words = limit.words();
                let message = format!("{words}: the tasks are asked to end, a signal kills them");
                run.recorder.warn("PIPEC_TIMED_OUT", message, None);
            }
        }
        if run.recorder.output_is_closed() && !run.interrupt.is_requested() {
            begin(libc::SIGPIPE, &mut kill_at);
        }
        if kill_at.is_some_and(|at| run.world.monotonic() >= at) {
            groups.signal_all(Signal::KILL);
            kill_at = None;
        }
        if shared.lock().fault.is_some() {
            groups.signal_all(Signal::KILL);
        }
        run.recorder.save();
    }
}

/// Ends every task, for there is nobody left who would hear a signal or show what runs.
fn give_up(shared: &Shared<'_>, groups: &Groups, hearing: &mut File) {
    let mut state = shared.lock();
    state.schedule.stop("internal error");
    let broken = || Error::Invalid("the thread that shows the run broke".into());
    state.fault.get_or_insert_with(broken);
    drop(state);
    shared.changed.notify_all();
    let run = shared.run;
    run.interrupt.run_out("internal error".to_owned(), groups);
    while shared.lock().workers > 0 {
        // Once more for what was being started just now.
        groups.signal_all(Signal::KILL);
        heard(hearing, TICK);
    }
}

/// Waits at most this long for signals and calls, and gives them.
fn heard(hearing: &mut File, left: Duration) -> Vec<u8> {
    let timeout = Timespec::try_from(left).ok();
    let mut waiting = [PollFd::new(hearing, PollFlags::IN)];
    if poll(&mut waiting, timeout.as_ref()).is_err() {
        // Interrupted by a signal: its number is in the pipe.
    }
    let mut bytes = [0; 64];
    let count = hearing.read(&mut bytes).unwrap_or(0);
    bytes[..count].to_vec()
}

/// Takes one task after the other until none is left that could start.
fn work_off<'scope, 'env, 'a>(scope: &'scope Scope<'scope, 'env>, shared: &'scope Shared<'a>)
where
    'a: 'scope,
{
    while let Some(place) = next(scope, shared) {
        let outcome = catch_unwind(AssertUnwindSafe(|| one(shared, place)));
        let outcome =
            outcome.unwrap_or_else(|_| Err(Error::Invalid("a task's thread broke".into())));
        let mut state = shared.lock();
        match outcome {
            Ok(ending) => {
                state.schedule.finish(place, ending);
            }
            Err(fault) => {
                state.schedule.stop("internal error");
                state.schedule.finish(place, Ending::Cancelled);
                state.fault.get_or_insert(fault);
            }
        }
        let is_news = state.fault.is_some();
        let is_awaited = state.idle > 0;
        drop(state);
        if is_awaited {
            shared.changed.notify_all();
        }
        if is_news || shared.run.recorder.output_is_closed() {
            shared.call();
        }
    }
    shared.lock().workers -= 1;
    shared.call();
}

/// The next task, as soon as one may start; None once no task will.
fn next<'scope, 'env, 'a>(
    scope: &'scope Scope<'scope, 'env>,
    shared: &'scope Shared<'a>,
) -> Option<Place>
where
    'a: 'scope,
{
    let mut state = shared.lock();
    let mut is_flushed = false;
    loop {
        for place in state.schedule.take_ready() {
            shared.run.recorder.emit(&Event::TaskReady {
                at_ms: shared.run.recorder.now_ms(),
                task: shared.tasks[place].0,
            });
        }
        if let Some(place) = state.schedule.start_next() {
            let is_room = state.idle == 0 && state.workers < shared.work.concurrency;
            if is_room && state.schedule.has_startable() {
                state.workers += 1;
                scope.spawn(move || work_off(scope, shared));
            }
            return Some(place);
        }
        if state.schedule.running() == 0 {
            shared.changed.notify_all();
            return None;
        }
        if is_flushed {
            state.idle += 1;
            state = shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            is_flushed = false;
        } else {
            // Whoever reads our words may take their time: nobody else is to wait for that.
            drop(state);
            shared.run.recorder.flush();
            is_flushed = true;
            state = shared.lock();
        }
    }
}

fn one(shared: &Shared<'_>, place: Place) -> Result<Ending> {
    let (id, task) = shared.tasks[place];
    let is_foreseen = task
        .depends_on
        .iter()
        .all(|need| shared.in_place.contains(need.as_str()));
    let foreseen = shared.work.decisions.get(id).filter(|_| is_foreseen);
    if task.steps.is_empty() {
        // Whether a group counts as cached is told by the records of others.
        shared.wait_for_begin();
    }
    let record = perform(shared.run, id, task, foreseen)?;
    shared.wait_for_begin();
    let ending = match record.status {
        Status::Cancelled => Ending::Cancelled,
        Status::Failed if !record.may_fail => Ending::Failed,
        _ => Ending::Done,
    };
    shared.run.recorder.settle(record);
    Ok(ending)
}

impl<'a> Shared<'a> {
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything is told that comes before the first task.
    fn wait_for_begin(&self) {
        let mut state = self.lock();
        while !state.is_begun {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing starts any more: the run is to end.
    fn stop(&self) {
        let reason = self.run.interrupt.task_reason();
        self.lock().schedule.stop(reason);
        self.changed.notify_all();
    }

    /// Has the calling thread look around.
    fn call(&self) {
        // A full pipe has it look anyway.
        let _ = rustix::io::write(&self.calling, &[LOOK]);
    }
}
