//! The log of a task: its name, and a file that keeps head and tail when there is too much.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::digest::Digest;

const LONGEST_NAME: usize = 180;

/// The file name of a task's log: another for every id, even where case does not count.
pub(crate) fn log_name(task: &str) -> String {
    let mut name = String::with_capacity(task.len() + 8);
    for character in task.chars() {
        match character {
            'a'..='z' | '0'..='9' | '_' | '-' | '.' => name.push(character),
            'A'..='Z' => {
                name.push('+');
                name.push(character.to_ascii_lowercase());
            }
            _ => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string cannot fail.
                    let _ = write!(name, "%{byte:02x}");
                }
            }
        }
    }
    if name.len() > LONGEST_NAME {
        let digest = Digest::derive("pipec log name v1", task.as_bytes()).to_hex();
        name.truncate(LONGEST_NAME);
        let _ = write!(name, "~{}", &digest[..16]);
    }
    name + ".log"
}

/// A log file that is written as output comes, so that a crash loses nothing. A task that prints nothing gets
/// none: making a file takes longer than many a task.
///
/// Up to `limit` bytes (0: no limit) are kept: the first half, and the last half in a ring, which
/// `close` puts in order with a mark where something is missing.
pub(crate) struct TaskLog {
    path: PathBuf,
    file: Opened,
    head: u64,
    limit: u64,
    written: u64,
}

enum Opened {
    /// Nothing has come yet.
    No,
    Yes(File),
    /// It cannot be written: whoever writes here goes on.
    Broken,
}

impl TaskLog {
    pub(crate) fn at(path: &Path, limit: u64) -> Self {
        Self {
            path: path.to_path_buf(),
            file: Opened::No,
            head: limit / 2,
            limit,
            written: 0,
        }
    }

    /// Adds to the log. After an error nothing more is written.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        let file = match std::mem::replace(&mut self.file, Opened::Broken) {
            Opened::No => create(&self.path)?,
            Opened::Yes(file) => file,
            Opened::Broken => return Ok(()),
        };
        self.place(&file, data)?;
        self.file = Opened::Yes(file);
        Ok(())
    }

    /// Whether there is anything in it.
    pub(crate) fn is_begun(&self) -> bool {
        self.written > 0
    }

    /// Ends the log.
    pub(crate) fn close(self) -> io::Result<()> {
        match &self.file {
            Opened::Yes(file) if self.limit > 0 && self.written > self.limit => {
                self.put_in_order(file)
            }
            _ => Ok(()),
        }
    }

    fn place(&mut self, file: &File, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let offset = self.offset(self.written);
            let room = match self.limit {
                0 => u64::MAX,
                _ if offset < self.head => self.head - offset,
                limit => limit - offset,
            };
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
            let count = file.write_at(&data[..room], offset)?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.written += count as u64;
            data = &data[count..];
        }
        Ok(())
    }

    fn offset(&self, written: u64) -> u64 {
        if self.limit == 0 || written < self.limit {
            return written;
        }
        let ring = self.limit - self.head;
        self.head + (written - self.head) % ring
    }

    /// Head, mark, tail, in a new file that takes the place of the old one.
    fn put_in_order(&self, file: &File) -> io::Result<()> {
        let turn = self.offset(self.written);
        let mut tail = read(file, turn, self.limit)?;
        tail.extend(read(file, self.head, turn)?);
        // The first line of the tail is only a part of one, unless it is all there is.
        let inner = &tail[..tail.len().saturating_sub(1)];
        let start = inner.iter().position(|byte| *byte == b'\n');
        let tail = &tail[start.map_or(0, |at| at + 1)..];
        let mut head = read(file, 0, self.head)?;
        match head.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => head.truncate(at + 1),
            None => head.push(b'\n'),
        }
        let kept = (head.len() + tail.len()) as u64;
        let missing = i128::from(self.written) - i128::from(kept);
        let mut ordered = self.path.clone().into_os_string();
        ordered.push(".tmp");
        let mut new = File::create(&ordered)?;
        new.write_all(&head)?;
        writeln!(new, "[pipec: {missing} bytes of output are left out here]")?;
        new.write_all(tail)?;
        fs::rename(&ordered, &self.path)
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644);
    options.open(path)
}

fn read(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(limit: u64, chunks: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = TaskLog::at(&path, limit);
        for chunk in chunks {
            log.write(chunk.as_bytes()).unwrap();
        }
        log.close().unwrap();
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn a_log_within_its_limit_is_as_it_was_written() {
        assert_eq!(logged(0, &["a\n", "b"]), "a\nb");
        assert_eq!(logged(3, &["a\n", "b"]), "a\nb");
    }

    #[test]
    fn who_writes_nothing_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = TaskLog::at(&path, 0);
        log.write(b"").unwrap();
        assert!(!log.is_begun() && !path.exists());
        log.write(b"a").unwrap();
        assert!(log.is_begun() && path.exists());
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = TaskLog::at(&folder.path().join("no/a.log"), 0);
        assert!(log.write(b"a").is_err());
        assert!(log.write(b"a").is_ok());
        assert!(!log.is_begun());
    }

    #[test]
    fn a_log_that_is_too_long_keeps_both_ends() {
        let lines: Vec<String> = (0..100).map(|number| format!("{number}\n")).collect();
        let whole = lines.concat();
        let kept = logged(40, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let (head, tail) = kept.split_once("[pipec: ").unwrap();
        let (missing, tail) = tail
            .split_once(" bytes of output are left out here]\n")
            .unwrap();
        assert!(whole.starts_with(head) && whole.ends_with(tail));
        assert_eq!(
            missing.parse::<usize>().unwrap(),
            whole.len() - head.len() - tail.len()
        );
    }

    #[test]
    fn every_task_has_a_log_of_its_own() {
        assert_eq!(log_name("lint"), "lint.log");
        assert_eq!(log_name("Lint"), "+lint.log");
        assert_eq!(log_name("a:b é"), "a%3ab%20%c3%a9.log");
        assert_ne!(log_name(&"x".repeat(300)), log_name(&"x".repeat(301)));
    }
}
