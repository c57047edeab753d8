//! What the author of a query file or of a preset says about a field's pagination.

use std::fmt;

use apollo_compiler::ast::Value;
use serde::Deserialize;

use crate::schema::paging::style::StyleHint;

/// What `@paginate` or a preset says about one field. What it leaves out is read off the schema.
///
/// Paths are dotted: `pagination.perPage`, `metadata.totalPages`, `edges.node`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingHints {
    /// The style; it settles what the schema leaves open.
    pub style: Option<StyleHint>,
    /// The argument for the number of rows.
    pub size_argument: Option<String>,
    /// The argument for the cursor; of a moving cursor: that of the field that goes on.
    pub cursor_argument: Option<String>,
    /// The argument for the page number.
    pub page_argument: Option<String>,
    /// The number of the first page.
    pub first_page: Option<u64>,
    /// The argument for the number of rows to leave out.
    pub offset_argument: Option<String>,
    /// From the field's value to its rows.
    pub items: Option<String>,
    /// The flag for more.
    pub has_next: Option<String>,
    /// The cursor of the next page.
    pub end_cursor: Option<String>,
    /// The number of all rows. Empty text: there is one, and it is not to be trusted.
    pub total: Option<String>,
    /// The number of pages. Empty text: there is one, and it is not to be trusted.
    pub page_count: Option<String>,
    /// The root field that a moving cursor goes to, or that lists the rows of a list which is read on from the other side.
    pub next: Option<String>,
    /// The argument of that field which takes the `id` of the row that holds the list.
    pub parent: Option<String>,
    /// The argument that leaves out what is known.
    pub filter: Option<String>,
    /// The field of a row that the filter compares, and by which rows are ordered.
    pub key: Option<String>,
    /// The argument that orders the rows by the key, as in a query: `orderBy: id`.
    pub order: Option<String>,
    /// What the filter is given, with `{}` in the key's place: `id > "{}"`.
    pub filter_text: Option<String>,
    /// The cursor of an empty last page by which the API shows that it did not find the place to go on from.
    pub lost_cursor: Option<String>,
    /// Whether rows may go to another place of the list while it is read.
    pub moving: Option<bool>,
    /// Whether the list is empty, too, where the API has lost sight of its rows.
    pub doubt_empty: Option<bool>,
    /// At so many rows the list may have been cut off.
    pub cap: Option<u32>,
}

/// What a preset says about one field of its API: a table of `[[paging]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingRule {
    /// The type that has the field, by its name in the schema.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The field.
    pub field: String,
    /// How it turns its pages.
    #[serde(flatten)]
    pub hints: PagingHints,
    /// Whether it is of a preset: then a schema may well lack the field.
    #[serde(skip)]
    pub is_shipped: bool,
}

impl PagingHints {
    /// These hints, and those of `others` on what these leave open: a query file's directive over a preset. A style
    /// given here stands alone, as what `others` say belongs to another.
    pub fn over(self, others: &Self) -> Self {
        if self.style.is_some() && self.style != others.style {
            return self;
        }
        let text = |own: Option<String>, other: &Option<String>| own.or_else(|| other.clone());
        Self {
            style: self.style.or(others.style),
            size_argument: text(self.size_argument, &others.size_argument),
            cursor_argument: text(self.cursor_argument, &others.cursor_argument),
            page_argument: text(self.page_argument, &others.page_argument),
            first_page: self.first_page.or(others.first_page),
            offset_argument: text(self.offset_argument, &others.offset_argument),
            items: text(self.items, &others.items),
            has_next: text(self.has_next, &others.has_next),
            end_cursor: text(self.end_cursor, &others.end_cursor),
            total: text(self.total, &others.total),
            page_count: text(self.page_count, &others.page_count),
            next: text(self.next, &others.next),
            parent: text(self.parent, &others.parent),
            filter: text(self.filter, &others.filter),
            key: text(self.key, &others.key),
            order: text(self.order, &others.order),
            filter_text: text(self.filter_text, &others.filter_text),
            lost_cursor: text(self.lost_cursor, &others.lost_cursor),
            moving: self.moving.or(others.moving),
            doubt_empty: self.doubt_empty.or(others.doubt_empty),
            cap: self.cap.or(others.cap),
        }
    }

