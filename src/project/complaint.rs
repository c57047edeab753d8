//! What the TOML parser and serde have to say, put into words for people.
//!
//! Their own words may quote a value, and a value may be a token; here the kind of a value is named, never its text.

use std::fmt::Display;

/// Likeness from which on a name is taken for a misspelling of another: 1 is equal, 0 has nothing in common.
/// The value is the one at which `clap` makes its own suggestions.
const LIKENESS: f64 = 0.7;

/// What is wrong, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Whether the place is a key that does not belong there, so that its value is of no interest.
    pub(crate) is_about_a_key: bool,
}

impl Complaint {
    /// Reads a message of the `toml` crate. A message of this module's own makers, with the remedy on its second line
    /// (see [`with_remedy`]), is taken as it is.
    pub(crate) fn read(message: &str) -> Self {
        unknown_name(message)
            .or_else(|| unlisted_name(message))
            .or_else(|| wrong_value(message))
            .or_else(|| missing_key(message))
            .unwrap_or_else(|| plain(message))
    }
}

/// A message with its remedy, in the one string that a serde error can carry.
pub(crate) fn with_remedy(message: impl Display, remedy: impl Display) -> String {
    format!("{message}\n{remedy}")
}

/// The name of the list that a misspelt one was probably meant to be.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro(&name.to_lowercase(), &candidate.to_lowercase());
    known
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// What may have been meant by an unknown name, and all that could be.
pub(crate) fn suggestion(name: &str, kind: &str, known: &[&str]) -> String {
    let list = quoted_list(known);
    match closest(name, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`? {kind}: {list}"),
        None => format!("{kind}: {list}"),
    }
}

fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// ``unknown field `a`, expected one of `b`, `c` `` and its sibling for the values of an enum.
fn unknown_name(message: &str) -> Option<Complaint> {
    let is_about_a_key = message.starts_with("unknown field ");
    let rest = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?;
    let (name, expected) = rest.strip_prefix('`')?.split_once("`, ")?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let (message, kind) = match is_about_a_key {
        true => (format!("unknown key `{name}`"), "the keys here are"),
        false => (format!("unknown value `{name}`"), "the values here are"),
    };
    Some(Complaint {
        message,
        help: Some(suggestion(name, kind, &known)),
        is_about_a_key,
    })
}

/// ``unknown field `a` ``, where serde cannot say which there are.
fn unlisted_name(message: &str) -> Option<Complaint> {
    let name = message.strip_prefix("unknown field `")?.strip_suffix('`')?;
    Some(Complaint {
        message: format!("unknown key `{name}`"),
        help: Some("the example of a `source.toml` lists the keys".to_owned()),
        is_about_a_key: true,
    })
}

/// `invalid type: string "x", expected y` and its sibling for values out of range.
fn wrong_value(message: &str) -> Option<Complaint> {
    let rest = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let kind = match found.split([' ', '`', '"']).next().unwrap_or_default() {
        "string" => "text",
        "integer" => "a whole number",
        "floating" => "a number with a fraction",
        "boolean" => "`true` or `false`",
        "sequence" => "a list",
        "map" => "a table",
        _ => "a value of another kind",
    };
    let expected = match expected {
        "a nonzero u32" => "a whole number from 1 to 4294967295",
        "u16" => "a whole number from 0 to 65535",
        "a string" => "text in quotes",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        other => other,
    };
    let message = match kind == expected || expected.starts_with(kind) {
        true => "this value is out of range".to_owned(),
        false => format!("{kind} cannot stand here"),
    };
    Some(Complaint {
        message,
        help: Some(format!("write {expected}")),
        is_about_a_key: false,
    })
}

/// ``missing field `a` ``
fn missing_key(message: &str) -> Option<Complaint> {
    let name = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(Complaint {
        message: format!("the key `{name}` is missing here"),
        help: Some(format!("add `{name} = …`")),
        is_about_a_key: false,
    })
}

fn plain(message: &str) -> Complaint {
    let (message, help) = match message.split_once('\n') {
        Some((message, help)) => (message, Some(help.to_owned())),
        None => (message, None),
    };
    Complaint {
        message: message.to_owned(),
        help,
        is_about_a_key: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_is_left_out_of_the_message() {
        let complaint = Complaint::read("invalid type: string \"s3cret, expected x\", expected a boolean");
        assert_eq!(complaint.message, "text cannot stand here");
        assert_eq!(complaint.help.as_deref(), Some("write `true` or `false`"));
    }

    #[test]
    fn only_a_likely_misspelling_is_suggested() {
        let known = ["header", "scheme", "token"];
        assert_eq!(closest("tokne", known), Some("token"));
        assert_eq!(closest("Header", known), Some("header"));
        assert_eq!(closest("colour", known), None);
    }

    #[test]
    fn a_message_of_another_kind_is_taken_as_it_is() {
        let complaint = Complaint::read(&with_remedy("this is wrong", "make it right"));
        assert_eq!(
            (complaint.message.as_str(), complaint.help.as_deref()),
            ("this is wrong", Some("make it right"))
        );
        assert_eq!(Complaint::read("duplicate key").help, None);
    }
}
