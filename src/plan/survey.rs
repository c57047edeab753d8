//! Finding the row fields of a query: which of its fields become tables, and what stands above them.

use apollo_compiler::executable::SelectionSet;
use apollo_compiler::schema::Name;

use crate::plan::columns::{Context, selects_items, unknown_paging};
use crate::plan::directives::{self, DirectiveStyle};
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::{MergedField, add_type_names, merge};
use crate::schema::{Paging, paging};

/// A field above the rows, or a row field itself.
#[derive(Debug)]
pub(crate) enum Branch {
    /// A value that becomes a column of the tables below the object that holds it.
    Value(MergedField),
    /// A singular object with row fields below it.
    Object(MergedField, Vec<Branch>),
    /// A row field: an index into the list of row fields.
    Rows(usize),
}

/// A field whose items become rows.
#[derive(Debug)]
pub(crate) struct RowField {
    /// Response keys from `data` to the field; empty for an operation that is itself the one row.
    pub(crate) path: Vec<Name>,
    pub(crate) kind: RowFieldKind,
}

/// What kind of row field it is.
#[derive(Debug)]
pub(crate) enum RowFieldKind {
    Relay(MergedField),
    /// A list that is not paginated.
    List(MergedField),
    /// The operation: there is no list in it.
    Operation(Vec<SelectionSet>),
}

/// Which fields count as row fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Connections,
    Lists,
}

/// The row fields of a query, and the tree of what stands above them.
pub(crate) fn survey(context: Context<'_>, set: &SelectionSet) -> Result<(Vec<RowField>, Vec<Branch>), PlanError> {
    for wanted in [Wanted::Connections, Wanted::Lists] {
        let mut rows = Vec::new();
        let branches = walk(context, std::slice::from_ref(set), &[], wanted, &mut rows)?;
        if !rows.is_empty() {
            return Ok((rows, branches));
        }
    }
    let mut set = set.clone();
    add_type_names(&mut set, context.schema);
    let operation = RowField {
        path: Vec::new(),
        kind: RowFieldKind::Operation(vec![set]),
    };
    Ok((vec![operation], vec![Branch::Rows(0)]))
}

fn walk(
    context: Context<'_>,
    sets: &[SelectionSet],
    path: &[Name],
    wanted: Wanted,
    rows: &mut Vec<RowField>,
) -> Result<Vec<Branch>, PlanError> {
    let fields = merge(sets, context.schema, context.variables);
    fields
        .into_iter()
        .map(|field| branch(context, field, path, wanted, rows))
        .collect()
}

fn branch(
    context: Context<'_>,
    field: MergedField,
    above: &[Name],
    wanted: Wanted,
    rows: &mut Vec<RowField>,
) -> Result<Branch, PlanError> {
    if !field.has_fields() {
        return Ok(Branch::Value(field));
    }
    let path = [above, std::slice::from_ref(&field.key)].concat();
    if is_connection(context, &field)? {
        rows.push(RowField {
            path,
            kind: RowFieldKind::Relay(field),
        });
        return Ok(Branch::Rows(rows.len() - 1));
    }
    if field.field.ty().is_list() {
        if wanted == Wanted::Lists {
            rows.push(RowField {
                path,
                kind: RowFieldKind::List(with_type_names(context, field)),
            });
            return Ok(Branch::Rows(rows.len() - 1));
        }
        return Ok(Branch::Value(with_type_names(context, field)));
    }
    let rows_before = rows.len();
    let below = walk(context, &field.sets, &path, wanted, rows)?;
    if rows.len() > rows_before {
        return Ok(Branch::Object(field, below));
    }
    Ok(Branch::Value(with_type_names(context, field)))
}

fn is_connection(context: Context<'_>, field: &MergedField) -> Result<bool, PlanError> {
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    if directive.style == Some(DirectiveStyle::None) {
        return Ok(false);
    }
    match paging(context.schema, &field.field.definition) {
        Paging::Relay => Ok(selects_items(field)),
        Paging::Unknown { arguments } => Err(unknown_paging(context.sources, field, &arguments)),
        Paging::None if directive.style.is_some() => Err(Finding {
            message: format!("`{}` is no Relay connection", field.key),
            place: field.key.location(),
            label: "said to be one by @paginate".to_owned(),
            help: "a Relay connection takes `first` and `after` and has `pageInfo` and `nodes` or `edges`".to_owned(),
        }
        .into_error(context.sources)),
        Paging::None => Ok(false),
    }
}

fn with_type_names(context: Context<'_>, mut field: MergedField) -> MergedField {
    for set in &mut field.sets {
        add_type_names(set, context.schema);
    }
    field
}
