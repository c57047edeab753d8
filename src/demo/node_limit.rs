//! How many rows a request asks for: the sizes of its pages multiplied down the tree, and summed over all aliases.

use apollo_compiler::ast::Value as GraphqlValue;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::response::JsonMap;
use apollo_compiler::{ExecutableDocument, Node, ast};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::demo::dataset::{Dataset, Source};
use crate::demo::list_request::PageChoice;
use crate::demo::paging::{PagingBehaviour, WantedSize};
use crate::demo::refusal::Refusal;

/// The most rows that a request may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeLimit {
    /// So many are allowed.
    pub max: u64,
    /// The answer to a request for more; `{requested}` and `{max}` in it are filled in.
    pub refusal: Refusal,
}

/// Counts the rows that one operation asks for.
pub(crate) struct NodeCount<'c> {
    pub(crate) dataset: &'c Dataset,
    pub(crate) paging: &'c PagingBehaviour,
    pub(crate) document: &'c ExecutableDocument,
    pub(crate) operation: &'c Operation,
    pub(crate) variables: Option<&'c JsonMap>,
}

impl NodeLimit {
    /// The answer to a request for so many rows, if they are too many.
    pub(crate) fn refusal(&self, requested: u64) -> Option<Refusal> {
        (requested > self.max).then(|| self.refusal.filled(&[("requested", &requested), ("max", &self.max)]))
    }
}

impl NodeCount<'_> {
    /// How many rows the operation asks for.
    pub(crate) fn requested(&self) -> u64 {
        let rows = |times: u64, width: Option<u64>| times.saturating_mul(width.unwrap_or(0));
        self.of_selections(&self.operation.selection_set, 1, &rows)
    }

    /// How many pages have to be looked up for it, if all of them are full.
    pub(crate) fn calls(&self) -> u64 {
        let one_for_each = |times, width: Option<u64>| width.map_or(0, |_| times);
        self.of_selections(&self.operation.selection_set, 1, &one_for_each)
    }

    /// What counts below `times` objects with these selections; `counted` says what does of a field of them, by how many
    /// rows it asks for in each.
    fn of_selections(&self, set: &SelectionSet, times: u64, counted: &dyn Fn(u64, Option<u64>) -> u64) -> u64 {
        let count = |selection: &Selection| match selection {
            Selection::Field(field) if self.is_asked(&field.directives) => {
                self.of_field(&set.ty, field, times, counted)
            }
            Selection::InlineFragment(fragment) if self.is_asked(&fragment.directives) => {
                self.of_selections(&fragment.selection_set, times, counted)
            }
            Selection::FragmentSpread(spread) if self.is_asked(&spread.directives) => {
                let fragment = spread.fragment_def(self.document);
                fragment.map_or(0, |fragment| {
                    self.of_selections(&fragment.selection_set, times, counted)
                })
            }
            _ => 0,
        };
        set.selections.iter().map(count).fold(0, u64::saturating_add)
    }

    fn of_field(&self, ty: &str, field: &Field, times: u64, counted: &dyn Fn(u64, Option<u64>) -> u64) -> u64 {
        let width = self.width(ty, field);
        let rows = times.saturating_mul(width.unwrap_or(0));
        let below = if rows > 0 { rows } else { times };
        counted(times, width).saturating_add(self.of_selections(&field.selection_set, below, counted))
    }

    /// How many rows a field of one object asks for; `None` for a field that asks for no certain number.
    pub(crate) fn width(&self, ty: &str, field: &Field) -> Option<u64> {
        let owner = self.dataset.any_of(ty)?;
        let arguments = self.arguments(field);
        let description = match owner.source(&field.name)? {
            Source::Connection(description) => description,
            Source::Lookup(lookup) => {
                return arguments
                    .get(&lookup.argument)?
                    .as_array()
                    .map(|wanted| wanted.len() as u64);
            }
            Source::Continuation(shape) => {
                let choice = PageChoice::read(shape, &arguments).ok()?;
                return Some(self.size(ty, field, shape.size.as_ref()?, &choice.size));
            }
            _ => return None,
        };
        let shape = self.dataset.paging(&description.paging)?;
        let choice = PageChoice::read(shape, &arguments).ok()?;
        Some(self.size(owner.ty().name(), field, shape.size.as_ref()?, &choice.size))
    }

    fn size(&self, ty: &str, field: &Field, argument: &str, wanted: &WantedSize) -> u64 {
        let asked = match wanted {
            WantedSize::Rows(rows) => u64::try_from(*rows).unwrap_or(0),
            WantedSize::Missing | WantedSize::Null => 0,
        };
        let rules = self.paging.rules(ty, &field.name);
        rules.size(wanted, argument, &field.name).unwrap_or(asked)
    }

    /// The arguments of a field, those that its schema gives among them.
    fn arguments(&self, field: &Field) -> Map<String, Value> {
        let definitions = field.definition.arguments.iter();
        let values = definitions.filter_map(|definition| {
            let given = field.arguments.iter().find(|argument| argument.name == definition.name);
            let given = given.and_then(|argument| self.value(&argument.value));
            let default = || self.value(definition.default_value.as_ref()?);
            Some((definition.name.to_string(), given.or_else(default)?))
        });
        values.collect()
    }

    /// Whether variables leave a selection in.
    pub(crate) fn is_asked(&self, directives: &ast::DirectiveList) -> bool {
        let says = |name: &str, otherwise: bool| {
            let argument = directives
                .get(name)
                .and_then(|directive| directive.specified_argument_by_name("if"));
            let value = argument.and_then(|argument| self.value(argument));
            value.and_then(|value| value.as_bool()).unwrap_or(otherwise)
        };
        says("include", true) && !says("skip", false)
    }

    /// A value of the document as JSON; `None` for a variable that has none.
    fn value(&self, value: &Node<GraphqlValue>) -> Option<Value> {
        Some(match value.as_ref() {
            GraphqlValue::Null => Value::Null,
            GraphqlValue::Boolean(boolean) => Value::Bool(*boolean),
            GraphqlValue::String(text) => Value::String(text.clone()),
            GraphqlValue::Enum(name) => Value::String(name.to_string()),
            GraphqlValue::Int(number) => number.as_str().parse::<i64>().map_or(Value::Null, Value::from),
            GraphqlValue::Float(number) => number.try_to_f64().map_or(Value::Null, Value::from),
            GraphqlValue::List(items) => items.iter().filter_map(|item| self.value(item)).collect(),
            GraphqlValue::Object(fields) => {
                let fields = fields.iter();
                fields
                    .filter_map(|(name, value)| Some((name.to_string(), self.value(value)?)))
                    .collect()
            }
            GraphqlValue::Variable(name) => return self.variable(name),
        })
    }

    fn variable(&self, name: &str) -> Option<Value> {
        if let Some(given) = self.variables.and_then(|variables| variables.get(name)) {
            return serde_json::to_value(given).ok();
        }
        let definition = self
            .operation
            .variables
            .iter()
            .find(|definition| definition.name == name)?;
        self.value(definition.default_value.as_ref()?)
    }
}
