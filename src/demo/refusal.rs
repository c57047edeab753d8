//! Answers in the place of data, word for word: some clients look for their words.

use std::fmt::Display;

use serde::Deserialize;

/// An answer in the place of data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// Its JSON body.
    pub body: String,
}

impl Refusal {
    /// The refusal with each `{name}` of its body replaced by a value.
    pub(crate) fn filled(&self, values: &[(&str, &dyn Display)]) -> Self {
        let fill = |body: String, (name, value): &(&str, &dyn Display)| {
            body.replace(&format!("{{{name}}}"), &value.to_string())
        };
        Self {
            status: self.status,
            body: values.iter().fold(self.body.clone(), fill),
        }
    }
}
