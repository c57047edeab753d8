//! Turns what one attempt brought into what happens next.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Buf as _, Bytes};
use reqwest::header::HeaderMap;
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::Value;

use crate::api::allowance::ToldBudget;
use crate::api::envelope::{Envelope, EnvelopeError, read_envelope};
use crate::api::error::{ApiError, Failure, Refusal};
use crate::api::graphql_error::{ErrorPath, GraphqlError, PathSegment, Unplaced};
use crate::api::token::TokenKeeper;
use crate::api::transport::{HttpResponse, TransportError};
use crate::api::verdict::{Reply, ReplyBody, Verdict, failed_fields, judge, pause_hint, told_budgets};
use crate::project::{Secrets, VerdictRule};

/// What some servers write before a text in UTF-8; JSON has none.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What happens after one attempt.
pub(super) enum Outcome<D> {
    /// The answer is taken in.
    Taken(Taken<D>),
    /// The whole source waits, then the request is sent again.
    Throttled { wait: Option<Duration>, refusal: Refusal },
    /// The request waits, then it is sent again.
    Failed { wait: Option<Duration>, failure: Failure },
    /// Sending it again would change nothing.
    Refused(ApiError),
}

/// An answer that is taken in.
pub(super) struct Taken<D> {
    pub(super) data: D,
    pub(super) errors: Vec<GraphqlError>,
    pub(super) denied: Vec<ErrorPath>,
    pub(super) body: Bytes,
    /// For how long nothing should be sent, because the budget is spent.
    pub(super) pause: Option<Duration>,
    /// What is left of the budgets that it tells of.
    pub(super) told: Vec<ToldBudget>,
}

/// What responses of one source are read with.
pub(super) struct Reading<'e> {
    pub(super) api: &'e Arc<str>,
    pub(super) rules: &'e [VerdictRule],
    pub(super) token: Option<&'e TokenKeeper>,
    pub(super) secrets: &'e Secrets,
    pub(super) now: SystemTime,
}

