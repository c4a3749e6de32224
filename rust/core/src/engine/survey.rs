//! The look at everything, going on from what the last run of the same plan saw.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Engine;
use super::look::{Look, TaskSets};
use super::sets::{Built, Sets};
use crate::digest::{Digest, Fields};
use crate::error::{Error, Result};
use crate::store::{replace, temporary_in};
use crate::tree::{
    Changes, Index, Project, Resumed, Stamp, SumOf, Survey, Surveyed, Walk, is_surveyable, resume,
    rules_above, walk, write_survey,
};

/// As many plans of a project keep their surveys.
const KEPT: usize = 8;
/// A run that executed something writes its survey only if this part of it, or more, is out of date:
/// what the next run has to look at anew costs less than the writing.
const WORTH_WRITING: usize = 20;

/// Where the look at everything began, and what of it is worth keeping.
pub(super) struct Basis {
    path: PathBuf,
    context: Digest,
    /// The survey that it went on from.
    generation: Option<Digest>,
    /// How many folders and files were not as that survey says, and how many it has.
    changed: usize,
    size: usize,
}

impl Engine {
    /// Looks at what these tasks read and own.
    pub(super) fn survey(&self, tasks: &[&str]) -> Result<(Look, Vec<TaskSets>)> {
        let mut sets = Sets::new(&self.pipeline);
        let mut of_tasks = Vec::with_capacity(tasks.len());
        for task in tasks {
            of_tasks.push(sets.of_task(self.pipeline.task(task)?)?);
        }
        let built = sets.build();
        if !is_surveyable(&self.root) {
            return Ok((self.look_for(built)?, of_tasks));
        }
        let context = self.survey_context(tasks)?;
        let path = self.survey_path(tasks);
        let found = Survey::read(&path, context)
            .and_then(|survey| Some((survey.check(&self.root)?, survey)));
        let mut basis = Basis {
            path,
            context,
            generation: None,
            changed: 0,
            size: 0,
        };
        let look = match found {
            Some((changes, survey)) => {
                basis.generation = Some(survey.generation());
                basis.changed = changes.folders.len() + changes.files.len();
                basis.size = survey.folder_count() + survey.file_count();
                self.go_on(built, &survey, &changes)?
            }
            None => self.look_anew(built)?,
        };
        self.lock().memory.basis = Some(basis);
        Ok((look, of_tasks))
    }

    fn go_on(&self, built: Built, survey: &Survey, changes: &Changes) -> Result<Look> {
        let nothing = OnceLock::new();
        let index = if changes.folders.is_empty() {
            nothing.get_or_init(Index::empty)
        } else {
            self.index()
        };
        let stamp = OnceLock::new();
        if !changes.is_empty() {
            let _ = stamp.set(self.stamp());
        }
        let project = Project {
            root: &self.root,
            automaton: &built.automaton,
            index,
            counters: &self.walked,
        };
        let Some(Resumed { walk, touched }) = resume(project, survey, changes)? else {
            return self.look_anew(built);
        };
        let sums = survey
            .sums()
            .filter(|(set, ..)| !touched.contains(set))
            .map(|(set, of, digest, count)| ((set, of), (digest, count)))
            .collect();
        Ok(Look::of(built, walk, stamp, sums))
    }

    fn look_anew(&self, built: Built) -> Result<Look> {
        let stamp = OnceLock::from(self.stamp());
        let walk = self.walk(&built)?;
        Ok(Look::of(built, walk, stamp, Default::default()))
    }

    pub(super) fn walk(&self, built: &Built) -> Result<Walk> {
        walk(Project {
            root: &self.root,
            automaton: &built.automaton,
            index: self.index(),
            counters: &self.walked,
        })
    }

    /// What a survey depends on beside the files: the patterns, and the rules of git above the project.
    fn survey_context(&self, tasks: &[&str]) -> Result<Digest> {
        let mut fields = Fields::new("pipec survey context v1");
        fields
            .digest(self.plan_digest(tasks))
            .digest(rules_above(&self.root)?);
        Ok(fields.finish())
    }

    fn survey_path(&self, tasks: &[&str]) -> PathBuf {
        let name = self.plan_digest(tasks).to_hex();
        self.request.state.join("surveys").join(&name[..32])
    }

    fn plan_digest(&self, tasks: &[&str]) -> Digest {
        let mut fields = Fields::new("pipec survey of a plan v1");
        fields
            .text(env!("CARGO_PKG_VERSION"))
            .digest(self.ir_digest);
        for task in tasks {
            fields.text(task);
        }
        fields.finish()
    }

    /// Writes the survey for the next run of this plan, if that will save more than it costs.
    pub(super) fn save_survey(&self) -> Result<()> {
        let inner = self.lock();
        let (Some(basis), Some(look)) = (&inner.memory.basis, &inner.memory.looked) else {
            return Ok(());
        };
        let is_out_of_date = match basis.generation {
            None => true,
            Some(_) if inner.has_changed_files => basis.changed * WORTH_WRITING > basis.size,
            Some(_) => basis.changed > 0,
        };
        if !is_out_of_date || !look.is_complete() {
            return Ok(());
        }
        let surveyed = Surveyed {
            context: basis.context,
            walk: look.walk(),
            stamp: look.stamp.get().copied().unwrap_or(Stamp::NEVER),
            known: |place| look.known(place),
            sums: &look.summed(),
        };
        let Some(bytes) = write_survey(&surveyed) else {
            return Ok(());
        };
        let folder = self.request.state.join("surveys");
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let temporary = temporary_in(&self.request.state.join("tmp"))?;
        replace(&basis.path, &temporary, &bytes)?;
        if basis.generation.is_none() {
            prune(&folder);
        }
        Ok(())
    }
}

/// Removes the surveys of plans that have not been run for longest. What cannot be removed stays.
fn prune(folder: &Path) {
    let Ok(listed) = fs::read_dir(folder) else {
        return;
    };
    let mut surveys: Vec<_> = listed
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    surveys.sort_unstable();
    let too_many = surveys.len().saturating_sub(KEPT);
    for (_, path) in surveys.iter().take(too_many) {
        let _ = fs::remove_file(path);
    }
}

/// What a look knows of a set without adding it up.
pub(super) type Sums = std::collections::HashMap<(crate::glob::SetId, SumOf), (Digest, u64)>;
