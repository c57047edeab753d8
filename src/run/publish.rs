//! The end of an export: its manifest written, its parts moved to where readers find them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::output::{
    LocalRun, MANIFEST_VERSION, Manifest, ManifestConnection, ManifestEach, ManifestEnds, ManifestFailure,
    ManifestTable, Part, Publication, RunId, Traffic, moment,
};
use crate::plan::{DeniedField, LeftOut, Plan, TableName, stands_in};
use crate::project::RequestLimit;
use crate::report::{EachSummary, QuerySummary, TableSummary};
use crate::run::export::{ExportError, Workplace};
use crate::state::{RecordedPart, Tally, UnfinishedRun};

/// Values for which a query failed that are told one by one; the others are counted.
const TOLD_FAILURES: usize = 5;

/// A run all of whose rows are in recorded parts.
pub(crate) struct FinishedRun<'run> {
    pub(crate) workplace: &'run Workplace,
    /// The query file's name.
    pub(crate) query: &'run str,
    pub(crate) plan: &'run Plan,
    pub(crate) run: &'run UnfinishedRun,
    pub(crate) id: &'run RunId,
    pub(crate) limits: &'run [RequestLimit],
}

impl FinishedRun<'_> {
    /// Publishes the run. If this is interrupted, the next call goes on from there.
    pub(crate) async fn publish(&self) -> Result<(), ExportError> {
        let rejects = self.plan.tables.iter().map(|table| table.name.rejects());
        let rejects = rejects.filter(|name| self.run.parts.iter().any(|part| part.table == name.as_str()));
        let tables = self.plan.tables.iter().map(|table| table.name.clone());
        let tables: Vec<TableName> = tables.chain(rejects).collect();
        let publication = Publication {
            folder: &self.workplace.folder,
            query: self.query,
            run: self.id,
            tables: &tables,
        };
        let manifest = publication.publish(&self.manifest())?;
        if let Some(remote) = &self.workplace.remote {
            let names: BTreeSet<&str> = tables.iter().map(TableName::as_str).chain([self.query]).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let run = LocalRun {
                manifest: &manifest,
                names: &names,
            };
            remote.publish(run).await?;
        }
        Ok(())
    }

    fn manifest(&self) -> Manifest {
        let incomplete = shortcomings(self.plan, self.run);
        let effort = self.run.effort;
        Manifest {
            manifest_version: MANIFEST_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            source: self.workplace.source.to_string(),
            query: self.query.to_owned(),
            query_hash: self.plan.fingerprint.as_str().to_owned(),
            run: self.id.to_string(),
            started: moment(time(self.run.started_at)),
            finished: moment(self.workplace.clock.wall()),
            complete: incomplete.is_empty(),
            incomplete,
            each: self.each(),
            tables: self.tables(),
            connections: self.connections(),
            traffic: Traffic {
                requests: effort.requests,
                retries: effort.retries,
                throttles: effort.throttles,
                bytes_received: effort.bytes,
                elapsed_millis: u64::try_from(effort.elapsed.as_millis()).unwrap_or(u64::MAX),
                budget_use: budget_use(effort.requests, effort.elapsed, self.limits),
            },
        }
    }

    fn tables(&self) -> Vec<ManifestTable> {
        let tables = self.plan.tables.iter().map(|table| {
            let parts = self.parts_of(table.name.as_str());
            let rejects = self.parts_of(table.name.rejects().as_str());
            ManifestTable::new(self.query, self.id, table, &parts, &rejects)
        });
        tables.collect()
    }

    fn parts_of(&self, table: &str) -> Vec<Part> {
        let parts = self
            .run
            .parts
            .iter()
            .filter(|part| part.table == table)
            .map(|part| Part {
                file: part.file.clone(),
                rows: part.rows,
                bytes: part.bytes,
                sha256: part.sha256.clone(),
            });
        parts.collect()
    }

    fn connections(&self) -> Vec<ManifestConnection> {
        let connections = self.plan.connections.iter().enumerate().map(|(index, connection)| {
            let tally = self.run.tallies.iter().find(|(connection, _)| *connection == index);
            let tally = tally.map_or_else(Tally::default, |(_, tally)| *tally);
            let naming = [format!("`{}`", connection.path), format!("`{}.", connection.path)];
            let names = |text: &str| naming.iter().any(|naming| text.contains(naming));
            let flaws = flaws(self.plan, self.run).filter(|(text, _)| names(text)).map(counted);
            let left_out = lines_of_left_out(self.plan, self.run).filter(|line| names(line));
            let doubts = doubts(self.plan, self.run).filter(|line| names(line));
            ManifestConnection {
                name: connection.path.clone(),
                style: connection.paged.pager.style().to_string(),
                opened: tally.opened,
                closed: tally.ends.closed(),
                ends: ManifestEnds {
                    said: tally.ends.said,
                    total: tally.ends.total,
                    empty: tally.ends.empty,
                    absent: tally.ends.absent,
                    suspect: tally.ends.suspect,
                    lost: tally.ends.lost,
                },
                rows: tally.rows,
                repeated: tally.repeated,
                incomplete: flaws.chain(left_out).chain(doubts).collect(),
            }
        });
        connections.collect()
    }

    fn each(&self) -> Option<ManifestEach> {
        let each = self.plan.each.as_ref()?;
        let members = &self.run.members;
        let named = |(value, reason): &(Value, String)| ManifestFailure {
            value: value.clone(),
            reason: reason.clone(),
        };
        Some(ManifestEach {
            variable: each.variable.clone(),
            of: each.of(),
            query: each.query.clone(),
            members: members.all,
            complete: members.done,
            absent: members.absent,
            incomplete: members.incomplete,
            lacks: members.lacks.iter().map(named).collect(),
            failed: members.failed,
            failures: members.failures.iter().map(named).collect(),
        })
    }
}

