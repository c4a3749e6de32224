//! The project of a folder, with its pipeline as compiled before.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::VERSION;
use crate::digest::Digest;
use crate::tree::read_own;

const NAMES: [(&str, &str); 6] = [
    ("pipeline.toml", "toml"),
    ("pipeline.yaml", "yaml"),
    ("pipeline.yml", "yaml"),
    ("pipec.toml", "toml"),
    ("pipec.yaml", "yaml"),
    ("pipec.yml", "yaml"),
];
const FORMAT: &[u8] = b"pipec compiled 1\n";
/// A larger file is refused by whoever compiles it.
const MOST_BYTES: u64 = 8 << 20;

/// A project's pipeline file, as it is.
pub(super) struct Located {
    pub(super) root: PathBuf,
    /// The path of the file as somebody in the folder of the call would write it.
    pub(super) shown: String,
    /// What its compiled form is called: other bytes, another name.
    pub(super) compiled: String,
}

/// A pipeline file with what it was compiled to.
pub(super) struct Compiled {
    pub(super) ir: Vec<u8>,
    pub(super) ir_digest: String,
    /// How many warnings the file has.
    pub(super) warnings: usize,
}

/// The nearest folder upwards with one pipeline file.
pub(super) fn locate(folder: &Path) -> Option<Located> {
    for (ups, root) in folder.ancestors().enumerate() {
        let mut present = NAMES
            .iter()
            .filter(|(name, _)| fs::symlink_metadata(root.join(name)).is_ok());
        if let Some((name, notation)) = present.next() {
            if present.next().is_some() {
                return None;
            }
            let file = root.join(name);
            let found = fs::metadata(&file).ok()?;
            if !found.is_file() || found.len() > MOST_BYTES {
                return None;
            }
            root.to_str()?;
            let content = fs::read(&file).ok()?;
            let domain = format!("pipec compiled {VERSION} {notation}");
            return Some(Located {
                root: root.to_path_buf(),
                shown: "../".repeat(ups) + name,
                compiled: Digest::derive(&domain, &content).to_hex(),
            });
        }
    }
    None
}

impl Located {
    /// The folder in which everything about the project is kept that only saves time.
    pub(super) fn state(&self) -> PathBuf {
        self.root.join(".pipec/cache")
    }

    /// What the file was compiled to, if it has been, as it is.
    pub(super) fn compiled(&self) -> Option<Compiled> {
        let entry = read_own(&self.state().join("ir").join(&self.compiled)).ok()?;
        let (checksum, body) = split_line(entry.strip_prefix(FORMAT)?)?;
        let checksum = std::str::from_utf8(checksum).ok()?;
        if checksum != Digest::derive("pipec compiled entry", body).to_hex() {
            return None;
        }
        let (head, ir) = split_line(body)?;
        let (ir_digest, warnings): (String, Vec<Value>) = serde_json::from_slice(head).ok()?;
        Some(Compiled {
            ir: ir.to_vec(),
            ir_digest,
            warnings: warnings.len(),
        })
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
