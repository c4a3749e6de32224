//! Whether anybody could be writing to a file right now: elsewhere than on Linux nobody tells.

use std::fs::File;

pub(super) fn has_no_writer(_file: &File) -> bool {
    false
}
