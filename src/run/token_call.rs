//! The calls that deal with tokens themselves: sent once, since what they do must not be done twice.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Map, Number, Value, json};

use crate::api::{ApiError, GraphqlRequest};
use crate::project::{CallRequest, TokenCall, without};
use crate::run::source_run::{RunSettings, SourceError, SourceJob, bare_endpoint};

/// What a call is given.
#[derive(Debug, Clone, Default)]
pub struct CallValues {
    /// Which token.
    pub id: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<u64>,
}

/// What a call brought. It has no `Debug`: a token may be part of it.
pub struct CallAnswer {
    value: Value,
    warning: Option<String>,
}

/// A call that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum TokenCallError {
    /// The API cannot be asked.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It refused.
    #[error("the API refused it with status {status}: {words}")]
    Refused {
        /// Of the response.
        status: u16,
        /// What it says.
        words: String,
        /// Whether it is the token that asks which is refused.
        is_unauthorized: bool,
    },
    /// It says of itself that it did not do it, and nothing else.
    #[error("the API refused it and does not say why: `{0}` is false")]
    Unsuccessful(String),
    /// Its answer lacks what it should hold; nothing of it is told, since a token may be part of it.
    #[error("the API's answer holds no `{0}`: see on its web page what became of the call")]
    Strange(String),
}

impl TokenCallError {
    /// Whether the token itself was refused.
    pub fn is_unauthorized(&self) -> bool {
        match self {
            Self::Refused { is_unauthorized, .. } => *is_unauthorized,
            Self::Source(SourceError::Api(error)) => matches!(error, ApiError::Token { .. }),
            Self::Source(_) | Self::Unsuccessful(_) | Self::Strange(_) => false,
        }
    }
}

/// Sends a call once, over the job's transport.
pub async fn call(
    job: &SourceJob,
    settings: &RunSettings,
    call: &TokenCall,
    values: &CallValues,
) -> Result<CallAnswer, TokenCallError> {
    let endpoint = bare_endpoint(job, settings)?;
    let body = body(&call.request, values);
    let response = endpoint.send_once(&format!("{}/token", job.name), body).await;
    let response = response.map_err(SourceError::Api)?;
    // What ends a token may answer with nothing at all.
    let value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let secret = call.secret.as_deref().and_then(|path| secret_at(&value, path));
    let told = |text: &str| endpoint.told(&without(text, secret.iter(), "[token]"));
    let is_good = (200..300).contains(&response.status);
    let said = match (words(&value), is_good) {
        (None, true) => None,
        (None, false) => Some(told(&first_line(&response.body))),
        (Some(words), _) => Some(told(&words)),
    };
    // A token that is there was made, whatever is said beside it: nobody else would hear of it.
    if let (Some(words), None) = (&said, &secret) {
        return Err(TokenCallError::Refused {
            status: response.status,
            words: words.clone(),
            is_unauthorized: endpoint.refuses_token(&response),
        });
    }
    let success = call.success.as_deref().map(|path| (path, at(&value, path)));
    match success {
        Some((path, Some(Value::Bool(false)))) => {
            let words = || format!("`{path}` is false");
            match &secret {
                Some(_) => Ok(CallAnswer {
                    warning: Some(said.unwrap_or_else(words)),
                    value,
                }),
                None => Err(TokenCallError::Unsuccessful(path.to_owned())),
            }
        }
        Some((path, found)) if said.is_none() && found != Some(&Value::Bool(true)) => {
            Err(TokenCallError::Strange(path.to_owned()))
        }
        _ => Ok(CallAnswer { value, warning: said }),
    }
}

fn body(request: &CallRequest, values: &CallValues) -> Bytes {
    let query = match request {
        CallRequest::Query(query) => query,
        CallRequest::Path { body, .. } => return Bytes::from(body.clone()),
    };
    let given = [
        ("id", values.id.clone().map(Value::from)),
        ("name", values.name.clone().map(Value::from)),
        ("expires", values.expires.map(|expires| json!(expires))),
    ];
    let given = given.into_iter().filter(|(name, _)| request.takes(name));
    let variables: Map<String, Value> = given
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let request = GraphqlRequest {
        operation_name: None,
        query: query.as_str().into(),
        variables,
    };
    request.body().unwrap_or_default()
}

/// The messages of an answer's errors, where it has any.
fn words(answer: &Value) -> Option<String> {
    let errors = answer.get("errors")?.as_array()?;
    let messages: Vec<&str> = errors
        .iter()
        .filter_map(|error| error.get("message")?.as_str())
        .collect();
    (!errors.is_empty()).then(|| messages.join("; "))
}

/// The first line of a text; nothing of one that is no text for people.
fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    match line.starts_with(['<', '{', '[']) || line.is_empty() {
        true => "it gives no reason in words".to_owned(),
        false => line.to_owned(),
    }
}

impl CallAnswer {
    /// What the API says beside a token that it made.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The token that was made.
    pub fn secret(&self, call: &TokenCall) -> Result<SecretString, TokenCallError> {
        let path = call.secret.clone().unwrap_or_default();
        secret_at(&self.value, &path).ok_or(TokenCallError::Strange(path))
    }

    /// What is to be shown of each token of a list.
    pub fn rows(&self, call: &TokenCall) -> Result<Vec<Vec<String>>, TokenCallError> {
        let path = call.items.clone().unwrap_or_default();
        let items = at(&self.value, &path).and_then(Value::as_array);
        let items = items.ok_or(TokenCallError::Strange(path))?;
        Ok(items.iter().map(|item| shown(item, call)).collect())
    }

    /// What is to be shown of the answer.
    pub fn shown(&self, call: &TokenCall) -> Vec<String> {
        shown(&self.value, call)
    }
}

fn secret_at(value: &Value, path: &str) -> Option<SecretString> {
    let secret = at(value, path).and_then(Value::as_str);
    secret.filter(|secret| !secret.is_empty()).map(SecretString::from)
}

fn at<'value>(value: &'value Value, path: &str) -> Option<&'value Value> {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    steps.try_fold(value, |at, step| at.get(step))
}

fn shown(value: &Value, call: &TokenCall) -> Vec<String> {
    let text = |path: &String| match at(value, path) {
        Some(Value::String(text)) => text.chars().filter(|character| !character.is_control()).collect(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(Value::Number(number)) if call.seconds.contains(path) => {
            moment(number).unwrap_or_else(|| number.to_string())
        }
        Some(other) => other.to_string(),
    };
    call.columns.iter().map(text).collect()
}

/// A moment that is told in seconds since 1970; `None` for one beyond those that have a name.
fn moment(seconds: &Number) -> Option<String> {
    let since = Duration::from_secs(seconds.as_u64()?);
    let moment = jiff::Timestamp::try_from(UNIX_EPOCH.checked_add(since)?).ok()?;
    Some(moment.to_string())
}
