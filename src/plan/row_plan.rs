//! One row field planned: its table, where its values stand, and what has to be asked for beside what the author wrote.

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::Name;
use apollo_compiler::{Node, name};

use crate::plan::columns::{ColumnList, Context, place};
use crate::plan::directives::{self, TableDirective};
use crate::plan::probe::PageProbe;
use crate::plan::relay::{AFTER, FIRST};
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{MergedField, add_below, add_type_names, free_key, id_selections, leaf_field, merge};
use crate::plan::survey::{Branch, RowField, RowFieldKind};
use crate::plan::table::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, Items, RowId, RowLayout, RowsLayout,
};

/// A row field with all that is known about it.
#[derive(Debug)]
pub(crate) struct RowPlan {
    pub(crate) path: Vec<Name>,
    /// Names the table, where the author named it.
    pub(crate) table: TableDirective,
    pub(crate) columns: Vec<Column>,
    /// Columns that come from above: the value's path, and the column's index.
    pub(crate) ancestors: Vec<(Vec<Name>, usize)>,
    pub(crate) layout: RowsLayout,
    pub(crate) additions: Additions,
    pub(crate) relay: Option<RelayPlan>,
    /// Whether a complete response may lack the field.
    pub(crate) is_optional: bool,
}

/// What is asked for beside what the author wrote.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// Of the row field itself.
    pub(crate) field: Vec<Selection>,
    /// Response keys from the row field to its items.
    pub(crate) items_path: Vec<Name>,
    /// Of each item.
    pub(crate) item: Vec<Selection>,
}

/// How a Relay connection is paged.
#[derive(Debug)]
pub(crate) struct RelayPlan {
    pub(crate) size: Driven,
    pub(crate) cursor: Driven,
    pub(crate) page_size: u32,
    pub(crate) probe: PageProbe,
}

/// An argument whose value changes from request to request.
#[derive(Debug)]
pub(crate) struct Driven {
    /// The author's own variable for it.
    pub(crate) variable: Option<Name>,
    /// The argument's type, as a variable that always has a value.
    pub(crate) ty: Type,
}

impl Additions {
    /// Adds to a selection on the row field what the planner needs.
    pub(crate) fn apply(&self, set: &mut SelectionSet, context: Context<'_>) {
        add_type_names(set, context.schema);
        add_below(set, &self.items_path, &self.item);
        set.selections.extend(self.field.iter().cloned());
    }
}

/// Plans the row field of index `table`, which is also the index of its table.
pub(crate) fn plan_rows(
    context: Context<'_>,
    row: &RowField,
    branches: &[Branch],
    table: usize,
    default_page_size: u32,
) -> Result<RowPlan, PlanError> {
    let mut columns = ColumnList::new(context);
    let mut ancestors = Vec::new();
    add_ancestors(&mut columns, branches, &[], &row.path, &mut ancestors)?;
    match &row.kind {
        RowFieldKind::Relay(field) => {
            let relay = RelayField {
                context,
                field,
                path: &row.path,
                table,
            };
            relay.plan(columns, ancestors, default_page_size)
        }
        RowFieldKind::List(field) => {
            let directive = directives::table(&field.field.directives);
            let plain = PlainRows {
                context,
                path: &row.path,
                table,
                place: place(field),
                is_optional: field.is_conditional,
            };
            plain.plan(columns, ancestors, &field.sets, directive, Items::List)
        }
        RowFieldKind::Operation(sets) => {
            let plain = PlainRows {
                context,
                path: &row.path,
                table,
                place: None,
                is_optional: false,
            };
            plain.plan(columns, ancestors, sets, TableDirective::default(), Items::Value)
        }
    }
}