/// What keeps a run from being complete, one line each.
pub(crate) fn shortcomings(plan: &Plan, run: &UnfinishedRun) -> Vec<String> {
    let mut lines: Vec<String> = flaws(plan, run).map(counted).collect();
    if run.other_flaws > 0 {
        lines.push(format!("… and {} more of other words", run.other_flaws));
    }
    lines.extend(lines_of_left_out(plan, run));
    lines.extend(doubts(plan, run));
    let Some(each) = &plan.each else { return lines };
    let variable = &each.variable;
    let failures = run.members.failures.iter().take(TOLD_FAILURES);
    lines.extend(failures.map(|(value, reason)| format!("`${variable}` = {value} failed: {reason}")));
    let told = u64::try_from(TOLD_FAILURES).unwrap_or(u64::MAX);
    match run.members.failed.saturating_sub(told) {
        0 => {}
        1 => lines.push(format!("`${variable}`: 1 more value failed")),
        more => lines.push(format!("`${variable}`: {more} more values failed")),
    }
    lines
}

/// The flaws of a run, but for those of fields that are left out, which are told by themselves.
fn flaws<'run>(plan: &'run Plan, run: &'run UnfinishedRun) -> impl Iterator<Item = &'run (String, u64)> {
    let is_of_left_out = |text: &str| {
        let mut left_out = plan.left_out.iter();
        left_out.any(|left_out| tells_of_null(text, &left_out.field.path))
    };
    run.flaws.iter().filter(move |(text, _)| !is_of_left_out(text))
}

/// Whether a flaw is that of the field at a place being null.
fn tells_of_null(text: &str, path: &str) -> bool {
    let told = text.strip_prefix('`').and_then(|text| text.strip_prefix(path));
    // What holds it may stand between.
    told.is_some_and(|told| told.starts_with('`') && told.contains(" is null: "))
}

