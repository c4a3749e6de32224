//! What changed since a task's last success, without running anything.

use serde::Serialize;

use super::decision::{Extras, FileChange};
use super::look::Look;
use super::sets::Sets;
use super::{Engine, decide};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;
use crate::ir::{InputRule, Task};
use crate::store::Lookup;
use crate::tree::{Manifest, differences};

#[derive(Clone, Debug, Default, Serialize)]
pub struct InputDifferences {
    /// Whether there is a success to compare with.
    pub baseline: bool,
    /// Name, digest then, digest now; only those that differ. Of `values` each value by its label.
    pub components: Vec<(String, String, String)>,
    pub files: Vec<FileChange>,
}

impl Engine {
    /// Compares a decided task with its last success.
    pub fn diff_inputs(&self, id: &str, extras: &Extras) -> Result<InputDifferences> {
        let last = self
            .lock()
            .memory
            .successes
            .of(id)
            .map(|success| success.key);
        self.decide(id, extras)?;
        let task = self.pipeline.task(id)?;
        let decided = self.lock().decided.get(id).cloned();
        let store = self.store(task)?;
        let entry = last.and_then(|key| match store.look_up(Digest::from_hex(&key)?) {
            Lookup::Found(entry) => Some(entry),
            Lookup::Absent | Lookup::Corrupt(_) => None,
        });
        let (Some(entry), Some(decided)) = (entry, decided) else {
            return Ok(InputDifferences::default());
        };
        let now = decide::hex(&decided.components);
        let components = now
            .into_iter()
            .filter_map(|(name, now)| {
                let before = entry.components.iter().find(|(old, _)| *old == name);
                let before = before.map(|(_, hex)| hex.clone()).unwrap_or_default();
                (before != now).then_some((name, before, now))
            })
            .flat_map(|(name, before, now)| {
                let named = match name.as_str() {
                    "values" => decide::changed_values(&entry.values, &decided.values),
                    _ => Vec::new(),
                };
                // What an older entry does not say one by one is named as a whole.
                if named.is_empty() {
                    vec![(name, before, now)]
                } else {
                    named
                }
            })
            .collect();
        let old = store.manifest(&entry.inputs).unwrap_or_default();
        // A hit: they are what they were.
        let now = decided.before.inputs(&self.root)?;
        let files = self.with_rules(task, &old, now.as_deref().unwrap_or(&old))?;
        Ok(InputDifferences {
            baseline: true,
            components,
            files,
        })
    }

    fn with_rules(&self, task: &Task, old: &Manifest, now: &Manifest) -> Result<Vec<FileChange>> {
        let (built, alone) = self.rules_alone(task)?;
        let found = differences(old, now);
        let with_rules = found.iter().map(|difference| {
            let last = alone.iter().zip(&task.inputs).rev().find(|(set, rule)| {
                !is_exclude(rule) && built.automaton.selects(**set, &difference.path, false)
            });
            FileChange {
                rule: last.map(|(_, rule)| text_of(rule).to_owned()),
                ..FileChange::of(difference)
            }
        });
        Ok(with_rules.collect())
    }

    /// The task's input files now: path and digest, None for a missing one.
    pub fn input_files(&self, id: &str) -> Result<Vec<(Vec<u8>, Option<Digest>)>> {
        let (look, sets) = self.look(&[id])?;
        self.digest(&look, &[sets[0].inputs]);
        let manifest = look.inputs(&self.root, sets[0].inputs)?;
        let files = manifest.entries.into_iter().map(|entry| {
            let is_missing = entry.kind == crate::tree::EntryKind::Missing;
            (entry.path.into_vec(), (!is_missing).then_some(entry.digest))
        });
        Ok(files.collect())
    }

    /// Indexes of the task's own input rules that select no file.
    pub fn unmatched(&self, id: &str) -> Result<Vec<usize>> {
        let task = self.pipeline.task(id)?;
        let (built, alone) = self.rules_alone(task)?;
        let look: Look = self.look_for(built)?;
        let empty = alone
            .iter()
            .enumerate()
            .filter(|(_, set)| look.is_empty(**set));
        Ok(empty.map(|(number, _)| number).collect())
    }

    /// How many files each of the task's own input rules selects by itself, be it to exclude them.
    pub fn selected(&self, id: &str) -> Result<Vec<usize>> {
        let task = self.pipeline.task(id)?;
        let (built, alone) = self.rules_alone(task)?;
        let look: Look = self.look_for(built)?;
        Ok(alone.iter().map(|set| look.count(*set)).collect())
    }

    fn rules_alone(&self, task: &Task) -> Result<(super::sets::Built, Vec<SetId>)> {
        // Rules are looked up in the pipeline, which lives as long as the engine.
        let mut sets = Sets::new(&self.pipeline);
        let mut alone = Vec::with_capacity(task.inputs.len());
        for rule in &task.inputs {
            alone.push(sets.rule_alone(rule, task.inputs_gitignore)?);
        }
        Ok((sets.build(), alone))
    }
}

fn is_exclude(rule: &InputRule) -> bool {
    match rule {
        InputRule::Glob { exclude, .. } | InputRule::Named { exclude, .. } => *exclude,
    }
}

fn text_of(rule: &InputRule) -> &str {
    match rule {
        InputRule::Glob { glob, .. } => glob,
        InputRule::Named { named, .. } => named,
    }
}
