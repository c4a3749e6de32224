//! When each entry was last used: kept apart from file times, which backups and copies change.

use std::collections::BTreeMap;

use super::{Store, read_own, replace};
use crate::digest::Digest;
use crate::error::Result;

/// A use is worth writing down again after this long: a warm run writes nothing.
const WORTH_WRITING_MS: u64 = 3_600_000;

const MAGIC: &[u8; 16] = b"pipec uses 2\n\0\0\0";
/// key 32, milliseconds 8
const ROW: usize = 40;

/// Key → milliseconds since the epoch.
#[derive(Default)]
pub struct Uses {
    times: BTreeMap<Digest, u64>,
    changed: bool,
}

impl Uses {
    /// An unreadable table is an empty one: entries then count from when they were made.
    pub fn read(store: &Store) -> Self {
        let bytes = read_own(&store.root.join("uses")).unwrap_or_default();
        Self {
            times: decode(&bytes).unwrap_or_default(),
            changed: false,
        }
    }

    pub fn last(&self, key: Digest) -> Option<u64> {
        self.times.get(&key).copied()
    }

    pub fn used(&mut self, key: Digest, now_ms: u64) {
        let last = self.last(key).unwrap_or(0);
        if now_ms.abs_diff(last) >= WORTH_WRITING_MS {
            self.times.insert(key, now_ms);
            self.changed = true;
        }
    }

    pub fn forget(&mut self, key: Digest) {
        self.changed |= self.times.remove(&key).is_some();
    }

    pub fn write(&mut self, store: &Store) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let bytes = encode(&self.times);
        replace(&store.root.join("uses"), &store.temporary()?, &bytes)?;
        self.changed = false;
        Ok(())
    }
}

fn encode(times: &BTreeMap<Digest, u64>) -> Vec<u8> {
    let rows: Vec<u8> = times
        .iter()
        .flat_map(|(key, ms)| key.0.into_iter().chain(ms.to_le_bytes()))
        .collect();
    [MAGIC, &Digest::of(&rows).0[..], &rows].concat()
}

fn decode(bytes: &[u8]) -> Option<BTreeMap<Digest, u64>> {
    let (digest, rows) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    if Digest::of(rows) != Digest(*digest) || rows.len() % ROW != 0 {
        return None;
    }
    let row = |row: &[u8]| {
        let (key, ms) = row.split_first_chunk()?;
        Some((Digest(*key), u64::from_le_bytes(*ms.first_chunk()?)))
    };
    rows.chunks_exact(ROW).map(row).collect()
}
