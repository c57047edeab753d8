//! What the layout of the whole answer says of a value: where in it rows stand, which are joined by their keys.

use crate::plan::{AncestorField, AncestorRole, Cell, CellRole, Items as At, RowsLayout};

/// Objects in each other that are joined outside of the layout; no query goes so deep.
pub(super) const DEEPEST: usize = 100;

/// What a value is, as far as rows stand in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guide<'layout> {
    /// Nothing but values, so many objects deep.
    Plain { depth: usize },
    /// The member `data`, with a field for each slot.
    Data(&'layout [AncestorField]),
    /// An object above rows.
    Fields(&'layout [AncestorField]),
    /// A list of at most one such object.
    Only(&'layout [AncestorField]),
    /// An object around the list of its items.
    Connection(&'layout RowsLayout),
    /// The list of items.
    Items(&'layout RowsLayout),
    /// An item that holds the row.
    Edge(&'layout RowsLayout),
    /// A row, or an object in one.
    Cells(&'layout [Cell]),
}

const PLAIN: Guide<'static> = Guide::Plain { depth: 0 };

impl<'layout> Guide<'layout> {
    /// Of the member `data`.
    pub(super) fn of_data(role: &'layout AncestorRole) -> Self {
        match role {
            AncestorRole::Object(fields) => Self::Data(fields),
            role => Self::of_role(role),
        }
    }

    fn of_role(role: &'layout AncestorRole) -> Self {
        match role {
            AncestorRole::Ignored | AncestorRole::Columns(_) => PLAIN,
            AncestorRole::Object(fields) => Self::Fields(fields),
            AncestorRole::Only(fields) => Self::Only(fields),
            AncestorRole::Rows(layout) => match layout.items {
                At::Value => Self::Cells(&layout.row.cells),
                At::Field { .. } => PLAIN,
                At::List => Self::Items(layout),
                At::Nodes { .. } | At::Edges { .. } => Self::Connection(layout),
            },
        }
    }

    fn of_cell(cells: &'layout [Cell], key: &str) -> Self {
        let cell = cells.iter().find(|cell| cell.key == key);
        match cell.map(|cell| &cell.role) {
            Some(CellRole::Flattened(cells)) => Self::Cells(cells),
            Some(CellRole::Below { below, .. }) => Self::of_role(below),
            Some(CellRole::Ignored | CellRole::Column(_)) | None => PLAIN,
        }
    }

    /// Of a member of the value.
    pub(super) fn below(self, key: &str) -> Self {
        match self {
            Self::Plain { depth } => Self::Plain { depth: depth + 1 },
            Self::Data(fields) | Self::Fields(fields) | Self::Only(fields) => {
                let field = fields.iter().find(|field| field.key == key);
                field.map_or(PLAIN, |field| Self::of_role(&field.role))
            }
            Self::Connection(layout) => match &layout.items {
                At::Nodes { nodes: list, .. } | At::Edges { edges: list, .. } if list == key => Self::Items(layout),
                _ => PLAIN,
            },
            Self::Edge(layout) => match &layout.items {
                At::Edges { node, .. } if node == key => Self::Cells(&layout.row.cells),
                At::Edges { edge_cells, .. } => Self::of_cell(edge_cells, key),
                _ => PLAIN,
            },
            Self::Cells(cells) => Self::of_cell(cells, key),
            Self::Items(_) => PLAIN,
        }
    }
}
