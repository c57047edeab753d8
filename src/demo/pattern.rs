//! Texts with placeholders: `{word}` (any of the vocabulary), `{number}` (0 to 999) and `{octet}` (0 to 255).

use serde::Deserialize;

use crate::demo::entropy::Entropy;

/// Numbers in a pattern are below this.
const NUMBER_BOUND: u64 = 1000;

/// A part of an address is below this.
const OCTET_BOUND: u64 = 256;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Word,
    /// Any below a bound.
    Number(u64),
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("`{{{0}}}` is no placeholder: use {{word}}, {{number}} or {{octet}}")]
    Unknown(String),
    #[error("the placeholder in `{0}` is not closed by a brace")]
    Unclosed(String),
}

impl Pattern {
    /// The text, with each placeholder filled in.
    pub(crate) fn fill(&self, vocabulary: &[String], entropy: &mut Entropy) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Word => text.push_str(entropy.pick(vocabulary).map_or("", String::as_str)),
                Piece::Number(bound) => text.push_str(&entropy.below(*bound).to_string()),
            }
        }
        text
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((literal, behind)) = rest.split_once('{') {
            let Some((name, after)) = behind.split_once('}') else {
                return Err(PatternError::Unclosed(text));
            };
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(match name {
                "word" => Piece::Word,
                "number" => Piece::Number(NUMBER_BOUND),
                "octet" => Piece::Number(OCTET_BOUND),
                unknown => return Err(PatternError::Unknown(unknown.to_owned())),
            });
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Self(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_the_rest_stays() {
        let pattern = Pattern::try_from("a {word}/{word} b{number}.".to_owned()).unwrap();
        let text = pattern.fill(&["x".to_owned()], &mut Entropy::of_seed(3));
        let number = text.strip_prefix("a x/x b").and_then(|rest| rest.strip_suffix('.'));
        assert!(number.unwrap().parse::<u64>().unwrap() < NUMBER_BOUND, "{text}");
    }

    #[test]
    fn octets_make_addresses() {
        let pattern = Pattern::try_from("10.0.0.{octet}".to_owned()).unwrap();
        let mut entropy = Entropy::of_seed(3);
        let is_address = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
        assert!((0..2_000).all(|_| is_address(&pattern.fill(&[], &mut entropy))));
    }

    #[test]
    fn wrong_placeholders_are_named() {
        let refused = |text: &str| Pattern::try_from(text.to_owned()).unwrap_err().to_string();
        assert_eq!(
            refused("{wrod}"),
            "`{wrod}` is no placeholder: use {word}, {number} or {octet}"
        );
        assert_eq!(
            refused("a {word"),
            "the placeholder in `a {word` is not closed by a brace"
        );
    }
}
