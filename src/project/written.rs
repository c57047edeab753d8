//! The values of a `source.toml` that are written as text: durations, sizes, addresses, patterns, header names.
//!
//! Each is turned into its rich type while the file is read, so that a wrong one is reported where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use regex::Regex;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use url::Url;

use crate::project::complaint::with_remedy;
use crate::project::settings::EndpointAddress;
use crate::schema::ScalarType;

/// The longest duration that is taken: a year. Longer ones are mistakes, and sums of them could leave a clock's range.
const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A type that is written as text.
pub(crate) trait Written: Sized {
    /// What to write, as in "write …".
    const EXPECTED: &'static str;

    /// Reads the text; the error says what is wrong and, on a second line, what to do.
    fn read(text: &str) -> Result<Self, String>;
}

/// A value of type `T`, deserialised from the text that it is written as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: Written> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::read(text).map(Text).map_err(E::custom)
    }
}

impl Written for Duration {
    const EXPECTED: &'static str = "a duration with its unit in quotes, such as \"10s\", \"1m\" or \"250ms\"";

    fn read(text: &str) -> Result<Self, String> {
        let duration = humantime::parse_duration(text).map_err(|error| {
            with_remedy(
                format!("this is no duration: {error}"),
                format!("write {}", Self::EXPECTED),
            )
        })?;
        if duration > MAX_DURATION {
            return Err(with_remedy("this is longer than a year", "write a shorter duration"));
        }
        Ok(duration)
    }
}

/// A duration that is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl Written for Period {
    const EXPECTED: &'static str = Duration::EXPECTED;

    fn read(text: &str) -> Result<Self, String> {
        let duration = Duration::read(text)?;
        match duration.is_zero() {
            true => Err(with_remedy(
                "this must be longer than zero",
                format!("write {}", Self::EXPECTED),
            )),
            false => Ok(Self(duration)),
        }
    }
}

impl Written for Regex {
    const EXPECTED: &'static str = "a regular expression in quotes";

    fn read(text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let remedy = "write it in single quotes, and `\\` before any of .+*?()|[]{}^$ that is meant as it stands";
            with_remedy(format!("this is no regular expression: {reason}"), remedy)
        })
    }
}

impl Written for ScalarType {
    const EXPECTED: &'static str = "the name of a column type in quotes, such as \"timestamp\"";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| {
            let error = format!("{error}");
            match error.split_once(": ") {
                Some((message, remedy)) => with_remedy(message, remedy),
                None => error,
            }
        })
    }
}

impl Written for EndpointAddress {
    const EXPECTED: &'static str = "an address in quotes, such as \"https://api.example.com/graphql\" or \"demo:\"";

    fn read(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("demo:") {
            return demo_address(name);
        }
        let wrong = |message: &str| with_remedy(message, format!("write {}", Self::EXPECTED));
        let url = Url::parse(text).map_err(|error| wrong(&format!("this is no address: {error}")))?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
            return Err(wrong("this is no https address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let remedy = "leave it out here, and say under [auth] where the token is found";
            return Err(with_remedy("an address must not hold a user name or password", remedy));
        }
        Ok(Self::Url(url))
    }
}

fn demo_address(name: &str) -> Result<EndpointAddress, String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    match name {
        "" => Ok(EndpointAddress::Demo("tracker".to_owned())),
        name if name.chars().all(is_plain) => Ok(EndpointAddress::Demo(name.to_owned())),
        _ => Err(with_remedy(
            "this is no name of a stand-in API",
            "write \"demo:\" or \"demo:tracker\"",
        )),
    }
}

/// `schema`, before a path is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenSchema {
    Introspect,
    /// As written: relative to the source's folder, or absolute.
    File(String),
}

impl Written for WrittenSchema {
    const EXPECTED: &'static str = "\"introspect\", or the path of a .graphql file in quotes";

