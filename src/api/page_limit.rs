//! Refusals that say that a page may not be so large: what to do about them is known.

use std::sync::LazyLock;

use regex::Regex;

/// `first must be at most 10`, `limit may not exceed 100`, `exceeds the first limit of 100 records`, `pageSize must be
/// between 1 and 50`.
const LIMIT: &str = r"(?ix)
    \b (?: maximum | max | at\ most | up\ to | no\ more\ than ) \s+ (?: allowed \s+ )?
    (?: (?P<before> \d{1,9} ) \s+ (?: items | rows | records | results | nodes | entries ) \b
      | (?: page \s* size | page \s* limit | limit | first | per\ page ) \s+ (?: is | of | = | : ) \s* (?P<named> \d{1,9} ) )
    |
    \b (?: first | last | limit | per_?page | page_?size | rows | records | items ) \b
    [^0-9]{0,40} \b (?P<after> \d{1,9} ) \s+ (?: max | maximum | allowed ) \b
    |
    \b (?: first | last | limit | take | count | size | per_?page | page_?size | max_?results | rows | records | items) \b
    .{0,60}?
    \b (?: at\ most | exceeds? | exceeded | exceeding | greater\ than | more\ than | larger\ than | up\ to | less\ than\ or\ equal | lower\ than\ or\ equal
        | maximum | max | between | limit\ of | limited\ to | below | under ) \b
    (?: \D{0,40} (?P<number> \d{1,9} ) (?: \s* (?: and | to | - ) \s* (?P<end> \d{1,9} ) )? )?";

/// The most rows of a page, where a refusal tells it.
pub(super) fn told_limit(message: &str) -> Option<u32> {
    let found = limits()?.captures(message)?;
    let number = ["before", "named", "after", "end", "number"]
        .into_iter()
        .find_map(|name| found.name(name))?;
    number.as_str().parse().ok().filter(|limit| *limit > 0)
}

/// What to do about a request that was refused in these words.
pub(super) fn remedy(message: &str) -> String {
    if !limits().is_some_and(|limits| limits.is_match(message)) {
        return "the request will not pass as it is, check the endpoint and the query".to_owned();
    }
    let number = told_limit(message).map_or_else(|| "…".to_owned(), |limit| limit.to_string());
    format!(
        "the pages seem to be too large: write @paginate(size: {number}) behind the field, or `page_size = {number}` in \
         [limits] of the source"
    )
}

fn limits() -> Option<&'static Regex> {
    static LIMITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LIMIT).ok());
    LIMITS.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_pages_are_read_in_many_words() {
        for (message, number) in [
            ("`first` must be at most 10", "10"),
            ("limit may not exceed 250", "250"),
            (
                "Requesting 200 records on the `issues` connection exceeds the `first` limit of 100 records.",
                "100",
            ),
            ("pageSize must be between 1 and 50", "50"),
            ("limit too high (30 max)", "30"),
            ("Requested 100 items, 30 allowed", "30"),
            ("The maximum page size is 25", "25"),
            ("You can request at most 25 items", "25"),
            ("Argument limit: expected value up to 25", "25"),
            ("perPage cannot be greater than 100 (got 500)", "100"),
            ("The maximum number of items per page is exceeded: rows exceeded", "…"),
        ] {
            let told = remedy(message);
            assert!(
                told.contains(&format!("@paginate(size: {number})")),
                "{message}: {told}"
            );
        }
    }

    #[test]
    fn other_refusals_are_left_alone() {
        for message in [
            "Cannot query field `limit`",
            "must be at most 10 characters",
            "Variable $first of type Int",
        ] {
            assert!(remedy(message).contains("check the endpoint"), "{message}");
        }
    }
}
