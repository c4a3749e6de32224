//! What can go wrong in the core, told apart by what a caller can do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
pub enum Error {
    /// The operating system refused something about this path.
    Io { path: PathBuf, source: io::Error },
    /// A kept file does not hold what was put there. Treated as if it were not there.
    Corrupt { path: PathBuf, what: String },
    /// An argument that the caller should never have sent.
    Invalid(String),
    /// Environment values that cannot be resolved, all of them.
    Environment(Vec<crate::key::environment::Problem>),
}

impl Error {
    /// For `map_err` on calls about one path.
    pub fn at<P: AsRef<Path>>(path: P) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { path, source }
    }

    pub fn corrupt<P: AsRef<Path>>(path: P, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.as_ref().to_path_buf(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Corrupt { path, what } => write!(f, "{}: {what}", path.display()),
            Self::Invalid(what) => f.write_str(what),
            Self::Environment(problems) => {
                write!(
                    f,
                    "{} environment values cannot be resolved",
                    problems.len()
                )
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Corrupt { .. } | Self::Invalid(_) | Self::Environment(_) => None,
        }
    }
}
