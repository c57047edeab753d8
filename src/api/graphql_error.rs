//! One entry of a response's `errors`, read from whatever shape an API gives it.

use crate::api::page_limit::told_limit;
use std::fmt;

use serde_json::Value;

/// One entry of `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlError {
    /// The API's own words; empty if it gives none.
    pub message: String,
    /// The field of the response that it concerns.
    pub path: Option<ErrorPath>,
    /// Places in the query text; empty if the API names none.
    pub locations: Vec<Location>,
    /// `extensions.code`, or where else the API puts its code.
    pub code: Option<String>,
    /// `type`, as GitHub has it, or `extensions.classification`, as graphql-java has it.
    pub kind: Option<String>,
    /// The status that the API means, 100 to 599, where it writes one into the body.
    pub status: Option<u16>,
    /// `extensions` as they came; null if there are none.
    pub extensions: Value,
}

/// A field of a response: response names and list positions from the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorPath(pub Vec<PathSegment>);

/// One step of an [`ErrorPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathSegment {
    /// A response name.
    Field(String),
    /// A position in a list, from 0.
    Index(u64),
}

impl ErrorPath {
    /// Whether it is that of an item of a list, whatever is asked of it.
    pub fn is_of_item(&self) -> bool {
        matches!(self.0.as_slice(), [.., PathSegment::Index(_)])
    }

    /// The field that it ends with.
    pub fn last_field(&self) -> Option<&str> {
        match self.0.last() {
            Some(PathSegment::Field(name)) => Some(name),
            _ => None,
        }
    }
}

/// A place in the query text, both numbers from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// What an error says that has no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The API's own words.
    pub message: String,
    /// Places in the text that it was sent.
    pub locations: Vec<Location>,
}

impl Unplaced {
    pub(super) fn of(error: &GraphqlError) -> Self {
        Self {
            message: error.message.clone(),
            locations: error.locations.clone(),
        }
    }
}

impl GraphqlError {
    /// The most rows of a page, where it says that more were asked for.
    pub(crate) fn page_limit(&self) -> Option<u32> {
        told_limit(&self.message)
    }

    /// Takes in one entry. Never fails: what has an unknown shape becomes the message.
    pub fn from_value(entry: Value) -> Self {
        let Value::Object(mut members) = entry else {
            return Self::from_message(plain_text(&entry));
        };
        let extensions = members.remove("extensions").unwrap_or_default();
        let text = |name| members.get(name).map(plain_text);
        Self {
            message: ["message", "error_message", "error", "error_description", "detail"]
                .into_iter()
                .find_map(text)
                .unwrap_or_default(),
            path: members.get("path").and_then(ErrorPath::from_value),
            locations: locations_of(members.get("locations")),
            code: code_of(&extensions)
                .or_else(|| text("code"))
                .or_else(|| text("error_code")),
            kind: text("type").or_else(|| extensions.get("classification").map(plain_text)),
            status: status_in(&extensions).or_else(|| members.get("status").and_then(as_status)),
            extensions,
        }
    }

    fn from_message(message: String) -> Self {
        Self {
            message,
            path: None,
            locations: Vec::new(),
            code: None,
            kind: None,
            status: None,
            extensions: Value::Null,
        }
    }
}

impl fmt::Display for GraphqlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.code.as_deref().or(self.kind.as_deref());
        match (self.message.as_str(), label) {
            ("", Some(label)) => formatter.write_str(label),
            ("", None) => formatter.write_str("an error without a message"),
            (message, Some(label)) => write!(formatter, "{message} [{label}]"),
            (message, None) => formatter.write_str(message),
        }?;
        match &self.path {
            Some(path) => write!(formatter, " at {path}"),
            None => Ok(()),
        }
    }
}

impl ErrorPath {
    fn from_value(path: &Value) -> Option<Self> {
        let segments = path.as_array()?.iter().map(PathSegment::from_value);
        segments.collect::<Option<Vec<_>>>().map(Self)
    }
}

impl PathSegment {
    fn from_value(segment: &Value) -> Option<Self> {
        match segment {
            Value::String(name) => Some(Self::Field(name.clone())),
            Value::Number(index) => index.as_u64().map(Self::Index),
            _ => None,
        }
    }
}

impl fmt::Display for ErrorPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(".")?;
            }
            match segment {
                PathSegment::Field(name) => formatter.write_str(name)?,
                PathSegment::Index(index) => write!(formatter, "{index}")?,
            }
        }
        Ok(())
    }
}

