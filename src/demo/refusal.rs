//! Answers in the place of data, word for word: some clients look for their words.

use std::fmt::Display;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What pages for browsers are announced as.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// An answer in the place of data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// Its body: HTML where it begins with `<`, else JSON, or plain text where it is none.
    pub body: String,
}

impl Refusal {
    /// What proxies answer for a server that takes too long.
    pub fn gateway_timeout() -> Self {
        Self::page(504, "504 Gateway Time-out")
    }

    /// What servers answer that have too much to do.
    pub fn unavailable() -> Self {
        Self::page(503, "503 Service Temporarily Unavailable")
    }

    fn page(status: u16, title: &str) -> Self {
        Self {
            status,
            body: format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"),
        }
    }

    /// What it is announced as; `json` is what the API's own answers are announced as.
    pub(crate) fn content_type(&self, json: &'static str) -> &'static str {
        if self.body.starts_with('<') {
            return HTML;
        }
        match serde_json::from_str::<IgnoredAny>(&self.body) {
            Ok(_) => json,
            Err(_) => "text/plain; charset=utf-8",
        }
    }

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
