//! One try at a task: its steps in order, each in a process of its own, until one fails.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::Context;
use super::direct;
use super::environment;
use super::journal::Event;
use super::log::TaskLog;
use super::record::{AttemptRecord, ErrorRecord, StepRecord, timestamp};
use super::step::Step;
use super::words::{quote_command, refusal, spell_duration};
use crate::clock::milliseconds;
use crate::engine::Engine;
use crate::error::Error;
use crate::ir::Task;
use crate::key::environment::Variables;
use crate::process::{Command, Exit, Mark, end_survivors};
use crate::redact::Stream;

const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;
/// The variable that names the folder of the session's results.
pub(super) const SESSION: &str = "PIPEC_SESSION_STORE";

/// A task as its tries see it.
pub(super) struct Tried<'a> {
    pub(super) run: &'a Context<'a>,
    pub(super) id: &'a str,
    pub(super) task: &'a Task,
    pub(super) steps: &'a [Step<'a>],
    /// What of the host's environment the task sees, with what is declared for it.
    pub(super) env: Variables,
    /// That of all its processes.
    pub(super) mark: Mark,
}

/// The log, and what became of it.
pub(super) struct Output {
    pub(super) log: TaskLog,
    pub(super) trouble: Option<io::Error>,
    stream: Stream,
}

impl Output {
    pub(super) fn to(path: &Path, limit: u64) -> Self {
        Self {
            log: TaskLog::at(path, limit),
            trouble: None,
            stream: Stream::default(),
        }
    }

    fn take(&mut self, run: &Context<'_>, task: &str, data: &[u8]) {
        match run.redaction.secrets() {
            None => self.write(run, task, data),
            Some(secrets) => {
                let redacted = self.stream.feed(secrets, data);
                self.write(run, task, &redacted);
            }
        }
    }

    /// The command is over: what was kept back because more could follow is let go.
    fn finish(&mut self, run: &Context<'_>, task: &str) {
        if run.redaction.secrets().is_some() {
            let rest = self.stream.finish();
            self.write(run, task, &rest);
        }
    }

    fn write(&mut self, run: &Context<'_>, task: &str, data: &[u8]) {
        run.recorder.output(task, data);
        if let Err(error) = self.log.write(data) {
            self.trouble.get_or_insert(error);
        }
    }
}

