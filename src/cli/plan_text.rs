//! What `gqldump plan` tells people.

use std::io::{Result, Write};

use crate::cli::arguments::RequestForm;
use crate::cli::plan::{PlannedSource, requests};
use crate::cli::words::{cut_lines, each_line, left_out_lines, paging_lines, whole_list_lines};
use crate::plan::{Connection, PlanDescription, TableDescription};
use crate::report::{counted, duration};
use crate::run::{Estimate, KnownBy, LearntCut, Preview, span};

/// Writes what one query file will do.
pub(super) fn write_query(
    output: &mut impl Write,
    source: &PlannedSource<'_>,
    name: &str,
    preview: &Preview,
    form: Option<RequestForm>,
) -> Result<()> {
    writeln!(output, "{}/{name}", source.name)?;
    if let Some(each) = &preview.plan.each {
        writeln!(output, "\n  {}", each_line(each, preview.members.as_ref()))?;
    }
    let description = &preview.plan.description;
    for table in &description.tables {
        write_table(output, preview, table)?;
    }
    for line in left_out_lines(&preview.plan) {
        writeln!(output, "\n  {line}")?;
    }
    for line in whole_list_lines(description) {
        writeln!(output, "\n  {line}")?;
    }
    for line in cut_lines(preview.cuts()) {
        writeln!(output, "\n  {line}")?;
    }
    for LearntCut { connection, groups } in &preview.learnt_cuts {
        writeln!(
            output,
            "\n  columns of `{connection}` in {groups} requests: earlier runs had to cut its rows so to get them"
        )?;
    }
    if let Some(form) = form {
        write_requests(output, preview, &source.secrets, form)?;
    }
    write_estimate(output, source, preview)?;
    writeln!(output)
}

/// Writes what all query files of a source take together, where there are several.
pub(super) fn write_source(output: &mut impl Write, source: &PlannedSource<'_>) -> Result<()> {
    if source.queries.len() < 2 {
        return Ok(());
    }
    let estimates = source.queries.iter().map(|(_, preview)| &preview.estimate);
    let (requests, is_at_least) = in_all(estimates);
    let noun = counted(source.queries.len() as u64, "query file");
    writeln!(
        output,
        "{}: {noun}, {}",
        source.name,
        taking(requests, is_at_least, source)
    )
}

/// The requests of several query files together, and whether there will be more.
pub(super) fn in_all<'estimates>(estimates: impl Iterator<Item = &'estimates Estimate>) -> (Option<u64>, bool) {
    let mut requests = None;
    let mut is_at_least = false;
    for estimate in estimates {
        is_at_least |= estimate.is_at_least;
        requests = match (requests, estimate.requests) {
            (None, none_or_some) => none_or_some,
            (Some(before), more) => Some(before + more.unwrap_or(0)),
        };
    }
    (requests, is_at_least)
}

