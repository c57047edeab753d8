//! Whether the number that was taken for that of the first page can be right.

use serde_json::Value;

use crate::run::turning::{End, Turn, Turner};

impl Turner<'_> {
    /// Judges an assumed number at the end of its connection: what the API says of its rows or pages must fit what came.
    pub(super) fn doubt_first_page(&self, turn: &mut Turn) {
        if !self.connection.paged.assumes_first_page {
            return;
        }
        let Some(first) = self.connection.paged.pager.first_page() else {
            return;
        };
        let pages = self.number(first) - u64::from(self.page.rows == 0);
        let doubt = match (self.total(), self.page.page_count) {
            // More than came is a flaw of its own.
            (Some(total), _) if total >= self.rows() => return,
            (_, Some(count)) if count == pages => return,
            (None, None) => "says neither how many rows nor how many pages it has",
            (None, Some(_)) => "has another number of pages than it says",
            (Some(_), _) => "has more rows than its total says, which therefore shows nothing",
        };
        turn.flaws
            .push(self.flaw(&format!("{doubt}{}", self.first_page_remedy())));
        turn.end = Some(End::Suspect);
    }

    /// What to write where the assumed number may be wrong.
    pub(super) fn first_page_remedy(&self) -> String {
        let number = self.connection.paged.pager.first_page();
        let number = number.filter(|_| self.connection.paged.assumes_first_page);
        number.map_or_else(String::new, |number| {
            format!(
                ": its first page was taken to have the number {number}; if it has another one, write \
                 @paginate(firstPage: {}), else (firstPage: {number})",
                1 - number.min(1)
            )
        })
    }

    /// Whether the page behind page 0 brought nothing but its rows: then 0 and 1 may be the same one.
    pub(super) fn has_twin_first_pages(&self) -> bool {
        let is_second = |number| match number {
            Some(1) => self.is_stale(),
            Some(2) => self.asked.trail.stale > 0,
            _ => false,
        };
        let number = self.asked.position.and_then(Value::as_u64);
        self.connection.paged.pager.first_page() == Some(0) && is_second(number)
    }

    /// Of an API that answers the same for the pages 0 and 1: a page of rows too many. Where rows have keys, these
    /// show it.
    pub(super) fn note_twin_pages(&self, turn: &mut Turn) {
        if self.page.has_keys || self.connection.paged.pager.first_page() != Some(0) {
            return;
        }
        let rows = self.rows();
        let total = self
            .total()
            .filter(|total| (1..=self.size()).contains(&rows.saturating_sub(*total)));
        if let Some(total) = total {
            let text = format!(
                "had {rows} rows, and only {total} by its total: if its pages are numbered from 1 on, those of the first \
                 one came twice; write @paginate(firstPage: 1)"
            );
            turn.flaws.push(self.flaw(&text));
        }
    }
}
