//! `pg_dump` for GraphQL APIs: every row behind a folder of query files, on every page, as Parquet or NDJSON.
//!
//! `ARCHITECTURE.md` has the bird's-eye view; here is the map, in the order in which data flows.

/// One endpoint: transport, authentication, limiter, retry, verdict.
pub mod api;
/// The command line: one file a subcommand, and what the terminal shows of it.
pub mod cli;
pub mod clock;
/// The stand-in APIs: a GraphQL server of our own with generated data and switchable faults.
pub mod demo;
/// Part writers, publishing, manifest.
pub mod output;
/// An operation, a schema and limits turned into tables, connections and request texts.
pub mod plan;
/// `queries/` on disk turned into one typed project: settings, presets, query files, secrets.
pub mod project;
/// What a run tells people and machines: progress, log lines, summary.
pub mod report;
/// Response bytes turned into Arrow record batches.
pub mod rows;
/// The engine: tasks out, responses in, until every connection is read to its end.
pub mod run;
/// The API's schema: introspected or loaded, and what its types become as columns.
pub mod schema;
/// The checkpoint store.
pub mod state;
