//! What follows from one page, style by style: the connections and pages that its parts are about.

mod bare_lists;
mod capped;
mod cursors;
mod doubles;
mod empty_pages;
mod first_page;
mod offsets;
mod pages;
mod resize;
mod reverse;
mod sameness;
mod totals;

use serde_json::Value;

use super::*;
use crate::schema::{ArgumentPath, FieldPath, PagedField};

pub(super) const PAGE_SIZE: u32 = 100;

fn path(names: &[&str]) -> FieldPath {
    names.iter().map(|name| (*name).try_into().unwrap()).collect()
}

fn argument(name: &str) -> ArgumentPath {
    ArgumentPath(path(&[name]))
}

pub(super) fn relay() -> Pager {
    Pager::Relay {
        cursor: argument("after"),
        has_next: path(&["pageInfo", "hasNextPage"]),
        end_cursor: path(&["pageInfo", "endCursor"]),
    }
}

pub(super) fn bare_cursor() -> Pager {
    Pager::FlatCursor {
        cursor: argument("after"),
        has_next: None,
        end_cursor: path(&["cursor"]),
    }
}

pub(super) fn page_totals() -> Pager {
    Pager::PageTotals {
        page: argument("page"),
        first_page: 1,
        page_count: Some(path(&["pages"])),
    }
}

pub(super) fn page_flag() -> Pager {
    Pager::PageFlag {
        page: argument("page"),
        first_page: 0,
        has_next: path(&["more"]),
    }
}

pub(super) fn page_list() -> Pager {
    Pager::PageList {
        page: argument("page"),
        first_page: 1,
    }
}

pub(super) fn offset_total() -> Pager {
    Pager::OffsetTotal {
        offset: argument("skip"),
        has_next: None,
    }
}

pub(super) fn offset_flag() -> Pager {
    Pager::OffsetTotal {
        offset: argument("skip"),
        has_next: Some(path(&["more"])),
    }
}

pub(super) fn offset_list() -> Pager {
    Pager::OffsetList {
        offset: argument("skip"),
    }
}

pub(super) fn keyset() -> Pager {
    Pager::Keyset {
        filter: argument("after"),
        key: "id".try_into().unwrap(),
        text: None,
    }
}

pub(super) fn capped(cap: Option<u32>) -> Pager {
    Pager::Capped { cap, has_next: None }
}

pub(super) fn reverse() -> Pager {
    Pager::Reverse {
        next_field: "findRows".try_into().unwrap(),
        parent: argument("holder"),
        cap: None,
    }
}

/// An outermost connection of that style.
pub(super) fn connection(pager: Pager) -> Connection {
    Connection {
        path: "rows".to_owned(),
        items_path: "rows.nodes".to_owned(),
        table: 0,
        parent: None,
        is_repeated: false,
        depth: 0,
        paged: PagedField {
            pager,
            items: vec![path(&["nodes"])],
            size: Some(argument("first")),
            order: None,
            total: None,
            lost_cursor: None,
            is_moving: false,
            doubts_empty: false,
            assumes_first_page: false,
            reason: String::new(),
        },
        page_size: PAGE_SIZE,
        most_rows: None,
        is_detached: false,
        is_never_null: false,
        page_key: None,
    }
}

/// A page behind `before` rows, of which `size` rows were asked for.
struct At {
    position: Option<Value>,
    before: u64,
    size: u32,
    expected: Option<u32>,
    trail: Trail,
}

fn first() -> At {
    At {
        position: None,
        before: 0,
        size: PAGE_SIZE,
        expected: None,
        trail: Trail::default(),
    }
}

fn later(position: impl Into<Value>, before: u64) -> At {
    At {
        position: Some(position.into()),
        before,
        trail: Trail {
            pages: before / u64::from(PAGE_SIZE),
            landmark: None,
            stale: 0,
            empty: 0,
        },
        ..first()
    }
}

impl At {
    fn of(next: &NextPage) -> Self {
        Self {
            position: Some(next.position.clone()),
            before: next.before,
            size: next.size.unwrap_or(PAGE_SIZE),
            expected: next.expected,
            trail: next.trail.clone(),
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            position: self.position.as_ref(),
            before: self.before,
            size: self.size,
            expected: self.expected,
            trail: &self.trail,
            restart: None,
            total: None,
        }
    }

    fn turn(&self, connection: &Connection, page: &FoundPage) -> Result<Turn, PagingError> {
        turn(connection, self.asked(), page)
    }

    fn turned(&self, pager: Pager, page: &FoundPage) -> Turn {
        self.turn(&connection(pager), page).unwrap()
    }

    fn error(&self, pager: Pager, page: &FoundPage) -> PagingError {
        self.turn(&connection(pager), page).unwrap_err()
    }
}

fn rows(rows: u64) -> FoundPage {
    FoundPage {
        rows,
        has_items: true,
        has_keys: true,
        are_keys_unique: true,
        digest: Some(format!("digest{rows}")),
        ..FoundPage::default()
    }
}

fn flagged(count: u64, has_next: Option<bool>, cursor: Option<Value>) -> FoundPage {
    FoundPage {
        has_next,
        end_cursor: cursor,
        ..rows(count)
    }
}

fn counted(count: u64, total: Option<u64>, page_count: Option<u64>) -> FoundPage {
    FoundPage {
        total,
        page_count,
        ..rows(count)
    }
}

/// The positions of the next pages, a side page in brackets.
fn positions(turn: &Turn) -> String {
    let position = |next: &NextPage| match next.expected {
        Some(expected) => format!("[{}: {expected}]", next.position),
        None => next.position.to_string(),
    };
    turn.next.iter().map(position).collect::<Vec<_>>().join(" ")
}

/// What follows from a page, in one text.
fn outcome(turn: &Turn) -> String {
    let end = turn.end.map(|end| format!("{end:?}"));
    let flaws = turn.flaws.iter().map(|flaw| format!("({flaw})"));
    let parts = [positions(turn)].into_iter().chain(end).chain(flaws);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
