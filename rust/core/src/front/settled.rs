//! A plan that was found to be in place throughout, kept so that the next run of it need not decide again.
//!
//! It holds as long as everything that it was decided from is as it was: the pipeline file and the tool
//! (they are in its name), the survey of the project's files, the table of successes, and the variables
//! that keys depend on. Then nothing has to be parsed, matched, digested or looked up.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::plan::Plan;
use super::project::{Compiled, Located};
use super::{Call, VERSION};
use crate::digest::{Digest, Fields};
use crate::engine::{Checked, Decision, EntryFacts, Standing};
use crate::ir::{EnvValue, Pipeline, StructuredInput, Task};
use crate::key::environment::{Variables, selected};
use crate::store::{replace, temporary_in};
use crate::tree::Identity;

const FORMAT: &[u8] = b"pipec settled 1\n";
/// As many plans of a project are kept.
const KEPT: usize = 16;
/// After this long a plan is decided anew, so that the uses of its entries are written down.
const GOOD_FOR_MS: u64 = 3_600_000;

/// Everything that a run with nothing to do tells of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) pipeline: String,
    pub(super) ir_digest: String,
    pub(super) warnings: u64,
    pub(super) targets: Vec<String>,
    pub(super) tasks: Vec<SettledTask>,
    standing: Standing,
    successes: Digest,
    /// Names of variables that keys depend on, `NAME*` standing for all that begin so.
    variables: Vec<String>,
    values: Digest,
    /// From here on some hit may have expired, or its use has to be written down. Milliseconds.
    ends_ms: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct SettledTask {
    pub(super) id: String,
    /// None for a group.
    pub(super) hit: Option<(String, EntryFacts)>,
    pub(super) is_cached: bool,
}

impl Settled {
    /// What is kept of a call, if it may still hold; `check` says whether it does.
    pub(super) fn recall(
        located: &Located,
        target: &str,
        call: &Call,
        now_ms: u64,
    ) -> Option<Self> {
        let bytes = fs::read(path_of(located, target, call)).ok()?;
        let settled = Self::decode(&bytes)?;
        let is_current = now_ms < settled.ends_ms
            && now_ms.saturating_add(GOOD_FOR_MS) >= settled.ends_ms
            && settled.values == values_of(&settled.variables, &call.environment)
            && settled.successes == successes_of(&located.state())?;
        is_current.then_some(settled)
    }

    /// The survey that it was decided from, held against the disk.
    pub(super) fn check(&self, located: &Located) -> Option<Checked> {
        Checked::find(&located.root, &located.state(), self.standing)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (checksum, body) = bytes.strip_prefix(FORMAT)?.split_first_chunk::<32>()?;
        if Digest::derive("pipec settled", body).0 != *checksum {
            return None;
        }
        let mut reader = Reader(body);
        let settled = Self {
            pipeline: reader.text()?,
            ir_digest: reader.text()?,
            warnings: reader.number()?,
            targets: reader.list(Reader::text)?,
            tasks: reader.list(SettledTask::decode)?,
            standing: Standing {
                plan: reader.digest()?,
                generation: reader.digest()?,
            },
            successes: reader.digest()?,
            variables: reader.list(Reader::text)?,
            values: reader.digest()?,
            ends_ms: reader.number()?,
        };
        reader.0.is_empty().then_some(settled)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.text(&self.pipeline);
        writer.text(&self.ir_digest);
        writer.number(self.warnings);
        writer.number(self.targets.len() as u64);
        for target in &self.targets {
            writer.text(target);
        }
        writer.number(self.tasks.len() as u64);
        for task in &self.tasks {
            task.encode(&mut writer);
        }
        for digest in [self.standing.plan, self.standing.generation, self.successes] {
            writer.digest(digest);
        }
        writer.number(self.variables.len() as u64);
        for variable in &self.variables {
            writer.text(variable);
        }
        writer.digest(self.values);
        writer.number(self.ends_ms);
        let body = writer.0;
        let checksum = Digest::derive("pipec settled", &body);
        [FORMAT, &checksum.0, &body].concat()
    }
}

