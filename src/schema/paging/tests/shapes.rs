//! Shapes beside those of one API: what is like paging and is not, and what is needed to be sure.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;

use super::{schema, table, told};
use crate::schema::paging::{ArgumentPath, Pager, Paging, PagingHints, object_field, paging};

const ROWS: &str = "
    type Row { id: ID! }
    type Wrapped { collection: [Row!] }
    type Counted { rows: [Row!] total: Int }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type NodesConnection { pageInfo: PageInfo! nodes: [Row] }
    type Strings { pageInfo: PageInfo! nodes: [String] }
    input Range { from: Int to: Int limit: Int }
";

fn rows(fields: &str) -> String {
    table(&format!("{ROWS} type Query {{ {fields} }}"))
}

#[test]
fn what_brings_no_lists_is_not_paginated() {
    assert_eq!(rows("scalar(first: Int): Int single(limit: Int, offset: Int): Row"), "");
}

#[test]
fn one_thing_is_no_page_unless_it_is_asked_for_like_one() {
    let thing = |argument: &str, values: &str| {
        rows(&format!(
            "a({argument}): Launch }} type Launch {{ id: ID! name: String ships: [Row] {values}"
        ))
    };
    for argument in ["offset: Int", "size: Int", "first: Int", "position: Int"] {
        assert_eq!(thing(argument, ""), "", "{argument}");
        assert!(thing(argument, "hasMore: Boolean").contains("undecided") || argument.starts_with('p'));
    }
    for argument in [
        "offset: Int, limit: Int",
        "page: Int, size: Int",
        "range: Many } input Many { skip: Int take: Int",
    ] {
        let definition = match argument.split_once(" } ") {
            Some((argument, input)) => thing(argument, &format!("}} {input}")),
            None => thing(argument, ""),
        };
        assert!(!definition.is_empty(), "{argument}");
    }
}

#[test]
fn arguments_of_other_types_are_no_paging() {
    let fields = "a(count: Boolean, page: String): [Row] b(after: DateTime!, cursor: Range): [Row] \
                  c(filter: Range, where: Range): [Row] d(start: Int, from: Int): [Row] e(limit: [Int!], skip: Boolean): [Row]";
    let lines = table(&format!("{ROWS} scalar DateTime type Query {{ {fields} }}"));
    assert_eq!(lines, "");
}

#[test]
fn the_beginning_of_a_range_is_no_offset() {
    assert_eq!(
        rows("candles(from: Int, to: Int, limit: Int): [Row] hits(from: Int, size: Int): Counted"),
        "Query.candles: capped list; rows []; `limit`, and no way to ask for more\n\
         Query.hits: offset with a total or a flag; rows [rows]; total total; `size` and `from`, and `total`"
    );
}

#[test]
fn a_size_may_be_required_and_a_cursor_may_not() {
    assert_eq!(
        rows("a(first: Int!, after: ID, state: String): NodesConnection! b(first: Int, after: ID): Strings"),
        "Query.a: relay cursors; rows [nodes]; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Query.b: relay cursors; rows [nodes]; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`"
    );
    assert!(rows("a(first: Int, after: ID!): NodesConnection!").contains("undecided"));
}

#[test]
fn without_a_flag_a_cursor_has_to_be_nullable() {
    let lines = table(
        "type Query { a(limit: Int, nextToken: String): A b(limit: Int, nextToken: String): B c(limit: Int, cursor: String): C }
        type Row { id: ID! }
        type A { items: [Row!]! nextToken: String }
        type B { items: [Row!]! nextToken: String! }
        type C { items: [Row!]! meta: Meta! }
        type Meta { cursor: String! hasMore: Boolean! }",
    );
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        lines[0],
        "Query.a: flat cursors; rows [items]; `limit` and `nextToken`, and `nextToken`"
    );
    assert!(lines[1].starts_with("Query.b: undecided"), "{}", lines[1]);
    assert_eq!(
        lines[2],
        "Query.c: flat cursors; rows [items]; `limit` and `cursor`, and `meta` with `hasMore` and `cursor`"
    );
}

#[test]
fn an_offset_goes_before_a_page_number_unless_pages_are_counted() {
    let lines = table(
        "type Query { a(page: Int, limit: Int, offset: Int): A b(page: Int, limit: Int, offset: Int): B }
        type Row { id: ID! }
        type A { rows: [Row!]! total: Int }
        type B { rows: [Row!]! totalPages: Int }",
    );
    assert_eq!(
        lines,
        "Query.a: offset with a total or a flag; rows [rows]; total total; `limit` and `offset`, and `total`\n\
         Query.b: page numbers with totals; rows [rows]; `limit` and `page`, and `totalPages`, \
         so pages rather than `offset`"
    );
}

