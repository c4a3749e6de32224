//! The engine, over the border.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use pipec_core::digest::Digest;
use pipec_core::engine::{self, Extras, Request, TaskFacts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::{from_json, to_json, to_python};

/// An entry, and the digests of the blobs that belong to it.
type Exported = (Cow<'static, [u8]>, Vec<String>);

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct Engine(pub(crate) engine::Engine);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (root, ir, request))]
    fn new(py: Python<'_>, root: PathBuf, ir: &[u8], request: &str) -> PyResult<Self> {
        let opened = py.detach(|| engine::Engine::new(&root, ir, Request::parse(request)?));
        opened.map(Self).map_err(to_python)
    }

    #[pyo3(signature = (task, step = None, /))]
    fn environment(
        &self,
        task: &str,
        step: Option<usize>,
    ) -> PyResult<Vec<(String, String, bool)>> {
        let resolved = self.0.environment(task, step).map_err(to_python)?;
        let values = resolved.into_iter();
        Ok(values
            .map(|(name, value)| (name, value.value, value.is_secret))
            .collect())
    }

    #[pyo3(signature = (extras, /))]
    fn assess(&self, py: Python<'_>, extras: &str) -> PyResult<String> {
        let extras: BTreeMap<String, Extras> = from_json(extras)?;
        to_json(&py.detach(|| self.0.assess(&extras)).map_err(to_python)?)
    }

    #[pyo3(signature = (task, extras, /))]
    fn decide(&self, py: Python<'_>, task: &str, extras: &str) -> PyResult<String> {
        let extras: Extras = from_json(extras)?;
        to_json(
            &py.detach(|| self.0.decide(task, &extras))
                .map_err(to_python)?,
        )
    }

    #[pyo3(signature = (task, /))]
    fn restore(&self, py: Python<'_>, task: &str) -> PyResult<String> {
        to_json(&py.detach(|| self.0.restore(task)).map_err(to_python)?)
    }

    #[pyo3(signature = (task, facts, /))]
    fn seal(&self, py: Python<'_>, task: &str, facts: &str) -> PyResult<String> {
        let facts: TaskFacts = from_json(facts)?;
        to_json(&py.detach(|| self.0.seal(task, &facts)).map_err(to_python)?)
    }

    #[pyo3(signature = (task, /))]
    fn failed(&self, task: &str) {
        self.0.failed(task);
    }

    #[pyo3(signature = (task, extras, /))]
    fn diff_inputs(&self, py: Python<'_>, task: &str, extras: &str) -> PyResult<String> {
        let extras: Extras = from_json(extras)?;
        to_json(
            &py.detach(|| self.0.diff_inputs(task, &extras))
                .map_err(to_python)?,
        )
    }

    #[pyo3(signature = (task, /))]
    fn input_files(
        &self,
        py: Python<'_>,
        task: &str,
    ) -> PyResult<Vec<(Cow<'static, [u8]>, String)>> {
        let files = py.detach(|| self.0.input_files(task)).map_err(to_python)?;
        let shown = files.into_iter().map(|(path, digest)| {
            (
                Cow::Owned(path),
                digest.map(Digest::to_hex).unwrap_or_default(),
            )
        });
        Ok(shown.collect())
    }

    #[pyo3(signature = (task, /))]
    fn unmatched(&self, py: Python<'_>, task: &str) -> PyResult<Vec<usize>> {
        py.detach(|| self.0.unmatched(task)).map_err(to_python)
    }

    #[pyo3(signature = (task, /))]
    fn selected(&self, py: Python<'_>, task: &str) -> PyResult<Vec<usize>> {
        py.detach(|| self.0.selected(task)).map_err(to_python)
    }

    #[pyo3(signature = (task, /))]
    fn log_of(&self, py: Python<'_>, task: &str) -> PyResult<Option<Cow<'static, [u8]>>> {
        let log = py.detach(|| self.0.log_of(task)).map_err(to_python)?;
        Ok(log.map(Cow::Owned))
    }

    #[pyo3(signature = (task, /))]
    fn export(&self, py: Python<'_>, task: &str) -> PyResult<Option<Exported>> {
        let exported = py.detach(|| self.0.export(task)).map_err(to_python)?;
        Ok(exported.map(|(entry, blobs)| (Cow::Owned(entry), to_hex(&blobs))))
    }

    #[pyo3(signature = (task, digest, /))]
    fn blob(&self, py: Python<'_>, task: &str, digest: &str) -> PyResult<Cow<'static, [u8]>> {
        let digest = from_hex(digest)?;
        let bytes = py.detach(|| self.0.blob(task, digest)).map_err(to_python)?;
        Ok(Cow::Owned(bytes))
    }

    #[pyo3(signature = (task, entry, /))]
    fn wanted(&self, py: Python<'_>, task: &str, entry: &[u8]) -> PyResult<Vec<String>> {
        let wanted = py.detach(|| self.0.wanted(task, entry));
        Ok(to_hex(&wanted.map_err(to_python)?))
    }

    #[pyo3(signature = (task, digest, data, /))]
    fn take_blob(&self, py: Python<'_>, task: &str, digest: &str, data: &[u8]) -> PyResult<()> {
        let digest = from_hex(digest)?;
        py.detach(|| self.0.take_blob(task, digest, data))
            .map_err(to_python)
    }

    #[pyo3(signature = (task, entry, /))]
    fn take_entry(&self, py: Python<'_>, task: &str, entry: &[u8]) -> PyResult<()> {
        py.detach(|| self.0.take_entry(task, entry))
            .map_err(to_python)
    }

    fn save(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.save()).map_err(to_python)
    }

    fn folders(&self, py: Python<'_>) -> Vec<Cow<'static, [u8]>> {
        let folders = py.detach(|| self.0.folders());
        folders.into_iter().map(Cow::Owned).collect()
    }

    fn durations(&self) -> BTreeMap<String, u64> {
        self.0.durations()
    }

    fn counters(&self) -> BTreeMap<&'static str, u64> {
        self.0.counters()
    }
}

fn to_hex(digests: &[Digest]) -> Vec<String> {
    digests.iter().map(|digest| digest.to_hex()).collect()
}

fn from_hex(digest: &str) -> PyResult<Digest> {
    let parsed = Digest::from_hex(digest);
    parsed.ok_or_else(|| PyValueError::new_err(format!("`{digest}` is no digest")))
}
