//! One GraphQL request, and the JSON body that it becomes.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

/// One GraphQL request, ready to send.
#[derive(Debug, Clone)]
pub struct GraphqlRequest {
    /// Which operation of the text is meant; left out of the body where `None`.
    pub operation_name: Option<String>,
    /// The text, fragments included.
    pub query: Arc<str>,
    /// The values of the operation's variables; left out of the body where empty, since some servers refuse
    /// variables that the operation does not declare.
    pub variables: Map<String, Value>,
}

impl GraphqlRequest {
    /// The body to post. Fails only if the JSON writer does, which no text or JSON value makes it do.
    pub fn body(&self) -> Result<Bytes, serde_json::Error> {
        let body = Body {
            operation_name: self.operation_name.as_deref(),
            query: &self.query,
            variables: &self.variables,
        };
        // Room for the escapes of a text with a few hundred line ends and for a handful of variables.
        let mut rendered = Vec::with_capacity(self.query.len() + self.query.len() / 8 + 256);
        serde_json::to_writer(&mut rendered, &body)?;
        Ok(Bytes::from(rendered))
    }
}

#[derive(Serialize)]
struct Body<'r> {
    #[serde(rename = "operationName", skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'r str>,
    query: &'r str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    variables: &'r Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bare_request_carries_the_text_alone() {
        let request = GraphqlRequest {
            operation_name: None,
            query: Arc::from("{ a(b: \"c\")\n}"),
            variables: Map::new(),
        };
        assert_eq!(request.body().unwrap(), r#"{"query":"{ a(b: \"c\")\n}"}"#);
    }

    #[test]
    fn name_and_variables_are_carried_where_given() {
        let Value::Object(variables) = json!({ "first": 100, "after": null }) else {
            unreachable!()
        };
        let request = GraphqlRequest {
            operation_name: Some("Groups".to_owned()),
            query: Arc::from("query Groups { a }"),
            variables,
        };
        let body: Value = serde_json::from_slice(&request.body().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"operationName": "Groups", "query": "query Groups { a }", "variables": {"first": 100, "after": null}})
        );
    }
}
