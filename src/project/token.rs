//! Reads a source's token from where it is found.

use std::process::ExitStatus;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::project::command::{self, CommandError};
use crate::project::defaults::SECRET_COMMAND;
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
    #[error("the {what}'s program `{program}` failed ({status}): run it by hand to see why")]
    Failed {
        /// What is looked for.
        what: &'static str,
        /// The command's first word.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The program did not end in time.
    #[error(
        "the {what}'s program `{program}` was ended, as it took longer than {}: run it by hand to see what it waits for",
        humantime::format_duration(*limit)
    )]
    TooSlow {
        /// What is looked for.
        what: &'static str,
        /// The command's first word.
        program: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The run was stopped, and the program with it.
    #[error("the {what}'s program `{program}` was ended with the run")]
    Stopped {
        /// What is looked for.
        what: &'static str,
        /// The command's first word.
        program: String,
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
    /// Waits for a command to end, so that an async caller hands this to a blocking thread; the command is ended when
    /// `is_stopped` says so, or its time is up. A command gets no input; what it writes to its standard error is shown to
    /// nobody, as the token can be in it.
    pub fn read(&self, is_stopped: &dyn Fn() -> bool) -> Result<SecretString, TokenError> {
        let token = self.read_line("token", is_stopped)?;
        if !token.expose_secret().chars().all(fits_header) {
            return Err(TokenError::Unfit(self.describe("token")));
        }
        Ok(token)
    }

    /// Reads the value of a variable in the same way; it may hold any characters.
    pub fn read_value(&self) -> Result<SecretString, TokenError> {
        self.read_line("value", &|| false)
    }

    fn read_line(&self, what: &'static str, is_stopped: &dyn Fn() -> bool) -> Result<SecretString, TokenError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| TokenError::Unset {
                what,
                name: name.clone(),
            })?,
            Self::File(path) => {
                fs_err::read_to_string(path).map_err(|source| TokenError::Unreadable { what, source })?
            }
            Self::Command(words) => output_of(words, what, SECRET_COMMAND, is_stopped)?,
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
fn output_of(
    words: &[String],
    what: &'static str,
    limit: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<String, TokenError> {
    let arguments = words.get(1..).unwrap_or_default();
    let output = command::run(program(words), arguments, limit, is_stopped);
    let program = program(words).to_owned();
    let output = output.map_err(|error| match error {
        CommandError::Io(source) => TokenError::NotStarted {
            what,
            program: program.clone(),
            source,
        },
        CommandError::TooSlow => TokenError::TooSlow {
            what,
            program: program.clone(),
            limit,
        },
        CommandError::Stopped => TokenError::Stopped {
            what,
            program: program.clone(),
        },
    })?;
    if !output.status.success() {
        return Err(TokenError::Failed {
            what,
            program,
            status: output.status,
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
        origin.read(&|| false).expect("a token").expose_secret().to_owned()
    }

    fn error(origin: &TokenOrigin) -> String {
        origin.read(&|| false).expect_err("no token").to_string()
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
        let absent = TokenOrigin::File("/nowhere/token".into())
            .read(&|| false)
            .expect_err("no file");
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
    fn nothing_that_a_failing_command_writes_is_shown() {
        // A shell that tells what it does writes values, too.
        for script in [
            "set -x; TOKEN=s3cret; exit 3",
            "echo s3cret; echo 's3cret: expired' >&2; exit 3",
        ] {
            for failed in [command(script).read(&|| false), command(script).read_value()] {
                let failed = failed.expect_err("no token");
                assert!(!format!("{failed} {failed:?}").contains("s3cret"), "{failed:?}");
                let text = failed.to_string();
                assert!(
                    text.ends_with("'s program `sh` failed (exit status: 3): run it by hand to see why"),
                    "{text}"
                );
            }
        }
    }

    /// A program that waits for one that it has started, which holds on to its output; where the latter's number is found.
    fn slow(folder: &tempfile::TempDir) -> (Vec<String>, std::path::PathBuf) {
        let noted = folder.path().join("process");
        let script = format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", noted.display());
        (["sh", "-c", &script].map(str::to_owned).to_vec(), noted)
    }

    #[track_caller]
    fn assert_ended(noted: &std::path::Path) {
        let number = fs_err::read_to_string(noted).expect("a number");
        let status = format!("/proc/{}/stat", number.trim());
        // Whoever is to take notice of its end may not have done so yet.
        let is_over = |stat: String| stat.contains(") Z ") || stat.contains(") X ");
        while !fs_err::read_to_string(&status).map_or(true, is_over) {
            std::thread::yield_now();
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_that_takes_too_long_is_ended_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let (words, noted) = slow(&folder);
        let started = noted.clone();
        // Its time begins to count when it is known what it has started.
        let error = output_of(&words, "token", Duration::from_secs(3), &|| false).expect_err("no token");
        assert!(started.exists());
        assert_eq!(
            error.to_string(),
            "the token's program `sh` was ended, as it took longer than 3s: run it by hand to see what it waits for"
        );
        assert_ended(&noted);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_is_ended_with_the_run_that_asks_for_its_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let (words, noted) = slow(&folder);
        let is_stopped = || noted.exists();
        let error = output_of(&words, "token", Duration::from_secs(1000), &is_stopped).expect_err("no token");
        assert_eq!(error.to_string(), "the token's program `sh` was ended with the run");
        assert_ended(&noted);
    }

    #[test]
    fn a_program_that_writes_without_end_is_not_listened_to_for_ever() {
        let endless = command("yes t0ken");
        let error = endless.read(&|| false).expect_err("a program that fails");
        assert!(matches!(error, TokenError::Failed { .. }), "{error}");
        let much = command("head -c 200000 /dev/zero | tr '\\0' x >&2; echo t0ken");
        assert_eq!(read(&much), "t0ken");
    }

    #[test]
    fn characters_that_do_not_fit_a_header_are_refused_without_showing_them() {
        for script in [
            "printf 's3cret\\001'",
            "printf 's3cr\\303\\251t'",
            "printf 's3cret\\377'",
            "printf 's3\\tcret'",
        ] {
            let error = command(script).read(&|| false).expect_err("an unfit token");
            assert!(matches!(error, TokenError::Unfit(_)), "{script}");
            assert!(!format!("{error} {error:?}").contains("s3c"), "{script}");
        }
    }
}
