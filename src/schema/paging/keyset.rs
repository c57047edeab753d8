//! Paging by a filter on the key of the last row. No schema tells it for certain: it is always said by a hint.

use apollo_compiler::schema::Name;

use crate::schema::paging::path::{fields, read_argument, read_field, unknown};
use crate::schema::paging::subject::Subject;
use crate::schema::paging::{PagedField, Pager};

/// A filter, a key, and the order by that key.
pub(super) fn keyset(subject: &Subject<'_>) -> Result<PagedField, String> {
    let hints = subject.hints;
    let filter_lacks = || subject.lacks("an argument that leaves out what is known", "filter");
    let filter = hints.filter.as_deref().ok_or_else(filter_lacks)?;
    let filter = read_argument(subject.schema, subject.field, filter);
    let text = hints.filter_text.clone();
    if text.as_deref().is_some_and(|text| !text.contains("{}")) {
        return Err("`filterText` lacks `{}`, the key's place: write it as in `id > \"{}\"`".to_owned());
    }
    let items = subject.items()?;
    let pager = Pager::Keyset {
        filter: filter.map_err(|error| format!("`filter`: {error}"))?,
        key: key(subject, &items)?,
        text,
    };
    Ok(subject.paged(pager, items, subject.size()))
}

fn key(subject: &Subject<'_>, items: &[Vec<Name>]) -> Result<Name, String> {
    let key_lacks = || subject.lacks("the rows' field that the filter compares", "key");
    let key = subject.hints.key.as_deref().ok_or_else(key_lacks)?;
    let path = items
        .first()
        .map(|path| path.iter().map(Name::as_str).collect::<Vec<_>>());
    let row = match path {
        Some(path) if !path.is_empty() => {
            let (_, steps) = read_field(subject.schema, subject.field, &path.join("."))?;
            steps.last().copied().unwrap_or(subject.field).ty.inner_named_type()
        }
        _ => subject.field.ty.inner_named_type(),
    };
    let known = fields(subject.schema, row);
    let found = known.iter().find(|field| field.name == key);
    let missing = || {
        let names = known.iter().map(|field| &field.name);
        format!("`key`: {}", unknown("field", key, row, names))
    };
    found.map(|field| field.name.clone()).ok_or_else(missing)
}
