//! Listing a folder on the Unix systems that have no call of their own for it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Dir, FileType};

pub(super) fn each_entry(
    folder: &OwnedFd,
    mut entry: impl FnMut(&[u8], FileType),
) -> io::Result<()> {
    for next in Dir::read_from(folder)? {
        let next = next?;
        entry(next.file_name().to_bytes(), next.file_type());
    }
    Ok(())
}
