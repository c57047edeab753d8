//! Requests written out: several tasks in one text under aliases, with their variables, and the layout of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as JsonValue};

use crate::plan::bodies::references;
use crate::plan::pieces::Kept;
use crate::plan::route::Route;
use crate::plan::table::{AncestorField, AncestorRole, Layout};
use crate::plan::text::{Argument, Source, Token, has_root};

/// What a slot of a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The first pages of everything.
    Start,
    /// The first pages under a field of the query root, for one value of the variable that the query is run for.
    Root {
        /// Its index among the plan's member roots.
        root: usize,
    },
    /// A page of the connection of this index: its first, or one that begins at a position.
    Page {
        /// The connection.
        connection: usize,
        /// Whether it is a first page.
        is_first: bool,
    },
    /// What of one row does not come with it, by the lookup field that finds the row.
    Row {
        /// The row field, and the table.
        row: usize,
    },
}

/// What is asked for in one slot of a request.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'ask> {
    /// The connection; `None` for the first pages of everything.
    pub connection: Option<usize>,
    /// The field of the query root whose first pages are asked for by themselves.
    pub root: Option<usize>,
    /// The value of the variable that the query is run for.
    pub member: Option<&'ask JsonValue>,
    /// Rows asked for.
    pub size: u32,
    /// Where the page begins: a cursor, a page's number, an offset, a key; `None` for a first page.
    pub position: Option<&'ask JsonValue>,
    /// The `_id` of the row that holds the connection.
    pub parent: Option<&'ask str>,
    /// The address of that row.
    pub address: &'ask [Option<JsonValue>],
}

impl Ask<'_> {
    /// What the slot is for.
    pub fn target(&self) -> Target {
        Target::of(self.connection, self.root, self.position.is_none())
    }
}

impl Target {
    /// A page of a connection, the first pages under a field of the query root, or the first pages of everything.
    pub fn of(connection: Option<usize>, root: Option<usize>, is_first: bool) -> Self {
        match (connection, root) {
            (Some(connection), _) => Self::Page { connection, is_first },
            (None, Some(root)) => Self::Root { root },
            (None, None) => Self::Start,
        }
    }
}

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestText {
    /// The query's text, as short as it can be.
    pub text: Arc<str>,
    /// The variables in it.
    pub variables: Map<String, JsonValue>,
}

/// Everything that the requests of one query are written from.
#[derive(Debug, Clone)]
pub(crate) struct RequestWriter {
    /// `query`, with the operation's name.
    pub(crate) head: String,
    /// The operation's directives.
    pub(crate) directives: Vec<Token>,
    pub(crate) start: Vec<Token>,
    pub(crate) start_role: AncestorRole,
    /// By connection.
    pub(crate) routes: Vec<Routes>,
    /// By row field; empty for those that are not paginated.
    pub(crate) bodies: Vec<Body>,
    /// Whether one that occurs several times in a request is written once, as a fragment.
    pub(crate) shares_bodies: bool,
    pub(crate) own: BTreeMap<String, OwnVariable>,
    /// The ways to the first pages under each field of the query root, for a query that is run for each value of a
    /// variable.
    pub(crate) roots: Vec<Route>,
    /// Whether what stands beside the slots is the same for all values of that variable.
    pub(crate) mixes_members: bool,
    pub(crate) member: Option<MemberVariable>,
    /// By row field, the ways to what of one row does not come with it.
    pub(crate) lone_rows: BTreeMap<usize, Route>,
}

/// The variable of the author's that each slot has its own value of.
#[derive(Debug, Clone)]
pub(crate) struct MemberVariable {
    pub(crate) name: String,
    pub(crate) ty: String,
}

/// The ways to the pages of a connection; `None` where there is none.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    pub(crate) any: Option<Route>,
    /// That to later pages, where it is another.
    pub(crate) later: Option<Route>,
}

/// The selection on a paginated field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) type_name: String,
    pub(crate) tokens: Vec<Token>,
    /// The variable that the query is run for occurs in it, so that slots of several values cannot share it.
    pub(crate) is_of_member: bool,
}

