//! How one row can be asked for again, so that a connection in it can be read on.

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::columns::Context;
use crate::plan::directives;
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::possible_types;
use crate::plan::survey::RowField;
use crate::plan::table::RowAddress;
use crate::schema::{Pager, object_field};

/// How one row is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A field of the query root finds it by a value of it.
    Lookup(Lookup),
    /// A page of one row that begins at its place in its own connection.
    Place(RowAddress),
}

/// A field of the query root that finds one object by one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    pub(crate) field: Name,
    pub(crate) argument: Name,
    /// The argument's type as that of a variable that always has a value; of one item where it takes a list.
    pub(crate) ty: Type,
    /// Whether the argument takes a list of values.
    pub(crate) takes_list: bool,
    /// Whether the field answers a list.
    pub(crate) answers_list: bool,
    /// The field of the row whose value it takes, or the path to a value that the author selects.
    pub(crate) by: String,
    /// The type that the answer has to be narrowed to.
    pub(crate) condition: Option<Name>,
}

/// How the rows of a row field are asked for again; `None` where there is no way.
/// The order of preference: what the author says, `node` and `nodes`, another root field, the row's own place.
pub(crate) fn address(context: Context<'_>, row: &RowField) -> Result<Option<Address>, PlanError> {
    let Some(field) = row.field() else { return Ok(None) };
    let Some(item_type) = row.source.item_sets.first().map(|set| set.ty.clone()) else {
        return Ok(None);
    };
    if let Some(written) = directives::lookup(&field.field.directives) {
        return written_lookup(context, row, &item_type, &written).map(Some);
    }
    let schema = context.schema;
    let lookup = node_lookup(schema, &item_type).or_else(|| schema_lookup(schema, &item_type));
    Ok(lookup
        .map(Address::Lookup)
        .or_else(|| place(schema, row).map(Address::Place)))
}

/// The row's place, where the style of its connection lets one ask for a page that begins there.
fn place(schema: &Schema, row: &RowField) -> Option<RowAddress> {
    let paged = row.paged()?;
    paged.paged.size.as_ref()?;
    match &paged.paged.pager {
        Pager::Relay { .. } | Pager::FlatCursor { .. } => {
            let [(_, edges), _] = row.source.steps.as_slice() else {
                return None;
            };
            let connection = row.field()?.field.ty().inner_named_type();
            let edge = object_field(schema, connection, edges)?.ty.inner_named_type();
            object_field(schema, edge, "cursor").map(|_| RowAddress::EdgeCursor)
        }
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. } => Some(RowAddress::Offset),
        pager @ (Pager::PageTotals { .. } | Pager::PageFlag { .. } | Pager::PageList { .. }) => {
            pager.first_page().map(|first| RowAddress::Page { first })
        }
        Pager::MovingCursor { .. } | Pager::Keyset { .. } | Pager::Capped { .. } | Pager::Reverse { .. } => None,
    }
}

/// Whether the rows would have a place if they were selected under `edges` instead of beside them.
pub(crate) fn has_place_in_edges(schema: &Schema, row: &RowField) -> bool {
    let (Some(paged), [_]) = (row.paged(), row.source.steps.as_slice()) else {
        return false;
    };
    let by_cursor = matches!(paged.paged.pager, Pager::Relay { .. } | Pager::FlatCursor { .. });
    let connection = row.field().map(|field| field.field.ty().inner_named_type().clone());
    let edge = connection.and_then(|connection| {
        let edges = object_field(schema, &connection, "edges")?;
        Some(edges.ty.inner_named_type().clone())
    });
    let has = |name| {
        edge.as_ref()
            .is_some_and(|edge| object_field(schema, edge, name).is_some())
    };
    by_cursor && paged.paged.size.is_some() && has("cursor") && has("node")
}

