//! The `gqldump` program: command line in, exit code out.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    ExitCode::from(gqldump::cli::execute(gqldump::cli::Arguments::parse()))
}
