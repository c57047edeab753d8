//! A file that nobody but its owner can read, there as a whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err::File;
use secrecy::{ExposeSecret as _, SecretString};

/// A file that is begun under another name. Dropped before it is finished, it is removed.
pub(super) struct SecretFile {
    path: PathBuf,
    begun: PathBuf,
    file: File,
}

impl SecretFile {
    /// Makes sure that the secret can be written before there is one.
    pub(super) fn begin(path: &Path, may_exist: bool) -> io::Result<Self> {
        if path.exists() && !path.is_file() {
            let words = format!("`{}` is no file: name one, or pipe the token on", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        if path.exists() && !may_exist {
            let words = format!(
                "`{}` is there already: name another file, or write over it with --force",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
        // An empty parent is the folder that we are in.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            let words = format!(
                "there is no folder `{}`: make it, or name another file",
                parent.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, words));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".begun");
        let begun = path.with_file_name(name);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use fs_err::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        Ok(Self {
            path: path.to_owned(),
            file: options.open(&begun)?,
            begun,
        })
    }

    /// Writes the secret and gives the file its name.
    pub(super) fn finish(mut self, secret: &SecretString) -> io::Result<()> {
        writeln!(self.file, "{}", secret.expose_secret())?;
        self.file.sync_all()?;
        fs_err::rename(&self.begun, &self.path)
    }

    /// Writes the secret to whoever reads the standard output.
    pub(super) fn print(secret: &SecretString) -> io::Result<()> {
        let mut output = io::stdout().lock();
        writeln!(output, "{}", secret.expose_secret())?;
        output.flush()
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        // Gone already where it was finished.
        let _ = fs_err::remove_file(&self.begun);
    }
}
