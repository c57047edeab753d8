//! The outer object of a response, read in one pass: `data` by the caller's seed, everything else for the verdict.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::api::graphql_error::{GraphqlError, as_status};

/// A response's outer object.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope<D> {
    /// What the seed made of `data`; `None` if that is null or missing.
    pub data: Option<D>,
    /// Whether there is a `data` member, null or not.
    pub has_data_member: bool,
    /// The entries of `errors`. For a body that is JSON but no GraphQL response, and says something (`message`,
    /// `error`, …), that is the one entry.
    pub errors: Vec<GraphqlError>,
    /// What a body with `data` and without `errors` says in such members: nothing in an answer, what went wrong in what is
    /// none.
    pub aside: Option<GraphqlError>,
    /// `extensions` as they came; null if there are none.
    pub extensions: Value,
}

/// Why a body has no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is not JSON, or breaks off, or nests deeper than 128 levels.
    #[error("the body is not valid JSON ({0})")]
    Malformed(String),
    /// It is JSON, but not an object.
    #[error("the body is JSON, but not an object")]
    NotAnObject,
    /// It is an envelope, but `data` has not the shape that the seed reads.
    #[error("`data` has an unexpected shape ({0})")]
    Refused(String),
}

/// Reads a body. The members may come in any order; unknown ones are skipped.
pub fn read_envelope<'de, S>(body: &'de str, read_data: S) -> Result<Envelope<S::Value>, EnvelopeError>
where
    S: DeserializeSeed<'de>,
{
    let mut inside_data = false;
    let mut json = serde_json::Deserializer::from_str(body);
    let visitor = EnvelopeVisitor {
        read_data: Some(read_data),
        inside_data: &mut inside_data,
    };
    let envelope = json
        .deserialize_any(visitor)
        .and_then(|envelope| json.end().map(|()| envelope));
    envelope.map_err(|error| match error.classify() {
        Category::Data if inside_data => EnvelopeError::Refused(without_value(&error.to_string())),
        Category::Data => EnvelopeError::NotAnObject,
        Category::Syntax | Category::Eof | Category::Io => EnvelopeError::Malformed(error.to_string()),
    })
}

/// A complaint of the JSON reader without the value that it is about, which may be a person's name:
/// ``invalid type: string "Ada", expected u8`` becomes `invalid type: string, expected u8`.
fn without_value(complaint: &str) -> String {
    let is_of_value = complaint.starts_with("invalid type: ") || complaint.starts_with("invalid value: ");
    let (Some(value), Some(expected)) = (complaint.find(['"', '`']), complaint.rfind(", expected ")) else {
        return complaint.to_owned();
    };
    if !is_of_value || value > expected {
        return complaint.to_owned();
    }
    format!("{}{}", complaint[..value].trim_end(), &complaint[expected..])
}

struct EnvelopeVisitor<'v, S> {
    /// Taken by the first `data`. With a second one the body could be read in two ways.
    read_data: Option<S>,
    inside_data: &'v mut bool,
}

