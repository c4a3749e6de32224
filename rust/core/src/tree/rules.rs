//! The ignore rules that hold in any folder of a project, found without a walk from the top.

use std::collections::HashMap;
use std::sync::Arc;

use super::ignore_files::Ignored;
use super::walk::{Pending, Project};
use crate::error::Result;

/// Rules by folder: each ignore file is read once.
pub(super) struct Rules<'a> {
    project: Project<'a>,
    known: HashMap<Vec<u8>, Ignored>,
}

impl<'a> Rules<'a> {
    pub(super) fn of(project: Project<'a>) -> Self {
        Self {
            project,
            known: HashMap::new(),
        }
    }

    /// A folder as a walk from the top would come to it.
    pub(super) fn pending(&mut self, path: &[u8]) -> Result<Pending> {
        let automaton = self.project.automaton;
        if path.is_empty() {
            return Ok(Pending {
                path: Vec::new(),
                depth: 0,
                state: automaton.start(),
                ignored: Ignored::above(self.project.root)?,
                owners: Arc::default(),
            });
        }
        let depth = path.split(|byte| *byte == b'/').count();
        let depth = u16::try_from(depth).unwrap_or(u16::MAX);
        let above = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => &path[..slash],
            None => b"",
        };
        let ignored = self.rules_in(above)?.of_entry(path, depth, true);
        let state = automaton.state_of(path);
        let owners = automaton.selecting_folder(&state, ignored.depth);
        Ok(Pending {
            path: path.to_vec(),
            depth,
            state,
            ignored,
            owners,
        })
    }

    /// The rules for what lies in a folder, its own ignore file included.
    fn rules_in(&mut self, folder: &[u8]) -> Result<Ignored> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let outside = if folder.is_empty() {
            Ignored::above(self.project.root)?
        } else {
            self.pending(folder)?.ignored
        };
        let (rules, _) = outside.with_file_of(self.project.root, folder)?;
        self.known.insert(folder.to_vec(), rules.clone());
        Ok(rules)
    }
}
