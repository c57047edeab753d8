//! Dates and times among the values of variables. An API may take one that it cannot read for none, and answer all rows or
//! no rows: what is none is refused before anything is sent.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Value, VariableDefinition};
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};
use serde_json::Value as JsonValue;

use crate::plan::report::{Finding, PlanError};
use crate::schema::ScalarType;

/// What tells which values are to be dates or times.
#[derive(Clone, Copy)]
pub(crate) struct Moments<'plan> {
    pub(crate) schema: &'plan Schema,
    pub(crate) scalars: &'plan BTreeMap<String, ScalarType>,
    pub(crate) sources: &'plan SourceMap,
}

impl Moments<'_> {
    /// Fails where a variable's value has a date or time in it that is none; `given` is none where its default counts.
    pub(crate) fn check(
        self,
        definition: &Node<VariableDefinition>,
        given: Option<&JsonValue>,
    ) -> Result<(), PlanError> {
        let ty = definition.ty.inner_named_type();
        let default = || match definition.default_value.as_deref()? {
            Value::String(text) => Some(JsonValue::from(text.as_str())),
            _ => None,
        };
        let value = given.cloned().or_else(default).unwrap_or_default();
        match self.stranger(ty, &value) {
            Some(stranger) => Err(self.complaint(definition, &stranger)),
            None => Ok(()),
        }
    }

    /// A value that is no date or time where there is to be one.
    fn stranger(self, ty: &Name, value: &JsonValue) -> Option<String> {
        match value {
            JsonValue::Null => return None,
            JsonValue::Array(items) => return items.iter().find_map(|item| self.stranger(ty, item)),
            _ => {}
        }
        if let (Some(ExtendedType::InputObject(input)), Some(members)) = (self.schema.types.get(ty), value.as_object())
        {
            return members.iter().find_map(|(name, value)| {
                let field = input.fields.get(name.as_str())?;
                self.stranger(field.ty.inner_named_type(), value)
            });
        }
        let is_moment = match self.scalars.get(ty.as_str())? {
            ScalarType::Date | ScalarType::Timestamp => value.as_str().is_some_and(is_moment),
            ScalarType::LocalTimestamp(_) => value.as_str().is_some_and(|text| is_moment(&text.replace('/', "-"))),
            _ => true,
        };
        (!is_moment).then(|| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn complaint(self, definition: &Node<VariableDefinition>, stranger: &str) -> PlanError {
        let name = &definition.name;
        let finding = Finding {
            message: format!("the value `{stranger}` of `${name}` is no date or time"),
            place: definition.location(),
            label: format!("`${name}` is of type {}", definition.ty),
            help: "write a date or time as `2026-11-01` or `2026-11-01T09:30:00Z`".to_owned(),
        };
        finding.into_error(self.sources)
    }
}

/// Whether a text is a date, alone or with a time of day, on whatever clocks. An empty one stands for none where an API
/// wants a value.
fn is_moment(text: &str) -> bool {
    text.is_empty() || text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
}