impl Tried<'_> {
    /// Tries the task as often as it allows, until a try succeeds or the run ends. Gives all tries, and
    /// what went wrong in the last.
    pub(super) fn attempts(
        &self,
        output: &mut Output,
    ) -> Result<(Vec<AttemptRecord>, Option<ErrorRecord>), Error> {
        let retry = self.task.retry;
        let mut records = Vec::new();
        let mut number = 1;
        loop {
            let (record, error) = self.attempt(number, output)?;
            let is_last =
                error.is_none() || number >= retry.attempts || self.run.interrupt.is_requested();
            let factor = retry.backoff.saturating_pow(number - 1);
            let delay_ms = retry.delay_ms.saturating_mul(factor);
            self.run.recorder.attempt_finished(
                self.id,
                number,
                record.exit_code,
                error.as_ref().map(|error| error.message.as_str()),
                (!is_last).then_some(delay_ms),
            );
            records.push(record);
            if is_last {
                return Ok((records, error));
            }
            self.run.recorder.flush();
            let delay = Duration::from_millis(delay_ms);
            if self.run.interrupt.is_requested_within(delay) {
                return Ok((records, error));
            }
            number += 1;
        }
    }

    /// Runs the steps, and ends what they left behind.
    fn attempt(
        &self,
        number: u32,
        output: &mut Output,
    ) -> Result<(AttemptRecord, Option<ErrorRecord>), Error> {
        let run = self.run;
        let (started_ms, started) = (run.recorder.now_ms(), run.world.monotonic());
        run.recorder.emit(&Event::AttemptStarted {
            at_ms: started_ms,
            task: self.id,
            number,
            limit: self.task.retry.attempts,
        });
        let mut env = self.env.clone();
        environment::tell(&mut env, self.id, self.task, run, number);
        let limit = self.task.timeout_ms.map(Duration::from_millis);
        let deadline = limit.map(|limit| started + limit);
        let mut steps = Vec::with_capacity(self.steps.len());
        let mut groups = Vec::new();
        let mut error = None;
        for (index, step) in self.steps.iter().enumerate() {
            if run.interrupt.is_requested() {
                error = Some(run.error("PIPEC_INTERRUPTED", "the run was interrupted"));
                break;
            }
            let left = deadline.map(|end| end.saturating_sub(run.world.monotonic()));
            let (record, group, failed) = self.step(index, step, left, &env, output)?;
            groups.extend(group);
            steps.push(record);
            error = failed;
            if error.is_some() {
                break;
            }
        }
        if !groups.is_empty() {
            run.processes.end_groups(&groups);
        }
        let took = run.world.monotonic().saturating_sub(started);
        let last = steps.last();
        let record = AttemptRecord {
            number,
            started_at: timestamp(started_ms),
            duration_ms: milliseconds(took),
            exit_code: last.map_or(0, |step| step.exit_code),
            signal: last.and_then(|step| step.signal.clone()),
            timed_out: last.is_some_and(|step| step.timed_out),
            steps,
        };
        Ok((record, error))
    }

    /// One step: its record, the group of what it left running, and what went wrong.
    fn step(
        &self,
        index: usize,
        step: &Step<'_>,
        left: Option<Duration>,
        env: &Variables,
        output: &mut Output,
    ) -> Result<(StepRecord, Option<i32>, Option<ErrorRecord>), Error> {
        let run = self.run;
        let started_ms = run.recorder.now_ms();
        let shown = run.redaction.text(&step.text);
        run.recorder.step_started(&Event::StepStarted {
            at_ms: started_ms,
            task: self.id,
            index,
            command: &shown,
        });
        run.recorder.flush();
        let cwd = normal(&Path::new(run.root).join(step.cwd));
        let mut own_env = None;
        if step.has_env {
            let declared = declared(run.engine, self.id, Some(index))?;
            own_env = Some(env.iter().map(clone_pair).chain(declared).collect());
        }
        let env = own_env.as_ref().unwrap_or(env);
        let step_limit = step.timeout_ms.map(Duration::from_millis);
        let limit = match (step_limit, left) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        };
        let (ended, error) = match self.run_command(step, &cwd, env, limit, output) {
            Ok(ended) => {
                let error = self.judge(step, &ended);
                (ended, error)
            }
            Err(trouble) => self.not_started(step, &cwd, &trouble),
        };
        if ended.timed_out {
            // Nobody has time for what it started and hid from its group.
            end_survivors(run.run_id, Some(self.id), self.mark, &[]);
        }
        let record = StepRecord {
            command: shown,
            started_at: timestamp(started_ms),
            duration_ms: ended.duration_ms,
            exit_code: ended.code,
            signal: ended.signal,
            timed_out: ended.timed_out,
        };
        Ok((record, ended.group, error))
    }

    /// Without a shell where none is needed.
    fn run_command(
        &self,
        step: &Step<'_>,
        cwd: &Path,
        env: &Variables,
        limit: Option<Duration>,
        output: &mut Output,
    ) -> io::Result<Exit> {
        let mut start = |argv: &[String], env: &Variables| {
            let command = Command {
                argv,
                cwd,
                env,
                mark: Some(self.mark),
            };
            let mut sink = |data: &[u8]| output.take(self.run, self.id, data);
            let ended = self.run.processes.run(&command, &mut sink, limit);
            output.finish(self.run, self.id);
            ended
        };
        let plain = step.for_the_usual_shell(self.task).and_then(direct::words);
        if let Some(argv) = plain {
            let ended = match env.get("PWD") {
                // A shell would say where it is.
                Some(_) => {
                    let mut env = env.clone();
                    env.insert("PWD".to_owned(), cwd.to_string_lossy().into_owned());
                    start(&argv, &env)
                }
                None => start(&argv, env),
            };
            match ended {
                // A program that is not there, or a script without a first line that names its program.
                Err(error) if is_for_the_shell(&error) => {}
                ended => return ended,
            }
        }
        start(&step.argv(self.task), env)
    }

    fn not_started(
        &self,
        step: &Step<'_>,
        cwd: &Path,
        trouble: &io::Error,
    ) -> (Exit, Option<ErrorRecord>) {
        let code = match trouble.kind() {
            io::ErrorKind::PermissionDenied => NOT_EXECUTABLE,
            _ => NOT_FOUND,
        };
        let reason = if cwd.is_dir() {
            refusal(trouble)
        } else {
            let folder = cwd.strip_prefix(self.run.root).unwrap_or(cwd);
            format!("there is no folder `{}` to run it in", folder.display())
        };
        let message = format!("{} cannot be started: {reason}", quote_command(&step.text));
        let ended = Exit {
            code,
            ..Exit::default()
        };
        (
            ended,
            Some(self.run.error("PIPEC_STEP_NOT_STARTED", &message)),
        )
    }

    fn judge(&self, step: &Step<'_>, ended: &Exit) -> Option<ErrorRecord> {
        let command = || quote_command(&step.text);
        if ended.timed_out {
            let (limit_ms, whose) = match (step.timeout_ms, self.task.timeout_ms) {
                (Some(own), whole) if own <= whole.unwrap_or(own) => (own, "the step"),
                (_, whole) => (whole.unwrap_or(0), "the task"),
            };
            let limit = spell_duration(limit_ms);
            let message = format!("{} was ended: {whose} may take {limit}", command());
            return Some(self.run.error("PIPEC_TIMED_OUT", &message));
        }
        let message = match (&ended.signal, ended.code) {
            (Some(signal), code) => {
                format!("{} was ended by {signal} (exit status {code})", command())
            }
            (None, 0) => return None,
            (None, code) => format!("{} ended with exit status {code}", command()),
        };
        Some(self.run.error("PIPEC_STEP_FAILED", &message))
    }
}

/// Whether a shell would have more to say of a program that cannot be started.
fn is_for_the_shell(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [libc::ENOENT, libc::EACCES, libc::ENOTDIR, libc::ENOEXEC]
        .map(Some)
        .contains(&number)
}

fn clone_pair((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// What is declared for a task, or on top of that for one of its steps.
pub(super) fn declared(
    engine: &Engine,
    task: &str,
    step: Option<usize>,
) -> Result<impl Iterator<Item = (String, String)>, Error> {
    let values = engine.environment(task, step)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.value)))
}

/// A path without `.` and `..`, as somebody reads it.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
