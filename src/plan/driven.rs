//! The arguments of a paginated field: the author's, and those that we drive.

use std::collections::HashSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{Argument as Own, Value};
use apollo_compiler::schema::Name;
use serde_json::Value as JsonValue;

use crate::plan::columns::Context;
use crate::plan::paged::{PagedRows, variable_type, written as written_value};
use crate::plan::selection::MergedField;
use crate::plan::text::{Argument, Source, Token, written};
use crate::schema::{ArgumentPath, Pager};

/// What a paginated field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A first page within the page of its parent; the index is that of the connection.
    Inline(usize),
    /// The page that the slot is for.
    Slot,
    /// The one row at its place; the index is that of the place among the values of the slot's address.
    Place(usize),
}

/// A driven argument, and its value.
pub(crate) struct Driven<'plan> {
    path: &'plan ArgumentPath,
    value: Token,
    needs: Option<Source>,
}

/// The arguments of a field that is paginated so.
pub(crate) fn arguments(context: Context<'_>, field: &MergedField, rows: &PagedRows, asked: Asked) -> Token {
    let driven = driven(context, field, rows, asked);
    let is_driven = |name: &Name| driven.iter().any(|driven| driven.path.0.first() == Some(name));
    let own = field
        .field
        .arguments
        .iter()
        .filter(|argument| !is_driven(&argument.name));
    together(own, Some(field), &driven)
}

/// The arguments of a field that is not the author's own, with some that are.
pub(crate) fn written_with<'own>(own: impl Iterator<Item = &'own Node<Own>>, driven: &[Driven<'_>]) -> Token {
    together(own, None, driven)
}

fn together<'own>(
    own: impl Iterator<Item = &'own Node<Own>>,
    field: Option<&MergedField>,
    driven: &[Driven<'_>],
) -> Token {
    let mut arguments: Vec<Argument> = own.map(|argument| written(&argument.name, &argument.value)).collect();
    arguments.extend(grouped(field, &[], &driven.iter().collect::<Vec<_>>()));
    Token::Group {
        is_object: false,
        arguments,
    }
}

/// Driven values whose paths begin alike, by the names that come next: each name once, however many values stand in it.
fn grouped(field: Option<&MergedField>, above: &[Name], driven: &[&Driven<'_>]) -> Vec<Argument> {
    let mut names: Vec<&Name> = driven.iter().filter_map(|one| one.path.0.get(above.len())).collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    let grouped = names.into_iter().map(|name| {
        let path: Vec<Name> = above.iter().chain([name]).cloned().collect();
        let group: Vec<&Driven<'_>> = driven
            .iter()
            .filter(|one| one.path.0.starts_with(&path))
            .copied()
            .collect();
        match group[..] {
            [one] if one.path.0.len() == path.len() => one.argument(name),
            _ => object(field, path, name, &group),
        }
    });
    grouped.collect()
}

/// The input object at a path, with what the author wrote in it and all driven values that stand in it.
fn object(field: Option<&MergedField>, path: Vec<Name>, name: &Name, group: &[&Driven<'_>]) -> Argument {
    let driven = grouped(field, &path, group);
    let mut members = Vec::new();
    let depth = path.len();
    if let Some(Value::Object(own)) = field.and_then(|field| written_value(field, &ArgumentPath(path))) {
        let is_driven = |name: &Name| group.iter().any(|driven| driven.path.0.get(depth) == Some(name));
        let own = own.iter().filter(|(name, _)| !is_driven(name));
        members.extend(own.map(|(name, value)| written(name, value)));
    }
    // An object with nothing in it is left out.
    let needs = driven.first().and_then(|one| one.needs.clone());
    let needs = needs.filter(|_| members.is_empty() && driven.iter().all(|one| one.needs.is_some()));
    members.extend(driven);
    Argument {
        needs,
        tokens: vec![
            Token::Text(format!("{name}:")),
            Token::Group {
                is_object: true,
                arguments: members,
            },
        ],
    }
}

impl<'plan> Driven<'plan> {
    /// One that is there whatever is asked for.
    pub(crate) fn always(path: &'plan ArgumentPath, value: Token) -> Self {
        Self {
            path,
            value,
            needs: None,
        }
    }

    fn argument(&self, name: &Name) -> Argument {
        Argument {
            needs: self.needs.clone(),
            tokens: vec![Token::Text(format!("{name}:")), self.value.clone()],
        }
    }
}

fn driven<'plan>(
    context: Context<'_>,
    field: &MergedField,
    rows: &'plan PagedRows,
    asked: Asked,
) -> Vec<Driven<'plan>> {
    let mut driven = Vec::new();
    if let Some(path) = &rows.paged.size {
        let own = rows.size_variable.as_ref();
        let value = Token::Variable {
            stem: own.map_or_else(|| "pageSize".to_owned(), ToString::to_string),
            ty: variable_type(context, field, path).to_string(),
            value: match asked {
                Asked::Inline(connection) => Source::InlineSize(connection),
                Asked::Slot => Source::Size,
                Asked::Place(_) => Source::Constant(1.into()),
            },
        };
        driven.push(Driven {
            path,
            value,
            needs: None,
        });
    }
    driven.extend(driven_order(field, rows));
    driven.extend(driven_position(context, field, rows, asked));
    driven
}