fn query_fields(schema: &Schema) -> impl Iterator<Item = &FieldDefinition> {
    let root = schema.schema_definition.query.as_ref();
    let root = root.and_then(|root| schema.get_object(&root.name));
    root.into_iter()
        .flat_map(|root| root.fields.values().map(|field| &***field))
}

/// `node(id:)`, or `nodes(ids:)`, of Relay's object identification.
fn node_lookup(schema: &Schema, item_type: &Name) -> Option<Lookup> {
    const ID: &str = "id";
    let members = possible_types(schema, item_type);
    let has_id = |name: &Name| object_field(schema, name, ID).is_some();
    if !members.iter().all(has_id) || members.is_empty() {
        return None;
    }
    [("node", ID), ("nodes", "ids")]
        .into_iter()
        .find_map(|(field, argument)| {
            let definition = query_fields(schema).find(|definition| definition.name == field)?;
            let answer = definition.ty.inner_named_type();
            let is_member = |name: &Name| name == answer || schema.is_subtype(answer, name);
            if !members.iter().all(is_member) {
                return None;
            }
            let lookup = lookup(definition, argument, ID)?;
            Some(narrowed(schema, lookup, answer, item_type))
        })
}

/// A root field that takes one value, called like a field of the row or like its `id`, and answers the row's type.
fn schema_lookup(schema: &Schema, item_type: &Name) -> Option<Lookup> {
    let found = query_fields(schema).filter_map(|definition| {
        let answer = definition.ty.inner_named_type();
        let answers_row = answer == item_type || schema.is_subtype(answer, item_type);
        let mut required = definition.arguments.iter().filter(|argument| argument.is_required());
        let (Some(argument), None) = (required.next(), required.next()) else {
            return None;
        };
        if !answers_row || definition.ty.is_list() && !argument.ty.is_list() {
            return None;
        }
        let by = told_by(schema, item_type, &argument.name)?;
        let lookup = lookup(definition, &argument.name, by.as_str())?;
        Some(narrowed(schema, lookup, answer, item_type))
    });
    let found: Vec<Lookup> = found.collect();
    let by_id = found.iter().find(|lookup| lookup.by == "id");
    by_id.or_else(|| found.first()).cloned()
}

/// The field of the row that an argument of that name means.
fn told_by(schema: &Schema, item_type: &Name, argument: &Name) -> Option<Name> {
    let is_leaf = |field: &&FieldDefinition| {
        let ty = schema.types.get(field.ty.inner_named_type());
        !field.ty.is_list()
            && ty.is_some_and(ExtendedType::is_leaf)
            && !field.arguments.iter().any(|one| one.is_required())
    };
    if let Some(field) = object_field(schema, item_type, argument).filter(is_leaf) {
        return Some(field.name.clone());
    }
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let names = [
        "identifier".to_owned(),
        "uuid".to_owned(),
        plain(&format!("{item_type}Id")),
    ];
    let id = object_field(schema, item_type, "id").filter(is_leaf)?;
    (names.contains(&plain(argument)) || plain(argument) == "ids").then(|| id.name.clone())
}

fn lookup(definition: &FieldDefinition, argument: &str, by: &str) -> Option<Lookup> {
    let argument = definition.argument_by_name(argument)?;
    let others_are_free = definition
        .arguments
        .iter()
        .all(|other| other.name == argument.name || !other.is_required());
    let is_deep = definition.ty.is_list() && definition.ty.item_type().is_list();
    let ty = if argument.ty.is_list() {
        argument.ty.item_type()
    } else {
        &*argument.ty
    };
    (others_are_free && !is_deep && !ty.is_list()).then(|| Lookup {
        field: definition.name.clone(),
        argument: argument.name.clone(),
        ty: ty.clone().non_null(),
        takes_list: argument.ty.is_list(),
        answers_list: definition.ty.is_list(),
        by: by.to_owned(),
        condition: None,
    })
}

fn narrowed(schema: &Schema, mut lookup: Lookup, answer: &Name, item_type: &Name) -> Lookup {
    let is_wider = answer != item_type && !schema.is_subtype(item_type, answer);
    lookup.condition = is_wider.then(|| item_type.clone());
    lookup
}

