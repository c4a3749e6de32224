//! Where programs are: on the PATH that a process will have, as seen from the folder it will be in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// What counts as PATH where there is none.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The program of this name, if there is one that may be executed. A name with a slash is a path.
pub(super) fn find_program(name: &OsStr, search: Option<&OsStr>, folder: &Path) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        let path = folder.join(name);
        return is_program(&path).then_some(path);
    }
    let search = search.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    let mut places = search.split(|byte| *byte == b':').map(OsStr::from_bytes);
    places.find_map(|place| {
        let path = folder.join(place).join(name);
        is_program(&path).then_some(path)
    })
}

/// Whether a command of this name would start.
pub fn has_program(name: &str, search: Option<&str>, folder: &Path) -> bool {
    find_program(OsStr::new(name), search.map(OsStr::new), folder).is_some()
}

fn is_program(path: &Path) -> bool {
    rustix::fs::access(path, Access::EXEC_OK).is_ok()
        && path.metadata().is_ok_and(|found| found.is_file())
}
