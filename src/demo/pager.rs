//! Which rows of a list are on the page that is asked for, and what the page says about the rest.

use crate::demo::connection::Connection;
use crate::demo::cursor::{Cursor, CursorPlace};
use crate::demo::cursor_words::{CursorFlaw, CursorWords};
use crate::demo::entropy::Entropy;
use crate::demo::expiry::RequestMoment;
use crate::demo::list_request::{GivenCursor, PageChoice};
use crate::demo::paging::{ForeignCursor, LastCursor, PagingError, PagingRules, WantedSize};
use crate::demo::shape::PagingShape;

/// The texts of which a cursor in the form of a JSON list consists.
const LIST_CURSOR_TEXTS: usize = 2;

/// A list, and what is asked of it.
#[derive(Debug)]
pub(crate) struct Pager<'r> {
    pub(crate) connection: Connection<'r>,
    pub(crate) shape: &'r PagingShape,
    pub(crate) rules: PagingRules<'r>,
    pub(crate) choice: PageChoice,
    pub(crate) moment: RequestMoment,
    /// The place that its cursors say, where they say one.
    pub(crate) place: Option<CursorPlace>,
    /// The field's name, for messages.
    pub(crate) field: String,
}

/// Some neighbouring rows of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Their positions, ascending.
    pub(crate) rows: Vec<u64>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    /// The number of the page, from 1.
    pub(crate) number: u64,
    /// The number of rows that it can have.
    pub(crate) size: u64,
    /// The number of rows left out before it.
    pub(crate) offset: u64,
    /// The cursor of its end.
    pub(crate) end: Option<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    position: u64,
    is_past_empty_page: bool,
}

