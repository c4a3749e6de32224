//! The part of a walk that some sets depend on, from a survey of more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::as_surveyed::AsSurveyed;
use super::resume::Resumed;
use super::survey::{Changes, Survey};
use super::walk::Walk;
use crate::glob::{Automaton, SetId, State};

/// What `resume` would give of an automaton's sets, with the folders in which nothing can belong to them
/// left out. `numbers`: each of them by its number in the survey.
///
/// None if a folder has to be listed, or if the survey makes no sense.
pub(crate) fn resume_part(
    survey: &Survey,
    changes: &Changes,
    automaton: &Automaton,
    numbers: &HashMap<SetId, SetId>,
) -> Option<Resumed> {
    if !changes.folders.is_empty() {
        return None;
    }
    let mut as_surveyed = AsSurveyed::of_sets(survey, numbers)?;
    for (_, file, identity) in &changes.files {
        as_surveyed.changed(*file, *identity);
    }
    let mut states: Vec<Option<Arc<State>>> = Vec::with_capacity(survey.folder_count());
    let mut folders = Vec::new();
    for number in 0..survey.folder_count() {
        let row = survey.folder(number)?;
        let state = match row.parent {
            None => Some(automaton.start()),
            Some(parent) => {
                let above = states.get(parent)?.as_ref().filter(|above| leads_on(above));
                above.map(|above| automaton.step(above, last_name(row.path)))
            }
        };
        // A folder below which nothing can match may itself be an output.
        let is_wanted =
            state.as_deref().is_some_and(leads_on) || !as_surveyed.list(row.owners)?.is_empty();
        if is_wanted {
            folders.push(as_surveyed.folder(number)?);
        }
        states.push(state);
    }
    Some(Resumed {
        touched: as_surveyed.touched().collect(),
        walk: Walk { folders },
    })
}

/// The sets of which a file is not as a survey has it. None if that takes a look into folders.
pub(crate) fn touched_sets(survey: &Survey, changes: &Changes) -> Option<HashSet<SetId>> {
    if !changes.folders.is_empty() {
        return None;
    }
    let lists = survey.lists(usize::MAX)?;
    let mut touched = HashSet::new();
    for (folder, file, _) in &changes.files {
        let device = survey.folder(*folder as usize)?.identity.device;
        let sets = lists.get(&survey.file(*file as usize, device)?.sets)?;
        touched.extend(sets.iter().copied());
    }
    Some(touched)
}

fn leads_on(state: &State) -> bool {
    state.can_enter || state.can_enter_ignored
}

fn last_name(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|byte| *byte == b'/');
    slash.map_or(path, |slash| &path[slash + 1..])
}
