//! Fields that the token may not see: left out of what is asked for, while the tables keep their columns.

use apollo_compiler::ast::{Directive, DirectiveList};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::Name;
use serde::{Deserialize, Serialize};

use crate::plan::named::{Selected, SelectedField};
use crate::plan::place::stands_in;
use crate::plan::report::PlanError;
use crate::plan::row_plan::{RowPlan, joined};
use crate::plan::survey::Survey;

/// Marks a selection that is not written into requests; no directive of an author's can be called so.
const LEFT_OUT: Name = Name::new_static_unchecked("left-out");

/// Marks a selection that the token may not see in single rows.
const IN_ROWS: Name = Name::new_static_unchecked("in-rows");

/// A field that the token may not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeniedField {
    /// Its place in the response, with dots and without positions in lists.
    pub path: String,
    /// What the API said.
    pub cause: String,
    /// When it said so, in milliseconds since 1970.
    pub denied_at: u64,
    /// Whether it is denied in single rows, and is asked for apart from their other columns.
    #[serde(default)]
    pub is_in_rows: bool,
    /// Whether the API does not say that it is denied: it fails each time, and takes more with it than itself.
    #[serde(default)]
    pub is_failing: bool,
    /// Rows that the run had of its table before it was left out.
    #[serde(default)]
    pub rows_before: u64,
}

impl DeniedField {
    /// Why it is not asked for with the others.
    pub fn why(&self) -> &'static str {
        match self.is_failing {
            true => "it fails each time",
            false => "the token may not see it",
        }
    }
}

/// A denied field that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The field. One that is denied in single rows is left out where there is no way to ask for it apart.
    pub field: DeniedField,
    /// The table of which it is a column; `None` for a field with rows of tables of their own in it.
    pub table: Option<usize>,
}

/// Marks the fields at these paths, wherever they are selected.
pub(crate) fn leave_out(set: &mut SelectionSet, denied: &[DeniedField]) {
    for field in denied {
        let path: Vec<&str> = field.path.split('.').collect();
        let name = match field.is_in_rows {
            true => IN_ROWS,
            false => LEFT_OUT,
        };
        mark(set, &path, &name);
    }
}

fn mark(set: &mut SelectionSet, path: &[&str], name: &Name) {
    let Some((key, rest)) = path.split_first() else { return };
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) if field.response_key() == key => {
                let field = field.make_mut();
                if !rest.is_empty() {
                    mark(&mut field.selection_set, rest, name);
                } else if !field.directives.has(name) {
                    field.directives.push(Directive::new(name.clone()));
                }
            }
            Selection::InlineFragment(inline) => mark(&mut inline.make_mut().selection_set, path, name),
            Selection::Field(_) | Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether a selection is not written into requests.
pub(crate) fn is_left_out(directives: &DirectiveList) -> bool {
    directives.iter().any(|directive| directive.name == LEFT_OUT)
}

/// The response keys of what is not written of a selection.
pub(crate) fn left_out_keys(set: &SelectionSet) -> Vec<&Name> {
    let keys = set.selections.iter().flat_map(|selection| match selection {
        Selection::Field(field) if is_left_out(&field.directives) => vec![field.response_key()],
        Selection::InlineFragment(inline) => left_out_keys(&inline.selection_set),
        Selection::Field(_) | Selection::FragmentSpread(_) => Vec::new(),
    });
    keys.collect()
}

/// Whether a directive marks what the token may not see, in single rows or at all.
pub(crate) fn is_mark(directive: &Directive) -> bool {
    directive.name == LEFT_OUT || directive.name == IN_ROWS
}

/// All fields that are selected, by their places.
pub(crate) fn selected_fields(set: &SelectionSet) -> Selected {
    let mut paths = Selected::new();
    collect_paths(set, "", &mut paths);
    paths
}

fn collect_paths(set: &SelectionSet, above: &str, paths: &mut Selected) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                let path = format!("{above}{}", field.response_key());
                collect_paths(&field.selection_set, &format!("{path}."), paths);
                let field = SelectedField {
                    ty: set.ty.to_string(),
                    name: field.name.to_string(),
                    is_never_null: field.ty().is_non_null(),
                    is_list: field.ty().is_list(),
                };
                paths.insert(path, field);
            }
            Selection::InlineFragment(inline) => collect_paths(&inline.selection_set, above, paths),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// What is left out of a query with these selections; what of it is not selected any more is none of its business.
/// `hopeless` are the places of fields that are denied in single rows, and cannot be asked for apart.
pub(crate) fn left_out(
    denied: &[DeniedField],
    hopeless: &[String],
    selected: &Selected,
    survey: &Survey,
) -> Vec<LeftOut> {
    let denied = denied
        .iter()
        .filter(|field| !field.is_in_rows && selected.contains_key(&field.path));
    let left_out = denied.map(|field| LeftOut {
        field: DeniedField {
            is_in_rows: hopeless.contains(&field.path),
            ..field.clone()
        },
        table: table_of(&field.path, survey),
    });
    left_out.collect()
}

/// The table that the value at a path is a column of: that of the innermost items around it, or the first below it.
fn table_of(path: &str, survey: &Survey) -> Option<usize> {
    let is_in = |inner: &str, outer: &str| outer.is_empty() || stands_in(inner, outer);
    let rows = survey.rows.iter().enumerate();
    if rows
        .clone()
        .any(|(_, row)| !row.path.is_empty() && is_in(&joined(&row.path, "."), path))
    {
        return None;
    }
    let around = rows.filter(|(_, row)| is_in(path, &joined(&row.path, ".")));
    let innermost = around.max_by_key(|(_, row)| row.path.len());
    innermost.map(|(index, _)| index).or(Some(0))
}

/// Refuses to leave out what rows are told by, or all that is asked for. `whole` and `rest` are the plans with and
/// without the denied fields.
pub(crate) fn check_left_out(
    left_out: &[LeftOut],
    survey: &Survey,
    (whole, rest): (&[RowPlan], &[RowPlan]),
) -> Result<(), PlanError> {
    let named = || {
        let named = left_out
            .iter()
            .map(|LeftOut { field, .. }| format!("`{}`: {}", field.path, field.cause));
        named.collect::<Vec<_>>().join("; ")
    };
    let outermost = survey.rows.iter().filter(|row| row.parent.is_none());
    let is_gone = |path: &str| {
        left_out
            .iter()
            .any(|LeftOut { field, .. }| path == field.path || path.starts_with(&format!("{}.", field.path)))
    };
    if outermost.map(|row| joined(&row.path, ".")).all(|path| is_gone(&path)) {
        return Err(PlanError::plain(format!(
            "the token may see nothing of what the query is for ({}); use another token, or, if its rights have changed, \
             `gqldump status --forget`",
            named()
        )));
    }
    if whole.iter().map(RowPlan::told_by).ne(rest.iter().map(RowPlan::told_by)) {
        return Err(PlanError::plain(format!(
            "the token may not see what rows are told by or asked for again by, which cannot be left out ({}); use another \
             token, or name another key with @table(key: …); if its rights have changed, `gqldump status --forget`",
            named()
        )));
    }
    Ok(())
}
