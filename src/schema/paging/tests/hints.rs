//! Hints that narrow, that override, and that do not fit.

use apollo_compiler::{Name, Schema};

use super::{schema, told};
use crate::schema::paging::{Paging, PagingHints, StyleHint, object_field, paging};

fn api() -> Schema {
    schema(
        "type Query {
          tokens(skip: Int = 0, first: Int = 100, orderBy: Field, where: Filter): [Token!]!
          products(where: String, sort: [String!], limit: Int, offset: Int): Products!
          boards(limit: Int = 25, page: Int = 1): [Token]
          columns(board: ID!, limit: Int, cursor: String): Items!
          next_items(cursor: String!, limit: Int): Items!
          assets(page: Int, pagination: Pagination, amount: Int): Assets
          plain: [Token!]!
          names: [String!]!
          pair: Pair
        }
        enum Field { id }
        input Filter { id_gt: ID name: NameFilter }
        input NameFilter { eq: String }
        input Pagination { number: Int size: Int }
        type Token { id: ID! tags: [String!] }
        type Products { total: Int! count: Int! offset: Int! results: [Token!]! }
        type Items { cursor: String items: [Token!]! }
        type Assets { rows: [Token!] edges: [Edge] meta: Meta version: String more: Boolean }
        type Edge { node: Token }
        type Meta { all: Int pages: Int last: Token history: [Meta] }
        type Pair { left: [Token!] }",
    )
}

#[track_caller]
fn assert_told(field: &str, hints: &str, expected: &str) {
    assert_eq!(told(&api(), "Query", field, hints), expected);
}

#[test]
fn a_keyset_by_an_input_object() {
    let hints = "style = 'keyset'\nfilter = 'where.id_gt'\nkey = 'id'\norder = 'orderBy: id'";
    assert_told(
        "tokens",
        hints,
        "keyset; rows []; `first` and `where.id_gt`, and rows ordered by `id`",
    );
    let hints: PagingHints = toml::from_str(hints).unwrap();
    let api = api();
    let field = object_field(&api, "Query", "tokens").unwrap();
    let Ok(Paging::Paged(paged)) = paging(&api, field, &hints) else {
        panic!("not paged");
    };
    let (argument, literal) = paged.order.unwrap();
    assert_eq!((argument.to_string().as_str(), literal.as_str()), ("orderBy", "id"));
}

#[test]
fn a_keyset_by_text() {
    let hints = "filter = 'where'\nkey = 'id'\norder = 'sort: [\"id asc\"]'\nfilter_text = 'id > \"{}\"'";
    assert_told(
        "products",
        hints,
        "keyset; rows [results]; total total; `limit` and `where`, and rows ordered by `id`",
    );
    assert_told(
        "products",
        "filter = 'where'\nkey = 'id'\nfilter_text = 'id > x'",
        "error: `filterText` lacks `{}`, the key's place: write it as in `id > \"{}\"`",
    );
    assert_told(
        "products",
        "filter = 'where'\nkey = 'id'\norder = 'id asc'",
        "error: `order`: `id asc` is no argument with its value; write both as in a query: `orderBy: id`",
    );
    assert_told(
        "products",
        "filter = 'where'\nkey = 'ids'",
        "error: `key`: `Token` has no field `ids`: did you mean `id`? there are `id`, `tags`",
    );
}

#[test]
fn a_list_that_is_read_on_from_the_other_side() {
    assert_told(
        "boards",
        "next = 'tokens'\nparent = 'where.id_gt'",
        "capped list, read on from the other side; rows []; `limit`, and where it is full, the root field `tokens` by \
         its `where.id_gt`",
    );
    assert_told(
        "boards",
        "style = 'reverse'\nnext = 'tokens'",
        "error: REVERSE needs the argument of `next` that takes the row's `id`, and `boards` shows none: name it by \
         `parent`, or choose another style",
    );
    assert_told(
        "boards",
        "next = 'tokens'\nparent = 'skip'",
        "error: `parent`: `skip` of `tokens` takes no single `ID` or `String`; name what does, such as `feature.id.is`",
    );
    assert_told(
        "boards",
        "next = 'columns'\nparent = 'board'",
        "error: `next`: `columns` answers `Items!` and not `[Token]`; name a field of the same type",
    );
}

#[test]
fn a_cursor_that_moves_elsewhere() {
    assert_told(
        "columns",
        "next = 'next_items'",
        "moving cursor; rows [items]; `limit`, and `cursor`, which the root field `next_items` takes as `cursor`",
    );
    assert_told(
        "columns",
        "next = 'next_item'",
        "error: `next`: `Query` has no field `next_item`: did you mean `next_items`? there are `tokens`, `products`, \
         `boards`, `columns`, `next_items`, `assets`, `plain`, `names`, `pair`",
    );
    assert_told(
        "columns",
        "next = 'boards'",
        "error: `next`: `boards` answers `[Token]` and not `Items!`; name a field of the same type",
    );
    assert_told(
        "columns",
        "style = 'flat_cursor'\nend_cursor = 'cursor'",
        "flat cursors; rows [items]; `limit` and `cursor`, and `cursor`",
    );
}

