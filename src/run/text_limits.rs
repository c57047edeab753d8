//! How much the text of one request may say: its characters, and its aliases, the author's own among them.
//!
//! Pure.

use crate::project::QueryLimits;

/// How much the text of one request may say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextLimits {
    characters: Option<usize>,
    aliases: Option<usize>,
}

impl TextLimits {
    /// Those of a source.
    pub(crate) fn of(limits: &QueryLimits) -> Self {
        let count = |limit: Option<u32>| limit.and_then(|most| usize::try_from(most).ok());
        Self {
            characters: count(limits.characters),
            aliases: count(limits.aliases),
        }
    }

    /// Whether a text keeps to them; it is written only where there are any.
    pub(crate) fn allow<Text: AsRef<str>>(self, text: impl FnOnce() -> Text) -> bool {
        let is_free = self.characters.is_none() && self.aliases.is_none();
        is_free || self.measured(text().as_ref()).all(|(most, said)| said <= most)
    }

    /// How many slots a text can have, at least one, where those with one and with two say as much as these.
    pub(crate) fn slots(self, one: &str, two: &str) -> usize {
        let measured = self.measured(one).zip(self.measured(two));
        let slots =
            measured.map(|((most, one), (_, two))| 1 + most.saturating_sub(one) / two.saturating_sub(one).max(1));
        slots.min().unwrap_or(usize::MAX)
    }

    /// Each limit with what a text has of it.
    fn measured(self, text: &str) -> impl Iterator<Item = (usize, usize)> {
        let characters = self.characters.map(|most| (most, text.chars().count()));
        let aliases = self.aliases.map(|most| (most, aliases_in(text)));
        characters.into_iter().chain(aliases)
    }
}

/// The aliases in a query's text: outside of arguments and variables, which stand in brackets, a colon follows nothing
/// else.
fn aliases_in(text: &str) -> usize {
    let (mut depth, mut aliases) = (0_usize, 0);
    let (mut is_in_string, mut is_escaped) = (false, false);
    for character in text.chars() {
        let was_escaped = std::mem::take(&mut is_escaped);
        match character {
            '\\' if is_in_string => is_escaped = !was_escaped,
            '"' if !was_escaped => is_in_string = !is_in_string,
            _ if is_in_string => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => aliases += 1,
            _ => {}
        }
    }
    aliases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_told_from_arguments_variables_and_texts() {
        let text = r#"query($a:Int=1){t0:f(x:{y:$a},z:"):\"(")@include(if:true){b c:d}t1:g{...F}}fragment F on T{e:h}"#;
        assert_eq!(aliases_in(text), 4);
        assert_eq!(aliases_in(r#"{a(b:"\\")c:d}"#), 1);
        assert_eq!(aliases_in("{a}"), 0);
    }

    #[test]
    fn a_text_keeps_to_all_limits_at_once() {
        let limits = |characters, aliases| {
            TextLimits::of(&QueryLimits {
                characters,
                aliases,
                ..QueryLimits::default()
            })
        };
        let text = "{a:b c:d}";
        let allows = |characters, aliases| limits(characters, aliases).allow(|| text);
        assert!(allows(None, None) && allows(Some(9), Some(2)));
        assert!(!allows(Some(8), Some(2)) && !allows(Some(9), Some(1)));
    }

    #[test]
    fn slots_are_as_many_as_the_scarcest_limit_leaves() {
        let limits = |characters, aliases| TextLimits {
            characters: Some(characters),
            aliases: Some(aliases),
        };
        let (one, two) = ("{x{o:p}}", "{a:x{o:p}b:x{o:p}}");
        assert_eq!(limits(100, 100).slots(one, two), 10);
        assert_eq!(limits(100, 8).slots(one, two), 3);
        assert_eq!(limits(0, 0).slots(one, two), 1);
        assert_eq!(TextLimits::default().slots(one, two), usize::MAX);
    }
}
