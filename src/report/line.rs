//! The log: one line for each thing worth telling, for pipes, files and schedulers.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::clock::Clock;
use crate::report::event::{Event, Observer};
use crate::report::human;
use crate::report::message::{Level, Message};
use crate::report::progress::{Progress, passed};

/// The least time between two lines of progress about the same query file or source.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// How the lines of a log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Time, level, subject and text.
    Text,
    /// One JSON object a line, with at least `time`, `level` and `event`.
    Json,
}

/// Writes a line for each thing worth telling, and one of progress every ten seconds.
pub struct LineReport {
    clock: Clock,
    format: LogFormat,
    /// Messages below it are left out.
    least: Level,
    state: Mutex<State>,
}

struct State {
    writer: Box<dyn Write + Send>,
    queries: BTreeMap<String, Progress>,
    /// When progress was last told, by query file and source.
    told: BTreeMap<String, SystemTime>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    level: Level,
    #[serde(flatten)]
    message: &'a Message<'a>,
}

impl LineReport {
    /// A log into `writer`; only of warnings and failures where `is_quiet`.
    pub fn new(writer: Box<dyn Write + Send>, clock: Clock, format: LogFormat, is_quiet: bool) -> Self {
        Self {
            clock,
            format,
            least: if is_quiet { Level::Warn } else { Level::Info },
            state: Mutex::new(State {
                writer,
                queries: BTreeMap::new(),
                told: BTreeMap::new(),
            }),
        }
    }

    fn tell(&self, writer: &mut dyn Write, now: SystemTime, message: &Message<'_>) {
        if message.level() < self.least {
            return;
        }
        let line = match self.format {
            LogFormat::Text => text_line(now, message),
            LogFormat::Json => json_line(now, message),
        };
        // There is nowhere left to say that the log itself cannot be written.
        let _ = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for LineReport {
    fn notice(&self, event: &Event) {
        let now = self.clock.wall();
        let mut state = self.state();
        let State { writer, queries, told } = &mut *state;
        match event {
            Event::QueryStarted { query, resumed, .. } => {
                queries.insert(query.clone(), Progress::begin(now, *resumed));
                told.insert(query.clone(), now);
            }
            Event::PageTaken { query, rows, .. } => {
                let progress = queries
                    .entry(query.clone())
                    .or_insert_with(|| Progress::begin(now, None));
                progress.take_page(now, *rows);
                if is_due(told, query, now) {
                    self.tell(writer, now, &Message::progress(query, progress, now));
                }
            }
            Event::Budget {
                source,
                window,
                in_flight,
                waiting,
                ..
            } if is_due(told, source, now) => {
                let message = Message::Budget {
                    source,
                    window: window.map(Into::into),
                    in_flight: *in_flight,
                    waiting: *waiting,
                };
                self.tell(writer, now, &message);
            }
            _ => {}
        }
        if let Some(message) = Message::of(event) {
            self.tell(writer, now, &message);
        }
    }
}

/// Whether the time for a line of progress has come; it is told then. The first mention only starts the time.
fn is_due(told: &mut BTreeMap<String, SystemTime>, subject: &str, now: SystemTime) -> bool {
    let Some(last) = told.get_mut(subject) else {
        told.insert(subject.to_owned(), now);
        return false;
    };
    let is_due = passed(*last, now) >= PROGRESS_INTERVAL;
    if is_due {
        *last = now;
    }
    is_due
}

fn text_line(now: SystemTime, message: &Message<'_>) -> String {
    let subject = message
        .subject()
        .map(|subject| format!("{subject}: "))
        .unwrap_or_default();
    let text = human::printable(&message.to_string());
    format!("{} {:5} {subject}{text}\n", human::time(now), message.level())
}

fn json_line(now: SystemTime, message: &Message<'_>) -> String {
    let line = Line {
        time: &human::time(now),
        level: message.level(),
        message,
    };
    // All keys are text and all numbers finite, so that this cannot fail.
    serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
}
