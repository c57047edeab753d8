//! `pg_dump` for GraphQL APIs: every row behind a folder of query files, on every page, as Parquet or NDJSON.
//!
//! The program is [`cli::execute`]; this library exists so that it can be tested and measured. `ARCHITECTURE.md` has
//! the bird's-eye view; here is the map, in the order in which data flows.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the command line in, the exit code out |
//! | [`project`] | `queries/` on disk: settings, presets, query files, secrets |
//! | [`schema`] | the API's schema, and what its types become |
//! | [`plan`] | a query file turned into tables and request texts |
//! | [`run`] | the engine: tasks out, responses in, to the end |
//! | [`api`] | one endpoint: transport, limiter, retry, verdict |
//! | [`state`] | the checkpoint store |
//! | [`rows`] | response bytes turned into record batches |
//! | [`output`] | part files, publishing, the manifest |
//! | [`report`] | what a run tells people and machines |
//! | [`demo`] | the stand-in APIs |
//! | [`clock`] | the one place where the time of day enters |
//! | [`failpoint`] | the steps between which tests break a run off |

pub mod api;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod failpoint;
pub mod output;
pub mod plan;
pub mod project;
pub mod report;
pub mod rows;
pub mod run;
pub mod schema;
pub mod state;

#[cfg(test)]
mod mutation;
