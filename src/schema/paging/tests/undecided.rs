//! What authors are told to write where the schema leaves it open.

use super::table;

const NONE: &str = "or write @paginate(style: NONE) behind it if what it answers is all there is";

fn help(field: &str) -> String {
    table(&format!(
        "type Query {{ {field} }}
        type Row {{ id: ID! }}
        type Wrapped {{ collection: [Row!] }}
        type Counted {{ rows: [Row!] count: Int }}
        type Flagged {{ rows: [Row!] hasNextPage: Boolean! }}
        type Deep {{ data: Inner meta: Meta }}
        type Inner {{ rows: [Row!] }}
        type Meta {{ totalPages: Int }}
        type Connection {{ pageInfo: PageInfo! edges: [Edge] totalCount: Int }}
        type Edge {{ node: Row cursor: String }}
        type PageInfo {{ hasNextPage: Boolean! endCursor: String }}"
    ))
}

#[test]
fn page_numbers_without_an_end() {
    assert_eq!(
        help("a(page: Int, per_page: Int): Wrapped"),
        format!(
            "Query.a: undecided (page, per_page): write @paginate(style: PAGE_LIST, sizeArgument: \"per_page\", \
             pageArgument: \"page\", firstPage: 1) behind it if its first page has that number, {NONE}"
        )
    );
}

#[test]
fn a_number_that_can_be_the_length_of_the_page() {
    assert_eq!(
        help("a(page: Int, size: Int): Counted"),
        format!(
            "Query.a: undecided (page, size): write @paginate(style: PAGE, sizeArgument: \"size\", \
             pageArgument: \"page\", total: \"count\") behind it if `count` counts all rows and not those of a page, \
             {NONE}"
        )
    );
}

#[test]
fn page_numbers_that_may_count_from_zero() {
    let told = help("a(pageIndex: Int, pageSize: Int): [Row!]");
    assert!(told.contains("pageArgument: \"pageIndex\", firstPage: 0)"), "{told}");
}

#[test]
fn a_flag_alone_does_not_show_a_first_page_that_is_missed() {
    assert_eq!(
        help("a(page: Int, limit: Int): Flagged"),
        format!(
            "Query.a: undecided (page, limit): write @paginate(style: PAGE_FLAG, sizeArgument: \"limit\", \
             pageArgument: \"page\", firstPage: 1) behind it if its first page has that number, {NONE}"
        )
    );
    for told in ["page: Int = 0", "page: Int! = 1", "\"zero-based\" page: Int"] {
        let told = help(&format!("a({told}, limit: Int): Flagged"));
        assert!(told.contains("page numbers with a flag; rows [rows]"), "{told}");
    }
    assert!(help("a(page: Int = 3, limit: Int): Flagged").contains("firstPage: 1"));
}

#[test]
fn rows_deeper_inside() {
    let told = help("a(page: Int, limit: Int): Deep");
    assert!(
        told.contains(
            "@paginate(style: PAGE, sizeArgument: \"limit\", pageArgument: \"page\", items: \"data.rows\") behind it, or"
        ),
        "{told}"
    );
}

#[test]
fn cursors_without_a_place_to_read_them() {
    let told = help("a(first: Int, after: ID): [Row!]");
    assert!(
        told.contains("@paginate(style: KEYSET, sizeArgument: \"first\", filter: \"after\", key: \"id\") behind it if"),
        "{told}"
    );
}

#[test]
fn sizes_with_nothing_that_moves() {
    let capped = "@paginate(style: CAPPED, sizeArgument: \"first\") behind it if there is no way to ask for more";
    for field in [
        "a(first: Int): Connection",
        "a(first: Int): [String!]",
        "a(first: Int, before: ID): [Row!]",
    ] {
        let told = help(field);
        let proposed = match field.contains("String") {
            true => "say how it turns its pages",
            false => capped,
        };
        assert!(told.contains(proposed), "{told}");
    }
    assert!(help("a(last: Int): [Row!]").contains("sizeArgument: \"last\""));
    assert!(help("a(offset: Int): [Row!]").contains("@paginate(style: OFFSET_LIST, offsetArgument: \"offset\")"));
}

#[test]
fn rows_in_a_type_that_the_value_may_have() {
    let lines = table(
        "type Query { a(first: Int, after: ID): Result b(page: Int): Listing c(page: Int): Flat }
        type Row { id: ID! }
        type Rows implements Listing { name: String rows: [Row!] }
        type Failure { message: String }
        union Result = Rows | Failure
        union Flat = Failure
        interface Listing { name: String }",
    );
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        lines[0],
        "Query.a: undecided (first, after): its rows stand in one type of a union, where no style reaches them; \
         write @paginate(style: NONE) behind it if what it answers is all there is"
    );
    assert!(
        lines[1].starts_with("Query.b: undecided (page): say how"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 2);
}
