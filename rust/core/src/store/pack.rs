//! A pack: small blobs and entries one after the other in one file, each behind a header that checks itself.
//!
//! Records are only ever appended. What a crash leaves at the end is no record: nobody reads it as one,
//! and the next writer cuts it off.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use crate::digest::Digest;

/// With the version of the format.
pub(super) const MAGIC: &[u8; 16] = b"pipec pack 2\n\0\0\0";
const RECORD: &[u8; 4] = b"prec";

/// mark 4, kind 1, unused 3, length 8, key 32, check of all before 16
const HEADER_LENGTH: usize = 64;
pub(super) const HEADER: u64 = HEADER_LENGTH as u64;
const CHECKED: usize = 48;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Under the digest of its bytes.
    Blob,
    /// Under the key of a task.
    Entry,
}

/// Where the bytes of a record lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pack: u32,
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Place {
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }

    pub(super) fn read(&self, pack: &File) -> io::Result<Vec<u8>> {
        // A place that no pack can have must not become room in memory.
        if self.end() > pack.metadata()?.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let mut bytes = vec![0; self.length as usize];
        pack.read_exact_at(&mut bytes, self.offset)?;
        Ok(bytes)
    }
}

/// Adds a record to `bytes`; gives where its contents begin. None for one too long for any pack.
pub(super) fn append(bytes: &mut Vec<u8>, kind: Kind, key: Digest, contents: &[u8]) -> Option<u32> {
    let length = u32::try_from(contents.len()).ok()?;
    bytes.extend_from_slice(&header(kind, key, length));
    bytes.extend_from_slice(contents);
    Some(length)
}

fn header(kind: Kind, key: Digest, length: u32) -> [u8; HEADER_LENGTH] {
    let mut header = [0; HEADER_LENGTH];
    header[..4].copy_from_slice(RECORD);
    header[4] = u8::from(kind == Kind::Entry);
    header[8..16].copy_from_slice(&u64::from(length).to_le_bytes());
    header[16..CHECKED].copy_from_slice(&key.0);
    let check = Digest::of(&header[..CHECKED]);
    header[CHECKED..].copy_from_slice(&check.0[..16]);
    header
}

fn read_header(header: &[u8; HEADER_LENGTH]) -> Option<(Kind, Digest, u32)> {
    let check = Digest::of(&header[..CHECKED]);
    if header[..4] != *RECORD || header[CHECKED..] != check.0[..16] {
        return None;
    }
    let kind = match header[4] {
        0 => Kind::Blob,
        1 => Kind::Entry,
        _ => return None,
    };
    let length = u64::from_le_bytes(*header[8..].first_chunk()?);
    let key = Digest(*header[16..].first_chunk()?);
    Some((kind, key, u32::try_from(length).ok()?))
}

/// Whether this is a pack of this version.
pub(super) fn is_pack(file: &File) -> bool {
    let mut magic = [0; MAGIC.len()];
    file.read_exact_at(&mut magic, 0).is_ok() && magic == *MAGIC
}

/// Hands over every record from `start` on; gives where the last whole one ends.
pub(super) fn scan(
    file: &File,
    pack: u32,
    start: u64,
    mut each: impl FnMut(Kind, Digest, Place),
) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    reader.seek(SeekFrom::Start(start))?;
    let mut end = start;
    while end.saturating_add(HEADER) <= length {
        let mut header = [0; HEADER_LENGTH];
        reader.read_exact(&mut header)?;
        let Some((kind, key, size)) = read_header(&header) else {
            break;
        };
        let place = Place {
            pack,
            offset: end + HEADER,
            length: size,
        };
        if place.end() > length {
            break;
        }
        each(kind, key, place);
        end = place.end();
        reader.seek_relative(i64::from(size))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pack(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn two() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        append(&mut bytes, Kind::Blob, Digest::of(b"one"), b"one").unwrap();
        append(&mut bytes, Kind::Entry, Digest::of(b"key"), b"entry").unwrap();
        bytes
    }

    fn found(bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
        let file = pack(bytes);
        let mut found = Vec::new();
        scan(&file, 1, MAGIC.len() as u64, |kind, _, place| {
            found.push((kind, place.read(&file).unwrap()));
        })
        .unwrap();
        found
    }

    #[test]
    fn what_was_appended_is_found() {
        let expected = [
            (Kind::Blob, b"one".to_vec()),
            (Kind::Entry, b"entry".to_vec()),
        ];
        assert_eq!(found(&two()), expected);
    }

    #[test]
    fn a_record_that_is_cut_off_is_none() {
        let bytes = two();
        let first = MAGIC.len() + 64 + 3;
        for length in MAGIC.len()..bytes.len() {
            assert_eq!(found(&bytes[..length]).len(), usize::from(length >= first));
        }
    }

    #[test]
    fn a_header_that_is_damaged_ends_the_pack() {
        let bytes = two();
        for at in MAGIC.len()..MAGIC.len() + 64 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(found(&damaged), []);
        }
    }

    #[test]
    fn a_place_beyond_the_end_takes_no_memory() {
        let place = Place {
            pack: 1,
            offset: 16,
            length: u32::MAX,
        };
        assert!(place.read(&pack(&two())).is_err());
    }
}
