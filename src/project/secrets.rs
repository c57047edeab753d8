//! Values that nobody is to see, and texts without them.

use secrecy::{ExposeSecret as _, SecretString};

/// Shorter ones would take half of every text with them, and keep nothing secret.
const SHORTEST: usize = 4;

/// Values that nobody is to see. It has no `Debug`.
#[derive(Clone, Default)]
pub struct Secrets(Vec<SecretString>);

impl FromIterator<SecretString> for Secrets {
    fn from_iter<I: IntoIterator<Item = SecretString>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Secrets {
    /// `text` without any of them, as they are or as JSON writes them.
    pub fn redact(&self, text: &str) -> String {
        let values = self.0.iter().filter(|value| value.expose_secret().len() >= SHORTEST);
        without(text, values, "[secret]")
    }
}

/// `text` with `mark` in the place of each of these values, as they are or as JSON writes them.
pub(crate) fn without<'v>(text: &str, values: impl Iterator<Item = &'v SecretString>, mark: &str) -> String {
    let mut values: Vec<&str> = values.map(SecretString::expose_secret).collect();
    values.retain(|value| !value.is_empty());
    // One that another begins with would leave the other's end.
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    values.into_iter().fold(text.to_owned(), |text, value| {
        let text = text.replace(value, mark);
        text.replace(&as_json_writes(value), mark)
    })
}

/// Without the quotes around it.
fn as_json_writes(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_without_secrets_in_whatever_form() {
        let secrets: Secrets = ["p4ss\"word", "abc", "", "at the end\""]
            .map(SecretString::from)
            .into_iter()
            .collect();
        assert_eq!(secrets.redact("got p4ss\"word!"), "got [secret]!");
        assert_eq!(
            secrets.redact(r#"got {"key":"p4ss\"word"}"#),
            r#"got {"key":"[secret]"}"#
        );
        assert_eq!(secrets.redact(r#"["at the end\""]"#), r#"["[secret]"]"#);
        assert_eq!(secrets.redact("the abc stays"), "the abc stays");
        let long: Secrets = ["abcd", "abcd-efgh"].map(SecretString::from).into_iter().collect();
        assert_eq!(long.redact("got abcd-efgh, abcd"), "got [secret], [secret]");
    }
}
