//! One run per source and output at a time: a lock that dies with its process.

use std::fs::TryLockError;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use fs_err::{File, OpenOptions};

use crate::clock::Clock;
use crate::state::StateError;

/// How often a lock is looked at until its owner has written into it, and how long lies between two looks.
const LOOKS: usize = 10;
const NEXT_LOOK: Duration = Duration::from_millis(10);

/// Held as long as this lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct StateLock {
    file: File,
}

impl StateLock {
    /// Takes the lock of `folder`, or says who has it and for how long.
    pub fn take(folder: &Path, clock: &Clock) -> Result<Self, StateError> {
        let path = folder.join("lock");
        let io = |error: std::io::Error| StateError::from_io(&path, &error);
        fs_err::create_dir_all(folder).map_err(io)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(io)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // Who it is is a courtesy; without it the message is still true.
                let written = owner_in(&mut file).unwrap_or_default();
                let owner = describe_owner(&written, clock.unix_millis());
                return Err(StateError::Locked { path, owner });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // Over what the last owner left, so that nobody finds the file empty; then without the end of what it left.
        let own = format!("{} {}\n", std::process::id(), clock.unix_millis());
        file.write_all(own.as_bytes()).map_err(io)?;
        file.set_len(own.len() as u64).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Who comes next is not to be taken for this one. What stays there where a process is killed is written over.
        let _ = self.file.set_len(0);
    }
}

/// The line that a lock's owner writes when it has taken it, which may be about to happen.
fn owner_in(file: &mut File) -> std::io::Result<String> {
    let mut written = String::new();
    for _ in 0..LOOKS {
        written.clear();
        file.rewind()?;
        file.read_to_string(&mut written)?;
        if let Some((line, _)) = written.split_once('\n') {
            return Ok(line.to_owned());
        }
        std::thread::sleep(NEXT_LOOK);
    }
    Ok(written)
}

/// What the owner wrote into its lock, in words: ` (process 4711, for 5m 3s)`.
fn describe_owner(written: &str, now: u64) -> String {
    let mut words = written.split_whitespace();
    let Some(process) = words.next() else {
        return String::new();
    };
    let began = words.next().and_then(|began| began.parse::<u64>().ok());
    match began {
        Some(began) => {
            let age = Duration::from_secs(now.saturating_sub(began) / 1000);
            format!(" (process {process}, for {})", humantime::format_duration(age))
        }
        None => format!(" (process {process})"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_second_owner_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let at = |seconds| Clock::custom(move || UNIX_EPOCH + Duration::from_secs(seconds));
        let first = StateLock::take(folder.path(), &at(1_000_000)).unwrap();
        let refused = StateLock::take(folder.path(), &at(1_000_303)).unwrap_err();
        let owner = format!("(process {}, for 5m 3s)", std::process::id());
        assert!(refused.to_string().contains(&owner), "{refused}");
        drop(first);
        StateLock::take(folder.path(), &at(1_000_304)).unwrap();
    }

    #[test]
    fn an_owner_that_has_not_written_yet_is_read_when_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut owner = File::create(&path).unwrap();
        owner.file().try_lock().unwrap();
        let mut late = File::open(&path).unwrap();
        let reader = std::thread::spawn(move || owner_in(&mut late).unwrap());
        owner.write_all(b"4711 9000\n").unwrap();
        assert_eq!(reader.join().unwrap(), "4711 9000");
        // Between what an owner writes over the last one's line and the end of that going, both are there.
        owner.write_all(b"00\n").unwrap();
        assert_eq!(owner_in(&mut File::open(&path).unwrap()).unwrap(), "4711 9000");
    }

    #[test]
    fn an_owner_s_line_goes_with_it_and_over_a_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs_err::write(&path, "4711 9000 and much more than any of our lines has\n").unwrap();
        let lock = StateLock::take(folder.path(), &Clock::system()).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(&format!("{} ", std::process::id())) && text.lines().count() == 1,
            "{text}"
        );
        assert!(!text.contains("more"), "{text}");
        drop(lock);
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn what_another_version_wrote_is_told_as_far_as_it_goes() {
        assert_eq!(describe_owner("4711\n", 5), " (process 4711)");
        assert_eq!(describe_owner("", 5), "");
        assert_eq!(describe_owner("4711 9000\n", 5), " (process 4711, for 0s)");
    }
}