/// The HTTP status that an API writes into `extensions` instead of the status line: `status` (NetApp),
/// `http_code` (Akeneo), `http.status` (Apollo), `statusCode` (NestJS).
pub(super) fn status_in(extensions: &Value) -> Option<u16> {
    ["/status", "/http_code", "/http/status", "/statusCode", "/status_code"]
        .into_iter()
        .find_map(|pointer| extensions.pointer(pointer).and_then(as_status))
}

/// An HTTP status given as a number or as digits.
pub(super) fn as_status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(digits) => digits.parse().ok()?,
        _ => return None,
    };
    u16::try_from(number).ok().filter(|status| (100..600).contains(status))
}

fn code_of(extensions: &Value) -> Option<String> {
    ["/code", "/contentful/code", "/errorClass", "/error_code"]
        .into_iter()
        .find_map(|pointer| extensions.pointer(pointer))
        .map(plain_text)
}

fn locations_of(locations: Option<&Value>) -> Vec<Location> {
    let places = locations.and_then(Value::as_array).into_iter().flatten();
    places
        .filter_map(|place| {
            Some(Location {
                line: place.get("line")?.as_u64()?,
                column: place.get("column")?.as_u64()?,
            })
        })
        .collect()
}

/// A string as it is, anything else as its JSON; an object that has a `message` is represented by it.
fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => without_orders(text),
        Value::Null => String::new(),
        other => match other.get("message").and_then(Value::as_str) {
            Some(message) => without_orders(message),
            None => other.to_string(),
        },
    }
}

/// A text with spaces for what a terminal would take for an order.
fn without_orders(text: &str) -> String {
    text.replace(
        |character: char| character.is_control() && !character.is_whitespace(),
        " ",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_member_is_found_where_the_standard_puts_it() {
        let error = GraphqlError::from_value(json!({
            "message": "Access denied",
            "path": ["group", "findings", 3, "title"],
            "locations": [{"line": 2, "column": 5}],
            "extensions": {"code": "FORBIDDEN", "timestamp": "now"},
        }));
        assert_eq!(error.message, "Access denied");
        assert_eq!(error.path.as_ref().unwrap().to_string(), "group.findings.3.title");
        assert_eq!(error.locations, [Location { line: 2, column: 5 }]);
        assert_eq!(error.code.as_deref(), Some("FORBIDDEN"));
        assert_eq!(error.extensions["timestamp"], "now");
        assert_eq!(error.to_string(), "Access denied [FORBIDDEN] at group.findings.3.title");
    }

    #[test]
    fn codes_and_statuses_are_found_where_apis_put_them() {
        let code = |value| GraphqlError::from_value(value).code;
        assert_eq!(
            code(json!({"extensions": {"contentful": {"code": "TOO_COMPLEX_QUERY"}}})).unwrap(),
            "TOO_COMPLEX_QUERY"
        );
        assert_eq!(code(json!({"extensions": {"code": 42}})).unwrap(), "42");
        assert_eq!(code(json!({"code": "X"})).unwrap(), "X");
        let status = |value| GraphqlError::from_value(value).status;
        assert_eq!(status(json!({"status": 429})), Some(429));
        assert_eq!(status(json!({"extensions": {"status": 504}})), Some(504));
        assert_eq!(status(json!({"extensions": {"http_code": "403"}})), Some(403));
        assert_eq!(status(json!({"extensions": {"http": {"status": 400}}})), Some(400));
        assert_eq!(status(json!({"status": "open"})), None);
        assert_eq!(status(json!({"status": 7})), None);
        let kind = GraphqlError::from_value(json!({"type": "RATE_LIMITED"})).kind;
        assert_eq!(kind.as_deref(), Some("RATE_LIMITED"));
    }

    #[test]
    fn entries_of_any_other_shape_become_messages() {
        assert_eq!(
            GraphqlError::from_value(json!("no such field")).message,
            "no such field"
        );
        assert_eq!(GraphqlError::from_value(json!(["a"])).message, r#"["a"]"#);
        assert_eq!(
            GraphqlError::from_value(Value::Null).to_string(),
            "an error without a message"
        );
        assert_eq!(
            GraphqlError::from_value(json!({"message": {"message": "inner"}})).message,
            "inner"
        );
        assert_eq!(
            GraphqlError::from_value(json!({"message": "m", "path": "a.b"})).path,
            None
        );
        assert_eq!(
            GraphqlError::from_value(json!({"message": "m", "path": ["a", null]})).path,
            None
        );
    }
}
