//! Entries: what a key stands for, with a checksum in front.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Store;
use super::pack::Kind;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::tree::Manifest;

pub const ENTRY_VERSION: u32 = 2;

/// The result of one successful task. Digests are hexadecimal.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub version: u32,
    pub key: String,
    /// The blob of the manifest of outputs.
    pub outputs: String,
    /// The blob of the manifest of inputs.
    pub inputs: String,
    pub log: Option<String>,
    pub components: Vec<(String, String)>,
    /// What the component `values` is made of: label and digest of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    /// What each dependency made, by the task's name at the time.
    pub dependencies: BTreeMap<String, String>,
    pub files: u64,
    pub bytes: u64,
    pub run_id: String,
    pub tool: String,
    pub platform: String,
    /// Who could have written it: `local` outside of CI.
    pub domain: String,
    pub finished_ms: u64,
    pub duration_ms: u64,
    /// What the task said about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

pub enum Lookup {
    Absent,
    /// Something is there that is not what was stored; what, in words.
    Corrupt(String),
    Found(Box<Entry>),
}

impl Store {
    /// What is stored under a key. A store that cannot be read has nothing.
    pub fn look_up(&self, key: Digest) -> Lookup {
        match self.read_packed(Kind::Entry, key).0 {
            None => Lookup::Absent,
            Some(Ok(bytes)) => match Entry::decode(&bytes) {
                Some(entry) if entry.key == key.to_hex() => Lookup::Found(Box::new(entry)),
                Some(_) => Lookup::Corrupt("the entry belongs to another key".into()),
                None => Lookup::Corrupt("the entry is damaged".into()),
            },
            Some(Err(error)) => Lookup::Corrupt(format!("the entry cannot be read: {error}")),
        }
    }

    /// Stores an entry, and with it what was put and is not written yet.
    pub fn put_entry(&self, entry: &Entry) -> Result<()> {
        let key = Digest::from_hex(&entry.key)
            .ok_or_else(|| Error::Invalid("an entry without a key".into()))?;
        let bytes = entry.encode()?;
        let mut contents = self.contents();
        contents.add(Kind::Entry, key, &bytes)?;
        contents.flush()
    }

    /// The manifest that an entry names by its blob.
    pub fn manifest(&self, hex: &str) -> Result<Manifest> {
        let digest = Digest::from_hex(hex)
            .ok_or_else(|| Error::corrupt(self.root(), "an entry names no digest"))?;
        Manifest::decode(&self.read_blob(digest)?, &self.root)
    }
}

impl Entry {
    pub fn encode(&self) -> Result<Vec<u8>> {
        let json = serde_json::to_string(self)
            .map_err(|error| Error::Invalid(format!("an entry that is no JSON: {error}")))?;
        Ok(format!("{}\n{json}", Digest::of(json.as_bytes()).to_hex()).into_bytes())
    }

    /// What `encode` wrote. None for anything else, whatever it is.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (checksum, json) = text.split_once('\n')?;
        if Digest::from_hex(checksum)? != Digest::of(json.as_bytes()) {
            return None;
        }
        let entry: Self = serde_json::from_str(json).ok()?;
        (entry.version == ENTRY_VERSION).then_some(entry)
    }
}
