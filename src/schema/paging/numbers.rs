//! The styles that go on by a number: of the page, or of the rows to leave out; and the list that does not go on.

use crate::schema::paging::cursors::next_field;
use crate::schema::paging::path::read_argument;
use crate::schema::paging::subject::Subject;
use crate::schema::paging::{PagedField, Pager};

/// A page number, and the number of pages or of rows.
pub(super) fn page_totals(subject: &Subject<'_>) -> Result<PagedField, String> {
    let page = subject.page()?;
    let page_count = subject.page_count();
    if page_count.is_none() && subject.total().is_none() {
        return Err(subject.lacks(
            "the number of pages or of all rows in the value",
            "pageCount` or `total",
        ));
    }
    let pager = Pager::PageTotals {
        first_page: subject.first_page(&page, page_count.as_ref())?,
        page,
        page_count,
    };
    let items = subject.items()?;
    Ok(subject.paged(pager, items, subject.page_size()))
}

/// A page number, and a flag for more.
pub(super) fn page_flag(subject: &Subject<'_>) -> Result<PagedField, String> {
    let page = subject.page()?;
    let has_next = subject.has_next();
    let pager = Pager::PageFlag {
        first_page: subject.first_page(&page, None)?,
        page,
        has_next: has_next.ok_or_else(|| subject.lacks("a flag for more in the value", "hasNext"))?,
    };
    let items = subject.items()?;
    Ok(subject.paged(pager, items, subject.page_size()))
}

/// A page number alone.
pub(super) fn page_list(subject: &Subject<'_>) -> Result<PagedField, String> {
    let page = subject.page()?;
    let pager = Pager::PageList {
        first_page: subject.first_page(&page, None)?,
        page,
    };
    let items = subject.items()?;
    Ok(subject.paged(pager, items, subject.page_size()))
}

/// A number of rows to leave out, and a total or a flag for more.
pub(super) fn offset_total(subject: &Subject<'_>) -> Result<PagedField, String> {
    let offset = subject.offset()?;
    let has_next = subject.has_next();
    if has_next.is_none() && subject.total().is_none() {
        return Err(subject.lacks(
            "the number of all rows or a flag for more in the value",
            "total` or `hasNext",
        ));
    }
    let pager = Pager::OffsetTotal { offset, has_next };
    by_rows(subject, pager)
}

/// A number of rows to leave out alone.
pub(super) fn offset_list(subject: &Subject<'_>) -> Result<PagedField, String> {
    let offset = subject.offset()?;
    by_rows(subject, Pager::OffsetList { offset })
}

fn by_rows(subject: &Subject<'_>, pager: Pager) -> Result<PagedField, String> {
    let size = subject.size();
    if size.is_none() && !subject.is_given() {
        return Err(subject.lacks("an argument for the number of rows", "sizeArgument"));
    }
    Ok(subject.paged(pager, subject.items()?, size))
}

/// A list that nothing goes on from. Without a hint only one that takes a size counts.
pub(super) fn capped(subject: &Subject<'_>) -> Result<PagedField, String> {
    let size = subject.size();
    let is_said = subject.hints.implied_style().is_some();
    let is_certain = size.is_some() && subject.answer.is_list() && !subject.may_move();
    if !is_said && !is_certain {
        return Err(subject.lacks("an argument for the number of rows, and a bare list", "sizeArgument"));
    }
    let pager = Pager::Capped {
        cap: subject.hints.cap,
        has_next: subject.has_next(),
    };
    Ok(subject.paged(pager, subject.items()?, size))
}

/// The same, whose rows a root field lists by the row that holds them.
pub(super) fn reverse(subject: &Subject<'_>) -> Result<PagedField, String> {
    let next = next_field(subject)?;
    let said = subject.hints.parent.as_deref();
    let said = said.ok_or_else(|| subject.lacks("the argument of `next` that takes the row's `id`", "parent"))?;
    let read = read_argument(subject.schema, next, said);
    let parent = read.map_err(|error| format!("`parent`: {error}"))?;
    let ty = parent.ty(next, subject.schema);
    if !ty.is_some_and(|ty| !ty.is_list() && ["ID", "String"].contains(&ty.inner_named_type().as_str())) {
        return Err(format!(
            "`parent`: `{parent}` of `{}` takes no single `ID` or `String`; name what does, such as `feature.id.is`",
            next.name
        ));
    }
    let pager = Pager::Reverse {
        next_field: next.name.clone(),
        parent,
        cap: subject.hints.cap,
    };
    Ok(subject.paged(pager, subject.items()?, subject.size()))
}

/// A list that takes nothing for paging, beside which the API says how many rows there are, or whether there are more:
/// that is compared with what comes.
pub(super) fn whole(subject: &Subject<'_>) -> Result<PagedField, String> {
    let total = subject
        .answer
        .certain_total()
        .or_else(|| subject.answer.count_of_rows());
    let has_next = subject.loose_has_next();
    if !subject.answer.speaks_of_pages() || (total.is_none() && has_next.is_none()) {
        return Err(subject.lacks(
            "the number of all rows or a flag for more in the value",
            "total` or `hasNext",
        ));
    }
    let pager = Pager::Capped { cap: None, has_next };
    let mut paged = subject.paged(pager, subject.items()?, None);
    paged.total = total;
    Ok(paged)
}
