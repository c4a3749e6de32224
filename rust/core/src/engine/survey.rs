//! The look at everything, going on from what the last run of the same plan saw.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::Engine;
use super::look::{Look, TaskSets};
use super::restored::After;
use super::sets::{Built, Sets};
use super::sums::Sums;
use crate::digest::{Digest, Fields};
use crate::error::{Error, Result};
use crate::store::{replace_by_pieces, temporary_in};
use crate::tree::{
    Changes, Folder, Identity, Index, Known, Pieces, Project, ReadAhead, Resumed, Stamp, Survey,
    Surveyed, Walk, generation_of, is_surveyable, keep_newest, resume, rules_above, walk,
    write_survey,
};

/// The variable that says what makes a file the one that the index knows: `relaxed` leaves device, inode and
/// change time aside.
const IDENTITY: &str = "PIPEC_IDENTITY";
/// As many plans of a project keep their surveys.
const KEPT: usize = 8;
/// A run that executed something writes its survey only if this part of it, or more, is out of date:
/// what the next run has to look at anew costs less than the writing.
const WORTH_WRITING: usize = 20;

/// A survey that holds for everything that a plan depends on in the project's folder: while the disk is as
/// it says, what was decided with it holds too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub plan: Digest,
    pub generation: Digest,
}

/// A survey of a plan as it was held against the disk.
pub struct Checked {
    plan: Digest,
    pub survey: Survey,
    pub changes: Changes,
}

impl Checked {
    /// The survey of this generation that the last run of a plan left, held against the disk. None if there
    /// is none, or it is of no use here.
    pub fn find(root: &Path, state: &Path, standing: Standing) -> Option<Self> {
        if !is_surveyable(root) {
            return None;
        }
        let context = context_of(root, standing.plan).ok()?;
        let survey = Survey::read(&path_of_survey(state, standing.plan), context)
            .filter(|survey| survey.generation() == standing.generation)?;
        let changes = survey.check(root)?;
        Some(Self {
            plan: standing.plan,
            survey,
            changes,
        })
    }
}

