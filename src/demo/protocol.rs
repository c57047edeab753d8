//! How a server speaks GraphQL over HTTP, where servers differ: what is no request to it, and how it words what is wrong.

use std::collections::BTreeMap;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::response::{ExecutionResponse, GraphQLError, JsonMap};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::demo::refusal::Refusal;

/// How a server speaks GraphQL over HTTP. What is not given is as with our own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protocol {
    /// Headers of what the API answers itself; what stands before it does not know them.
    pub headers: BTreeMap<String, String>,
    /// What browsers are shown at its address; 405 where it is not given.
    pub page: Option<Refusal>,
    /// The answer to a body that is not announced as JSON; it is read nevertheless where this is not given.
    pub other_content_type: Option<Refusal>,
    /// The answer to a body that is no JSON; an error in words of our own where it is not given, as with the next two.
    pub no_json: Option<Refusal>,
    /// The answer to JSON that is no object with a text as its query, such as a list of requests.
    pub no_request: Option<Refusal>,
    /// The answer to a query without any character.
    pub empty_query: Option<Refusal>,
    /// The answer to a text that defines fragments, be it for the schema; it is executed where this is not given.
    pub fragments: Option<Refusal>,
    /// Variables that are lacking, or unfit, and operations that are not there are found when the request is executed:
    /// their errors come beside `data`, which is null, with status 200.
    pub fails_in_execution: bool,
    /// `data` stands before `errors`.
    pub data_first: bool,
    /// The words for what is wrong with a text.
    pub wording: Wording,
}

/// The words for what is wrong with a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// Those of the library that we execute queries with.
    #[default]
    Own,
    /// Those of the reference implementation in Python, names in simple quotes, with what may have been meant.
    Python,
}

impl Protocol {
    /// The answer to a body that is announced as something else than JSON.
    pub(crate) fn refuses_type(&self, headers: &HeaderMap) -> Option<&Refusal> {
        let announced = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = announced.is_some_and(|announced| announced.starts_with("application/json"));
        self.other_content_type.as_ref().filter(|_| !is_json)
    }

    /// The answer to a body that is no JSON object with a query.
    pub(crate) fn refuses(&self, body: &[u8]) -> Option<&Refusal> {
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            return self.no_json.as_ref();
        };
        match request.get("query").and_then(Value::as_str) {
            Some("") => self.empty_query.as_ref(),
            Some(_) => None,
            None => self.no_request.as_ref(),
        }
    }

    /// The answer to a text that defines fragments.
    pub(crate) fn refuses_fragments(&self, document: &ExecutableDocument) -> Option<&Refusal> {
        self.fragments.as_ref().filter(|_| !document.fragments.is_empty())
    }

    /// What was executed, as it is sent.
    pub(crate) fn written(&self, response: ExecutionResponse) -> Vec<u8> {
        let ExecutionResponse { errors, data } = response;
        if self.data_first {
            return serde_json::to_vec(&DataFirst { data, errors }).unwrap_or_default();
        }
        serde_json::to_vec(&ExecutionResponse { errors, data }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct DataFirst {
    data: Option<JsonMap>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<GraphQLError>,
}
