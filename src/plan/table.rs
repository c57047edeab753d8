//! What a query file becomes: tables, their columns, and where in a response each value stands.
//!
//! Free of Arrow and of the GraphQL compiler: `rows/` reads these types to decode, `output/` to write.

use std::fmt;

use crate::schema::ScalarType;

/// A table's name: letters, digits, `_` and `-`, so that it can be a folder of any store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(String);

impl TableName {
    /// Takes a name as it is where it is made of letters, digits, `_` and `-` and is not empty.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        (!name.is_empty() && name.chars().all(is_plain)).then_some(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the table that holds the rows that do not fit this one.
    pub fn rejects(&self) -> Self {
        Self(format!("{}__rejects", self.0))
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One table. Its first column is always `_id`, text and never null; `_parent_id`, where there is one, is the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Names the folder of its parts.
    pub name: TableName,
    /// In the order of the query, after `_id`, `_parent_id` and the columns of the objects above.
    pub columns: Vec<Column>,
}

/// One column, or one field of a STRUCT column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the output.
    pub name: String,
    /// The response key that it is read from, within the object that holds it; equal to `name` unless it was renamed.
    pub key: String,
    /// Its type.
    pub ty: ColumnType,
    /// Whether it may be null: by the schema, or because a condition may leave the field out.
    pub nullable: bool,
}

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// A single value; enums are text.
    Scalar(ScalarType),
    /// A list; the column in the box describes its items (`name` and `key` are `item`).
    List(Box<Column>),
    /// A nested object.
    Struct(Vec<Column>),
}

/// How the `data` of a response turns into rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The member `data` of the response: an object to look into, or, without any list in the query, the one row.
    pub data: AncestorField,
}

/// A field of an object above the rows: of the query root, or of a singular object below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AncestorField {
    /// The response key.
    pub key: String,
    /// What its value is for.
    pub role: AncestorRole,
}

/// What a value above the rows is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AncestorRole {
    /// Nothing: it is paging machinery.
    Ignored,
    /// A singular object to look into; null there means that all below it is absent.
    Object(Vec<AncestorField>),
    /// A value that becomes a column of every row, below the object that holds it, of these tables.
    /// It may stand after the rows in the response.
    Columns(Vec<ColumnPlace>),
    /// The rows themselves.
    Rows(RowsLayout),
}

/// A column of a table of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnPlace {
    /// Index into the plan's tables.
    pub table: usize,
    /// Index into that table's columns.
    pub column: usize,
}

/// A field whose items are rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsLayout {
    /// Index into the plan's tables.
    pub table: usize,
    /// Where, within the field's value, the items stand.
    pub items: Items,
    /// What each item holds.
    pub row: RowLayout,
}

/// Where, within the value of a row field, the items stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// The value is itself the one row (an operation without any list).
    Value,
    /// The value is the list.
    List,
    /// The list stands under this key of the value (`nodes`).
    Nodes {
        /// The list's response key.
        nodes: String,
        /// Fields of the connection object beside it, whose values are columns of every row of the list.
        beside: Vec<AncestorField>,
    },
    /// The list under `edges` holds objects, each with the item under `node`.
    Edges {
        /// The list's response key.
        edges: String,
        /// The item's response key.
        node: String,
        /// What of the edge itself becomes columns of the row.
        edge_cells: Vec<Cell>,
        /// Fields of the connection object beside it, whose values are columns of every row of the list.
        beside: Vec<AncestorField>,
    },
}

/// What one item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLayout {
    /// What `_id` is made of.
    pub id: RowId,
    /// The item's fields, in the order in which they are asked for.
    pub cells: Vec<Cell>,
}

/// What `_id` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    /// The values of these cells (indices into `RowLayout::cells`): one value's own text,
    /// or, for several, the JSON list of their texts. A null among them sends the row to the rejects.
    Cells(Vec<usize>),
    /// A stable hash of the parent's `_id`, this path of the row field, and the row's position in its connection.
    Position {
        /// The response path of the row field, with dots.
        path: String,
    },
}

/// A field of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The response key.
    pub key: String,
    /// What its value is for.
    pub role: CellRole,
}

/// What a value of an item is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellRole {
    /// Nothing but, perhaps, the row's `_id`.
    Ignored,
    /// The column of this index.
    Column(usize),
    /// An object whose fields are columns of their own; a null there is a null in each of them.
    Flattened(Vec<Cell>),
}
