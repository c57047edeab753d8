//! Reads a source's token from where it is found.

use std::process::{Command, ExitStatus, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use crate::project::settings::TokenOrigin;
use crate::project::written::fits_header;

/// Why there is no token. None of these holds a token, or anything a token could be part of.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The environment variable is not there, or is not text.
    #[error("the environment variable `{name}` is not set: set it to the {what}")]
    Unset {
        /// What is looked for: a token, or a value.
        what: &'static str,
        /// The variable's name.
        name: String,
    },
    /// The file cannot be read.
    #[error("the {what}'s file cannot be read")]
    Unreadable {
        /// What is looked for.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The program cannot be started.
    #[error("the {what}'s program `{program}` cannot be started: install it, or write its whole path")]
    NotStarted {
        /// What is looked for.
        what: &'static str,
        /// The command's first word.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The program ended with an error.
    #[error("the {what}'s program `{program}` failed ({status}): {complaint}")]
    Failed {
        /// What is looked for.
        what: &'static str,
        /// The command's first word.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The first line that it wrote to its standard error.
        complaint: String,
    },
    /// There is nothing there.
    #[error("{place} is empty: put the {what} there, on the first line")]
    Empty {
        /// What is looked for.
        what: &'static str,
        /// Where.
        place: String,
    },
    /// What is there cannot stand in a header.
    #[error("{0} holds characters that a token cannot have: only printable ASCII characters fit into a header")]
    Unfit(String),
}

impl TokenOrigin {
    /// Reads the token anew: the first line, without the spaces around it.
    ///
    /// Waits for a command to end, so that an async caller hands this to a blocking thread. A command gets no input;
    /// what it writes to its standard error is shown only where it fails.
    pub fn read(&self) -> Result<SecretString, TokenError> {
        let token = self.read_line("token")?;
        if !token.expose_secret().chars().all(fits_header) {
            return Err(TokenError::Unfit(self.describe("token")));
        }
        Ok(token)
    }

    /// Reads the value of a variable in the same way; it may hold any characters.
    pub fn read_value(&self) -> Result<SecretString, TokenError> {
        self.read_line("value")
    }

    fn read_line(&self, what: &'static str) -> Result<SecretString, TokenError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| TokenError::Unset {
                what,
                name: name.clone(),
            })?,
            Self::File(path) => {
                fs_err::read_to_string(path).map_err(|source| TokenError::Unreadable { what, source })?
            }
            Self::Command(words) => output_of(words, what)?,
        };
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            let place = self.describe(what);
            return Err(TokenError::Empty { what, place });
        }
        Ok(SecretString::from(line))
    }

    fn describe(&self, what: &str) -> String {
        match self {
            Self::Env(name) => format!("the environment variable `{name}`"),
            Self::File(path) => format!("the {what}'s file `{}`", path.display()),
            Self::Command(words) => format!("the output of the {what}'s program `{}`", program(words)),
        }
    }
}

/// What a command writes to its standard output; bytes that are no text become characters that no token can have.
fn output_of(words: &[String], what: &'static str) -> Result<String, TokenError> {
    let program = program(words);
    let arguments = words.iter().skip(1);
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|source| TokenError::NotStarted {
        what,
        program: program.to_owned(),
        source,
    })?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(TokenError::Failed {
            what,
            program: program.to_owned(),
            status: output.status,
            complaint: complaint
                .lines()
                .next()
                .unwrap_or("it gave no reason")
                .trim()
                .to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn program(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> TokenOrigin {
        TokenOrigin::Command(["sh", "-c", script].map(str::to_owned).to_vec())
    }

    fn read(origin: &TokenOrigin) -> String {
        origin.read().expect("a token").expose_secret().to_owned()
    }

    fn error(origin: &TokenOrigin) -> String {
        origin.read().expect_err("no token").to_string()
    }

    #[test]
    fn the_first_line_of_every_origin_is_taken_without_spaces_around_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs_err::write(&path, "  from-file \r\nsecond line\n").expect("a file");
        assert_eq!(read(&TokenOrigin::File(path)), "from-file");
        assert_eq!(
            read(&command("echo ' from command'; echo more; echo noise >&2")),
            "from command"
        );
        // Cargo sets this variable for every test.
        assert_eq!(read(&TokenOrigin::Env("CARGO_PKG_NAME".to_owned())), "gqldump");
    }

    #[test]
    fn a_changed_file_is_read_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = TokenOrigin::File(folder.path().join("token"));
        fs_err::write(folder.path().join("token"), "old").expect("a file");
        assert_eq!(read(&origin), "old");
        fs_err::write(folder.path().join("token"), "new").expect("a file");
        assert_eq!(read(&origin), "new");
    }

    #[test]
    fn errors_say_what_is_missing() {
        let unset = TokenOrigin::Env("GQLDUMP_TEST_UNSET".to_owned());
        assert_eq!(
            error(&unset),
            "the environment variable `GQLDUMP_TEST_UNSET` is not set: set it to the token"
        );
        let absent = TokenOrigin::File("/nowhere/token".into()).read().expect_err("no file");
        assert!(
            matches!(&absent, TokenError::Unreadable { source, .. } if source.to_string().contains("/nowhere/token"))
        );
        assert_eq!(
            error(&command("echo; echo on-the-second-line")),
            "the output of the token's program `sh` is empty: put the token there, on the first line"
        );
        assert_eq!(
            error(&TokenOrigin::Command(vec!["gqldump-no-such-program".to_owned()])),
            "the token's program `gqldump-no-such-program` cannot be started: install it, or write its whole path"
        );
    }

    #[test]
    fn a_failing_command_is_quoted_by_its_error_output_only() {
        let failing = command("echo s3cret; echo 'permission denied' >&2; echo s3cret >&2; exit 3");
        assert_eq!(
            error(&failing),
            "the token's program `sh` failed (exit status: 3): permission denied"
        );
        assert_eq!(
            error(&command("exit 1")),
            "the token's program `sh` failed (exit status: 1): it gave no reason"
        );
    }

    #[test]
    fn characters_that_do_not_fit_a_header_are_refused_without_showing_them() {
        for script in [
            "printf 's3cret\\001'",
            "printf 's3cr\\303\\251t'",
            "printf 's3cret\\377'",
            "printf 's3\\tcret'",
        ] {
            let error = command(script).read().expect_err("an unfit token");
            assert!(matches!(error, TokenError::Unfit(_)), "{script}");
            assert!(!format!("{error} {error:?}").contains("s3c"), "{script}");
        }
    }
}
