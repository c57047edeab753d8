//! `[tokens]`: how an API makes, lists and revokes the tokens that it takes, as data.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use crate::project::complaint::with_remedy;
use crate::project::written::{Period, Text};
use crate::project::written_endpoint::percent_encoded;

/// How an API deals with its own tokens. What it cannot do is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table with owner, list, create, replace and revoke"
)]
pub struct TokenCalls {
    /// How many a user can have.
    pub at_most: Option<NonZeroU32>,
    /// The longest that one can be made to last.
    #[serde(deserialize_with = "longest")]
    pub longest: Option<Duration>,
    /// How many characters their names have at most.
    pub name_characters: Option<NonZeroU32>,
    /// What to do where tokens are made by hand alone.
    pub by_hand: Option<String>,
    /// Whose the token is.
    pub owner: Option<TokenCall>,
    /// All tokens of its owner.
    pub list: Option<TokenCall>,
    /// Makes one more.
    pub create: Option<TokenCall>,
    /// Makes one in the place of all others.
    pub replace: Option<TokenCall>,
    /// Ends one.
    pub revoke: Option<TokenCall>,
}

/// One call, and where in its JSON answer is what matters. Paths are dotted; the empty one is the whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawTokenCall")]
pub struct TokenCall {
    /// What is sent.
    pub request: CallRequest,
    /// The secret that was made.
    pub secret: Option<String>,
    /// What is true where it worked.
    pub success: Option<String>,
    /// The tokens of a list.
    pub items: Option<String>,
    /// What is shown of each, or of the answer: nothing else of it is.
    pub columns: Vec<String>,
    /// Those of the columns that are moments, told in seconds since 1970.
    pub seconds: Vec<String>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallRequest {
    /// A query or mutation to the endpoint. `$id`, `$name` and `$expires` (seconds since 1970) are given where it
    /// declares them.
    Query(String),
    /// A request to another path of the endpoint's host.
    Path {
        /// How.
        method: CallMethod,
        /// Where; `{id}` in it is filled in.
        path: String,
        /// The JSON that is sent.
        body: String,
    },
}

/// How a path is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallMethod {
    /// Asks.
    Get,
    /// Makes.
    Post,
    /// Ends.
    Delete,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with a query, or with a method and a path")]
struct RawTokenCall {
    query: Option<String>,
    method: Option<CallMethod>,
    path: Option<String>,
    body: Option<String>,
    secret: Option<String>,
    success: Option<String>,
    items: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    seconds: Vec<String>,
}

impl TryFrom<RawTokenCall> for TokenCall {
    type Error = String;

    fn try_from(raw: RawTokenCall) -> Result<Self, String> {
        let request = match (raw.query, raw.method, raw.path) {
            (Some(query), None, None) => CallRequest::Query(query),
            (None, Some(method), Some(path)) => CallRequest::Path {
                method,
                path,
                body: raw.body.unwrap_or_default(),
            },
            _ => {
                let remedy = "write either `query`, or both `method` and `path`";
                return Err(with_remedy("this says not what is sent", remedy));
            }
        };
        Ok(Self {
            request,
            secret: raw.secret,
            success: raw.success,
            items: raw.items,
            columns: raw.columns,
            seconds: raw.seconds,
        })
    }
}

impl CallRequest {
    /// Whether a value of that name is part of it.
    pub fn takes(&self, name: &str) -> bool {
        match self {
            Self::Query(text) => text.contains(&format!("${name}")),
            Self::Path { path, .. } => path.contains(&format!("{{{name}}}")),
        }
    }
}

/// A path with the id of a token in its place, whatever that holds.
pub fn path_with_id(path: &str, id: &str) -> String {
    path.replace("{id}", &percent_encoded(id))
}

fn longest<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let Text(Period(longest)) = Text::deserialize(deserializer)?;
    Ok(Some(longest))
}
