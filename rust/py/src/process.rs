//! The processes of a run that Python executes, and its watcher.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CString, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipec_core::process::{self, Launch, Mark, Place, Slot, Watched};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::of_system;

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct Watcher {
    sessions: Watched,
    inner: Mutex<Inner>,
}

struct Inner {
    watcher: Option<process::Watcher>,
    slots: HashMap<i32, Slot>,
}

#[pymethods]
impl Watcher {
    #[new]
    #[pyo3(signature = (program, env))]
    fn new(py: Python<'_>, program: Vec<String>, env: BTreeMap<String, String>) -> PyResult<Self> {
        py.detach(|| {
            let sessions = Watched::new()?;
            let watcher = process::Watcher::start(&sessions, &program, &env)?;
            Ok(Self {
                sessions,
                inner: Mutex::new(Inner {
                    watcher: Some(watcher),
                    slots: HashMap::new(),
                }),
            })
        })
    }

    #[pyo3(signature = (session, /))]
    fn watch(&self, session: i32) {
        let slot = self.sessions.watch(session);
        let mut inner = self.lock();
        inner.slots.extend(slot.map(|slot| (session, slot)));
    }

    #[pyo3(signature = (session, /))]
    fn forget(&self, session: i32) {
        let slot = self.lock().slots.remove(&session);
        if let Some(slot) = slot {
            self.sessions.forget(slot);
        }
    }

    fn stop(&self, py: Python<'_>) {
        let watcher = self.lock().watcher.take();
        if let Some(watcher) = watcher {
            py.detach(|| watcher.stop());
        }
    }
}

impl Watcher {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct Marks {
    inner: process::Marks,
}

#[pymethods]
impl Marks {
    #[new]
    fn new() -> PyResult<Self> {
        let inner = process::Marks::draw().map_err(of_system)?;
        Ok(Self { inner })
    }

    #[getter]
    fn run(&self) -> u64 {
        self.inner.run().number()
    }

    fn of_next_task(&self) -> u64 {
        self.inner.of_next_task().number()
    }
}

#[pyfunction]
#[pyo3(signature = (argv, *, env, cwd, streams, group, mark))]
pub(crate) fn start_process(
    py: Python<'_>,
    argv: Vec<OsString>,
    env: Vec<OsString>,
    cwd: PathBuf,
    streams: Vec<(RawFd, RawFd)>,
    group: Option<i32>,
    mark: u64,
) -> PyResult<i32> {
    let (argv, env) = (texts(argv)?, texts(env)?);
    let launch = Launch {
        argv: &argv,
        env: &env,
        cwd: &cwd,
        streams: &streams,
        place: group.map_or(Place::OwnSession, Place::Group),
        mark: Some(Mark::numbered(mark)),
    };
    let pid = py.detach(|| launch.start()).map_err(of_system)?;
    Ok(pid.as_raw_pid())
}

fn texts(texts: Vec<OsString>) -> PyResult<Vec<CString>> {
    let texts = texts.into_iter().map(|text| CString::new(text.into_vec()));
    let texts = texts.collect::<Result<_, _>>();
    texts.map_err(|_| PyValueError::new_err("embedded null byte"))
}
