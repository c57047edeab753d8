//! A text file to which several processes append, each of which reads what the others wrote.
//!
//! Whoever reads or writes holds the lock, a file beside it. The first line names the file's edition: a process that finds
//! another one reads all of it anew, since somebody left out what does not count any more.

use std::fs::TryLockError;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_err::{File, OpenOptions};

/// How often a lock is tried to be had at a time, a millisecond apart: others have it for as long as a line takes.
const TRIES: usize = 10;

/// What ends a line of which a process that died wrote only a part: no line that can be read ends so.
const CUT: &[u8] = b" cut\n";

/// The endings of the files beside it: whoever has the first one reads or writes, and all who live share the second.
const LOCK: &str = "lock";
const USERS: &str = "users";

pub(super) struct SharedFile {
    path: PathBuf,
    lock: Arc<File>,
    /// Locked by all processes that live, so that one that is alone can tell.
    _users: File,
    edition: String,
    read_to: u64,
}

/// Nobody else reads or writes as long as this lives.
pub(super) struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        // The lock goes with the process at the latest.
        let _ = self.0.file().unlock();
    }
}

/// What others wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// This since the last look.
    More(String),
    /// All that there is, as the file was written anew.
    All(String),
    /// The file is gone, or is none of ours.
    Gone,
}

impl SharedFile {
    /// Opens the file at `path`, which need not be there yet; says whether no other process has it open.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Held, bool)> {
        let lock = Arc::new(open_beside(path, LOCK)?);
        let held = hold(&lock, path)?;
        let users = open_beside(path, USERS)?;
        let is_alone = match users.file().try_lock() {
            Ok(()) => {
                users.file().unlock()?;
                true
            }
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        // Only whoever holds the lock ever has this one for itself.
        users.file().try_lock_shared().map_err(|error| match error {
            TryLockError::WouldBlock => held_by_another(path, USERS),
            TryLockError::Error(error) => error,
        })?;
        let file = Self {
            path: path.to_owned(),
            lock,
            _users: users,
            edition: String::new(),
            read_to: 0,
        };
        Ok((file, held, is_alone))
    }

    /// Waits until nobody else reads or writes, for the instant that this takes them; where it takes longer, the error is of
    /// the kind `WouldBlock`, and whoever asked may ask again.
    pub(super) fn hold(&self) -> io::Result<Held> {
        hold(&self.lock, &self.path)
    }

    /// What is new in the file.
    pub(super) fn read(&mut self, _held: &Held) -> io::Result<News> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(News::Gone),
            Err(error) => return Err(error),
        };
        let edition = read_edition(&mut file)?;
        let is_same = edition == self.edition && !edition.is_empty();
        let from = if is_same { self.read_to } else { 0 };
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.read_to = from + bytes.len() as u64;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            // What is cut off is read with what ends it, and so not at all.
            self.append_bytes(CUT)?;
            bytes.extend_from_slice(CUT);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.edition = edition;
        Ok(if is_same { News::More(text) } else { News::All(text) })
    }

    /// Appends a line to a file that was read to its end.
    pub(super) fn append(&mut self, _held: &Held, line: &str) -> io::Result<()> {
        self.append_bytes(line.as_bytes())
    }

    /// Writes the file anew; a process that dies in the middle leaves the old one.
    pub(super) fn write(&mut self, _held: &Held, edition: String, text: &str) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let text = format!("{edition}\n{text}");
        private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&fresh)?
            .write_all(text.as_bytes())?;
        fs_err::rename(&fresh, &self.path)?;
        self.edition = edition;
        self.read_to = text.len() as u64;
        Ok(())
    }

    pub(super) fn len(&self) -> u64 {
        self.read_to
    }

    fn append_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(bytes)?;
        self.read_to += bytes.len() as u64;
        Ok(())
    }
}

fn hold(lock: &Arc<File>, path: &Path) -> io::Result<Held> {
    for _ in 0..TRIES {
        match lock.file().try_lock() {
            Ok(()) => return Ok(Held(Arc::clone(lock))),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(held_by_another(path, LOCK))
}

fn held_by_another(path: &Path, ending: &str) -> io::Error {
    let text = format!("another process holds `{}`", beside(path, ending).display());
    io::Error::new(io::ErrorKind::WouldBlock, text)
}

fn open_beside(path: &Path, ending: &str) -> io::Result<File> {
    let mut options = private();
    options.read(true).write(true).create(true).truncate(false);
    options.open(beside(path, ending))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}

/// Opens files that, where they are made, are made for their owner alone.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "owners are told apart by other means there"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// The first line; nothing where it is no edition.
fn read_edition(file: &mut File) -> io::Result<String> {
    let mut head = [0; 64];
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..])? {
            0 => break,
            more => length += more,
        }
    }
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let line = head.split_once('\n').map_or("", |(line, _)| line);
    Ok(if line.starts_with("log ") {
        line.to_owned()
    } else {
        String::new()
    })
}
