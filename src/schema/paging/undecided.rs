//! What to tell the author of a field that looks paginated and leaves open how.

use crate::schema::paging::detect::paging;
use crate::schema::paging::first_page::ASSUMED;
use crate::schema::paging::hints::PagingHints;
use crate::schema::paging::path::{ArgumentPath, FieldPath, dotted};
use crate::schema::paging::style::StyleHint;
use crate::schema::paging::subject::Subject;
use crate::schema::paging::{Paging, Proposal};

/// What helps in any case.
const SWITCH_OFF: &str = "write @paginate(style: NONE) behind it if what it answers is all there is";

/// The outcome for a field that looks paginated and fits no style for certain.
pub(super) fn undecided(subject: &Subject<'_>) -> Paging {
    Paging::Undecided {
        arguments: subject.signs(),
        help: help(subject),
        proposal: obstacle(subject)
            .is_none()
            .then(|| proposal(subject))
            .flatten()
            .map(|hints| {
                Box::new(Proposal {
                    is_told: is_told(subject, &hints),
                    hints,
                })
            }),
    }
}

fn help(subject: &Subject<'_>) -> String {
    if let Some(obstacle) = obstacle(subject) {
        return format!("{obstacle}; {SWITCH_OFF}");
    }
    let Some(proposal) = proposal(subject) else {
        return format!("say how it turns its pages by @paginate(style: …), or {SWITCH_OFF}");
    };
    let lists = match subject.answer.is_ambiguous {
        true => format!(" (`items` is the list that you select: {})", other_lists(subject)),
        false => String::new(),
    };
    let condition = condition(subject, &proposal);
    format!("write {proposal} behind it{condition}{lists}, or {SWITCH_OFF}")
}

/// Why no directive can help.
fn obstacle(subject: &Subject<'_>) -> Option<String> {
    if subject.answer.is_union() {
        return Some("its rows stand in one type of a union, where no style reaches them".to_owned());
    }
    let is_free = subject.arguments.cursor().is_some();
    let required = subject.arguments.required_cursor().filter(|_| !is_free)?;
    Some(format!(
        "it insists on `{required}`, so that it cannot give a first page: ask for the field that the cursor comes from"
    ))
}

/// What the author has to make sure of, which no schema tells.
fn condition(subject: &Subject<'_>, proposal: &PagingHints) -> String {
    let is_loose_offset = subject.arguments.offset().is_none();
    let number = proposal.first_page.map(|_| "its first page has that number".to_owned());
    let of_style = match (proposal.style, &proposal.total, &proposal.end_cursor) {
        (Some(StyleHint::Page), Some(total), _) => Some(format!("`{total}` counts all rows and not those of a page")),
        (Some(StyleHint::FlatCursor), _, Some(cursor)) => Some(format!(
            "`{cursor}` is the cursor of the next page, and null at the end"
        )),
        (Some(StyleHint::Offset | StyleHint::OffsetList), ..) if is_loose_offset => {
            Some("it takes the number of rows to leave out".to_owned())
        }
        (Some(StyleHint::Keyset), ..) => Some("it takes the key of the last row".to_owned()),
        (Some(StyleHint::Capped), ..) => Some("there is no way to ask for more".to_owned()),
        _ => None,
    };
    let conditions: Vec<String> = number.into_iter().chain(of_style).collect();
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" if {}", conditions.join(" and ")),
    }
}

fn other_lists(subject: &Subject<'_>) -> String {
    let lists = subject.answer.items.iter().map(|path| format!("`{}`", dotted(path)));
    lists.collect::<Vec<_>>().join(", ")
}

/// The directive that most likely fits; it is one that the field accepts.
fn proposal(subject: &Subject<'_>) -> Option<PagingHints> {
    let by_cursor = by_cursor(subject).into_iter();
    let by_page = by_page(subject).into_iter();
    let by_offset = by_offset(subject).into_iter();
    let proposals = by_cursor.chain(by_page.flatten()).chain(by_offset.flatten());
    let mut proposals = proposals.chain(keyset(subject)).chain(capped(subject));
    proposals.find(|proposal| matches!(paging(subject.schema, subject.field, proposal), Ok(Paging::Paged(_))))
}

