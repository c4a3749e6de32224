//! Digests and patterns, over the border.

use pipec_core::digest::Digest;
use pipec_core::glob::{Pattern, matching as find_matching, overlaps as find_overlaps};
use pipec_core::ir::OutputPattern;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::from_json;

#[pyfunction]
#[pyo3(signature = (context, data, /))]
pub(crate) fn digest(py: Python<'_>, context: &str, data: &[u8]) -> String {
    py.detach(|| Digest::derive(context, data).to_hex())
}

#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn content_digest(py: Python<'_>, data: &[u8]) -> String {
    py.detach(|| Digest::of(data).to_hex())
}

#[pyfunction]
#[pyo3(signature = (pattern, /))]
pub(crate) fn pattern_problem(pattern: &str) -> Option<(String, usize, usize)> {
    let problem = Pattern::parse(pattern).err()?;
    Some((problem.message, problem.start, problem.end))
}

#[pyfunction]
#[pyo3(signature = (sets, /))]
pub(crate) fn overlaps(py: Python<'_>, sets: &str) -> PyResult<Vec<(usize, usize, String)>> {
    let sets: Vec<Vec<OutputPattern>> = from_json(sets)?;
    let parse = |pattern: &OutputPattern| {
        Pattern::parse(&pattern.glob).map(|parsed| (parsed, pattern.exclude))
    };
    let sets: Result<Vec<Vec<_>>, _> = sets
        .iter()
        .map(|set| set.iter().map(parse).collect())
        .collect();
    let sets = sets.map_err(|problem| PyValueError::new_err(problem.message))?;
    let found = py.detach(|| find_overlaps(&sets));
    Ok(found
        .into_iter()
        .map(|overlap| (overlap.first, overlap.second, overlap.path))
        .collect())
}

#[pyfunction]
#[pyo3(signature = (patterns, paths, /))]
pub(crate) fn matching(
    py: Python<'_>,
    patterns: Vec<String>,
    paths: Vec<String>,
) -> PyResult<Vec<Vec<u32>>> {
    let parsed: Result<Vec<_>, _> = patterns.iter().map(|glob| Pattern::parse(glob)).collect();
    let parsed = parsed.map_err(|problem| PyValueError::new_err(problem.message))?;
    Ok(py.detach(|| find_matching(&parsed, &paths)))
}