impl SettledTask {
    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.text()?;
        let is_cached = reader.number()? != 0;
        let hit = match reader.number()? {
            0 => None,
            _ => Some((
                reader.text()?,
                EntryFacts {
                    run_id: reader.text()?,
                    finished_ms: reader.number()?,
                    duration_ms: reader.number()?,
                    tool: reader.text()?,
                    files: reader.number()?,
                    bytes: reader.number()?,
                    outputs_digest: reader.text()?,
                    // Plain tasks say nothing about themselves.
                    metadata: None,
                },
            )),
        };
        Some(Self { id, hit, is_cached })
    }

    fn encode(&self, writer: &mut Writer) {
        writer.text(&self.id);
        writer.number(u64::from(self.is_cached));
        writer.number(u64::from(self.hit.is_some()));
        if let Some((key, facts)) = &self.hit {
            writer.text(key);
            writer.text(&facts.run_id);
            writer.number(facts.finished_ms);
            writer.number(facts.duration_ms);
            writer.text(&facts.tool);
            writer.number(facts.files);
            writer.number(facts.bytes);
            writer.text(&facts.outputs_digest);
        }
    }
}

/// What a run found in place, to be kept.
pub(super) struct InPlace<'a> {
    pub(super) located: &'a Located,
    pub(super) call: &'a Call,
    pub(super) pipeline: &'a Pipeline,
    pub(super) compiled: &'a Compiled,
    pub(super) plan: &'a Plan,
    pub(super) decisions: &'a std::collections::BTreeMap<String, Decision>,
    /// Id, and whether it counts as cached.
    pub(super) tasks: Vec<(&'a str, bool)>,
    pub(super) standing: Standing,
    pub(super) now_ms: u64,
}

/// Keeps it. It only ever saves time: what cannot be written is not.
pub(super) fn keep(in_place: &InPlace<'_>) {
    let _ = try_to_keep(in_place);
}

fn try_to_keep(found: &InPlace<'_>) -> Option<()> {
    let state = found.located.state();
    let mut ends_ms = found.now_ms.saturating_add(GOOD_FOR_MS);
    let mut tasks = Vec::with_capacity(found.tasks.len());
    for (id, is_cached) in &found.tasks {
        let task = found.pipeline.tasks.get(*id)?;
        let hit = if task.steps.is_empty() {
            None
        } else {
            let decision = found.decisions.get(*id)?;
            let facts = decision.entry.clone()?;
            let ttl = task.cache.as_ref().and_then(|cache| cache.ttl_ms);
            if let Some(ttl) = ttl {
                ends_ms = ends_ms.min(facts.finished_ms.saturating_add(ttl));
            }
            Some((decision.key.clone(), facts))
        };
        tasks.push(SettledTask {
            id: (*id).to_owned(),
            hit,
            is_cached: *is_cached,
        });
    }
    let variables: Vec<String> = variables_of(found.pipeline, found.plan)?
        .into_iter()
        .collect();
    let settled = Settled {
        pipeline: found.pipeline.name.clone(),
        ir_digest: found.compiled.ir_digest.clone(),
        warnings: found.compiled.warnings as u64,
        targets: found.plan.targets.clone(),
        tasks,
        standing: found.standing,
        successes: successes_of(&state)?,
        values: values_of(&variables, &found.call.environment),
        variables,
        ends_ms,
    };
    let path = path_of(found.located, &found.plan.asked[0], found.call);
    let folder = path.parent()?;
    fs::create_dir_all(folder).ok()?;
    let is_new = !path.exists();
    replace(
        &path,
        &temporary_in(&state.join("tmp")).ok()?,
        &settled.encode(),
    )
    .ok()?;
    if is_new {
        crate::tree::keep_newest(folder, KEPT);
    }
    Some(())
}

fn path_of(located: &Located, target: &str, call: &Call) -> PathBuf {
    let mut fields = Fields::new("pipec settled plan");
    fields
        .text(VERSION)
        .text(&located.compiled)
        .text(target)
        .text(&call.platform);
    let name = fields.finish().to_hex();
    located.state().join("settled").join(&name[..32])
}

