//! A value of a row that the author names by its response keys, with dots: a plain one, of the row itself or of an object
//! in it.

use apollo_compiler::schema::Name;

use crate::plan::columns::Context;
use crate::plan::selection::{MergedField, merge};
use crate::plan::survey::{RowField, Survey};
use crate::plan::table::{Cell, ValuePlace};
use crate::schema::nearest;

/// What is wrong with a path, and what to do about it.
#[derive(Debug)]
pub(crate) struct WrongPath {
    pub(crate) message: String,
    pub(crate) help: String,
}

/// Where the value at `path` stands in the items of a row field, of which `cells` are those with a column.
pub(crate) fn value_place(
    context: Context<'_>,
    survey: &Survey,
    row: &RowField,
    cells: &[Cell],
    path: &str,
) -> Result<ValuePlace, WrongPath> {
    let keys: Vec<&str> = path.split('.').collect();
    let mut fields = merge(&row.source.item_sets, context.schema, context.variables);
    for (index, key) in keys.iter().enumerate() {
        let (above, is_last) = (&keys[..index], index + 1 == keys.len());
        let Some(field) = fields.iter().find(|field| field.key == *key) else {
            return Err(not_selected(path, above, key, &fields));
        };
        let own_path = row.items_path().into_iter();
        let own_path: Vec<Name> = own_path
            .chain(keys[..=index].iter().map(|key| Name::new_unchecked(key)))
            .collect();
        let below = merge(&field.sets, context.schema, context.variables);
        if field.field.ty().is_list() || survey.row_at(&own_path).is_some() {
            return Err(many(path, &keys[..=index]));
        }
        match (below.is_empty(), is_last) {
            (true, true) | (false, false) => fields = below,
            (false, true) => return Err(no_plain_value(path, &below)),
            (true, false) => return Err(not_selected(path, &keys[..=index], keys[index + 1], &[])),
        }
    }
    let own = keys.first().copied().unwrap_or_default();
    let cell = cells.iter().position(|cell| cell.key == own);
    let below = keys.iter().skip(1).map(|key| (*key).to_owned()).collect();
    cell.map(|cell| ValuePlace { cell, below })
        .ok_or_else(|| not_selected(path, &[], own, &[]))
}

fn many(path: &str, way: &[&str]) -> WrongPath {
    WrongPath {
        message: format!(
            "`{path}` leads into the list `{}`, which has as many values as items",
            way.join(".")
        ),
        help: "name plain values of the row, or of single objects in it".to_owned(),
    }
}

fn no_plain_value(path: &str, fields: &[MergedField]) -> WrongPath {
    let plain = fields
        .iter()
        .filter(|field| !field.has_fields() && !field.field.ty().is_list());
    let names: Vec<String> = plain.map(|field| format!("`{path}.{}`", field.key)).collect();
    WrongPath {
        message: format!("`{path}` is an object and no plain value"),
        help: match names.as_slice() {
            [] => "select a plain value in it, and name that".to_owned(),
            names => format!("name a plain value in it: {}", names.join(", ")),
        },
    }
}

fn not_selected(path: &str, above: &[&str], key: &str, fields: &[MergedField]) -> WrongPath {
    let keys = fields.iter().map(|field| field.key.as_str());
    let meant = nearest(key, keys).map(|near| [above, &[near]].concat().join("."));
    let whose = match above {
        [] => "the row".to_owned(),
        above => format!("`{}`", above.join(".")),
    };
    WrongPath {
        message: format!("`{path}` is not selected: there is no `{key}` in {whose}"),
        help: match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "select it in the query, under that name".to_owned(),
        },
    }
}
