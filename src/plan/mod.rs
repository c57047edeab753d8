//! An operation, a schema and settings turned into tables, connections and request texts. Pure: no request is sent, no
//! file read, no clock asked.
//!
//! `query_plan.rs` is the way in: the query is checked (`document.rs`), its row fields are found (`survey.rs`) and planned
//! (`row_plan.rs`), and the requests written (`template.rs`). Must not know what an answer is: what `rows/` and `run/` need
//! to read one is put down as data (`table.rs`, `probe.rs`).

mod columns;
mod directives;
mod document;
mod probe;
mod query_plan;
mod relay;
mod report;
mod row_plan;
mod selection;
mod survey;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod variables;

pub use document::{GraphqlFile, QueryDocument};
pub use probe::{PageProbe, Probe, ProbeField, ProbeRole};
pub use query_plan::{Connection, Fingerprint, Plan, PlanSettings, plan_query};
pub use report::PlanError;
pub use table::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, ColumnType, Items, Layout, RowId, RowLayout,
    RowsLayout, Table, TableName,
};
pub use template::RequestTemplate;
