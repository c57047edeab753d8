//! What a query file says to us by the directives `@paginate`, `@table` and `@column`.

use std::str::FromStr as _;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};

use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::argument;
use crate::schema::{PagingHints, ScalarType, StyleHint};

/// `@paginate`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PaginateDirective {
    /// How the field turns its pages.
    pub(crate) hints: PagingHints,
    /// Rows asked for at once.
    pub(crate) size: Option<u32>,
    /// Rows after which reading ends.
    pub(crate) max: Option<u32>,
    pub(crate) place: Option<SourceSpan>,
}

/// `@table`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TableDirective {
    pub(crate) name: Option<String>,
    /// Response keys; empty where the type's `id` is the key.
    pub(crate) key: Vec<String>,
    pub(crate) place: Option<SourceSpan>,
}

/// `@column`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnDirective {
    pub(crate) name: Option<String>,
    pub(crate) ty: Option<ScalarType>,
    /// The text that the API writes for null.
    pub(crate) null: Option<String>,
}

/// `@lookup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LookupDirective {
    pub(crate) field: String,
    pub(crate) argument: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) place: Option<SourceSpan>,
}

/// Reads `@lookup`.
pub(crate) fn lookup(directives: &DirectiveList) -> Option<LookupDirective> {
    let directive = directives.get("lookup")?;
    Some(LookupDirective {
        field: text(directive, "field")?,
        argument: text(directive, "argument"),
        by: text(directive, "by"),
        place: directive.location(),
    })
}

/// Reads `@paginate`; the compiler has checked its arguments' types.
pub(crate) fn paginate(directives: &DirectiveList, sources: &SourceMap) -> Result<PaginateDirective, PlanError> {
    let Some(directive) = directives.get("paginate") else {
        return Ok(PaginateDirective::default());
    };
    Ok(PaginateDirective {
        hints: paging_hints(directive, sources)?,
        size: count(directive, "size", "the page size must be at least 1", sources)?,
        max: count(directive, "max", "`max` must be at least 1", sources)?,
        place: directive.location(),
    })
}

fn paging_hints(directive: &Node<Directive>, sources: &SourceMap) -> Result<PagingHints, PlanError> {
    let style = match argument(directive, "style") {
        Some(Value::Enum(name)) => StyleHint::named(name),
        _ => None,
    };
    Ok(PagingHints {
        style,
        size_argument: text(directive, "sizeArgument"),
        cursor_argument: text(directive, "cursorArgument"),
        page_argument: text(directive, "pageArgument"),
        first_page: first_page(directive, sources)?,
        offset_argument: text(directive, "offsetArgument"),
        items: text(directive, "items"),
        has_next: text(directive, "hasNext"),
        end_cursor: text(directive, "endCursor"),
        total: text(directive, "total"),
        page_count: text(directive, "pageCount"),
        next: text(directive, "next"),
        parent: text(directive, "parent"),
        filter: text(directive, "filter"),
        key: text(directive, "key"),
        order: text(directive, "order"),
        filter_text: text(directive, "filterText"),
        lost_cursor: text(directive, "lostCursor"),
        moving: given(directive, "moving").and_then(Value::to_bool),
        doubt_empty: given(directive, "doubtEmpty").and_then(Value::to_bool),
        cap: count(directive, "cap", "`cap` must be at least 1", sources)?,
    })
}

fn first_page(directive: &Node<Directive>, sources: &SourceMap) -> Result<Option<u64>, PlanError> {
    let Some(value) = given(directive, "firstPage") else {
        return Ok(None);
    };
    let number = value.to_i32().and_then(|number| u64::try_from(number).ok());
    let refuse = || refusal("`firstPage` must be at least 0", directive.location(), sources);
    number.map(Some).ok_or_else(refuse)
}

/// A number of at least 1, or `message` as the error.
fn count(
    directive: &Node<Directive>,
    name: &str,
    message: &str,
    sources: &SourceMap,
) -> Result<Option<u32>, PlanError> {
    let Some(value) = given(directive, name) else {
        return Ok(None);
    };
    let refuse = || refusal(message, directive.location(), sources);
    positive(value).map(Some).ok_or_else(refuse)
}