/// Adds the columns that come from the objects above the row field.
fn add_ancestors(
    columns: &mut ColumnList<'_>,
    branches: &[Branch],
    above: &[Name],
    path: &[Name],
    ancestors: &mut Vec<(Vec<Name>, usize)>,
) -> Result<(), PlanError> {
    for branch in branches {
        match branch {
            Branch::Value(field) => {
                let own_path = [above, std::slice::from_ref(&field.key)].concat();
                let index = columns.add(field, &joined(&own_path, "_"), false)?;
                ancestors.push((own_path, index));
            }
            Branch::Object(field, below) if path.first() == Some(&field.key) => {
                let above = [above, std::slice::from_ref(&field.key)].concat();
                add_ancestors(columns, below, &above, &path[1..], ancestors)?;
            }
            Branch::Object(..) | Branch::Rows(_) => {}
        }
    }
    Ok(())
}

/// Response keys in one text.
pub(crate) fn joined(path: &[Name], separator: &str) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

/// Rows that come all at once.
struct PlainRows<'plan> {
    context: Context<'plan>,
    path: &'plan [Name],
    table: usize,
    place: Option<SourceSpan>,
    is_optional: bool,
}

impl PlainRows<'_> {
    fn plan(
        &self,
        mut columns: ColumnList<'_>,
        ancestors: Vec<(Vec<Name>, usize)>,
        sets: &[SelectionSet],
        table: TableDirective,
        items: Items,
    ) -> Result<RowPlan, PlanError> {
        let identity = match items {
            Items::List => Identity::of(self.context, sets, &table),
            // The operation is the one row; no type stands for it.
            _ => Identity::default(),
        };
        let additions = Additions {
            field: Vec::new(),
            items_path: Vec::new(),
            item: identity.additions.clone(),
        };
        let mut sets = sets.to_vec();
        sets.iter_mut().for_each(|set| additions.apply(set, self.context));
        let row = identity.row_layout(self.context, &mut columns, &sets, &table, self.path, self.place)?;
        Ok(RowPlan {
            path: self.path.to_vec(),
            table,
            columns: columns.into_columns(),
            ancestors,
            layout: RowsLayout {
                table: self.table,
                items,
                row,
            },
            additions,
            relay: None,
            is_optional: self.is_optional,
        })
    }
}

/// What tells the rows of a table apart.
#[derive(Default)]
struct Identity {
    /// The response key of `id`, where the rows' type has one and the author names no other key.
    id: Option<Name>,
    additions: Vec<Selection>,
}

impl Identity {
    fn of(context: Context<'_>, sets: &[SelectionSet], table: &TableDirective) -> Self {
        const ID: Name = name!("id");
        let Some(set) = sets.first().filter(|_| table.key.is_empty()) else {
            return Self::default();
        };
        let fields = merge(sets, context.schema, context.variables);
        let chosen = fields
            .iter()
            .find(|field| field.field.name == ID && !field.is_conditional && !field.has_fields());
        if let Some(chosen) = chosen {
            return Self {
                id: Some(chosen.key.clone()),
                additions: Vec::new(),
            };
        }
        let key = free_key(&fields, &ID);
        match id_selections(context.schema, &set.ty, &key) {
            Some(additions) => Self {
                id: Some(key),
                additions,
            },
            None => Self::default(),
        }
    }

    /// Adds the columns of the items, whose selections `sets` hold the additions already.
    fn row_layout(
        &self,
        context: Context<'_>,
        columns: &mut ColumnList<'_>,
        sets: &[SelectionSet],
        table: &TableDirective,
        path: &[Name],
        place: Option<SourceSpan>,
    ) -> Result<RowLayout, PlanError> {
        let fields = merge(sets, context.schema, context.variables);
        let mut cells = Vec::new();
        for field in &fields {
            // What only the planner asked for is no column.
            if !self.additions.is_empty() && Some(&field.key) == self.id.as_ref() && is_added(field, &self.additions) {
                cells.push(Cell {
                    key: field.key.to_string(),
                    role: CellRole::Ignored,
                });
                continue;
            }
            cells.extend(columns.add_cells(std::slice::from_ref(field), "", false)?);
        }
        let keys = match (&self.id, table.key.as_slice()) {
            (Some(id), _) => vec![id.to_string()],
            (None, keys) => keys.to_vec(),
        };
        if keys.is_empty() {
            return Ok(RowLayout {
                id: RowId::Position {
                    path: joined(path, "."),
                },
                cells,
            });
        }
        let index = |key: &String| {
            let is_plain = |field: &&MergedField| !field.has_fields() && !field.field.ty().is_list();
            fields
                .iter()
                .position(|field| field.key == key.as_str())
                .filter(|index| is_plain(&&fields[*index]))
        };
        let indices: Result<Vec<_>, _> = keys
            .iter()
            .map(|key| index(key).ok_or_else(|| no_such_key(context, key, table, place)))
            .collect();
        Ok(RowLayout {
            id: RowId::Cells(indices?),
            cells,
        })
    }
}

