//! The text of a starter.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::starter::columns::{Selected, columns, values};
use crate::plan::starter::dates::date_filters;
use crate::plan::starter::fields::Fields;
use crate::plan::starter::lists::List;
use crate::plan::starter::unselected::{own_fields, unselected};
use crate::schema::Pager;

/// What is said above every query.
const ABOUT: &str = "\
# A starter: the plain columns of this list. Add any field of schema.graphql; a list in a row becomes a table of its own,
# read to its end at whatever depth. Sizes, cursors and page numbers are gqldump's business.
";

/// A field with its arguments, and what is selected of it.
struct Level {
    field: String,
    arguments: Vec<String>,
    directive: String,
    /// Plain values beside what stands in it.
    beside: Vec<Name>,
}

/// What edges have for their pages, and not for their rows.
const CURSOR: &str = "cursor";

/// The query file for a list; `None` where its rows have no plain value.
pub(super) fn text(fields: Fields<'_, '_>, list: &List<'_>) -> Option<String> {
    let columns = columns(fields, list.item_type);
    if columns.is_empty() {
        return None;
    }
    let levels = levels(fields, list);
    let lacks = [
        inner_words(list),
        left_out_words(fields, list.item_type),
        unselected_words(fields, list),
        own_words(fields, list.item_type),
        date_words(fields.schema, list),
    ];
    let lacks = lacks.concat();
    let mut text = format!("{ABOUT}{lacks}{}\n", opening(list));
    for (depth, level) in levels.iter().enumerate() {
        let arguments = match level.arguments.as_slice() {
            [] => String::new(),
            arguments => format!("({})", arguments.join(", ")),
        };
        let Level { field, directive, .. } = level;
        line(&mut text, depth + 1, &format!("{field}{arguments}{directive} {{"));
        for name in &level.beside {
            line(&mut text, depth + 2, name);
        }
    }
    for column in &columns {
        select(&mut text, levels.len() + 1, column);
    }
    for depth in (0..=levels.len()).rev() {
        line(&mut text, depth, "}");
    }
    Some(text)
}

/// What is said of the lists in the rows.
fn inner_words(list: &List<'_>) -> String {
    let names: Vec<&str> = list.inner.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("# Lists in these rows, which are not here: {}.\n", names.join(", ")),
    }
}

/// What is said of fields that the source leaves out.
fn left_out_words(fields: Fields<'_, '_>, rows: &Name) -> String {
    let names: Vec<&str> = fields.left_out_of(rows).into_iter().map(Name::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("# Not here, as [left_out] says: {}.\n", names.join(", ")),
    }
}

/// What is said of what cannot be selected in a word.
fn unselected_words(fields: Fields<'_, '_>, list: &List<'_>) -> String {
    match unselected(fields, list.item_type, &list.inner).as_slice() {
        [] => String::new(),
        names => format!(
            "# Not here, since it needs an argument or lies deeper: {}.\n",
            names.join(", ")
        ),
    }
}

/// What is said of what single types of an interface have.
fn own_words(fields: Fields<'_, '_>, rows: &Name) -> String {
    let own = own_fields(fields, rows);
    if own.is_empty() {
        return String::new();
    }
    let mut words =
        "# Not here, since not all types of rows have it; each can be added as `... on TYPE { … }`:\n".to_owned();
    for (ty, names) in own {
        words.push_str(&format!("#   {ty}: {}\n", names.join(", ")));
    }
    words
}

/// What is said of filters by date, and how one is used.
fn date_words(schema: &Schema, list: &List<'_>) -> String {
    let filters = date_filters(schema, list);
    let [first, ..] = filters.as_slice() else {
        return String::new();
    };
    let all: Vec<String> = filters
        .iter()
        .map(|filter| format!("{}: {}", filter.name, filter.ty))
        .collect();
    format!(
        "# Filters by date, by their names or types: {all}.\n\
         # To use one, declare it (`query (${name}: {ty}) {{`), write `{name}: ${name}`\n\
         # among the arguments, and run with --var '{name}=…'.\n",
        all = all.join(", "),
        name = first.name,
        ty = first.ty,
    )
}

