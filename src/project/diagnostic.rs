//! How an error in a text of the project is shown: what is wrong, where it stands, and what to do about it.
//!
//! Whatever may be a secret is cut out of the lines that are shown, since a token written into a file by mistake
//! must not travel on into logs.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::project::complaint::Complaint;

/// A text with settings, and what people call it. It has no `Debug`, since a secret may stand in it by mistake.
#[derive(Clone)]
pub(crate) struct Document {
    /// A path, ``preset `NAME` ``, or `--set KEY`.
    pub(crate) name: String,
    /// TOML.
    pub(crate) text: String,
}

impl Document {
    /// The bytes of the value that stands at the end of this path of keys.
    pub(crate) fn locate(&self, path: &[&str]) -> Option<Range<usize>> {
        let (last, tables) = path.split_last()?;
        let root = DeTable::parse(&self.text).ok()?.into_inner();
        let mut table = &root;
        for key in tables {
            let DeValue::Table(inner) = table.get(*key)?.get_ref() else {
                return None;
            };
            table = inner;
        }
        Some(table.get(*last)?.span())
    }
}

/// An error in a text of the project.
///
/// ```text
/// unknown value `expo`
///  --> queries/demo/source.toml:4:10
///   |
/// 4 | growth = "expo"
///   |          ^^^^^^
///   = help: did you mean `exponential`? the values here are: `exponential`, `linear`
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    message: String,
    place: Place,
    help: Option<String>,
}

/// Where a diagnostic points.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// At a text as a whole.
    Document(String),
    /// At a piece of it.
    Line(Box<Excerpt>),
}

/// One line of a text with a piece of it marked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    document: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// Characters marked, at least 1.
    width: usize,
    /// The line, without its ending and without what may be secret.
    text: String,
}

impl Diagnostic {
    /// An error that concerns a text as a whole.
    pub(crate) fn of_document(document: &Document, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: Place::Document(document.name.clone()),
            help: Some(help.into()),
        }
    }

    /// An error at this piece of a text, given in bytes.
    pub(crate) fn at(
        document: &Document,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            message: message.into(),
            place: Place::Line(Box::new(Excerpt::new(document, span, false))),
            help: Some(help.into()),
        }
    }

    /// What the TOML parser or a type of the settings has to say.
    pub(crate) fn from_toml(document: &Document, error: &toml::de::Error) -> Self {
        let complaint = Complaint::read(error.message());
        let place = match error.span() {
            Some(span) => Place::Line(Box::new(Excerpt::new(document, span, complaint.is_about_a_key))),
            None => Place::Document(document.name.clone()),
        };
        Self {
            message: complaint.message,
            place,
            help: complaint.help,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.message)?;
        let gutter = match &self.place {
            Place::Document(name) => {
                write!(formatter, "\n --> {name}")?;
                1
            }
            Place::Line(excerpt) => {
                write!(formatter, "\n{excerpt}")?;
                excerpt.gutter()
            }
        };
        let Some(help) = &self.help else {
            return Ok(());
        };
        write!(formatter, "\n{:gutter$} = help: {help}", "")
    }
}

impl Excerpt {
    fn new(document: &Document, span: Range<usize>, only_key: bool) -> Self {
        let text = document.text.as_str();
        let start = text.floor_char_boundary(span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let marked = &text[start..text.floor_char_boundary(span.end).clamp(start, line_end)];
        let line = text[line_start..line_end].trim_end_matches('\r');
        let mut excerpt = Self {
            document: document.name.clone(),
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: marked.chars().count().max(1),
            text: line.replace('\t', " "),
        };
        let key_cut = || line.find('=').filter(|_| only_key).map(|equals| equals + 1);
        if let Some(cut) = secret_start(line, &text[..line_start]).or_else(key_cut) {
            excerpt.cut_at(cut);
        }
        excerpt
    }

    /// Leaves out the line from this byte on; a mark that stood behind it moves onto the sign of the omission.
    fn cut_at(&mut self, cut: usize) {
        self.text.truncate(cut);
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str(" …");
        let kept = self.text.chars().count();
        self.column = self.column.min(kept);
        self.width = self.width.min(kept + 1 - self.column);
    }

    fn gutter(&self) -> usize {
        self.line.to_string().len()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.gutter();
        let (before, carets) = (" ".repeat(self.column - 1), "^".repeat(self.width));
        writeln!(
            formatter,
            "{:gutter$}--> {}:{}:{}",
            "", self.document, self.line, self.column
        )?;
        writeln!(formatter, "{:gutter$} |", "")?;
        writeln!(formatter, "{} | {}", self.line, self.text)?;
        write!(formatter, "{:gutter$} | {before}{carets}", "")
    }
}

/// Words that, in a line, its key or the name of its table, keep the value from being shown.
const SECRET_WORDS: [&str; 6] = ["auth", "token", "headers", "variables", "secret", "password"];

/// The byte of a line behind which something secret may stand: behind the `=` of a suspicious key, or at the line's
/// beginning where it holds no key of its own but goes on with the value of one.
fn secret_start(line: &str, before: &str) -> Option<usize> {
    if is_table_header(line) {
        return None;
    }
    let table = before.lines().rfind(|line| is_table_header(line)).unwrap_or_default();
    let key = key_of(line)
        .or_else(|| before.lines().rev().find_map(key_of))
        .unwrap_or_default();
    let is_secret = [table, key, line].into_iter().any(has_secret_word) || line.contains('@');
    is_secret.then(|| key_of(line).map_or(0, |key| key.len() + 1))
}

/// What stands before the `=` of a line; `None` where the `=` is part of a text.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let quotes = key.matches(['"', '\'']).count();
    (quotes % 2 == 0).then_some(key)
}

fn has_secret_word(text: &str) -> bool {
    let text = text.to_lowercase();
    SECRET_WORDS.iter().any(|word| text.contains(word))
}

fn is_table_header(line: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "[]._- ".contains(character);
    let line = line.trim();
    line.starts_with('[') && line.ends_with(']') && line.chars().all(is_plain)
}