/// Whether a field is there only because the planner added it.
fn is_added(field: &MergedField, additions: &[Selection]) -> bool {
    let same = |selection: &Selection| match selection {
        Selection::Field(added) => *added == field.field,
        Selection::InlineFragment(inline) => inline.selection_set.fields().any(|added| *added == field.field),
        Selection::FragmentSpread(_) => false,
    };
    // An author's selection has a place in a file, an added one has none.
    field.field.location().is_none() && additions.iter().any(same)
}

fn no_such_key(context: Context<'_>, key: &str, table: &TableDirective, place: Option<SourceSpan>) -> PlanError {
    let finding = Finding {
        message: format!("the key column `{key}` is not among the row's plain values"),
        place: table.place.or(place),
        label: "named as a key here".to_owned(),
        help: "select it in the query, under that name; objects and lists cannot be keys".to_owned(),
    };
    finding.into_error(context.sources)
}

/// Rows that come by pages.
struct RelayField<'plan> {
    context: Context<'plan>,
    field: &'plan MergedField,
    path: &'plan [Name],
    table: usize,
}

impl RelayField<'_> {
    fn plan(
        &self,
        mut columns: ColumnList<'_>,
        ancestors: Vec<(Vec<Name>, usize)>,
        default_page_size: u32,
    ) -> Result<RowPlan, PlanError> {
        let context = self.context;
        let table = directives::table(&self.field.field.directives);
        let fields = merge(&self.field.sets, context.schema, context.variables);
        let source = self.item_source(&fields)?;
        let identity = Identity::of(context, &source.item_sets, &table);
        let (probe, field_additions) = self.page_probe(&fields, &source)?;
        let additions = Additions {
            field: field_additions,
            items_path: source.path.clone(),
            item: identity.additions.clone(),
        };

        let mut item_sets = source.item_sets.clone();
        for set in &mut item_sets {
            add_type_names(set, context.schema);
            set.selections.extend(identity.additions.iter().cloned());
        }
        let beside = self.beside(&mut columns, &fields, &source, &probe)?;
        let edge_cells = edge_cells(&mut columns, &source)?;
        let row = identity.row_layout(context, &mut columns, &item_sets, &table, self.path, place(self.field))?;
        let items = match source.path.as_slice() {
            [edges, node] => Items::Edges {
                edges: edges.to_string(),
                node: node.to_string(),
                edge_cells,
                beside,
            },
            path => Items::Nodes {
                nodes: joined(path, "."),
                beside,
            },
        };
        Ok(RowPlan {
            path: self.path.to_vec(),
            table,
            columns: columns.into_columns(),
            ancestors,
            layout: RowsLayout {
                table: self.table,
                items,
                row,
            },
            additions,
            relay: Some(RelayPlan {
                size: self.driven(&FIRST),
                cursor: self.driven(&AFTER),
                page_size: self.page_size(default_page_size)?,
                probe,
            }),
            is_optional: self.field.is_conditional,
        })
    }

    fn item_source(&self, fields: &[MergedField]) -> Result<ItemSource, PlanError> {
        let named = |name: &str| fields.iter().find(|field| field.field.name == name);
        match (named("nodes"), named("edges")) {
            (Some(nodes), None) => Ok(ItemSource {
                path: vec![nodes.key.clone()],
                is_conditional: nodes.is_conditional,
                item_sets: nodes.sets.clone(),
                edge_fields: Vec::new(),
            }),
            (None, Some(edges)) => {
                let edge_fields = merge(&edges.sets, self.context.schema, self.context.variables);
                let node = edge_fields.iter().find(|field| field.field.name == "node");
                let node = node.ok_or_else(|| {
                    self.refusal("`edges` is selected without `node`", "select `edges { node { … } }`")
                })?;
                Ok(ItemSource {
                    path: vec![edges.key.clone(), node.key.clone()],
                    is_conditional: edges.is_conditional || node.is_conditional,
                    item_sets: node.sets.clone(),
                    edge_fields: edge_fields.clone(),
                })
            }
            _ => Err(self.refusal(
                "`nodes` and `edges` are both selected",
                "select the rows under one of them",
            )),
        }
    }

    /// Where the paging stands in the response, and what has to be added for it to be there.
    fn page_probe(
        &self,
        fields: &[MergedField],
        source: &ItemSource,
    ) -> Result<(PageProbe, Vec<Selection>), PlanError> {
        const PAGE_INFO: Name = name!("pageInfo");
        let schema = self.context.schema;
        let is_usable = |field: &&MergedField| field.field.name == PAGE_INFO && !field.is_conditional;
        let existing = fields.iter().find(is_usable);
        let key = existing.map_or_else(|| free_key(fields, &PAGE_INFO), |field| field.key.clone());
        let inner = existing.map_or_else(Vec::new, |field| merge(&field.sets, schema, self.context.variables));
        let connection = self.field.field.ty().inner_named_type();
        let missing = || {
            self.refusal(
                "the connection has no usable `pageInfo`",
                "write @paginate(style: NONE)",
            )
        };
        let mut page_info = leaf_field(schema, connection, &PAGE_INFO, &key).ok_or_else(missing)?;
        let mut ensure = |name: Name| {
            if let Some(there) = inner
                .iter()
                .find(|field| field.field.name == name && !field.is_conditional)
            {
                return Some(there.key.to_string());
            }
            let key = free_key(&inner, &name);
            page_info
                .selection_set
                .push(leaf_field(schema, &page_info.selection_set.ty, &name, &key)?);
            Some(key.to_string())
        };
        let has_next_page = ensure(name!("hasNextPage")).ok_or_else(missing)?;
        let end_cursor = ensure(name!("endCursor")).ok_or_else(missing)?;
        let total = fields
            .iter()
            .find(|field| field.field.name == "totalCount" && !field.is_conditional);
        let probe = PageProbe {
            connection: self.table,
            items: source.path.first().map(ToString::to_string).unwrap_or_default(),
            are_items_optional: source.is_conditional,
            page_info: key.to_string(),
            has_next_page,
            end_cursor,
            total: total.map(|field| field.key.to_string()),
        };
        let is_complete = page_info.selection_set.selections.is_empty();
        Ok((
            probe,
            if is_complete {
                Vec::new()
            } else {
                vec![page_info.into()]
            },
        ))
    }

    /// Columns for what the author asks of the connection itself, beside its items and its paging.
    fn beside(
        &self,
        columns: &mut ColumnList<'_>,
        fields: &[MergedField],
        source: &ItemSource,
        probe: &PageProbe,
    ) -> Result<Vec<AncestorField>, PlanError> {
        let mut beside = Vec::new();
        for field in fields {
            let key = field.key.as_str();
            let is_paging = field.field.name == "pageInfo" || probe.total.as_deref() == Some(key);
            if is_paging || source.path.first() == Some(&field.key) {
                continue;
            }
            let name = joined(&[self.path, std::slice::from_ref(&field.key)].concat(), "_");
            let column = columns.add(field, &name, false)?;
            let role = AncestorRole::Columns(vec![ColumnPlace {
                table: self.table,
                column,
            }]);
            beside.push(AncestorField {
                key: key.to_owned(),
                role,
            });
        }
        Ok(beside)
    }

    fn driven(&self, argument: &Name) -> Driven {
        let variable = match self
            .field
            .field
            .specified_argument_by_name(argument)
            .map(|value| &**value)
        {
            // A variable that is used elsewhere too must keep its value there.
            Some(Value::Variable(name)) if self.context.variables.uses(name) == 1 => Some(name.clone()),
            _ => None,
        };
        let definition = self.field.field.definition.argument_by_name(argument);
        let ty = definition.map_or_else(
            || Type::Named(name!("String")),
            |definition| Type::clone(&definition.ty),
        );
        Driven {
            variable,
            ty: ty.non_null(),
        }
    }

    /// The page size that the author asks for, or else the source's.
    fn page_size(&self, default_page_size: u32) -> Result<u32, PlanError> {
        for argument in ["last", "before"] {
            if self.field.field.specified_argument_by_name(argument).is_some() {
                return Err(self.refusal(
                    &format!("`{argument}` asks for pages from the end"),
                    "remove it: all rows are fetched, from the first to the last",
                ));
            }
        }
        match self
            .field
            .field
            .specified_argument_by_name(&AFTER)
            .map(|value| &**value)
        {
            None | Some(Value::Null) => {}
            Some(Value::Variable(name)) if !self.context.variables.has_value(name) => {}
            Some(_) => return Err(self.refusal("`after` has a fixed value", "remove it: the cursor is ours to move")),
        }
        let directive = directives::paginate(&self.field.field.directives, self.context.sources)?;
        if let Some(size) = directive.size {
            return Ok(size);
        }
        let written = self
            .field
            .field
            .specified_argument_by_name(&FIRST)
            .filter(|value| value.location().is_some());
        match written.map(|value| &**value) {
            None | Some(Value::Null) => Ok(default_page_size),
            Some(Value::Variable(name)) => Ok(self.given_size(name).unwrap_or(default_page_size)),
            Some(value) => directives::positive(value).ok_or_else(|| {
                self.refusal(
                    "the page size must be at least 1",
                    "write a number of rows, or leave it out",
                )
            }),
        }
    }

    fn given_size(&self, variable: &Name) -> Option<u32> {
        let given = self.context.variables.size(variable)?;
        u32::try_from(given).ok().filter(|size| *size > 0)
    }

    fn refusal(&self, message: &str, help: &str) -> PlanError {
        let finding = Finding {
            message: format!("`{}`: {message}", self.field.key),
            place: place(self.field),
            label: "this connection".to_owned(),
            help: help.to_owned(),
        };
        finding.into_error(self.context.sources)
    }
}

/// Where a connection's items stand.
struct ItemSource {
    /// `nodes`, or `edges` and `node`: their response keys.
    path: Vec<Name>,
    /// Whether a condition may leave them out.
    is_conditional: bool,
    item_sets: Vec<SelectionSet>,
    edge_fields: Vec<MergedField>,
}

/// Columns for what the author asks of an edge beside its node and its cursor.
fn edge_cells(columns: &mut ColumnList<'_>, source: &ItemSource) -> Result<Vec<Cell>, PlanError> {
    let mut cells = Vec::new();
    for field in &source.edge_fields {
        let is_paging = field.field.name == "cursor" || source.path.last() == Some(&field.key);
        if !is_paging {
            cells.extend(columns.add_cells(std::slice::from_ref(field), "edge_", false)?);
        }
    }
    Ok(cells)
}

/// A field with an argument replaced, added or (with `None`) removed.
pub(crate) fn set_argument(field: &mut Field, name: &Name, value: Option<Value>) {
    field.arguments.retain(|argument| argument.name != *name);
    if let Some(value) = value {
        let argument = apollo_compiler::ast::Argument {
            name: name.clone(),
            value: Node::new(value),
        };
        field.arguments.push(Node::new(argument));
    }
}
