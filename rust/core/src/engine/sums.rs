//! The sums of a look's sets: one digest over all that a set selects, taken over from a survey or added up.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::literals::{is_covered, is_seen_by_walks};
use super::look::{Look, kind_of, lock};
use crate::digest::Digest;
use crate::error::Result;
use crate::glob::SetId;
use crate::tree::{Sum, SumOf, Summed};

/// What a look knows of a set without adding it up.
pub(super) type Sums = HashMap<(SetId, SumOf), (Digest, u64)>;

impl Look {
    /// Whether all that a set selects was summed up and lies where a walk sees it.
    pub(super) fn is_steady_set(&self, set: SetId) -> bool {
        lock(&self.added_up).contains_key(&(set, SumOf::Inputs))
    }

    /// Whether everything that the sets select lies where a walk sees it.
    pub(super) fn is_steady(&self) -> bool {
        !self.is_unsteady.load(Ordering::Acquire)
    }

    /// The digest and the number of the inputs that a set selects, as of `inputs`, without a list of them.
    pub(super) fn inputs_sum(&self, root: &Path, set: SetId) -> Result<(Digest, u64)> {
        let added_up = lock(&self.added_up).get(&(set, SumOf::Inputs)).copied();
        if let Some(known) = added_up {
            return Ok(known);
        }
        if let Some(known) = self.sums.get(&(set, SumOf::Inputs)) {
            // Whatever could change it is seen by a walk: else it would not have been kept.
            self.keep_sum(set, SumOf::Inputs, *known);
            return Ok(*known);
        }
        let (sum, is_steady) = self.add_up_inputs(root, set)?;
        if is_steady {
            self.keep_sum(set, SumOf::Inputs, sum);
        } else {
            self.is_unsteady.store(true, Ordering::Release);
        }
        Ok(sum)
    }

    /// Whether the sum of a set's inputs is known without a look at any of them.
    pub(super) fn has_inputs_sum(&self, set: SetId) -> bool {
        self.sums.contains_key(&(set, SumOf::Inputs))
    }

    /// The digest of the outputs on disk with their exact modes, as of `outputs`.
    pub(super) fn exact_digest(&self, set: SetId) -> Option<Digest> {
        let sum = if let Some(known) = self.sums.get(&(set, SumOf::Outputs)) {
            *known
        } else {
            let present = self.outputs(set)?;
            (present.exact_digest(), present.entries.len() as u64)
        };
        self.keep_sum(set, SumOf::Outputs, sum);
        Some(sum.0)
    }

    /// Whether the digest of a set's outputs is known without a look at any of them.
    pub(super) fn has_exact_digest(&self, set: SetId) -> bool {
        self.sums.contains_key(&(set, SumOf::Outputs))
    }

    /// Every sum that a survey of this look may keep.
    pub(super) fn summed(&self) -> Vec<Summed> {
        let added_up = lock(&self.added_up);
        let summed = added_up.iter().map(|((set, of), (digest, count))| Summed {
            set: *set,
            of: *of,
            digest: *digest,
            count: *count,
        });
        let mut summed: Vec<_> = summed.collect();
        summed.sort_unstable_by_key(|sum| (sum.set, sum.of));
        summed
    }

    fn keep_sum(&self, set: SetId, of: SumOf, sum: (Digest, u64)) {
        lock(&self.added_up).insert((set, of), sum);
    }

    /// The sum, and whether a walk that finds everything as it was means that the sum is as it was.
    fn add_up_inputs(&self, root: &Path, set: SetId) -> Result<((Digest, u64), bool)> {
        let listed = |is_steady: bool| {
            let manifest = self.inputs(root, set)?;
            let sum = (manifest.digest(), manifest.entries.len() as u64);
            Ok((sum, is_steady))
        };
        if !lock(&self.troubles).is_empty() {
            return listed(false);
        }
        // All paths in one piece of memory, and where each of them stands in it.
        let mut paths = Vec::with_capacity(self.members(set).len() * 64);
        let mut entries = Vec::with_capacity(self.members(set).len());
        for place in self.members(set) {
            if let Some(known) = self.known(*place) {
                let (folder, file) = self.at(*place);
                let start = paths.len();
                if !folder.path.is_empty() {
                    paths.extend_from_slice(&folder.path);
                    paths.push(b'/');
                }
                paths.extend_from_slice(&file.name);
                entries.push((start..paths.len(), kind_of(&known.identity), known.digest));
            }
        }
        entries.sort_unstable_by(|a, b| paths[a.0.clone()].cmp(&paths[b.0.clone()]));
        let path_at = |number: usize| entries.get(number).map(|(range, ..)| &paths[range.clone()]);
        let literals = &self.built.literals[set as usize];
        let mut uncovered = literals
            .iter()
            .filter(|literal| !is_covered(entries.len(), path_at, literal))
            .peekable();
        if uncovered.peek().is_some() {
            return listed(uncovered.all(|literal| is_seen_by_walks(root, literal)));
        }
        let mut sum = Sum::new();
        for (range, kind, digest) in &entries {
            sum.add(&paths[range.clone()], *kind, *digest);
        }
        Ok(((sum.finish(), entries.len() as u64), true))
    }
}
