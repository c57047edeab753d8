//! The names that APIs give to the parts of their paging, written here without `_` and capitals: `per_page` and
//! `perPage` are one name. Earlier names are preferred.
//!
//! Only names whose meaning is certain stand in the plain lists. Those of the `LOOSE` ones make a field look paginated,
//! and serve to propose a directive to its author.

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;

/// Arguments for a cursor.
pub(super) const CURSOR: &[&str] = &[
    "after",
    "cursor",
    "aftercursor",
    "nextcursor",
    "endcursor",
    "nexttoken",
    "nextpagetoken",
    "pagetoken",
    "continuationtoken",
    "paginationtoken",
    "pagecursor",
    "scrollid",
];
/// Arguments that can be a cursor, or the key of the last row, or a filter.
pub(super) const LOOSE_CURSOR: &[&str] = &[
    "bookmark",
    "marker",
    "scroll",
    "continuation",
    "startingafter",
    "startkey",
    "exclusivestartkey",
    "lastkey",
    "afterid",
    "sinceid",
    "since",
    "lastid",
    "fromid",
    "startid",
    "maxid",
    "minid",
    "token",
    "seek",
    "startafter",
    "fromkey",
    "pagekey",
    "pagestate",
    "pagingstate",
    "idgt",
    "idgte",
    "idafter",
];
/// What the names of such arguments end with.
const CURSOR_ENDS: &[&str] = &["cursor", "cursormark", "marker", "bookmark", "continuation"];
/// Arguments for a page number.
pub(super) const PAGE: &[&str] = &["page", "pagenumber", "pageno", "pagenum"];
/// Arguments for a page number that often counts from 0.
pub(super) const LOOSE_PAGE: &[&str] = &["pageindex", "currentpage"];
/// Arguments for the number of rows to leave out.
pub(super) const OFFSET: &[&str] = &[
    "offset",
    "skip",
    "startat",
    "start",
    "from",
    "skiprows",
    "skipcount",
    "skiprecords",
    "rowoffset",
];
/// Arguments that can be such a number, one more than it, or something else.
pub(super) const LOOSE_OFFSET: &[&str] = &[
    "startindex",
    "startrow",
    "startposition",
    "startfrom",
    "firstresult",
    "fromindex",
    "position",
    "index",
    "begin",
];
/// Of [`OFFSET`]: those that are the beginning of a range where its end is an argument as well.
pub(super) const RANGE_STARTS: &[&str] = &["start", "from"];
/// The other end of such a range.
pub(super) const RANGE_ENDS: &[&str] = &["end", "to", "until", "stop"];
/// Arguments for the number of rows.
pub(super) const SIZE: &[&str] = &[
    "first",
    "limit",
    "take",
    "perpage",
    "pagesize",
    "size",
    "top",
    "maxresults",
    "count",
    "maxrows",
    "maxitems",
    "maxrecords",
    "rowsperpage",
    "itemsperpage",
    "resultsperpage",
];
/// Of [`SIZE`]: those that speak of pages.
pub(super) const PAGE_SIZE: &[&str] = &["perpage", "pagesize", "rowsperpage", "itemsperpage", "resultsperpage"];
/// Arguments that make a field look paginated without saying how to go on.
pub(super) const LOOSE_SIZE: &[&str] = &["last"];
/// Arguments that can be a size or a filter.
pub(super) const WEAK_SIZE: &[&str] = &["amount", "max", "num", "number", "quantity", "rows", "maxcount"];
/// Of [`WEAK_SIZE`]: what is the number of a page where there is another size.
pub(super) const WEAK_PAGE: &[&str] = &["number"];
/// Words in the names of numbers that ask for a place in the list.
const POSITION_WORDS: &[&str] = &[
    "index", "start", "begin", "from", "position", "number", "batch", "chunk", "slice", "window", "offset", "skip",
    "page", "row", "seek", "cursor", "after", "since", "marker", "token", "key",
];
/// What the names of numbers that filter begin with, whatever their words.
pub(super) const FILTER_STARTS: &[&str] = &["min", "max"];
/// What the names of such filters end with.
pub(super) const FILTER_ENDS: &[&str] = &["id", "ids", "min", "max", "gt", "gte", "lt", "lte", "year"];
/// Arguments for what comes before a cursor.
pub(super) const BACKWARD: &[&str] = &["before"];
/// Arguments that hold those of the paging, by their whole names.
pub(super) const HOLDERS: &[&str] = &[
    "query",
    "options",
    "opts",
    "input",
    "params",
    "parameters",
    "args",
    "arguments",
    "request",
];
/// Arguments that filter rows. Those of their fields that look like paging mostly are those of a relation.
pub(super) const FILTER_HOLDERS: &[&str] = &["filter", "filters", "where", "criteria", "search", "condition"];