#[test]
fn caps_and_none_override_what_is_seen() {
    assert_told("plain", "cap = 100", "capped list; rows []; no way to ask for more");
    assert_told(
        "tokens",
        "style = 'capped'",
        "capped list; rows []; `first`, and no way to ask for more",
    );
    assert_told("tokens", "style = 'none'", "none");
    assert_told("plain", "", "none");
    assert_told(
        "names",
        "cap = 100",
        "error: CAPPED needs one list of objects in the value, and `names` shows none: name it by `items`, or choose \
         another style",
    );
    assert_told("pair", "cap = 3", "capped list; rows [left]; no way to ask for more");
}

#[test]
fn parts_with_names_of_their_own() {
    assert_told(
        "assets",
        "page_argument = 'pagination.number'\nsize_argument = 'pagination.size'\nitems = 'rows'\ntotal = 'meta.all'\npage_count = ''",
        "page numbers in an input object; rows [rows]; total meta.all; \
         `pagination.size` and `pagination.number`, and `meta.all`",
    );
    assert_told(
        "assets",
        "style = 'page_flag'\nhas_next = 'more'\nfirst_page = 1",
        "page numbers with a flag; rows [edges.node]; `page`, and `more`",
    );
    assert_told(
        "boards",
        "style = 'page_list'",
        "page numbers, bare list; rows []; `limit` and `page`, and a bare list",
    );
    assert_told(
        "products",
        "style = 'offset_list'\ntotal = ''",
        "offset, bare list; rows [results]; `limit` and `offset`, and nothing that says how many rows there are",
    );
}

#[test]
fn a_first_page_that_nothing_would_show_to_be_wrong_has_to_be_told() {
    assert_told(
        "assets",
        "style = 'page_flag'\nhas_next = 'more'",
        "error: PAGE_FLAG needs the number of the first page, and nothing tells that of `assets`: add `firstPage: 1`, or \
         the number that it has",
    );
    assert_told(
        "assets",
        "style = 'page_flag'\nhas_next = 'more'\ntotal = 'meta.all'\nitems = 'rows'",
        "page numbers with a flag; rows [rows]; total meta.all; `page`, and `more`",
    );
}

#[test]
fn names_that_do_not_exist() {
    assert_told(
        "boards",
        "page_argument = 'pag'",
        "error: `pageArgument`: `boards` has no argument `pag`: did you mean `page`? there are `limit`, `page`",
    );
    assert_told(
        "assets",
        "page_argument = 'pagination'",
        "error: `pageArgument`: the argument `pagination` is an object; name a field of it, as in `pagination.number`: \
         it has `number`, `size`",
    );
    assert_told(
        "assets",
        "size_argument = 'pagination.sise'",
        "error: `sizeArgument`: `pagination` has no argument `sise`: did you mean `size`? there are `number`, `size`",
    );
    assert_told(
        "plain",
        "offset_argument = 'skip'",
        "error: `offsetArgument`: `plain` has no argument `skip`: there is no argument at all",
    );
    assert_told(
        "assets",
        "total = 'meta.al'",
        "error: `total`: `Meta` has no field `al`: did you mean `all`? there are `all`, `pages`, `last`, `history`",
    );
}

#[test]
fn parts_of_another_kind() {
    assert_told(
        "assets",
        "total = 'version'",
        "error: `total`: `version` is `String`; name a number",
    );
    assert_told(
        "assets",
        "has_next = ''",
        "error: `hasNext`: `Assets` has no field ``: there are `rows`, `edges`, `meta`, `version`, `more`",
    );
    assert_told(
        "assets",
        "has_next = 'meta.last.id'",
        "error: `hasNext`: `meta.last.id` is `ID!`; name a `Boolean`",
    );
    assert_told(
        "assets",
        "total = 'meta.history.all'",
        "error: `total`: `meta.history.all` stands in a list; name a value that is there once for the page",
    );
    assert_told(
        "assets",
        "items = 'meta'",
        "error: `items`: `meta` is no list; name a list of objects",
    );
    assert_told(
        "assets",
        "items = 'rows.tags'",
        "error: `items`: `rows.tags` is a list of lists; name a list of objects",
    );
    assert_told(
        "assets",
        "items = 'rows.id'",
        "error: `items`: `rows.id` holds no objects; name a list of objects",
    );
}

#[test]
fn styles_that_the_field_cannot_be_of() {
    assert_told(
        "plain",
        "style = 'offset'",
        "error: OFFSET needs an argument for the number of rows to leave out, and `plain` shows none: name it by \
         `offsetArgument`, or choose another style",
    );
    assert_told(
        "tokens",
        "style = 'offset'",
        "error: OFFSET needs the number of all rows or a flag for more in the value, and `tokens` shows none: name it \
         by `total` or `hasNext`, or choose another style",
    );
    assert_told(
        "tokens",
        "style = 'keyset'",
        "error: KEYSET needs an argument that leaves out what is known, and `tokens` shows none: name it by `filter`, \
         or choose another style",
    );
    assert_told(
        "plain",
        "items = 'tags'",
        "error: `items`: `tags` is a list of lists; name a list of objects",
    );
    assert_told(
        "plain",
        "first_page = 0",
        "error: `plain` does not look paginated: add the style that it is of, or remove what is said of its parts",
    );
}

#[test]
fn the_directive_and_the_hints_name_the_same_styles() {
    let definitions = Schema::parse(crate::schema::CLIENT_DIRECTIVES, "directives.graphql");
    let definitions = definitions.unwrap();
    let styles = definitions.get_enum("PaginationStyle").unwrap();
    let names: Vec<&str> = styles.values.keys().map(Name::as_str).collect();
    assert_eq!(names, StyleHint::ALL.map(StyleHint::name));
}
