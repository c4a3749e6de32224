//! Listing a folder on Linux: its entries as the kernel packs them, without opening it a second time.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, RawDir};

/// Room for many hundred names in one call. What is given back here is where the names go next: taken in so
/// large a piece, it is asked of the system for many folders at once.
const ROOM: usize = 64 * 1024;

pub(super) fn each_entry(
    folder: &OwnedFd,
    mut entry: impl FnMut(&[u8], FileType),
) -> io::Result<()> {
    // Room that nobody has to fill first: that takes longer than listing most folders.
    let mut room: Vec<u8> = Vec::with_capacity(ROOM);
    let mut listing = RawDir::new(folder, room.spare_capacity_mut());
    while let Some(next) = listing.next() {
        let next = next?;
        entry(next.file_name().to_bytes(), next.file_type());
    }
    Ok(())
}
