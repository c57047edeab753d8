//! An endpoint as it is written: an address, or one with places that `[parameters]` fill.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::project::complaint::suggestion;
use crate::project::settings::EndpointAddress;
use crate::project::written::Written;

/// A place in an address: `{account}`.
const PLACE: &str = r"\{([A-Za-z_][A-Za-z0-9_]*)\}";

/// An endpoint as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenEndpoint {
    /// As it is.
    Address(EndpointAddress),
    /// With places: `https://{account}.example.com/graphql`.
    WithPlaces(String),
}

/// Why places cannot be filled.
#[derive(Debug)]
pub(crate) struct UnfilledEndpoint {
    /// The parameter that is wrong, where it is one that was given.
    pub(crate) parameter: Option<String>,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Written for WrittenEndpoint {
    const EXPECTED: &'static str = EndpointAddress::EXPECTED;

    fn read(text: &str) -> Result<Self, String> {
        if places(text).is_empty() {
            return EndpointAddress::read(text).map(Self::Address);
        }
        // What surrounds the places has to be an address, whatever fills them.
        let tried = places(text)
            .iter()
            .fold(text.to_owned(), |text, name| fill(&text, name, "x"));
        EndpointAddress::read(&tried).map(|_| Self::WithPlaces(text.to_owned()))
    }
}

impl WrittenEndpoint {
    /// The address with all its places filled.
    pub(crate) fn filled(&self, parameters: &BTreeMap<String, String>) -> Result<EndpointAddress, UnfilledEndpoint> {
        let text = match self {
            Self::Address(address) => return Ok(address.clone()),
            Self::WithPlaces(text) => text,
        };
        let names = places(text);
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(strange) = parameters.keys().find(|name| !names.contains(name)) {
            return Err(UnfilledEndpoint {
                parameter: Some(strange.clone()),
                message: format!("the endpoint `{text}` has no place for `{strange}`"),
                remedy: suggestion(strange, "its places are", &known),
            });
        }
        let mut address = text.clone();
        for name in &names {
            let value = parameters.get(name).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| UnfilledEndpoint {
                parameter: parameters.contains_key(name).then(|| name.clone()),
                message: format!("the endpoint `{text}` lacks a value for `{name}`"),
                remedy: format!("write `{name} = \"…\"` under [parameters], or give it by --set parameters.{name}=…"),
            })?;
            address = fill(&address, name, &percent_encoded(value));
        }
        EndpointAddress::read(&address).map_err(|error| UnfilledEndpoint {
            parameter: names.first().cloned(),
            message: format!(
                "with its parameters filled in, the endpoint is no address: {}",
                error.lines().next().unwrap_or_default()
            ),
            remedy: "write names without anything around them".to_owned(),
        })
    }
}

/// The names of the places, each once.
fn places(text: &str) -> Vec<String> {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PLACE).ok());
    let mut names = Vec::new();
    for captures in PATTERN.iter().flat_map(|pattern| pattern.captures_iter(text)) {
        let name = captures.get(1).map_or("", |name| name.as_str()).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn fill(text: &str, name: &str, value: &str) -> String {
    text.replace(&format!("{{{name}}}"), value)
}

/// The value so that it stays one part of an address, whatever it holds.
pub(crate) fn percent_encoded(value: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'-' | b'_' | b'~' | b'.' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACES: &str = "https://{account}.example.com/api/space/{space}";

    fn filled(given: &[(&str, &str)]) -> Result<String, String> {
        let parameters = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let endpoint = WrittenEndpoint::read(SPACES).unwrap();
        match endpoint.filled(&parameters.collect()) {
            Ok(EndpointAddress::Url(url)) => Ok(url.to_string()),
            Ok(EndpointAddress::Demo(name)) => Ok(name),
            Err(error) => Err(format!("{}; {}", error.message, error.remedy)),
        }
    }

    #[test]
    fn places_are_filled_and_stay_parts_of_the_address() {
        let found = filled(&[("account", "acme"), ("space", "Product Management")]);
        assert_eq!(
            found.as_deref(),
            Ok("https://acme.example.com/api/space/Product%20Management")
        );
        let found = filled(&[("account", "acme"), ("space", "a/../b?c#d")]);
        assert_eq!(
            found.as_deref(),
            Ok("https://acme.example.com/api/space/a%2F..%2Fb%3Fc%23d")
        );
        let elsewhere = filled(&[("account", "evil.org/"), ("space", "a")]);
        assert!(
            elsewhere.as_ref().unwrap_err().contains("is no address"),
            "{elsewhere:?}"
        );
    }

    #[test]
    fn what_is_lacking_or_strange_is_named() {
        let lacking = filled(&[("account", "acme")]).unwrap_err();
        assert!(
            lacking.contains("lacks a value for `space`") && lacking.contains("--set parameters.space=…"),
            "{lacking}"
        );
        let strange = filled(&[("acount", "acme"), ("space", "a")]).unwrap_err();
        assert!(
            strange.contains("no place for `acount`") && strange.contains("did you mean `account`?"),
            "{strange}"
        );
        assert!(filled(&[("account", ""), ("space", "a")]).is_err());
        assert!(WrittenEndpoint::read("{scheme}://x").is_err());
    }
}
