//! How a field of the schema turns its pages, as far as its type and its arguments tell.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::ExtendedType;

/// Arguments by which APIs let one ask for a part of a list (the table of styles in the APIs' documentation).
const PAGING_ARGUMENTS: [&str; 17] = [
    "after",
    "before",
    "count",
    "cursor",
    "first",
    "last",
    "limit",
    "offset",
    "page",
    "pageNumber",
    "pageSize",
    "page_size",
    "pagination",
    "paging",
    "perPage",
    "per_page",
    "skip",
];

/// How a field turns its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// It does not: what it answers is all there is.
    None,
    /// By `first` and `after`, with `pageInfo`.
    Relay,
    /// It has arguments that look like paging, in a way that is not known.
    Unknown {
        /// Those arguments.
        arguments: Vec<String>,
    },
}

/// Tells how `field` turns its pages.
pub fn paging(schema: &Schema, field: &FieldDefinition) -> Paging {
    if is_relay(schema, field) {
        return Paging::Relay;
    }
    let arguments = field.arguments.iter().map(|argument| argument.name.as_str());
    let arguments: Vec<String> = arguments
        .filter(|name| PAGING_ARGUMENTS.contains(name))
        .map(str::to_owned)
        .collect();
    if arguments.is_empty() || !brings_objects(schema, field) {
        return Paging::None;
    }
    Paging::Unknown { arguments }
}

/// Whether `field` follows the Relay cursor connections specification: `first` and `after`, `pageInfo` with
/// `hasNextPage` and `endCursor`, and items under `nodes` or `edges { node }`.
fn is_relay(schema: &Schema, field: &FieldDefinition) -> bool {
    if field.ty.is_list() || field.argument_by_name("first").is_none() || field.argument_by_name("after").is_none() {
        return false;
    }
    let connection = field.ty.inner_named_type().as_str();
    let Some(page_info) = object_field(schema, connection, "pageInfo") else {
        return false;
    };
    let page_info = page_info.ty.inner_named_type().as_str();
    object_field(schema, page_info, "hasNextPage").is_some()
        && object_field(schema, page_info, "endCursor").is_some()
        && (list_field(schema, connection, "nodes").is_some() || edge_node(schema, connection).is_some())
}

/// The field `name` of the object or interface `type_name`.
pub fn object_field<'schema>(schema: &'schema Schema, type_name: &str, name: &str) -> Option<&'schema FieldDefinition> {
    let fields = match schema.types.get(type_name)? {
        ExtendedType::Object(object) => &object.fields,
        ExtendedType::Interface(interface) => &interface.fields,
        _ => return None,
    };
    fields.get(name).map(|field| &***field)
}

fn list_field<'schema>(schema: &'schema Schema, type_name: &str, name: &str) -> Option<&'schema FieldDefinition> {
    object_field(schema, type_name, name).filter(|field| field.ty.is_list())
}

fn edge_node<'schema>(schema: &'schema Schema, connection: &str) -> Option<&'schema FieldDefinition> {
    let edges = list_field(schema, connection, "edges")?;
    object_field(schema, edges.ty.inner_named_type().as_str(), "node")
}

/// Whether the field answers a list, or an object that holds one: only then can paging arguments cut something off.
fn brings_objects(schema: &Schema, field: &FieldDefinition) -> bool {
    if field.ty.is_list() {
        return true;
    }
    let type_name = field.ty.inner_named_type().as_str();
    match schema.types.get(type_name) {
        Some(ExtendedType::Object(object)) => object.fields.values().any(|field| field.ty.is_list()),
        Some(ExtendedType::Interface(interface)) => interface.fields.values().any(|field| field.ty.is_list()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        type Query {
          relay(first: Int, after: String): Connection
          nodes_only(first: Int!, after: ID, state: String): NodesConnection!
          without_after(first: Int): Connection
          offset(limit: Int, offset: Int): [Row!]!
          wrapped(page: Int, per_page: Int): Wrapped
          plain(filter: String): [Row]
          scalar(first: Int): Int
        }
        type Row { id: ID! }
        type Connection { pageInfo: PageInfo! edges: [Edge] totalCount: Int }
        type Edge { node: Row cursor: String }
        type NodesConnection { pageInfo: PageInfo! nodes: [Row] }
        type Wrapped { collection: [Row!] }
        type PageInfo { hasNextPage: Boolean! endCursor: String }
    ";

    #[test]
    fn the_style_is_told_by_types_and_arguments() {
        let schema = Schema::parse(SCHEMA, "api.graphql").unwrap();
        let style = |field: &str| paging(&schema, object_field(&schema, "Query", field).unwrap());
        let unknown = |names: &[&str]| Paging::Unknown {
            arguments: names.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(style("relay"), Paging::Relay);
        assert_eq!(style("nodes_only"), Paging::Relay);
        assert_eq!(style("without_after"), unknown(&["first"]));
        assert_eq!(style("offset"), unknown(&["limit", "offset"]));
        assert_eq!(style("wrapped"), unknown(&["page", "per_page"]));
        assert_eq!(style("plain"), Paging::None);
        assert_eq!(style("scalar"), Paging::None);
    }
}
