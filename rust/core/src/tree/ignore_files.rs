//! `.gitignore` files along the walk: the innermost that has an opinion decides, as in git.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::identity::Identity;
use super::ignore_rule::IgnoreRule;
use super::os::{open_file, path_of};
use super::stamp::{Stamp, has_no_writer};
use super::walk::is_gone;
use crate::digest::{Digest, Fields};
use crate::error::{Error, Result};

pub(super) const IGNORE_FILE: &[u8] = b".gitignore";

/// An ignore file as it was when its rules were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgnoreFile {
    pub identity: Identity,
    had_no_writer: bool,
}

impl IgnoreFile {
    /// One whose rules are known to be those of this identity.
    pub(super) fn settled(identity: Identity) -> Self {
        Self {
            identity,
            had_no_writer: true,
        }
    }

    /// Whether its identity will always stand for the rules that were read.
    pub fn is_settled(&self, stamp: Stamp) -> bool {
        stamp.settles(&self.identity, || self.had_no_writer)
    }
}

/// The ignore files that hold for a folder, and how deep the deepest ignored part of its path lies.
#[derive(Clone, Default)]
pub(super) struct Ignored {
    rules: Option<Arc<Frame>>,
    /// The number of components of the longest prefix of this folder's path that is ignored.
    pub depth: Option<u16>,
}

/// The rules of one ignore file.
struct Frame {
    rules: Vec<IgnoreRule>,
    /// Of the file.
    digest: Digest,
    /// How many bytes of a path lead to the folder of these rules.
    skipped: usize,
    /// Where the project lies below that folder, with a slash, for rules from above the project.
    prefix: Vec<u8>,
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
            if let Some((Some(bytes), _)) = read(&path_of(folder, IGNORE_FILE))? {
                let below = root.strip_prefix(folder).unwrap_or(Path::new(""));
                let prefix = [below.as_os_str().as_encoded_bytes(), b"/"].concat();
                ignored = ignored.with_rules(0, prefix, &bytes);
            }
        }
        Ok(ignored)
    }

    /// Stands for everything that these rules say of the project: other rules, another digest.
    pub(super) fn digest(&self) -> Digest {
        let mut fields = Fields::new("pipec ignore rules above a project v1");
        let mut frame = self.rules.as_deref();
        while let Some(own) = frame {
            fields.bytes(&own.prefix).digest(own.digest);
            frame = own.outer.as_deref();
        }
        fields.finish()
    }

    /// Adds the ignore file of a folder, if it has one, and tells which file that is. `folder` is relative
    /// to `root`.
    pub(super) fn with_file_of(
        &self,
        root: &Path,
        folder: &[u8],
    ) -> Result<(Self, Option<IgnoreFile>)> {
        let read = read(&path_of(&path_of(root, folder), IGNORE_FILE))?;
        let skipped = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        Ok(match read {
            Some((Some(bytes), file)) => (self.with_rules(skipped, Vec::new(), &bytes), Some(file)),
            Some((None, file)) => (self.clone(), Some(file)),
            None => (self.clone(), None),
        })
    }

    fn with_rules(&self, skipped: usize, prefix: Vec<u8>, bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let lines = text.split(|byte| *byte == b'\n');
        Self {
            rules: Some(Arc::new(Frame {
                rules: lines.filter_map(IgnoreRule::parse).collect(),
                digest: Digest::of(bytes),
                skipped,
                prefix,
                outer: self.rules.clone(),
            })),
            depth: self.depth,
        }
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
        let mut frame = self.rules.as_deref();
        while let Some(own) = frame {
            let path = &path[own.skipped..];
            let from_above = (!own.prefix.is_empty()).then(|| [&own.prefix, path].concat());
            let path = from_above.as_deref().unwrap_or(path);
            let mut last_first = own.rules.iter().rev();
            if let Some(rule) = last_first.find(|rule| rule.names(path, is_folder)) {
                return !rule.is_negated;
            }
            frame = own.outer.as_deref();
        }
        false
    }
}

/// The rules of an ignore file, and which file it is. As in git one that is a link, or no file at all,
/// says nothing.
fn read(path: &Path) -> Result<Option<(Option<Vec<u8>>, IgnoreFile)>> {
    let identity = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Identity::from(&found),
        Ok(found) => return Ok(Some((None, IgnoreFile::settled(Identity::from(&found))))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::at(path)(error)),
    };
    let mut bytes = Vec::new();
    let mut file = match open_file(path) {
        Ok(file) => file,
        // It went, or made room for a link, just now: its folder is another one by that.
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(Error::at(path)(error)),
    };
    let ignore_file = IgnoreFile {
        identity,
        had_no_writer: has_no_writer(&file),
    };
    file.read_to_end(&mut bytes).map_err(Error::at(path))?;
    Ok(Some((Some(bytes), ignore_file)))
}
