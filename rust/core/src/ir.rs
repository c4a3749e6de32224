//! The part of the normalized pipeline that keys, inputs and outputs depend on, as read from its JSON.

mod secrets;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use secrets::DeclaredSecret;

use crate::error::{Error, Result};

pub const IR_VERSION: u64 = 1;

/// `Tasks`: its tasks by id.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pipeline<Tasks = BTreeMap<String, Task>> {
    pub ir_version: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub env: BTreeMap<String, EnvValue>,
    #[serde(default)]
    pub env_files: Vec<Value>,
    #[serde(default)]
    pub cache: Stores,
    #[serde(default)]
    pub jobs: BTreeMap<String, Job>,
    #[serde(default)]
    pub named_inputs: BTreeMap<String, Vec<InputRule>>,
    /// How many tasks of each pool run at once.
    #[serde(default)]
    pub pools: BTreeMap<String, u32>,
    #[serde(default)]
    pub tasks: Tasks,
    /// What may keep a run from being one of files and environment alone; the planner knows more.
    #[serde(default)]
    pub commands: Option<Value>,
    #[serde(default)]
    pub orchestration: BTreeMap<String, Value>,
    /// What tasks declare of which nothing else was made.
    #[serde(skip)]
    secrets_elsewhere: Vec<DeclaredSecret>,
}

/// The stores that the pipeline declares, each by name.
#[derive(Debug, Default, Deserialize)]
pub struct Stores {
    #[serde(default)]
    pub stores: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Job {
    pub targets: Vec<String>,
    pub foreign_targets: Vec<String>,
    pub execution: String,
    pub env: BTreeMap<String, EnvValue>,
    pub params: BTreeMap<String, Value>,
    pub timeout_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a word of the language"
)]
pub struct Task {
    pub depends_on: Vec<String>,
    /// Tasks of members and sources.
    pub foreign_needs: Vec<String>,
    pub inputs: Vec<InputRule>,
    pub structured_inputs: Vec<StructuredInput>,
    #[serde(default = "yes")]
    pub inputs_gitignore: bool,
    pub outputs: Vec<OutputPattern>,
    pub cache: Option<Cache>,
    pub env: BTreeMap<String, EnvValue>,
    pub env_inputs: Vec<String>,
    pub env_mode: EnvMode,
    pub cwd: String,
    pub shell: Option<Vec<String>>,
    pub retry: Retry,
    pub timeout_ms: Option<u64>,
    pub requires: Requirements,
    pub steps: Vec<BTreeMap<String, Value>>,
    pub pool: String,
    pub priority: i64,
    pub allow_failure: bool,
    pub interactive: bool,
    /// How it is kept running for the tasks after it; what that says enters no key.
    pub service: Option<Value>,
    pub platforms: Vec<String>,
    pub platform_independent: bool,
    pub matrix: BTreeMap<String, String>,
}

/// What of the host's environment a task sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvMode {
    #[default]
    Loose,
    Strict,
}

/// `attempts` in total; before attempt n+1 waits `delay-ms * backoff ** (n - 1)`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Retry {
    pub attempts: u32,
    pub delay_ms: u64,
    pub backoff: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 1,
            delay_ms: 0,
            backoff: 1,
        }
    }
}

/// What must be there before the first step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Requirements {
    pub tools: Vec<String>,
    pub secrets: Vec<String>,
    pub runtime: String,
}

fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_no(value: &bool) -> bool {
    !*value
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub enum InputRule {
    Glob {
        glob: String,
        #[serde(default)]
        exclude: bool,
    },
    Named {
        named: String,
        #[serde(default)]
        exclude: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct OutputPattern {
    pub glob: String,
    #[serde(default)]
    pub exclude: bool,
    #[serde(default)]
    pub optional: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum StructuredInput {
    FileValue {
        file: String,
        key: String,
    },
    Env {
        env: String,
    },
    Command {
        command: String,
    },
    OutputsOf {
        #[serde(rename = "outputs-of")]
        outputs_of: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Cache {
    pub store: String,
    pub policy: String,
    pub ttl_ms: Option<u64>,
    pub salt: String,
    pub outputs_only: bool,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            store: "file".into(),
            policy: "local".into(),
            ttl_ms: None,
            salt: String::new(),
            outputs_only: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum EnvValue {
    Text(String),
    Literal {
        value: String,
        #[serde(rename = "in-key", default = "yes", skip_serializing_if = "is_yes")]
        in_key: bool,
    },
    Secret {
        secret: String,
        #[serde(rename = "in-key", default, skip_serializing_if = "is_no")]
        in_key: bool,
    },
    Variable {
        var: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        map: Option<BTreeMap<String, String>>,
        #[serde(rename = "in-key", default = "yes", skip_serializing_if = "is_yes")]
        in_key: bool,
    },
}

impl Pipeline {
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        read(bytes)
    }

    /// A pipeline with some of its tasks: nothing is made of the others.
    pub fn parse_part(bytes: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<Self> {
        let pipeline: Pipeline<BTreeMap<String, &RawValue>> = read(bytes)?;
        let mut tasks = BTreeMap::new();
        let mut secrets_elsewhere = Vec::new();
        for (id, text) in pipeline.tasks {
            if is_wanted(&id) {
                tasks.insert(id, serde_json::from_str(text.get()).map_err(unreadable)?);
            } else if secrets::may_declare(text.get()) {
                let task: Task = serde_json::from_str(text.get()).map_err(unreadable)?;
                secrets_elsewhere.extend(secrets::of_task(&task));
            }
        }
        Ok(Self {
            ir_version: pipeline.ir_version,
            name: pipeline.name,
            env: pipeline.env,
            env_files: pipeline.env_files,
            cache: pipeline.cache,
            jobs: pipeline.jobs,
            named_inputs: pipeline.named_inputs,
            pools: pipeline.pools,
            tasks,
            commands: pipeline.commands,
            orchestration: pipeline.orchestration,
            secrets_elsewhere,
        })
    }

    pub fn task(&self, id: &str) -> Result<&Task> {
        self.tasks
            .get(id)
            .ok_or_else(|| Error::Invalid(format!("there is no task `{id}`")))
    }
}

fn read<'a, Tasks: Default + Deserialize<'a>>(bytes: &'a [u8]) -> Result<Pipeline<Tasks>> {
    let pipeline: Pipeline<Tasks> = serde_json::from_slice(bytes).map_err(unreadable)?;
    if pipeline.ir_version == IR_VERSION {
        Ok(pipeline)
    } else {
        let version = pipeline.ir_version;
        Err(Error::Invalid(format!("IR version {version} is unknown")))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unreadable(error: serde_json::Error) -> Error {
    Error::Invalid(format!("the normalized pipeline: {error}"))
}
