//! A response as the verdict sees it, and what it says in words.

use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;
use url::Url;

use crate::api::graphql_error::GraphqlError;

/// The longest message that is taken over from a response, in characters.
const MESSAGE_CHARACTERS: usize = 300;

/// How far into a body that is not JSON its message and the signs in it are looked for, in bytes.
const TEXT_BYTES: usize = 4096;

/// A response, all that a verdict can rest on.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'r> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The body.
    pub body: ReplyBody<'r>,
}

/// A body, as far as it could be read.
#[derive(Debug, Clone, Copy)]
pub enum ReplyBody<'r> {
    /// A JSON object.
    Envelope {
        /// Whether `data` is there and not null.
        has_data: bool,
        /// Whether `data` is there, null or not.
        has_data_member: bool,
        /// The entries of `errors`.
        errors: &'r [GraphqlError],
        /// What it says beside `data` outside the standard's members.
        aside: Option<&'r GraphqlError>,
        /// `extensions`; null if there are none.
        extensions: &'r Value,
    },
    /// Anything else: plain text, HTML, nothing at all, JSON that breaks off.
    Text(&'r str),
}

impl<'r> Reply<'r> {
    /// The entries of `errors`.
    pub fn errors(&self) -> &'r [GraphqlError] {
        match self.body {
            ReplyBody::Envelope { errors, .. } => errors,
            ReplyBody::Text(_) => &[],
        }
    }

    /// `extensions`; null if there are none.
    pub fn extensions(&self) -> &'r Value {
        match self.body {
            ReplyBody::Envelope { extensions, .. } => extensions,
            ReplyBody::Text(_) => &Value::Null,
        }
    }

    /// Whether `data` is there and not null.
    pub fn has_data(&self) -> bool {
        matches!(self.body, ReplyBody::Envelope { has_data: true, .. })
    }

    /// The beginning of a body that is no JSON object; empty for one that is.
    pub(super) fn text(&self) -> &'r str {
        match self.body {
            ReplyBody::Text(text) => beginning(text, TEXT_BYTES),
            ReplyBody::Envelope { .. } => "",
        }
    }

    /// What the response says, in one line of at most 300 characters. `redact` takes out what nobody is to see; it is
    /// given whole texts, as it would not know the half of a token that a cut leaves.
    pub fn message(&self, redact: impl Fn(&str) -> String) -> String {
        if (300..400).contains(&self.status) {
            return one_line(&redact(&self.redirection()));
        }
        match (self.body, self.errors()) {
            (_, [error]) => one_line(&redact(&error.to_string())),
            (_, [error, more @ ..]) => one_line(&redact(&format!("{error} (and {} more errors)", more.len()))),
            (ReplyBody::Text(text), []) => text_message(beginning(&redact(text), TEXT_BYTES)),
            (ReplyBody::Envelope { aside: Some(error), .. }, []) => one_line(&redact(&error.to_string())),
            (ReplyBody::Envelope { .. }, []) => self.silence().to_owned(),
        }
    }

    /// What is told of an envelope that says nothing in words.
    fn silence(&self) -> &'static str {
        match self.body {
            ReplyBody::Envelope { has_data: true, .. } => "`data` is there, and no error says what is wrong",
            ReplyBody::Envelope {
                has_data_member: true, ..
            } => "`data` is null, and no error says why",
            _ => "the body is JSON, but neither `data` nor `errors` is in it",
        }
    }

    fn redirection(&self) -> String {
        let target = self
            .headers
            .get(LOCATION)
            .and_then(|target| target.to_str().ok()?.parse::<Url>().ok());
        match target {
            // Path, query and user part of an address can hold secrets; the path is what a person needs here.
            Some(url) => format!("redirected to {}{}", url.origin().ascii_serialization(), url.path()),
            None => "redirected to another address".to_owned(),
        }
    }
}

fn text_message(text: &str) -> String {
    let text = text.trim_start();
    if text.is_empty() {
        return "the body is empty".to_owned();
    }
    if text.chars().any(is_binary) {
        return "the body is binary, no text".to_owned();
    }
    if text.contains("\"data\"") && !text.starts_with(['{', '[', '<']) {
        return "the body holds JSON with `data`, but something stands before it".to_owned();
    }
    if text.starts_with(['{', '[']) {
        return "the body is no JSON object, or breaks off".to_owned();
    }
    if !text.starts_with('<') {
        return one_line(text);
    }
    match title(text) {
        Some(title) => one_line(&format!("an HTML page: {title}")),
        None => "an HTML page".to_owned(),
    }
}

/// What no text has. The orders to a terminal do not count with which some servers colour theirs, and ring.
fn is_binary(character: char) -> bool {
    character.is_control() && !character.is_whitespace() && !['\u{7}', '\u{8}', '\u{1b}'].contains(&character)
}

