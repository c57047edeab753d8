//! One row field planned: its table, where its values stand, and what has to be asked for beside what the author wrote.

use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::name;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::Name;

use crate::plan::address::{Address, address};
use crate::plan::apart::Apart;
use crate::plan::columns::{ColumnList, Context, has_only_rows, place};
use crate::plan::cuts::{Cuts, Detached};
use crate::plan::directives::{self, TableDirective};
use crate::plan::named_value::value_place;
use crate::plan::parted::item_keys;
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{
    MergedField, add_below, free_key, key_selections, lacking_key_selections, leaf_field, merge,
};
use crate::plan::survey::{Branch, RowField, RowFieldKind, Survey};
use crate::plan::table::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, Items, PageLayout, RowAddress, RowId, RowLayout,
    RowsLayout, ValuePlace,
};
use crate::schema::Pager;

/// A row field with all that is known about it.
#[derive(Debug)]
pub(crate) struct RowPlan {
    /// Names the table, where the author named it.
    pub(crate) table: TableDirective,
    pub(crate) columns: Vec<Column>,
    /// Columns that come from above: the value's path, and the column's index.
    pub(crate) ancestors: Vec<(Vec<Name>, usize)>,
    pub(crate) layout: RowsLayout,
    pub(crate) additions: Additions,
    /// The response key of the value by which the page behind a row is asked for, where that is done by one.
    pub(crate) page_key: Option<String>,
    /// How one of its rows is asked for again.
    pub(crate) address: Option<Address>,
    /// Where what tells such items stands, of the lists in its own rows.
    pub(crate) item_keys: Vec<Vec<Name>>,
}

impl RowPlan {
    /// All that is selected on the row field, with what the planner needs.
    pub(crate) fn selected(&self, row: &RowField) -> Option<SelectionSet> {
        let (first, others) = row.field()?.sets.split_first()?;
        let mut set = first.clone();
        for other in others {
            set.selections.extend(other.selections.iter().cloned());
        }
        self.additions.apply(&mut set, &row.source.keys());
        Some(set)
    }

    /// What its rows are told by, and how they and their pages are asked for: the response keys and places of it.
    pub(crate) fn told_by(&self) -> String {
        let RowsLayout { items, row, page, .. } = &self.layout;
        let path = |place: &ValuePlace| row.path(place).map(|path| path.join("."));
        let id: Option<Vec<_>> = match &row.id {
            RowId::Key(places) => Some(places.iter().map(path).collect()),
            RowId::Position { .. } => None,
        };
        let address = match &row.address {
            Some(RowAddress::Value(place)) => format!("{:?}", path(place)),
            address => format!("{address:?}"),
        };
        let list = match items {
            Items::Nodes { nodes, .. } => vec![nodes],
            Items::Edges { edges, node, .. } => vec![edges, node],
            Items::Value | Items::Field { .. } | Items::List => Vec::new(),
        };
        let signals = page.as_ref().map(|page| &page.signals);
        format!("{id:?} {address} {list:?} {signals:?} {:?}", self.page_key)
    }
}

/// All that is selected on the query root, with what the planner needs of an operation that is itself the one row.
pub(crate) fn everything(operation: &Operation, survey: &Survey, plans: &[RowPlan]) -> SelectionSet {
    let mut set = operation.selection_set.clone();
    if let ([plan], [row]) = (plans, survey.rows.as_slice())
        && row.path.is_empty()
    {
        plan.additions.apply(&mut set, &[]);
    }
    set
}

/// What is asked for beside what the author wrote.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// Of the row field itself.
    pub(crate) field: Vec<Selection>,
    /// Of each edge, where the items stand in edges.
    pub(crate) edge: Vec<Selection>,
    /// Of each item.
    pub(crate) item: Vec<Selection>,
    /// Of the items of plain lists, by the response keys to the list.
    pub(crate) lists: Vec<(Vec<Name>, Vec<Selection>)>,
}

impl Additions {
    /// Adds to a selection on the row field what the planner needs; `items` are the response keys to its items.
    pub(crate) fn apply(&self, set: &mut SelectionSet, items: &[Name]) {
        for (list, additions) in &self.lists {
            add_below(set, list, additions);
        }
        add_below(set, items, &self.item);
        if let [edges, _] = items {
            add_below(set, std::slice::from_ref(edges), &self.edge);
        }
        set.selections.extend(self.field.iter().cloned());
    }
}