#[test]
fn the_first_page_is_told_by_a_default() {
    let schema = schema(&format!(
        "{ROWS} type Query {{ a(page: Int): Counted b(page: Int! = 0): Counted c(pagination: P = {{page: 0, size: 9}}): Counted d(pagination: P): Counted }}
        input P {{ page: Int = 1 size: Int }}"
    ));
    let first_page = |field: &str, hints: &str| {
        let hints: PagingHints = toml::from_str(hints).unwrap();
        match paging(&schema, object_field(&schema, "Query", field).unwrap(), &hints).unwrap() {
            Paging::Paged(paged) => match paged.pager {
                Pager::PageTotals { first_page, .. } => (first_page, paged.assumes_first_page),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        ["a", "b", "c", "d"].map(|field| first_page(field, "")),
        [(1, true), (0, false), (0, false), (1, false)]
    );
    assert_eq!(first_page("b", "first_page = 1"), (1, false));
}

#[test]
fn two_input_objects_with_paging_leave_it_open() {
    let lines = table(
        "type Query { a(pagination: P, options: P): Counted b(options: P): Counted c(paging: Unlike): Counted d(filter: P): Counted }
        input P { page: Int size: Int }
        input Unlike { number: Int }
        type Row { id: ID! }
        type Counted { rows: [Row!] total: Int }",
    );
    let lines: Vec<&str> = lines.lines().collect();
    assert!(
        lines[0].starts_with("Query.a: undecided (pagination, options): say how"),
        "{lines:#?}"
    );
    assert!(
        lines[1].contains("`options.size` and `options.page`, and `total`"),
        "{lines:#?}"
    );
    assert!(
        lines[2].starts_with("Query.c: undecided (paging): say how"),
        "{lines:#?}"
    );
    assert!(
        lines[3].starts_with("Query.d: undecided (filter): write @paginate(style: PAGE, sizeArgument: \"filter.size\""),
        "{lines:#?}"
    );
}

#[test]
fn the_type_of_an_argument_is_that_of_its_innermost_value() {
    let schema = schema("type Query { a(pagination: P!): [Int] } input P { page: Int! = 1 }");
    let field = object_field(&schema, "Query", "a").unwrap();
    let path = |names: &[&str]| ArgumentPath(names.iter().map(|name| Name::new(name).unwrap()).collect());
    let int = Type::Named(Name::new("Int").unwrap()).non_null();
    assert_eq!(path(&["pagination", "page"]).ty(field, &schema), Some(int));
    assert_eq!(path(&["pagination", "size"]).ty(field, &schema), None);
    assert_eq!(path(&["pagination", "page"]).to_string(), "pagination.page");
}

#[test]
fn other_lists_beside_the_customary_one_are_not_the_rows() {
    let lines = table(
        "type Query { a(limit: Int, offset: Int): A b(limit: Int, offset: Int): B }
        type Row { id: ID! }
        type A { results: [Row!]! facets: [Row!]! total: Int! }
        type B { users: [Row!]! groups: [Row!]! total: Int! }",
    );
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].contains("rows [results]"), "{}", lines[0]);
    assert!(lines[1].contains("items: \"users\""), "{}", lines[1]);
}

#[test]
fn a_style_that_is_given_takes_all_lists_for_rows() {
    let schema = schema(
        "type Query { a(page: Int): A }
        type Row { id: ID! }
        type A { users: [Row!]! groups: [Row!]! more: Boolean hasNextPage: Boolean }",
    );
    assert_eq!(
        told(&schema, "Query", "a", "style = 'page_flag'\nfirst_page = 1"),
        "page numbers with a flag; rows [users, groups]; `page`, and `hasNextPage`"
    );
}

#[test]
fn an_input_object_with_a_size_and_a_way_to_move_is_paging_whatever_it_is_called() {
    let definition = |argument: &str, inner: &str| {
        format!(
            "{ROWS} type Query {{ a({argument}): [Row!]! b({argument}): NodesConnection }} input Any {{ {inner} }}
            input Outer {{ text: String deep: Deep self: Outer }} input Deep {{ inner: Any many: [Any] }}"
        )
    };
    let holders = [
        "window", "limits", "config", "body", "by", "list", "cursor", "where", "filter",
    ];
    let insides = [
        (
            "skip: Int take: Int",
            "OFFSET_LIST, sizeArgument: \"{}.take\", offsetArgument: \"{}.skip\"",
        ),
        (
            "limit: Int offset: Int",
            "OFFSET_LIST, sizeArgument: \"{}.limit\", offsetArgument: \"{}.offset\"",
        ),
        (
            "first: Int after: ID",
            "KEYSET, sizeArgument: \"{}.first\", filter: \"{}.after\"",
        ),
    ];
    for holder in holders {
        for (inside, proposal) in insides {
            let told = table(&definition(&format!("{holder}: Any"), inside));
            let undecided = told.matches(&format!("undecided ({holder})")).count();
            let proposal = proposal.replace("{}", holder);
            assert!(undecided == 2 && told.contains(&proposal), "{proposal}: {told}");
        }
    }
    for argument in ["body: Outer", "body: Outer, limit: Int"] {
        let told = table(&definition(argument, "skip: Int take: Int"));
        assert!(told.contains("offsetArgument: \"body.deep.inner.skip\""), "{told}");
    }
}

#[test]
fn an_input_object_of_another_name_with_but_a_size_or_many_of_them_is_no_paging() {
    for inside in ["take: Int text: String", "skip: Int", "from: Int to: Int limit: Int"] {
        let told = table(&format!(
            "{ROWS} type Query {{ a(window: Any): [Row!]! }} input Any {{ {inside} }}"
        ));
        assert_eq!(told, "", "{inside}");
    }
    let many = "type Query { a(windows: [Any!]): [Row!]! b(limit: Int, offset: Int, window: Any): [Row!]! }";
    let told = table(&format!("{ROWS} {many} input Any {{ limit: Int offset: Int }}"));
    assert_eq!(
        told,
        "Query.b: offset, bare list; rows []; `limit` and `offset`, and a bare list"
    );
}
