//! One walk for all pattern sets: each folder is opened once, and only if something in it can match.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::identity::{Identity, Kind};
use super::ignore_files::{IGNORE_FILE, IgnoreFile, Ignored};
use super::index::{Index, Known, KnownFolder};
use super::name::Name;
use super::os::{Folder, Listed, is_link_to_folder, path_of};
use super::read_ahead::{ReadAhead, ReadSoFar};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::glob::{Automaton, SetId, State};

/// Below this many folders on one level threads cost more than they give.
const FEW_FOLDERS: usize = 32;
/// The same where files are read on the way.
const FEW_TO_READ: usize = 8;

/// Never inputs, never outputs, never entered.
const NEVER: [&[u8]; 2] = [b".git", b".pipec"];

/// What a walk is of.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    pub root: &'a Path,
    /// The same folder, held open.
    pub top: &'a Folder,
    pub automaton: &'a Automaton,
    pub index: &'a Index,
    /// A file of the index counts as known if it resembles the one that is there.
    pub is_relaxed: bool,
    /// What the index does not know may be read at once.
    pub ahead: Option<&'a ReadAhead>,
    pub counters: &'a Counters,
}

/// How much work a walk was.
#[derive(Default)]
pub struct Counters {
    pub directories_listed: AtomicU64,
    pub files_seen: AtomicU64,
    /// Files whose digest the index knew.
    pub index_hits: AtomicU64,
}

/// What a walk found: folders level by level from the top down, each with what was selected in it.
pub struct Walk {
    pub folders: Vec<FolderFound>,
}

pub struct FolderFound {
    /// Relative to the root, empty for the root.
    pub path: Box<[u8]>,
    /// Of the folder, from before it was listed.
    pub identity: Identity,
    /// The ignore file in it, as it was read.
    pub ignore_file: Option<IgnoreFile>,
    /// Links that some pattern could lead through, and whether each leads to a folder.
    pub links: Vec<(Box<[u8]>, bool)>,
    /// Selected files and links, sorted by name.
    pub files: Vec<Found>,
    /// False if a survey told what is in it: then of the next two nothing is known.
    pub is_listed: bool,
    /// Names of files that nothing selected: the index keeps what it knows of them.
    pub others: Vec<Name>,
    pub subfolders: Vec<Name>,
    /// Nothing at all is in it.
    pub is_empty: bool,
    /// The sets that own the folder itself: outputs keep empty folders.
    pub owners: Arc<[SetId]>,
}

pub struct Found {
    pub name: Name,
    pub identity: Identity,
    pub sets: Arc<[SetId]>,
    /// Known from the index, or else once somebody asked; None if it was gone by then.
    pub digest: OnceLock<Option<Digest>>,
    /// Read on this walk: no index has it yet.
    pub is_new: bool,
}

/// A folder to be visited.
pub(super) struct Pending {
    pub(super) path: Vec<u8>,
    pub(super) depth: u16,
    pub(super) state: Arc<State>,
    pub(super) ignored: Ignored,
    pub(super) owners: Arc<[SetId]>,
}

/// Walks the project for everything that the automaton's sets select.
///
/// What vanishes while it is looked at is not there. A folder that cannot be read is an error: whether
/// inputs are in it cannot be said.
pub fn walk(project: Project<'_>) -> Result<Walk> {
    let top = Pending {
        path: Vec::new(),
        depth: 0,
        state: project.automaton.start(),
        ignored: Ignored::above(project.root)?,
        owners: Arc::default(),
    };
    let folders = project.descend(vec![top])?;
    Ok(Walk { folders })
}

impl Walk {
    /// Every selected file with its path.
    pub fn files(&self) -> impl Iterator<Item = (&FolderFound, &Found)> {
        self.folders
            .iter()
            .flat_map(|folder| folder.files.iter().map(move |file| (folder, file)))
    }
}

impl FolderFound {
    pub fn path_of(&self, name: &[u8]) -> Vec<u8> {
        join(&self.path, name)
    }
}

pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
    if !folder.is_empty() {
        path.extend_from_slice(folder);
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

impl Project<'_> {
    /// These folders and everything below them, level by level.
    pub(super) fn descend(self, mut level: Vec<Pending>) -> Result<Vec<FolderFound>> {
        let mut folders = Vec::new();
        while !level.is_empty() {
            let visit = |pending: &Pending| self.visit(pending);
            let few = self.ahead.map_or(FEW_FOLDERS, |_| FEW_TO_READ);
            let visited: Vec<_> = if level.len() < few {
                level.iter().map(visit).collect::<Result<_>>()?
            } else {
                level.par_iter().map(visit).collect::<Result<_>>()?
            };
            level = Vec::new();
            for (folder, below) in visited.into_iter().flatten() {
                folders.push(folder);
                level.extend(below);
            }
        }
        Ok(folders)
    }

    fn is_known(self, known: &Known, identity: &Identity) -> bool {
        known.identity == *identity || (self.is_relaxed && known.identity.resembles(identity))
    }

    /// One folder: what is selected in it, and the folders to visit next. None if it is gone.
    pub(super) fn visit(self, pending: &Pending) -> Result<Option<(FolderFound, Vec<Pending>)>> {
        let failed = |error| Error::at(path_of(self.root, &pending.path))(error);
        let opened = if pending.depth == 0 {
            Folder::open_root(self.root)
        } else {
            self.top.open_below(&pending.path)
        };
        let Some(folder) = unless_gone(opened).map_err(failed)? else {
            return Ok(None);
        };
        // From before the listing: what is added meanwhile makes it another.
        let identity = folder.own_identity().map_err(failed)?;
        let Some(listing) = unless_gone(folder.list()).map_err(failed)? else {
            return Ok(None);
        };
        let has_ignore_file = listing
            .binary_search_by(|l| (*l.name).cmp(IGNORE_FILE))
            .is_ok();
        let (ignored, ignore_file) = if has_ignore_file {
            pending.ignored.with_file_of(self.root, &pending.path)?
        } else {
            (pending.ignored.clone(), None)
        };
        let mut visitor = Visitor {
            project: self,
            pending,
            folder,
            known: self.index.folder(&pending.path),
            ignored,
            found: FolderFound {
                path: pending.path.clone().into(),
                identity,
                ignore_file,
                links: Vec::new(),
                files: Vec::new(),
                is_listed: true,
                others: Vec::new(),
                subfolders: Vec::new(),
                is_empty: listing.is_empty(),
                owners: Arc::clone(&pending.owners),
            },
            below: Vec::new(),
            path: join(&pending.path, b""),
            state: None,
            index_hits: 0,
            read: ReadSoFar::default(),
        };
        for listed in listing {
            visitor.entry(listed)?;
        }
        let Visitor {
            mut found,
            below,
            index_hits,
            read,
            ..
        } = visitor;
        if let Some(ahead) = self.ahead {
            ahead.add(read);
        }
        // There are many folders, and the room that a growing list keeps would be half as much again.
        found.files.shrink_to_fit();
        found.others.shrink_to_fit();
        found.subfolders.shrink_to_fit();
        self.counters
            .directories_listed
            .fetch_add(1, Ordering::Relaxed);
        self.counters
            .files_seen
            .fetch_add(found.files.len() as u64, Ordering::Relaxed);
        self.counters
            .index_hits
            .fetch_add(index_hits, Ordering::Relaxed);
        Ok(Some((found, below)))
    }
}

struct Visitor<'a> {
    project: Project<'a>,
    pending: &'a Pending,
    folder: Folder,
    known: Option<KnownFolder<'a>>,
    ignored: Ignored,
    found: FolderFound,
    below: Vec<Pending>,
    /// Of the entry that is looked at, behind the folder's: one piece of memory for all of them.
    path: Vec<u8>,
    /// Of the entry that was looked at last.
    state: Option<Arc<State>>,
    index_hits: u64,
    read: ReadSoFar,
}

