//! What stands at the terminal's lower edge while exports run: a row for each of them and one for each budget.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::report::event::{Event, WindowUse};
use crate::report::human;
use crate::report::progress::{Progress, passed};

/// The rows of query files shown at most, so that the board fits a small terminal and is redrawn without flicker.
const MAX_ROWS: usize = 8;

/// What is known of the exports under way.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// In the order in which they began.
    queries: Vec<(String, Progress)>,
    budgets: BTreeMap<String, Budget>,
}

#[derive(Debug, Default)]
struct Budget {
    window: Option<WindowUse>,
    in_flight: usize,
    waiting: usize,
    next_permit: Option<SystemTime>,
    paused_until: Option<SystemTime>,
}

impl Board {
    /// Takes in an event.
    pub(crate) fn update(&mut self, event: &Event, now: SystemTime) {
        match event {
            Event::QueryStarted { query, resumed, .. } => {
                self.remove(query);
                self.queries.push((query.clone(), Progress::begin(now, *resumed)));
            }
            Event::PageTaken { query, rows, .. } => {
                if let Some(progress) = self.progress(query) {
                    progress.take_page(now, *rows);
                }
            }
            Event::Retrying { query, .. } | Event::AskingForLess { query, .. } => {
                if let Some(progress) = self.progress(query) {
                    progress.retries += 1;
                }
            }
            Event::Throttled { source, wait } => {
                let budget = self.budgets.entry(source.clone()).or_default();
                budget.paused_until = budget.paused_until.max(now.checked_add(*wait));
            }
            Event::Budget {
                source,
                window,
                in_flight,
                waiting,
                next_permit,
            } => {
                let budget = self.budgets.entry(source.clone()).or_default();
                budget.window = *window;
                budget.in_flight = *in_flight;
                budget.waiting = *waiting;
                budget.next_permit = next_permit.and_then(|wait| now.checked_add(wait));
            }
            Event::QueryPublished { query, .. }
            | Event::QueryFailed { query, .. }
            | Event::QueryInterrupted { query, .. } => self.remove(query),
            Event::Sent { .. }
            | Event::Notice { .. }
            | Event::Warning { .. }
            | Event::PartClosed { .. }
            | Event::QueryKept { .. } => {}
        }
    }

    /// The rows to show, from top to bottom; none when no export is under way.
    pub(crate) fn rows(&self, now: SystemTime) -> Vec<String> {
        if self.queries.is_empty() {
            return Vec::new();
        }
        let shown = &self.queries[..self.queries.len().min(MAX_ROWS)];
        let names = shown.iter().map(|(name, _)| name).chain(self.budgets.keys());
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        let mut rows: Vec<String> = shown
            .iter()
            .map(|(name, progress)| query_row(name, progress, width, now))
            .collect();
        if self.queries.len() > MAX_ROWS {
            rows.push(format!("… and {} more", self.queries.len() - MAX_ROWS));
        }
        rows.extend(
            self.budgets
                .iter()
                .map(|(name, budget)| budget_row(name, budget, width, now)),
        );
        rows
    }

    fn progress(&mut self, query: &str) -> Option<&mut Progress> {
        let found = self.queries.iter_mut().find(|(name, _)| name == query)?;
        Some(&mut found.1)
    }

    fn remove(&mut self, query: &str) {
        self.queries.retain(|(name, _)| name != query);
    }
}

fn query_row(name: &str, progress: &Progress, width: usize, now: SystemTime) -> String {
    let (rows, pages) = (human::count(progress.rows), human::count(progress.pages));
    let pace = human::count(progress.rows_per_second(now));
    let retries = match progress.retries {
        0 => String::new(),
        retries => format!("  {} retried", human::count(retries)),
    };
    format!("{name:width$}  {rows:>11} rows  {pages:>7} pages  {pace:>7} rows/s{retries}")
}

fn budget_row(name: &str, budget: &Budget, width: usize, now: SystemTime) -> String {
    let mut row = format!("{name:width$}  ");
    if let Some(WindowUse { used, max, per }) = budget.window {
        row += &format!("budget {used}/{max} per {}  ", human::window(per));
    }
    row += &format!("{} in flight  {} waiting", budget.in_flight, budget.waiting);
    if let Some(pause) = remaining(budget.paused_until, now) {
        row += &format!("  asked to pause for {}", human::duration(pause));
    } else if let Some(wait) = remaining(budget.next_permit, now) {
        row += &format!("  next request in {}", human::duration(wait));
    }
    row
}

fn remaining(until: Option<SystemTime>, now: SystemTime) -> Option<Duration> {
    until.map(|until| passed(now, until)).filter(|wait| !wait.is_zero())
}
