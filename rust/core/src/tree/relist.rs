//! A walk after changes that are known: folders in which something came or went are listed again.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::ignore_files::IgnoreFile;
use super::resume::in_order_of_a_walk;
use super::rules::Rules;
use super::walk::{FolderFound, Project, Walk};
use crate::error::Result;

/// What a walk would find now.
pub struct Relisted {
    /// In the order of a walk.
    pub folders: Vec<Now>,
    /// Folders of the walk before that are not there any more.
    pub gone: Vec<u32>,
}

/// One folder of it.
pub enum Now {
    /// As the walk before found it: its number there.
    Before(u32),
    /// Listed again, and its number in the walk before if it was there.
    Listed(Box<FolderFound>, Option<u32>),
}

impl Now {
    fn path<'a>(&'a self, before: &'a Walk) -> &'a [u8] {
        match self {
            Self::Before(number) => &before.folders[*number as usize].path,
            Self::Listed(found, _) => &found.path,
        }
    }
}

/// Lists again the folders of a walk in which the entries at these paths came, went or changed.
///
/// None if an ignore file is not the one that was there, or if a new folder has one: then it takes a walk,
/// as after an error.
pub fn relist<'a>(
    project: Project<'_>,
    before: &Walk,
    changed: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<Relisted>> {
    let numbered = before.folders.iter().zip(0_u32..);
    let rows: HashMap<&[u8], u32> = numbered.map(|(found, row)| (&*found.path, row)).collect();
    // Of a change in a folder that the walk did not see the next one above tells.
    let above = |path: &'a [u8]| ancestors(path).find_map(|folder| rows.get(folder).copied());
    let mut to_list: BTreeSet<u32> = changed.filter_map(above).collect();
    let mut listed: HashMap<u32, Option<FolderFound>> = HashMap::new();
    let mut open = Vec::new();
    let mut entered: HashSet<u32> = HashSet::new();
    let mut rules = Rules::of(project);
    while !to_list.is_empty() {
        let path_of = |row: &u32| &*before.folders[*row as usize].path;
        let pending = to_list.iter().map(|row| rules.pending(path_of(row)));
        let pending = pending.collect::<Result<Vec<_>>>()?;
        let visit = |pending| project.visit(pending);
        let visited = pending.par_iter().map(visit).collect::<Result<Vec<_>>>()?;
        let mut next = BTreeSet::new();
        for (row, visited) in std::mem::take(&mut to_list).into_iter().zip(visited) {
            let Some((found, below)) = visited else {
                // Its own folder has lost it.
                let above = ancestors(path_of(&row)).find_map(|path| rows.get(path).copied());
                next.extend(above);
                listed.insert(row, None);
                continue;
            };
            let known = before.folders[row as usize].ignore_file;
            let identity = |file: &IgnoreFile| file.identity;
            if found.ignore_file.as_ref().map(identity) != known.as_ref().map(identity) {
                return Ok(None);
            }
            // Whether it was settled then is what counts.
            let found = FolderFound {
                ignore_file: known,
                ..found
            };
            for pending in below {
                match rows.get(&*pending.path) {
                    Some(known) => {
                        entered.insert(*known);
                    }
                    None => open.push(pending),
                }
            }
            listed.insert(row, Some(found));
        }
        to_list = next
            .into_iter()
            .filter(|row| !listed.contains_key(row))
            .collect();
    }
    let new = project.descend(open)?;
    if new.iter().any(|found| found.ignore_file.is_some()) {
        return Ok(None);
    }
    let was_listed: HashSet<u32> = listed.keys().copied().collect();
    let mut gone = Vec::new();
    let mut is_gone = vec![false; before.folders.len()];
    let mut folders = Vec::with_capacity(before.folders.len() + new.len());
    for (found, row) in before.folders.iter().zip(0_u32..) {
        let above = ancestors(&found.path)
            .next()
            .and_then(|path| rows.get(path));
        let is_lost = above.is_some_and(|above| {
            let lists_it = !was_listed.contains(above) || entered.contains(&row);
            is_gone[*above as usize] || !lists_it
        });
        match listed.remove(&row) {
            Some(None) => is_gone[row as usize] = true,
            _ if is_lost => is_gone[row as usize] = true,
            Some(Some(now)) => folders.push(Now::Listed(now.into(), Some(row))),
            None => folders.push(Now::Before(row)),
        }
        if is_gone[row as usize] {
            gone.push(row);
        }
    }
    folders.extend(new.into_iter().map(|found| Now::Listed(found.into(), None)));
    folders.sort_by(|a, b| in_order_of_a_walk(a.path(before), b.path(before)));
    Ok(Some(Relisted { folders, gone }))
}

/// The folders of a path, nearest first, the project's own included.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(path).filter(|path| !path.is_empty());
    std::iter::from_fn(move || {
        let path = rest?;
        let slash = path.iter().rposition(|byte| *byte == b'/');
        let above = &path[..slash.unwrap_or(0)];
        rest = Some(above).filter(|above| !above.is_empty());
        Some(above)
    })
}
