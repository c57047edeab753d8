//! The styles that go on by a cursor.

use apollo_compiler::ast::FieldDefinition;

use crate::schema::paging::arguments::Arguments;
use crate::schema::paging::path::{FieldPath, read_argument, unknown};
use crate::schema::paging::subject::Subject;
use crate::schema::paging::{PagedField, Pager, object_field};

/// `first` and `after`, `pageInfo` with `hasNextPage` and `endCursor`, and items under `nodes` or `edges { node }`.
pub(super) fn relay(subject: &Subject<'_>) -> Result<PagedField, String> {
    let cursor = subject.cursor()?;
    let flag_lacks = || subject.lacks("`pageInfo` with `hasNextPage`", "hasNext");
    let cursor_lacks = || subject.lacks("`pageInfo` with `endCursor`", "endCursor");
    let in_page_info = |name: &str| subject.answer.in_page_info(name);
    let has_next = subject.said_has_next().or_else(|| in_page_info("hasnextpage"));
    let end_cursor = subject.said_end_cursor().or_else(|| in_page_info("endcursor"));
    let pager = Pager::Relay {
        cursor,
        has_next: has_next.ok_or_else(flag_lacks)?,
        end_cursor: end_cursor.ok_or_else(cursor_lacks)?,
    };
    let items = match &subject.hints.items {
        Some(_) => subject.items()?,
        None => subject.answer.relay_items(),
    };
    match items.is_empty() {
        true => Err(subject.lacks("`nodes`, or `edges` with `node`", "items")),
        false => Ok(subject.paged(pager, items, subject.size())),
    }
}

/// A cursor argument, and the cursor of the next page in the value.
pub(super) fn flat(subject: &Subject<'_>) -> Result<PagedField, String> {
    let cursor = subject.cursor()?;
    let has_next = subject.has_next();
    // With a flag beside it, `cursor` can but be that of the next page.
    let found = || match has_next {
        Some(_) => subject.answer.loose_end_cursor(),
        None => subject.answer.end_cursor(),
    };
    let end_cursor = end_cursor(subject, found, has_next.is_some())?;
    let items = subject.items()?;
    let pager = Pager::FlatCursor {
        cursor,
        has_next,
        end_cursor,
    };
    Ok(subject.paged(pager, items, subject.size()))
}

/// A cursor in the value that another field of the query root takes: `items_page` and `next_items_page`.
pub(super) fn moving(subject: &Subject<'_>) -> Result<PagedField, String> {
    let next = next_field(subject)?;
    let arguments = Arguments::of(subject.schema, next, &subject.answer);
    let cursor = match &subject.hints.cursor_argument {
        Some(text) => {
            let read = read_argument(subject.schema, next, text);
            Some(read.map_err(|error| format!("`cursorArgument`: {error}"))?)
        }
        None => arguments.required_cursor(),
    };
    let cursor_lacks = || {
        format!(
            "`{}` shows no argument for the cursor: name it by `cursorArgument`",
            next.name
        )
    };
    let pager = Pager::MovingCursor {
        next_field: next.name.clone(),
        cursor: cursor.ok_or_else(cursor_lacks)?,
        next_size: arguments.size(),
        end_cursor: end_cursor(subject, || subject.answer.loose_end_cursor(), false)?,
    };
    let items = subject.items()?;
    Ok(subject.paged(pager, items, subject.size()))
}

/// The cursor of the next page. Where no flag tells the end, it has to be one that can be null.
fn end_cursor(
    subject: &Subject<'_>,
    found: impl Fn() -> Option<FieldPath>,
    has_flag: bool,
) -> Result<FieldPath, String> {
    let is_end_told = |path: &FieldPath| has_flag || subject.is_given() || subject.answer.is_nullable(path);
    let path = subject
        .said_end_cursor()
        .or_else(|| found().filter(|path| is_end_told(path)));
    path.ok_or_else(|| subject.lacks("the cursor of the next page in the value", "endCursor"))
}

pub(super) fn next_field<'schema>(subject: &Subject<'schema>) -> Result<&'schema FieldDefinition, String> {
    let schema = subject.schema;
    let lacks = || subject.lacks("the root field that goes on", "next");
    let root = schema.schema_definition.query.as_ref().ok_or_else(lacks)?;
    let next = match &subject.hints.next {
        Some(name) => {
            let known = schema.get_object(root).into_iter().flat_map(|root| root.fields.keys());
            let missing = || format!("`next`: {}", unknown("field", name, root, known.clone()));
            object_field(schema, root, name).ok_or_else(missing)?
        }
        None => {
            let names = next_names(&subject.field.name);
            let mut fields = names.iter().filter_map(|name| object_field(schema, root, name));
            fields.next().ok_or_else(lacks)?
        }
    };
    match next.ty.inner_named_type() == subject.field.ty.inner_named_type() {
        true => Ok(next),
        false => Err(format!(
            "`next`: `{}` answers `{}` and not `{}`; name a field of the same type",
            next.name, next.ty, subject.field.ty
        )),
    }
}

/// `next_items_page` and `nextItemsPage`.
fn next_names(field: &str) -> [String; 2] {
    let mut characters = field.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let capitalized: String = first.into_iter().chain(characters).collect();
    [format!("next_{field}"), format!("next{capitalized}")]
}