/// Stands for the table of successes: whoever changes it replaces it.
fn successes_of(state: &Path) -> Option<Digest> {
    let found = fs::symlink_metadata(state.join("successes")).ok()?;
    let identity = Identity::from(&found);
    let mut fields = Fields::new("pipec table of successes");
    fields
        .number(identity.device)
        .number(identity.inode)
        .number(identity.size)
        .bytes(&identity.mtime.to_le_bytes())
        .bytes(&identity.ctime.to_le_bytes());
    Some(fields.finish())
}

fn values_of(variables: &[String], environment: &Variables) -> Digest {
    let mut fields = Fields::new("pipec values of variables");
    for (name, value) in selected(variables, environment) {
        fields.text(name).optional(value);
    }
    fields.finish()
}

/// Every variable of the host that the key of a task of the plan may depend on.
fn variables_of(pipeline: &Pipeline, plan: &Plan) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for layer in plan.layers() {
        add_sources(layer, &mut names);
    }
    for id in &plan.tasks {
        let task: &Task = pipeline.tasks.get(id)?;
        add_sources(&task.env, &mut names);
        names.extend(task.env_inputs.iter().cloned());
        for input in &task.structured_inputs {
            if let StructuredInput::Env { env } = input {
                names.insert(env.clone());
            }
        }
        for step in &task.steps {
            if let Some(Value::Object(_)) = step.get("env") {
                let declared = serde_json::from_value(step.get("env")?.clone()).ok()?;
                add_sources(&declared, &mut names);
            }
        }
    }
    Some(names)
}

/// A value comes from the variable that it names, or from one of its own name.
fn add_sources(
    declared: &std::collections::BTreeMap<String, EnvValue>,
    names: &mut BTreeSet<String>,
) {
    for (name, value) in declared {
        let source = match value {
            EnvValue::Text(_) | EnvValue::Literal { .. } => continue,
            EnvValue::Secret { secret, .. } => secret,
            EnvValue::Variable { var, .. } => var,
        };
        names.insert(source.clone());
        names.insert(name.clone());
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn digest(&mut self, digest: Digest) {
        self.0.extend_from_slice(&digest.0);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }

    fn digest(&mut self) -> Option<Digest> {
        let (digest, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(Digest(*digest))
    }

    /// Every item takes bytes: a length that lies ends with them.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..self.number()? {
            items.push(item(self)?);
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled() -> Settled {
        let facts = EntryFacts {
            run_id: "r".into(),
            finished_ms: 5,
            duration_ms: 6,
            tool: "0.1.0".into(),
            files: 7,
            bytes: 8,
            outputs_digest: "ab".into(),
            metadata: None,
        };
        let digest = |number| Digest([number; 32]);
        Settled {
            pipeline: "p".into(),
            ir_digest: "i".into(),
            warnings: 2,
            targets: vec!["all".into()],
            tasks: vec![
                SettledTask {
                    id: "build".into(),
                    hit: Some(("key".into(), facts)),
                    is_cached: true,
                },
                SettledTask {
                    id: "all".into(),
                    hit: None,
                    is_cached: false,
                },
            ],
            standing: Standing {
                plan: digest(1),
                generation: digest(2),
            },
            successes: digest(3),
            variables: vec!["CI".into(), "NODE_*".into()],
            values: digest(4),
            ends_ms: 9,
        }
    }

    #[test]
    fn what_was_kept_is_recalled() {
        assert_eq!(Settled::decode(&settled().encode()), Some(settled()));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_nothing_kept() {
        let bytes = settled().encode();
        for length in 0..bytes.len() {
            assert_eq!(Settled::decode(&bytes[..length]), None);
        }
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert_eq!(Settled::decode(&broken), None, "{at}");
        }
    }

    #[test]
    fn a_variable_counts_under_each_name_it_may_be_found() {
        let declared = serde_json::from_str(
            r#"{"A": "text", "B": {"var": "C"}, "D": {"secret": "E", "in-key": true}}"#,
        );
        let mut names = BTreeSet::new();
        add_sources(&declared.unwrap(), &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["B", "C", "D", "E"]);
    }
}