    fn read(text: &str) -> Result<Self, String> {
        let is_path = [".graphql", ".graphqls", ".gql", ".sdl"]
            .iter()
            .any(|ending| text.ends_with(ending));
        match text {
            "introspect" => Ok(Self::Introspect),
            "none" => Err(with_remedy(
                "`schema = \"none\"` is not supported yet: columns and pages come from the schema",
                format!("write {}", Self::EXPECTED),
            )),
            path if is_path => Ok(Self::File(path.to_owned())),
            _ => Err(with_remedy("this names no schema", format!("write {}", Self::EXPECTED))),
        }
    }
}

/// A header's name, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeaderName(pub(crate) String);

impl Written for HeaderName {
    const EXPECTED: &'static str = "the name of a header";

    fn read(text: &str) -> Result<Self, String> {
        let is_token = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        if text.is_empty() || !text.chars().all(is_token) {
            let remedy = "write letters, digits and hyphens, without a colon";
            return Err(with_remedy("this is no name of a header", remedy));
        }
        Ok(Self(text.to_lowercase()))
    }
}

/// Words by which a header is known to carry a secret.
const SECRET_HEADERS: [&str; 7] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "api-key",
    "apikey",
];

/// Headers that follow from the request itself.
const OWN_HEADERS: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

/// The name of a header that may stand in a file: it carries no secret, and nothing that follows from the request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlainHeaderName(pub(crate) String);

impl Written for PlainHeaderName {
    const EXPECTED: &'static str = HeaderName::EXPECTED;

    fn read(text: &str) -> Result<Self, String> {
        let HeaderName(name) = HeaderName::read(text)?;
        if SECRET_HEADERS.iter().any(|word| name.contains(word)) {
            let remedy = "write it under [auth], as `header` and `token = { env = \"NAME\" }`";
            return Err(with_remedy(
                format!("the header `{name}` carries a secret, which must not stand here"),
                remedy,
            ));
        }
        if OWN_HEADERS.contains(&name.as_str()) {
            return Err(with_remedy(
                format!("the header `{name}` follows from the request"),
                "leave it out",
            ));
        }
        Ok(Self(name))
    }
}

/// Text that can stand in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderText(pub(crate) String);

impl Written for HeaderText {
    const EXPECTED: &'static str = "text in quotes";

    fn read(text: &str) -> Result<Self, String> {
        match text.chars().all(fits_header) {
            true => Ok(Self(text.to_owned())),
            false => Err(with_remedy(
                "this text does not fit into a header",
                "write printable ASCII characters only",
            )),
        }
    }
}

/// Whether a character can stand in a header's value: printable ASCII, the space included.
pub(crate) fn fits_header(character: char) -> bool {
    character == ' ' || character.is_ascii_graphic()
}

/// A size in bytes: a number, or text with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) u64);

impl ByteSize {
    const EXPECTED: &'static str = "a size such as \"64MiB\", \"500KB\" or a number of bytes from 1";
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ByteSizeVisitor)
    }
}

struct ByteSizeVisitor;

impl Visitor<'_> for ByteSizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(ByteSize::EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ByteSize, E> {
        let bytes = u64::try_from(number).ok().filter(|bytes| *bytes > 0);
        bytes.map(ByteSize).ok_or_else(no_size)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
        let bytes = bytes_in(text).filter(|bytes| *bytes > 0);
        bytes.map(ByteSize).ok_or_else(no_size)
    }
}

fn no_size<E: Error>() -> E {
    E::custom(with_remedy("this is no size", format!("write {}", ByteSize::EXPECTED)))
}

/// `64MiB`, `500 KB`, `4096`: a whole number and a unit, of 1000 (`KB`) or 1024 (`KiB`).
fn bytes_in(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits_end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Headers by name; a later mention of the same name in another case replaces the earlier one.
pub(crate) type WrittenHeaders = BTreeMap<Text<PlainHeaderName>, Text<HeaderText>>;