impl Visitor<'_> {
    fn entry(&mut self, listed: Listed) -> Result<()> {
        if NEVER.contains(&&*listed.name) {
            return Ok(());
        }
        let kind = match listed.kind {
            Some(kind) => kind,
            None => match self.identity(&listed.name)? {
                Some(identity) => identity.kind,
                None => return Ok(()),
            },
        };
        let automaton = self.project.automaton;
        let state = automaton.step_again(&self.pending.state, &listed.name, self.state.take());
        match kind {
            Kind::Folder => self.subfolder(listed.name, &state),
            Kind::File | Kind::Link | Kind::Special => self.file(listed.name, &state, kind)?,
        }
        self.state = Some(state);
        Ok(())
    }

    fn subfolder(&mut self, name: Name, state: &Arc<State>) {
        let path = join(&self.pending.path, &name);
        self.found.subfolders.push(name);
        let depth = self.pending.depth.saturating_add(1);
        let owners = self.project.automaton.selecting_folder(state, None);
        if !state.can_enter && owners.is_empty() {
            return;
        }
        let ignored = self.ignored.of_entry(&path, depth, true);
        let owners = self
            .project
            .automaton
            .selecting_folder(state, ignored.depth);
        let is_hopeful = match ignored.depth {
            None => state.can_enter,
            Some(_) => state.can_enter_ignored,
        };
        if is_hopeful || !owners.is_empty() {
            self.below.push(Pending {
                path,
                depth,
                state: Arc::clone(state),
                ignored,
                owners,
            });
        }
    }

    fn file(&mut self, name: Name, state: &State, kind: Kind) -> Result<()> {
        let mut stands_for_folder = false;
        if kind == Kind::Link && state.can_enter {
            let path = join(&self.pending.path, &name);
            stands_for_folder = is_link_to_folder(&path_of(self.project.root, &path));
            self.found.links.push(((*name).into(), stands_for_folder));
        }
        if !stands_for_folder && !self.project.automaton.is_selected(state) {
            self.found.others.push(name);
            return Ok(());
        }
        self.path.truncate(match self.pending.path.len() {
            0 => 0,
            length => length + 1,
        });
        self.path.extend_from_slice(&name);
        let ignored = self
            .ignored
            .depth_of_file(&self.path, self.pending.depth.saturating_add(1));
        let mut sets = self.project.automaton.selecting(state, ignored);
        if stands_for_folder {
            let mut all = self.project.automaton.reaching(state, ignored.is_some());
            all.extend_from_slice(&sets);
            all.sort_unstable();
            all.dedup();
            sets = all.into();
        }
        if sets.is_empty() {
            self.found.others.push(name);
            return Ok(());
        }
        let known = self.known.and_then(|folder| folder.find(&name));
        let is_unknown = kind == Kind::File && known.is_none();
        let ahead = self
            .project
            .ahead
            .filter(|ahead| is_unknown && ahead.wants(&sets));
        let read = ahead
            .filter(|ahead| ahead.expects_old_files())
            .and_then(|ahead| ahead.read(&self.folder, &name));
        if let Some(Known { identity, digest }) = read {
            self.read.files += 1;
            self.read.bytes += identity.size;
            self.found.files.push(Found {
                name,
                identity,
                sets,
                digest: OnceLock::from(Some(digest)),
                is_new: true,
            });
        } else if let Some(identity) = self.identity(&name)?
            && identity.kind != Kind::Folder
        {
            if let Some(ahead) = ahead {
                ahead.saw(&identity);
            }
            let digest = OnceLock::new();
            if let Some(known) = known.filter(|known| self.project.is_known(known, &identity)) {
                self.index_hits += 1;
                let _ = digest.set(Some(known.digest));
            }
            self.found.files.push(Found {
                name,
                identity,
                sets,
                digest,
                is_new: false,
            });
        }
        Ok(())
    }

    fn identity(&self, name: &[u8]) -> Result<Option<Identity>> {
        let identity = self.folder.identity(name);
        identity.map_err(|error| {
            Error::at(path_of(self.project.root, &join(&self.pending.path, name)))(error)
        })
    }
}

/// None for what is not there any more, or is no folder any more.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error says that nothing is there. A link that leads to itself leads to nothing.
pub fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Whether a path lies where no walk ever goes.
pub fn is_never(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/')
        .any(|name| NEVER.contains(&name))
}