/// A variable of the author's.
#[derive(Debug, Clone)]
pub(crate) struct OwnVariable {
    /// Its type, with its default.
    pub(crate) definition: String,
    pub(crate) value: Option<JsonValue>,
}

impl RequestWriter {
    fn route(&self, target: Target) -> Option<&Route> {
        match target {
            Target::Start => None,
            Target::Root { root } => self.roots.get(root),
            Target::Row { row } => self.lone_rows.get(&row),
            Target::Page { connection, is_first } => {
                let routes = self.routes.get(connection)?;
                match is_first {
                    true => routes.any.as_ref(),
                    false => routes.later.as_ref().or(routes.any.as_ref()),
                }
            }
        }
    }

    /// Whether there is a way to that.
    pub(crate) fn can_reach(&self, target: Target) -> bool {
        target == Target::Start || self.route(target).is_some()
    }

    /// The layout of the answer to a request with these slots. Its root fields come in the order of the slots, and
    /// behind them what stands beside several of them.
    pub(crate) fn layout(&self, targets: &[Target]) -> Layout {
        let role = match targets {
            [] | [Target::Start] => self.start_role.clone(),
            _ => {
                let mut fields: Vec<AncestorField> = Vec::new();
                let mut beside: Vec<AncestorField> = Vec::new();
                for (index, target) in targets.iter().enumerate() {
                    let Some(route) = self.route(*target) else { continue };
                    let key = if targets.len() == 1 {
                        route.root.key.clone()
                    } else {
                        alias(index)
                    };
                    fields.push(AncestorField {
                        key,
                        ..route.root.clone()
                    });
                    merge_beside(&mut beside, &route.beside);
                }
                fields.append(&mut beside);
                AncestorRole::Object(fields)
            }
        };
        Layout {
            data: AncestorField {
                key: "data".to_owned(),
                is_optional: false,
                role,
                tells: Vec::new(),
            },
        }
    }

