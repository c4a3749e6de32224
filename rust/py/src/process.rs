//! The watcher of a run that Python executes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipec_core::process::{self, Slot, Watched};
use pyo3::prelude::*;

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

    #[getter]
    fn pid(&self) -> Option<i32> {
        self.lock().watcher.as_ref().map(process::Watcher::pid)
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

#[pyfunction]
pub(crate) fn adopt_orphans() {
    process::adopt_orphans();
}

impl Watcher {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
