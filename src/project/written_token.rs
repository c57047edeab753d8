//! `auth.token` as it is written: where the token is found, never the token.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::project::complaint::with_remedy;
use crate::project::settings::TokenOrigin;

/// Where the token is found; exactly one of `env`, `file` and `command`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenToken(pub(crate) TokenOrigin);

impl WrittenToken {
    /// What to write.
    pub(crate) const EXPECTED: &'static str =
        "{ env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }";
}

impl<'de> Deserialize<'de> for WrittenToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = WrittenToken;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(WrittenToken::EXPECTED)
    }

    fn visit_str<E: Error>(self, _secret: &str) -> Result<WrittenToken, E> {
        let remedy = format!(
            "take it out, have it replaced by whoever issued it, and write {}",
            WrittenToken::EXPECTED
        );
        Err(E::custom(with_remedy("a token must not be written here", remedy)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WrittenToken, A::Error> {
        let mut origins = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            origins.push(match key.as_str() {
                "env" => TokenOrigin::Env(map.next_value()?),
                "file" => TokenOrigin::File(map.next_value()?),
                "command" => TokenOrigin::Command(map.next_value()?),
                other => return Err(A::Error::unknown_field(other, &["env", "file", "command"])),
            });
        }
        let one_of = || {
            with_remedy(
                "a token is found in exactly one place",
                format!("write {}", WrittenToken::EXPECTED),
            )
        };
        match (origins.pop(), origins.is_empty()) {
            (Some(origin), true) if !is_blank(&origin) => Ok(WrittenToken(origin)),
            _ => Err(A::Error::custom(one_of())),
        }
    }
}

/// Whether this names nothing that could be read; a token pasted in place of a variable's name rarely is a name.
fn is_blank(origin: &TokenOrigin) -> bool {
    match origin {
        TokenOrigin::Env(name) => !is_variable_name(name),
        TokenOrigin::File(path) => path.as_os_str().is_empty(),
        TokenOrigin::Command(words) => words.first().is_none_or(String::is_empty),
    }
}

fn is_variable_name(name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !name.is_empty() && name.chars().all(is_part) && !name.starts_with(|first: char| first.is_ascii_digit())
}
