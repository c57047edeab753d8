//! What may be paging and is not called so: decided where it is certain, asked of the author where it is not, and left
//! alone where it is a filter.

use super::{table, told};

const TYPES: &str = "
    type Row { id: ID! year: Int rank: Int }
    type Found { rows: [Row!] meta: Meta }
    type Meta { totalCount: Int }
    type Flagged { rows: [Row!] hasMore: Boolean! }
    type Going { rows: [Row!] nextToken: String! }
    type Order { id: ID! rows: [Row!] totalItems: Int hasMore: Boolean }
    type Bill { rows: [Row!] total: Int }
    input Options { paginate: Numbered slice: Slice sort: String }
    input Numbered { page: Int limit: Int }
    input Slice { start: Int end: Int limit: Int }
    input Asked { options: Options text: String }
    input Shy { paging: Unlike text: String }
    input Unlike { number: Int per: Int }
    input Sized { text: String limit: Int }
";

fn made_of(field: &str) -> String {
    table(&format!("{TYPES} type Query {{ {field} }}"))
}

#[track_caller]
fn assert_undecided(field: &str, proposal: &str) {
    let told = made_of(field);
    assert!(told.contains("undecided") && told.contains(proposal), "{field}: {told}");
}

#[test]
fn graphql_zero() {
    assert_eq!(
        table(
            "type Query { posts(options: PageQueryOptions): PostsPage }
            input PageQueryOptions { paginate: PaginateOptions slice: SliceOptions sort: [SortOptions] operators: [OperatorOptions] search: SearchOptions }
            input PaginateOptions { page: Int limit: Int }
            input SliceOptions { start: Int end: Int limit: Int }
            input SortOptions { field: String } input OperatorOptions { field: String } input SearchOptions { q: String }
            type PostsPage { data: [Post] links: PaginationLinks meta: PageMetadata }
            type PageMetadata { totalCount: Int }
            type PaginationLinks { first: PageLimitPair prev: PageLimitPair next: PageLimitPair last: PageLimitPair }
            type PageLimitPair { page: Int limit: Int }
            type Post { id: ID title: String }"
        ),
        "Query.posts: page numbers in an input object; rows [data]; total meta.totalCount; \
         `options.paginate.limit` and `options.paginate.page`, and `meta.totalCount`"
    );
}

#[test]
fn paging_is_found_at_any_reasonable_depth() {
    assert!(
        made_of("a(input: Asked): Found").contains("`input.options.paginate.limit` and `input.options.paginate.page`")
    );
    assert_undecided(
        "a(input: Asked): [Row]",
        "pageArgument: \"input.options.paginate.page\", firstPage: 1",
    );
    assert_undecided("a(input: Shy): [Row]", "say how it turns its pages");
    assert_undecided("a(input: Sized): [Row]", "style: CAPPED, sizeArgument: \"input.limit\"");
    assert_undecided("a(filter: Numbered): [Row]", "pageArgument: \"filter.page\"");
}

#[test]
fn certain_names_decide() {
    assert_eq!(
        made_of("a(skipRows: Int, maxRows: Int): [Row]"),
        "Query.a: offset, bare list; rows []; `maxRows` and `skipRows`, and a bare list"
    );
}

#[test]
fn names_that_leave_it_open_are_asked_for() {
    assert_undecided("a(bookmark: String, pageSize: Int): [Row]", "filter: \"bookmark\"");
    assert_undecided("a(scrollId: String): [Row]", "filter: \"scrollId\"");
    assert_undecided(
        "a(position: Int, amount: Int): [Row]",
        "sizeArgument: \"amount\", offsetArgument: \"position\"",
    );
    assert_undecided(
        "a(startIndex: Int, maxResults: Int): [Row]",
        "offsetArgument: \"startIndex\") behind it if it takes the number of rows to leave out",
    );
    assert_undecided("a(sinceId: ID, count: Int): [Row]", "filter: \"sinceId\", key: \"id\"");
    assert_undecided(
        "a(limit: Int, chunk: Int): [Row]",
        "style: CAPPED, sizeArgument: \"limit\"",
    );
    assert_undecided("a(bookmark: String): Found", "filter: \"bookmark\"");
}

#[test]
fn filters_are_no_paging() {
    for field in [
        "a(status: String, search: String, id: ID, name: String): [Row]",
        "a(since: ID, token: String): [Row]",
        "a(position: Int): [Row]",
        "a(rank: Int, amount: Int): [Row]",
        "a(input: Other): [Row]",
    ] {
        assert_eq!(
            made_of(&format!(
                "{field} b(unused: Int): Int }} input Other {{ text: String rank: Int"
            )),
            "",
            "{field}"
        );
    }
    for filter in [
        "year: Int",
        "rank: Int",
        "minAge: Int",
        "authorId: Int",
        "name: String",
        "from: Int!",
    ] {
        let told = made_of(&format!("a(limit: Int, {filter}): [Row]"));
        assert!(
            told.contains("capped list") || filter == "from: Int!",
            "{filter}: {told}"
        );
    }
}

