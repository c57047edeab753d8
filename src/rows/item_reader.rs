//! The items of one list: what they have in common, and how each of them ends.

use std::borrow::Cow;

use serde::de::Error;

use crate::plan::{Cell, Items, RowId, RowsLayout};
use crate::rows::below::BelowTexts;
use crate::rows::careful::Item;
use crate::rows::fields::Keyed;
use crate::rows::identity::{KeyTexts, position_id};
use crate::rows::misfit::{Misfit, MisfitCause};
use crate::rows::page::{Page, Reading};
use crate::rows::quick::{CellsSeed, second_look};
use crate::rows::slot::Above;

/// What reading the items of one list takes.
pub(super) struct ItemReader<'s, 'p, 'de> {
    page: &'s mut Page<'p, 'de>,
    layout: &'s RowsLayout,
    above: Above<'s>,
    /// The position of the next item within its connection.
    position: u64,
    keys: KeyTexts<'s, 'de>,
    /// What the row being read holds of rows of other tables.
    below: BelowTexts<'s, 'de>,
    /// What an edge holds; `None` where items stand by themselves.
    pub(super) edge: Option<Edge<'s>>,
}

/// What an edge holds.
pub(super) struct Edge<'s> {
    cells: &'s [Cell],
    pub(super) fields: Vec<EdgeField<'s>>,
}

#[derive(Clone, Copy)]
pub(super) enum EdgeField<'s> {
    Node(&'s str),
    /// The cell of this index.
    Cell(usize, &'s Cell),
}

impl Keyed for EdgeField<'_> {
    fn key(&self) -> &str {
        match self {
            Self::Node(key) => key,
            Self::Cell(_, cell) => &cell.key,
        }
    }
}

impl<'s> Edge<'s> {
    fn of(items: &'s Items) -> Option<Self> {
        let Items::Edges { node, edge_cells, .. } = items else {
            return None;
        };
        let cells = edge_cells.iter().enumerate();
        let cells = cells.map(|(index, cell)| EdgeField::Cell(index, cell));
        Some(Self {
            cells: edge_cells,
            fields: [EdgeField::Node(node)].into_iter().chain(cells).collect(),
        })
    }
}

impl<'s, 'p, 'de> ItemReader<'s, 'p, 'de> {
    pub(super) fn begin<E: Error>(
        page: &'s mut Page<'p, 'de>,
        layout: &'s RowsLayout,
        above: Above<'s>,
    ) -> Result<Self, E> {
        page.begin_rows(layout).map_err(E::custom)?;
        Ok(Self {
            page,
            layout,
            above,
            position: above.position(),
            keys: KeyTexts::new(&layout.row.id),
            below: BelowTexts::default(),
            edge: Edge::of(&layout.items),
        })
    }

    /// Begins with the next item; false where it is to be left out.
    pub(super) fn begin_item(&mut self) -> bool {
        let is_left_out = self.page.begin_item(self.layout.table);
        self.position += u64::from(is_left_out);
        !is_left_out
    }

    pub(super) fn is_careful(&self) -> bool {
        self.page.reading == Reading::Careful
    }

    /// Whether the item is the value of the only field of its row.
    pub(super) fn is_of_one_field(&self) -> bool {
        matches!(self.layout.items, Items::Field { .. })
    }

    /// Forgets what was held of the row before.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.below.clear();
    }

    /// What reads the item's own cells into its row.
    pub(super) fn item_cells(&mut self) -> CellsSeed<'_, 's, 'de> {
        let table = &mut self.page.tables[self.layout.table];
        CellsSeed {
            cells: &self.layout.row.cells,
            columns: &mut table.columns,
            row: table.rows,
            keys: Some(&mut self.keys),
            below: &mut self.below,
        }
    }

    /// What reads the cells of the edge around an item into the item's row.
    pub(super) fn edge_cells(&mut self, edge: &Edge<'s>) -> CellsSeed<'_, 's, 'de> {
        let table = &mut self.page.tables[self.layout.table];
        CellsSeed {
            cells: edge.cells,
            columns: &mut table.columns,
            row: table.rows,
            keys: None,
            below: &mut self.below,
        }
    }

    /// Completes the row whose cells were just read, and reads the rows below it.
    pub(super) fn end_row<E: Error>(&mut self) -> Result<(), E> {
        let id = self.id().map_err(|_| second_look())?;
        self.page
            .complete_row(self.layout, &id, self.above)
            .map_err(|_| second_look())?;
        self.position += 1;
        self.read_below(Some(&id))
    }

    /// Notes that the item just read is null.
    pub(super) fn end_null<E: Error>(&mut self) -> Result<(), E> {
        self.page.note_null_item(self.layout.table);
        self.position += 1;
        Ok(())
    }

    /// Takes in an item by its text: as a row, as a reject, or as nothing where it is null. The rows below it are read
    /// whether it fits or not.
    pub(super) fn take_carefully<E: Error>(&mut self, raw: &'de str) -> Result<(), E> {
        let item = match Item::parse(self.layout, raw) {
            Ok(Some(item)) => item,
            Ok(None) => return self.end_null(),
            Err(misfit) => {
                self.position += 1;
                return self.reject(raw, &misfit);
            }
        };
        item.take_keys(&mut self.keys);
        item.take_below(&mut self.below);
        let id = self.id();
        match self.push_row(&item, &id) {
            Ok(()) => self.page.keep_text(self.layout.table, raw),
            Err(misfit) => self.reject(raw, &misfit)?,
        }
        self.position += 1;
        self.read_below(id.as_deref().ok())
    }

    /// Takes in an item by its text, where that is as quick as any other way.
    pub(super) fn take_text<E: Error>(&mut self, raw: &'de str) -> Result<(), E> {
        let Some(item) = Item::parse(self.layout, raw).map_err(|_| second_look())? else {
            return self.end_null();
        };
        item.take_keys(&mut self.keys);
        item.take_below(&mut self.below);
        let columns = &mut self.page.tables[self.layout.table].columns;
        item.push(columns, &self.keys).map_err(|_| second_look())?;
        self.end_row()
    }

    fn push_row(&mut self, item: &Item<'s, 'de>, id: &Result<Cow<'de, str>, MisfitCause>) -> Result<(), Misfit> {
        item.push(&mut self.page.tables[self.layout.table].columns, &self.keys)?;
        let id = id.as_ref().map_err(|cause| cause.clone().at("_id"))?;
        self.page.complete_row(self.layout, id, self.above)
    }

    fn reject<E: Error>(&mut self, raw: &str, misfit: &Misfit) -> Result<(), E> {
        self.page.reject_item(self.layout.table, raw, misfit).map_err(E::custom)
    }

    /// The `_id` of the row whose keys were just read.
    fn id(&self) -> Result<Cow<'de, str>, MisfitCause> {
        match &self.layout.row.id {
            RowId::Key(_) => self.keys.id(),
            RowId::Position { path } => {
                let parent = self.above.parent()?.unwrap_or_default();
                Ok(Cow::Owned(position_id(parent, path, self.position)))
            }
        }
    }

    fn read_below<E: Error>(&mut self, id: Option<&str>) -> Result<(), E> {
        self.below.read(self.page, Above::row(id))
    }
}
