//! Documents, over the border.

use std::ffi::OsString;

use pipec_core::document;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Offsets = (usize, usize, usize, usize);

#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn toml_errors(py: Python<'_>, text: &str) -> Vec<(String, usize, usize)> {
    let errors = py.detach(|| document::toml_errors(text));
    errors
        .into_iter()
        .map(|error| (error.message, error.span.start, error.span.end))
        .collect()
}

#[pyfunction]
#[pyo3(signature = (text, routes, /))]
pub(crate) fn toml_spans(
    py: Python<'_>,
    text: &str,
    routes: &str,
) -> PyResult<Vec<Option<Offsets>>> {
    let places = py
        .detach(|| Ok(document::toml_spans(text, &document::parse_routes(routes)?)))
        .map_err(|error: document::JsonError| PyValueError::new_err(error.to_string()))?;
    let offsets = |document::Place { key, value }| (key.start, key.end, value.start, value.end);
    Ok(places.into_iter().map(|place| place.map(offsets)).collect())
}

#[pyfunction]
#[pyo3(signature = (path, text, findings, /, *, color))]
pub(crate) fn render_findings(
    py: Python<'_>,
    path: OsString,
    text: &str,
    findings: &str,
    color: bool,
) -> PyResult<String> {
    // A path that is not Unicode has to be shown all the same.
    let path = path.to_string_lossy();
    py.detach(|| {
        let findings = document::parse_findings(findings)?;
        Ok(document::render_findings(&path, text, &findings, color))
    })
    .map_err(|error: document::JsonError| PyValueError::new_err(error.to_string()))
}