#[test]
fn what_is_said_beside_a_list_is_compared_though_nothing_turns_pages() {
    assert_eq!(
        made_of("a: Found b(status: String): Flagged"),
        "Query.a: capped list; rows [rows]; total meta.totalCount; no way to ask for more\n\
         Query.b: capped list; rows [rows]; no way to ask for more"
    );
    assert_undecided("a: Going", "say how");
    assert_undecided("a(chunk: Int): Flagged", "say how");
}

#[test]
fn things_with_lists_are_no_pages() {
    assert_eq!(made_of("a: Order b: Bill c(year: Int): Bill"), "");
}

#[test]
fn a_total_is_left_out_where_it_is_said_not_to_be_trusted() {
    let schema = super::schema(&format!("{TYPES} type Query {{ a: Found }}"));
    assert_eq!(told(&schema, "Query", "a", "style = 'none'"), "none");
    assert_eq!(
        told(&schema, "Query", "a", "style = 'capped'\ntotal = ''"),
        "capped list; rows [rows]; no way to ask for more"
    );
}

#[test]
fn what_the_answer_gives_back_moves() {
    let answers = [
        (
            "a(cursorMark: String, rows: Int)",
            "nextCursorMark: String",
            "cursorArgument: \"cursorMark\", endCursor: \"nextCursorMark\"",
        ),
        (
            "a(bookmark: String)",
            "bookmark: String",
            "cursorArgument: \"bookmark\", endCursor: \"bookmark\"",
        ),
        (
            "a(fromKey: String)",
            "lastEvaluatedKey: String isTruncated: Boolean",
            "hasNext: \"isTruncated\"",
        ),
        (
            "a(continuation: String)",
            "continuation: String",
            "endCursor: \"continuation\"",
        ),
        ("a(token: String)", "token: String", "endCursor: \"token\""),
        ("a(nextPage: Int)", "nextPage: Int", "say how"),
        (
            "a(nextPage: Int, limit: Int)",
            "nextPage: Int",
            "endCursor: \"nextPage\"",
        ),
        (
            "a(pageState: String, limit: Int)",
            "pageState: String",
            "style: FLAT_CURSOR",
        ),
        (
            "a(pageKey: String, limit: Int)",
            "nextPageKey: String",
            "style: FLAT_CURSOR",
        ),
        ("a(place: String)", "nextPlace: String", "endCursor: \"nextPlace\""),
        ("a", "next: String", "say how"),
    ];
    for (field, values, proposal) in answers {
        assert_undecided(
            &format!("{field}: Given }} type Given {{ docs: [Row!] {values}"),
            proposal,
        );
    }
    assert_eq!(
        made_of(
            "a(city: String): Weather b(key: String): Thing } type Weather { city: String days: [Row] } type Thing { id: ID key: String days: [Row]"
        ),
        ""
    );
}

#[test]
fn flags_and_counts_beside_a_list_speak_of_it() {
    for value in [
        "isTruncated: Boolean",
        "truncated: Boolean",
        "more: Boolean",
        "moreAvailable: Boolean",
        "numFound: Int",
        "rowCount: Int",
    ] {
        let told = made_of(&format!("a: Said }} type Said {{ rows: [Row!] {value}"));
        assert!(told.contains("capped list; rows [rows]"), "{value}: {told}");
    }
    for values in [
        "likeCount: Int",
        "rowCount: Int itemCount: Int",
        "rowCount: Int others: [Row!]",
    ] {
        assert_eq!(
            made_of(&format!("a: Said }} type Said {{ rows: [Row!] {values}")),
            "",
            "{values}"
        );
    }
}

#[test]
fn numbers_and_keys_beside_a_size_move() {
    assert_undecided(
        "a(number: Int, size: Int): [Row]",
        "sizeArgument: \"size\", pageArgument: \"number\", firstPage: 0",
    );
    assert_undecided(
        "a(batch: Int, batchSize: Int): [Row]",
        "sizeArgument: \"batchSize\", pageArgument: \"batch\"",
    );
    assert_undecided(
        "a(start: Int, rows: Int): [Row]",
        "sizeArgument: \"rows\", offsetArgument: \"start\"",
    );
    for key in ["startAfter", "seek", "id_gt", "idGt"] {
        assert_undecided(
            &format!("a({key}: ID, limit: Int): [Row]"),
            &format!("filter: \"{key}\""),
        );
    }
    assert_undecided(
        "e(input: Wide): Pages } input Wide { paging: Spring } input Spring { number: Int size: Int } \
         type Pages { rows: [Row!] paging: Of } type Of { totalPages: Int number: Int",
        "style: PAGE, sizeArgument: \"input.paging.size\", pageArgument: \"input.paging.number\"",
    );
}

#[test]
fn measures_beside_a_size_are_filters() {
    let measures = [
        "lat", "x", "zoom", "km", "boost", "nights", "season", "team", "book", "level", "price", "score",
    ];
    let whole = measures.map(|name| format!("{name}: Int"));
    let broken = ["index: Float", "from: Float", "number: Float", "chunk: Float"].map(str::to_owned);
    for filter in whole.iter().chain(&broken) {
        let told = made_of(&format!("a(limit: Int, {filter}): [Row]"));
        assert!(told.contains("capped list"), "{filter}: {told}");
    }
}
