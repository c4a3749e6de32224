//! What the engine says about a task, as JSON tells it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::Components;

/// Label and value of structured inputs that only the caller can find.
pub type Extras = Vec<(String, String)>;

#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    pub verdict: Verdict,
    pub key: String,
    pub components: Components,
    /// What the component `values` is made of: label and digest of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    pub inputs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryFacts>,
}

/// Why a task runs, or does not.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FileChange>,
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FileChange {
    /// As text: bytes that are no UTF-8 are shown as `\xNN`.
    pub path: String,
    pub change: &'static str,
    /// The last input rule that matches it, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Where a hit came from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EntryFacts {
    pub run_id: String,
    pub finished_ms: u64,
    pub duration_ms: u64,
    pub tool: String,
    pub files: u64,
    pub bytes: u64,
    pub outputs_digest: String,
    /// What the task said about itself, as it was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// What the caller knows of a task whose steps succeeded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFacts {
    pub finished_ms: u64,
    pub duration_ms: u64,
    #[serde(default)]
    pub log: Option<std::path::PathBuf>,
    #[serde(default)]
    pub tool: String,
    /// What the task said about itself: kept with its result.
    #[serde(default)]
    pub metadata: Option<Value>,
    /// What else of the key changed while the task ran, by the caller's account.
    #[serde(default)]
    pub changed: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Sealed {
    pub files: u64,
    pub bytes: u64,
    pub digest: String,
    pub missing: Vec<String>,
    pub unsuitable: Vec<String>,
    pub changed_inputs: Vec<String>,
    pub stored: bool,
    pub trouble: String,
}

pub(super) type Decisions = BTreeMap<String, Decision>;

impl Decision {
    /// A hit with its outputs in place, as it was decided before.
    pub fn of_hit(key: String, entry: EntryFacts) -> Self {
        Self {
            verdict: Verdict::of("hit"),
            key,
            components: Components::default(),
            values: Vec::new(),
            inputs: 0,
            intact: Some(true),
            entry: Some(entry),
        }
    }
}

impl Verdict {
    pub(super) fn of(kind: &'static str) -> Self {
        Self {
            kind,
            component: None,
            changed: Vec::new(),
            more: 0,
            detail: None,
        }
    }

    pub(super) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A path for people and for JSON: bytes that are no UTF-8 are written as `\xNN`.
pub(super) fn shown(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
