//! `auth.token`, and what stands under `[variables]`, as they are written: where a secret is found, never the secret.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::project::complaint::with_remedy;
use crate::project::settings::TokenOrigin;

/// What to write.
pub(crate) const ORIGIN_EXPECTED: &str = "{ env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }";

/// Where the token is found; exactly one of `env`, `file` and `command`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenToken(pub(crate) TokenOrigin);

/// Where the value of a variable is found, in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenSecret(pub(crate) TokenOrigin);

impl<'de> Deserialize<'de> for WrittenToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = OriginVisitor {
            what: "a token",
            remedy: "take it out, have it replaced by whoever issued it, and write",
        };
        deserializer.deserialize_any(visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for WrittenSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = OriginVisitor {
            what: "a secret value",
            remedy: "give what is no secret by `--var`, or as a default in the query; else write",
        };
        deserializer.deserialize_any(visitor).map(Self)
    }
}

struct OriginVisitor {
    what: &'static str,
    /// What is done about a value that is written here itself.
    remedy: &'static str,
}

impl<'de> Visitor<'de> for OriginVisitor {
    type Value = TokenOrigin;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(ORIGIN_EXPECTED)
    }

    fn visit_str<E: Error>(self, _secret: &str) -> Result<TokenOrigin, E> {
        let message = format!("{} must not be written here", self.what);
        Err(E::custom(with_remedy(
            message,
            format!("{} {ORIGIN_EXPECTED}", self.remedy),
        )))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TokenOrigin, A::Error> {
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
            let message = format!("{} is found in exactly one place", self.what);
            with_remedy(message, format!("write {ORIGIN_EXPECTED}"))
        };
        match (origins.pop(), origins.is_empty()) {
            (Some(origin), true) if !is_blank(&origin) => Ok(origin),
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