fn title(html: &str) -> Option<&str> {
    let lower = html.to_ascii_lowercase();
    let opening = lower.find("<title")?;
    let start = opening + lower[opening..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(html[start..end].trim()).filter(|title| !title.is_empty())
}

/// One line, and nothing in it that a terminal would take for an order.
pub(in crate::api) fn one_line(text: &str) -> String {
    let is_space = |character: char| character.is_whitespace() || character.is_control();
    let words = text.split(is_space).filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MESSAGE_CHARACTERS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The first `bytes` bytes, or a little less so that no character is cut.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(status: u16, headers: &HeaderMap, text: &str) -> String {
        let body = ReplyBody::Text(text);
        Reply { status, headers, body }.message(str::to_owned)
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        let headers = HeaderMap::new();
        let page = "<!DOCTYPE html><html><head><TITLE>\n502 Bad\n Gateway </TITLE></head>";
        assert_eq!(message(502, &headers, page), "an HTML page: 502 Bad Gateway");
        assert_eq!(message(200, &headers, "<html><title></title>"), "an HTML page");
        assert_eq!(message(200, &headers, "<title"), "an HTML page");
    }

    #[test]
    fn other_bodies_are_told_as_they_are() {
        let headers = HeaderMap::new();
        assert_eq!(message(429, &headers, "Retry later\n"), "Retry later");
        assert_eq!(message(502, &headers, " \n"), "the body is empty");
        assert_eq!(message(502, &headers, "a\u{1b}[2Jb\u{7}c"), "a [2Jb c");
        assert_eq!(
            message(200, &headers, "{\"data\":{\"a\""),
            "the body is no JSON object, or breaks off"
        );
        assert_eq!(message(500, &headers, &"é".repeat(5000)).chars().count(), 301);
    }

    #[test]
    fn neither_rows_nor_bytes_are_repeated() {
        let headers = HeaderMap::new();
        let told = "the body is binary, no text";
        assert_eq!(message(200, &headers, "\u{1f}\u{fffd}\u{8}\0\0ab"), told);
        assert_eq!(message(200, &headers, "PK\u{3}\u{4}"), told);
        for before in [")]}',\n", "--graphql\ncontent-type: application/json\n\n"] {
            let body = format!("{before}{{\"data\":{{\"people\":[{{\"name\":\"Ada\"}}]}}}}");
            let told = message(200, &headers, &body);
            assert_eq!(told, "the body holds JSON with `data`, but something stands before it");
        }
    }

    #[test]
    fn a_redirection_names_its_target_without_query_and_user() {
        let mut headers = HeaderMap::new();
        headers.insert(
            LOCATION,
            "https://user:pass@login.acme.test/in?token=s3cret".parse().unwrap(),
        );
        assert_eq!(message(302, &headers, ""), "redirected to https://login.acme.test/in");
    }

    #[test]
    fn several_errors_are_counted() {
        let errors = ["first", "second", "third"].map(|text| GraphqlError::from_value(Value::from(text)));
        let body = ReplyBody::Envelope {
            has_data: false,
            has_data_member: false,
            errors: &errors,
            aside: None,
            extensions: &Value::Null,
        };
        let headers = HeaderMap::new();
        let reply = Reply {
            status: 400,
            headers: &headers,
            body,
        };
        assert_eq!(reply.message(str::to_owned), "first (and 2 more errors)");
    }

    #[test]
    fn what_says_nothing_in_words_is_told_as_it_is() {
        let headers = HeaderMap::new();
        let silent = |has_data, has_data_member| {
            let body = ReplyBody::Envelope {
                has_data,
                has_data_member,
                errors: &[],
                aside: None,
                extensions: &Value::Null,
            };
            let reply = Reply {
                status: 500,
                headers: &headers,
                body,
            };
            reply.message(str::to_owned)
        };
        assert_eq!(silent(true, true), "`data` is there, and no error says what is wrong");
        assert_eq!(silent(false, true), "`data` is null, and no error says why");
        assert_eq!(
            silent(false, false),
            "the body is JSON, but neither `data` nor `errors` is in it"
        );
    }

    #[test]
    fn a_secret_on_a_cut_is_taken_out_before_the_cut() {
        let secret = "s3cret-".repeat(40);
        let redact = |text: &str| text.replace(&secret, "[secret]");
        let error = |length: usize| {
            [GraphqlError::from_value(Value::from(format!(
                "{}{secret}",
                "x".repeat(length)
            )))]
        };
        let headers = HeaderMap::new();
        for length in [0, 20, 150, 290, 299, 300] {
            let errors = error(length);
            let of_errors = ReplyBody::Envelope {
                has_data: false,
                has_data_member: false,
                errors: &errors,
                aside: None,
                extensions: &Value::Null,
            };
            let of_server = ReplyBody::Envelope {
                has_data: true,
                has_data_member: true,
                errors: &[],
                aside: errors.first(),
                extensions: &Value::Null,
            };
            let plain = format!("{}{secret}", "x".repeat(length));
            // One that the cut of a long body goes through, and that its white space leaves near the beginning.
            let spaced = format!("<title>{}{secret}</title>", " ".repeat(4096 - 300 + length));
            for body in [of_errors, of_server, ReplyBody::Text(&plain), ReplyBody::Text(&spaced)] {
                let told = Reply {
                    status: 400,
                    headers: &headers,
                    body,
                }
                .message(redact);
                assert!(!told.contains("s3c"), "{length}: {told}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), page in "<[tT]itle[>]?.{0,20}(</title)?") {
            let headers = HeaderMap::new();
            message(200, &headers, &text);
            message(200, &headers, &page);
        }
    }
}
