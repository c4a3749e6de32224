//! What runs leave, damaged and then given checksums that fit: only what it says is wrong.
//!
//! Nobody but pipec writes its state, so what a survey or an index claims under the right checksum is
//! believed. But it must not bring about a panic, a hang or memory out of proportion; and what a table of
//! successes claims is held against the outputs that are there.

use std::path::Path;

use pipec_core::digest::Digest;

use crate::source::Source;
use crate::state::{Outcome, with_damaged};

pub fn run(bytes: &[u8]) {
    let mut source = Source(bytes);
    let mut is_believed = false;
    let mut seal_it = |name: &Path, contents: &mut Vec<u8>| {
        is_believed |= seal(name, contents);
    };
    let outcomes = with_damaged(&mut source, &mut seal_it);
    for outcome in outcomes {
        match outcome {
            // A survey that says so may stand for other inputs, or for outputs that are not looked at.
            _ if is_believed => {}
            Outcome::Wrong(why) => panic!("{why}"),
            Outcome::Right => {}
        }
    }
}

/// Puts lengths and checksums right. Tells whether what the file says is believed then.
fn seal(name: &Path, contents: &mut Vec<u8>) -> bool {
    let first = name.iter().next().and_then(|part| part.to_str());
    match first.unwrap_or_default() {
        "surveys" => {
            survey(contents);
            true
        }
        "index" => {
            index(contents);
            true
        }
        "index.journal" => {
            journal(contents);
            true
        }
        "successes" | "durations" => {
            table_of_text(contents);
            false
        }
        "uses" => {
            let rows = contents.get(48..).unwrap_or_default();
            let rows = &rows[..rows.len() - rows.len() % 40];
            *contents = [b"pipec uses 2\n\0\0\0", &Digest::of(rows).0[..], rows].concat();
            false
        }
        "table" => {
            if contents.len() >= 64 {
                let digest = Digest::of(&[&contents[..32], &contents[64..]].concat());
                contents[32..64].copy_from_slice(&digest.0);
            }
            false
        }
        _ => false,
    }
}

/// Counts may be anything that adds up to the length; where they do not, the names make up for it.
pub fn survey(contents: &mut Vec<u8>) {
    const HEADER: usize = 128;
    contents.resize(contents.len().max(HEADER), 0);
    contents[..8].copy_from_slice(b"pipecsvy");
    contents[8..12].copy_from_slice(&1_u32.to_le_bytes());
    let mut room = contents.len() - HEADER;
    let mut count_at = |at: usize, size: usize| {
        let most = room / size;
        let count = u32::from_le_bytes([0, 1, 2, 3].map(|byte| contents[at + byte])) as usize;
        let count = count.min(most);
        room -= count * size;
        let written = u32::try_from(count).expect("inputs are small");
        contents[at..at + 4].copy_from_slice(&written.to_le_bytes());
        count
    };
    // Folders, files with their digests, lists of sets, sums; names are what is left.
    count_at(12, 72);
    let files = count_at(16, 48 + 32);
    count_at(24, 4);
    count_at(28, 48);
    let names = u32::try_from(room).expect("inputs are small");
    contents[20..24].copy_from_slice(&names.to_le_bytes());
    let hot = contents.len() - files * 32;
    let rest = Digest::of(&contents[hot..]);
    contents[96..128].copy_from_slice(&rest.0);
    let sealed = [&contents[..64], &Digest::of(&contents[HEADER..hot]).0[..]].concat();
    let digest = Digest::derive("pipec survey v1", &sealed);
    contents[64..96].copy_from_slice(&digest.0);
}

fn index(contents: &mut Vec<u8>) {
    *contents = crate::index::sealed(contents);
}

/// The first block gets the length and the checksum that it needs, and what follows is left as it is.
fn journal(contents: &mut Vec<u8>) {
    let length = contents.first_chunk::<8>().map_or(0, |length| {
        usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX)
    });
    let blocks = contents.get(8..).unwrap_or_default();
    let (first, rest) = blocks.split_at(length.min(blocks.len()));
    let first = crate::index::sealed(first);
    *contents = [&(first.len() as u64).to_le_bytes()[..], &first, rest].concat();
}

fn table_of_text(contents: &mut Vec<u8>) {
    let start = contents.iter().position(|byte| *byte == b'\n');
    let text = contents[start.map_or(0, |at| at + 1)..].to_vec();
    *contents = [Digest::of(&text).to_hex().as_bytes(), b"\n", &text].concat();
}

pub fn seeds() -> Vec<Vec<u8>> {
    crate::state::seeds()
}
