//! An operation, a schema and settings turned into tables, connections and request texts. Pure: no request is sent, no
//! file read, no clock asked.
//!
//! `query_plan.rs` is the way in: the query is checked (`document.rs`), its row fields are found (`survey.rs`, `paged.rs`)
//! and planned (`row_plan.rs`), ways back to their rows are looked for (`address.rs`), and the ways to the pages of each
//! connection written down (`route.rs`, `writer.rs`), from which requests are put together (`request.rs`). What is too much
//! for one request is cut (`fitting.rs`, `outline.rs`, `parted.rs`, `apart.rs`, `pieces.rs`, `cuts.rs`, `measure.rs`). Query files that
//! take values from each other are linked when all are planned (`each.rs`, `link.rs`). Must not know what an answer is:
//! what `rows/` and `run/` need to read one is put down as data (`table.rs`).

mod address;
mod apart;
mod bodies;
mod columns;
mod cut_description;
mod cuts;
mod denied;
mod describe;
mod directives;
mod document;
mod driven;
mod each;
mod edges;
mod excess;
mod fingerprint;
mod fitting;
mod in_rows;
mod later_route;
mod link;
mod lists;
mod measure;
mod moments;
mod named;
mod named_value;
mod outline;
mod paged;
mod paging_rules;
mod parted;
mod pieces;
mod place;
mod placeholders;
mod probe;
mod query_plan;
mod report;
mod request;
mod route;
mod row_plan;
mod sample;
mod selection;
mod starter;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod variables;
mod writer;

pub use cut_description::{Cut, CutInto, SmallerPage};
pub use denied::{DeniedField, LeftOut};
pub use describe::{
    AddressDescription, ColumnDescription, ConnectionDescription, PlaceKind, PlanDescription, RowsOrigin, SaidBy,
    TableDescription,
};
pub use document::{GraphqlFile, QueryDocument};
pub use each::Each;
pub use excess::Excesses;
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::hash_of;
pub use link::{PlannedFile, link};
pub use lists::WholeList;
pub use measure::{Amount, LimitKind, measured};
pub(crate) use named::field_at;
pub use paging_rules::unknown_paging_rules;
pub use pieces::{Loss, Piece};
pub(crate) use place::stands_in;
pub use probe::Probe;
pub use query_plan::{Connection, MemberRoot, Plan, PlanSettings, plan_query};
pub use report::PlanError;
pub use request::{Ask, RequestText, Target};
pub use starter::{Omitted, Starter, starters};
pub use table::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, ColumnType, Items, Layout, PageLayout,
    RowAddress, RowId, RowLayout, RowsLayout, Signal, SignalPlace, Table, TableName, Tell, Told, ValuePlace,
};
