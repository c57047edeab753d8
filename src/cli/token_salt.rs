//! What tokens are mixed with before anything of them is noted, so that what is noted tells nobody which token it is.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::plan::hash_of;

/// The file in the folder of budgets; only its owner reads it.
const FILE: &str = "salt";

/// Characters of a salt: 32 bytes in hexadecimal.
const CHARACTERS: usize = 64;

/// A text by chance, the same for all processes of one user.
pub(super) struct TokenSalt(SecretString);

impl TokenSalt {
    /// The one that is kept in this folder, made where there is none.
    pub(super) fn kept_in(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match Self::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(folder, &path)?;
                Self::read(&path)
            }
            read => read,
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        let text = fs_err::read_to_string(path)?;
        if text.len() != CHARACTERS {
            return Err(io::Error::new(ErrorKind::InvalidData, "no salt"));
        }
        Ok(Self(SecretString::from(text)))
    }

    /// What is noted of a token.
    pub(super) fn mark(&self, token: &SecretString) -> String {
        hash_of([self.0.expose_secret(), token.expose_secret()].concat())
    }
}

/// Makes a salt under another name and then gives it its own, so that of several processes one makes it and none reads half
/// of one.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    fs_err::create_dir_all(folder)?;
    let bytes: [u8; CHARACTERS / 2] = rand::random();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let begun = folder.join(format!("{FILE}.{}", hash_of(&text)));
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&begun)?;
    let made = file
        .write_all(text.as_bytes())
        .and_then(|()| fs_err::hard_link(&begun, path));
    fs_err::remove_file(&begun)?;
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_salt_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("budgets");
        let token = SecretString::from("t0ken-of-ada");
        let marks: Vec<String> = std::thread::scope(|scope| {
            let one = || TokenSalt::kept_in(&folder).unwrap().mark(&token);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
        assert_ne!(marks[0], hash_of("t0ken-of-ada"));
        let names: Vec<_> = fs_err::read_dir(&folder).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs_err::metadata(folder.join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(TokenSalt::kept_in(elsewhere.path()).unwrap().mark(&token), marks[0]);
    }

    #[test]
    fn what_is_no_salt_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(FILE), "").unwrap();
        assert!(TokenSalt::kept_in(folder.path()).is_err());
    }
}
