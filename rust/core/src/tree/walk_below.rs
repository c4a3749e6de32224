//! A walk of a few places of the project, for sets whose patterns say where those are.

use std::fs;

use super::ignore_files::Ignored;
use super::os::path_of;
use super::walk::{Pending, Project, Walk};
use crate::error::Result;

/// Walks these folders, relative to the root, none of them below another, as a walk from the top would.
///
/// For sets that select nothing elsewhere, and that ignore files mean nothing to. None if one of the
/// folders lies behind a link: a walk from the top sees that.
pub fn walk_below(project: Project<'_>, folders: &[Vec<u8>]) -> Result<Option<Walk>> {
    let mut level = Vec::with_capacity(folders.len());
    for path in folders {
        match is_there(project, path) {
            Way::Gone => {}
            Way::BehindLink => return Ok(None),
            Way::Folder => {
                let depth = path.split(|byte| *byte == b'/').count();
                let state = project.automaton.state_of(path);
                level.push(Pending {
                    path: path.clone(),
                    depth: u16::try_from(depth).unwrap_or(u16::MAX),
                    owners: project.automaton.selecting_folder(&state, None),
                    state,
                    ignored: Ignored::default(),
                });
            }
        }
    }
    let folders = project.descend(level)?;
    Ok(Some(Walk { folders }))
}

enum Way {
    Folder,
    Gone,
    BehindLink,
}

fn is_there(project: Project<'_>, path: &[u8]) -> Way {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for end in ends.map(|(at, _)| at).chain([path.len()]) {
        match fs::symlink_metadata(path_of(project.root, &path[..end])) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => return Way::BehindLink,
            Ok(_) => return Way::Gone,
            // Whatever the trouble is, a walk from the top has words for it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Way::Gone,
            Err(_) => return Way::BehindLink,
        }
    }
    Way::Folder
}
