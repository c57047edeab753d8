//! The closing table: what was written, what it took, and what is missing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::clock::Clock;
use crate::report::columns::{Align, Columns};
use crate::report::event::{Event, Observer, QuerySummary, WindowUse};
use crate::report::human;
use crate::report::progress::passed;

/// Collects how each export ended.
pub struct Summary {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In the order in which they ended.
    queries: Vec<Ended>,
    sources: BTreeMap<String, SourceUse>,
}

struct Ended {
    query: String,
    outcome: Outcome,
    summary: QuerySummary,
}

enum Outcome {
    Published,
    /// Published by an earlier execution of the same run.
    Kept,
    Failed(String),
    Interrupted,
}

/// What a source's budget was, and what was used of it in this execution.
#[derive(Default)]
struct SourceUse {
    began: Option<SystemTime>,
    ended: Option<SystemTime>,
    requests: u64,
    window: Option<WindowUse>,
}

impl Summary {
    /// An empty summary.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::new(State::default()),
        }
    }

    /// The table, ending with a line break; empty where no export ended.
    pub fn render(&self) -> String {
        let state = self.state();
        if state.queries.is_empty() {
            return String::new();
        }
        let mut blocks = vec![tables(&state.queries), costs(&state.queries)];
        blocks.push(
            state
                .sources
                .iter()
                .filter_map(|(name, source)| source.render(name))
                .collect(),
        );
        blocks.push(state.queries.iter().filter_map(Ended::each).collect());
        blocks.push(shortcomings(&state.queries));
        blocks.retain(|block| !block.is_empty());
        blocks.join("\n")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Summary {
    fn notice(&self, event: &Event) {
        let now = self.clock.wall();
        let mut state = self.state();
        match event {
            Event::QueryStarted { query, .. } => {
                state.source_of(query).began.get_or_insert(now);
            }
            Event::Sent { query } => state.source_of(query).requests += 1,
            Event::Budget { source, window, .. } => state.source(source).window = *window,
            Event::QueryPublished { query, summary } => state.end(query, Outcome::Published, summary, now),
            Event::QueryKept { query, summary, .. } => state.end(query, Outcome::Kept, summary, now),
            Event::QueryFailed { query, error, summary } => {
                state.end(query, Outcome::Failed(error.clone()), summary, now);
            }
            Event::QueryInterrupted { query, summary } => state.end(query, Outcome::Interrupted, summary, now),
            Event::PageTaken { .. }
            | Event::Retrying { .. }
            | Event::AskingForLess { .. }
            | Event::Throttled { .. }
            | Event::Notice { .. }
            | Event::Warning { .. }
            | Event::PartClosed { .. } => {}
        }
    }
}

impl State {
    fn end(&mut self, query: &str, outcome: Outcome, summary: &QuerySummary, now: SystemTime) {
        self.source_of(query).ended = Some(now);
        self.queries.push(Ended {
            query: query.to_owned(),
            outcome,
            summary: summary.clone(),
        });
    }

    fn source_of(&mut self, query: &str) -> &mut SourceUse {
        let source = query.split_once('/').map_or(query, |(source, _)| source);
        self.source(source)
    }

    fn source(&mut self, source: &str) -> &mut SourceUse {
        self.sources.entry(source.to_owned()).or_default()
    }
}

impl SourceUse {
    /// `None` for a source without a request limit.
    ///
    /// In a time of `t` a window of `per` lets through at most `max` requests, and as many again each time that it
    /// has passed: that is the whole of which the share is told.
    fn render(&self, name: &str) -> Option<String> {
        let WindowUse { max, per, .. } = self.window?;
        let elapsed = passed(self.began?, self.ended?);
        let windows = elapsed.as_nanos() / per.as_nanos().max(1) + 1;
        let allowed = (windows as f64 * f64::from(max)).max(1.0);
        let share = self.requests as f64 / allowed * 100.0;
        let (requests, per) = (human::counted(self.requests, "request"), human::window(per));
        let elapsed = human::duration(elapsed);
        Some(format!(
            "budget of {name}: {requests} in {elapsed}, {share:.0} % of {max} per {per}\n"
        ))
    }
}

fn tables(queries: &[Ended]) -> String {
    let mut columns = Columns::new(&[
        ("query file", Align::Left),
        ("table", Align::Left),
        ("rows", Align::Right),
        ("rejected", Align::Right),
        ("parts", Align::Right),
        ("bytes", Align::Right),
    ]);
    for ended in queries {
        for (index, table) in ended.summary.tables.iter().enumerate() {
            let query = if index == 0 { ended.query.as_str() } else { "" };
            columns.push([
                query.to_owned(),
                table.table.clone(),
                human::count(table.rows),
                human::count(table.rejected),
                human::count(table.parts),
                human::bytes(table.bytes),
            ]);
        }
    }
    columns.render()
}

fn costs(queries: &[Ended]) -> String {
    let mut columns = Columns::new(&[
        ("query file", Align::Left),
        ("state", Align::Left),
        ("requests", Align::Right),
        ("retries", Align::Right),
        ("throttles", Align::Right),
        ("received", Align::Right),
        ("time", Align::Right),
    ]);
    let mut total = QuerySummary::default();
    for ended in queries {
        let summary = &ended.summary;
        let time = human::duration(summary.elapsed);
        columns.push(cost_cells(&ended.query, ended.state(), summary, time));
        total.requests += summary.requests;
        total.retries += summary.retries;
        total.throttles += summary.throttles;
        total.bytes_received += summary.bytes_received;
    }
    if queries.len() > 1 {
        columns.push(cost_cells("total", "", &total, String::new()));
    }
    columns.render()
}

fn cost_cells(query: &str, state: &str, summary: &QuerySummary, time: String) -> [String; 7] {
    [
        query.to_owned(),
        state.to_owned(),
        human::count(summary.requests),
        human::count(summary.retries),
        human::count(summary.throttles),
        human::bytes(summary.bytes_received),
        time,
    ]
}

impl Ended {
    fn state(&self) -> &'static str {
        match self.outcome {
            Outcome::Published if self.summary.incomplete.is_empty() => "complete",
            Outcome::Published => "not complete",
            Outcome::Kept => "kept",
            Outcome::Failed(_) => "failed",
            Outcome::Interrupted => "interrupted",
        }
    }
}

