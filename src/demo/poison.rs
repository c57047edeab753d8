//! Objects that no request gets an answer with, such as one whose text is too long for the server's memory.

use serde::Deserialize;

use crate::demo::dataset::Instance;
use crate::demo::denied::ObjectMatch;
use crate::demo::refusal::Refusal;

/// An object that no request gets an answer with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poison {
    /// The object, by its key.
    pub object: ObjectMatch,
    /// The field of it that does the harm; any where it is not given.
    #[serde(default)]
    pub field: Option<String>,
    /// The answer to the whole request, a crash for instance.
    pub refusal: Refusal,
}

/// What the whole request is answered with that asks for this field of that object, if it does harm.
pub(crate) fn poisoned<'p>(poisons: &'p [Poison], instance: Instance<'_>, field: &str) -> Option<&'p Refusal> {
    let does_harm = |poison: &&Poison| {
        let is_field = poison.field.as_ref().is_none_or(|harmful| harmful == field);
        is_field && poison.object.fits(instance)
    };
    poisons.iter().find(does_harm).map(|poison| &poison.refusal)
}