/// Values that say whether there is more.
pub(super) const HAS_NEXT: &[&str] = &[
    "hasnextpage",
    "hasnext",
    "hasmore",
    "hasmorepages",
    "hasmoreitems",
    "hasmoreresults",
];
/// Values that say that there is more, or that something in the rows was cut.
pub(super) const LOOSE_HAS_NEXT: &[&str] = &["more", "moreavailable", "istruncated", "truncated"];
/// Values that are the cursor of the next page.
pub(super) const END_CURSOR: &[&str] = &[
    "endcursor",
    "nextcursor",
    "nextpagecursor",
    "nexttoken",
    "nextpagetoken",
    "continuationtoken",
    "nextbookmark",
    "nextscrollid",
];
/// Values that can be the cursor of the next page or that of this one.
pub(super) const LOOSE_END_CURSOR: &[&str] = &["cursor", "pagetoken", "bookmark", "scrollid", "continuation", "marker"];
/// Values that count all rows.
pub(super) const TOTAL: &[&str] = &[
    "totalcount",
    "total",
    "totalitems",
    "totalresults",
    "totalrecords",
    "totalrows",
    "totalelements",
    "totalentries",
    "totalhits",
    "totaldocs",
];
/// Of [`TOTAL`]: those that can also be a sum of money, or of points.
pub(super) const SUMS: &[&str] = &["total"];
/// Values that count all rows or those of the page (commercetools), so that to trust them could end an export after its
/// first page.
pub(super) const LOOSE_TOTAL: &[&str] = &["count"];
/// What the names of numbers end with that count all rows or something else.
const COUNT_ENDS: &[&str] = &["count", "found"];
/// What such names begin with where they are not called after the rows.
const COUNTED: &[&str] = &[
    "num", "number", "item", "row", "result", "record", "hit", "document", "doc", "entry", "match",
];
/// Values that count the pages.
pub(super) const PAGE_COUNT: &[&str] = &[
    "totalpages",
    "pagecount",
    "lastpage",
    "numpages",
    "numberofpages",
    "totalpagecount",
    "pages",
];
/// Lists that hold the rows where there are other lists beside them (facets, groups, what the rows refer to).
pub(super) const ITEMS: &[&str] = &["nodes", "items", "results", "collection", "data", "records"];

/// A name as it stands in the lists above.
pub(super) fn plain(name: &str) -> String {
    let characters = name.chars().filter(|character| *character != '_');
    characters.flat_map(char::to_lowercase).collect()
}

/// Where `name` stands in a list.
pub(super) fn rank(name: &str, names: &[&str]) -> Option<usize> {
    let name = plain(name);
    names.iter().position(|other| *other == name)
}

/// Whether the name of a number speaks of a place in the list.
pub(super) fn is_about_position(name: &str) -> bool {
    let is_break = |character: char| character == '_' || character.is_uppercase();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = rest[first.len_utf8()..].find(is_break);
        let (word, behind) = rest.split_at(end.map_or(rest.len(), |end| end + first.len_utf8()));
        if rank(word, POSITION_WORDS).is_some() {
            return true;
        }
        rest = behind;
    }
    false
}

/// Whether an argument of that name can be a cursor, or the key of the last row.
pub(super) fn is_cursor_like(name: &str) -> bool {
    rank(name, LOOSE_CURSOR).is_some() || CURSOR_ENDS.iter().any(|end| plain(name).ends_with(end))
}

