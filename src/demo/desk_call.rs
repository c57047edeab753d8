//! One call to the desk for tokens: how it is told from other requests, what it is given, how it is answered.

use std::collections::BTreeMap;

use apollo_compiler::ast::{self, Definition, Document, Selection};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::demo::desk::TokenAct;

/// One call: a field that a GraphQL request asks for, or a method and a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskCall {
    /// What it does.
    pub does: TokenAct,
    /// The fields, at any depth, by which a GraphQL request is told to be this call.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The method of another request, and
    #[serde(default)]
    pub method: Option<String>,
    /// its path; `{id}` in it is a token's.
    #[serde(default)]
    pub path: Option<String>,
    /// The arguments of the field with the token's `id`, its `name`, and when it `expires`, in seconds since 1970.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// The status of its answer.
    #[serde(default = "ok")]
    pub status: u16,
    /// The answer, or the data of it, as JSON; `{secret}`, `{id}` and `{tokens}` are filled in. Nothing where it is empty.
    pub answer: String,
}

fn ok() -> u16 {
    200
}

/// What a call is given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) expires: Option<u64>,
    /// What its answer is to hold.
    selection: Vec<Selection>,
}

impl DeskCall {
    /// What the body of a GraphQL request gives this call; `None` where it is another one.
    pub(crate) fn asked(&self, body: &[u8]) -> Option<Given> {
        let request: Value = serde_json::from_slice(body).ok()?;
        let text = request.get("query")?.as_str()?;
        // Most requests are none: that is seen without reading them.
        if !self.fields.iter().any(|field| text.contains(field.as_str())) {
            return None;
        }
        let document = Document::parse(text, "request.graphql").ok()?;
        let mut operations = document.definitions.iter().filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
        let operation = operations.next()?;
        let field = self
            .fields
            .iter()
            .find_map(|name| field_of(&operation.selection_set, name))?;
        let variables = request.get("variables").unwrap_or(&Value::Null);
        let argument = |what: &str| {
            let name = self.arguments.get(what)?;
            let argument = field.arguments.iter().find(|argument| argument.name == name.as_str())?;
            value(&argument.value, variables)
        };
        Some(Given {
            id: argument("id").and_then(|id| id.as_str().map(str::to_owned)),
            name: argument("name").and_then(|name| name.as_str().map(str::to_owned)),
            expires: argument("expires").and_then(|expires| expires.as_u64()),
            selection: operation.selection_set.clone(),
        })
    }

    /// What a request at another address gives it.
    pub(crate) fn called(&self, method: &str, path: &str) -> Option<Given> {
        let own = self.path.as_ref().filter(|_| self.method.as_deref() == Some(method))?;
        let id = match own.split_once("{id}") {
            None => (own == path).then_some(None)?,
            Some((before, behind)) => Some(path.strip_prefix(before)?.strip_suffix(behind)?.to_owned()),
        };
        Some(Given { id, ..Given::default() })
    }

    /// Its answer with these values.
    pub(crate) fn answer(&self, values: &BTreeMap<&'static str, String>) -> Value {
        let fill = |text: String, (name, value): (&&str, &String)| text.replace(&format!("{{{name}}}"), value);
        let filled = values.iter().fold(self.answer.clone(), fill);
        serde_json::from_str(&filled).unwrap_or_default()
    }
}

impl Given {
    /// What of some data was asked for.
    pub(crate) fn selected(&self, data: &Value) -> Value {
        selected(&self.selection, data)
    }
}

fn selected(selection: &[Selection], data: &Value) -> Value {
    match data {
        Value::Array(items) => items.iter().map(|item| selected(selection, item)).collect(),
        Value::Object(object) if !selection.is_empty() => {
            let mut answer = Map::new();
            for field in selection.iter().filter_map(|selection| selection.as_field()) {
                let value = object.get(field.name.as_str()).unwrap_or(&Value::Null);
                let key = field.alias.as_ref().unwrap_or(&field.name);
                answer.insert(key.to_string(), selected(&field.selection_set, value));
            }
            Value::Object(answer)
        }
        other => other.clone(),
    }
}

/// The field of that name, at any depth.
fn field_of<'text>(selection: &'text [Selection], name: &str) -> Option<&'text ast::Field> {
    let fields = || selection.iter().filter_map(|selection| selection.as_field());
    let own = fields().find(|field| field.name == name);
    own.map(|field| &**field)
        .or_else(|| fields().find_map(|field| field_of(&field.selection_set, name)))
}

fn value(value: &ast::Value, variables: &Value) -> Option<Value> {
    match value {
        ast::Value::Variable(name) => variables.get(name.as_str()).cloned(),
        ast::Value::String(text) => Some(Value::from(text.as_str())),
        ast::Value::Int(number) => number.as_str().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}
