//! The digest of a file's contents, taken so that a write in the middle of it is noticed.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};

use super::Digest;
use crate::tree::{Identity, Kind};

/// Up to this size a file is read in one piece; beyond it streams, with several threads for the digest.
pub const ONE_PIECE: u64 = 1 << 20;
const PIECE: usize = 1 << 20;
/// What a thread keeps from one file to the next: enough for all but a few.
const KEPT: usize = 128 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Hashes an open file. Gives None if it changed meanwhile: the caller looks again.
pub fn hash_file(file: &mut File, before: &Identity) -> io::Result<Option<Digest>> {
    read_and_hash(file, before, &mut |_| Ok(()))
}

/// Hashes an open file that nobody has looked at, and gives what it is right after that. None for what is no
/// file, is better read otherwise for its size, or changed its size meanwhile.
///
/// That it was the same before is for the caller to know.
pub fn hash_unseen(file: &mut File) -> io::Result<Option<(Digest, Identity)>> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(KEPT, 0);
        // A read that does not fill the buffer is the end of a file: one call for all but a few.
        let mut length = rustix::io::read(&*file, &mut *buffer)?;
        if length == buffer.len() {
            let size = Identity::of_file(file)?.size;
            let Some(size) = usize::try_from(size).ok().filter(|size| *size <= PIECE) else {
                return Ok(None);
            };
            let rest = size.saturating_sub(length);
            buffer.resize(length + rest + 1, 0);
            length += fill(file, &mut buffer[length..], rest)?;
        }
        let digest = Digest::of(&buffer[..length]);
        buffer.truncate(KEPT);
        buffer.shrink_to(KEPT);
        let identity = Identity::of_file(file)?;
        let is_whole = identity.kind == Kind::File && identity.size == length as u64;
        Ok(is_whole.then_some((digest, identity)))
    })
}

/// Hashes an open file and hands its bytes to `sink` on the way: all at once up to `ONE_PIECE`.
///
/// None if the file changed meanwhile, or was another one to begin with: what `sink` got is then worth
/// nothing.
pub fn read_and_hash(
    file: &mut File,
    before: &Identity,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<Digest>> {
    let read = if before.size <= ONE_PIECE {
        BUFFER.with_borrow_mut(|buffer| read_small(file, before.size, buffer, sink))
    } else {
        // What took its place meanwhile may be endless: it is not even read.
        if Identity::of_file(file)? != *before {
            return Ok(None);
        }
        stream(file, sink)
    };
    // One look afterwards tells both: that this is the file that was asked for, and that it stayed so. A
    // file that is another one now may have been none to read from.
    if Identity::of_file(file)? != *before {
        return Ok(None);
    }
    let (digest, length) = read?;
    Ok((length == before.size).then_some(digest))
}

fn read_small(
    file: &mut File,
    size: u64,
    buffer: &mut Vec<u8>,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let size = usize::try_from(size).unwrap_or(PIECE);
    // One byte more than the size: a file that grew is noticed without another call.
    if buffer.len() <= size {
        buffer.resize(size + 1, 0);
    }
    let length = fill(file, &mut buffer[..=size], size)?;
    let bytes = &buffer[..length];
    let digest = Digest::of(bytes);
    sink(bytes)?;
    buffer.truncate(KEPT);
    buffer.shrink_to(KEPT);
    Ok((digest, length as u64))
}

fn stream(
    file: &mut File,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        let filled = fill(file, &mut piece, PIECE)?;
        if filled == 0 {
            break;
        }
        hasher.update_rayon(&piece[..filled]);
        sink(&piece[..filled])?;
        length += filled as u64;
    }
    Ok((Digest(*hasher.finalize().as_bytes()), length))
}

/// Reads until there are `enough` bytes or the file ends.
fn fill(file: &mut File, buffer: &mut [u8], enough: usize) -> io::Result<usize> {
    let mut filled = 0;
    while filled < enough.max(1) {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
