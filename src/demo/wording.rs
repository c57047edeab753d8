//! The words for what is wrong with a request, as clients of other servers find them.

use apollo_compiler::executable::{ExecutableDocument, Operation};
use apollo_compiler::response::{GraphQLError, JsonMap, JsonValue};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{Name, Schema};

use crate::demo::protocol::Wording;

/// As many names as an error says may have been meant.
const MOST_SUGGESTIONS: usize = 5;

/// What is wrong with a text; `document` is as much of it as could be read.
pub(crate) fn text_errors(
    wording: Wording,
    found: &DiagnosticList,
    document: &ExecutableDocument,
    schema: &Schema,
) -> Vec<GraphQLError> {
    let worded = |error: GraphQLError| GraphQLError {
        message: pythons(&error.message, document, schema),
        ..error
    };
    match wording {
        Wording::Own => found.iter().map(|error| error.to_json()).collect(),
        Wording::Python => found
            .iter()
            .map(|error| worded(error.unstable_to_json_compat()))
            .collect(),
    }
}

/// What is wrong with the choice of an operation, or with the variables beside the text; `message` is the library's own.
pub(crate) fn execution_error(
    wording: Wording,
    error: GraphQLError,
    document: &ExecutableDocument,
    (name, variables): (Option<&str>, &JsonMap),
) -> GraphQLError {
    if wording == Wording::Own {
        return error;
    }
    let message = match document.operations.get(name) {
        Ok(operation) => missing_variable(operation, variables),
        Err(_) => name.map(|name| format!("Unknown operation named '{name}'.")),
    };
    GraphQLError {
        message: message.unwrap_or(error.message),
        ..error
    }
}

fn missing_variable(operation: &Operation, variables: &JsonMap) -> Option<String> {
    let is_missing = |name: &str| variables.get(name).is_none_or(JsonValue::is_null);
    let mut declared = operation.variables.iter();
    let missing = declared
        .find(|variable| variable.ty.is_non_null() && variable.default_value.is_none() && is_missing(&variable.name))?;
    let (name, ty) = (&missing.name, &missing.ty);
    Some(match variables.contains_key(name.as_str()) {
        true => format!("Variable '${name}' of non-null type '{ty}' must not be null."),
        false => format!("Variable '${name}' of required type '{ty}' was not provided."),
    })
}

/// A message of the reference implementation in JavaScript as that in Python has it.
fn pythons(message: &str, document: &ExecutableDocument, schema: &Schema) -> String {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let words = message.replace('"', "'");
    match quoted.as_slice() {
        [field, ty] if message.starts_with("Cannot query field ") => words + &suggestion(field, ty, schema),
        [field, ty, _] if message.contains(" must have a selection of subfields.") => {
            let definition = schema.type_field(ty, field).ok();
            definition.map_or(words.clone(), |definition| {
                words.replacen(&format!("of type '{ty}'"), &format!("of type '{}'", definition.ty), 1)
            })
        }
        [variable] if message.ends_with(" is never used.") => {
            match operation_with(variable.trim_start_matches('$'), document) {
                Some(operation) => format!("Variable '{variable}' is never used in operation '{operation}'."),
                None => words,
            }
        }
        _ => words,
    }
}

/// The name of the operation that declares a variable, where it has one.
fn operation_with<'document>(variable: &str, document: &'document ExecutableDocument) -> Option<&'document str> {
    let mut operations = document.operations.iter();
    let operation = operations.find(|operation| operation.variables.iter().any(|own| own.name == variable))?;
    operation.name.as_ref().map(Name::as_str)
}

/// ` Did you mean 'a', 'b' or 'c'?`, or nothing.
fn suggestion(field: &str, ty: &str, schema: &Schema) -> String {
    let fields = match schema.types.get(ty) {
        Some(ExtendedType::Object(object)) => &object.fields,
        Some(ExtendedType::Interface(interface)) => &interface.fields,
        _ => return String::new(),
    };
    let most = field.chars().count() * 2 / 5 + 1;
    let mut near: Vec<(usize, &str)> = fields
        .keys()
        .map(|name| (distance(field, name), name.as_str()))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_unstable();
    let mut names: Vec<String> = near
        .iter()
        .take(MOST_SUGGESTIONS)
        .map(|(_, name)| format!("'{name}'"))
        .collect();
    let Some(last) = names.pop() else {
        return String::new();
    };
    match names.is_empty() {
        true => format!(" Did you mean {last}?"),
        false => format!(" Did you mean {} or {last}?", names.join(", ")),
    }
}

/// How far a name is from another; names that differ in their case alone are near.
fn distance(one: &str, other: &str) -> usize {
    let (low, other_low) = (one.to_lowercase(), other.to_lowercase());
    match low == other_low {
        true => 1,
        false => strsim::osa_distance(&low, &other_low),
    }
}
