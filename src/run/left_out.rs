//! What of a response is left out: rows that came before, rows that are given up and rows that are more than the author
//! wants, with all that stands in them, and pages of rows that were not meant.

use std::ops::Range;

use crate::run::harvest::{FoundPage, Harvest, Inner};
use crate::run::seen::Repeats;
use crate::state::Skips;

impl Harvest {
    /// Adds to the items that came before those that are more than the author wants; `kept` says how many of the first
    /// ones of a page are not.
    pub(crate) fn cut(&mut self, left_out: &mut Repeats, kept: impl Fn(&FoundPage) -> u64) {
        for (index, page) in self.pages.iter_mut().enumerate() {
            let kept = kept(page).min(page.rows);
            page.surplus = page.rows - kept;
            if page.surplus > 0 {
                let [kept, rows] = [kept, page.rows].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
                let items = left_out.entry(index).or_default();
                items.retain(|item| *item < kept);
                items.extend(kept..rows);
            }
        }
    }

    /// Marks what is left out, and the pages that stand in it.
    pub(crate) fn leave_out(&mut self, left_out: &Repeats) {
        for (index, items) in left_out {
            let Some(page) = self.pages.get_mut(*index) else {
                continue;
            };
            page.repeats = items.len() as u64 - page.surplus - page.given_up;
            let inner: Vec<_> = items.iter().filter_map(|item| page.inner.get(*item)).collect();
            let inner: Vec<_> = inner.into_iter().map(|inner| inner.pages.clone()).collect();
            for pages in inner {
                let pages = self.pages.get_mut(pages).unwrap_or_default();
                pages.iter_mut().for_each(|page| page.is_left_out = true);
            }
        }
    }

    /// By which ordinals the decoder knows the items that are left out, if it does not come by anything of the slots that
    /// are void.
    pub(crate) fn skips(&self, repeats: &Repeats, void: &[usize]) -> Skips {
        let mut left_out = LeftOut::default();
        for (index, page) in self.pages.iter().enumerate() {
            if page.slot.is_some_and(|slot| void.contains(&slot)) {
                left_out.hide(page.table, page.first_ordinal..page.first_ordinal + page.rows);
                page.inner.iter().for_each(|inner| left_out.hide_inner(inner));
            } else if let Some(items) = repeats.get(&index).filter(|_| !is_hidden(page, void)) {
                left_out.skip(page, items);
            }
        }
        left_out.skips()
    }
}

/// Whether the decoder does not come by a page, as it stands in what is left out.
fn is_hidden(page: &FoundPage, void: &[usize]) -> bool {
    page.is_left_out || page.origin.is_some_and(|slot| void.contains(&slot))
}

/// Items by table, as they stand in the response.
#[derive(Default)]
struct LeftOut {
    /// Those to be left out.
    skipped: Vec<Vec<u64>>,
    /// Those that the decoder does not come by, as they stand in what is left out.
    hidden: Vec<Vec<Range<u64>>>,
}

impl LeftOut {
    fn skip(&mut self, page: &FoundPage, items: &[usize]) {
        let ordinals = items.iter().map(|item| page.first_ordinal + *item as u64);
        of(&mut self.skipped, page.table).extend(ordinals);
        let inner = items.iter().filter_map(|item| page.inner.get(*item));
        inner.for_each(|inner| self.hide_inner(inner));
    }

    fn hide_inner(&mut self, inner: &Inner) {
        let [before, after] = &inner.ordinals;
        for (table, end) in after.iter().enumerate() {
            let start = before.get(table).copied().unwrap_or(0);
            self.hide(table, start..*end);
        }
    }

    fn hide(&mut self, table: usize, ordinals: Range<u64>) {
        if !ordinals.is_empty() {
            of(&mut self.hidden, table).push(ordinals);
        }
    }

    /// The ordinals to be left out, as the decoder counts: without those that it does not come by.
    fn skips(mut self) -> Skips {
        for (table, ordinals) in self.skipped.iter_mut().enumerate() {
            ordinals.sort_unstable();
            let hidden = of(&mut self.hidden, table);
            hidden.sort_unstable_by_key(|range| range.start);
            let mut hidden = hidden.iter().peekable();
            let mut before = 0;
            for ordinal in ordinals {
                while let Some(range) = hidden.next_if(|range| range.end <= *ordinal) {
                    before += range.end - range.start;
                }
                *ordinal -= before;
            }
        }
        self.skipped
    }
}

/// The entry of a table, made where there is none.
fn of<T: Default + Clone>(tables: &mut Vec<T>, table: usize) -> &mut T {
    if tables.len() <= table {
        tables.resize(table + 1, T::default());
    }
    &mut tables[table]
}
