//! Errors of the core as Python's own.

use std::io;

use pipec_core::Error;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

pub(crate) fn to_python(error: Error) -> PyErr {
    match error {
        Error::Io { path, source } => match source.raw_os_error() {
            // Python picks the class by the number: FileNotFoundError, PermissionError, …
            Some(number) => PyOSError::new_err((number, reason_of(&source), path)),
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

/// An error that is about no path.
pub(crate) fn of_system(source: io::Error) -> PyErr {
    match source.raw_os_error() {
        Some(number) => PyOSError::new_err((number, reason_of(&source))),
        None => source.into(),
    }
}

fn reason_of(source: &io::Error) -> String {
    let text = source.to_string();
    let reason = text.split(" (os error").next();
    reason.unwrap_or_default().to_owned()
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))
}
