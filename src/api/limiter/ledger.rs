//! What a permit log says: requests that may be on their way, and those that have arrived. Pure, but for reading lines.
//!
//! ```text
//! granted c2.5f3a-17 1763760000000 1763760060000   the request may leave from the first moment on, and arrives by the second
//! arrived c2.5f3a-17 1763760000350                  it had arrived by that one
//! unsent c2.5f3a-18                                 it never left
//! ```
//!
//! Request 17 of the process 5f3a, with the token c2. Times are unix milliseconds. A line that cannot be read is skipped.

use std::collections::BTreeMap;

/// One request among those of all processes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GrantName(String);

impl GrantName {
    pub(super) fn new(process: &str, number: u64) -> Self {
        Self(format!("{process}-{number}"))
    }

    /// What a process is called that asks with a token.
    pub(super) fn process_of(token: &str, process: &str) -> String {
        format!("{token}.{process}")
    }

    fn is_of(&self, process: &str) -> bool {
        self.process() == process
    }

    fn has_token(&self, token: &str) -> bool {
        self.process().split_once('.').map_or("", |(own, _)| own) == token
    }

    fn process(&self) -> &str {
        self.0.rsplit_once('-').map_or("", |(process, _)| process)
    }
}

/// A permit that was granted to a request of which no more is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) at: u64,
    /// By when the request has arrived, whatever becomes of it.
    pub(super) arrives_by: u64,
}

/// All requests that still count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    granted: BTreeMap<GrantName, Granted>,
    arrived: Vec<(GrantName, u64)>,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Granted(GrantName, Granted),
    Arrived(GrantName, u64),
    Unsent(GrantName),
}

impl Entry {
    /// Reads a line without its end.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let name = GrantName(words.next()?.to_owned());
        let mut time = || words.next()?.parse::<u64>().ok();
        let entry = match kind {
            "granted" => Self::Granted(
                name,
                Granted {
                    at: time()?,
                    arrives_by: time()?,
                },
            ),
            "arrived" => Self::Arrived(name, time()?),
            "unsent" => Self::Unsent(name),
            _ => return None,
        };
        words.next().is_none().then_some(entry)
    }

    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Granted(name, granted) => format!("granted {} {} {}\n", name.0, granted.at, granted.arrives_by),
            Self::Arrived(name, at) => format!("arrived {} {at}\n", name.0),
            Self::Unsent(name) => format!("unsent {}\n", name.0),
        }
    }
}

impl Ledger {
    /// Takes in lines of the log. A time to come, which a clock wrote that was set back since, counts as now.
    pub(super) fn read(&mut self, text: &str, now: u64) {
        for line in text.split_inclusive('\n') {
            let entry = line.strip_suffix('\n').and_then(Entry::read);
            match entry {
                Some(Entry::Granted(name, granted)) => {
                    let flight = granted.arrives_by.saturating_sub(granted.at);
                    let at = granted.at.min(now);
                    let arrives_by = at.saturating_add(flight);
                    self.add(Entry::Granted(name, Granted { at, arrives_by }));
                }
                Some(Entry::Arrived(name, at)) => self.add(Entry::Arrived(name, at.min(now))),
                Some(entry) => self.add(entry),
                None => {}
            }
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Granted(name, granted) => drop(self.granted.insert(name, granted)),
            Entry::Arrived(name, at) => {
                self.granted.remove(&name);
                self.arrived.push((name, at));
            }
            Entry::Unsent(name) => drop(self.granted.remove(&name)),
        }
    }

    /// Forgets what arrived more than `memory` ago.
    pub(super) fn forget(&mut self, memory: u64, now: u64) {
        self.arrived.retain(|(_, at)| at.saturating_add(memory) > now);
        self.granted
            .retain(|_, granted| granted.arrives_by.saturating_add(memory) > now);
    }

    /// No process lives that could still send what was granted: it has arrived by now, if it was sent at all.
    pub(super) fn settle_all(&mut self, now: u64) {
        for (name, granted) in std::mem::take(&mut self.granted) {
            self.arrived.push((name, granted.arrives_by.min(now)));
        }
    }

    /// By when each request of other processes has arrived: of all, or of those with one token.
    pub(super) fn arrivals_of_others(&self, process: &str, token: Option<&str>) -> Vec<u64> {
        let arrived = self.arrived.iter().map(|(name, at)| (name, *at));
        let granted = self.granted.iter().map(|(name, granted)| (name, granted.arrives_by));
        let others = arrived.chain(granted).filter(|(name, _)| !name.is_of(process));
        let others = others.filter(|(name, _)| token.is_none_or(|token| name.has_token(token)));
        others.map(|(_, at)| at).collect()
    }

    /// Whether some request of another process is on its way, and may soon be known to have arrived.
    pub(super) fn awaits_others(&self, process: &str) -> bool {
        self.granted.keys().any(|name| !name.is_of(process))
    }

    /// All of it as lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, at) in &self.arrived {
            text.push_str(&Entry::Arrived(name.clone(), *at).line());
        }
        for (name, granted) in &self.granted {
            text.push_str(&Entry::Granted(name.clone(), *granted).line());
        }
        text
    }
}
