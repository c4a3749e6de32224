//! Reading a file so that what was read is what its identity stands for.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::digest::hash_file;
use crate::tree::{Folder, Found, Identity, Kind, Known, Stamp, has_no_writer, open_file};

/// A file that keeps changing while it is read is given up on after this many times.
const TRIES: usize = 16;

/// What was read of a file, and whether its identity will always stand for it.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) known: Known,
    pub(super) is_settled: bool,
}

/// Reads a file in a folder. None if it is not the one that was seen, or changes.
pub(super) fn read_once(held: &Folder, seen: &Found, stamp: Stamp) -> io::Result<Option<Reading>> {
    read_open(held.open_file(&seen.name)?, &seen.identity, stamp)
}

fn read_open(mut file: File, identity: &Identity, stamp: Stamp) -> io::Result<Option<Reading>> {
    let is_settled = stamp.settles(identity, || has_no_writer(&file));
    let digest = hash_file(&mut file, identity)?;
    Ok(digest.map(|digest| Reading {
        known: Known {
            identity: *identity,
            digest,
        },
        is_settled,
    }))
}

/// Reads a file until its identity is the same before and after, and tells which identity that was.
pub(super) fn read_stable(
    path: &Path,
    identity: &Identity,
    stamp: Stamp,
) -> io::Result<Option<Reading>> {
    let mut identity = *identity;
    for _ in 0..TRIES {
        if let Some(reading) = read_open(open_file(path)?, &identity, stamp)? {
            return Ok(Some(reading));
        }
        identity = Identity::from(&fs::symlink_metadata(path)?);
        if identity.kind != Kind::File {
            return Ok(None);
        }
    }
    Err(io::Error::other("it keeps changing while it is read"))
}
