//! The outline of a pipeline, over the border.

use pipec_core::outline::{Outline, Selected};
use pyo3::prelude::*;

use crate::errors::to_python;

/// Draws jobs and tasks as `text` or as `dot`.
#[pyfunction]
#[pyo3(signature = (ir, format, /, *, jobs, targets, tasks))]
pub(crate) fn draw(
    py: Python<'_>,
    ir: &[u8],
    format: &str,
    jobs: Vec<String>,
    targets: Vec<String>,
    tasks: Vec<String>,
) -> PyResult<String> {
    let selected = Selected {
        jobs,
        targets,
        tasks,
    };
    let drawn = py.detach(|| {
        let outline = Outline::parse(ir)?;
        Ok(match format {
            "dot" => outline.dot(&selected),
            _ => outline.tree(&selected),
        })
    });
    drawn.map_err(to_python)
}
