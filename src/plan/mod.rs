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
