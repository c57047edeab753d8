//! The whole program against APIs of our own: query files go in, tables and exit codes come out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    reason = "a test ends where anything goes wrong"
)]

// How tests are written: a project on disk, an API to ask, the program, and what it leaves behind.
mod bucket;
mod cell;
mod chaos;
mod exported;
mod program;
mod project;
mod simulation;
mod stub;
mod tracker;
mod truth;

// What is tested.
mod changed;
mod command_line;
#[cfg(debug_assertions)]
mod crash;
mod denied;
mod doubted;
mod each;
mod errors;
mod evidence;
mod export;
mod generated;
mod imports;
mod init;
mod keys;
mod nested;
mod network;
mod pieces;
mod plan;
mod resume;
mod schema;
mod simulated;
mod status;
mod steered;
mod store;
mod together;
mod token;
mod token_calls;
mod vendors;