impl<'de, S> Visitor<'de> for EnvelopeVisitor<'_, S>
where
    S: DeserializeSeed<'de>,
{
    type Value = Envelope<S::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope {
            data: None,
            has_data_member: false,
            errors: Vec::new(),
            aside: None,
            extensions: Value::Null,
        };
        let mut said = Map::new();
        while let Some(member) = members.next_key_seed(MemberName)? {
            match member {
                Member::Data => {
                    envelope.has_data_member = true;
                    *self.inside_data = true;
                    let Some(read_data) = self.read_data.take() else {
                        return Err(A::Error::custom("the member `data` occurs twice"));
                    };
                    envelope.data = members.next_value_seed(Nullable(read_data))?;
                    *self.inside_data = false;
                }
                Member::Errors => {
                    let errors = entries(read_member(&mut members, "errors", self.inside_data)?);
                    if errors.len() > MOST_ERRORS {
                        *self.inside_data = true;
                        return Err(A::Error::custom(format_args!("more than {MOST_ERRORS} errors")));
                    }
                    envelope.errors = errors.into_iter().map(GraphqlError::from_value).collect();
                }
                Member::Extensions => {
                    envelope.extensions = read_member(&mut members, "extensions", self.inside_data)?;
                }
                Member::Saying(name) => {
                    said.insert(name.to_owned(), read_member(&mut members, name, self.inside_data)?);
                }
                Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        envelope.hear(said);
        Ok(envelope)
    }
}

impl<D> Envelope<D> {
    /// Takes in what was said outside the standard's members.
    fn hear(&mut self, mut said: Map<String, Value>) {
        let status = said.get("status").and_then(as_status);
        for error in &mut self.errors {
            error.status = error.status.or(status);
        }
        // By itself it says nothing of what is wrong.
        let name = said.remove("name");
        if !self.errors.is_empty() || said.is_empty() {
            return;
        }
        let mut error = GraphqlError::from_value(Value::Object(said));
        if let Some(Value::String(name)) = name {
            error.message = match error.message.as_str() {
                "" => name,
                message => format!("{name}: {message}"),
            };
        }
        match self.data {
            None => self.errors.push(error),
            Some(_) => self.aside = Some(error),
        }
    }
}

/// `errors` is a list, by the standard; some gateways send one entry alone, or null.
fn entries(errors: Value) -> Vec<Value> {
    match errors {
        Value::Null => Vec::new(),
        Value::Array(entries) => entries,
        entry => vec![entry],
    }
}

/// Reads a member beside `data`, which takes far more memory than its text does.
fn read_member<'de, A: MapAccess<'de>>(members: &mut A, name: &str, is_refused: &mut bool) -> Result<Value, A::Error> {
    let raw: &'de RawValue = members.next_value()?;
    *is_refused = true;
    if raw.get().len() > LONGEST_MEMBER {
        let limit = LONGEST_MEMBER >> 20;
        return Err(A::Error::custom(format_args!("`{name}` has more than {limit} MiB")));
    }
    let value = serde_json::from_str(raw.get()).map_err(A::Error::custom)?;
    *is_refused = false;
    Ok(value)
}

/// The longest text of a member beside `data` that is read, in bytes: the errors of a page of which every value is denied
/// are a few.
const LONGEST_MEMBER: usize = 16 << 20;

/// Errors of one response that are read: more than a page has values.
const MOST_ERRORS: usize = 200_000;

enum Member {
    Data,
    Errors,
    Extensions,
    /// A member by which APIs and their gateways say what is wrong, outside the standard.
    Saying(&'static str),
    Other,
}

const SAYING: [&str; 9] = [
    "message",
    "name",
    "error",
    "error_message",
    "error_description",
    "error_code",
    "code",
    "status",
    "type",
];

struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Member, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberName {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Member, E> {
        Ok(match name {
            "data" => Member::Data,
            "errors" => Member::Errors,
            "extensions" => Member::Extensions,
            _ => SAYING
                .iter()
                .find(|saying| **saying == name)
                .map_or(Member::Other, |name| Member::Saying(name)),
        })
    }
}

/// Reads null as `None`, and anything else by the seed.
struct Nullable<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_option(NullableVisitor(self.0, PhantomData))
    }
}