    /// The style that the hints speak of, where they name none but a part that only one has.
    pub(super) fn implied_style(&self) -> Option<StyleHint> {
        if self.style.is_some() {
            return self.style;
        }
        let implied = [
            (self.parent.is_some(), StyleHint::Reverse),
            (self.next.is_some(), StyleHint::MovingCursor),
            (self.filter.is_some() || self.key.is_some(), StyleHint::Keyset),
            (self.cap.is_some(), StyleHint::Capped),
        ];
        implied
            .into_iter()
            .find(|(is_said, _)| *is_said)
            .map(|(_, style)| style)
    }

    /// The hints that are text, by the names of the directive's arguments.
    fn texts(&self) -> [(&'static str, &Option<String>); 16] {
        [
            ("sizeArgument", &self.size_argument),
            ("cursorArgument", &self.cursor_argument),
            ("pageArgument", &self.page_argument),
            ("offsetArgument", &self.offset_argument),
            ("items", &self.items),
            ("hasNext", &self.has_next),
            ("endCursor", &self.end_cursor),
            ("total", &self.total),
            ("pageCount", &self.page_count),
            ("next", &self.next),
            ("parent", &self.parent),
            ("filter", &self.filter),
            ("key", &self.key),
            ("order", &self.order),
            ("filterText", &self.filter_text),
            ("lostCursor", &self.lost_cursor),
        ]
    }
}

/// The directive that says the same.
impl fmt::Display for PagingHints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::new();
        said.extend(self.style.map(|style| format!("style: {}", style.name())));
        for (name, text) in self.texts() {
            let literal = text.clone().map(Value::String);
            said.extend(literal.map(|literal| format!("{name}: {literal}")));
        }
        said.extend(self.first_page.map(|number| format!("firstPage: {number}")));
        said.extend(self.moving.map(|is_moving| format!("moving: {is_moving}")));
        said.extend(self.doubt_empty.map(|is_doubted| format!("doubtEmpty: {is_doubted}")));
        said.extend(self.cap.map(|cap| format!("cap: {cap}")));
        write!(formatter, "@paginate({})", said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_says_it_in_a_table() {
        let rule: PagingRule = toml::from_str(
            "type = 'Query'\nfield = 'issues'\nstyle = 'offset_list'\nsize_argument = 'paging.limit'\nfirst_page = 0",
        )
        .unwrap();
        assert_eq!((rule.type_name.as_str(), rule.field.as_str()), ("Query", "issues"));
        assert_eq!(rule.hints.style, Some(StyleHint::OffsetList));
        assert_eq!(
            rule.hints.to_string(),
            "@paginate(style: OFFSET_LIST, sizeArgument: \"paging.limit\", firstPage: 0)"
        );
        let unknown = toml::from_str::<PagingRule>("type = 'Query'\nfield = 'issues'\nsize = 3").unwrap_err();
        assert!(unknown.message().contains("unknown field `size`"), "{unknown}");
        let style = toml::from_str::<PagingRule>("type = 'Query'\nfield = 'a'\nstyle = 'offset-list'").unwrap_err();
        assert!(style.message().contains("offset_list"), "{style}");
    }

    #[test]
    fn a_directive_goes_over_a_preset() {
        let preset = PagingHints {
            style: Some(StyleHint::Page),
            page_argument: Some("page".to_owned()),
            ..PagingHints::default()
        };
        let narrower = PagingHints {
            total: Some("meta.total".to_owned()),
            ..PagingHints::default()
        };
        let both = narrower.over(&preset);
        assert_eq!(
            both.to_string(),
            "@paginate(style: PAGE, pageArgument: \"page\", total: \"meta.total\")"
        );
        let off = PagingHints {
            style: Some(StyleHint::None),
            ..PagingHints::default()
        };
        assert_eq!(off.clone().over(&preset), off);
    }
}