/// What is lacking of fields that are left out.
fn lines_of_left_out<'run>(plan: &'run Plan, run: &'run UnfinishedRun) -> impl Iterator<Item = String> + 'run {
    let rows = |table: usize| {
        let name = plan.tables.get(table).map(|table| table.name.as_str());
        let parts = run.parts.iter().filter(move |part| Some(part.table.as_str()) == name);
        parts.map(|part| part.rows).sum::<u64>()
    };
    let lacking = move |table: usize, field: &DeniedField| {
        let nulls = run.flaws.iter().filter(|(text, _)| tells_of_null(text, &field.path));
        let nulls: u64 = nulls.map(|(_, occurrences)| *occurrences).sum();
        nulls.min(field.rows_before) + rows(table).saturating_sub(field.rows_before)
    };
    plan.left_out.iter().map(move |LeftOut { field, table }| {
        let DeniedField {
            path,
            cause,
            is_in_rows,
            ..
        } = field;
        let why = match is_in_rows {
            true => format!(
                "{} in some rows, and there is no way to ask the others for it",
                field.why()
            ),
            false => field.why().to_owned(),
        };
        let in_all = match table {
            Some(table) => format!(", as {why}, in {}", counted_rows(lacking(*table, field))),
            None => match first_table_in(plan, path).map_or(0, rows) {
                0 => format!(" with all its rows, as {why}"),
                came => format!(" but for {} that came before, as {why}", counted_rows(came)),
            },
        };
        format!("`{path}` is left out{in_all}: {cause}")
    })
}

/// Lists without a single row, of which the API gives none and no error, too, where it has lost sight of them.
fn doubts<'run>(plan: &'run Plan, run: &'run UnfinishedRun) -> impl Iterator<Item = String> + 'run {
    run.tallies.iter().filter_map(|(index, tally)| {
        let connection = plan.connections.get(*index)?;
        let is_empty = tally.rows == 0 && tally.opened > tally.ends.absent;
        (connection.paged.doubts_empty && is_empty).then(|| {
            format!(
                "`{}` has not a single row, which this API answers, too, where it has lost sight of them; if there are none, \
                 write @paginate(doubtEmpty: false)",
                connection.path
            )
        })
    })
}

/// The outermost table whose rows stand at a place or in it.
fn first_table_in(plan: &Plan, path: &str) -> Option<usize> {
    let mut tables = plan.description.tables.iter();
    tables.position(|table| stands_in(&table.path, path))
}

fn counted_rows(rows: u64) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{rows} {noun}")
}

fn counted((text, occurrences): &(String, u64)) -> String {
    if *occurrences == 1 {
        text.clone()
    } else {
        format!("{text} ({occurrences} times)")
    }
}

fn time(unix_millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_millis)
}

/// The share of what a source's tightest window allowed in that time.
fn budget_use(requests: u64, elapsed: Duration, limits: &[RequestLimit]) -> Option<f64> {
    let shares = limits.iter().map(|limit| {
        // The first window's worth may be sent at once, and another one in every window after it.
        let windows = 1.0 + (elapsed.as_secs_f64() / limit.per.as_secs_f64()).floor();
        requests as f64 / (f64::from(limit.max) * windows)
    });
    shares.max_by(f64::total_cmp).map(|share| share.min(1.0))
}

/// What a run amounts to so far.
pub(crate) fn summary(plan: &Plan, run: &UnfinishedRun) -> QuerySummary {
    let mut totals: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for RecordedPart { table, rows, bytes, .. } in &run.parts {
        let total = totals.entry(table).or_default();
        *total = (total.0 + rows, total.1 + 1, total.2 + bytes);
    }
    let tables = plan.tables.iter().map(|table| {
        let (rows, parts, bytes) = totals.get(table.name.as_str()).copied().unwrap_or_default();
        let rejected = totals.get(table.name.rejects().as_str()).map_or(0, |(rows, ..)| *rows);
        TableSummary {
            table: table.name.to_string(),
            rows,
            rejected,
            parts,
            bytes,
        }
    });
    QuerySummary {
        tables: tables.collect(),
        requests: run.effort.requests,
        retries: run.effort.retries,
        throttles: run.effort.throttles,
        bytes_received: run.effort.bytes,
        elapsed: run.effort.elapsed,
        each: plan.each.as_ref().map(|each| EachSummary {
            of: each.of(),
            values: run.members.all,
            complete: run.members.done,
            absent: run.members.absent,
            incomplete: run.members.incomplete,
            failed: run.members.failed,
        }),
        incomplete: shortcomings(plan, run),
    }
}
