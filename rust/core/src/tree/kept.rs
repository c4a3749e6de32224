//! Folders of which only the newest files are worth keeping.

use std::fs;
use std::path::Path;

/// Removes all but the files of a folder that were written last. What cannot be removed stays.
pub fn keep_newest(folder: &Path, count: usize) {
    let Ok(listed) = fs::read_dir(folder) else {
        return;
    };
    let mut files: Vec<_> = listed
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort_unstable();
    let too_many = files.len().saturating_sub(count);
    for (_, path) in files.iter().take(too_many) {
        let _ = fs::remove_file(path);
    }
}