    /// Writes a request with a slot for each of `asks`; `inline_sizes` are those of first pages within their parents'
    /// pages, by connection.
    pub(crate) fn write(&self, asks: &[Ask<'_>], inline_sizes: &[u32], kept: Option<&Kept>) -> RequestText {
        let targets: Vec<Target> = asks.iter().map(Ask::target).collect();
        self.write_slots(&targets, asks, inline_sizes, kept)
    }

    /// The same for slots that may be for single rows, of which the asks give no more than the addresses.
    pub(crate) fn write_slots(
        &self,
        targets: &[Target],
        asks: &[Ask<'_>],
        inline_sizes: &[u32],
        kept: Option<&Kept>,
    ) -> RequestText {
        let slots: Vec<&[Token]> = targets.iter().map(|target| self.slot(*target)).collect();
        let mut composer = Composer {
            writer: self,
            inline_sizes,
            references: references(self, &slots, kept),
            kept,
            has_company: asks.len() > 1,
            variables: Vec::new(),
            own: BTreeSet::new(),
            member: asks.first().and_then(|ask| ask.member),
        };
        let mut text = String::from("{");
        let mut beside: Vec<&Token> = Vec::new();
        for (index, (ask, tokens)) in asks.iter().zip(&slots).enumerate() {
            if let [Token::Root { .. }, ..] = tokens {
                separate(&mut text);
                composer.write(&mut text, tokens, Some((index, ask)));
                continue;
            }
            for token in tokens.iter() {
                // What stands beside several slots is asked for once.
                if has_root(token) || !beside.contains(&token) {
                    beside.push(token);
                    composer.write(&mut text, std::slice::from_ref(token), Some((index, ask)));
                }
            }
        }
        text.push('}');
        for (row, body) in self.bodies.iter().enumerate() {
            if composer.is_shared(row) {
                text.push_str(&format!("fragment F{row} on {}", body.type_name));
                composer.write(&mut text, &body.tokens, None);
            }
        }
        composer.finish(&text)
    }

    fn slot(&self, target: Target) -> &[Token] {
        match target {
            Target::Start => &self.start,
            Target::Root { .. } | Target::Page { .. } | Target::Row { .. } => {
                self.route(target).map_or(&[], |route| &route.tokens)
            }
        }
    }
}

/// A value as a variable of that type takes it: some cursors are lists, and come as the text of one.
fn fitted(value: JsonValue, ty: &str) -> JsonValue {
    let list = value.as_str().filter(|_| ty.starts_with('['));
    let list = list.and_then(|text| serde_json::from_str(text).ok());
    list.filter(JsonValue::is_array).unwrap_or(value)
}

/// Adds a space where the next selection would run into the last one.
fn separate(text: &mut String) {
    if !text.ends_with(['{', '}', ' ']) {
        text.push(' ');
    }
}

/// The response key of a slot in company.
fn alias(index: usize) -> String {
    format!("t{index}")
}

/// The same value can stand beside several slots: it is then a column of the rows of all of them.
fn merge_beside(all: &mut Vec<AncestorField>, beside: &[AncestorField]) {
    for field in beside {
        let same = all.iter_mut().find(|other| other.key == field.key);
        match (same.map(|same| &mut same.role), &field.role) {
            (None, _) => all.push(field.clone()),
            (Some(AncestorRole::Columns(places)), AncestorRole::Columns(more)) => {
                places.extend(
                    more.iter()
                        .filter(|place| !places.contains(place))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
            (Some(_), _) => {}
        }
    }
}

struct Composer<'writer, 'ask> {
    writer: &'writer RequestWriter,
    inline_sizes: &'ask [u32],
    references: Vec<usize>,
    has_company: bool,
    /// Names, types and values of our variables.
    variables: Vec<(String, String, JsonValue)>,
    /// Names of the author's variables that occur.
    own: BTreeSet<String>,
    /// What is written; `None` for everything.
    kept: Option<&'ask Kept>,
    /// The value of the variable that the query is run for, for what stands beside the slots.
    member: Option<&'ask JsonValue>,
}

type Slot<'slot, 'ask> = Option<(usize, &'slot Ask<'ask>)>;

impl Composer<'_, '_> {
    /// Whether a body is written once, as a fragment.
    fn is_shared(&self, row: usize) -> bool {
        self.writer.shares_bodies && self.references[row] > 1 && !self.writer.bodies[row].is_of_member
    }

    fn write(&mut self, text: &mut String, tokens: &[Token], slot: Slot<'_, '_>) {
        for token in tokens {
            match token {
                Token::Text(plain) => text.push_str(plain),
                Token::Own(name) => {
                    text.push('$');
                    text.push_str(&self.own_variable(name, slot));
                }
                Token::Variable { stem, ty, value } => {
                    let Some(value) = self.value(value, slot) else { continue };
                    let value = fitted(value, ty);
                    text.push('$');
                    text.push_str(&self.variable(stem, ty, value));
                }
                Token::Selection { kept_with, tokens } => {
                    if self.kept.is_none_or(|kept| kept.holds(kept_with)) {
                        separate(text);
                        self.write(text, tokens, slot);
                    }
                }
                Token::Group { is_object, arguments } => self.write_group(text, *is_object, arguments, slot),
                Token::Root { key, name } => self.write_root(text, key, name, slot),
                Token::Body(row) if self.is_shared(*row) => text.push_str(&format!("{{...F{row}}}")),
                Token::Body(row) => {
                    let writer = self.writer;
                    self.write(text, &writer.bodies[*row].tokens, slot);
                }
            }
        }
    }

    fn write_group(&mut self, text: &mut String, is_object: bool, arguments: &[Argument], slot: Slot<'_, '_>) {
        let is_there = |argument: &&Argument| {
            argument
                .needs
                .as_ref()
                .is_none_or(|needs| self.value(needs, slot).is_some())
        };
        let there: Vec<&Argument> = arguments.iter().filter(is_there).collect();
        if there.is_empty() {
            return;
        }
        text.push(if is_object { '{' } else { '(' });
        for (index, argument) in there.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            self.write(text, &argument.tokens, slot);
        }
        text.push(if is_object { '}' } else { ')' });
    }

    fn write_root(&self, text: &mut String, key: &str, name: &str, slot: Slot<'_, '_>) {
        match slot {
            Some((index, _)) if self.has_company => text.push_str(&format!("{}:{name}", alias(index))),
            _ if key == name => text.push_str(name),
            _ => text.push_str(&format!("{key}:{name}")),
        }
    }

    /// The name of a variable of the author's: that which the query is run for has one for each value.
    fn own_variable(&mut self, name: &str, slot: Slot<'_, '_>) -> String {
        let writer = self.writer;
        let value = slot.and_then(|(_, ask)| ask.member).or(self.member);
        match (writer.member.as_ref().filter(|member| member.name == name), value) {
            (Some(member), Some(value)) => self.variable(name, &member.ty, value.clone()),
            _ => {
                self.own.insert(name.to_owned());
                name.to_owned()
            }
        }
    }

    fn value(&self, source: &Source, slot: Slot<'_, '_>) -> Option<JsonValue> {
        let ask = slot.map(|(_, ask)| ask);
        match source {
            Source::InlineSize(connection) => Some(self.inline_sizes.get(*connection).copied().unwrap_or(1).into()),
            Source::Size => ask.map(|ask| ask.size.into()),
            Source::Position => ask.and_then(|ask| ask.position.cloned()),
            Source::PositionFrom(start) => ask.map(|ask| ask.position.unwrap_or(start).clone()),
            Source::PositionIn(text) => {
                let position = ask.and_then(|ask| ask.position)?;
                let plain = position.as_str().map_or_else(|| position.to_string(), str::to_owned);
                Some(text.replace("{}", &plain).into())
            }
            Source::Parent => ask.and_then(|ask| ask.parent).map(JsonValue::from),
            Source::Address(index) => ask.and_then(|ask| ask.address.get(*index).cloned().flatten()),
            Source::Constant(value) => Some(value.clone()),
            Source::Nothing => None,
        }
    }

    /// The name of a variable of that value: one that is there, or a new one that clashes with none.
    fn variable(&mut self, stem: &str, ty: &str, value: JsonValue) -> String {
        let is_of_stem = |name: &str| name.trim_end_matches(|last: char| last.is_ascii_digit()) == stem || name == stem;
        let same = self
            .variables
            .iter()
            .find(|(name, other, old)| is_of_stem(name) && other == ty && *old == value);
        if let Some((name, ..)) = same {
            return name.clone();
        }
        let numbered = (2..).map(|number: u32| format!("{stem}{number}"));
        let mut names = std::iter::once(stem.to_owned()).chain(numbered);
        let is_free = |name: &String| {
            !self.writer.own.contains_key(name) && !self.variables.iter().any(|(other, ..)| other == name)
        };
        let name = names.find(is_free).unwrap_or_default();
        self.variables.push((name.clone(), ty.to_owned(), value));
        name
    }

    fn finish(mut self, selections: &str) -> RequestText {
        let mut directives = String::new();
        let writer = self.writer;
        self.write(&mut directives, &writer.directives, None);
        let mut variables = Map::new();
        let mut definitions = Vec::new();
        for (name, own) in writer.own.iter().filter(|(name, _)| self.own.contains(*name)) {
            definitions.push(format!("${name}:{}", own.definition));
            variables.extend(own.value.clone().map(|value| (name.clone(), value)));
        }
        for (name, ty, value) in self.variables {
            definitions.push(format!("${name}:{ty}"));
            variables.insert(name, value);
        }
        let definitions = if definitions.is_empty() {
            String::new()
        } else {
            format!("({})", definitions.join(","))
        };
        RequestText {
            text: format!("{}{definitions}{directives}{selections}", writer.head).into(),
            variables,
        }
    }
}
