//! What the caller asks of an engine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ir::EnvValue;
use crate::key::environment::Variables;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The plan, each task after those it depends on.
    pub tasks: Vec<String>,
    pub state: PathBuf,
    #[serde(default)]
    pub stores: BTreeMap<String, Place>,
    #[serde(default)]
    pub host: Variables,
    /// Environment values of the env files, the pipeline and the job, lowest first.
    #[serde(default)]
    pub layers: Vec<BTreeMap<String, EnvValue>>,
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    #[serde(default)]
    pub platform: String,
    #[serde(default)]
    pub run_id: String,
    #[serde(default)]
    pub now_ms: u64,
    #[serde(default)]
    pub force: bool,
    /// What tasks of the plan depend on outside of it is left as it is: their keys go by what is there.
    #[serde(default)]
    pub only: bool,
    /// Tasks that passed a moment ago, cached or not: while everything is as it was then, they are done.
    #[serde(default)]
    pub passed: BTreeMap<String, Passed>,
    /// Tasks that failed a moment ago, with their keys: until a key changes, so would they again.
    #[serde(default)]
    pub failed: BTreeMap<String, String>,
}

/// What a task passed with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    pub key: String,
    /// The digest of what it made; of no meaning for a task that declares no outputs.
    #[serde(default)]
    pub outputs: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub root: PathBuf,
}

impl Request {
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| Error::Invalid(format!("the request: {error}")))
    }

    /// Parameters are seen as `PIPEC_PARAM_NAME`, by tasks and by `env-inputs` alike.
    pub(super) fn host_with_params(&self) -> Variables {
        let mut host = self.host.clone();
        for (name, value) in &self.params {
            let name = name.to_uppercase().replace('-', "_");
            host.insert(format!("PIPEC_PARAM_{name}"), value.clone());
        }
        host
    }
}