/// Whether a page number is meant for certain: its name says so, and the schema has the number of the first page. A list
/// that heeds no page number gives the same rows again, which is seen.
fn is_told(subject: &Subject<'_>, hints: &PagingHints) -> bool {
    let told = || subject.told_first_page(&subject.arguments.page()?);
    hints.style == Some(StyleHint::PageList) && told().is_some()
}

/// A proposal of that style, with what all of them say.
fn of(subject: &Subject<'_>, style: StyleHint, size: Option<ArgumentPath>) -> PagingHints {
    let answer = &subject.answer;
    let items = match (answer.items.first(), answer.is_ambiguous) {
        (Some(path), true) => Some(path.clone()),
        (Some(_), false) => None,
        (None, _) => answer.inner_list(),
    };
    PagingHints {
        style: Some(style),
        size_argument: text(size),
        items: items.as_ref().map(|path| dotted(path)),
        ..PagingHints::default()
    }
}

fn by_cursor(subject: &Subject<'_>) -> Option<PagingHints> {
    let found = || {
        let end_cursor = subject.answer.loose_end_cursor();
        let end_cursor = end_cursor.or_else(|| subject.answer.next_value());
        Some((subject.arguments.loose_cursor()?, end_cursor))
    };
    let echo = subject.echo().map(|(cursor, value)| (cursor, Some(value)));
    let (cursor, end_cursor) = echo.or_else(found)?;
    let flag = subject.answer.loose_has_next();
    Some(PagingHints {
        cursor_argument: Some(cursor.to_string()),
        end_cursor: path(end_cursor),
        has_next: path(flag.filter(|_| subject.answer.has_next().is_none())),
        ..of(subject, StyleHint::FlatCursor, subject.arguments.loose_size())
    })
}

fn by_page(subject: &Subject<'_>) -> Option<[PagingHints; 3]> {
    let page = subject.arguments.loose_page()?;
    let proposed = |style| PagingHints {
        page_argument: Some(page.to_string()),
        first_page: first_page(subject, &page, style),
        ..of(
            subject,
            style,
            subject.arguments.page_size().or_else(|| subject.arguments.loose_size()),
        )
    };
    let total = subject.answer.total().is_none();
    let total = total.then(|| subject.answer.loose_total()).flatten();
    Some([
        proposed(StyleHint::PageFlag),
        PagingHints {
            total: path(total),
            ..proposed(StyleHint::Page)
        },
        proposed(StyleHint::PageList),
    ])
}

/// The number to be confirmed, unless the value shows or the schema tells whether it is right. A page that is called
/// an index mostly counts from 0.
fn first_page(subject: &Subject<'_>, page: &ArgumentPath, style: StyleHint) -> Option<u64> {
    let told = subject.told_first_page(page);
    match style {
        _ if subject.arguments.page().is_none() => Some(told.unwrap_or(0)),
        StyleHint::PageList => Some(told.unwrap_or(ASSUMED)),
        StyleHint::PageFlag if told.is_none() && subject.total().is_none() => Some(ASSUMED),
        _ => None,
    }
}

fn by_offset(subject: &Subject<'_>) -> Option<[PagingHints; 2]> {
    let offset = subject.arguments.loose_offset()?;
    let proposed = |style| PagingHints {
        offset_argument: Some(offset.to_string()),
        ..of(subject, style, subject.arguments.loose_size())
    };
    Some([proposed(StyleHint::Offset), proposed(StyleHint::OffsetList)])
}

/// A bare list with a cursor argument: its cursor can but be something of the last row.
fn keyset(subject: &Subject<'_>) -> Option<PagingHints> {
    let cursor = subject.arguments.loose_cursor()?;
    Some(PagingHints {
        filter: Some(cursor.to_string()),
        key: Some("id".to_owned()),
        ..of(subject, StyleHint::Keyset, subject.arguments.loose_size())
    })
}

fn capped(subject: &Subject<'_>) -> Option<PagingHints> {
    let size = subject.arguments.loose_size()?;
    Some(of(subject, StyleHint::Capped, Some(size)))
}

fn text(argument: Option<ArgumentPath>) -> Option<String> {
    argument.map(|path| path.to_string())
}

fn path(value: Option<FieldPath>) -> Option<String> {
    value.map(|path| dotted(&path))
}
