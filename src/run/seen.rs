//! Each row once: rows of a connection that came before are found by their keys.
//!
//! Paging can bring a row again: it moved while pages were counted off, or the connection had to be read again from its
//! beginning; and an API can give one twice in one page. The keys of all rows of connections with more than one page are in the state; in memory is a filter of one
//! size, whatever the number of rows, that tells most of the new ones without a look there.

mod filter;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::run::harvest::{FoundPage, Harvest};
use crate::run::intake::{AskedTask, new_instance};
use crate::run::seen::filter::Filter;
use crate::state::{Restart, RowKey, RunKey, Sequence, StateError, StateStore, Task};

/// The items that came before, ascending, by the index of their page in the response.
pub(crate) type Repeats = BTreeMap<usize, Vec<usize>>;

/// The rows that came so far.
pub(crate) struct Seen {
    run: RunKey,
    state: StateStore,
    filter: Filter,
}

impl Seen {
    /// The rows that a run took in so far, by its state.
    pub(crate) async fn of_state(state: StateStore, run: RunKey) -> Result<Self, StateError> {
        let filter = state.fold_seen(run, Filter::default(), Filter::note).await?;
        Ok(Self { run, state, filter })
    }

    /// Notes rows that are handed to the state, by the instance of their connection.
    pub(crate) fn note(&mut self, keys: &[(u64, Vec<RowKey>)]) {
        for (instance, keys) in keys {
            keys.iter().for_each(|key| self.filter.note(*instance, key));
        }
    }

    /// The items in the pages of a response that came before, in the same page or in another one.
    pub(crate) async fn repeats(&self, pages: &[FoundPage], asked: &[AskedTask]) -> Result<Repeats, StateError> {
        let mut sight = Sighting {
            has_company: asked.len() > 1,
            ..Sighting::default()
        };
        for (index, page) in pages.iter().enumerate() {
            sight.add(index, page.doubles.iter().copied());
            let Some(AskedTask { task, .. }) = page.asked(asked) else {
                continue;
            };
            match task.restart {
                // Rows without a key can but be counted off.
                Some(Restart { rows, .. }) if !page.are_keys_unique => {
                    let count = rows.saturating_sub(task.before).min(page.rows);
                    sight.add(index, 0..usize::try_from(count).unwrap_or(usize::MAX));
                }
                _ if page.are_keys_unique => sight.compare(index, page, task.instance, &self.filter),
                _ => {}
            }
        }
        if !sight.doubtful.is_empty() {
            let found = self.state.seen(self.run, sight.wanted()).await?;
            sight.settle(&found);
        }
        Ok(sight.into_repeats())
    }
}

/// What the new rows are told by when they come again, by the instance of their connection: of connections that go on, or
/// have gone on for long.
pub(crate) fn new_keys(
    asked: &[AskedTask],
    harvest: &Harvest,
    repeats: &Repeats,
    next_tasks: &[Task],
    (sequence, void): (Sequence, &[usize]),
) -> Vec<(u64, Vec<RowKey>)> {
    let begun: HashSet<u64> = next_tasks.iter().map(|task| task.instance).collect();
    let mut keys = Vec::new();
    let is_taken = |page: &FoundPage| {
        page.are_keys_unique && !page.is_left_out && !page.origin.is_some_and(|slot| void.contains(&slot))
    };
    for (index, page) in harvest.pages.iter().enumerate().filter(|(_, page)| is_taken(page)) {
        let old = page.asked(asked).map(|asked| asked.task.instance);
        let new = Some(new_instance(sequence, index)).filter(|instance| begun.contains(instance));
        let again = repeats.get(&index).map_or(&[][..], Vec::as_slice);
        let is_new = |item: &usize| again.binary_search(item).is_err();
        let own = page.keys.iter().enumerate().filter(|(item, _)| is_new(item));
        let own: Vec<RowKey> = own.filter_map(|(_, key)| *key).collect();
        keys.extend(old.or(new).filter(|_| !own.is_empty()).map(|instance| (instance, own)));
    }
    keys
}

/// A response compared with what came before it.
#[derive(Default)]
struct Sighting {
    repeats: Repeats,
    /// Whether there may be other pages of the same connection in the response.
    has_company: bool,
    /// Rows of the pages of this response so far.
    here: HashSet<(u64, RowKey)>,
    /// Items that came before, if the state has them.
    doubtful: Vec<(usize, usize, u64, RowKey)>,
}

impl Sighting {
    fn add(&mut self, page: usize, items: impl IntoIterator<Item = usize>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_some() {
            self.repeats.entry(page).or_default().extend(items);
        }
    }

    fn compare(&mut self, index: usize, page: &FoundPage, instance: u64, filter: &Filter) {
        let keys = || page.keys.iter().enumerate();
        for (item, key) in keys().filter_map(|(item, key)| Some((item, (*key)?))) {
            if self.here.contains(&(instance, key)) {
                self.add(index, [item]);
            } else if filter.may_hold(instance, &key) {
                self.doubtful.push((index, item, instance, key));
            }
        }
        if self.has_company {
            let all = keys().filter_map(|(_, key)| *key);
            self.here.extend(all.map(|key| (instance, key)));
        }
    }

    fn wanted(&self) -> BTreeMap<u64, BTreeSet<RowKey>> {
        let mut wanted: BTreeMap<u64, BTreeSet<RowKey>> = BTreeMap::new();
        for (_, _, instance, key) in &self.doubtful {
            wanted.entry(*instance).or_default().insert(*key);
        }
        wanted
    }

    fn settle(&mut self, found: &BTreeSet<(u64, RowKey)>) {
        for (page, item, instance, key) in std::mem::take(&mut self.doubtful) {
            if found.contains(&(instance, key)) {
                self.add(page, [item]);
            }
        }
    }

    fn into_repeats(mut self) -> Repeats {
        for items in self.repeats.values_mut() {
            items.sort_unstable();
            items.dedup();
        }
        self.repeats
    }
}
