//! The module `pipec._core`: what Python sees of the core, and nothing that decides anything.

use pyo3::prelude::*;

mod document;
mod redact;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(document::toml_errors, module)?)?;
    module.add_function(wrap_pyfunction!(document::toml_spans, module)?)?;
    module.add_function(wrap_pyfunction!(document::render_findings, module)?)?;
    module.add_class::<redact::Redactor>()?;
    Ok(())
}
