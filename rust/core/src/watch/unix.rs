//! Where the operating system has no descriptor for what happens in folders: whoever asks has to look.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// There is none here.
pub enum FolderEvents {}

impl FolderEvents {
    pub fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match *self {}
    }

    pub fn add(&self, _folder: &Path) -> io::Result<bool> {
        match *self {}
    }

    pub fn take(&self) -> io::Result<bool> {
        match *self {}
    }
}
