//! What `gqldump status` tells people.

use std::io::{Result, Write};
use std::time::{Duration, SystemTime};

use crate::cli::words::{date_of, moment_of};
use crate::plan::DeniedField;
use crate::report::{bytes, counted, duration};
use crate::run::{Learnt, LearntConnection, PublishedStatus, QueryStatus, UnfinishedStatus};

/// What is lacking in a run that is told line by line; the rest is counted, and stands in the manifest.
const TOLD_LACKS: usize = 5;

/// Writes what is known of one query file.
pub(super) fn write_query(
    output: &mut impl Write,
    source: &str,
    query: &QueryStatus,
    has_learnt: bool,
    now: SystemTime,
) -> Result<()> {
    writeln!(output, "{source}/{}", query.query)?;
    if let Some(run) = &query.unfinished {
        write_unfinished(output, run, now)?;
    }
    if let Some(last) = query.last.as_ref().filter(|last| !last.complete) {
        write_incomplete(output, last)?;
    }
    match &query.last_complete {
        Some(run) => writeln!(output, "  last complete run {}", described(run))?,
        None => writeln!(output, "  no complete run yet")?,
    }
    if has_learnt {
        write_learnt(output, &query.learnt, now)?;
    }
    Ok(())
}

fn write_unfinished(output: &mut impl Write, run: &UnfinishedStatus, now: SystemTime) -> Result<()> {
    let age = age(run.started_at, now);
    let done = format!("{}, {}", counted(run.responses, "response"), counted(run.rows, "row"));
    let rest = match run.is_publishing {
        true => "all is read, and is about to be published".to_owned(),
        false => format!("{} known to be left", counted(run.open_pages, "page")),
    };
    writeln!(output, "  unfinished run {}, begun {age} ago: {done}; {rest}", run.run)?;
    writeln!(output, "    `gqldump run` goes on from there")
}

fn write_incomplete(output: &mut impl Write, run: &PublishedStatus) -> Result<()> {
    writeln!(output, "  last run {}; it is not complete:", described(run))?;
    for lack in run.incomplete.iter().take(TOLD_LACKS) {
        writeln!(output, "    {lack}")?;
    }
    match run.incomplete.len().saturating_sub(TOLD_LACKS) {
        0 => Ok(()),
        more => writeln!(output, "    and {more} more in its _manifest.json"),
    }
}

/// `20261120T021500Z, published 2026-11-20T02:31:07.250Z: 1,500 rows in 1 table, 38 requests`
fn described(run: &PublishedStatus) -> String {
    let rows = counted(run.rows, "row");
    let (tables, requests) = (counted(run.tables, "table"), counted(run.requests, "request"));
    format!(
        "{}, published {}: {rows} in {tables}, {requests}",
        run.run, run.finished
    )
}

fn write_learnt(output: &mut impl Write, learnt: &Learnt, now: SystemTime) -> Result<()> {
    let Some(at) = learnt.learnt_at else {
        return writeln!(output, "  nothing learnt yet: a run will show it");
    };
    writeln!(output, "  learnt {} ago", age(at, now))?;
    for connection in &learnt.connections {
        writeln!(output, "    `{}`", connection.connection)?;
        for line in lines(connection) {
            writeln!(output, "      {line}")?;
        }
    }
    if let Some(rows) = learnt.rows_of_lookups {
        writeln!(
            output,
            "    {} at the most in a request for what does not come with them",
            counted(rows as u64, "row")
        )?;
    }
    let limits = [
        learnt
            .rows_asked
            .map(|rows| format!("{} asked for at the most in a request", counted(rows, "row"))),
        learnt
            .parts
            .map(|parts| format!("{} of a request at the most", counted(parts as u64, "part"))),
        learnt
            .in_flight
            .map(|most| format!("{} in flight at the most", counted(most as u64, "request"))),
    ];
    for limit in limits.into_iter().flatten() {
        writeln!(output, "    {limit}")?;
    }
    for field in &learnt.denied {
        let DeniedField { path, cause, .. } = field;
        let since = date_of(field.denied_at);
        let place = if field.is_in_rows { " in some rows" } else { "" };
        let told = match field.is_failing {
            true => format!("`{path}` fails each time{place}"),
            false => format!("the token may not see `{path}`{place}"),
        };
        writeln!(output, "    {told} since {since}: {cause}")?;
    }
    Ok(())
}

fn lines(connection: &LearntConnection) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(median), Some(largest)) = (connection.median_rows, connection.largest_rows) {
        let seen = counted(connection.instances, "time");
        lines.push(format!(
            "{} in the median, {largest} at the most, seen {seen}",
            counted(median, "row")
        ));
    }
    if let (Some(time), Some(size)) = (connection.milliseconds_per_row, connection.bytes_per_row) {
        lines.push(format!("{time:.1} ms and {} a row", bytes(size.max(0.0) as u64)));
    }
    if let Some(rows) = connection.failing_above_rows {
        lines.push(format!("requests for more than {} failed", counted(rows, "row")));
    }
    if let Some(most) = connection.most_rows_of_page {
        lines.push(format!("pages have {} at the most", counted(most.into(), "row")));
    }
    if connection.fineness.is_some() {
        lines.push(
            "the columns are asked for in groups: with all of them most rows did not come, not even one by one"
                .to_owned(),
        );
    }
    lines
}

/// Writes what was forgotten.
pub(super) fn write_forgotten(output: &mut impl Write, source: &str, forgotten: &[(String, Learnt)]) -> Result<()> {
    for (query, learnt) in forgotten {
        let connections = counted(learnt.connections.len() as u64, "connection");
        let denied = match learnt.denied.as_slice() {
            [] => String::new(),
            denied => format!(
                ", and that the token may not see {}",
                counted(denied.len() as u64, "field")
            ),
        };
        writeln!(
            output,
            "{source}/{query}: forgot what was learnt of {connections}{denied}"
        )?;
    }
    match forgotten {
        [] => writeln!(output, "{source}: nothing to forget"),
        _ => Ok(()),
    }
}

/// The time since a moment of the state; none where a clock was wrong.
fn age(unix_millis: u64, now: SystemTime) -> String {
    duration(now.duration_since(moment_of(unix_millis)).unwrap_or(Duration::ZERO))
}
