//! The token of a source: read when first needed, kept, and read again once when the API refuses it.

use std::sync::{Arc, PoisonError, RwLock};

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, watch};

use crate::project::{Auth, TokenOrigin, without};

/// Reads the token where the settings say. May block (a command runs, until what it is given says that the run is
/// stopped); an error's text names the origin, never the token.
pub type ReadToken = Arc<dyn Fn(&dyn Fn() -> bool) -> Result<SecretString, String> + Send + Sync>;

/// The token of one source, shared by all its requests.
pub(crate) struct TokenKeeper {
    header: HeaderName,
    scheme: String,
    /// A command may have refreshed what it prints the same: its second answer is always worth an attempt.
    from_command: bool,
    read: ReadToken,
    stop: watch::Receiver<bool>,
    /// The newest last. The others are kept so that they are known where an API repeats them later.
    editions: RwLock<Vec<Token>>,
    /// Held while the token is being read, so that many requests read it once.
    reading: Mutex<()>,
}

struct Token {
    secret: SecretString,
    value: HeaderValue,
    edition: TokenEdition,
}

/// What a request carries to say who is asking.
pub(crate) struct Authorization {
    pub(crate) header: (HeaderName, HeaderValue),
    pub(crate) edition: TokenEdition,
}

/// Which reading of the token a request carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenEdition(u64);

impl TokenKeeper {
    /// Reads nothing yet. Fails if the header's name is not one.
    pub(crate) fn new(auth: &Auth, read: ReadToken, stop: watch::Receiver<bool>) -> Result<Self, String> {
        let header = HeaderName::try_from(auth.header.as_str())
            .map_err(|_| format!("`{}` in [auth] is not a header name", auth.header))?;
        Ok(Self {
            header,
            scheme: auth.scheme.clone(),
            from_command: matches!(auth.token, Some(TokenOrigin::Command(_))),
            read,
            stop,
            editions: RwLock::default(),
            reading: Mutex::new(()),
        })
    }

