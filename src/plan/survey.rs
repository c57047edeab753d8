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
            refuse_lists(context, &branches)?;
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

/// Refuses lists of objects beside the rows: they would be copied into each row, and lost where there is none.
fn refuse_lists(context: Context<'_>, branches: &[Branch]) -> Result<(), PlanError> {
    for branch in branches {
        match branch {
            Branch::Value(field) if field.has_fields() && field.field.ty().is_list() => {
                let finding = Finding {
                    message: format!("the list `{}` stands beside a paginated field", field.key),
                    place: field.key.location(),
                    label: "would be copied into each row of the other".to_owned(),
                    help: "give it a query file of its own".to_owned(),
                };
                return Err(finding.into_error(context.sources));
            }
            Branch::Object(_, below) => refuse_lists(context, below)?,
            Branch::Value(_) | Branch::Rows(_) => {}
        }
    }
    Ok(())
}

fn list_of_lists(context: Context<'_>, field: &MergedField) -> PlanError {
    let finding = Finding {
        message: format!("`{}` is a list of lists of objects", field.key),
        place: field.key.location(),
        label: "its items cannot be rows".to_owned(),
        help: "there is no way yet to export it; select it below an object, where it becomes a LIST column".to_owned(),
    };
    finding.into_error(context.sources)
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
        if field.field.ty().item_type().is_list() {
            return Err(list_of_lists(context, &field));
        }
        if wanted == Wanted::Lists {
            let kind = RowFieldKind::List(with_type_names(context, field));
            rows.push(RowField { path, kind });
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

/// Connections that `@paginate(style: NONE)` keeps from being read on: what is behind their first page is not asked for.
pub(crate) fn switched_off(context: Context<'_>, set: &SelectionSet) -> Result<Vec<String>, PlanError> {
    let mut found = Vec::new();
    for field in merge(std::slice::from_ref(set), context.schema, context.variables) {
        collect_switched_off(context, &field, String::new(), &mut found)?;
    }
    Ok(found)
}

fn collect_switched_off(
    context: Context<'_>,
    field: &MergedField,
    above: String,
    found: &mut Vec<String>,
) -> Result<(), PlanError> {
    let path = above + field.key.as_str();
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    let is_off = directive.style == Some(DirectiveStyle::None);
    if is_off && paging(context.schema, &field.field.definition) == Paging::Relay && selects_items(field) {
        found.push(path.clone());
    }
    for below in merge(&field.sets, context.schema, context.variables) {
        collect_switched_off(context, &below, format!("{path}."), found)?;
    }
    Ok(())
}

fn with_type_names(context: Context<'_>, mut field: MergedField) -> MergedField {
    for set in &mut field.sets {
        add_type_names(set, context.schema);
    }
    field
}
