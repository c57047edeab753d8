//! Refusals that say that a page may not be so large: what to do about them is known.

use std::sync::LazyLock;

use regex::{Captures, Regex};

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

/// What the size of a page is called.
const SIZE: &str =
    r"\b(?:first|last|limit|take|count|size|per_?page|page_?size|max_?results|rows|records|items|entries|results)\b";

/// What one page is got with.
const CALL: &str =
    r"(?:per|in\ one|in\ a\ single|in\ each|with\ each|an?)\s+(?:page|call|request|query|response|answer|time)\b";

/// Other ways to say it: `SIZE` and `CALL` stand for the above, `CAP` for the most rows, `ASKED` for what was asked for,
/// which is more than that.
const SENSES: [&str; 8] = [
    // `lower first to 37`
    r"\b(?:lower|reduce|decrease|shrink|cut)\b .{0,30}? SIZE .{0,20}? \bto\s+ CAP",
    // `limit has to be 37 or less`
    r"SIZE .{0,60}? CAP \s+ (?:or|and) \s+ (?:fewer|less|lower|below|smaller)\b",
    // `At most 37 please`
    r"\b(?:at\ most|not?\ more\ than|up\ to|max\.?|maximum(?:\ is|\ of)?) \s*:?\s* CAP \s* (?: $ | [.,;!)] | please\b | allowed\b | CALL )",
    // `asked for 90 entries but we hand out 37 per call`
    r"\b(?:ask(?:ed|ing)|request(?:ed|ing)|wanted|got|received)\b \D{0,30} ASKED \b\D{1,60} CAP \s+ (?:\w+\s+)? CALL",
    // `only 37 rows in one request`
    r"\b(?:only|most|maximum|max|limit|than|gives?|returns?|serves?|hands?\ out)\b \D{0,20} CAP \s+ (?:(?:items|rows|records|results|entries|elements|objects)\s+)? CALL",
    // `first value 90 is out of range (1..37)`
    r"SIZE .{0,60}? \brange\b \D{0,20} \d{1,9} \s* (?:\.{2,3}|\x{2026}|-|\x{2013}|to|and|,|;) \s* CAP",
    // `first: 90 > 37`, `limit 90 is above 37`
    r"SIZE \D{0,20} ASKED \s* (?: >=? | \x{2265} | exceeds\b | is\ (?:over|above|more|greater|larger|higher|too)\b ) \D{0,30} CAP",
    // `37 < 90`
    r"SIZE \D{0,20} CAP \s* <=? \s* ASKED",
];

/// Words of limits that are not of how many rows a page has.
const OTHERS: &str = r"(?ix) \b (?: complexity | costs? | depth | deep | levels? | time-?outs? | timed | seconds? | minutes? | hours? | days? | ms
    | characters? | chars | length | bytes? | kb | mb | alias(?:es)? | points? | ids? | nodes? | tokens? | rate | quota | budget | fields
    | requests | queries | calls | operations | mutations | connections | concurren\w* | parallel | attempts | retries ) \b";

/// The most rows of a page, where a refusal tells it.
pub(super) fn told_limit(message: &str) -> Option<u32> {
    let limit = match limits()?.captures(message) {
        Some(found) => ["before", "named", "after", "end", "number"]
            .into_iter()
            .find_map(|name| number(&found, name))?,
        None => sensed_limit(message)?,
    };
    Some(limit).filter(|limit| *limit > 0)
}

/// The same in other words, unless they are of other limits.
fn sensed_limit(message: &str) -> Option<u32> {
    static OTHER_LIMITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(OTHERS).ok());
    if OTHER_LIMITS.as_ref()?.is_match(message) {
        return None;
    }
    senses().find_map(|sense| {
        let found = sense.captures(message)?;
        let cap = number(&found, "cap")?;
        number(&found, "asked").is_none_or(|asked| asked > cap).then_some(cap)
    })
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

/// What to do about a request that was refused in these words.
pub(super) fn remedy(message: &str) -> String {
    let told = told_limit(message);
    if told.is_none() && !limits().is_some_and(|limits| limits.is_match(message)) {
        return "the request will not pass as it is, check the endpoint and the query".to_owned();
    }
    let number = told.map_or_else(|| "…".to_owned(), |limit| limit.to_string());
    format!(
        "the pages seem to be too large: write @paginate(size: {number}) behind the field, or `page_size = {number}` in \
         [limits] of the source"
    )
}

fn limits() -> Option<&'static Regex> {
    static LIMITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LIMIT).ok());
    LIMITS.as_ref()
}

fn senses() -> impl Iterator<Item = &'static Regex> {
    static READ: LazyLock<Vec<Regex>> = LazyLock::new(|| SENSES.iter().filter_map(|sense| read(sense)).collect());
    READ.iter()
}

fn read(sense: &str) -> Option<Regex> {
    let sense = sense
        .replace("SIZE", SIZE)
        .replace("CALL", CALL)
        .replace("CAP", r"\b(?P<cap>\d{1,9})\b")
        .replace("ASKED", r"\b(?P<asked>\d{1,9})\b");
    Regex::new(&format!("(?ix) {sense}")).ok()
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
            ("please lower first to 37 or fewer", "37"),
            ("At most 37 please", "37"),
            ("You asked for 90 entries but we hand out 37 per call", "37"),
            ("`first` value 90 is out of range (1..37)", "37"),
            ("Argument first: 90 > 37", "37"),
            ("limit: 37 < 90", "37"),
            ("Keep `limit` at 37 or less", "37"),
            ("We return no more than 37 entries in one response", "37"),
            ("perPage 90 is too high, 37 is the highest", "37"),
            ("Requested 90, the server gives 37 per request", "37"),
            ("take is not within the range 1 to 37", "37"),
            ("Only 37 results per page, sorry", "37"),
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
            "Query took 90 > 37 seconds",
            "You asked for 90 ids but we take 37 per call",
            "Query has 90 nodes, at most 37.",
            "Complexity limit: 90 > 37",
            "depth of items: 9 > 7",
            "At most 37 requests per minute",
            "At most 3 root fields per query",
            "up to 5 aliases per request",
            "No record 37, please",
            "count: 37 > 90",
            "The year 90 is out of range (1900..2100)",
        ] {
            assert!(remedy(message).contains("check the endpoint"), "{message}");
        }
    }
}
