//! Fields that the token may not see.

use std::num::NonZeroU64;

use apollo_compiler::resolvers::FieldError;
use apollo_compiler::response::{GraphQLError, JsonMap};
use serde::Deserialize;
use serde_json::Value;

use crate::demo::dataset::Instance;
use crate::demo::generator::Generated;

/// What the executor is told of a denied field's error; the number of the rule follows.
const MARK: &str = "denied by rule ";

/// A field that the token may not see: null, with an error at its path. Where the schema forbids the null, it goes up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeniedField {
    /// The object type that has the field.
    #[serde(rename = "type")]
    pub ty: String,
    /// The field.
    pub field: String,
    /// Where the field is denied; everywhere where it is not given.
    #[serde(default)]
    pub within: Option<ObjectMatch>,
    /// Only at requests whose number this divides, as a mishap and not a denial; at all where it is not given.
    #[serde(default)]
    pub every: Option<NonZeroU64>,
    /// Whose token may not see it, by their roles; nobody's where none is given.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The error's message.
    pub message: String,
    /// The error's extensions.
    #[serde(default)]
    pub extensions: serde_json::Map<String, Value>,
}

impl DeniedField {
    fn is_for(&self, role: Option<&str>) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|denied| Some(denied.as_str()) == role)
    }
}

/// Objects of one type that have one value in one field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectMatch {
    /// Their type.
    #[serde(rename = "type")]
    pub ty: String,
    /// The field.
    pub field: String,
    /// Its value.
    pub value: Value,
}

impl ObjectMatch {
    /// Whether an object is one of these.
    pub(crate) fn fits(&self, instance: Instance<'_>) -> bool {
        let has_value = || matches!(instance.value(&self.field), Some(Generated::Leaf(value)) if value == self.value);
        instance.ty().name() == self.ty && has_value()
    }

    /// Whether an object is one of these, or belongs to one.
    fn holds(&self, instance: Instance<'_>) -> bool {
        self.fits(instance) || instance.ancestor(&self.ty).is_some_and(|ancestor| self.fits(ancestor))
    }
}

/// The error of a field of an object that the token of someone with that role may not see, if it may not.
pub(crate) fn denial(
    (rules, role): (&[DeniedField], Option<&str>),
    instance: Instance<'_>,
    field: &str,
    request: u64,
) -> Option<FieldError> {
    let is_of = |rule: &DeniedField| {
        let is_now = rule.every.is_none_or(|every| request.is_multiple_of(every.get()));
        let is_within = || rule.within.as_ref().is_none_or(|within| within.holds(instance));
        is_now && rule.is_for(role) && rule.field == field && rule.ty == instance.ty().name() && is_within()
    };
    let rule = rules.iter().position(is_of)?;
    Some(FieldError {
        message: format!("{MARK}{rule}"),
    })
}

/// Gives the error of a denied field the words of its rule: the executor has no room for extensions.
pub(crate) fn word_denial(rules: &[DeniedField], error: &mut GraphQLError) {
    let number = error
        .message
        .strip_prefix(MARK)
        .and_then(|number| number.parse::<usize>().ok());
    let Some(rule) = number.and_then(|number| rules.get(number)) else {
        return;
    };
    error.message.clone_from(&rule.message);
    let extensions = rule.extensions.iter();
    error.extensions = extensions
        .filter_map(|(name, value)| Some((name.as_str().into(), serde_json::from_value(value.clone()).ok()?)))
        .collect::<JsonMap>();
}