/// Where the look at everything began, and what of it is worth keeping.
pub(super) struct Basis {
    path: PathBuf,
    context: Digest,
    /// The survey that it went on from.
    generation: Option<Digest>,
    /// How many folders and files were not as that survey says, and how many it has.
    changed: usize,
    size: usize,
    plan: Digest,
    /// The survey that says what this look saw.
    written: Option<Digest>,
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
        let plan = self.plan_digest(tasks);
        let context = context_of(&self.root, plan)?;
        let path = path_of_survey(&self.request.state, plan);
        let checked = self.lock().memory.checked.take();
        let found = checked
            .filter(|checked| checked.plan == plan)
            .map(|checked| (checked.changes, checked.survey))
            .or_else(|| {
                let survey = Survey::read(&path, context)?;
                Some((survey.check(&self.root)?, survey))
            });
        let mut basis = Basis {
            path,
            context,
            generation: None,
            changed: 0,
            size: 0,
            plan,
            written: None,
        };
        let look = match found {
            Some((changes, survey)) => {
                basis.generation = Some(survey.generation());
                basis.written = basis.generation.filter(|_| changes.is_empty());
                basis.changed = changes.folders.len() + changes.files.len();
                basis.size = survey.folder_count() + survey.file_count();
                self.go_on(built, (tasks, &of_tasks), &survey, &changes)?
            }
            None => self.look_anew(built, tasks, &of_tasks)?,
        };
        self.lock().memory.basis = Some(basis);
        Ok((look, of_tasks))
    }

    fn go_on(
        &self,
        built: Built,
        (tasks, of_tasks): (&[&str], &[TaskSets]),
        survey: &Survey,
        changes: &Changes,
    ) -> Result<Look> {
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
        let top = self.top()?;
        let project = Project {
            root: &self.root,
            top: &top,
            automaton: &built.automaton,
            index,
            is_relaxed: self.is_relaxed(),
            ahead: None,
            counters: &self.walked,
        };
        let Some(Resumed { walk, touched }) = resume(project, survey, changes)? else {
            return self.look_anew(built, tasks, of_tasks);
        };
        let sums = survey
            .sums()
            .filter(|(set, ..)| !touched.contains(set))
            .map(|(set, of, digest, count)| ((set, of), (digest, count)))
            .collect();
        Ok(Look::of(built, walk, stamp, sums))
    }

    /// A walk from the top, on which the inputs of all tasks are read if the index does not know them, and the
    /// outputs that are there to be compared with those of a task's last success.
    fn look_anew(&self, built: Built, tasks: &[&str], of_tasks: &[TaskSets]) -> Result<Look> {
        let stamp = self.stamp();
        let mut wanted = vec![false; built.literals.len()];
        let inner = self.lock();
        for (task, sets) in tasks.iter().zip(of_tasks) {
            wanted[sets.inputs as usize] = true;
            if let Some(outputs) = sets.outputs.filter(|_| inner.memory.successes.has(task)) {
                wanted[outputs as usize] = true;
            }
        }
        drop(inner);
        let found = fs::metadata(&self.request.state);
        let device = found.map_or(0, |found| Identity::from(&found).device);
        let ahead = ReadAhead::of(wanted, stamp, device);
        let walk = self.walk_ahead(&built, Some(&ahead))?;
        let read = ahead.read_so_far();
        self.hashed.files.fetch_add(read.files, Ordering::Relaxed);
        self.hashed.bytes.fetch_add(read.bytes, Ordering::Relaxed);
        if self.is_relaxed() {
            self.recognize(&walk, stamp);
        }
        let stamp = OnceLock::from(stamp);
        Ok(Look::of(built, walk, stamp, Sums::new()))
    }

    pub(super) fn walk(&self, built: &Built) -> Result<Walk> {
        self.walk_ahead(built, None)
    }

    fn walk_ahead(&self, built: &Built, ahead: Option<&ReadAhead>) -> Result<Walk> {
        walk(Project {
            root: &self.root,
            top: &self.top()?,
            automaton: &built.automaton,
            index: self.index(),
            is_relaxed: self.is_relaxed(),
            ahead,
            counters: &self.walked,
        })
    }

    /// The project's folder as it is now, for one walk: by the next another may have taken its place.
    pub(super) fn top(&self) -> Result<Folder> {
        Folder::reach_root(&self.root).map_err(Error::at(&self.root))
    }

    /// Whether digests are taken over for files that only resemble those of the index: for caches that
    /// came from another machine, and only if asked for.
    pub(super) fn is_relaxed(&self) -> bool {
        self.host.get(IDENTITY).map(String::as_str) == Some("relaxed")
    }

    /// Remembers files that were known by resemblance as what they are here.
    fn recognize(&self, walk: &Walk, stamp: Stamp) {
        let mut inner = self.lock();
        for (folder, file) in walk.files() {
            if let Some(Some(digest)) = file.digest.get()
                && stamp.is_clean(&file.identity)
            {
                let files = inner.memory.fresh.entry(folder.path.clone()).or_default();
                let known = Known {
                    identity: file.identity,
                    digest: *digest,
                };
                files.insert((*file.name).into(), known);
            }
        }
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

    /// Goes on from a survey of this plan that was held against the disk a moment ago.
    pub fn expect(&self, checked: Checked) {
        self.lock().memory.checked = Some(checked);
    }

    /// The survey that says of this run's look all there is to say, if there is one: after `save`, and if
    /// nothing was written in the project.
    pub fn standing(&self) -> Option<Standing> {
        let inner = self.lock();
        let (basis, look) = (inner.memory.basis.as_ref()?, inner.memory.looked.as_ref()?);
        let is_as_surveyed = !inner.has_changed_files && inner.put_back.is_empty();
        let is_all = is_as_surveyed && look.is_steady() && look.is_complete();
        let standing = |generation| Standing {
            plan: basis.plan,
            generation,
        };
        basis.written.filter(|_| is_all).map(standing)
    }

    /// Writes the survey for the next run of this plan, if that will save more than it costs.
    pub(super) fn save_survey(
        &self,
        basis: &mut Basis,
        look: &Look,
        has_changed_files: bool,
    ) -> Result<()> {
        let is_out_of_date = match basis.generation {
            None => true,
            Some(_) if has_changed_files => basis.changed * WORTH_WRITING > basis.size,
            Some(_) => basis.changed > 0,
        };
        if !is_out_of_date || !look.is_complete() {
            return Ok(());
        }
        let surveyed = Surveyed {
            context: basis.context,
            folders: &look.walk().seen(),
            stamp: look.stamp.get().copied().unwrap_or(Stamp::NEVER),
            known: |place| look.known(place),
            unsettled: &look.unsettled(),
            sums: &look.summed(),
        };
        self.write_survey(basis, write_survey(&surveyed))
    }

    /// Writes the survey of what there is after a restore.
    pub(super) fn save_survey_after(&self, basis: &mut Basis, after: &After<'_>) -> Result<()> {
        let surveyed = Surveyed {
            context: basis.context,
            folders: &after.seen(),
            stamp: after.stamp(),
            known: |place| after.known(place),
            unsettled: after.unsettled(),
            sums: after.sums(),
        };
        // The look that it went on from is not to be written down any more.
        basis.changed = 0;
        self.write_survey(basis, write_survey(&surveyed))?;
        basis.generation = basis.generation.or(basis.written);
        Ok(())
    }

    fn write_survey(&self, basis: &mut Basis, pieces: Option<Pieces>) -> Result<()> {
        basis.written = None;
        let Some(pieces) = pieces else {
            return Ok(());
        };
        let folder = self.request.state.join("surveys");
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let temporary = temporary_in(&self.request.state.join("tmp"))?;
        replace_by_pieces(&basis.path, &temporary, &pieces)?;
        basis.written = generation_of(&pieces[0]);
        if basis.generation.is_none() {
            keep_newest(&folder, KEPT);
        }
        Ok(())
    }
}

/// What a survey depends on beside the files: the patterns, and the rules of git above the project.
fn context_of(root: &Path, plan: Digest) -> Result<Digest> {
    let mut fields = Fields::new("pipec survey context v1");
    fields.digest(plan).digest(rules_above(root)?);
    Ok(fields.finish())
}

fn path_of_survey(state: &Path, plan: Digest) -> PathBuf {
    state.join("surveys").join(&plan.to_hex()[..32])
}
