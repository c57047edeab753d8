//! Cursors in an API's own words: the key of the row that they are of, from which the row is found again.

use apollo_compiler::collections::HashMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::demo::dataset::Instance;
use crate::demo::generator::Generated;

/// How cursors are written of the values of a row: `{id}` stands for that of a field, `{root.id}` for one of an object's,
/// `{state:lower}` for it in small letters, `{date:milliseconds}` for a moment since 1970. Null is `none`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorWords {
    /// One text.
    Text(CursorPattern),
    /// A JSON list of texts inside a text, taken back as a list where the schema has one.
    List(Vec<CursorPattern>),
    /// A JSON object of texts, written as Python does, in Base64.
    Key(Vec<(String, CursorPattern)>),
}

/// One text of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Value { path: String, form: ValueForm },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueForm {
    Plain,
    Lower,
    Milliseconds,
}

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorFlaw {
    /// It is no Base64.
    Encoding,
    /// It is no JSON.
    Json,
    /// It is JSON's null.
    Null,
    /// It is of no row of this list with these arguments.
    Foreign,
}

/// The values that a cursor has for fields of its row, by their paths.
pub(crate) type CursorValues = HashMap<String, String>;

impl CursorWords {
    /// The cursor of a row; `suffix` goes behind its last text.
    pub(crate) fn write(&self, row: Instance<'_>, suffix: &str) -> String {
        let fill = |patterns: &mut dyn Iterator<Item = &CursorPattern>| {
            let mut texts: Vec<String> = patterns.map(|pattern| pattern.fill(row)).collect();
            if let Some(last) = texts.last_mut() {
                last.push_str(suffix);
            }
            texts
        };
        match self {
            Self::Text(pattern) => fill(&mut std::iter::once(pattern)).concat(),
            Self::List(patterns) => {
                let quoted: Vec<String> = fill(&mut patterns.iter()).iter().map(|text| quoted(text)).collect();
                format!("[{}]", quoted.join(", "))
            }
            Self::Key(named) => {
                let texts = fill(&mut named.iter().map(|(_, pattern)| pattern));
                let members = named.iter().zip(&texts);
                let members: Vec<String> = members
                    .map(|((name, _), text)| format!("{}: {}", quoted(name), quoted(text)))
                    .collect();
                BASE64.encode(format!("{{{}}}", members.join(", ")))
            }
        }
    }

    /// The texts in what [`CursorWords::write`] wrote.
    pub(crate) fn texts(&self, cursor: &str) -> Result<Vec<String>, CursorFlaw> {
        match self {
            Self::Text(_) => Ok(vec![cursor.to_owned()]),
            Self::List(_) => serde_json::from_str(cursor).map_err(|_| CursorFlaw::Json),
            Self::Key(named) => {
                let bytes = BASE64.decode(cursor).map_err(|_| CursorFlaw::Encoding)?;
                let key: Value = serde_json::from_slice(&bytes).map_err(|_| CursorFlaw::Json)?;
                if key.is_null() {
                    return Err(CursorFlaw::Null);
                }
                let texts = named.iter().map(|(name, _)| Some(key.get(name)?.as_str()?.to_owned()));
                texts.collect::<Option<_>>().ok_or(CursorFlaw::Foreign)
            }
        }
    }

    /// Whether a cursor shows its texts only when it is decoded.
    pub(crate) fn is_encoded(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// How many texts a cursor has.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::List(patterns) => patterns.len(),
            Self::Key(named) => named.len(),
        }
    }

    /// The values that the texts of a cursor have for the fields of its row.
    pub(crate) fn values(&self, texts: &[String]) -> Option<CursorValues> {
        let patterns: Vec<&CursorPattern> = match self {
            Self::Text(pattern) => vec![pattern],
            Self::List(patterns) => patterns.iter().collect(),
            Self::Key(named) => named.iter().map(|(_, pattern)| pattern).collect(),
        };
        let mut values = CursorValues::default();
        for (pattern, text) in patterns.into_iter().zip(texts) {
            pattern.read(text, &mut values)?;
        }
        Some(values)
    }
}

/// As Python's `json.dumps` writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl CursorPattern {
    fn fill(&self, row: Instance<'_>) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Fixed(text) => text.clone(),
            Piece::Value { path, form } => form.written(row.value_at(path)),
        });
        filled.collect()
    }

    fn read(&self, mut text: &str, values: &mut CursorValues) -> Option<()> {
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            match (piece, pieces.peek()) {
                (Piece::Fixed(fixed), _) => text = text.strip_prefix(fixed.as_str())?,
                (Piece::Value { path, .. }, Some(Piece::Fixed(next))) => {
                    let end = text.find(next.as_str())?;
                    values.insert(path.clone(), text.get(..end)?.to_owned());
                    text = text.get(end..)?;
                }
                (Piece::Value { path, .. }, _) => {
                    values.insert(path.clone(), std::mem::take(&mut text).to_owned());
                }
            }
        }
        text.is_empty().then_some(())
    }
}

impl ValueForm {
    fn written(self, value: Option<Generated<'_>>) -> String {
        let Some(Generated::Leaf(value)) = value else {
            return String::new();
        };
        match (value, self) {
            (Value::Null, _) => "none".to_owned(),
            (Value::String(text), Self::Plain) => text,
            (Value::String(text), Self::Lower) => text.to_lowercase(),
            (Value::String(text), Self::Milliseconds) => {
                let moment = text.parse::<Timestamp>();
                moment.map_or(text, |moment| moment.as_millisecond().to_string())
            }
            (other, _) => other.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for CursorPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((fixed, behind)) = rest.split_once('{') {
            let (place, behind) = behind
                .split_once('}')
                .ok_or_else(|| D::Error::custom(format!("`{text}` has a brace that is not closed")))?;
            pieces.extend((!fixed.is_empty()).then(|| Piece::Fixed(fixed.to_owned())));
            pieces.push(Piece::of(place).map_err(D::Error::custom)?);
            rest = behind;
        }
        pieces.extend((!rest.is_empty()).then(|| Piece::Fixed(rest.to_owned())));
        Ok(Self(pieces))
    }
}

impl Piece {
    fn of(place: &str) -> Result<Self, String> {
        let (path, form) = match place.split_once(':') {
            None => (place, ValueForm::Plain),
            Some((path, "lower")) => (path, ValueForm::Lower),
            Some((path, "milliseconds")) => (path, ValueForm::Milliseconds),
            Some((_, other)) => return Err(format!("`{other}` is no form: use lower or milliseconds")),
        };
        Ok(Self::Value {
            path: path.to_owned(),
            form,
        })
    }
}
