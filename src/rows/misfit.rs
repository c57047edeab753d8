//! Why a row does not fit its table.

/// Characters of a value that a reason repeats; the whole value stands in the row beside it.
const SHOWN_CHARACTERS: usize = 60;

/// Why a row does not fit its table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`: {cause}")]
pub(super) struct Misfit {
    /// The column's name; for a value inside of it, the way there (`location.line`, `tags[2]`). Empty where the item
    /// as a whole is wrong.
    pub(super) column: String,
    pub(super) cause: MisfitCause,
}

impl Misfit {
    /// The same misfit, seen from the object that holds the value.
    pub(super) fn inside(mut self, outer: &str) -> Self {
        let is_separated = self.column.is_empty() || self.column.starts_with(['[', '.']);
        let separator = if is_separated { "" } else { "." };
        self.column = format!("{outer}{separator}{}", self.column);
        self
    }
}

/// What is wrong with a value. The texts are the reasons that a rejects table gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MisfitCause {
    #[error("`{value}` is no {expected}")]
    Type { value: String, expected: String },
    #[error("null where the schema promises a value")]
    Null,
    #[error("null, and a row is told by it: tell the rows by other columns, with @table(key:)")]
    NullKey,
    #[error("no value where the schema promises one")]
    Missing,
    #[error("the key `{0}` stands twice in one object")]
    Duplicate(String),
    #[error("`{0}` cannot be a part of a key")]
    Key(String),
    #[error("the row that holds this one has no `_id`")]
    KeylessParent,
    #[error("not readable: {0}")]
    Unreadable(String),
    #[error("more text than one batch of rows can hold")]
    TooLong,
}

impl MisfitCause {
    /// A value, given by its JSON text, that is none of the type expected.
    pub(super) fn wrong_type(raw: &str, expected: impl Into<String>) -> Self {
        Self::Type {
            value: shorten(raw),
            expected: expected.into(),
        }
    }

    /// A value, given by its JSON text, of which no key can be made.
    pub(super) fn no_key(raw: &str) -> Self {
        Self::Key(shorten(raw))
    }

    /// The misfit of the column of this name.
    pub(super) fn at(self, column: impl Into<String>) -> Misfit {
        Misfit {
            column: column.into(),
            cause: self,
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_value_is_told_from_the_outside_in() {
        let cause = || MisfitCause::Null;
        assert_eq!(cause().at("line").inside("location").column, "location.line");
        assert_eq!(cause().at("").inside("[2]").inside("tags").column, "tags[2]");
        assert_eq!(
            cause().at("line").inside("").inside("[0]").inside("places").column,
            "places[0].line"
        );
    }

    #[test]
    fn long_values_are_shortened_between_characters() {
        let cause = MisfitCause::wrong_type(&"é".repeat(100), "int64");
        assert_eq!(cause.to_string(), format!("`{}…` is no int64", "é".repeat(60)));
    }
}