fn write_table(output: &mut impl Write, preview: &Preview, table: &TableDescription) -> Result<()> {
    let description = &preview.plan.description;
    let indent = "  ".repeat(1 + depth(description, table));
    writeln!(output, "\n{indent}table {}", table.name)?;
    for line in paging_lines(description, table) {
        writeln!(output, "{indent}  {line}")?;
    }
    if let Some(size) = first_size(preview, table) {
        let page = counted(size.into(), "row");
        writeln!(output, "{indent}    a first page of {page} comes with each row above")?;
    }
    let width = table.columns.iter().map(|column| column.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for column in &table.columns {
        let nullability = if column.nullable { "" } else { " not null" };
        let (name, ty) = (&column.name, &column.ty);
        writeln!(output, "{indent}  {name:width$}  {ty}{nullability}")?;
    }
    Ok(())
}

/// The size of the first page that travels with the page of its parent.
fn first_size(preview: &Preview, table: &TableDescription) -> Option<u32> {
    let connections = &preview.plan.connections;
    let index = connections
        .iter()
        .position(|connection| connection.path == table.path && comes_with_rows(connection))?;
    connections[index].paged.size.as_ref()?;
    preview.first_sizes.get(index).copied()
}

/// Whether the first page of a connection comes with the rows that it stands in.
fn comes_with_rows(connection: &Connection) -> bool {
    connection.parent.is_some() && !connection.is_detached
}

/// Tables above a table.
fn depth(description: &PlanDescription, table: &TableDescription) -> usize {
    let parent = |table: &TableDescription| {
        let name = table.parent.as_ref()?;
        description.tables.iter().find(|other| other.name == *name)
    };
    std::iter::successors(parent(table), |above| parent(above)).count()
}

fn write_requests(output: &mut impl Write, preview: &Preview, secrets: &[&str], form: RequestForm) -> Result<()> {
    writeln!(output, "\n  requests; `<…>` stands for what only answers tell")?;
    for planned in requests(preview, secrets) {
        let connection = planned.connection.and_then(|index| preview.plan.connections.get(index));
        match connection {
            None if preview.plan.mixes_members() => {
                writeln!(
                    output,
                    "    for the first pages of one value; those of several travel in one request"
                )?;
            }
            None if preview.plan.each.is_some() => writeln!(output, "    for each value")?,
            None => writeln!(output, "    for the first pages of everything")?,
            Some(connection) if planned.is_first => {
                writeln!(output, "    for the first page of `{}` in a row", connection.path)?;
            }
            Some(connection) => writeln!(output, "    for a further page of `{}`", connection.path)?,
        }
        if preview.plan.pieces(0) > 1 {
            writeln!(output, "      columns, group {}", planned.group + 1)?;
        }
        let text = match form {
            RequestForm::Pretty => planned.request.pretty(),
            RequestForm::Sent => planned.request.text.to_string(),
        };
        for line in text.lines() {
            writeln!(output, "      {line}")?;
        }
        let variables = serde_json::Value::Object(planned.request.variables);
        writeln!(output, "      variables {variables}")?;
    }
    match preview.plan.connections.as_slice() {
        [] | [_] => Ok(()),
        _ => writeln!(
            output,
            "    further pages of several rows travel in one request, under aliases"
        ),
    }
}

fn write_estimate(output: &mut impl Write, source: &PlannedSource<'_>, preview: &Preview) -> Result<()> {
    let estimate = &preview.estimate;
    let taking = taking(estimate.requests, estimate.is_at_least, source);
    writeln!(output, "\n  {taking}")?;
    if estimate.requests.is_none() {
        let remedy = match preview.plan.probe {
            _ if preview.plan.each.is_some() => {
                "a run of the query file that has the values will show how many there are"
            }
            Some(_) => "a run will show it, or --probe asks for the total",
            None => "a run will show it; there is no total to ask for",
        };
        return writeln!(output, "    {remedy}");
    }
    for (connection, known) in preview.plan.connections.iter().zip(&estimate.rows) {
        let rows = match (known.rows, known.known_by) {
            (Some(rows), Some(KnownBy::Total)) => format!("{} by its total", counted(rows, "row")),
            (Some(rows), _) => format!("about {}, as earlier runs showed", counted(rows, "row")),
            (None, _) => "its number of rows is unknown".to_owned(),
        };
        writeln!(output, "    `{}`: {rows}", connection.path)?;
    }
    Ok(())
}

/// `about 38 requests, which the budget allows within 24.0s`
fn taking(requests: Option<u64>, is_at_least: bool, source: &PlannedSource<'_>) -> String {
    let Some(number) = requests else {
        return "an unknown number of requests".to_owned();
    };
    let about = if is_at_least { "at least" } else { "about" };
    let requests = counted(number, "request");
    let span = span(number, source.limits);
    match (source.limits.is_empty(), span.is_zero()) {
        (true, _) => format!("{about} {requests}, without a budget to hold to"),
        (false, true) => format!("{about} {requests}, which the budget allows at once"),
        (false, false) => format!("{about} {requests}, which the budget allows within {}", duration(span)),
    }
}
