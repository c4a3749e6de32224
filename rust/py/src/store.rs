//! The store at rest, over the border.

use std::path::PathBuf;

use pipec_core::digest::Digest;
use pipec_core::store::{Limits, Lookup, Store, clear, sweep};
use pipec_core::tree::EntryKind;
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

/// Path and digest of each file.
type Files = Vec<(Vec<u8>, String)>;

#[pyfunction]
#[pyo3(signature = (root, key, /))]
pub(crate) fn store_inputs(py: Python<'_>, root: PathBuf, key: &str) -> PyResult<Option<Files>> {
    let Some(key) = Digest::from_hex(key) else {
        return Ok(None);
    };
    let found = py.detach(|| {
        let store = Store::at(root);
        match store.look_up(key) {
            Lookup::Found(entry) => store.manifest(&entry.inputs).map(Some),
            Lookup::Absent | Lookup::Corrupt(_) => Ok(None),
        }
    });
    let manifest = found.map_err(to_python)?;
    Ok(manifest.map(|manifest| {
        let entries = manifest.entries.into_iter();
        entries
            .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
            .map(|entry| (entry.path.into_vec(), entry.digest.to_hex()))
            .collect()
    }))
}
