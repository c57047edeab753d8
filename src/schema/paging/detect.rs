//! The decision: which style a field is of.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;

use crate::schema::paging::hints::PagingHints;
use crate::schema::paging::keyset::keyset;
use crate::schema::paging::style::StyleHint;
use crate::schema::paging::subject::Subject;
use crate::schema::paging::undecided::undecided;
use crate::schema::paging::{ArgumentPath, PagedField, Paging, cursors, numbers};

/// A style tried on a field; the error says what it lacks.
type Attempt = fn(&Subject<'_>) -> Result<PagedField, String>;

/// Tells how `field` turns its pages. Fails where `hints` do not fit the field; the error says what would.
pub fn paging(schema: &Schema, field: &FieldDefinition, hints: &PagingHints) -> Result<Paging, String> {
    let subject = Subject::new(schema, field, hints)?;
    if let Some(style) = hints.implied_style() {
        let Some(attempt) = attempt(style) else {
            return Ok(Paging::None);
        };
        return attempt(&subject).map(Paging::paged);
    }
    if let Some(attempts) = implied_attempts(&subject) {
        return first_of(&subject, attempts).map(Paging::paged);
    }
    if subject.signs().is_empty() || !subject.answer.brings_lists() || is_about_one_thing(&subject) {
        return match *hints == PagingHints::default() {
            true => Ok(without_signs(&subject)),
            false => Err(format!(
                "`{}` does not look paginated: add the style that it is of, or remove what is said of its parts",
                field.name
            )),
        };
    }
    let found = first_of(&subject, &detected(&subject));
    match found.ok().filter(|_| subject.arguments.is_certain) {
        Some(paged) => Ok(Paging::paged(paged)),
        None => Ok(undecided(&subject)),
    }
}

/// Whether a size alone, or a place alone, is asked of one thing that says nothing of pages: `latest(offset: 2)` with its
/// ships, or a picture by its size.
fn is_about_one_thing(subject: &Subject<'_>) -> bool {
    let (arguments, answer) = (&subject.arguments, &subject.answer);
    let speaks = || {
        answer
            .loose_has_next()
            .or_else(|| answer.end_cursor())
            .or_else(|| answer.certain_total())
    };
    let is_page = || arguments.is_complete() || !answer.relay_items().is_empty() || speaks().is_some();
    answer.is_thing() && arguments.is_certain && !is_page()
}

/// What a field is that takes nothing which looks like paging: a cursor that it answers must lead somewhere.
fn without_signs(subject: &Subject<'_>) -> Paging {
    match numbers::whole(subject) {
        Ok(paged) => Paging::paged(paged),
        Err(_) if subject.answer.speaks_of_pages() => undecided(subject),
        Err(_) => Paging::None,
    }
}

/// The argument for the page number, where `field` has one.
pub fn page_argument(schema: &Schema, field: &FieldDefinition, hints: &PagingHints) -> Option<ArgumentPath> {
    let subject = Subject::new(schema, field, hints).ok()?;
    subject.page().ok().filter(|_| subject.answer.brings_lists())
}

/// What to try for a style; nothing for `NONE`.
fn attempt(style: StyleHint) -> Option<Attempt> {
    match style {
        StyleHint::Relay => Some(cursors::relay),
        StyleHint::FlatCursor => Some(cursors::flat),
        StyleHint::MovingCursor => Some(cursors::moving),
        StyleHint::Page => Some(numbers::page_totals),
        StyleHint::PageFlag => Some(numbers::page_flag),
        StyleHint::PageList => Some(numbers::page_list),
        StyleHint::Offset => Some(numbers::offset_total),
        StyleHint::OffsetList => Some(numbers::offset_list),
        StyleHint::Keyset => Some(keyset),
        StyleHint::Capped => Some(numbers::capped),
        StyleHint::Reverse => Some(numbers::reverse),
        StyleHint::None => None,
    }
}

/// What to try where the hints name the argument that moves.
fn implied_attempts(subject: &Subject<'_>) -> Option<&'static [Attempt]> {
    const CURSORS: &[Attempt] = &[cursors::relay, cursors::flat];
    const PAGES: &[Attempt] = &[numbers::page_flag, numbers::page_totals];
    const OFFSETS: &[Attempt] = &[numbers::offset_total, numbers::offset_list];
    let hints = subject.hints;
    let implied = [
        (hints.cursor_argument.is_some(), CURSORS),
        (hints.page_argument.is_some(), PAGES),
        (hints.offset_argument.is_some(), OFFSETS),
    ];
    implied
        .into_iter()
        .find(|(is_said, _)| *is_said)
        .map(|(_, attempts)| attempts)
}

/// What to try where nothing is said, the surest first. Cursors outlast changes to the data, so that they go before
/// numbers; an offset can be followed at any page size, so that it goes before page numbers, unless the value counts
/// pages (Strapi): then these are the API's own way.
fn detected(subject: &Subject<'_>) -> Vec<Attempt> {
    let pages: [Attempt; 2] = [numbers::page_flag, numbers::page_totals];
    let offsets: [Attempt; 2] = [numbers::offset_total, numbers::offset_list];
    let numbers = match subject.page_count().is_some() {
        true => [pages, offsets],
        false => [offsets, pages],
    };
    let cursors: [Attempt; 3] = [cursors::relay, cursors::moving, cursors::flat];
    let mut attempts = cursors.to_vec();
    attempts.extend(numbers.into_iter().flatten());
    attempts.push(numbers::capped);
    attempts
}

/// The first style that fits; else what the last of them lacks.
fn first_of(subject: &Subject<'_>, attempts: &[Attempt]) -> Result<PagedField, String> {
    let mut lacking = String::new();
    for attempt in attempts {
        match attempt(subject) {
            Ok(paged) => return Ok(paged),
            Err(lack) => lacking = lack,
        }
    }
    Err(lacking)
}