/// The lookup that `@lookup` names.
fn written_lookup(
    context: Context<'_>,
    row: &RowField,
    item_type: &Name,
    written: &directives::LookupDirective,
) -> Result<Address, PlanError> {
    let refuse = |message: String, help: String| {
        let finding = Finding {
            message,
            place: written.place.or_else(|| row.path.last().and_then(Name::location)),
            label: "this way to one row".to_owned(),
            help,
        };
        finding.into_error(context.sources)
    };
    let names: Vec<&str> = query_fields(context.schema).map(|field| field.name.as_str()).collect();
    let Some(definition) = query_fields(context.schema).find(|field| field.name == written.field.as_str()) else {
        let message = format!("the query root has no field `{}`", written.field);
        return Err(refuse(message, format!("it has {}", names.join(", "))));
    };
    let only = definition
        .arguments
        .iter()
        .find(|argument| argument.is_required())
        .or(definition.arguments.first());
    let argument = written
        .argument
        .clone()
        .or_else(|| only.map(|argument| argument.name.to_string()));
    let by = written.by.clone().or_else(|| {
        let argument = argument.as_deref().and_then(|argument| Name::new(argument).ok())?;
        told_by(context.schema, item_type, &argument).map(|name| name.to_string())
    });
    let by = by.unwrap_or_else(|| "id".to_owned());
    // Of a path, what is selected tells whether it leads anywhere.
    let is_known = by.contains('.') || object_field(context.schema, item_type, &by).is_some();
    if !is_known && possible_types(context.schema, item_type).len() < 2 {
        return Err(refuse(
            format!("`{item_type}` has no field `{by}`"),
            "name the row's field with `by`".to_owned(),
        ));
    }
    let found = argument
        .as_deref()
        .and_then(|argument| lookup(definition, argument, &by));
    let found = found.ok_or_else(|| {
        let message = format!("`{}` cannot be asked for one row", written.field);
        refuse(
            message,
            "name the argument that it needs; it may need no other".to_owned(),
        )
    })?;
    let answer = definition.ty.inner_named_type();
    Ok(Address::Lookup(narrowed(context.schema, found, answer, item_type)))
}

/// A nested connection in rows that there is no way back to.
pub(crate) fn no_address(context: Context<'_>, row: &RowField, child: &RowField) -> PlanError {
    let name = row.path.last().map_or("", |name| name.as_str());
    let nested = child.path.last().map_or("", |name| name.as_str());
    let finding = Finding {
        message: format!("`{nested}` cannot be read to its end: there is no way to ask for one row of `{name}` again"),
        place: child.path.last().and_then(Name::location),
        label: "its further pages would be out of reach".to_owned(),
        help: format!(
            "name a root field that finds one of them by a value: `{name} @lookup(field: \"…\", argument: \"…\", by: \"…\")`; \
             or give `{nested}` a query file of its own; or write @paginate(style: NONE) behind it to take what comes as all there is"
        ),
    };
    finding.into_error(context.sources)
}

/// A connection that is read on by the one value that tells the row which holds it, where there is no such value.
pub(crate) fn no_parent(context: Context<'_>, child: &RowField) -> PlanError {
    let nested = child.path.last().map_or("", |name| name.as_str());
    let message = match child.path.iter().rev().nth(1) {
        Some(holder) => {
            format!("nothing but several columns, or none, tells `{holder}`, by which `{nested}` is read on")
        }
        None => format!("`{nested}` stands in no row by which it could be read on"),
    };
    let finding = Finding {
        message,
        place: child.path.last().and_then(Name::location),
        label: "its further rows would be out of reach".to_owned(),
        help: "let one column tell the rows that hold it, as in `@table(key: [\"id\"])`; or give it a query file of its own"
            .to_owned(),
    };
    finding.into_error(context.sources)
}
