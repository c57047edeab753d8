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

    /// Whether something else goes by that name where tables stand: what is ours, and what Windows takes for a device.
    pub fn is_taken(&self) -> bool {
        let name = self.0.to_ascii_lowercase();
        let is_port = |kind: &str| {
            let number = name.strip_prefix(kind);
            number.is_some_and(|number| number.len() == 1 && number.bytes().all(|digit| digit.is_ascii_digit()))
        };
        let is_named = ["latest", "staging", "con", "prn", "aux", "nul"].contains(&name.as_str());
        is_named || is_port("com") || is_port("lpt")
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
    /// The text that the API writes for null.
    pub null_text: Option<String>,
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

/// As manifests and people are told it: `int64`, `list<string>`, `struct<file: string, line: int32 not null>`.
impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => write!(formatter, "{scalar}"),
            Self::List(item) => {
                formatter.write_str("list<")?;
                write_inner(formatter, item)?;
                formatter.write_str(">")
            }
            Self::Struct(fields) => {
                formatter.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(formatter, "{comma}{}: ", field.name)?;
                    write_inner(formatter, field)?;
                }
                formatter.write_str(">")
            }
        }
    }
}

fn write_inner(formatter: &mut fmt::Formatter<'_>, column: &Column) -> fmt::Result {
    let nullability = if column.nullable { "" } else { " not null" };
    write!(formatter, "{}{nullability}", column.ty)
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
    /// Whether a complete response may lack it: a condition may leave it out.
    pub is_optional: bool,
    /// What its value is for.
    pub role: AncestorRole,
    /// What it tells of a row on the way to the rows.
    pub tells: Vec<Tell>,
}

/// A value above the rows by which a row on the way to them, which is asked for again, is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// Response keys from the field's value to this one; none where it is that itself.
    pub below: Vec<String>,
    /// What it is a part of.
    pub told: Told,
}

/// What a row that is asked for again is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The key of the row that holds the rows, to be compared with the row that was meant: an index into its parts.
    Key(usize),
    /// What a row on the way holds that is asked for by its place, to be compared with what stood there before.
    Mark {
        /// The step of the address that leads to it.
        step: usize,
        /// An index into the parts.
        part: usize,
    },
}

/// What a value above the rows is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a plan has few of them")]
pub enum AncestorRole {
    /// Nothing: it is paging machinery.
    Ignored,
    /// A singular object to look into; null there means that all below it is absent.
    Object(Vec<AncestorField>),
    /// A list of at most one object, to look into: the parent of the rows, fetched again by its place or by its key.
    Only(Vec<AncestorField>),
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
    /// How the paging goes on; `None` for a field that is not paginated.
    pub page: Option<PageLayout>,
}

/// What, within the value of a paginated field, decides how the paging goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLayout {
    /// Index into the plan's connections.
    pub connection: usize,
    /// Whether a complete response may lack the list of items: a condition may leave it out.
    pub are_items_optional: bool,
    /// Where it says something about the paging.
    pub signals: Vec<SignalPlace>,
}

/// A place where a paginated field says something about its paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalPlace {
    /// Response keys from the field's value to the place.
    pub path: Vec<String>,
    /// What stands there.
    pub signal: Signal,
}

/// What a paginated field says about its paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Whether there is another page.
    HasNext,
    /// The cursor of the next page.
    EndCursor,
    /// How many rows there are in all.
    Total,
    /// How many pages there are in all.
    PageCount,
}

/// Where, within the value of a row field, the items stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// The value is itself the one row (an operation without any list).
    Value,
    /// The value is all that the one row holds, under this key (such an operation of one field, in company).
    Field {
        /// The field's response key.
        key: String,
    },
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
        /// The response key of the edge's cursor, where the rows' places are of use to reach them again.
        cursor: Option<String>,
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
    /// Whether the table has a `_parent_id`, its second column (text, never null), which the row below another gets.
    pub has_parent: bool,
    /// How the row is asked for again, where rows below it may need that.
    pub address: Option<RowAddress>,
    /// What the row is known by at its place, where it is asked for by that.
    pub marks: Vec<ValuePlace>,
    /// The item's fields, in the order in which they are asked for.
    pub cells: Vec<Cell>,
    /// Connections in it that do not come with it: the first page of each is asked for by the row's own address.
    pub detached: Vec<usize>,
}

impl RowLayout {
    /// The response keys from the item to a value of it.
    pub fn path<'path>(&'path self, place: &'path ValuePlace) -> Option<Vec<&'path str>> {
        let own = self.cells.get(place.cell)?.key.as_str();
        Some(
            std::iter::once(own)
                .chain(place.below.iter().map(String::as_str))
                .collect(),
        )
    }
}

/// Where a value of an item stands: in one of its cells, or in an object in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePlace {
    /// Index into `RowLayout::cells`.
    pub cell: usize,
    /// Response keys from the cell's value to this one; none where it is that itself.
    pub below: Vec<String>,
}

impl From<usize> for ValuePlace {
    /// The value of a cell itself.
    fn from(cell: usize) -> Self {
        let below = Vec::new();
        Self { cell, below }
    }
}

/// The value by which one row is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowAddress {
    /// One of its own, by itself.
    Value(ValuePlace),
    /// The cursor of the edge before it, behind the address of the row that holds the connection.
    EdgeCursor,
    /// Its offset in its connection, behind the address of the row that holds the connection.
    Offset,
    /// The number of the page of one row that it is, behind the address of the row that holds the connection.
    Page {
        /// The number of the first page.
        first: u64,
    },
}

/// What `_id` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    /// These values: one's own text, or, for several, the JSON list of their texts. A null among them sends the row to the
    /// rejects.
    Key(Vec<ValuePlace>),
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

impl Cell {
    /// Whether there are rows of other tables in its value.
    pub fn holds_rows(&self) -> bool {
        match &self.role {
            CellRole::Below { .. } => true,
            CellRole::Flattened(cells) => cells.iter().any(Self::holds_rows),
            CellRole::Ignored | CellRole::Column(_) => false,
        }
    }
}

/// What a value of an item is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a plan has few of them")]
pub enum CellRole {
    /// Nothing but, perhaps, the row's `_id`.
    Ignored,
    /// The column of this index.
    Column(usize),
    /// An object whose fields are columns of their own; a null there is a null in each of them.
    Flattened(Vec<Cell>),
    /// Rows of other tables, whose parent is this row, or an object with such rows somewhere in it.
    Below {
        /// The column that the value fills all the same: an object's other fields.
        column: Option<usize>,
        /// The rows, or the object above them; of role `Object`, `Rows` or `Only`.
        below: AncestorRole,
    },
}
