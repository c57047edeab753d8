//! The styles whose next page is told by this one: by its cursor, or by the key of its last row.

use serde_json::Value;

use crate::run::turning::{End, PagingError, Turn, Turner};

/// Empty pages in a row after which a connection that goes on by cursors is given up. Filters that are applied to a page
/// that was read already make many.
const EMPTY_PAGES: u64 = 200;
/// The same where a total says that there are more rows.
const MOST_EMPTY_PAGES: u64 = 10_000;

impl Turner<'_> {
    /// A flag says whether there is more.
    pub(super) fn flagged_cursor(&self) -> Result<Turn, PagingError> {
        match self.page.has_next {
            Some(true) => self.behind_cursor(),
            Some(false) if self.has_lost_its_place() => Ok(self.suspect(
                "ended with the cursor of a page whose place was not found: there may be more rows behind its last one",
            )),
            Some(false) => Ok(Self::end(End::Said)),
            None => Ok(self.silent()),
        }
    }

    /// Whether the page is what some APIs answer, in the place of an error, to a cursor that they cannot read.
    fn has_lost_its_place(&self) -> bool {
        let is_behind = self.asked.position.is_some() && self.page.rows == 0;
        let cursor = self.page.end_cursor.as_ref().map_or(Some(""), Value::as_str);
        let sign = self.connection.paged.lost_cursor.as_deref();
        is_behind && sign.is_some() && cursor == sign
    }

    /// The cursor alone says whether there is more.
    pub(super) fn bare_cursor(&self) -> Result<Turn, PagingError> {
        match &self.page.end_cursor {
            Some(_) => self.behind_cursor(),
            None => Ok(Self::end(End::Said)),
        }
    }

    fn behind_cursor(&self) -> Result<Turn, PagingError> {
        let cursor = match &self.page.end_cursor {
            Some(cursor) if self.asked.position != Some(cursor) => cursor,
            _ if self.total() == Some(self.rows()) => return Ok(Self::end(End::Total)),
            Some(_) => return Err(PagingError::StandsStill { path: self.path() }),
            None => return Err(PagingError::NoCursor { path: self.path() }),
        };
        if self.is_idle() {
            return Ok(self.idle());
        }
        let text = cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned);
        let trail = self.asked.trail.step(&text);
        let trail = trail.ok_or_else(|| PagingError::Circles { path: self.path() })?;
        Ok(self.next(cursor.clone(), trail))
    }

    /// Whether there were but empty pages for so long that it may go on like that for ever.
    fn is_idle(&self) -> bool {
        let most = match self.total().is_some_and(|total| total > self.rows()) {
            true => MOST_EMPTY_PAGES,
            false => EMPTY_PAGES,
        };
        self.empty_pages() >= most
    }

    /// The key of the last row says where the next page begins, and an empty page that there is no more.
    pub(super) fn key(&self, key: &str) -> Result<Turn, PagingError> {
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let last = self.page.last_key.clone().filter(|key| !key.is_null());
        let last = last.ok_or_else(|| PagingError::NoKey {
            path: self.path(),
            key: key.to_owned(),
        })?;
        if self.asked.position == Some(&last) {
            return Err(PagingError::StandsStill { path: self.path() });
        }
        let Some(trail) = self.content_trail() else {
            return Ok(self.repeated());
        };
        let mut turn = self.next(last, trail);
        // A short first page is most likely all there is.
        let has_pages_beside = self.asked.position.is_some() || self.page.rows >= self.size();
        if self.page.has_equal_keys && has_pages_beside {
            let text =
                format!("has rows with the same `{key}`: where a page ends between such rows, the others are lost");
            turn.flaws.push(self.flaw(&text));
        }
        Ok(turn)
    }
}
