//! One task of a run, from looking at its inputs to its final state.

use std::borrow::Cow;
use std::time::Duration;

use super::Context;
use super::attempt::{Output, SESSION, Tried, declared};
use super::environment::host_part;
use super::journal::Event;
use super::log::log_name;
use super::record::{AttemptRecord, ErrorRecord, Outputs, Status, TaskRecord, Verdict, timestamp};
use super::step::steps_of;
use super::words::{describe, refusal};
use crate::clock::milliseconds;
use crate::engine::{Decision, Extras, Sealed, TaskFacts};
use crate::error::Error;
use crate::front::VERSION;
use crate::ir::Task;
use crate::key::environment::Variables;
use crate::process::has_program;

/// A runtime that is everywhere.
const EVERYWHERE: &str = "shell";

/// Why a task ends before its work is done.
enum Trouble {
    /// Of the task.
    Failed(ErrorRecord),
    /// Of our own: the run cannot go on.
    Fault(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

/// Brings a task to its final state. `foreseen`: what was decided already and still holds.
///
/// Fails only when pipec itself did something wrong.
pub(super) fn perform(
    run: &Context<'_>,
    id: &str,
    task: &Task,
    foreseen: Option<&Decision>,
) -> Result<TaskRecord, Error> {
    let mut performance = Performance {
        run,
        id,
        task,
        started_ms: run.recorder.now_ms(),
        started: run.world.monotonic(),
        verdict: None,
        key: None,
        attempts: Vec::new(),
        log: None,
    };
    match performance.give(foreseen) {
        Ok(record) => Ok(record),
        Err(Trouble::Failed(error)) => {
            run.engine.failed(id);
            Ok(performance.failed(error))
        }
        Err(Trouble::Fault(error)) => Err(error),
    }
}

struct Performance<'a> {
    run: &'a Context<'a>,
    id: &'a str,
    task: &'a Task,
    started_ms: u64,
    started: Duration,
    verdict: Option<Verdict>,
    key: Option<String>,
    attempts: Vec<AttemptRecord>,
    log: Option<String>,
}

impl Performance<'_> {
    fn give(&mut self, foreseen: Option<&Decision>) -> Result<TaskRecord, Trouble> {
        let decision = match foreseen {
            Some(decision) => Cow::Borrowed(decision),
            None => Cow::Owned(self.decide()?),
        };
        self.verdict = Some(Verdict::of(&decision.verdict));
        self.key = Some(decision.key.clone());
        if decision.verdict.kind == "hit" {
            let refused = self.restore(&decision)?;
            if refused.is_none() {
                let started_at = timestamp(self.started_ms);
                let took = self.elapsed_ms();
                let record = TaskRecord::of_hit(self.id, &decision, &started_at, took);
                return record.ok_or_else(|| {
                    Trouble::Fault(Error::Invalid(format!("`{}` is a hit of nothing", self.id)))
                });
            }
            self.verdict = refused.map(Verdict::of_kind);
        }
        if self.task.steps.is_empty() {
            return self.close_group();
        }
        self.execute()
    }

    fn decide(&self) -> Result<Decision, Trouble> {
        self.run
            .engine
            .decide(self.id, &Extras::new())
            .map_err(|error| match error {
                Error::Io { .. } | Error::Corrupt { .. } => {
                    let refused = self.refusal(&error);
                    let message = format!("an input of the task cannot be read: {refused}");
                    self.trouble("PIPEC_INPUT_UNREADABLE", &message)
                }
                Error::Environment(problems) => match problems.first() {
                    Some(first) => self.trouble(first.code, &first.message),
                    None => Trouble::Fault(Error::Environment(problems)),
                },
                Error::Invalid(_) => Trouble::Fault(error),
            })
    }

