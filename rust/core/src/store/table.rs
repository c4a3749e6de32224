//! The table of a store: in which pack each record lies, so that no pack has to be read to find one.
//!
//! One file, replaced by rename, and looked up as it lies. It says no more than the packs do: whatever is
//! wrong with it, it is an empty table, and the packs are read instead.

use std::collections::BTreeMap;
use std::path::Path;

use super::pack::{Kind, Place};
use super::read_own;
use crate::digest::Digest;

const MAGIC: &[u8; 8] = b"pipectbl";
const VERSION: u32 = 1;
/// magic 8, version 4, packs 4, blobs 8, entries 8, digest of all that and of what follows 32
const HEADER: usize = 64;
/// number 4, unused 4, length up to which the table knows it 8
const PACK: usize = 16;
/// key 32, offset 8, pack 4, length 4
const ROW: usize = 48;

pub(super) type Records = BTreeMap<(Kind, Digest), Place>;

/// A table as it was read.
#[derive(Default)]
pub(super) struct Table {
    bytes: Vec<u8>,
    packs: usize,
    blobs: usize,
    entries: usize,
}

impl Table {
    pub(super) fn read(path: &Path) -> Self {
        read_own(path)
            .ok()
            .and_then(Self::from_bytes)
            .unwrap_or_default()
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        if header[..8] != *MAGIC || number32(header, 8)? != VERSION {
            return None;
        }
        let packs = usize::try_from(number32(header, 12)?).ok()?;
        let blobs = usize::try_from(number64(header, 16)?).ok()?;
        let entries = usize::try_from(number64(header, 24)?).ok()?;
        let rows = blobs.checked_add(entries)?.checked_mul(ROW)?;
        let length = packs.checked_mul(PACK)?.checked_add(rows)?;
        let rest = bytes.get(HEADER..)?;
        let is_whole = rest.len() == length && digest_of(&header[..32], rest).0 == header[32..];
        is_whole.then_some(Self {
            bytes,
            packs,
            blobs,
            entries,
        })
    }

    pub(super) fn encode(packs: &BTreeMap<u32, u64>, records: &Records) -> Vec<u8> {
        let count = |kind| records.keys().filter(|(own, _)| *own == kind).count() as u64;
        let mut rest = Vec::with_capacity(packs.len() * PACK + records.len() * ROW);
        for (number, length) in packs {
            rest.extend_from_slice(&u64::from(*number).to_le_bytes());
            rest.extend_from_slice(&length.to_le_bytes());
        }
        for ((_, key), place) in records {
            rest.extend_from_slice(&key.0);
            rest.extend_from_slice(&place.offset.to_le_bytes());
            rest.extend_from_slice(&place.pack.to_le_bytes());
            rest.extend_from_slice(&place.length.to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(HEADER + rest.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(packs.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&count(Kind::Blob).to_le_bytes());
        bytes.extend_from_slice(&count(Kind::Entry).to_le_bytes());
        let digest = digest_of(&bytes, &rest);
        bytes.extend_from_slice(&digest.0);
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// Each pack with the length up to which the table knows it.
    pub(super) fn packs(&self) -> impl Iterator<Item = (u32, u64)> {
        let pack_at = |number: usize| {
            let at = HEADER + number * PACK;
            Some((number32(&self.bytes, at)?, number64(&self.bytes, at + 8)?))
        };
        (0..self.packs).filter_map(pack_at)
    }

    pub(super) fn find(&self, kind: Kind, key: Digest) -> Option<Place> {
        let (mut low, mut high) = self.range(kind);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.key_at(middle)?.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.place_at(middle),
            }
        }
        None
    }

    pub(super) fn records(&self) -> impl Iterator<Item = ((Kind, Digest), Place)> {
        [Kind::Blob, Kind::Entry].into_iter().flat_map(move |kind| {
            let (first, end) = self.range(kind);
            (first..end).filter_map(move |at| Some(((kind, self.key_at(at)?), self.place_at(at)?)))
        })
    }

    /// Kinds in the order in which they are written.
    fn range(&self, kind: Kind) -> (usize, usize) {
        match kind {
            Kind::Blob => (0, self.blobs),
            Kind::Entry => (self.blobs, self.blobs + self.entries),
        }
    }

    fn row(&self, number: usize) -> usize {
        HEADER + self.packs * PACK + number * ROW
    }

    fn key_at(&self, number: usize) -> Option<Digest> {
        let row = self.bytes.get(self.row(number)..)?;
        Some(Digest(*row.first_chunk()?))
    }

    fn place_at(&self, number: usize) -> Option<Place> {
        let row = self.row(number);
        Some(Place {
            offset: number64(&self.bytes, row + 32)?,
            pack: number32(&self.bytes, row + 40)?,
            length: number32(&self.bytes, row + 44)?,
        })
    }
}

fn digest_of(header: &[u8], rest: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header).update(rest);
    Digest(*hasher.finalize().as_bytes())
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Records {
        let place = |offset| Place {
            pack: 7,
            offset,
            length: 3,
        };
        (0..20_u64)
            .map(|number| {
                let kind = if number % 3 == 0 {
                    Kind::Entry
                } else {
                    Kind::Blob
                };
                (
                    (kind, Digest::of(&number.to_le_bytes())),
                    place(number * 100),
                )
            })
            .collect()
    }

    #[test]
    fn what_was_written_is_found_under_its_own_kind() {
        let packs = BTreeMap::from([(7, 5000)]);
        let table = Table::from_bytes(Table::encode(&packs, &records())).unwrap();
        assert_eq!(table.packs().collect::<Vec<_>>(), [(7, 5000)]);
        assert_eq!(table.records().collect::<Records>(), records());
        for ((kind, key), place) in records() {
            assert_eq!(table.find(kind, key), Some(place));
            let other = if kind == Kind::Blob {
                Kind::Entry
            } else {
                Kind::Blob
            };
            assert_eq!(table.find(other, key), None);
        }
    }

    #[test]
    fn one_bit_more_or_less_and_it_is_no_table() {
        let bytes = Table::encode(&BTreeMap::from([(1, 16)]), &records());
        for length in 0..bytes.len() {
            assert!(Table::from_bytes(bytes[..length].to_vec()).is_none());
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Table::from_bytes(damaged).is_none(), "{at}");
        }
    }
}
