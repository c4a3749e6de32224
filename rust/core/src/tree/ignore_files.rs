//! `.gitignore` files along the walk: the innermost that has an opinion decides, as in git.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::os::{open_file, path_of};
use crate::error::{Error, Result};

pub(super) const IGNORE_FILE: &[u8] = b".gitignore";

/// The ignore files that hold for a folder, and how deep the deepest ignored part of its path lies.
#[derive(Clone, Default)]
pub(super) struct Ignored {
    rules: Option<Arc<Frame>>,
    /// The number of components of the longest prefix of this folder's path that is ignored.
    pub depth: Option<u16>,
}

struct Frame {
    own: Gitignore,
    /// Where the project lies below the folder of these rules, for rules from above the project.
    prefix: PathBuf,
    outer: Option<Arc<Self>>,
}

impl Ignored {
    /// The ignore files of the folders above `root`, up to the top of the git checkout it lies in.
    pub(super) fn above(root: &Path) -> Result<Self> {
        let Some(top) = root.ancestors().find(|folder| folder.join(".git").exists()) else {
            return Ok(Self::default());
        };
        let mut ignored = Self::default();
        let between = root
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(top));
        for folder in between.collect::<Vec<_>>().into_iter().rev() {
            let path = path_of(folder, IGNORE_FILE);
            if let Some(bytes) = read(&path)? {
                let prefix = root
                    .strip_prefix(folder)
                    .unwrap_or(Path::new(""))
                    .to_path_buf();
                ignored = ignored.with_rules(Path::new(""), prefix, &bytes, &path)?;
            }
        }
        Ok(ignored)
    }

    /// Adds the ignore file of a folder, if it has one. `folder` is relative to `root`.
    pub(super) fn with_file_of(&self, root: &Path, folder: &[u8]) -> Result<Self> {
        let path = path_of(&path_of(root, folder), IGNORE_FILE);
        let Some(bytes) = read(&path)? else {
            return Ok(self.clone());
        };
        self.with_rules(
            &path_of(Path::new(""), folder),
            PathBuf::new(),
            &bytes,
            &path,
        )
    }

    fn with_rules(
        &self,
        base: &Path,
        prefix: PathBuf,
        bytes: &[u8],
        source: &Path,
    ) -> Result<Self> {
        let mut builder = GitignoreBuilder::new(base);
        for line in String::from_utf8_lossy(bytes)
            .trim_start_matches('\u{feff}')
            .lines()
        {
            // A line that is no glob ignores nothing: git says nothing about it either.
            let _ = builder.add_line(Some(source.to_path_buf()), line);
        }
        let own = builder.build().map_err(|error| {
            Error::corrupt(
                source,
                format!("its rules cannot be used together: {error}"),
            )
        })?;
        let rules = Some(Arc::new(Frame {
            own,
            prefix,
            outer: self.rules.clone(),
        }));
        Ok(Self {
            rules,
            depth: self.depth,
        })
    }

    /// What holds for an entry of this folder. `depth` is the entry's number of components.
    pub(super) fn of_entry(&self, path: &[u8], depth: u16, is_folder: bool) -> Self {
        let ignored = self.says(path, is_folder);
        Self {
            rules: self.rules.clone(),
            depth: if ignored { Some(depth) } else { self.depth },
        }
    }

    /// The same without making a value for it: for files, of which there are many.
    pub(super) fn depth_of_file(&self, path: &[u8], depth: u16) -> Option<u16> {
        if self.says(path, false) {
            Some(depth)
        } else {
            self.depth
        }
    }

    fn says(&self, path: &[u8], is_folder: bool) -> bool {
        let path = path_of(Path::new(""), path);
        let mut frame = self.rules.as_deref();
        while let Some(rules) = frame {
            match rules.own.matched(rules.prefix.join(&path), is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => frame = rules.outer.as_deref(),
            }
        }
        false
    }
}

/// The rules of an ignore file. As in git one that is a link, or no file at all, says nothing.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::at(path)(error)),
    }
    let mut bytes = Vec::new();
    let mut file = open_file(path).map_err(Error::at(path))?;
    file.read_to_end(&mut bytes).map_err(Error::at(path))?;
    Ok(Some(bytes))
}
