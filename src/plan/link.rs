//! Query files that take values from others: which one has the column that `@each` names, and whether the files can be
//! put in an order.

use crate::plan::each::{Each, EachVariable};
use crate::plan::query_plan::Plan;
use crate::plan::report::PlanError;
use crate::plan::table::{ColumnType, Table};
use crate::schema::nearest;

/// A query file by its name, and its plan.
pub type PlannedFile = (String, Result<Plan, PlanError>);

/// Settles for each of a source's query files which other one its values come from. One that names no column that there
/// is, that waits for itself, or that takes values from a query file that is refused, is refused.
pub fn link(files: &mut [PlannedFile]) {
    let found: Vec<Option<Result<Each, PlanError>>> = (0..files.len())
        .map(|index| Some(Search { files }.find(&files[index].0, variable(files, index)?)))
        .collect();
    for ((_, plan), each) in files.iter_mut().zip(found) {
        match (&mut *plan, each) {
            (Ok(linked), Some(Ok(each))) => linked.each = Some(each),
            (Ok(_), Some(Err(error))) => *plan = Err(error),
            (Ok(_) | Err(_), _) => {}
        }
    }
    refuse_circles(files);
    refuse_what_follows(files);
}

fn variable(files: &[PlannedFile], index: usize) -> Option<&EachVariable> {
    files[index].1.as_ref().ok()?.each_variable()
}

/// The query file that another one takes its values from.
fn next(files: &[PlannedFile], index: usize) -> Option<usize> {
    let each = files[index].1.as_ref().ok()?.each.as_ref()?;
    files.iter().position(|(name, _)| *name == each.query)
}

/// Looks a column up among the tables of all query files.
struct Search<'files> {
    files: &'files [PlannedFile],
}

impl Search<'_> {
    fn find(&self, own: &str, variable: &EachVariable) -> Result<Each, PlanError> {
        let Some((query, table)) = self.tables().find(|(_, table)| table.name.as_str() == variable.table) else {
            return Err(self.no_table(own, variable));
        };
        let ty = column_type(table, &variable.column).map_err(|near| no_column(variable, near))?;
        variable.over(query, ty).ok_or_else(|| {
            let message = format!(
                "the column `{}` of type {ty} has no values for `${}` of type {}",
                variable.of(),
                variable.name,
                variable.ty
            );
            variable.refusal(message, "name a column of single values of that type".to_owned())
        })
    }

    fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        let planned = self
            .files
            .iter()
            .filter_map(|(name, plan)| Some((name, plan.as_ref().ok()?)));
        planned.flat_map(|(name, plan)| plan.tables.iter().map(move |table| (name.as_str(), table)))
    }

    fn no_table(&self, own: &str, variable: &EachVariable) -> PlanError {
        let wanted = &variable.table;
        // By its name: what a file that cannot be planned would have is not known.
        let is_of = |name: &str| {
            wanted
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
        };
        let refused = self.files.iter().find(|(name, plan)| plan.is_err() && is_of(name));
        if let Some((name, _)) = refused {
            let message = format!("the query file `{name}`, which should have the table `{wanted}`, is refused itself");
            return variable.refusal(message, format!("mend `{name}` first"));
        }
        let names: Vec<&str> = self.tables().map(|(_, table)| table.name.as_str()).collect();
        let help = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let others = self.tables().filter(|(query, _)| *query != own);
                let others: Vec<String> = others.map(|(_, table)| format!("`{}`", table.name)).collect();
                match others.is_empty() {
                    true => "put a query file that has it into the same folder".to_owned(),
                    false => format!("the source has the tables {}", others.join(", ")),
                }
            }
        };
        variable.refusal(format!("no query file of this source has a table `{wanted}`"), help)
    }
}

/// The type of a column, or of a field within a STRUCT; else the nearest name that there is, where there is one.
fn column_type<'table>(table: &'table Table, path: &[String]) -> Result<&'table ColumnType, Option<String>> {
    let mut columns = table.columns.as_slice();
    let mut ty = None;
    for name in path {
        let Some(column) = columns.iter().find(|column| column.name == *name) else {
            let names = columns.iter().map(|column| column.name.as_str());
            return Err(nearest(name, names).map(str::to_owned));
        };
        columns = match &column.ty {
            ColumnType::Struct(fields) => fields,
            ColumnType::Scalar(_) | ColumnType::List(_) => &[],
        };
        ty = Some(&column.ty);
    }
    ty.ok_or(None)
}

fn no_column(variable: &EachVariable, near: Option<String>) -> PlanError {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`gqldump plan` shows the columns of each table".to_owned(),
    };
    variable.refusal(
        format!(
            "the table `{}` has no column `{}`",
            variable.table,
            variable.column.join(".")
        ),
        help,
    )
}

/// Refuses query files that wait for themselves.
fn refuse_circles(files: &mut [PlannedFile]) {
    let circles: Vec<(usize, Vec<usize>)> = (0..files.len())
        .filter_map(|index| Some((index, circle(files, index)?)))
        .collect();
    let errors: Vec<(usize, PlanError)> = circles
        .into_iter()
        .filter_map(|(index, circle)| {
            let names = circle.iter().chain([&index]).map(|file| files[*file].0.as_str());
            let names: Vec<&str> = names.collect();
            let message = format!(
                "query files take their values from each other in a circle: {}",
                names.join(" → ")
            );
            let help = "take @each from one of them, and give its variable a value with --var or a default";
            Some((index, variable(files, index)?.refusal(message, help.to_owned())))
        })
        .collect();
    for (index, error) in errors {
        files[index].1 = Err(error);
    }
}

/// The query files on the way from one back to itself.
fn circle(files: &[PlannedFile], start: usize) -> Option<Vec<usize>> {
    let mut way = vec![start];
    while let Some(file) = next(files, *way.last()?) {
        if file == start {
            return Some(way);
        }
        if way.contains(&file) {
            return None;
        }
        way.push(file);
    }
    None
}

/// Refuses query files whose values come from one that is refused, as long as there are any.
fn refuse_what_follows(files: &mut [PlannedFile]) {
    let lost = |files: &[PlannedFile]| {
        (0..files.len()).find_map(|index| {
            let upstream = next(files, index).filter(|upstream| files[*upstream].1.is_err())?;
            let name = &files[upstream].0;
            let variable = variable(files, index)?;
            let message = format!(
                "the query file `{name}`, which `${}` takes its values from, is refused",
                variable.name
            );
            Some((index, variable.refusal(message, format!("mend `{name}` first"))))
        })
    };
    while let Some((index, error)) = lost(files) {
        files[index].1 = Err(error);
    }
}
