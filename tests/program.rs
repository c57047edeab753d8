//! The program under test: started, waited for or signalled, and what it said.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;

/// How long a test waits for an end that takes seconds at the most: a program that hangs is to fail, not to hang the tests.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a process that has ended leaves behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Panics with all that was said where the exit code is another one.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        self
    }
}

/// A process that runs.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a process that can be signalled");
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process number"))
    }

    /// Whether it runs no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_some()
    }

    /// Reads its standard output up to the end of the first line with this piece in it.
    pub(crate) fn read_stdout_until(&mut self, piece: &str) -> String {
        read_until(self.child.stdout.as_mut().expect("its standard output"), piece)
    }

    /// The same of its standard error.
    pub(crate) fn read_stderr_until(&mut self, piece: &str) -> String {
        read_until(self.child.stderr.as_mut().expect("its standard error"), piece)
    }

    /// Waits for its end; one that does not come is an end of the test, too.
    pub(crate) fn end(self) -> Ended {
        let pid = self.pid();
        let (done, end) = mpsc::channel();
        std::thread::spawn(move || done.send(self.child.wait_with_output()));
        let Ok(output) = end.recv_timeout(PATIENCE) else {
            kill(pid, Signal::SIGKILL).expect("a process that can be killed");
            panic!("the program does not end");
        };
        let output = output.expect("a process that ends");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

fn read_until(output: &mut impl Read, piece: &str) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !(text.ends_with('\n') && text.contains(piece)) {
        // Byte by byte, so that what comes later stays there for `end`.
        output.read_exact(&mut byte).expect("more output");
        text.push(byte[0].into());
    }
    text
}

/// The program, without arguments, with nothing in its environment that tests would not know of.
pub(crate) fn gqldump() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gqldump"));
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(Stdio::null());
    command
}

/// Starts a command whose output is kept.
pub(crate) fn start(command: &mut Command) -> Running {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    Running {
        child: child.expect("a process"),
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    start(command).end()
}

/// A text with everything taken out of it that differs from run to run: the folder, addresses, times, waits.
pub(crate) fn steady(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "DIR");
    let patterns = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
        (r"\d{8}T\d{6}Z", "RUN"),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"the next one is in [\w.]+", "the next one is in WAIT"),
        (r"(requests?), [\d.]+m?s", "$1, ELAPSED"),
        (r"\(process \d+, for [\w ]+\)", "(process PID, for AGE)"),
    ];
    patterns.into_iter().fold(text, |text, (pattern, name)| {
        Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&text, name)
            .into_owned()
    })
}
