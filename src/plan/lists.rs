//! Lists of a query that are not read page by page, and why not.

use apollo_compiler::executable::SelectionSet;
use apollo_compiler::schema::Name;
use serde::Serialize;

use crate::plan::columns::Context;
use crate::plan::directives;
use crate::plan::paged::would_be_paged;
use crate::plan::report::PlanError;
use crate::plan::row_plan::joined;
use crate::plan::selection::{MergedField, merge};
use crate::plan::survey::Survey;
use crate::schema::{Paging, StyleHint, paging};

/// A list that is the value of a column, or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WholeList {
    /// Its place in the response, with dots.
    pub path: String,
    /// Why what comes counts as all there is.
    pub reason: String,
    /// Whether there may be more of it all the same, by its arguments.
    #[serde(skip)]
    pub may_be_cut: bool,
}

/// The lists of a query that are not paginated: those that are row fields all the same, and those that are values.
pub(crate) fn whole_lists(
    context: Context<'_>,
    set: &SelectionSet,
    survey: &Survey,
) -> Result<(Vec<WholeList>, Vec<WholeList>), PlanError> {
    let mut finder = Finder {
        context,
        survey,
        of_rows: Vec::new(),
        of_values: Vec::new(),
    };
    finder.look(std::slice::from_ref(set), &[], false)?;
    Ok((finder.of_rows, finder.of_values))
}

struct Finder<'plan> {
    context: Context<'plan>,
    survey: &'plan Survey,
    of_rows: Vec<WholeList>,
    of_values: Vec<WholeList>,
}

impl Finder<'_> {
    /// `is_cut` tells that the selections stand in a connection of which only the first page is read.
    fn look(&mut self, sets: &[SelectionSet], above: &[Name], is_cut: bool) -> Result<(), PlanError> {
        for field in merge(sets, self.context.schema, self.context.variables) {
            let path = [above, std::slice::from_ref(&field.key)].concat();
            let is_switched_off = is_switched_off(self.context, &field)?;
            if field.field.ty().is_list() && !self.is_of_pages(&path) {
                let (reason, may_be_cut) = match is_cut || is_switched_off {
                    true => (
                        "only the first page is read, as @paginate(style: NONE) says".to_owned(),
                        false,
                    ),
                    false => why_whole(self.context, &field)?,
                };
                let is_row_field = self.survey.rows.iter().any(|row| row.path == path);
                let found = if is_row_field {
                    &mut self.of_rows
                } else {
                    &mut self.of_values
                };
                let path = joined(&path, ".");
                found.push(WholeList {
                    path,
                    reason,
                    may_be_cut,
                });
            }
            let is_cut = is_switched_off && !field.field.ty().is_list();
            self.look(&field.sets, &path, is_cut)?;
        }
        Ok(())
    }

    /// Whether the list at `path` is paginated, or leads from a paginated field to its items.
    fn is_of_pages(&self, path: &[Name]) -> bool {
        let mut paged = self.survey.rows.iter().filter(|row| row.paged().is_some());
        paged.any(|row| path.starts_with(&row.path) && row.items_path().starts_with(path))
    }
}

fn is_switched_off(context: Context<'_>, field: &MergedField) -> Result<bool, PlanError> {
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    Ok(directive.hints.style == Some(StyleHint::None) && would_be_paged(context, field))
}

/// Why a list is not read page by page, and whether there may be more of it all the same.
fn why_whole(context: Context<'_>, field: &MergedField) -> Result<(String, bool), PlanError> {
    let directive = directives::paginate(&field.field.directives, context.sources)?;
    let said = context.paging.hints(&field.parent, &field.field.name);
    let arguments = match paging(context.schema, &field.field.definition, &directive.hints.over(&said)) {
        Ok(Paging::Undecided { arguments, .. }) => arguments,
        Ok(Paging::Paged(paged)) => paged.arguments().map(ToString::to_string).collect(),
        Ok(Paging::None) | Err(_) => Vec::new(),
    };
    if !field.has_fields() && !arguments.is_empty() {
        let arguments: Vec<String> = arguments.iter().map(|argument| format!("`{argument}`")).collect();
        let arguments = arguments.join(" and ");
        let reason = format!("plain values are not read page by page (by {arguments} there may be more of them)");
        return Ok((reason, true));
    }
    Ok(("no argument asks for further rows".to_owned(), false))
}
