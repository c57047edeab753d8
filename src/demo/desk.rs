//! The desk at which tokens are listed, made and ended: the only calls to a stand-in that change it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::demo::behaviour::optional_duration;
use crate::demo::desk_call::{DeskCall, Given};
use crate::demo::refusal::Refusal;
use crate::demo::stand_in::Answer;

/// How a stand-in deals with its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenDesk {
    /// How many tokens there can be.
    pub at_most: usize,
    /// Tokens have to last less than this, and to be told when they end; they do not end where it is not given.
    #[serde(default, deserialize_with = "optional_duration")]
    pub longest: Option<Duration>,
    /// How many characters their names have at most; they are not named where it is not given.
    #[serde(default)]
    pub name_characters: Option<usize>,
    /// The answer to a call for more tokens than there can be.
    pub too_many: Refusal,
    /// The answer to one for a token that lasts too long, or has ended already; not needed where none end.
    #[serde(default)]
    pub wrong_end: Option<Refusal>,
    /// The answer to one with a name that is empty, or too long.
    #[serde(default)]
    pub wrong_name: Option<Refusal>,
    /// The answer to one that would end a token which is not there.
    pub unknown: Refusal,
    /// What is said of each token in a list: `{id}`, `{name}` and `{made}`, in seconds since 1970, are filled in.
    pub item: String,
    /// The calls.
    pub calls: Vec<DeskCall>,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAct {
    /// Says who is asking, and which tokens there are.
    List,
    /// Makes one more.
    Create,
    /// Makes one in the place of all others.
    Replace,
    /// Ends one.
    Revoke,
}

/// A desk that is open.
pub(crate) struct OpenDesk {
    rules: TokenDesk,
    tokens: Mutex<Vec<HeldToken>>,
}

struct HeldToken {
    id: String,
    name: String,
    made: u64,
    ends: Option<u64>,
    secret: SecretString,
}

/// The name of a token that none was given for.
const UNNAMED: &str = "Token";

impl OpenDesk {
    /// The desk of an API that has made one token so far.
    pub(crate) fn new(rules: TokenDesk, first: SecretString, now: u64) -> Self {
        let first = HeldToken {
            id: random_id(),
            name: UNNAMED.to_owned(),
            made: now,
            ends: None,
            secret: first,
        };
        Self {
            rules,
            tokens: Mutex::new(vec![first]),
        }
    }

    /// Addresses beside the GraphQL one that it is called at.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.rules.calls.iter().filter_map(|call| call.path.as_deref())
    }

    /// Whether this is one of its tokens, and has not ended.
    pub(crate) fn takes(&self, token: &str, now: u64) -> bool {
        let is_it = |held: &HeldToken| held.secret.expose_secret() == token && held.ends.is_none_or(|ends| now < ends);
        self.held().iter().any(is_it)
    }

    /// The answer to a GraphQL request that is a call; `None` where it is none.
    pub(crate) fn asked(&self, body: &[u8], now: u64) -> Option<Answer> {
        let calls = self.rules.calls.iter();
        let (call, given) = calls.filter_map(|call| Some((call, call.asked(body)?))).next()?;
        Some(match self.serve(call.does, &given, now) {
            Err(refusal) => Answer::refused(refusal),
            Ok(values) => {
                let data = given.selected(&call.answer(&values));
                Answer::of_desk(json!({ "data": data }).to_string())
            }
        })
    }

    /// The answer to a request at another address.
    pub(crate) fn called(&self, method: &str, path: &str, now: u64) -> Option<Refusal> {
        let calls = self.rules.calls.iter();
        let (call, given) = calls
            .filter_map(|call| Some((call, call.called(method, path)?)))
            .next()?;
        let answer = self.serve(call.does, &given, now).map(|values| Refusal {
            status: call.status,
            body: match call.answer(&values) {
                Value::Null => String::new(),
                answer => answer.to_string(),
            },
        });
        Some(answer.unwrap_or_else(|refused| refused))
    }

    /// Does it; the values that its answer is filled with.
    fn serve(&self, act: TokenAct, given: &Given, now: u64) -> Result<BTreeMap<&'static str, String>, Refusal> {
        match act {
            TokenAct::List => Ok(BTreeMap::from([("tokens", self.list())])),
            TokenAct::Create | TokenAct::Replace => {
                let token = self.made(act, given, now)?;
                let mut held = self.held();
                if act == TokenAct::Replace {
                    held.clear();
                }
                if held.len() >= self.rules.at_most {
                    return Err(self.rules.too_many.clone());
                }
                let secret = token.secret.expose_secret().to_owned();
                let values = BTreeMap::from([("id", token.id.clone()), ("secret", secret)]);
                held.push(token);
                Ok(values)
            }
            TokenAct::Revoke => {
                let mut held = self.held();
                let count = held.len();
                held.retain(|token| given.id.as_ref() != Some(&token.id));
                match held.len() < count {
                    true => Ok(BTreeMap::new()),
                    false => Err(self.rules.unknown.clone()),
                }
            }
        }
    }

    /// The token that is asked for, if it may be made.
    fn made(&self, act: TokenAct, given: &Given, now: u64) -> Result<HeldToken, Refusal> {
        let is_named = |name: &str| {
            let most = self.rules.name_characters.unwrap_or(usize::MAX);
            (1..=most).contains(&name.chars().count())
        };
        let name = match (&given.name, act) {
            (Some(name), TokenAct::Create) => name.clone(),
            _ => UNNAMED.to_owned(),
        };
        if let Some(refusal) = self.rules.wrong_name.as_ref().filter(|_| !is_named(&name)) {
            return Err(refusal.clone());
        }
        let longest = self.rules.longest.map(|longest| longest.as_secs());
        let lasts = given.expires.map_or(0, |ends| ends.saturating_sub(now));
        let is_wrong = longest.is_some_and(|longest| lasts == 0 || lasts >= longest);
        if let Some(refusal) = self.rules.wrong_end.as_ref().filter(|_| is_wrong) {
            return Err(refusal.clone());
        }
        let ends = given.expires.filter(|_| longest.is_some());
        Ok(HeldToken {
            id: random_id(),
            name,
            made: now,
            ends,
            secret: secret(ends),
        })
    }

    fn list(&self) -> String {
        let item = |token: &HeldToken| {
            let name = Value::from(token.name.as_str()).to_string();
            let item = self.rules.item.replace("{id}", &token.id).replace("{name}", &name);
            item.replace("{made}", &token.made.to_string())
        };
        let items: Vec<String> = self.held().iter().map(item).collect();
        format!("[{}]", items.join(","))
    }

    fn held(&self) -> MutexGuard<'_, Vec<HeldToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// A secret; one that ends is a JSON Web Token, which says when.
fn secret(ends: Option<u64>) -> SecretString {
    let random = format!("demo-{:032x}", rand::random::<u128>());
    let Some(ends) = ends else {
        return SecretString::from(random);
    };
    let mut claims = Map::new();
    claims.insert("exp".to_owned(), Value::from(ends));
    claims.insert("sub".to_owned(), Value::from("api_token"));
    claims.insert("ciphertext".to_owned(), Value::from(random));
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({ "alg": "RS512" }));
    SecretString::from(format!(
        "{head}.{}.{}",
        part(Value::Object(claims)),
        part(json!("demo"))
    ))
}