/// Plans all row fields; the plan of an index is that of the row field and the table of that index.
pub(crate) fn plan_rows(context: Context<'_>, survey: &Survey, cuts: &Cuts) -> Result<Vec<RowPlan>, PlanError> {
    let mut plans: Vec<RowPlan> = Vec::new();
    // Children stand behind their parents, whose layouts hold theirs.
    for index in (0..survey.rows.len()).rev() {
        let below = |row: usize| survey.rows.len() - 1 - row;
        let planner = RowPlanner {
            context,
            survey,
            index,
            row: &survey.rows[index],
            detached: &cuts.detached,
            apart: &cuts.apart,
            layouts: &|row| plans.get(below(row)).map(|plan: &RowPlan| plan.layout.clone()),
        };
        let mut plan = planner.plan()?;
        plan.item_keys = item_keys(context, survey, index, &cuts.parted, &mut plan.additions);
        plans.push(plan);
    }
    plans.reverse();
    Ok(plans)
}

/// Response keys in one text.
pub(crate) fn joined(path: &[Name], separator: &str) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

/// The cells that tell whether it is still the same row that stands at a place: its key, or all that is not rows itself.
fn marks(id: &RowId, cells: &[Cell]) -> Vec<ValuePlace> {
    let has_no_rows = |cell: &usize| !cells[*cell].holds_rows();
    match id {
        RowId::Key(key) => key.clone(),
        RowId::Position { .. } => (0..cells.len()).filter(has_no_rows).map(ValuePlace::from).collect(),
    }
}

struct RowPlanner<'plan> {
    context: Context<'plan>,
    survey: &'plan Survey,
    index: usize,
    row: &'plan RowField,
    /// The row fields that do not come with the rows that they stand in.
    detached: &'plan Detached,
    /// The fields that do not come with their rows.
    apart: &'plan Apart,
    /// The layouts of the row fields behind this one.
    layouts: &'plan dyn Fn(usize) -> Option<RowsLayout>,
}

