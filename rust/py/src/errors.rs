//! Errors of the core as Python's own.

use pipec_core::Error;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

pub(crate) fn to_python(error: Error) -> PyErr {
    match error {
        Error::Io { path, source } => match source.raw_os_error() {
            // Python picks the class by the number: FileNotFoundError, PermissionError, …
            Some(number) => {
                let text = source.to_string();
                let reason = text
                    .split(" (os error")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                PyOSError::new_err((number, reason, path))
            }
            None => PyOSError::new_err(format!("{}: {source}", path.display())),
        },
        // The number tells it from a disk that refuses.
        Error::Corrupt { path, what } => {
            let number = rustix::io::Errno::BADMSG.raw_os_error();
            PyOSError::new_err((number, what, path))
        }
        Error::Invalid(what) => PyValueError::new_err(what),
        Error::Environment(problems) => match to_json(&problems) {
            Ok(json) => PyValueError::new_err(json),
            Err(error) => error,
        },
    }
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))
}
