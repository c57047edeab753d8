//! When a token ends, where it says so itself: a JSON Web Token has it in its middle part.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// The claims that matter; the others are nobody's business. Seconds since 1970, whole ones mostly.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    iat: Option<f64>,
}

/// From when to when a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLife {
    /// When it was made; `None` where it does not say so.
    pub made: Option<SystemTime>,
    /// When it ends.
    pub end: SystemTime,
}

/// How long a token is good; `None` where it does not say so.
pub fn token_life(token: &SecretString) -> Option<TokenLife> {
    // Some write the scheme into the token.
    let token = token.expose_secret().split_whitespace().last()?;
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    let at = |seconds| UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    Some(TokenLife {
        made: claims.iat.and_then(at),
        end: at(claims.exp)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(token: &str) -> Option<u64> {
        let life = token_life(&SecretString::from(token))?;
        Some(life.end.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    fn with_claims(claims: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_json_web_token_says_when_it_ends() {
        // The example of RFC 7519, section 3.1.
        let example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(end_of(example), Some(1_300_819_380));
        assert_eq!(end_of(&format!("Bearer {example}")), Some(1_300_819_380));
        assert_eq!(
            end_of(&with_claims(r#"{"exp":1800000000.5,"aud":[1]}"#)),
            Some(1_800_000_000)
        );
        let padded = with_claims(r#"{"exp":1800000000}"#).replacen(".c2", "==.c2", 1);
        assert_eq!(end_of(&padded), Some(1_800_000_000));
    }

    #[test]
    fn it_may_say_when_it_was_made() {
        let made = |claims| token_life(&SecretString::from(with_claims(claims))).unwrap().made;
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(made(r#"{"exp":1800000000,"iat":1700000000}"#), Some(at));
        assert_eq!(made(r#"{"exp":1800000000,"iat":-1}"#), None);
        assert_eq!(made(r#"{"exp":1800000000}"#), None);
    }

    #[test]
    fn other_tokens_say_nothing() {
        let claims = [
            r#"{"iat":1}"#,
            r#"{"exp":"soon"}"#,
            r#"{"exp":-1}"#,
            r#"{"exp":1e300}"#,
            "{",
            "[]",
        ];
        for token in claims.map(with_claims) {
            assert_eq!(end_of(&token), None, "{token}");
        }
        for token in [
            "",
            " ",
            "ghp_0123456789",
            "a.b",
            "a.!.c",
            "a.b.c.d",
            "..",
            "\u{0}.\u{0}.\u{0}",
        ] {
            assert_eq!(end_of(token), None, "{token}");
        }
    }
}
