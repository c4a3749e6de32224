//! The folder of a session's results: that of an outer pipec, else one that goes with this run.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;

use super::attempt::SESSION;
use crate::key::environment::Variables;

pub(super) struct Session {
    folder: String,
    is_ours: bool,
}

impl Session {
    pub(super) fn open(host: &Variables, run_id: &str) -> io::Result<Self> {
        if let Some(outer) = host.get(SESSION).filter(|outer| !outer.is_empty()) {
            return Ok(Self {
                folder: outer.clone(),
                is_ours: false,
            });
        }
        let named = ["TMPDIR", "TEMP", "TMP"]
            .into_iter()
            .filter_map(|name| host.get(name));
        let named = named
            .map(String::as_str)
            .filter(|place| place.starts_with('/'));
        let mut trouble = None;
        for place in named.chain(["/tmp", "/var/tmp", "/usr/tmp"]) {
            let folder = format!("{}/pipec-session-{run_id}", place.trim_end_matches('/'));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {
                    return Ok(Self {
                        folder,
                        is_ours: true,
                    });
                }
                Err(error) => trouble = Some(error),
            }
        }
        Err(trouble.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The folder, if it has to be removed with the run.
    pub(super) fn own_folder(&self) -> Option<&str> {
        self.is_ours.then_some(self.folder.as_str())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
