//! The values of an operation's variables.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::{Value, VariableDefinition};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceMap;
use serde_json::Value as JsonValue;

use crate::plan::moments::Moments;
use crate::plan::report::{Finding, PlanError};

/// The values that were given for an operation's variables, and its own defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    given: serde_json::Map<String, JsonValue>,
    default_booleans: BTreeMap<String, bool>,
    default_sizes: BTreeMap<String, i64>,
    with_defaults: BTreeSet<String>,
    /// Those whose default is an empty text.
    blank: BTreeSet<String>,
    /// How often each variable occurs in the query.
    uses: BTreeMap<String, usize>,
}

impl Variables {
    /// Gives the variables of `operation` the values that `texts` has for them; names that the operation does not
    /// have are for other query files.
    pub(crate) fn bind(
        operation: &Operation,
        texts: &BTreeMap<String, String>,
        moments: Moments<'_>,
    ) -> Result<Self, PlanError> {
        let mut variables = Self::default();
        count_uses(&operation.selection_set, &mut variables.uses);
        for definition in &operation.variables {
            let name = definition.name.to_string();
            if let Some(default) = definition.default_value.as_ref().and_then(|value| value.to_bool()) {
                variables.default_booleans.insert(name.clone(), default);
            }
            if let Some(default) = definition.default_value.as_ref().and_then(|value| value.to_i32()) {
                variables.default_sizes.insert(name.clone(), i64::from(default));
            }
            if definition.default_value.as_ref().is_some_and(|value| !value.is_null()) {
                variables.with_defaults.insert(name.clone());
            }
            if definition.default_value.as_ref().and_then(|value| value.as_str()) == Some("") {
                variables.blank.insert(name.clone());
            }
            if let Some(text) = texts.get(&name) {
                let value = value_of(definition, text).ok_or_else(|| misfit(definition, text, moments.sources))?;
                variables.given.insert(name.clone(), value);
            }
            moments.check(definition, variables.given.get(&name))?;
        }
        Ok(variables)
    }

    /// The value given for a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&JsonValue> {
        self.given.get(name)
    }

    /// All values that are given, to be compared.
    pub(crate) fn given_text(&self) -> String {
        JsonValue::Object(self.given.clone()).to_string()
    }

    /// How often a variable occurs in the query.
    pub(crate) fn uses(&self, name: &str) -> usize {
        self.uses.get(name).copied().unwrap_or(0)
    }

    /// Whether a variable has a value other than null, given or by default.
    pub(crate) fn has_value(&self, name: &str) -> bool {
        let given = self.given.get(name);
        given.map_or_else(|| self.with_defaults.contains(name), |value| !value.is_null())
    }

    /// Whether an argument's value asks for anything: null and an empty text do not.
    pub(crate) fn asks(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Variable(name) => match self.given.get(name.as_str()) {
                Some(given) => !given.is_null() && given.as_str() != Some(""),
                None => self.with_defaults.contains(name.as_str()) && !self.blank.contains(name.as_str()),
            },
            _ => true,
        }
    }

    /// The whole number that a variable stands for, given or by default.
    pub(crate) fn size(&self, name: &str) -> Option<i64> {
        let given = self.given.get(name).and_then(JsonValue::as_i64);
        given.or_else(|| self.default_sizes.get(name).copied())
    }

    /// What a condition amounts to: a literal, or a variable's value or default.
    pub(crate) fn boolean(&self, value: &Value) -> Option<bool> {
        match value {
            Value::Boolean(value) => Some(*value),
            Value::Variable(name) => match self.given.get(name.as_str()) {
                Some(given) => given.as_bool(),
                None => self.default_booleans.get(name.as_str()).copied(),
            },
            _ => None,
        }
    }
}

fn count_uses(set: &SelectionSet, uses: &mut BTreeMap<String, usize>) {
    for selection in &set.selections {
        let mut names = BTreeSet::new();
        let (directives, below) = match selection {
            Selection::Field(field) => {
                for argument in &field.arguments {
                    names.clear();
                    collect_variables(&argument.value, &mut names);
                    count(&names, uses);
                }
                (&field.directives, &field.selection_set)
            }
            Selection::InlineFragment(inline) => (&inline.directives, &inline.selection_set),
            Selection::FragmentSpread(_) => continue,
        };
        names.clear();
        for argument in directives.iter().flat_map(|directive| &directive.arguments) {
            collect_variables(&argument.value, &mut names);
        }
        count(&names, uses);
        count_uses(below, uses);
    }
}

fn count(names: &BTreeSet<String>, uses: &mut BTreeMap<String, usize>) {
    for name in names {
        *uses.entry(name.clone()).or_default() += 1;
    }
}

/// Adds the variables that occur in a value.
pub(crate) fn collect_variables(value: &Value, variables: &mut BTreeSet<String>) {
    match value {
        Value::Variable(name) => {
            variables.insert(name.to_string());
        }
        Value::List(items) => items.iter().for_each(|item| collect_variables(item, variables)),
        Value::Object(members) => members
            .iter()
            .for_each(|(_, value)| collect_variables(value, variables)),
        _ => {}
    }
}

/// The JSON value that `text` stands for, by the variable's type: a list, an input object or a custom scalar is
/// written as JSON, and a custom scalar also as plain text.
fn value_of(definition: &VariableDefinition, text: &str) -> Option<JsonValue> {
    let json = || serde_json::from_str::<JsonValue>(text).ok();
    if text == "null" {
        return (!definition.ty.is_non_null()).then_some(JsonValue::Null);
    }
    if definition.ty.is_list() {
        return json();
    }
    match definition.ty.inner_named_type().as_str() {
        "Int" => text.parse::<i64>().ok().map(JsonValue::from),
        "Float" => json().filter(JsonValue::is_number),
        "Boolean" => text.parse::<bool>().ok().map(JsonValue::from),
        "String" | "ID" => Some(JsonValue::from(text)),
        _ => Some(json().unwrap_or_else(|| JsonValue::from(text))),
    }
}

fn misfit(definition: &apollo_compiler::Node<VariableDefinition>, text: &str, sources: &SourceMap) -> PlanError {
    let name = &definition.name;
    let finding = Finding {
        message: format!("the value `{text}` of `${name}` does not fit the variable's type"),
        place: definition.location(),
        label: format!("`${name}` is of type {}", definition.ty),
        help: "numbers and true or false are given as they are, lists and objects as JSON".to_owned(),
    };
    finding.into_error(sources)
}

/// A variable without a value, for which none was given and that the planner does not drive.
pub(crate) fn missing(definition: &apollo_compiler::Node<VariableDefinition>, sources: &SourceMap) -> PlanError {
    let name = &definition.name;
    let finding = Finding {
        message: format!("the variable `${name}` has no value"),
        place: definition.location(),
        label: "needed, and without a default".to_owned(),
        help: format!(
            "give it with `--var {name}=VALUE`, or write a default: `${name}: {} = …`",
            definition.ty
        ),
    };
    finding.into_error(sources)
}
