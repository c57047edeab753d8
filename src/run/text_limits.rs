//! How much one request may say, and how many tasks can share it because of that.
//!
//! Pure.

use crate::plan::{Amount, RequestText, measured};
use crate::project::QueryLimits;

/// How much one request may say.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextLimits(QueryLimits);

impl TextLimits {
    /// Those of a source.
    pub(crate) fn of(limits: &QueryLimits) -> Self {
        Self(limits.clone())
    }

    /// Whether a request keeps to them; it is written only where there are any.
    pub(crate) fn allow(&self, request: impl FnOnce() -> RequestText) -> bool {
        self.is_free() || !self.measured(&request()).iter().any(Amount::is_over)
    }

    /// How many slots a request can have, at least one, where those with one and with two say as much as these.
    pub(crate) fn slots(&self, one: &RequestText, two: &RequestText) -> usize {
        let (one, two) = (self.measured(one), self.measured(two));
        let slots = one.iter().zip(&two).filter_map(|(one, two)| {
            let more = two.has.checked_sub(one.has).filter(|more| *more > 0)?;
            Some(1 + one.most.saturating_sub(one.has) / more)
        });
        let slots = slots.min().and_then(|slots| usize::try_from(slots).ok());
        slots.unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    fn is_free(&self) -> bool {
        let Self(limits) = self;
        let counts = [
            limits.characters,
            limits.depth,
            limits.root_fields,
            limits.aliases,
            limits.directives,
        ];
        counts.iter().all(Option::is_none) && limits.complexity.is_none()
    }

    fn measured(&self, request: &RequestText) -> Vec<Amount> {
        measured(&self.0, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(characters: Option<u32>, aliases: Option<u32>) -> TextLimits {
        TextLimits::of(&QueryLimits {
            characters,
            aliases,
            depth: Some(2),
            ..QueryLimits::default()
        })
    }

    fn request(text: &str) -> RequestText {
        RequestText {
            text: text.into(),
            variables: serde_json::Map::new(),
        }
    }

    #[test]
    fn a_text_keeps_to_all_limits_at_once() {
        let allows = |characters, aliases| limits(characters, aliases).allow(|| request("{a:b c:d}"));
        assert!(allows(None, None) && allows(Some(9), Some(2)));
        assert!(!allows(Some(8), Some(2)) && !allows(Some(9), Some(1)));
        assert!(!limits(None, None).allow(|| request("{a{b{c}}}")));
        assert!(TextLimits::default().allow(|| panic!("nothing is written where there is no limit")));
    }

    #[test]
    fn slots_are_as_many_as_the_scarcest_limit_leaves() {
        let (one, two) = (request("{x{o:p}}"), request("{a:x{o:p}b:x{o:p}}"));
        let slots = |limits: TextLimits| limits.slots(&one, &two);
        assert_eq!(slots(limits(Some(100), Some(100))), 10);
        assert_eq!(slots(limits(Some(100), Some(8))), 3);
        assert_eq!(slots(limits(Some(0), Some(0))), 1);
        assert_eq!(slots(limits(None, None)), usize::MAX, "depth does not grow with slots");
        assert_eq!(slots(TextLimits::default()), usize::MAX);
    }
}