struct NullableVisitor<'de, S>(S, PhantomData<&'de ()>);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for NullableVisitor<'de, S> {
    type Value = Option<S::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`data`")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(value).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> Result<Envelope<Value>, EnvelopeError> {
        read_envelope(body, PhantomData::<Value>)
    }

    #[test]
    fn members_come_in_any_order() {
        let forward = read(r#"{"data":{"a":1},"errors":[{"message":"m"}],"extensions":{"cost":2}}"#).unwrap();
        let backward = read(r#"{"extensions":{"cost":2},"errors":[{"message":"m"}],"x":[{}],"data":{"a":1}}"#).unwrap();
        assert_eq!(forward, backward);
        assert_eq!(forward.data, Some(json!({"a": 1})));
        assert_eq!(forward.errors[0].message, "m");
        assert_eq!(forward.extensions, json!({"cost": 2}));
    }

    #[test]
    fn data_may_be_null_or_missing() {
        let null = read(r#"{"data":null,"errors":[{"message":"m"}]}"#).unwrap();
        assert_eq!((null.data, null.has_data_member), (None, true));
        let missing = read(r#"{"errors":null}"#).unwrap();
        assert_eq!((missing.data, missing.has_data_member), (None, false));
        assert_eq!(missing.errors, []);
    }

    #[test]
    fn data_is_read_by_the_seed_without_copying() {
        let body = r#"{"data":{"page":"text","rows":[1,2,3]}}"#;
        #[derive(serde::Deserialize)]
        struct Page<'a> {
            page: &'a str,
        }
        let envelope = read_envelope(body, PhantomData::<Page<'_>>).unwrap();
        assert_eq!(envelope.data.unwrap().page, "text");
    }

    #[test]
    fn a_shape_that_is_refused_is_told_without_the_value() {
        type Numbers = std::collections::BTreeMap<String, u8>;
        for (value, kind) in [
            (r#""Ada, expected \"u8\"""#, "invalid type: string, expected u8"),
            ("12345", "invalid value: integer, expected u8"),
            ("-1.5", "invalid type: floating point, expected u8"),
            ("[]", "invalid type: sequence, expected u8"),
        ] {
            let refused = read_envelope(&format!(r#"{{"data":{{"a":{value}}}}}"#), PhantomData::<Numbers>).unwrap_err();
            let told = refused.to_string();
            assert!(
                told.contains(kind) && !told.contains("Ada") && !told.contains("12345"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_shape_that_the_seed_refuses_is_not_taken_for_broken_json() {
        let refused = read_envelope(
            r#"{"data":{"a":"x"}}"#,
            PhantomData::<std::collections::BTreeMap<String, u8>>,
        );
        assert!(matches!(refused, Err(EnvelopeError::Refused(_))), "{refused:?}");
        let broken = read_envelope(
            r#"{"data":{"a":"#,
            PhantomData::<std::collections::BTreeMap<String, u8>>,
        );
        assert!(matches!(broken, Err(EnvelopeError::Malformed(_))), "{broken:?}");
    }

    #[test]
    fn what_stands_beside_the_data_has_an_end() {
        let reason = |body: &str| match read(body) {
            Err(EnvelopeError::Refused(reason)) => reason,
            other => panic!("{other:?}"),
        };
        let errors = format!(r#"{{"errors":[{}0]}}"#, "0,".repeat(MOST_ERRORS));
        assert!(reason(&errors).contains("more than 200000 errors"));
        for name in ["errors", "extensions", "message"] {
            let long = format!(r#"{{"{name}":"{}"}}"#, "x".repeat(LONGEST_MEMBER));
            assert!(reason(&long).contains(&format!("`{name}` has more than 16 MiB")));
        }
        let deep = format!(r#"{{"extensions":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(reason(&deep).contains("recursion limit"));
    }

    #[test]
    fn data_that_comes_twice_is_refused() {
        let twice = read(r#"{"data":null,"data":{"a":1}}"#);
        assert!(matches!(twice, Err(EnvelopeError::Refused(reason)) if reason.contains("`data` occurs twice")));
    }

    #[test]
    fn bodies_that_are_no_objects_are_told_apart() {
        for malformed in [
            "",
            "<html>",
            "Retry later",
            r#"{"data":{}"#,
            r#"{"data":{}} x"#,
            "{\"data\":\"\u{1}\"}",
        ] {
            assert!(
                matches!(read(malformed), Err(EnvelopeError::Malformed(_))),
                "{malformed}"
            );
        }
        for other in ["[]", "1", "\"text\"", "null"] {
            assert_eq!(read(other), Err(EnvelopeError::NotAnObject), "{other}");
        }
    }

    #[test]
    fn nesting_without_end_neither_overflows_nor_panics() {
        for opening in ["[", r#"{"a":"#] {
            let body = format!(r#"{{"data":{}"#, opening.repeat(200_000));
            assert!(matches!(read(&body), Err(EnvelopeError::Malformed(_))));
            let errors = format!(r#"{{"errors":{}"#, opening.repeat(200_000));
            assert!(matches!(read(&errors), Err(EnvelopeError::Malformed(_))));
        }
    }

    #[test]
    fn what_is_json_but_not_graphql_says_its_piece_as_an_error() {
        let start_gg = read(r#"{"success":false,"message":"Rate limit exceeded"}"#).unwrap();
        assert_eq!(start_gg.errors[0].message, "Rate limit exceeded");
        let monday =
            read(r#"{"error_code":"ComplexityException","status_code":200,"error_message":"exhausted"}"#).unwrap();
        assert_eq!(monday.errors[0].code.as_deref(), Some("ComplexityException"));
        assert_eq!(monday.errors[0].message, "exhausted");
        let gateway = read(r#"{"error":{"message":"no route"},"status":503}"#).unwrap();
        assert_eq!(
            (gateway.errors[0].message.as_str(), gateway.errors[0].status),
            ("no route", Some(503))
        );
        let beside = read(r#"{"errors":[{"message":"slow down"}],"status":429}"#).unwrap();
        assert_eq!(beside.errors[0].status, Some(429));
        let good = read(r#"{"data":{},"message":"welcome"}"#).unwrap();
        assert_eq!(good.errors, []);
        let fibery = |data: &str| read(&format!(r#"{{"name":"boom","message":"x","data":{data}}}"#)).unwrap();
        assert_eq!(fibery("null").errors[0].message, "boom: x");
        let own_data = fibery("{}");
        assert_eq!(
            (own_data.errors, own_data.aside.unwrap().message),
            (vec![], "boom: x".to_owned())
        );
        let nameless = read(r#"{"name":"an API"}"#).unwrap();
        assert_eq!((nameless.errors, nameless.aside), (vec![], None));
    }

    #[test]
    fn errors_of_the_wrong_shape_are_kept() {
        assert_eq!(read(r#"{"errors":"down"}"#).unwrap().errors[0].message, "down");
        assert_eq!(
            read(r#"{"errors":{"message":"down"}}"#).unwrap().errors[0].message,
            "down"
        );
        assert_eq!(read(r#"{"errors":["a","b"]}"#).unwrap().errors.len(), 2);
    }
}