fn driven_position<'plan>(
    context: Context<'_>,
    field: &MergedField,
    rows: &'plan PagedRows,
    asked: Asked,
) -> Option<Driven<'plan>> {
    let path = rows.paged.pager.argument()?;
    let start = start(&rows.paged.pager);
    let (value, needs) = match (asked, &rows.paged.pager, start) {
        // Never null, never empty: what has no value is left out.
        (Asked::Inline(_), _, None) => (Source::Nothing, Some(Source::Nothing)),
        (Asked::Inline(_), _, Some(start)) => (Source::Constant(start), None),
        (Asked::Place(index), _, _) => (Source::Address(index), Some(Source::Address(index))),
        (Asked::Slot, Pager::Keyset { text: Some(text), .. }, _) => {
            let own = written_value(field, path).and_then(|value| value.as_str().map(str::to_owned));
            let text = own.map_or_else(|| text.clone(), |own| format!("({own}) and {text}"));
            (Source::PositionIn(text), Some(Source::Position))
        }
        (Asked::Slot, _, Some(start)) => (Source::PositionFrom(start), None),
        (Asked::Slot, _, None) => (Source::Position, Some(Source::Position)),
    };
    let own = rows.position_variable.as_ref();
    let value = Token::Variable {
        stem: own.map_or_else(|| stem(&rows.paged.pager).to_owned(), ToString::to_string),
        ty: variable_type(context, field, path).to_string(),
        value,
    };
    Some(Driven { path, value, needs })
}

/// What puts the rows in one order on every page: the first decides where the second begins. The author's own order goes
/// before it, but where the pages are told by the key of their rows.
fn driven_order<'plan>(field: &MergedField, rows: &'plan PagedRows) -> Option<Driven<'plan>> {
    let (path, literal) = rows.paged.order.as_ref()?;
    let is_by_key = matches!(rows.paged.pager, Pager::Keyset { .. });
    let is_own = path
        .0
        .first()
        .is_some_and(|name| field.field.specified_argument_by_name(name).is_some());
    if is_own && !is_by_key {
        return None;
    }
    Some(Driven {
        path,
        value: Token::Text(literal.clone()),
        needs: None,
    })
}

fn stem(pager: &Pager) -> &'static str {
    match pager {
        Pager::PageTotals { .. } | Pager::PageFlag { .. } | Pager::PageList { .. } => "page",
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. } | Pager::Reverse { .. } => "offset",
        Pager::Keyset { .. } => "last",
        Pager::Relay { .. } | Pager::FlatCursor { .. } | Pager::MovingCursor { .. } | Pager::Capped { .. } => "cursor",
    }
}

/// The value of the position of a first page; `None` where it is left out.
pub(crate) fn start(pager: &Pager) -> Option<JsonValue> {
    match pager {
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. } => Some(0.into()),
        numbered => numbered.first_page().map(JsonValue::from),
    }
}
