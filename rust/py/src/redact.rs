//! Redaction, over the border.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pipec_core::redact::{Secrets, Stream};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct Redactor {
    secrets: Secrets,
    stream: Mutex<Stream>,
}

#[pymethods]
impl Redactor {
    #[new]
    #[pyo3(signature = (secrets))]
    fn new(py: Python<'_>, secrets: Vec<Vec<u8>>) -> PyResult<Self> {
        let secrets = py
            .detach(|| Secrets::new(secrets.iter().map(Vec::as_slice)))
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self {
            secrets,
            stream: Mutex::default(),
        })
    }

    #[pyo3(signature = (chunk, /))]
    fn feed<'py>(&self, py: Python<'py>, chunk: &[u8]) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.stream().feed(&self.secrets, chunk)))
    }

    fn finish<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.stream().finish()))
    }

    #[pyo3(signature = (text, /))]
    fn redact<'py>(&self, py: Python<'py>, text: &[u8]) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.secrets.redact(text)))
    }
}

impl Redactor {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        // A stream is whole between two statements: what a panicking thread left is usable.
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
