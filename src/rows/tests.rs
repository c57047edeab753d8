//! Bodies in, rows out: what fits, what does not, and that nothing else happens.

mod exactness;
mod generated;
mod generator;
mod layouts;
mod nested;

use arrow::array::{AsArray, RecordBatch};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;

use crate::plan::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, ColumnType, Items, Layout, RowId, RowLayout,
    RowsLayout, Table, TableName, ValuePlace,
};
use crate::rows::decoder::PageBody;
use crate::rows::page::Reading;
use crate::rows::{Decoder, Slot, TableCount};
use crate::schema::ScalarType;

fn scalar(name: &str, scalar: ScalarType, nullable: bool) -> Column {
    column(name, ColumnType::Scalar(scalar), nullable)
}

fn column(name: &str, ty: ColumnType, nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        key: name.to_owned(),
        ty,
        nullable,
        null_text: None,
    }
}

fn list(item: Column) -> ColumnType {
    ColumnType::List(Box::new(item))
}

/// A table with these columns after its `_id`.
fn table(columns: Vec<Column>) -> Table {
    let id = scalar("_id", ScalarType::String, false);
    Table {
        name: TableName::new("t").unwrap(),
        columns: [id].into_iter().chain(columns).collect(),
    }
}

fn cell(key: &str, role: CellRole) -> Cell {
    Cell {
        key: key.to_owned(),
        role,
    }
}

fn field(key: &str, role: AncestorRole) -> AncestorField {
    AncestorField {
        key: key.to_owned(),
        is_optional: false,
        role,
        tells: Vec::new(),
    }
}

fn fill(column: usize) -> AncestorRole {
    AncestorRole::Columns(vec![ColumnPlace { table: 0, column }])
}

/// Rows whose `_id` is their `id`, and whose columns from the given one on have the keys given.
fn rows(items: Items, first_column: usize, keys: &[&str]) -> RowsLayout {
    let columns = keys.iter().enumerate();
    let cells = columns.map(|(index, key)| cell(key, CellRole::Column(first_column + index)));
    RowsLayout {
        table: 0,
        items,
        row: RowLayout {
            id: RowId::Key(vec![0.into()]),
            has_parent: false,
            address: None,
            marks: Vec::new(),
            detached: Vec::new(),
            cells: [cell("id", CellRole::Ignored)].into_iter().chain(cells).collect(),
        },
        page: None,
    }
}

fn nodes(beside: Vec<AncestorField>) -> Items {
    Items::Nodes {
        nodes: "nodes".to_owned(),
        beside,
    }
}

fn layout(root: Vec<AncestorField>) -> Layout {
    Layout {
        data: field("data", AncestorRole::Object(root)),
    }
}

/// A list under `items`, with one column a key.
fn plain_layout(keys: &[&str]) -> Layout {
    layout(vec![field("items", AncestorRole::Rows(rows(Items::List, 1, keys)))])
}

fn plain_body(items: &str) -> String {
    format!(r#"{{"data":{{"items":[{items}]}}}}"#)
}

/// What came of a body: its rows as JSON lines, its rejects as (row, column, reason), and its counts.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    rows: Vec<String>,
    rejects: Vec<(String, String, String)>,
    count: TableCount,
}

fn decode(table: &Table, layout: &Layout, body: &str) -> Outcome {
    let mut decoder = Decoder::new([table.clone()].into());
    let counts = decoder.decode(body, layout, &[], &[]).unwrap();
    outcome(&mut decoder, counts[0])
}

fn read(decoder: &mut Decoder, body: &str, layout: &Layout, reading: Reading) -> serde_json::Result<Vec<TableCount>> {
    let (slots, skips) = (&[], &[]);
    let page = PageBody {
        body,
        layout,
        slots,
        skips,
    };
    decoder.read(page, reading)
}

fn outcome(decoder: &mut Decoder, count: TableCount) -> Outcome {
    let batches = decoder.take_rest(0).unwrap();
    Outcome {
        rows: batches.rows.as_ref().map(lines).unwrap_or_default(),
        rejects: batches.rejects.as_ref().map(rejects).unwrap_or_default(),
        count,
    }
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let builder = WriterBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    writer.write(batch).unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn rejects(batch: &RecordBatch) -> Vec<(String, String, String)> {
    let text = |column: &str, row: usize| {
        batch
            .column_by_name(column)
            .unwrap()
            .as_string::<i32>()
            .value(row)
            .to_owned()
    };
    let reject = |row| (text("_row", row), text("_column", row), text("_reason", row));
    (0..batch.num_rows()).map(reject).collect()
}
