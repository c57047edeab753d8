//! Answers in the place of data, word for word: some clients look for their words.

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
    /// The refusal with each `{name}` of its body replaced by a number.
    pub(crate) fn filled(&self, numbers: &[(&str, u64)]) -> Self {
        let fill =
            |body: String, (name, number): &(&str, u64)| body.replace(&format!("{{{name}}}"), &number.to_string());
        Self {
            status: self.status,
            body: numbers.iter().fold(self.body.clone(), fill),
        }
    }
}
