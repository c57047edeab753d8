//! The layers of a source's settings: each `--set`, then `source.toml`, then the preset that they name, then the one that
//! this names.

use std::str::FromStr;

use crate::project::complaint::suggestion;
use crate::project::diagnostic::{Diagnostic, Document};
use crate::project::preset;
use crate::project::raw::RawSource;

/// One `--set KEY=VALUE`: a key of `source.toml` with dots, and its value as TOML, or as text where it is not TOML.
///
/// It has no `Debug`, since the value may be a secret given by mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyOverride {
    key: String,
    value: String,
}

/// A `--set` that is no key and value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`--set` takes a key and a value: write `--set KEY=VALUE`, such as `--set limits.concurrency=4`")]
pub struct KeyOverrideError;

impl FromStr for KeyOverride {
    type Err = KeyOverrideError;

    fn from_str(text: &str) -> Result<Self, KeyOverrideError> {
        let (key, value) = text.split_once('=').ok_or(KeyOverrideError)?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_control) {
            return Err(KeyOverrideError);
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

impl KeyOverride {
    /// The key and its value as a line of TOML.
    pub(crate) fn line(&self) -> String {
        let value = match self.value.parse::<toml::Value>() {
            Ok(_) => self.value.clone(),
            Err(_) => toml::Value::String(self.value.clone()).to_string(),
        };
        format!("{} = {value}", self.key)
    }

    /// Whether it sets that key, or one in the table of that name.
    pub fn sets(&self, key: &str) -> bool {
        self.key
            .strip_prefix(key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// A text with this one key.
    fn document(&self) -> Document {
        Document {
            name: format!("--set {}", self.key),
            text: self.line(),
        }
    }
}

/// The layers of one source's settings.
pub(crate) struct Layers {
    /// The highest first.
    overrides: Vec<Layer>,
    file: Layer,
    /// Each over the one that it names.
    presets: Vec<Layer>,
}

struct Layer {
    document: Document,
    keys: RawSource,
}

impl Layer {
    fn read(document: Document) -> Result<Self, Diagnostic> {
        match toml::from_str(&document.text) {
            Ok(keys) => Ok(Self { document, keys }),
            Err(error) => Err(Diagnostic::from_toml(&document, &error)),
        }
    }

    /// The same as a preset.
    fn shipped(mut self) -> Self {
        self.keys.paging.iter_mut().for_each(|rule| rule.is_shipped = true);
        self
    }
}

impl Layers {
    /// Reads a `source.toml`, what is set over it (a later one over an earlier), and the presets below it.
    pub(crate) fn read(file: Document, overrides: &[KeyOverride]) -> Result<Self, Diagnostic> {
        let documents = overrides.iter().rev().map(KeyOverride::document);
        let mut layers = Self {
            overrides: documents.map(Layer::read).collect::<Result<_, _>>()?,
            file: Layer::read(file)?,
            presets: Vec::new(),
        };
        let mut named = layers.highest_first().find_map(|layer| layer.keys.preset.clone());
        while let Some(name) = named {
            let document = preset::find(&name).ok_or_else(|| layers.unknown_preset(&name))?;
            let preset = Layer::read(document)?.shipped();
            named = preset.keys.preset.clone();
            layers.presets.push(preset);
        }
        Ok(layers)
    }

    /// All layers as one, key by key.
    pub(crate) fn merged(&self) -> RawSource {
        let lay_below = |above: RawSource, layer: &Layer| above.over(layer.keys.clone());
        self.highest_first().fold(RawSource::default(), lay_below)
    }

    /// An error at the first of these keys that the highest layer with any of them has; about the file as a whole if
    /// none has one. A key is given as the path of tables to it.
    pub(crate) fn complain(&self, keys: &[&[&str]], message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        for layer in self.highest_first() {
            if let Some(span) = keys.iter().find_map(|key| layer.document.locate(key)) {
                return Diagnostic::at(&layer.document, span, message, help);
            }
        }
        Diagnostic::of_document(&self.file.document, message, help)
    }

    fn unknown_preset(&self, name: &str) -> Diagnostic {
        let help = suggestion(name, "the presets are", &preset::names());
        self.complain(&[&["preset"]], format!("unknown preset `{name}`"), help)
    }

    fn highest_first(&self) -> impl Iterator<Item = &Layer> {
        self.overrides.iter().chain([&self.file]).chain(&self.presets)
    }
}