impl Ended {
    /// What it was run for, in one line.
    fn each(&self) -> Option<String> {
        let each = self.summary.each.as_ref()?;
        let mut text = format!(
            "{} ran for {} of `{}`",
            self.query,
            human::counted(each.values, "value"),
            each.of
        );
        let unread = each
            .values
            .saturating_sub(each.complete + each.incomplete + each.failed);
        let parts = [
            (each.absent, "does not exist", "do not exist"),
            (each.incomplete, "is not complete", "are not complete"),
            (each.failed, "failed", "failed"),
            (unread, "is not read yet", "are not read yet"),
        ];
        for (count, one, several) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            let what = if count == 1 { one } else { several };
            text += &format!(", {} {what}", human::count(count));
        }
        text.push('\n');
        Some(text)
    }
}

/// A line for each reason why a run is not complete, and one for each export that did not end.
fn shortcomings(queries: &[Ended]) -> String {
    let mut text = String::new();
    for ended in queries {
        let query = &ended.query;
        match &ended.outcome {
            Outcome::Published | Outcome::Kept => {
                for reason in ended.summary.told_incomplete() {
                    text += &format!("{query} is not complete: {}\n", human::printable(&reason));
                }
            }
            Outcome::Failed(error) => {
                // The log above has all of it, which may be a report of many lines.
                let first = error.lines().next().unwrap_or_default();
                text += &format!("{query} failed: {}\n", human::printable(first));
                if ended.summary.is_begun() {
                    text += &format!("{query} goes on from here with the next run\n");
                }
            }
            Outcome::Interrupted => {
                text += &format!("{query} was interrupted and goes on from here with the next run\n");
            }
        }
    }
    text
}
