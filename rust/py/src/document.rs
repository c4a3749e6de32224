//! Documents, over the border.

use std::ffi::OsString;

use pipec_core::document;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Offsets = (usize, usize, usize, usize);
type Outlined = (i64, Name, &'static str, Offsets, String);
type Pointed = (&'static str, Vec<Name>, usize);

/// A key or an index: Python takes it as it is.
#[derive(IntoPyObject)]
pub(crate) enum Name {
    Key(String),
    Index(usize),
}

impl From<document::Name> for Name {
    fn from(name: document::Name) -> Self {
        match name {
            document::Name::Key(key) => Self::Key(key),
            document::Name::Index(index) => Self::Index(index),
        }
    }
}

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
#[pyo3(signature = (text, /))]
pub(crate) fn toml_outline(py: Python<'_>, text: &str) -> Vec<Outlined> {
    let entries = py.detach(|| document::toml_outline(text));
    let outlined = |entry: document::Entry| {
        let parent = entry.parent.and_then(|index| i64::try_from(index).ok());
        let offsets = (
            entry.key.start,
            entry.key.end,
            entry.value.start,
            entry.value.end,
        );
        (
            parent.unwrap_or(-1),
            entry.name.into(),
            kind(entry.kind),
            offsets,
            entry.text,
        )
    };
    entries.into_iter().map(outlined).collect()
}

#[pyfunction]
#[pyo3(signature = (text, offset, /))]
pub(crate) fn toml_cursor(py: Python<'_>, text: &str, offset: usize) -> Option<Pointed> {
    let cursor = py.detach(|| document::toml_cursor(text, offset))?;
    let slot = match cursor.slot {
        document::Slot::Key => "key",
        document::Slot::Header => "header",
        document::Slot::Value => "value",
    };
    let route = cursor.route.into_iter().map(Name::from).collect();
    Some((slot, route, cursor.start))
}

fn kind(kind: document::Kind) -> &'static str {
    match kind {
        document::Kind::Header => "header",
        document::Kind::Part => "part",
        document::Kind::Table => "table",
        document::Kind::List => "list",
        document::Kind::Text => "text",
        document::Kind::Plain => "plain",
        document::Kind::Missing => "missing",
    }
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
