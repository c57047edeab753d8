//! One run per source and output at a time: a lock that dies with its process.

use std::fs::TryLockError;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use fs_err::OpenOptions;

use crate::clock::Clock;
use crate::state::StateError;

/// Held as long as this lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct StateLock {
    _file: fs_err::File,
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
                let mut written = String::new();
                // Who it is is a courtesy; without it the message is still true.
                let _ = file.read_to_string(&mut written);
                let owner = describe_owner(&written, clock.unix_millis());
                return Err(StateError::Locked { path, owner });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        writeln!(file, "{} {}", std::process::id(), clock.unix_millis()).map_err(io)?;
        Ok(Self { _file: file })
    }
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
    fn what_another_version_wrote_is_told_as_far_as_it_goes() {
        assert_eq!(describe_owner("4711\n", 5), " (process 4711)");
        assert_eq!(describe_owner("", 5), "");
        assert_eq!(describe_owner("4711 9000\n", 5), " (process 4711, for 0s)");
    }
}