impl RowPlanner<'_> {
    fn plan(&self) -> Result<RowPlan, PlanError> {
        let row = self.row;
        let table = row.field().map_or_else(TableDirective::default, |field| {
            directives::table(&field.field.directives)
        });
        let mut columns = ColumnList::new(self.context, row.parent.is_some());
        let mut ancestors = Vec::new();
        if row.parent.is_none() {
            self.add_ancestors(&mut columns, &self.survey.branches, &[], &row.path, &mut ancestors)?;
        }
        let beside = self.beside(&mut columns)?;
        let edge_cells = self.edge_cells(&mut columns)?;
        let mut additions = Additions {
            field: row.paged().map_or_else(Vec::new, |paged| paged.additions.clone()),
            ..Additions::default()
        };
        let mut cells = self.cells(&mut columns, &row.branches, "")?;
        cells
            .iter()
            .filter(|cell| self.is_apart(&cell.key))
            .for_each(|cell| columns.let_be_absent(cell));
        let id = self.identity(&table, &mut cells, &mut additions)?;
        let page_key = match row.paged().map(|paged| &paged.paged.pager) {
            Some(Pager::Keyset { key, .. }) => {
                let cell = self.address_cell(key, &mut cells, &mut additions)?;
                cell.map(|cell| cells[cell].key.clone())
            }
            _ => None,
        };
        let has_fields_apart = self.apart.values().any(|field| field.row == self.index);
        let address = if self.has_rows_below() || has_fields_apart {
            address(self.context, row)?
        } else {
            None
        };
        let row_address = match &address {
            Some(Address::Lookup(lookup)) => self
                .address_value(&lookup.by, &mut cells, &mut additions)?
                .map(RowAddress::Value),
            Some(Address::Place(place)) => Some(place.clone()),
            None => None,
        };
        let cursor = match row_address {
            Some(RowAddress::EdgeCursor) => Some(self.edge_cursor(&mut additions)),
            _ => None,
        };
        let marks = match &address {
            Some(Address::Place(_)) => marks(&id, &cells),
            Some(Address::Lookup(_)) | None => Vec::new(),
        };
        let address = address.filter(|_| row_address.is_some());
        let layout = RowsLayout {
            table: self.index,
            items: self.items(beside, edge_cells, cursor),
            row: RowLayout {
                id,
                has_parent: row.parent.is_some(),
                address: row_address,
                marks,
                cells,
                detached: self.detached_connections(),
            },
            page: row.paged().map(|paged| PageLayout {
                connection: self.connection(),
                are_items_optional: row.source.is_conditional,
                signals: paged.signals.clone(),
            }),
        };
        Ok(RowPlan {
            table,
            columns: columns.into_columns(),
            ancestors,
            layout,
            additions,
            page_key,
            address,
            item_keys: Vec::new(),
        })
    }

    /// The index of this row field among those that are paginated.
    fn connection(&self) -> usize {
        self.survey.connection(self.index)
    }

    /// Whether a field of the rows is asked for by each row itself, which a single one may have no answer to.
    fn is_apart(&self, key: &str) -> bool {
        let mut apart = self.apart.iter().filter(|(_, field)| field.row == self.index);
        apart.any(|(path, _)| path.last().is_some_and(|last| last.as_str() == key))
    }

    /// The connections in the items that do not come with them.
    fn detached_connections(&self) -> Vec<usize> {
        let own = self
            .detached
            .keys()
            .filter(|row| self.survey.rows[**row].parent == Some(self.index));
        own.map(|row| self.survey.connection(*row)).collect()
    }

    /// Whether rows come with the items that stand somewhere in these fields of them.
    fn holds_rows(&self, branches: &[Branch]) -> bool {
        branches.iter().any(|branch| match branch {
            Branch::Value(_) => false,
            Branch::Object(_, below) => self.holds_rows(below),
            Branch::Rows(row) => !self.detached.contains_key(row),
        })
    }

    /// Whether there are rows below, which may have to be asked for again by way of a row of this one.
    fn has_rows_below(&self) -> bool {
        self.survey.rows.iter().any(|row| row.parent == Some(self.index))
    }

    fn items(&self, beside: Vec<AncestorField>, edge_cells: Vec<Cell>, cursor: Option<String>) -> Items {
        match (&self.row.kind, self.row.source.steps.as_slice()) {
            (RowFieldKind::Operation, _) => Items::Value,
            (_, []) => Items::List,
            (_, [(nodes, _)]) => Items::Nodes {
                nodes: nodes.to_string(),
                beside,
            },
            (_, [(edges, _), (node, _), ..]) => Items::Edges {
                edges: edges.to_string(),
                node: node.to_string(),
                cursor,
                edge_cells,
                beside,
            },
        }
    }

    /// Adds the columns that come from the objects above the row field.
    fn add_ancestors(
        &self,
        columns: &mut ColumnList<'_>,
        branches: &[Branch],
        above: &[Name],
        path: &[Name],
        ancestors: &mut Vec<(Vec<Name>, usize)>,
    ) -> Result<(), PlanError> {
        if path.is_empty() {
            return Ok(());
        }
        for branch in branches {
            match branch {
                Branch::Value(field) => {
                    let own_path = [above, std::slice::from_ref(&field.key)].concat();
                    let index = columns.add(field, &joined(&own_path, "_"), false)?;
                    ancestors.push((own_path, index));
                }
                Branch::Object(field, below) if path.first() == Some(&field.key) => {
                    let above = [above, std::slice::from_ref(&field.key)].concat();
                    self.add_ancestors(columns, below, &above, &path[1..], ancestors)?;
                }
                Branch::Object(..) | Branch::Rows(_) => {}
            }
        }
        Ok(())
    }

    /// The cells of an item, with their columns and the rows below it.
    fn cells(&self, columns: &mut ColumnList<'_>, branches: &[Branch], prefix: &str) -> Result<Vec<Cell>, PlanError> {
        let mut cells = Vec::new();
        for branch in branches {
            match branch {
                Branch::Value(field) => {
                    cells.extend(columns.add_cells(std::slice::from_ref(field), prefix, !prefix.is_empty())?);
                }
                Branch::Object(field, below) => cells.extend(self.object_cell(columns, field, below, prefix)?),
                Branch::Rows(row) if self.detached.contains_key(row) => {}
                Branch::Rows(row) => cells.extend(self.rows_cell(*row)),
            }
        }
        Ok(cells)
    }

    fn object_cell(
        &self,
        columns: &mut ColumnList<'_>,
        field: &MergedField,
        below: &[Branch],
        prefix: &str,
    ) -> Result<Option<Cell>, PlanError> {
        let key = field.key.to_string();
        if self.context.flatten {
            let cells = self.cells(columns, below, &format!("{prefix}{key}_"))?;
            let role = CellRole::Flattened(cells);
            return Ok((role != CellRole::Flattened(Vec::new())).then_some(Cell { key, role }));
        }
        let column = match has_only_rows(self.context, field)? {
            true => None,
            false => Some(columns.add(field, &format!("{prefix}{key}"), false)?),
        };
        let role = match (column, self.holds_rows(below)) {
            (_, true) => {
                let below = AncestorRole::Object(self.rows_below(below));
                CellRole::Below { column, below }
            }
            (Some(column), false) => CellRole::Column(column),
            (None, false) => return Ok(None),
        };
        Ok(Some(Cell { key, role }))
    }

    fn rows_cell(&self, row: usize) -> Option<Cell> {
        let key = self.survey.rows[row].path.last()?.to_string();
        let below = AncestorRole::Rows((self.layouts)(row)?);
        let role = CellRole::Below { column: None, below };
        Some(Cell { key, role })
    }

    /// The row fields below an object of an item.
    fn rows_below(&self, branches: &[Branch]) -> Vec<AncestorField> {
        let fields = branches.iter().filter_map(|branch| {
            let (field, role) = match branch {
                Branch::Value(_) => return None,
                Branch::Object(_, below) if !self.holds_rows(below) => return None,
                Branch::Object(field, below) => (field, AncestorRole::Object(self.rows_below(below))),
                Branch::Rows(row) if self.detached.contains_key(row) => return None,
                Branch::Rows(row) => (
                    self.survey.rows[*row].field()?,
                    AncestorRole::Rows((self.layouts)(*row)?),
                ),
            };
            Some(AncestorField {
                key: field.key.to_string(),
                is_optional: field.is_conditional,
                role,
                tells: Vec::new(),
            })
        });
        fields.collect()
    }

    /// Columns for what the author asks of the connection itself, beside its items and its paging.
    fn beside(&self, columns: &mut ColumnList<'_>) -> Result<Vec<AncestorField>, PlanError> {
        let (Some(field), Some(paged), Some((items, _))) =
            (self.row.field(), self.row.paged(), self.row.source.steps.first())
        else {
            return Ok(Vec::new());
        };
        let mut beside = Vec::new();
        for inner in merge(&field.sets, self.context.schema, self.context.variables) {
            let key = inner.key.as_str();
            let is_signal = paged
                .signals
                .iter()
                .any(|signal| signal.path.first().is_some_and(|first| first == key));
            if is_signal || inner.key == *items || inner.field.name == "pageInfo" {
                continue;
            }
            let name = joined(
                &[self.row.inner_path.as_slice(), std::slice::from_ref(&inner.key)].concat(),
                "_",
            );
            let column = columns.add(&inner, &name, false)?;
            beside.push(AncestorField {
                key: key.to_owned(),
                is_optional: true,
                role: AncestorRole::Columns(vec![ColumnPlace {
                    table: self.index,
                    column,
                }]),
                tells: Vec::new(),
            });
        }
        Ok(beside)
    }

    /// Columns for what the author asks of an edge beside its node and its cursor.
    fn edge_cells(&self, columns: &mut ColumnList<'_>) -> Result<Vec<Cell>, PlanError> {
        let mut cells = Vec::new();
        for field in &self.row.source.edge_fields {
            let is_node = self.row.source.steps.last().is_some_and(|(key, _)| *key == field.key);
            if !is_node && field.field.name != "cursor" {
                cells.extend(columns.add_cells(std::slice::from_ref(field), "edge_", false)?);
            }
        }
        Ok(cells)
    }

    /// The response key of an edge's cursor, which is added where the author does not ask for it.
    fn edge_cursor(&self, additions: &mut Additions) -> String {
        const CURSOR: Name = name!("cursor");
        let fields = &self.row.source.edge_fields;
        let there = fields
            .iter()
            .find(|field| field.field.name == CURSOR && !field.is_conditional);
        if let Some(there) = there {
            return there.key.to_string();
        }
        let key = free_key(fields, &CURSOR);
        let connection = self.row.field().map(|field| field.field.ty().inner_named_type());
        let edges = self.row.source.steps.first().map(|(_, edges)| edges);
        let edge = connection.zip(edges).and_then(|(connection, edges)| {
            self.context
                .schema
                .type_field(connection, edges)
                .ok()
                .map(|edges| edges.ty.inner_named_type().clone())
        });
        let cursor = edge.and_then(|edge| leaf_field(self.context.schema, &edge, &CURSOR, &key));
        additions.edge.extend(cursor.map(Selection::from));
        key.to_string()
    }

    /// What tells the rows apart: the key that the author names, else `id` where the type has one, else their place.
    fn identity(
        &self,
        table: &TableDirective,
        cells: &mut Vec<Cell>,
        additions: &mut Additions,
    ) -> Result<RowId, PlanError> {
        let is_operation = matches!(self.row.kind, RowFieldKind::Operation);
        if table.key.is_empty() {
            let id = if is_operation {
                None
            } else {
                self.address_cell(&name!("id"), cells, additions)?
            };
            return Ok(id.map_or_else(
                || RowId::Position {
                    path: joined(&self.row.path, "."),
                },
                |id| RowId::Key(vec![id.into()]),
            ));
        }
        let places: Result<Vec<_>, _> = table
            .key
            .iter()
            .map(|key| self.selected_value(key, cells, table.place))
            .collect();
        places.map(RowId::Key)
    }

    /// The value by which a row is asked for again: a field of its own, or what the author selects at that path.
    fn address_value(
        &self,
        by: &str,
        cells: &mut Vec<Cell>,
        additions: &mut Additions,
    ) -> Result<Option<ValuePlace>, PlanError> {
        if by.contains('.') {
            let field = self.row.field();
            let written = field.and_then(|field| directives::lookup(&field.field.directives)?.place);
            return self.selected_value(by, cells, written).map(Some);
        }
        let cell = self.address_cell(&Name::new_unchecked(by), cells, additions)?;
        Ok(cell.map(ValuePlace::from))
    }

    /// The place of a value that the author selects of the items, and names by its path.
    fn selected_value(&self, path: &str, cells: &[Cell], written: Option<SourceSpan>) -> Result<ValuePlace, PlanError> {
        value_place(self.context, self.survey, self.row, cells, path).map_err(|wrong| {
            let finding = Finding {
                message: wrong.message,
                place: written.or_else(|| self.row.field().and_then(place)),
                label: "named here".to_owned(),
                help: wrong.help,
            };
            finding.into_error(self.context.sources)
        })
    }

    /// The cell of a plain field of the items, which is added where the author does not ask for it; `None` where not
    /// every item has the field.
    fn address_cell(
        &self,
        name: &Name,
        cells: &mut Vec<Cell>,
        additions: &mut Additions,
    ) -> Result<Option<usize>, PlanError> {
        let sets = &self.row.source.item_sets;
        let Some(set) = sets.first() else { return Ok(None) };
        let fields = merge(sets, self.context.schema, self.context.variables);
        let there = fields.iter().find(|field| field.is_plain(name));
        let key = there.map_or_else(|| free_key(&fields, name), |field| field.key.clone());
        if let Some(cell) = cells.iter().position(|cell| cell.key == key.as_str()) {
            if there.is_some() || cells[cell].role == CellRole::Ignored {
                return Ok(Some(cell));
            }
            // Fragments on the types of a union, or of an interface, may each ask for it.
            let Context { schema, variables, .. } = self.context;
            let lacking = lacking_key_selections(sets, schema, variables, (name, &key));
            return Ok(lacking.map(|lacking| {
                additions.item.extend(lacking);
                cell
            }));
        }
        let Some(selections) = key_selections(self.context.schema, &set.ty, name, &key) else {
            return Ok(None);
        };
        additions.item.extend(selections);
        cells.push(Cell {
            key: key.to_string(),
            role: CellRole::Ignored,
        });
        Ok(Some(cells.len() - 1))
    }
}
