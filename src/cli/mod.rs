//! The command line: one file a subcommand, and the exit code.
//!
//! `jobs.rs` turns the arguments into work, which `run/` does. Must not know how an export is done: what is shown of one
//! comes from `report/`, and what has to be decided is decided below.

mod arguments;
mod budgets;
mod check;
mod demo;
mod init;
mod jobs;
mod look;
mod plan;
mod plan_json;
mod plan_text;
mod run;
mod secret_file;
mod status;
mod status_json;
mod status_text;
mod stop;
mod token;
mod token_salt;
mod words;

pub use arguments::Arguments;

use arguments::Command;

/// The exit code of a token that is not there, or not accepted.
const NOT_ACCEPTED: u8 = 4;
/// The exit code where all is right, but for a token that ends soon.
const TOKEN_ENDS: u8 = 6;

/// What went wrong before there was a run to tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// The command line, the project or a configuration is wrong: exit code 2.
    Usage,
    /// Anything else: exit code 1.
    Run,
}

/// Does what the command line says, and returns the exit code.
pub fn execute(arguments: Arguments) -> u8 {
    let result = match arguments.command {
        Command::Run(run) => run::run(&run),
        Command::Check(check) => check::check(&check),
        Command::Plan(plan) => plan::plan(&plan),
        Command::Status(status) => status::status(&status),
        Command::Init(init) => init::init(&init),
        Command::Token(token) => token::token(&token),
        Command::Demo(demo) => demo::demo(demo),
    };
    result.unwrap_or_else(|error| {
        if error
            .chain()
            .filter_map(|cause| cause.downcast_ref())
            .any(is_broken_pipe)
        {
            return 0;
        }
        complain(&error);
        match failing(&error) {
            Failing::Usage => 2,
            Failing::Run => 1,
        }
    })
}

fn failing(error: &anyhow::Error) -> Failing {
    use crate::demo::{DemoConfigError, DemoRowsError, DemoServerError};
    use crate::project::ProjectError;
    let is_usage = error.is::<ProjectError>()
        || error.is::<jobs::JobError>()
        || error.is::<init::InitError>()
        || error.is::<token::TokenError>()
        || matches!(error.downcast_ref(), Some(DemoServerError::Config(_)))
        || matches!(
            error.downcast_ref(),
            Some(DemoRowsError::Config(_) | DemoRowsError::StandIn(_))
        )
        || error.is::<DemoConfigError>();
    if is_usage { Failing::Usage } else { Failing::Run }
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

fn complain(error: &anyhow::Error) {
    use std::io::Write as _;
    // With no standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {error}");
}