    /// Puts the outputs of a hit in place. What becomes of the verdict if they cannot be.
    fn restore(&self, decision: &Decision) -> Result<Option<&'static str>, Trouble> {
        if decision.intact == Some(true) {
            return Ok(None);
        }
        self.run.recorder.flush();
        match self.run.engine.restore(self.id) {
            Ok(_) => Ok(None),
            Err(error @ (Error::Io { .. } | Error::Corrupt { .. })) => {
                let refused = self.refusal(&error);
                let message = format!("the stored outputs cannot be restored: {refused}");
                self.warn("PIPEC_STORE_UNAVAILABLE", &message);
                // A disk that is full says nothing about what is stored.
                let is_corrupt = matches!(error, Error::Corrupt { .. });
                Ok(Some(if is_corrupt { "corrupt" } else { "unreachable" }))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn close_group(&self) -> Result<TaskRecord, Trouble> {
        if !self.task.outputs.is_empty() {
            // Without outputs the decision has closed it.
            self.seal(None)?;
        }
        let needs = self.task.depends_on.iter();
        let mut statuses = needs.filter_map(|need| self.run.recorder.status_of(need));
        let first = statuses.next();
        // A group without members stands for nothing that was cached.
        let is_cached = |status| status == Status::Cached;
        let is_cached = first.is_some_and(is_cached) && statuses.all(is_cached);
        let started_at = timestamp(self.started_ms);
        Ok(TaskRecord::of_group(self.id, is_cached, &started_at))
    }

    fn execute(&mut self) -> Result<TaskRecord, Trouble> {
        let run = self.run;
        let steps = steps_of(self.task)
            .ok_or_else(|| Error::Invalid(format!("`{}` has a step of its own kind", self.id)))?;
        run.recorder.set_running(self.id);
        if let Some(verdict) = &self.verdict {
            run.recorder.emit(&Event::TaskStarted {
                at_ms: run.recorder.now_ms(),
                task: self.id,
                verdict,
                key: self.key.as_deref(),
            });
        }
        let mut env = host_part(self.task, run.host);
        let own: Variables = declared(run.engine, self.id, None)?.collect();
        self.check_requirements(&env, &own)?;
        run.watch().map_err(|error| {
            let message = format!("no process can be started: {}", refusal(&error));
            self.trouble("PIPEC_STEP_NOT_STARTED", &message)
        })?;
        env.insert(SESSION.to_owned(), run.session.to_owned());
        env.extend(own);
        let name = format!("logs/{}", log_name(self.id));
        let path = run.recorder.folder().join(&name);
        let mut output = Output::to(&path, run.log_bytes);
        let tried = Tried {
            run,
            id: self.id,
            task: self.task,
            steps: &steps,
            env,
            mark: run.marks.of_next_task(),
        };
        let (attempts, error) = tried.attempts(&mut output)?;
        self.attempts = attempts;
        self.log = output.log.is_begun().then_some(name);
        let closed = output.log.close();
        let trouble = output.trouble.or(closed.err());
        if let Some(trouble) = &trouble {
            let message = format!("the log is incomplete: {}", refusal(trouble));
            self.warn("PIPEC_STATE_UNWRITABLE", &message);
        }
        if run.interrupt.is_requested() {
            run.engine.failed(self.id);
            return Ok(self.cancelled());
        }
        if let Some(error) = error {
            run.engine.failed(self.id);
            return Ok(self.failed(error));
        }
        let is_whole = trouble.is_none() && self.log.is_some();
        let outputs = self.seal(is_whole.then_some(path))?;
        Ok(TaskRecord {
            outputs,
            ..self.record(Status::Passed)
        })
    }

    /// Every tool, and the program of the runtime, must be on the task's own PATH.
    fn check_requirements(&self, host: &Variables, own: &Variables) -> Result<(), Trouble> {
        let requires = &self.task.requires;
        let runtime = requires.runtime.split('@').next().unwrap_or_default();
        let mut needed: Vec<&str> = requires.tools.iter().map(String::as_str).collect();
        if !runtime.is_empty() && runtime != EVERYWHERE {
            needed.push(runtime);
        }
        if needed.is_empty() {
            return Ok(());
        }
        let search = own.get("PATH").or_else(|| host.get("PATH"));
        let folder = std::path::Path::new(self.run.root).join(&self.task.cwd);
        let mut missing: Vec<String> = Vec::new();
        for tool in needed {
            let quoted = format!("`{tool}`");
            if !missing.contains(&quoted) && !has_program(tool, search.map(String::as_str), &folder)
            {
                missing.push(quoted);
            }
        }
        let verb = match missing.len() {
            0 => return Ok(()),
            1 => "is",
            _ => "are",
        };
        let names = missing.join(", ");
        let message = format!("{names} {verb} required, and not on the PATH of the task");
        Err(self.trouble("PIPEC_MISSING_TOOL", &message))
    }

    /// Closes the task with the engine. Declared outputs that are missing are a failure of the task.
    fn seal(&self, log: Option<std::path::PathBuf>) -> Result<Option<Outputs>, Trouble> {
        let facts = TaskFacts {
            finished_ms: self.run.recorder.now_ms(),
            duration_ms: self.elapsed_ms(),
            log,
            tool: VERSION.to_owned(),
            metadata: None,
            changed: Vec::new(),
        };
        let sealed = match self.run.engine.seal(self.id, &facts) {
            Ok(sealed) => sealed,
            Err(error @ (Error::Io { .. } | Error::Corrupt { .. })) => {
                let refused = self.refusal(&error);
                let message = format!("the outputs cannot be stored: {refused}");
                self.warn("PIPEC_STORE_UNAVAILABLE", &message);
                self.run.engine.failed(self.id);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if !sealed.missing.is_empty() {
            let named = outputs_named(&sealed.missing);
            let message = format!("the task succeeded, but nothing matches its {named}");
            return Err(self.trouble("PIPEC_OUTPUT_MISSING", &message));
        }
        if !sealed.unsuitable.is_empty() {
            let named = outputs_named(&sealed.unsuitable);
            let message = format!("neither file, link nor folder: {named}");
            return Err(self.trouble("PIPEC_OUTPUT_UNSUITABLE", &message));
        }
        self.warn_of_unstored(&sealed);
        Ok(Some(Outputs {
            files: sealed.files,
            bytes: sealed.bytes,
            digest: Some(sealed.digest).filter(|digest| !digest.is_empty()),
        }))
    }

    fn warn_of_unstored(&self, sealed: &Sealed) {
        if let [first, rest @ ..] = sealed.changed_inputs.as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            let message = format!(
                "`{first}`{more} changed while the task ran: its result is kept, not stored"
            );
            self.warn("PIPEC_INPUTS_CHANGED", &message);
        } else if !sealed.trouble.is_empty() {
            let refused = describe(&sealed.trouble, self.run.root);
            let message = format!("the outputs cannot be stored: {refused}");
            self.warn("PIPEC_STORE_UNAVAILABLE", &message);
        }
    }

    fn failed(&mut self, error: ErrorRecord) -> TaskRecord {
        if self.run.interrupt.is_requested() {
            return self.cancelled();
        }
        TaskRecord {
            error: Some(error),
            may_fail: self.task.allow_failure,
            ..self.record(Status::Failed)
        }
    }

    fn cancelled(&mut self) -> TaskRecord {
        TaskRecord {
            reason: Some(self.run.interrupt.task_reason()),
            ..self.record(Status::Cancelled)
        }
    }

    fn record(&mut self, status: Status) -> TaskRecord {
        TaskRecord {
            status,
            verdict: self.verdict.take(),
            key: self.key.take(),
            attempts: std::mem::take(&mut self.attempts),
            started_at: Some(timestamp(self.started_ms)),
            duration_ms: Some(self.elapsed_ms()),
            log: self.log.take(),
            ..TaskRecord::waiting(self.id)
        }
    }

    fn elapsed_ms(&self) -> u64 {
        milliseconds(self.run.world.monotonic().saturating_sub(self.started))
    }

    fn refusal(&self, error: &Error) -> String {
        describe(&error.to_string(), self.run.root)
    }

    fn trouble(&self, code: &'static str, message: &str) -> Trouble {
        Trouble::Failed(self.run.error(code, message))
    }

    fn warn(&self, code: &'static str, message: &str) {
        self.run.warn(code, message, Some(self.id));
    }
}

fn outputs_named(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let noun = if names.len() == 1 {
        "output"
    } else {
        "outputs"
    };
    format!("{noun} {}", quoted.join(", "))
}
