//! What of a response is left out: rows that came before with all that stands in them, and pages of rows that were not
//! meant.

use std::ops::Range;

use crate::run::harvest::{FoundPage, Harvest, Inner};
use crate::run::seen::Repeats;
use crate::state::Skips;

impl Harvest {
    /// Marks what is left out, and tells by which ordinals the decoder knows the rows.
    pub(crate) fn leave_out(&mut self, repeats: &Repeats) -> Skips {
        let mut left_out = LeftOut::default();
        for index in 0..self.pages.len() {
            let is_strange = self.pages[index]
                .slot
                .is_some_and(|slot| self.strangers.contains(&slot));
            if is_strange {
                self.leave_out_page(index, &mut left_out);
            }
        }
        for (index, items) in repeats {
            if self.pages.get(*index).is_some_and(|page| !page.is_left_out) {
                self.leave_out_items(*index, items, &mut left_out);
            }
        }
        left_out.skips()
    }

    fn leave_out_page(&mut self, index: usize, left_out: &mut LeftOut) {
        let page = &mut self.pages[index];
        page.is_left_out = true;
        left_out.hide(page.table, page.first_ordinal..page.first_ordinal + page.rows);
        for inner in std::mem::take(&mut page.inner) {
            self.leave_out_inner(&inner, left_out);
        }
    }

    fn leave_out_items(&mut self, index: usize, items: &[usize], left_out: &mut LeftOut) {
        let page = &mut self.pages[index];
        page.repeats = items.len() as u64;
        let inner: Vec<Inner> = items.iter().filter_map(|item| page.inner.get(*item).cloned()).collect();
        for item in items {
            left_out.skip(page.table, page.first_ordinal + *item as u64);
        }
        for inner in &inner {
            self.leave_out_inner(inner, left_out);
        }
    }

    fn leave_out_inner(&mut self, inner: &Inner, left_out: &mut LeftOut) {
        let pages: &mut [FoundPage] = self.pages.get_mut(inner.pages.clone()).unwrap_or_default();
        pages.iter_mut().for_each(|page| page.is_left_out = true);
        let [before, after] = &inner.ordinals;
        for (table, end) in after.iter().enumerate() {
            let start = before.get(table).copied().unwrap_or(0);
            left_out.hide(table, start..*end);
        }
    }
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
    fn skip(&mut self, table: usize, ordinal: u64) {
        of(&mut self.skipped, table).push(ordinal);
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
