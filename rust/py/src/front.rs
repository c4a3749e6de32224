//! The front door, over the border: here the process is asked how it was called and what time it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::IntoRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pipec_core::clock::Clock;
use pipec_core::engine::{Decision, Engine as CoreEngine};
use pipec_core::front::{self, Call, Outcome, RunLock, World};
use pipec_core::view::Size;
use pyo3::prelude::*;
use serde_json::Value;

use crate::engine::Engine;
use crate::errors::{to_json, to_python};

/// What of a call is done, or None for one that the front door does not know.
#[pyfunction]
#[pyo3(signature = (words, /))]
pub(crate) fn answer(py: Python<'_>, words: Vec<String>) -> PyResult<Option<Py<PyAny>>> {
    let world = Process::new();
    let python = Python3::of(py)?;
    let outcome = py.detach(|| call_of(words, python).map(|call| front::answer(&call, &world)));
    if let Some(error) = world
        .interrupt
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        return Err(error);
    }
    match outcome {
        None | Some(Outcome::Unknown) => Ok(None),
        Some(Outcome::Done {
            out,
            err,
            status,
            failed,
        }) => Ok(Some(
            (out, err, status, failed)
                .into_pyobject(py)?
                .into_any()
                .unbind(),
        )),
        Some(Outcome::HandOver(begun)) => Ok(Some(
            HandOver::of(*begun).into_pyobject(py)?.into_any().unbind(),
        )),
        Some(Outcome::Fault(error)) => Err(to_python(error)),
    }
}

/// A run that the front door began and cannot end: something has to run.
#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct HandOver {
    root: String,
    #[pyo3(get)]
    run_id: String,
    ir: Vec<u8>,
    request: Value,
    decisions: BTreeMap<String, Decision>,
    engine: Mutex<Option<CoreEngine>>,
    lock: Mutex<Option<RunLock>>,
}

impl HandOver {
    fn of(begun: front::HandOver) -> Self {
        Self {
            root: begun.root.to_string_lossy().into_owned(),
            run_id: begun.run_id,
            ir: begun.ir,
            request: without_moment(serde_json::from_str(&begun.request).unwrap_or_default()),
            decisions: begun.decisions,
            engine: Mutex::new(Some(begun.engine)),
            lock: Mutex::new(Some(begun.lock)),
        }
    }
}

#[pymethods]
impl HandOver {
    /// The descriptor of the run lock of the project at `root`, once.
    #[pyo3(signature = (root, /))]
    fn take_lock(&self, root: &str) -> Option<i32> {
        if root != self.root {
            return None;
        }
        let lock = self
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        lock?.into_fd().map(IntoRawFd::into_raw_fd)
    }

    /// The engine and its decisions, once, for a caller that asks just what the engine was asked.
    #[pyo3(signature = (root, ir, request, /))]
    fn take_engine(
        &self,
        root: &str,
        ir: &[u8],
        request: &str,
    ) -> PyResult<Option<(Engine, String)>> {
        let asked = without_moment(serde_json::from_str(request).unwrap_or_default());
        if root != self.root || ir != self.ir || asked != self.request {
            return Ok(None);
        }
        let engine = self
            .engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let decisions = to_json(&self.decisions)?;
        Ok(engine.map(|engine| (Engine(engine), decisions)))
    }
}

/// A request without what is different each time.
fn without_moment(mut request: Value) -> Value {
    if let Some(fields) = request.as_object_mut() {
        fields.remove("run_id");
        fields.remove("now_ms");
    }
    request
}

/// This process. `interrupt` is what a signal handler of Python raised.
struct Process {
    interrupt: Mutex<Option<PyErr>>,
    started: Instant,
}

impl Process {
    #[allow(
        clippy::disallowed_methods,
        reason = "the border is where time comes from"
    )]
    fn new() -> Self {
        Self {
            interrupt: Mutex::default(),
            started: Instant::now(),
        }
    }
}

impl World for Process {
    fn is_interrupted(&self) -> bool {
        let mut interrupt = self
            .interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if interrupt.is_none() {
            let check = |py: Python<'_>| py.check_signals();
            *interrupt = Python::attach(check).err();
        }
        interrupt.is_some()
    }

    fn say(&self, words: &[u8]) -> io::Result<()> {
        io::stderr().lock().write_all(words)
    }

    fn screen(&self) -> Size {
        let told = rustix::termios::tcgetwinsize(io::stderr());
        told.map_or(Size::USUAL, |told| {
            Size::told(told.ws_col.into(), told.ws_row.into())
        })
    }
}

impl Clock for Process {
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the border is where time comes from"
    )]
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }
}

/// What of Python matters to a run.
struct Python3 {
    speaks_utf8: bool,
    ender: Vec<String>,
}

impl Python3 {
    fn of(py: Python<'_>) -> PyResult<Self> {
        let sys = py.import("sys")?;
        let error = sys.getattr("stderr")?;
        let encoding = if error.is_none() {
            String::new()
        } else {
            error.getattr("encoding")?.extract()?
        };
        let core: String = py.import("pipec._core")?.getattr("__file__")?.extract()?;
        let folder = core.rsplit_once('/').map_or("", |(folder, _)| folder);
        let program = format!("{folder}/runtime/survivors.py");
        let executable: String = sys.getattr("executable")?.extract()?;
        let ender = [executable.as_str(), "-I", "-S", &program];
        Ok(Self {
            speaks_utf8: encoding.eq_ignore_ascii_case("utf-8"),
            ender: ender.map(str::to_owned).into(),
        })
    }
}

/// None if something about the process is no text: the long way takes any bytes.
fn call_of(words: Vec<String>, python: Python3) -> Option<Call> {
    let mut environment = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        environment.insert(name.into_string().ok()?, value.into_string().ok()?);
    }
    let mut nonce = [0; 4];
    File::open("/dev/urandom")
        .ok()?
        .read_exact(&mut nonce)
        .ok()?;
    let cores = std::thread::available_parallelism().ok()?.get();
    let machine = rustix::system::uname().machine().to_str().ok()?.to_owned();
    Some(Call {
        words,
        folder: std::env::current_dir().ok()?,
        environment,
        is_error_a_terminal: std::io::stderr().is_terminal(),
        speaks_utf8: python.speaks_utf8,
        ender: python.ender,
        pid: std::process::id(),
        cores: u32::try_from(cores).ok()?,
        platform: format!("{}-{machine}", std::env::consts::OS),
        nonce,
        ends_process: true,
    })
}
