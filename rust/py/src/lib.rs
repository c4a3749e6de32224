//! The module `pipec._core`: what Python sees of the core, and nothing that decides anything.

use pyo3::prelude::*;

mod document;
mod engine;
mod errors;
mod front;
mod outline;
mod patterns;
mod process;
mod redact;
mod store;
mod view;
mod watch;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    module.add("VERBS", pipec_core::front::VERBS)?;
    module.add_function(wrap_pyfunction!(patterns::digest, module)?)?;
    module.add_function(wrap_pyfunction!(patterns::content_digest, module)?)?;
    module.add_function(wrap_pyfunction!(document::toml_errors, module)?)?;
    module.add_function(wrap_pyfunction!(document::toml_spans, module)?)?;
    module.add_function(wrap_pyfunction!(document::toml_outline, module)?)?;
    module.add_function(wrap_pyfunction!(document::toml_cursor, module)?)?;
    module.add_function(wrap_pyfunction!(document::render_findings, module)?)?;
    module.add_class::<redact::Redactor>()?;
    module.add_function(wrap_pyfunction!(patterns::pattern_problem, module)?)?;
    module.add_function(wrap_pyfunction!(patterns::overlaps, module)?)?;
    module.add_function(wrap_pyfunction!(patterns::matching, module)?)?;
    module.add_function(wrap_pyfunction!(outline::draw, module)?)?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<process::Watcher>()?;
    module.add_class::<process::Marks>()?;
    module.add_function(wrap_pyfunction!(process::start_process, module)?)?;
    module.add_class::<watch::FolderEvents>()?;
    module.add_function(wrap_pyfunction!(front::answer, module)?)?;
    module.add_class::<front::HandOver>()?;
    module.add_class::<view::View>()?;
    module.add_function(wrap_pyfunction!(view::clean, module)?)?;
    module.add_function(wrap_pyfunction!(store::store_sweep, module)?)?;
    module.add_function(wrap_pyfunction!(store::store_clear, module)?)?;
    module.add_function(wrap_pyfunction!(store::store_inputs, module)?)?;
    Ok(())
}
