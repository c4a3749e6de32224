//! The store at rest, over the border.

use std::path::PathBuf;

use pipec_core::store::{Limits, Store, clear, sweep};
use pyo3::prelude::*;

use crate::errors::{to_json, to_python};

#[pyfunction]
#[pyo3(signature = (root, /, *, now_ms, max_age_ms, max_bytes, dry))]
pub(crate) fn store_sweep(
    py: Python<'_>,
    root: PathBuf,
    now_ms: u64,
    max_age_ms: Option<u64>,
    max_bytes: Option<u64>,
    dry: bool,
) -> PyResult<String> {
    let limits = Limits {
        now_ms,
        max_age_ms,
        max_bytes,
    };
    let swept = py
        .detach(|| sweep(&Store::at(root), limits, dry))
        .map_err(to_python)?;
    to_json(&swept)
}

#[pyfunction]
#[pyo3(signature = (root, /))]
pub(crate) fn store_clear(py: Python<'_>, root: PathBuf) -> PyResult<()> {
    py.detach(|| clear(&root)).map_err(to_python)
}