    /// What the next request carries. Reads the token if that was not done yet.
    pub(crate) async fn authorization(&self) -> Result<Authorization, String> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _reading = self.reading.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let token = self.read_token(TokenEdition(0)).await?;
        let authorization = self.carried(&token);
        self.replace(token);
        Ok(authorization)
    }

    /// Whether a request that was refused with the token of that edition should be sent once more: another request
    /// has renewed the token since, or it reads differently now, or it comes from a command.
    pub(crate) async fn renew(&self, refused: TokenEdition) -> Result<bool, String> {
        let _reading = self.reading.lock().await;
        let known = self.known();
        if known.as_ref().is_some_and(|known| known.edition > refused) {
            return Ok(true);
        }
        let fresh = self.read_token(TokenEdition(refused.0 + 1)).await?;
        let differs = known.is_none_or(|known| known.header.1 != fresh.value);
        if !differs && !self.from_command {
            return Ok(false);
        }
        self.replace(fresh);
        Ok(true)
    }

    /// `text` without any token that this process had, should the API have sent it back.
    pub(crate) fn redact(&self, text: &str) -> String {
        let editions = self.editions.read().unwrap_or_else(PoisonError::into_inner);
        without(text, editions.iter().map(|token| &token.secret), "[token]")
    }

    fn known(&self) -> Option<Authorization> {
        let editions = self.editions.read().unwrap_or_else(PoisonError::into_inner);
        editions.last().map(|token| self.carried(token))
    }

    fn carried(&self, token: &Token) -> Authorization {
        Authorization {
            header: (self.header.clone(), token.value.clone()),
            edition: token.edition,
        }
    }

    fn replace(&self, token: Token) {
        let mut editions = self.editions.write().unwrap_or_else(PoisonError::into_inner);
        editions.push(token);
    }

    async fn read_token(&self, edition: TokenEdition) -> Result<Token, String> {
        let read = Arc::clone(&self.read);
        let stop = self.stop.clone();
        let secret = tokio::task::spawn_blocking(move || read(&|| *stop.borrow()))
            .await
            .map_err(|_| "reading the token was broken off".to_owned())??;
        let mut value = self.header_value(&secret)?;
        value.set_sensitive(true);
        Ok(Token { secret, value, edition })
    }

    fn header_value(&self, secret: &SecretString) -> Result<HeaderValue, String> {
        let token = secret.expose_secret();
        let value = match self.scheme.as_str() {
            "" => HeaderValue::try_from(token),
            // The name of a cookie.
            scheme if scheme.ends_with('=') => HeaderValue::try_from(format!("{scheme}{token}")),
            scheme => HeaderValue::try_from(format!("{scheme} {token}")),
        };
        value.map_err(|_| {
            "the token holds characters that a header cannot carry; look for a line break in it".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn keeper(scheme: &str, origin: TokenOrigin, tokens: &'static [&'static str]) -> TokenKeeper {
        let reads = AtomicUsize::new(0);
        let read: ReadToken = Arc::new(move |_| {
            let read = reads.fetch_add(1, Ordering::SeqCst);
            Ok(SecretString::from(tokens[read.min(tokens.len() - 1)]))
        });
        let auth = Auth {
            header: "authorization".to_owned(),
            scheme: scheme.to_owned(),
            token: Some(origin),
        };
        TokenKeeper::new(&auth, read, watch::channel(false).1).unwrap()
    }

    async fn value_of(keeper: &TokenKeeper) -> HeaderValue {
        keeper.authorization().await.unwrap().header.1
    }

    fn variable() -> TokenOrigin {
        TokenOrigin::Env("TOKEN".to_owned())
    }

    #[tokio::test]
    async fn the_token_is_read_once_and_marked_sensitive() {
        let keeper = keeper("Bearer", variable(), &["first", "second"]);
        let (name, value) = keeper.authorization().await.unwrap().header;
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Bearer first")
        );
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("first"));
        assert_eq!(value_of(&keeper).await, "Bearer first");
    }

    #[tokio::test]
    async fn without_a_scheme_the_token_stands_alone_and_behind_the_name_of_a_cookie_without_a_blank() {
        assert_eq!(value_of(&keeper("", variable(), &["abc"])).await, "abc");
        let cookie = keeper("session=", variable(), &["s3cret"]);
        assert_eq!(value_of(&cookie).await, "session=s3cret");
        assert_eq!(cookie.redact("bad session s3cret"), "bad session [token]");
    }

    #[tokio::test]
    async fn a_changed_token_is_worth_another_attempt_and_an_unchanged_one_is_not() {
        let changed = keeper("", variable(), &["old", "new"]);
        let edition = changed.authorization().await.unwrap().edition;
        assert!(changed.renew(edition).await.unwrap());
        assert_eq!(value_of(&changed).await, "new");
        let unchanged = keeper("", variable(), &["same"]);
        let edition = unchanged.authorization().await.unwrap().edition;
        assert!(!unchanged.renew(edition).await.unwrap());
    }

    #[tokio::test]
    async fn a_command_s_token_is_tried_again_even_if_it_reads_the_same() {
        let keeper = keeper("", TokenOrigin::Command(vec!["vault".to_owned()]), &["same"]);
        let edition = keeper.authorization().await.unwrap().edition;
        assert!(keeper.renew(edition).await.unwrap());
    }

    #[tokio::test]
    async fn many_refused_requests_renew_the_token_once() {
        let keeper = keeper("", variable(), &["first", "second", "third"]);
        let edition = keeper.authorization().await.unwrap().edition;
        assert!(keeper.renew(edition).await.unwrap());
        assert!(keeper.renew(edition).await.unwrap());
        assert_eq!(value_of(&keeper).await, "second");
    }

    #[tokio::test]
    async fn a_token_with_a_line_break_is_refused_without_being_shown() {
        let error = keeper("Bearer", variable(), &["sec\nret"])
            .authorization()
            .await
            .err()
            .unwrap();
        assert!(error.contains("line break") && !error.contains("sec"), "{error}");
    }

    #[tokio::test]
    async fn a_token_that_the_api_sends_back_is_redacted() {
        let keeper = keeper("Bearer", variable(), &["s3cret"]);
        keeper.authorization().await.unwrap();
        assert_eq!(keeper.redact("bad token s3cret"), "bad token [token]");
    }

    #[tokio::test]
    async fn tokens_that_were_replaced_are_redacted_still() {
        let keeper = keeper("Bearer", variable(), &["first", "first-and-second", "third"]);
        for _ in 0..2 {
            let edition = keeper.authorization().await.unwrap().edition;
            assert!(keeper.renew(edition).await.unwrap());
        }
        assert_eq!(
            keeper.redact("not first, first-and-second, third"),
            "not [token], [token], [token]"
        );
    }
}
