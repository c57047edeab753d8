//! `pg_dump` for GraphQL APIs: every row behind a folder of query files, on every page, as Parquet or NDJSON.
//!
//! `ARCHITECTURE.md` has the bird's-eye view; here is the map, in the order in which data flows.

pub mod clock;
/// The command line: one file a subcommand, and what the terminal shows of it.
pub mod cli;
/// `queries/` on disk turned into one typed project: settings, presets, query files, secrets.
pub mod project;
/// The API's schema: introspected or loaded, and what its types become as columns.
pub mod schema;
/// An operation, a schema and limits turned into tables, connections and request texts.
pub mod plan;
/// One endpoint: transport, authentication, limiter, retry, verdict.
pub mod api;
/// The engine: tasks out, responses in, until every connection is read to its end.
pub mod run;
/// Response bytes turned into Arrow record batches.
pub mod rows;
/// The checkpoint store.
pub mod state;
/// Part writers, publishing, manifest.
pub mod output;
/// What a run tells people and machines: progress, log lines, summary.
pub mod report;
/// The stand-in APIs: a GraphQL server of our own with generated data and switchable faults.
pub mod demo;
