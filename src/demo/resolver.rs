//! Answers GraphQL fields from the dataset: the objects that the executor asks for their fields.

use std::cell::{Cell, RefCell};

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::Value;

use crate::demo::dataset::{EntityType, Instance, Lookup, Source};
use crate::demo::generator::Generated;
use crate::demo::paging::{Connection, Filter, Page, PagingBehaviour};

/// Arguments of connections that are no filters.
const PAGING_ARGUMENTS: [&str; 2] = ["first", "after"];

/// What is known while one request is answered.
#[derive(Debug)]
pub(crate) struct Execution<'s> {
    paging: &'s PagingBehaviour,
    served: RefCell<Vec<ServedPage>>,
}

/// Rows of one connection instance that one response holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedPage {
    /// Equal for every page of the same instance.
    pub(crate) connection: u64,
    /// Places of the rows in the instance.
    pub(crate) positions: Vec<u64>,
}

/// An object of the dataset.
pub(crate) struct DataObject<'r> {
    instance: Instance<'r>,
    execution: &'r Execution<'r>,
}

/// One page of a connection.
struct ConnectionObject<'r> {
    type_name: &'r str,
    connection: Connection<'r>,
    page: Page,
    /// Whether its rows were already counted: `edges` and `nodes` may both be asked for.
    is_counted: Cell<bool>,
    execution: &'r Execution<'r>,
}

struct EdgeObject<'r> {
    type_name: &'r str,
    owner: &'r ConnectionObject<'r>,
    row: u64,
}

struct PageInfoObject<'r> {
    type_name: &'r str,
    owner: &'r ConnectionObject<'r>,
}

impl<'s> Execution<'s> {
    pub(crate) fn new(paging: &'s PagingBehaviour) -> Self {
        Self {
            paging,
            served: RefCell::default(),
        }
    }

    /// The rows that the response holds.
    pub(crate) fn into_served(self) -> Vec<ServedPage> {
        self.served.into_inner()
    }
}

impl<'r> DataObject<'r> {
    pub(crate) fn new(instance: Instance<'r>, execution: &'r Execution<'r>) -> Self {
        Self { instance, execution }
    }

    fn connection<'a>(
        &'a self,
        ty: &'a EntityType,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = info.arguments();
        let mut filters = Vec::new();
        for (name, value) in arguments {
            let is_filter = !PAGING_ARGUMENTS.contains(&name.as_str()) && !value.is_null();
            if is_filter {
                filters.push(Filter::new(
                    name.as_str(),
                    serde_json::to_value(value).map_err(field_error)?,
                ));
            }
        }
        let connection = Connection::new(self.instance, info.field_name(), ty, filters);
        let first = arguments.get("first").and_then(JsonValue::as_i64);
        let after = arguments.get("after").and_then(JsonValue::as_str);
        let size = self.execution.paging.size(first).map_err(field_error)?;
        let page = connection.page(size, after).map_err(field_error)?;
        Ok(ResolvedValue::object(ConnectionObject {
            type_name: result_type(info),
            connection,
            page,
            is_counted: Cell::new(false),
            execution: self.execution,
        }))
    }

    fn found<'a>(&'a self, lookup: &Lookup, info: &'a ResolveInfo<'a>) -> ResolvedValue<'a> {
        let found = |wanted: &JsonValue| {
            let instance = wanted
                .as_str()
                .and_then(|wanted| self.instance.dataset().find(lookup, wanted));
            ResolvedValue::nullable_object(instance.map(|instance| DataObject::new(instance, self.execution)))
        };
        match info.arguments().get(lookup.argument.as_str()) {
            Some(JsonValue::Array(wanted)) => ResolvedValue::list(wanted.iter().map(found).collect::<Vec<_>>()),
            Some(wanted) => found(wanted),
            None => ResolvedValue::null(),
        }
    }
}

impl ObjectValue for DataObject<'_> {
    fn type_name(&self) -> &str {
        self.instance.ty().name()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = info.field_name();
        match self.instance.source(field) {
            Some(Source::Value) => {
                let value = self.instance.value(field).unwrap_or(Generated::NULL);
                Ok(resolved(value, self.execution))
            }
            Some(Source::Ancestor(ty)) => {
                let ancestor = self.instance.ancestor(ty);
                Ok(ResolvedValue::nullable_object(
                    ancestor.map(|ancestor| DataObject::new(ancestor, self.execution)),
                ))
            }
            Some(Source::Connection(ty)) => self.connection(ty, info),
            Some(Source::Lookup(lookup)) => Ok(self.found(lookup, info)),
            None => Err(self.unknown_field_error(info)),
        }
    }
}

impl ConnectionObject<'_> {
    fn count_rows(&self) {
        if self.is_counted.replace(true) {
            return;
        }
        let positions = self
            .page
            .rows
            .iter()
            .map(|row| self.connection.position(*row))
            .collect();
        let connection = self.connection.identity();
        self.execution
            .served
            .borrow_mut()
            .push(ServedPage { connection, positions });
    }
}

impl ObjectValue for ConnectionObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let type_name = result_type(info);
        match info.field_name() {
            "edges" => {
                self.count_rows();
                let edge = move |row: &u64| {
                    ResolvedValue::object(EdgeObject {
                        type_name,
                        owner: self,
                        row: *row,
                    })
                };
                Ok(ResolvedValue::list(self.page.rows.iter().map(edge)))
            }
            "nodes" => {
                self.count_rows();
                let node =
                    |row: &u64| ResolvedValue::object(DataObject::new(self.connection.row(*row), self.execution));
                Ok(ResolvedValue::list(self.page.rows.iter().map(node)))
            }
            "pageInfo" => Ok(ResolvedValue::object(PageInfoObject { type_name, owner: self })),
            "totalCount" => Ok(ResolvedValue::leaf(self.connection.total())),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

impl ObjectValue for EdgeObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let connection = &self.owner.connection;
        match info.field_name() {
            "cursor" => Ok(ResolvedValue::leaf(connection.cursor(self.row))),
            "node" => Ok(ResolvedValue::object(DataObject::new(
                connection.row(self.row),
                self.owner.execution,
            ))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

impl ObjectValue for PageInfoObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let Page {
            rows,
            has_next,
            has_previous,
        } = &self.owner.page;
        let cursor = |row: Option<&u64>| ResolvedValue::leaf(row.map(|row| self.owner.connection.cursor(*row)));
        match info.field_name() {
            "hasNextPage" => Ok(ResolvedValue::leaf(*has_next)),
            "hasPreviousPage" => Ok(ResolvedValue::leaf(*has_previous)),
            "startCursor" => Ok(cursor(rows.first())),
            "endCursor" => Ok(cursor(rows.last())),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

fn resolved<'a>(generated: Generated<'a>, execution: &'a Execution<'a>) -> ResolvedValue<'a> {
    match generated {
        Generated::Leaf(Value::String(text)) => ResolvedValue::leaf(text),
        Generated::Leaf(value) => ResolvedValue::leaf(value),
        Generated::Object(instance) => ResolvedValue::object(DataObject::new(instance, execution)),
        Generated::List(items) => ResolvedValue::list(items.into_iter().map(move |item| resolved(item, execution))),
    }
}

/// The named type of the field that is being resolved.
fn result_type<'a>(info: &'a ResolveInfo<'a>) -> &'a str {
    info.field_definition().ty.inner_named_type().as_str()
}

fn field_error(error: impl std::fmt::Display) -> FieldError {
    FieldError {
        message: error.to_string(),
    }
}
