//! The ways in which generated lists turn their pages: what the schema shows of each, how the stand-in serves it, and
//! how a query selects its rows.

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::generated::world::Key;

/// Types that pagings share.
pub(super) const PAGING_SCHEMA: &str = "type CursorInfo { hasNextPage: Boolean! endCursor: String }
type FlagInfo { hasNextPage: Boolean! }
type Counts { currentPage: Int! limitValue: Int! totalCount: Int! totalPages: Int! }
type PageCounts { totalPages: Int! }
type RowCounts { totalCount: Int! }
input PageInput { page: Int = 1 perPage: Int = 10 }
input TextAbove { key_gt: ID }
input NumberAbove { key_gt: Int }
enum Sorting { asc desc }
";

/// A style of pagination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Relay,
    FlatCursor,
    MovingCursor,
    Page,
    PageFlag,
    PageList,
    Offset,
    OffsetList,
    Keyset,
    Capped,
    /// A list that is no connection: all of it comes at once.
    Whole,
}

/// How one list turns its pages.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub(super) style: Style,
    /// What stands below `[pagings.…]`.
    pub(super) shape: String,
    /// The arguments in the schema.
    pub(super) arguments: String,
    /// The fields of the page's type, with `ROW` and `EDGE` in the place of the types of a row and of an edge; none
    /// where the field is the list itself.
    pub(super) page: Option<&'static str>,
    /// The ways to the rows.
    pub(super) rows: &'static [&'static [&'static str]],
    /// What else of a page can be selected.
    pub(super) extras: &'static [&'static str],
    /// The argument for the size, where a query can write one there.
    pub(super) size: Option<&'static str>,
    /// Whether there is an argument for the size at all.
    pub(super) is_sized: bool,
    /// What only the author can know: the arguments of `@paginate`.
    pub(super) hints: Vec<(&'static str, String)>,
    /// A root field that goes on with the list: what its name begins with, its arguments and its shape.
    pub(super) continuation: Option<(&'static str, &'static str, String)>,
    /// For lists that have no further pages: as many rows as they can have, where the server says so.
    pub(super) cap: Option<u64>,
}

/// The ways from a page to its rows.
const NODES: &[&[&str]] = &[&["nodes"]];
const EDGES: &[&[&str]] = &[&["edges", "node"]];
const BOTH: &[&[&str]] = &[&["nodes"], &["edges", "node"]];
const ITEMS: &[&[&str]] = &[&["items"]];
const BARE: &[&[&str]] = &[&[]];

impl Paging {
    fn new(style: Style, arguments: &str, shape: &str) -> Self {
        Self {
            style,
            shape: shape.to_owned(),
            arguments: arguments.to_owned(),
            page: None,
            rows: BARE,
            extras: &[],
            size: None,
            is_sized: true,
            hints: Vec::new(),
            continuation: None,
            cap: None,
        }
    }

