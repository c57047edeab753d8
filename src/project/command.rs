//! Runs a program that prints a secret: not for ever, and no longer than the run lasts for which it is asked.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// From one look at a program to the next.
const NEXT_LOOK: Duration = Duration::from_millis(5);

/// More than any secret has; what comes behind it is not read.
const LONGEST_OUTPUT: u64 = 1024 * 1024;

/// What a program wrote, and how it ended.
pub(super) struct CommandOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
}

/// Why there is no output.
pub(super) enum CommandError {
    /// The program cannot be started, or what it writes cannot be read.
    Io(std::io::Error),
    /// It was ended, as it took longer than it may.
    TooSlow,
    /// It was ended, as nobody wants its output any more.
    Stopped,
}

/// Runs a program without input; what it writes to its standard error goes nowhere. It has a process group of its own, so that all that it started ends with it.
pub(super) fn run(
    program: &str,
    arguments: &[String],
    limit: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<CommandOutput, CommandError> {
    let began = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(CommandError::Io)?;
    let stdout = reader(child.stdout.take());
    loop {
        let status = child.try_wait().map_err(CommandError::Io)?;
        // What it left running may hold on to its output.
        if let Some(status) = status.filter(|_| stdout.is_finished()) {
            return Ok(CommandOutput {
                status,
                stdout: stdout.join().unwrap_or_default(),
            });
        }
        let ended = match (is_stopped(), began.elapsed() >= limit) {
            (true, _) => CommandError::Stopped,
            (false, true) => CommandError::TooSlow,
            (false, false) => {
                std::thread::sleep(NEXT_LOOK);
                continue;
            }
        };
        end(&mut child);
        return Err(ended);
    }
}

/// Reads on a thread of its own, as a program that is not listened to waits.
fn reader(output: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(output) = output {
            // Half an output of a program that fails is better than none, and of one that does not, the half is refused.
            let _ = output.take(LONGEST_OUTPUT).read_to_end(&mut bytes);
        }
        bytes
    })
}

/// It may have ended by itself by now, which is as good.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        let group = nix::unistd::Pid::from_raw(group);
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
