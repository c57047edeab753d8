//! The text of a request in pieces: what is always the same, and what each request fills in.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::executable::Field;
use serde_json::Value as JsonValue;

use crate::plan::denied::is_mark;
use crate::schema::CLIENT_DIRECTIVE_NAMES;

/// A piece of a request's text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// Text as it is.
    Text(String),
    /// A variable of the author's.
    Own(String),
    /// A variable of ours, called like the stem or nearly so.
    Variable { stem: String, ty: String, value: Source },
    /// Arguments in round brackets, or the members of an input object in curly ones; nothing where all are left out.
    Group { is_object: bool, arguments: Vec<Argument> },
    /// The response key and the name of the slot's field of the query root; in company the slot has its own alias.
    Root { key: String, name: String },
    /// The selection on the paginated row field of this index.
    Body(usize),
    /// A selection: left out where none of these fields of the outline is kept.
    Selection { kept_with: Vec<usize>, tokens: Vec<Token> },
}

/// An argument, or a member of an input object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    /// It is left out where this has no value.
    pub(crate) needs: Option<Source>,
    pub(crate) tokens: Vec<Token>,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The size of first pages of this connection within their parents' pages.
    InlineSize(usize),
    /// The size of the slot's page.
    Size,
    /// Where the slot's page begins; nothing for a first page.
    Position,
    /// The same; this for a first page.
    PositionFrom(JsonValue),
    /// The same within a text, at the place of `{}`.
    PositionIn(String),
    /// The `_id` of the row that holds the slot's connection.
    Parent,
    /// A value of the address of the row that holds the slot's connection.
    Address(usize),
    /// Always the same.
    Constant(JsonValue),
    /// Never there: the argument is left out.
    Nothing,
}

/// Pieces, as they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) tokens: Vec<Token>,
}

impl Text {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) {
        match self.tokens.last_mut() {
            Some(Token::Text(last)) => last.push_str(text),
            _ => self.tokens.push(Token::Text(text.to_owned())),
        }
    }

    /// Adds pieces.
    pub(crate) fn append(&mut self, tokens: Vec<Token>) {
        for token in tokens {
            match token {
                Token::Text(text) => self.push(&text),
                token => self.tokens.push(token),
            }
        }
    }

    /// Adds the name of a field, with its alias.
    pub(crate) fn push_name(&mut self, field: &Field) {
        if let Some(alias) = &field.alias {
            self.push(alias);
            self.push(":");
        }
        self.push(&field.name);
    }

    /// Adds the directives that are meant for the API.
    pub(crate) fn push_directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter().filter(|directive| is_for_the_api(directive)) {
            self.push("@");
            self.push(&directive.name);
            let arguments = directive
                .arguments
                .iter()
                .map(|argument| written(&argument.name, &argument.value));
            let group = Token::Group {
                is_object: false,
                arguments: arguments.collect(),
            };
            self.tokens.push(group);
        }
    }

    fn push_value(&mut self, value: &Value) {
        match value {
            Value::Variable(name) => self.tokens.push(Token::Own(name.to_string())),
            Value::List(items) => {
                self.push("[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.push(",");
                    }
                    self.push_value(item);
                }
                self.push("]");
            }
            Value::Object(members) if members.is_empty() => self.push("{}"),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| written(name, value));
                self.tokens.push(Token::Group {
                    is_object: true,
                    arguments: members.collect(),
                });
            }
            plain => self.push(&plain.serialize().no_indent().to_string()),
        }
    }
}

/// An argument as the author wrote it.
pub(crate) fn written(name: &str, value: &Value) -> Argument {
    let mut text = Text::default();
    text.push(name);
    text.push(":");
    text.push_value(value);
    Argument {
        needs: None,
        tokens: text.tokens,
    }
}

/// The author's variables that occur in pieces.
pub(crate) fn own_variables(tokens: &[Token], names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            Token::Own(name) => {
                names.insert(name.clone());
            }
            Token::Group { arguments, .. } => {
                for argument in arguments {
                    own_variables(&argument.tokens, names);
                }
            }
            Token::Selection { tokens, .. } => own_variables(tokens, names),
            Token::Text(_) | Token::Variable { .. } | Token::Root { .. } | Token::Body(_) => {}
        }
    }
}

/// Whether the slot's field of the query root is in a piece.
pub(crate) fn has_root(token: &Token) -> bool {
    match token {
        Token::Root { .. } => true,
        Token::Selection { tokens, .. } => tokens.iter().any(has_root),
        _ => false,
    }
}

/// Whether a directive is sent.
pub(crate) fn is_for_the_api(directive: &Directive) -> bool {
    !CLIENT_DIRECTIVE_NAMES.contains(&directive.name.as_str()) && !is_mark(directive)
}