/// Whether a value of that name leads to the next page: `next`, `nextPage`, `lastEvaluatedKey`.
pub(super) fn is_about_the_next(name: &str) -> bool {
    const ENDS: &[&str] = &["page", "key", "token", "mark", "offset", "state", "link", "url"];
    let name = plain(name);
    let leads = name.starts_with("next") || name == "lastkey" || name == "lastevaluatedkey";
    name == "next" || (leads && (is_cursor_like(&name) || ENDS.iter().any(|end| name.ends_with(end))))
}

/// What a number counts by its name: `issue` for `issueCount`, and an empty text for any rows (`numFound`).
pub(super) fn counted(name: &str) -> Option<String> {
    let name = plain(name);
    let stem = COUNT_ENDS.iter().find_map(|end| name.strip_suffix(end))?;
    match (stem.is_empty(), rank(stem, COUNTED)) {
        (true, _) => None,
        (false, Some(_)) => Some(String::new()),
        (false, None) => Some(stem.to_owned()),
    }
}

/// Whether an object of that name tells about the page: `metadata`, `pageInfo`, `pagination`.
pub(super) fn is_about_the_page(name: &str) -> bool {
    let name = plain(name);
    name == "info" || name.starts_with("meta") || is_about_paging(&name)
}

/// Whether an argument of that name holds those of the paging.
pub(super) fn is_about_paging(name: &str) -> bool {
    let name = plain(name);
    name.starts_with("page") || name.starts_with("pagi")
}

/// Whether it is a single number. APIs have scalars of their own for whole numbers; `Float` is what some frameworks make
/// of the numbers of a language that has but one kind.
pub(super) fn is_number(_: &Schema, ty: &Type) -> bool {
    let name = ty.inner_named_type().as_str();
    let is_numeric = ["Int", "Integer", "Float", "Long", "Number"]
        .iter()
        .any(|word| has_word(name, word));
    !ty.is_list() && is_numeric
}

/// Whether it is a single number and not `Float`, by which also prices and distances are asked for.
pub(super) fn is_whole(schema: &Schema, ty: &Type) -> bool {
    is_number(schema, ty) && !has_word(ty.inner_named_type(), "Float")
}

/// Whether it is a single flag.
pub(super) fn is_flag(_: &Schema, ty: &Type) -> bool {
    !ty.is_list() && ty.inner_named_type() == "Boolean"
}

/// Whether it can be a cursor: a value without fields, or (where cursors have several parts) a list of such. Moments are
/// none: `after` is a filter where it takes one.
pub(super) fn is_cursor(schema: &Schema, ty: &Type) -> bool {
    let name = ty.inner_named_type();
    let is_moment = ["Date", "Time", "Timestamp"].iter().any(|word| has_word(name, word));
    let is_scalar = matches!(schema.types.get(name), Some(ExtendedType::Scalar(_)));
    is_scalar && !is_moment && name != "Boolean"
}

/// Whether a type's name has that word: `BigInt`, `UInt32`, `IntType`, and neither `Point` nor `Interval`.
fn has_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(place, _)| {
        let next = name[place + word.len()..].chars().next();
        !next.is_some_and(char::is_lowercase)
    })
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Name;

    use super::*;

    #[test]
    fn numbers_are_told_by_the_words_of_their_type() {
        let schema = Schema::new();
        let is_number = |name: &str| is_number(&schema, &Type::Named(Name::new(name).unwrap()));
        let numbers = [
            "Int",
            "Float",
            "BigInt",
            "UInt32",
            "IntType",
            "NonNegativeInteger",
            "Long",
        ];
        let others = ["Point", "Interval", "Longitude", "DateTime", "String", "Boolean"];
        assert_eq!(numbers.map(is_number), [true; 7]);
        assert_eq!(others.map(is_number), [false; 6]);
    }

    #[test]
    fn spelling_does_not_count() {
        assert_eq!(rank("per_page", SIZE), rank("perPage", SIZE));
        assert_eq!(rank("filter", SIZE), None);
        assert!(is_about_the_page("metadata") && is_about_the_page("pageInfo") && !is_about_the_page("owner"));
    }
}
