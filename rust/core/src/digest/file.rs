//! The digest of a file's contents, taken so that a write in the middle of it is noticed.

use std::fs::File;
use std::io::{self, Read};

use super::Digest;
use crate::tree::Identity;

/// Below this a file is read in one piece; above it streams, in several threads for the digest.
const SMALL: u64 = 1 << 20;
const PIECE: usize = 1 << 20;

/// A file as it was read: its digest and the identity that it had before and after.
pub struct Contents {
    pub digest: Digest,
    pub identity: Identity,
    /// The bytes, when the file is small.
    pub bytes: Option<Vec<u8>>,
}

/// Hashes an open file. Gives None if it changed meanwhile: the caller looks again.
pub fn hash_file(file: &mut File, before: &Identity) -> io::Result<Option<Digest>> {
    Ok(read_and_hash(file, before, &mut |_| Ok(()))?.map(|contents| contents.digest))
}

/// Hashes an open file and hands each piece of a large one to `sink` on the way.
///
/// A small file is not handed over but given back whole, so that a caller who already has a blob of
/// that digest writes nothing. None if the file changed meanwhile.
pub fn read_and_hash(
    file: &mut File,
    before: &Identity,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<Contents>> {
    // What took its place meanwhile may be endless, or wait for a writer: it is not even read.
    if Identity::of_file(file)? != *before {
        return Ok(None);
    }
    let (digest, bytes, length) = if before.size <= SMALL {
        let bytes = read_small(file, before.size)?;
        (Digest::of(&bytes), Some(bytes), None)
    } else {
        let (digest, length) = stream(file, sink)?;
        (digest, None, Some(length))
    };
    let read = bytes
        .as_ref()
        .map_or(length.unwrap_or(0), |b| b.len() as u64);
    let after = Identity::of_file(file)?;
    let unchanged = after == *before && read == before.size;
    Ok(unchanged.then_some(Contents {
        digest,
        identity: after,
        bytes,
    }))
}

fn read_small(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    // One byte more than the size: a file that grew is noticed without another call.
    let expected = usize::try_from(size).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(expected.saturating_add(1));
    file.take(size + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn stream(
    file: &mut File,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        let filled = fill(file, &mut piece)?;
        if filled == 0 {
            break;
        }
        hasher.update_rayon(&piece[..filled]);
        sink(&piece[..filled])?;
        length += filled as u64;
    }
    Ok((Digest(*hasher.finalize().as_bytes()), length))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
