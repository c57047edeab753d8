//! The number of a field's first page, as far as the schema tells it: by the default of the argument for the page, or in
//! the words of a description.

use std::sync::LazyLock;

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use regex::Regex;

use crate::schema::paging::arguments::default_number;
use crate::schema::paging::path::ArgumentPath;

/// Where pages begin when the schema leaves it open, and a number in the value shows whether that is right.
pub(super) const ASSUMED: u64 = 1;

/// The numbers that pages begin with anywhere. Other defaults are somebody's favourite page.
const NUMBERS: std::ops::RangeInclusive<u64> = 0..=1;

/// What descriptions say: `0-based`, `counting from 1`, `the first page is 0`.
const BEGINNING: &str = r"(?ix)
    \b(?P<based> 0 | 1 | zero | one) [\s-]* (?:based | indexed)
    | \b(?:start | begin | count | number)\w* (?:\s \w+)? \s (?:at | from | with | by) \s (?:page \s)? (?P<from> 0 | 1 | zero | one) \b
    | \bfirst \s page \s? (?:is | has \s the \s number | =) \s? (?:page \s)? (?P<first> 0 | 1 | zero | one) \b";

/// What the description of the argument itself says in place of a default that the schema knows.
const DEFAULT: &str = r"(?i)\bdefault(?:s to|ing to| is| value is| value|:| =)?:? `?(?P<default>0|1)\b";

/// The number of the first page.
pub(super) fn told_first_page(schema: &Schema, field: &FieldDefinition, page: &ArgumentPath) -> Option<u64> {
    let by_default = default_number(schema, field, page).and_then(|number| u64::try_from(number).ok());
    by_default
        .filter(|number| NUMBERS.contains(number))
        .or_else(|| described(schema, field, page))
}

fn described(schema: &Schema, field: &FieldDefinition, page: &ArgumentPath) -> Option<u64> {
    let argument = page.definition(field, schema)?.description.as_deref();
    let of_argument = argument.and_then(|text| first_number(text, true));
    // The field's own words can be about other numbers than those of its pages.
    let is_about_pages = |text: &&str| text.to_lowercase().contains("page");
    of_argument.or_else(|| first_number(field.description.as_deref().filter(is_about_pages)?, false))
}

fn first_number(text: &str, is_of_argument: bool) -> Option<u64> {
    static BEGINNINGS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BEGINNING).ok());
    static DEFAULTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(DEFAULT).ok());
    let begins = captured(&BEGINNINGS, text, &["based", "from", "first"]);
    begins.or_else(|| captured(&DEFAULTS, text, &["default"]).filter(|_| is_of_argument))
}

fn captured(pattern: &Option<Regex>, text: &str, groups: &[&str]) -> Option<u64> {
    let found = pattern.as_ref()?.captures(text)?;
    let number = groups.iter().find_map(|group| found.name(group))?;
    Some(match number.as_str().to_ascii_lowercase().as_str() {
        "0" | "zero" => 0,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::paging::object_field;

    fn told(argument: &str, field: &str) -> Option<u64> {
        let schema = format!(
            "type Query {{ \"{field}\" rows(\"{argument}\" page: Int, input: P = {{ page: 0 }}, other: P): [Row] }}
            input P {{ page: Int }} type Row {{ id: ID }}"
        );
        let schema = Schema::parse(schema, "api.graphql").unwrap();
        let rows = object_field(&schema, "Query", "rows").unwrap();
        let page = ArgumentPath(vec![rows.arguments[0].name.clone()]);
        told_first_page(&schema, rows, &page)
    }

    #[test]
    fn descriptions_tell_it_in_many_words() {
        for zero in [
            "The page number (0-based)",
            "zero-indexed",
            "Pages start at 0.",
            "starting from zero",
            "the first page is 0",
            "Which page; defaults to 0",
            "Default: 0",
        ] {
            assert_eq!(told(zero, ""), Some(0), "{zero}");
        }
        for one in [
            "1-based",
            "One indexed",
            "counted from 1",
            "numbering starts with page 1",
            "Page number. Default value is 1.",
        ] {
            assert_eq!(told(one, ""), Some(1), "{one}");
        }
    }

    #[test]
    fn other_numbers_tell_nothing() {
        for silent in [
            "The page",
            "defaults to 10",
            "starts at 100",
            "Page number, 10 rows each",
            "must be above 0",
        ] {
            assert_eq!(told(silent, ""), None, "{silent}");
        }
        assert_eq!(told("", "Rows, in pages counted from 0"), Some(0));
        assert_eq!(told("", "Rows whose index starts at 0"), None);
        assert_eq!(told("", "A page of rows. Size: default 1"), None);
    }
}