fn given<'directive>(directive: &'directive Node<Directive>, name: &str) -> Option<&'directive Value> {
    argument(directive, name).filter(|value| !value.is_null())
}

/// Reads `@table`.
pub(crate) fn table(directives: &DirectiveList) -> TableDirective {
    let Some(directive) = directives.get("table") else {
        return TableDirective::default();
    };
    let key = match argument(directive, "key") {
        Some(Value::String(key)) => vec![key.clone()],
        Some(Value::List(keys)) => keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    TableDirective {
        name: text(directive, "name"),
        key,
        place: directive.location(),
    }
}

/// Reads `@column`.
pub(crate) fn column(directives: &DirectiveList, sources: &SourceMap) -> Result<ColumnDirective, PlanError> {
    let Some(directive) = directives.get("column") else {
        return Ok(ColumnDirective::default());
    };
    let ty = text(directive, "type")
        .map(|name| ScalarType::from_str(&name))
        .transpose();
    let ty = ty.map_err(|unknown| refusal(&unknown.to_string(), directive.location(), sources))?;
    Ok(ColumnDirective {
        name: text(directive, "name"),
        ty,
        null: text(directive, "null"),
    })
}

/// A whole number of at least 1.
pub(crate) fn positive(value: &Value) -> Option<u32> {
    value
        .to_i32()
        .and_then(|size| u32::try_from(size).ok())
        .filter(|size| *size > 0)
}

fn text(directive: &Node<Directive>, name: &str) -> Option<String> {
    argument(directive, name).and_then(Value::as_str).map(str::to_owned)
}

fn refusal(message: &str, place: Option<SourceSpan>, sources: &SourceMap) -> PlanError {
    let finding = Finding {
        message: message.to_owned(),
        place,
        label: "here".to_owned(),
        help: "the README lists what the directives take".to_owned(),
    };
    finding.into_error(sources)
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ast::Document;

    use super::*;

    fn read(directive: &str) -> Result<PaginateDirective, PlanError> {
        let document = Document::parse(format!("{{ rows {directive} {{ id }} }}"), "rows.graphql").unwrap();
        let operation = document.definitions[0].as_operation_definition().unwrap();
        let field = operation.selection_set[0].as_field().unwrap();
        paginate(&field.directives, &document.sources)
    }

    #[test]
    fn all_that_paginate_can_say_is_read() {
        let text = r#"@paginate(style: KEYSET, sizeArgument: "a.b", cursorArgument: "c", pageArgument: "d", offsetArgument: "e", items: "f.g", hasNext: "h", endCursor: "i", total: "j", pageCount: "", next: "l", parent: "r.s", filter: "m", key: "n", order: "o: p", filterText: "q > \"{}\"", lostCursor: "", firstPage: 0, moving: true, doubtEmpty: false, cap: 9)"#;
        assert_eq!(read(text).unwrap().hints.to_string(), text);
        let sizes = read("@paginate(size: 5, max: 70)").unwrap();
        assert_eq!(
            (sizes.size, sizes.max, sizes.hints),
            (Some(5), Some(70), PagingHints::default())
        );
        let nulls = read("@paginate(style: null, size: null, cap: null, items: null)").unwrap();
        assert_eq!((nulls.size, nulls.hints), (None, PagingHints::default()));
    }

    #[test]
    fn numbers_out_of_range_are_refused_where_they_stand() {
        for (directive, message) in [
            ("@paginate(size: 0)", "the page size must be at least 1"),
            ("@paginate(max: 0)", "`max` must be at least 1"),
            ("@paginate(cap: -1)", "`cap` must be at least 1"),
            ("@paginate(firstPage: -1)", "`firstPage` must be at least 0"),
        ] {
            let error = read(directive).unwrap_err().to_string();
            assert!(error.contains(message) && error.contains("rows.graphql:1:8"), "{error}");
        }
    }
}