impl Pager<'_> {
    /// The page that is asked for.
    pub(crate) fn page(&self) -> Result<Page, PagingError> {
        let size = self.size()?;
        let Some(start) = self.start()? else {
            return Ok(Page {
                end: Some(String::new()),
                ..self.empty_page(size)
            });
        };
        if let Some(trap) = self.trap(start, size) {
            return Ok(trap);
        }
        let offset = self.offset(size)?;
        let wanted = self.shortened(size, start.position + offset);
        let (rows, end) = self.rows(start.position, offset, wanted);
        let is_full = rows.len() as u64 == size;
        let ends_by_null = self.rules.traps.null_size_ends && self.choice.size == WantedSize::Null;
        let says_more = self.rules.traps.full_page_says_more && is_full;
        let has_next = !ends_by_null && (says_more || self.has_rows_from(end));
        Ok(Page {
            has_next,
            has_previous: start.position + offset > 0,
            end: self.end(&rows, has_next, end),
            rows,
            offset,
            ..self.empty_page(size)
        })
    }

    /// The cursor of the row at that position.
    pub(crate) fn cursor_of(&self, row: u64) -> String {
        self.cursor(row + 1, false)
    }

    /// What is said of the number of all rows.
    pub(crate) fn total(&self) -> Option<u64> {
        let requests = self.moment.request;
        self.rules.traps.totals.told(self.connection.total(), requests)
    }

    fn size(&self) -> Result<u64, PagingError> {
        match &self.shape.size {
            Some(argument) => self.rules.size(&self.choice.size, argument, &self.field),
            None => Ok(self.rules.unsized_cap),
        }
    }

    /// Where the cursor or the key says to go on; `None` where a foreign cursor leads to no rows at all.
    fn start(&self) -> Result<Option<Start>, PagingError> {
        let begin = match &self.choice.beyond {
            Some((field, value)) => self.connection.position_beyond(field, value),
            None => 0,
        };
        let begin = Start {
            position: begin,
            is_past_empty_page: false,
        };
        let Some(given) = &self.choice.cursor else {
            return Ok(Some(begin));
        };
        let (cursor, text) = match &self.rules.traps.cursor_words {
            Some(words) => {
                let Some(texts) = self.cursor_texts(words, given)? else {
                    return Ok(Some(begin));
                };
                (self.in_words(words, texts), given.to_string())
            }
            None => {
                let Some(text) = self.cursor_text(given)? else {
                    return Ok(Some(begin));
                };
                (Cursor::read(&text), text)
            }
        };
        if let Some(cursor) = cursor.filter(|cursor| self.is_own(cursor)) {
            self.check_age(&cursor)?;
            return Ok(Some(Start {
                position: cursor.position,
                is_past_empty_page: cursor.is_past_empty_page,
            }));
        }
        match self.rules.traps.foreign_cursor {
            ForeignCursor::Refuse => Err(self.rules.no_cursor(CursorFlaw::Foreign, text)),
            ForeignCursor::FirstPage => Ok(Some(begin)),
            ForeignCursor::NoRows => Ok(None),
        }
    }

    /// The cursor as it was made; `None` where it is an empty list, which means none.
    fn cursor_text(&self, given: &GivenCursor) -> Result<Option<String>, PagingError> {
        let texts = match given {
            GivenCursor::Text(key) if self.rules.traps.key_cursors => {
                let text = Cursor::text_of_key(key);
                return text.map(Some).ok_or_else(|| PagingError::Cursor(key.clone()));
            }
            GivenCursor::Text(text) if !self.rules.traps.json_list_cursors => return Ok(Some(text.clone())),
            GivenCursor::Text(text) => {
                serde_json::from_str::<Vec<String>>(text).map_err(|_| PagingError::Cursor(text.clone()))?
            }
            GivenCursor::List(texts) => texts.clone(),
        };
        if self.rules.traps.json_list_cursors && !texts.is_empty() && texts.len() != LIST_CURSOR_TEXTS {
            return Err(PagingError::CursorArity {
                found: texts.len(),
                wanted: LIST_CURSOR_TEXTS,
            });
        }
        Ok(Some(texts.concat()).filter(|text| !text.is_empty()))
    }

    /// The texts of a cursor in words; `None` where it is empty, which means none but to those that are decoded.
    fn cursor_texts(&self, words: &CursorWords, given: &GivenCursor) -> Result<Option<Vec<String>>, PagingError> {
        let texts = match given {
            GivenCursor::Text(text) if text.is_empty() && !words.is_encoded() => return Ok(None),
            GivenCursor::Text(text) => words
                .texts(text)
                .map_err(|flaw| self.rules.no_cursor(flaw, text.clone()))?,
            GivenCursor::List(texts) => texts.clone(),
        };
        match (texts.len(), words.arity()) {
            (0, _) => Ok(None),
            (found, wanted) if found != wanted => Err(PagingError::CursorArity { found, wanted }),
            _ => Ok(Some(texts)),
        }
    }

    /// The cursor behind the row that these texts are of.
    fn in_words(&self, words: &CursorWords, mut texts: Vec<String>) -> Option<Cursor> {
        let cursor = Cursor::behind_words(texts.last_mut()?, self.connection.identity());
        let position = self.connection.position_of(&words.values(&texts)?)?;
        Some(Cursor {
            position: position + 1,
            ..cursor
        })
    }

    fn is_own(&self, cursor: &Cursor) -> bool {
        cursor.list == self.connection.identity() && cursor.position <= self.connection.len()
    }

    fn check_age(&self, cursor: &Cursor) -> Result<(), PagingError> {
        let expiry = self.rules.traps.cursor_expiry.as_ref();
        let is_over = expiry
            .zip(cursor.made)
            .is_some_and(|(expiry, made)| expiry.is_over(made, self.moment));
        if is_over {
            return Err(PagingError::CursorExpired);
        }
        Ok(())
    }

    /// The page that a trap puts in the place of the one asked for.
    fn trap(&self, start: Start, size: u64) -> Option<Page> {
        let is_from = |trap: Option<u64>| trap.is_some_and(|row| start.position >= row.max(1));
        if is_from(self.rules.traps.lost_at) {
            return Some(Page {
                end: Some(String::new()),
                ..self.empty_page(size)
            });
        }
        let end = if is_from(self.rules.traps.stuck_at) {
            self.choice.cursor.as_ref()?.to_string()
        } else if is_from(self.rules.traps.empty_page_at) && self.shape.cursor.is_some() && !start.is_past_empty_page {
            self.cursor(start.position, true)
        } else {
            return None;
        };
        Some(Page {
            has_next: true,
            has_previous: true,
            end: Some(end),
            ..self.empty_page(size)
        })
    }

    /// How many rows to leave out before the page.
    fn offset(&self, size: u64) -> Result<u64, PagingError> {
        if self.shape.page.is_some() {
            return Ok((self.number() - 1).saturating_mul(size));
        }
        let offset = self.choice.offset.unwrap_or(0);
        let positive = u64::try_from(offset).ok();
        let max = self.rules.traps.max_offset.unwrap_or(u64::MAX);
        positive
            .filter(|offset| *offset <= max)
            .ok_or_else(|| PagingError::Offset {
                argument: self.shape.offset.clone().unwrap_or_default(),
                max,
                offset,
            })
    }

    /// The number of the page; numbers below 1 mean the first.
    fn number(&self) -> u64 {
        if self.rules.traps.repeats_page_one {
            return 1;
        }
        u64::try_from(self.choice.page.unwrap_or(1)).unwrap_or(1).max(1)
    }

    /// How many rows the page has at most, where a page may come short.
    fn shortened(&self, size: u64, position: u64) -> u64 {
        let rows = Entropy::of_seed(self.connection.identity());
        let size = match self.rules.traps.read_at_once {
            Some(read) => read.rows(rows, position, size),
            None => size,
        };
        let mut entropy = rows.at(position);
        if self.shape.page.is_none() && entropy.happens(self.rules.traps.short_pages) {
            return 1 + entropy.below(size.saturating_sub(1));
        }
        size
    }

    /// The rows of the page, and the position behind the last one that was looked at.
    fn rows(&self, start: u64, offset: u64, size: u64) -> (Vec<u64>, u64) {
        let size_here = usize::try_from(size).unwrap_or(usize::MAX);
        if self.rules.traps.filters_after_size {
            let begin = start.saturating_add(offset);
            let end = begin.saturating_add(size).min(self.connection.len());
            return (
                self.connection.matching(begin).take_while(|row| *row < end).collect(),
                end,
            );
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rows: Vec<u64> = self.connection.matching(start).skip(offset).take(size_here).collect();
        let end = rows.last().map_or(self.connection.len(), |last| last + 1);
        (rows, end)
    }

    /// Whether a page that looked at all rows before `position` says that more follows.
    fn has_rows_from(&self, position: u64) -> bool {
        if self.rules.traps.filters_after_size {
            return position < self.connection.len();
        }
        self.connection.matching(position).next().is_some()
    }

    fn end(&self, rows: &[u64], has_next: bool, position: u64) -> Option<String> {
        match &self.rules.traps.last_cursor {
            _ if has_next => Some(self.cursor(position, false)),
            _ if rows.is_empty() && self.rules.traps.empty_page_repeats_cursor && self.choice.cursor.is_some() => {
                self.choice.cursor.as_ref().map(GivenCursor::to_string)
            }
            _ if rows.is_empty() && self.rules.traps.empty_cursor.is_some() => self.rules.traps.empty_cursor.clone(),
            LastCursor::Null => None,
            LastCursor::Text(text) => Some(text.clone()),
            LastCursor::LastRow => rows.last().map(|last| self.cursor_of(*last)),
        }
    }

    fn cursor(&self, position: u64, is_past_empty_page: bool) -> String {
        let cursor = Cursor {
            list: self.connection.identity(),
            position,
            is_past_empty_page,
            made: self.rules.traps.cursor_expiry.as_ref().map(|_| self.moment),
            place: self.place.clone(),
        };
        let row = position.checked_sub(1).and_then(|row| self.connection.row(row));
        if let Some((words, row)) = self.rules.traps.cursor_words.as_ref().zip(row) {
            return cursor.in_words(words, row, words.is_encoded() && self.connection.is_filtered());
        }
        if self.rules.traps.json_list_cursors {
            return cursor.json_list();
        }
        if self.rules.traps.key_cursors {
            return cursor.key();
        }
        cursor.text()
    }

    fn empty_page(&self, size: u64) -> Page {
        Page {
            rows: Vec::new(),
            has_next: false,
            has_previous: false,
            number: self.number(),
            size,
            offset: 0,
            end: None,
        }
    }
}

#[cfg(test)]
mod tests;
