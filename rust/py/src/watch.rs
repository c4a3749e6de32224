//! Events of folders, over the border.

use std::os::fd::AsRawFd;
use std::path::PathBuf;

use pipec_core::watch;
use pyo3::prelude::*;

use crate::errors::of_system;

#[pyclass(frozen, module = "pipec._core")]
pub(crate) struct FolderEvents(watch::FolderEvents);

#[pymethods]
impl FolderEvents {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self(watch::FolderEvents::new().map_err(of_system)?))
    }

    fn fileno(&self) -> i32 {
        self.0.descriptor().as_raw_fd()
    }

    #[pyo3(signature = (folders, /))]
    fn add(&self, py: Python<'_>, folders: Vec<PathBuf>) -> PyResult<usize> {
        py.detach(|| {
            let mut added = 0;
            for folder in &folders {
                added += usize::from(self.0.add(folder).map_err(of_system)?);
            }
            Ok(added)
        })
    }

    fn take(&self) -> PyResult<bool> {
        self.0.take().map_err(of_system)
    }
}