fn opening(list: &List<'_>) -> String {
    match list.needs().as_slice() {
        [] => "{".to_owned(),
        needs => format!("query ({}) {{", needs.join(", ")),
    }
}

fn levels(fields: Fields<'_, '_>, list: &List<'_>) -> Vec<Level> {
    let last = list.way.len().saturating_sub(1);
    let field = |(depth, field): (usize, &&FieldDefinition)| {
        let needed = list.needed().filter(|needed| {
            let arguments = field.arguments.iter();
            arguments.into_iter().any(|argument| std::ptr::eq(&**argument, *needed))
        });
        let mut arguments: Vec<String> = needed.map(|needed| format!("{0}: ${0}", needed.name)).collect();
        arguments.extend(order(fields.schema, list, field).filter(|_| depth == last));
        let said = list.said.as_ref().filter(|_| depth == last);
        Level {
            field: field.name.to_string(),
            arguments,
            directive: said.map_or_else(String::new, |hints| format!(" {hints}")),
            beside: Vec::new(),
        }
    };
    list.way
        .iter()
        .enumerate()
        .map(field)
        .chain(item_levels(fields, list))
        .collect()
}

/// The levels from the value of a list to its items; edges with what is theirs beside the row.
fn item_levels(fields: Fields<'_, '_>, list: &List<'_>) -> Vec<Level> {
    let mut at = list.way.last().map(|field| field.ty.inner_named_type());
    let mut levels = Vec::new();
    for (index, name) in list.items.iter().enumerate() {
        at = at.and_then(|owner| {
            let field = fields.of(owner).find(|field| field.name == *name)?;
            Some(field.ty.inner_named_type())
        });
        let edge = at.filter(|_| index + 1 < list.items.len());
        let own = edge.into_iter().flat_map(|edge| values(fields, edge));
        levels.push(Level {
            field: name.to_string(),
            arguments: Vec::new(),
            directive: String::new(),
            beside: own
                .map(|field| field.name.clone())
                .filter(|name| name != CURSOR)
                .collect(),
        });
    }
    levels
}

/// What puts the rows in the order of their keys, where pages are told by numbers: an order that is not promised is not
/// kept from page to page.
fn order(schema: &Schema, list: &List<'_>, field: &FieldDefinition) -> Option<String> {
    let is_numbered = match &list.paged.as_ref()?.pager {
        Pager::PageTotals { .. }
        | Pager::PageFlag { .. }
        | Pager::PageList { .. }
        | Pager::OffsetTotal { .. }
        | Pager::OffsetList { .. } => true,
        Pager::Relay { .. }
        | Pager::FlatCursor { .. }
        | Pager::MovingCursor { .. }
        | Pager::Keyset { .. }
        | Pager::Capped { .. }
        | Pager::Reverse { .. } => false,
    };
    let mut arguments = field.arguments.iter().filter(|_| is_numbered);
    arguments.find_map(|argument| {
        let rising = rising(schema, argument.ty.inner_named_type())?;
        (!argument.ty.is_list()).then(|| format!("{}: {{ id: {rising} }}", argument.name))
    })
}

/// How an input object asks for rising keys: it has a field `id` that takes a direction.
fn rising<'schema>(schema: &'schema Schema, input: &Name) -> Option<&'schema Name> {
    let ExtendedType::InputObject(input) = schema.types.get(input)? else {
        return None;
    };
    let id = input.fields.get("id")?;
    let ExtendedType::Enum(direction) = schema.types.get(id.ty.inner_named_type())? else {
        return None;
    };
    direction
        .values
        .keys()
        .find(|value| value.as_str().eq_ignore_ascii_case("asc"))
}

fn select(text: &mut String, depth: usize, column: &Selected) {
    match column {
        Selected::Value(name) => line(text, depth, name),
        Selected::Object(name, inner) => line(text, depth, &format!("{name} {{ {} }}", joined(inner))),
        Selected::On(name, inner) => line(text, depth, &format!("... on {name} {{ {} }}", inner.join(" "))),
    }
}

fn joined(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    names.join(" ")
}

fn line(text: &mut String, depth: usize, content: &str) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(content);
    text.push('\n');
}