    /// The same with pages that are objects.
    fn of_pages(mut self, page: &'static str, rows: &'static [&'static [&'static str]], result: &str) -> Self {
        self.page = Some(page);
        self.rows = rows;
        self.shape += &format!("result = {{ {result} }}\n");
        self
    }

    fn with_extras(self, extras: &'static [&'static str]) -> Self {
        Self { extras, ..self }
    }

    fn with_size(self, size: &'static str) -> Self {
        Self {
            size: Some(size),
            ..self
        }
    }

    fn said(mut self, hints: &[(&'static str, &str)]) -> Self {
        self.hints
            .extend(hints.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    /// Whether a list has further pages.
    pub(super) fn goes_on(&self) -> bool {
        !matches!(self.style, Style::Capped | Style::Whole)
    }

    /// Whether one row can be asked for by its place.
    pub(super) fn has_places(&self) -> bool {
        let has_edges = self.rows.contains(&["edges", "node"].as_slice());
        let by_place = match self.style {
            Style::Relay => has_edges,
            Style::Page | Style::PageFlag | Style::PageList | Style::Offset | Style::OffsetList => true,
            _ => false,
        };
        by_place && self.is_sized
    }

    /// Whether the last page that is wanted can be so small that no row too many comes with it.
    pub(super) fn ends_anywhere(&self) -> bool {
        self.is_sized && (self.has_cursors() || self.style == Style::Keyset)
    }

    /// Whether a page's rows are found by a cursor.
    pub(super) fn has_cursors(&self) -> bool {
        matches!(self.style, Style::Relay | Style::FlatCursor | Style::MovingCursor)
    }
}

/// Any paging for a list of rows with that key; `is_plain` tells that the rows are of one type, and `has_home` that the
/// list is not in an object that belongs to another.
pub(super) fn paging(key: &Key, is_plain: bool, has_home: bool, page_size: u64, random: &mut StdRng) -> Paging {
    loop {
        let paging = match random.random_range(0..12) {
            0..=2 => relay(random),
            3 => flat(random),
            4 if has_home => moving(random),
            5 => page(random),
            6 => page_flag(random),
            7 => page_list(),
            8 => offset(random),
            9 => offset_list(),
            10 if is_plain => match keyset(key, random) {
                Some(paging) => paging,
                None => continue,
            },
            11 => capped(page_size, random),
            _ => continue,
        };
        return paging;
    }
}

fn relay(random: &mut StdRng) -> Paging {
    let relay = Paging::new(
        Style::Relay,
        "first: Int, after: String",
        "size = 'first'\ncursor = 'after'\n",
    )
    .with_size("first");
    let info = "'pageInfo.hasNextPage' = 'has_next', 'pageInfo.endCursor' = 'end_cursor'";
    let edges = "edges = 'edges', 'edges.cursor' = 'edge_cursor', 'edges.node' = 'edge_node'";
    match random.random_range(0..3) {
        0 => relay.of_pages(
            "nodes: [ROW!]! pageInfo: CursorInfo!",
            NODES,
            &format!("nodes = 'items', {info}"),
        ),
        1 => relay.of_pages(
            "edges: [EDGE!] pageInfo: CursorInfo!",
            EDGES,
            &format!("{edges}, {info}"),
        ),
        _ => relay
            .of_pages(
                "edges: [EDGE] nodes: [ROW] pageInfo: CursorInfo! totalCount: Int!",
                BOTH,
                &format!("nodes = 'items', totalCount = 'total', {edges}, {info}"),
            )
            .with_extras(&[
                "totalCount",
                "pageInfo { hasNextPage }",
                "info: pageInfo { more: hasNextPage }",
            ]),
    }
}

fn flat(random: &mut StdRng) -> Paging {
    let flagged = "items = 'items', hasNextPage = 'has_next', endCursor = 'end_cursor'";
    match random.random_range(0..3) {
        0 => Paging::new(
            Style::FlatCursor,
            "limit: Int, cursor: String",
            "size = 'limit'\ncursor = 'cursor'\n",
        )
        .with_size("limit")
        .of_pages("items: [ROW!]! hasNextPage: Boolean! endCursor: String", ITEMS, flagged),
        1 => Paging::new(
            Style::FlatCursor,
            "maxResults: Int, nextToken: String",
            "size = 'maxResults'\ncursor = 'nextToken'\n",
        )
        .with_size("maxResults")
        .of_pages(
            "items: [ROW] nextToken: String",
            ITEMS,
            "items = 'items', nextToken = 'next_cursor'",
        ),
        // The server alone knows how many rows a page has.
        _ => Paging {
            is_sized: false,
            ..Paging::new(Style::FlatCursor, "after: String", "cursor = 'after'\n").of_pages(
                "items: [ROW!]! hasNextPage: Boolean! endCursor: String",
                ITEMS,
                flagged,
            )
        },
    }
}

fn moving(random: &mut StdRng) -> Paging {
    let result = "items = 'items', cursor = 'next_cursor'";
    let moving = Paging::new(
        Style::MovingCursor,
        "limit: Int! = 9",
        "size = 'limit'\ncarries_place = true\n",
    )
    .with_size("limit")
    .of_pages("items: [ROW!]! cursor: String", ITEMS, result);
    let next = format!("size = 'limit'\ncursor = 'cursor'\ncarries_place = true\nresult = {{ {result} }}\n");
    let arguments = "cursor: String!, limit: Int! = 9";
    // A name that begins otherwise has to be told.
    let stem = if random.random_bool(0.5) { "next_" } else { "more_" };
    let told = if stem == "more_" {
        moving.said(&[("style", "MOVING_CURSOR"), ("next", "CONTINUATION")])
    } else {
        moving
    };
    Paging {
        continuation: Some((stem, arguments, next)),
        ..told
    }
}

fn page(random: &mut StdRng) -> Paging {
    let (page, result) = *[
        (
            "collection: [ROW!]! metadata: Counts!",
            "'metadata.currentPage' = 'page', 'metadata.limitValue' = 'size', 'metadata.totalCount' = 'total', 'metadata.totalPages' = 'page_count'",
        ),
        (
            "collection: [ROW] metadata: PageCounts!",
            "'metadata.totalPages' = 'page_count'",
        ),
        (
            "collection: [ROW!] metadata: RowCounts!",
            "'metadata.totalCount' = 'total'",
        ),
    ]
    .choose(random)
    .expect("ways to count");
    numbered(Style::Page, random).of_pages(page, &[&["collection"]], &format!("collection = 'items', {result}"))
}

fn page_flag(random: &mut StdRng) -> Paging {
    numbered(Style::PageFlag, random).of_pages(
        "results: [ROW!]! pageInfo: FlagInfo!",
        &[&["results"]],
        "results = 'items', 'pageInfo.hasNextPage' = 'has_next'",
    )
}

/// By arguments of the field's own, or inside an input object.
fn numbered(style: Style, random: &mut StdRng) -> Paging {
    if random.random_bool(0.4) {
        return Paging::new(
            style,
            "pagination: PageInput! = { page: 1, perPage: 10 }",
            "size = 'pagination.perPage'\npage = 'pagination.page'\n",
        );
    }
    let shape = "size = 'limit'\npage = 'page'\n";
    let numbered = |arguments| Paging::new(style, arguments, shape).with_size("limit");
    // Only a total shows whether pages begin at 1 where neither the schema nor the author says so.
    match (style, random.random_range(0..3)) {
        (_, 0) => numbered("page: Int = 1, limit: Int"),
        (Style::PageFlag, _) => numbered("page: Int, limit: Int").said(&[("firstPage", "1")]),
        _ => numbered("page: Int, limit: Int"),
    }
}

fn page_list() -> Paging {
    let list = Paging::new(
        Style::PageList,
        "page: Int, perPage: Int",
        "size = 'perPage'\npage = 'page'\n",
    );
    list.with_size("perPage")
        .said(&[("style", "PAGE_LIST"), ("firstPage", "1")])
}

fn offset(random: &mut StdRng) -> Paging {
    let offset = Paging::new(
        Style::Offset,
        "skip: Int = 0, limit: Int",
        "size = 'limit'\noffset = 'skip'\n",
    )
    .with_size("limit");
    if random.random_bool(0.5) {
        return offset.of_pages("total: Int items: [ROW!]!", ITEMS, "items = 'items', total = 'total'");
    }
    offset.of_pages(
        "hasMore: Boolean! items: [ROW]",
        ITEMS,
        "items = 'items', hasMore = 'has_next'",
    )
}

fn offset_list() -> Paging {
    let shape = "size = 'limit'\noffset = 'offset'\n";
    Paging::new(Style::OffsetList, "offset: Int, limit: Int", shape).with_size("limit")
}

fn keyset(key: &Key, random: &mut StdRng) -> Option<Paging> {
    let Key::Field { name, ty, .. } = key else {
        return None;
    };
    let is_text = *ty != "Int!";
    let (arguments, shape) = match (is_text, random.random_bool(0.4)) {
        (true, true) => ("matching: String", "condition = 'matching'\n".to_owned()),
        (true, false) => (
            "where: TextAbove",
            format!("beyond = {{ argument = 'where.key_gt', field = '{name}' }}\n"),
        ),
        (false, _) => (
            "where: NumberAbove",
            format!("beyond = {{ argument = 'where.key_gt', field = '{name}' }}\n"),
        ),
    };
    let is_condition = arguments.starts_with("matching");
    let keyset = Paging::new(
        Style::Keyset,
        &format!("take: Int, sort: Sorting, {arguments}"),
        &format!("size = 'take'\norder = ['sort']\n{shape}"),
    )
    .with_size("take");
    let keyset = keyset.said(&[("style", "KEYSET"), ("key", name), ("order", "sort: asc")]);
    Some(if is_condition {
        keyset.said(&[("filter", "matching"), ("filterText", &format!("{name} > \"{{}}\""))])
    } else {
        keyset.said(&[("filter", "where.key_gt")])
    })
}

fn capped(page_size: u64, random: &mut StdRng) -> Paging {
    if random.random_bool(0.5) {
        let shape = "size = 'limit'\n";
        return Paging {
            cap: Some(page_size),
            ..Paging::new(Style::Capped, "limit: Int", shape)
        };
    }
    let cap = random.random_range(2..40);
    Paging {
        is_sized: false,
        cap: Some(cap),
        ..Paging::new(Style::Capped, "", "").said(&[("style", "CAPPED"), ("cap", &cap.to_string())])
    }
}

/// A list that comes whole.
pub(super) fn whole() -> Paging {
    Paging {
        is_sized: false,
        ..Paging::new(Style::Whole, "", "")
    }
}