impl Reading<'_> {
    /// Reads and judges what an attempt brought.
    pub(super) fn outcome<S, D>(&self, result: Result<HttpResponse, TransportError>, read_data: S) -> Outcome<D>
    where
        S: for<'de> DeserializeSeed<'de, Value = D>,
    {
        let mut response = match result {
            Ok(response) => response,
            Err(error) => return self.without_response(error),
        };
        if response.body.starts_with(BYTE_ORDER_MARK) {
            response.body.advance(BYTE_ORDER_MARK.len());
        }
        let Ok(text) = std::str::from_utf8(&response.body) else {
            let text = String::from_utf8_lossy(&response.body);
            return self.without_envelope(&response, &text);
        };
        match read_envelope(text, read_data) {
            Ok(envelope) => self.with_envelope(&response, envelope),
            Err(EnvelopeError::Refused(reason)) => self.misshapen(&response, text, &reason),
            Err(EnvelopeError::Malformed(_) | EnvelopeError::NotAnObject) => self.without_envelope(&response, text),
        }
    }

    fn without_response<D>(&self, error: TransportError) -> Outcome<D> {
        let refusal = |error: &TransportError| Refusal {
            api: Arc::clone(self.api),
            status: None,
            message: error.to_string(),
        };
        match error {
            TransportError::TooLarge { .. } => Outcome::Refused(ApiError::TooBig(refusal(&error))),
            TransportError::Setup { .. } => Outcome::Refused(ApiError::Invalid(refusal(&error))),
            error => Outcome::Failed {
                wait: None,
                failure: Failure::Transport(error),
            },
        }
    }

    fn with_envelope<D>(&self, response: &HttpResponse, envelope: Envelope<D>) -> Outcome<D> {
        let reply = reply(response, envelope_body(&envelope));
        let verdict = judge(&reply, self.rules, self.now);
        let denied = match (&verdict, envelope.data.is_some()) {
            (Verdict::Data, _) => Vec::new(),
            (Verdict::Denied { paths, .. }, true) => {
                paths.iter().cloned().map(|path| self.redacted_path(path)).collect()
            }
            _ => return self.not_taken(verdict, &reply),
        };
        let Some(data) = envelope.data else {
            return self.not_taken(Verdict::Invalid, &reply);
        };
        Outcome::Taken(Taken {
            data,
            errors: self.redacted_errors(envelope.errors),
            denied,
            body: response.body.clone(),
            pause: pause_hint(&response.headers, &envelope.extensions, self.now),
            told: told_budgets(&response.headers, self.now),
        })
    }

    fn without_envelope<D>(&self, response: &HttpResponse, text: &str) -> Outcome<D> {
        let reply = reply(response, ReplyBody::Text(text));
        self.not_taken(judge(&reply, self.rules, self.now), &reply)
    }

    /// `data` is not what was asked for. The errors, which may come after it, often say why.
    fn misshapen<D>(&self, response: &HttpResponse, text: &str, reason: &str) -> Outcome<D> {
        let envelope = match read_envelope(text, std::marker::PhantomData::<IgnoredAny>) {
            Ok(envelope) => envelope,
            // What is wrong with it is wrong whatever is asked for.
            Err(EnvelopeError::Refused(reason)) => {
                let reply = reply(response, ReplyBody::Text(text));
                return Outcome::Refused(ApiError::Misshapen(self.refusal(&reply, self.redacted(&reason))));
            }
            Err(EnvelopeError::Malformed(_) | EnvelopeError::NotAnObject) => {
                return self.without_envelope(response, text);
            }
        };
        let reply = reply(response, envelope_body(&envelope));
        match judge(&reply, self.rules, self.now) {
            Verdict::Data => {
                let said = match reply.errors() {
                    [] => self.redacted(reason),
                    _ => self.message(&reply),
                };
                Outcome::Refused(ApiError::Misshapen(self.refusal(&reply, said)))
            }
            verdict => self.not_taken(verdict, &reply),
        }
    }

    /// What happens after a response that brings nothing to take in.
    fn not_taken<D>(&self, verdict: Verdict, reply: &Reply<'_>) -> Outcome<D> {
        let refusal = self.refusal(reply, self.message(reply));
        Outcome::Refused(match verdict {
            Verdict::Throttled { wait } => return Outcome::Throttled { wait, refusal },
            Verdict::Transient { wait } => {
                let fields = self.redacted_errors(failed_fields(reply, self.rules));
                let failure = Failure::Response { refusal, fields };
                return Outcome::Failed { wait, failure };
            }
            Verdict::TooBig => ApiError::TooBig(refusal),
            Verdict::TooComplex => ApiError::TooComplex(refusal),
            Verdict::Denied { paths, unplaced } => ApiError::Denied {
                cause: self.cause(reply, &paths).into(),
                refusal,
                paths: paths.into_iter().map(|path| self.redacted_path(path)).collect(),
                unplaced: unplaced.into_iter().map(|one| self.redacted_unplaced(one)).collect(),
            },
            Verdict::Unauthorized => ApiError::Unauthorized(refusal),
            Verdict::CursorExpired => ApiError::CursorExpired(refusal),
            Verdict::Data | Verdict::Invalid => ApiError::Invalid(refusal),
        })
    }

    /// What the API said of the first of these fields.
    fn cause(&self, reply: &Reply<'_>, paths: &[ErrorPath]) -> String {
        let mut errors = reply.errors().iter();
        let error = errors.find(|error| error.path.is_some() && error.path.as_ref() == paths.first());
        let message = error.map_or("", |error| error.message.as_str());
        self.redacted(message)
    }

    pub(super) fn redacted(&self, text: &str) -> String {
        // The token first: a shorter secret in it would leave the rest of it.
        let without_token = self.token.map(|token| token.redact(text));
        self.secrets.redact(without_token.as_deref().unwrap_or(text))
    }

    fn message(&self, reply: &Reply<'_>) -> String {
        reply.message(|text| self.redacted(text))
    }

    /// All that is told of errors; `extensions` are not, and go.
    pub(super) fn redacted_errors(&self, errors: Vec<GraphqlError>) -> Vec<GraphqlError> {
        let redacted = |error: GraphqlError| GraphqlError {
            message: self.redacted(&error.message),
            path: error.path.map(|path| self.redacted_path(path)),
            code: error.code.map(|code| self.redacted(&code)),
            kind: error.kind.map(|kind| self.redacted(&kind)),
            extensions: Value::Null,
            ..error
        };
        errors.into_iter().map(redacted).collect()
    }

    fn redacted_unplaced(&self, unplaced: Unplaced) -> Unplaced {
        Unplaced {
            message: self.redacted(&unplaced.message),
            ..unplaced
        }
    }

    fn redacted_path(&self, path: ErrorPath) -> ErrorPath {
        let redacted = |segment| match segment {
            PathSegment::Field(name) => PathSegment::Field(self.redacted(&name)),
            PathSegment::Index(index) => PathSegment::Index(index),
        };
        ErrorPath(path.0.into_iter().map(redacted).collect())
    }

    /// A response that was not taken in, with a message in which nothing is left that nobody is to see.
    fn refusal(&self, reply: &Reply<'_>, message: String) -> Refusal {
        Refusal {
            api: Arc::clone(self.api),
            status: Some(reply.status),
            message,
        }
    }
}

fn reply<'r>(response: &'r HttpResponse, body: ReplyBody<'r>) -> Reply<'r> {
    let headers: &HeaderMap = &response.headers;
    Reply {
        status: response.status,
        headers,
        body,
    }
}

fn envelope_body<D>(envelope: &Envelope<D>) -> ReplyBody<'_> {
    ReplyBody::Envelope {
        has_data: envelope.data.is_some(),
        has_data_member: envelope.has_data_member,
        errors: &envelope.errors,
        aside: envelope.aside.as_ref(),
        extensions: &envelope.extensions,
    }
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile;
