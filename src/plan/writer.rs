//! What the requests of a query are written from, put together from the ways to its pages and the author's variables.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::executable::Operation;

use crate::plan::columns::Context;
use crate::plan::each::EachVariable;
use crate::plan::query_plan::{Connection, MemberRoot};
use crate::plan::report::PlanError;
use crate::plan::request::{Body, MemberVariable, OwnVariable, RequestWriter, Routes};
use crate::plan::route::RouteMaker;
use crate::plan::text::{Text, Token, own_variables};
use crate::plan::variables::missing;
use crate::project::{OperationNameRule, QueryLimits};

/// What the requests are written from; each of the author's variables that is sent needs a value, or takes those of
/// `each`.
pub(crate) fn writer(
    maker: RouteMaker<'_>,
    each: Option<&EachVariable>,
    limits: &QueryLimits,
) -> Result<RequestWriter, PlanError> {
    let operation = maker.operation;
    let mut directives = Text::default();
    directives.push_directives(&operation.directives);
    let paged = |row: &usize| maker.connection(*row).is_some();
    let rows = 0..maker.survey.rows.len();
    let routes = rows.clone().filter(paged).map(|row| Routes {
        any: maker.route(row),
        later: maker.later_route(row),
    });
    let bodies = rows.map(|row| body(maker, row));
    let member = each.map(|each| MemberVariable {
        name: each.name.clone(),
        ty: each.ty.clone(),
    });
    let writer = RequestWriter {
        head: head(operation, limits.operation_name),
        start: maker.start(),
        start_role: maker.start_role(),
        routes: routes.collect(),
        bodies: bodies.collect(),
        shares_bodies: !limits.without_fragments,
        own: BTreeMap::new(),
        lone_rows: maker.lone_rows(),
        roots: each.map_or_else(Vec::new, |_| maker.roots()),
        mixes_members: !each.is_some_and(|each| {
            let beside = maker.beside(None);
            [&beside, &directives.tokens]
                .into_iter()
                .any(|tokens| occurs(each, tokens))
        }),
        directives: directives.tokens,
        member,
    };
    if let Some(each) = each {
        refuse_unsent(each, &writer)?;
    }
    with_own_variables(maker.context, writer.with_member_bodies(), operation)
}

/// `query`, with as much of the operation's name as the API takes.
fn head(operation: &Operation, names: OperationNameRule) -> String {
    let name = operation.name.as_ref().map_or("", |name| name.as_str());
    let name: String = match names {
        OperationNameRule::AsWritten => name.to_owned(),
        OperationNameRule::Alphanumeric => name.chars().filter(char::is_ascii_alphanumeric).collect(),
        OperationNameRule::None => String::new(),
    };
    // What was in the middle of a name can be no name's beginning.
    let name = name.trim_start_matches(|first: char| first.is_ascii_digit());
    match name.is_empty() {
        true => "query".to_owned(),
        false => format!("query {name}"),
    }
}

fn occurs(each: &EachVariable, tokens: &[Token]) -> bool {
    let mut names = BTreeSet::new();
    own_variables(tokens, &mut names);
    names.contains(&each.name)
}

/// Refuses a variable that does not occur in what is sent.
fn refuse_unsent(each: &EachVariable, writer: &RequestWriter) -> Result<(), PlanError> {
    let bodies = writer.bodies.iter().map(|body| &body.tokens);
    let mut tokens = bodies.chain([&writer.start, &writer.directives]);
    if tokens.any(|tokens| occurs(each, tokens)) {
        return Ok(());
    }
    let message = format!("the values of `${}` would not be sent", each.name);
    let help = "@each stands on a variable of the query's own: gqldump fills in sizes and cursors by itself";
    Err(each.refusal(message, help.to_owned()))
}

fn body(maker: RouteMaker<'_>, row: usize) -> Body {
    match maker.survey.rows[row].field() {
        Some(field) if maker.connection(row).is_some() => Body {
            type_name: field.field.ty().inner_named_type().to_string(),
            tokens: maker.body(row),
            is_of_member: false,
        },
        _ => Body::default(),
    }
}

/// Adds the author's variables that occur in what is sent; each needs a value.
pub(crate) fn with_own_variables(
    context: Context<'_>,
    mut writer: RequestWriter,
    operation: &Operation,
) -> Result<RequestWriter, PlanError> {
    let mut used = BTreeSet::new();
    let routes = writer
        .routes
        .iter()
        .flat_map(|routes| routes.any.iter().chain(&routes.later))
        .chain(&writer.roots)
        .chain(writer.lone_rows.values());
    let pieces = routes
        .map(|route| &route.tokens)
        .chain(writer.bodies.iter().map(|body| &body.tokens));
    for tokens in pieces.chain([&writer.start, &writer.directives]) {
        own_variables(tokens, &mut used);
    }
    for definition in &operation.variables {
        let name = definition.name.as_str();
        let is_of_member = writer.member.as_ref().is_some_and(|member| member.name == name);
        if !used.contains(name) || is_of_member {
            continue;
        }
        let value = context.variables.get(name).cloned();
        if value.is_none() && definition.ty.is_non_null() && definition.default_value.is_none() {
            return Err(missing(definition, context.sources));
        }
        let default = definition.default_value.as_ref();
        let default = default.map(|default| format!("={}", default.serialize().no_indent()));
        let own = OwnVariable {
            definition: format!("{}{}", definition.ty, default.unwrap_or_default()),
            value,
        };
        writer.own.insert(name.to_owned(), own);
    }
    Ok(writer)
}

/// The fields of the query root that are asked for once for each value of a variable.
pub(crate) fn member_roots(writer: &RequestWriter, connections: &mut [Connection]) -> Vec<MemberRoot> {
    if writer.member.is_some() {
        connections
            .iter_mut()
            .for_each(|connection| connection.is_repeated = true);
    }
    let is_in = |connection: &Connection, key: &str| {
        connection.parent.is_none() && connection.path.split('.').next() == Some(key)
    };
    let roots = writer.roots.iter().map(|route| {
        let key = &route.root.key;
        let connections = connections
            .iter()
            .enumerate()
            .filter(|(_, connection)| is_in(connection, key));
        MemberRoot {
            key: key.clone(),
            connections: connections.map(|(index, _)| index).collect(),
        }
    });
    roots.collect()
}
