//! The way from the query root to the pages of a connection: as pieces of text, and as the layout of what comes back.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::executable::{Field, InlineFragment, Operation, Selection, SelectionSet};
use apollo_compiler::schema::Name;

use crate::plan::address::{Address, Lookup};
use crate::plan::apart::Apart;
use crate::plan::columns::Context;
use crate::plan::cuts::Detached;
use crate::plan::denied::{is_left_out, left_out_keys};
use crate::plan::driven::{Asked, arguments};
use crate::plan::outline::Outline;
use crate::plan::row_plan::{RowPlan, everything};
use crate::plan::selection::{MergedField, TYPE_NAME};
use crate::plan::survey::{Branch, RowField, Survey};
use crate::plan::table::{AncestorField, AncestorRole, ColumnPlace, Items, RowId, RowsLayout, Tell, Told};
use crate::plan::text::{Argument, Source, Text, Token};

/// The way to the pages of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// Selections on the query root.
    pub(crate) tokens: Vec<Token>,
    /// The root field that leads to the connection.
    pub(crate) root: AncestorField,
    /// Values beside it, that become columns of the rows.
    pub(crate) beside: Vec<AncestorField>,
}

/// Everything that requests of one query are made from.
#[derive(Clone, Copy)]
pub(crate) struct RouteMaker<'plan> {
    pub(crate) context: Context<'plan>,
    pub(crate) operation: &'plan Operation,
    pub(crate) survey: &'plan Survey,
    pub(crate) plans: &'plan [RowPlan],
    pub(crate) outline: &'plan Outline,
    /// The row fields that do not come with the rows that they stand in.
    pub(crate) detached: &'plan Detached,
    /// The fields that do not come with their rows.
    pub(crate) apart: &'plan Apart,
}

/// What stands at the end of a way.
struct Focus {
    row: usize,
    asked: Asked,
    content: Vec<Token>,
    role: AncestorRole,
}

/// Which selections are written.
#[derive(Clone, Copy)]
enum Keep<'way> {
    /// All of them.
    All,
    /// The values of the query root, and its field of this response key with all that is in it.
    Root(Option<&'way str>),
    /// What leads to a row field, with the values above the outermost rows, or the key of the row that holds it.
    Toward { focus: &'way Focus, within: Option<usize> },
    /// What of one row does not come with it, with the row's key.
    Lone { row: usize },
}

/// How a field tells of a row that is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Itself,
    Within,
}

impl<'plan> RouteMaker<'plan> {
    pub(super) fn rows(self) -> &'plan [RowField] {
        &self.survey.rows
    }

    /// The index among the connections of a row field.
    pub(crate) fn connection(self, row: usize) -> Option<usize> {
        self.plans[row].layout.page.as_ref().map(|page| page.connection)
    }

    /// The selections of the request for the first pages of everything, without their braces.
    pub(crate) fn start(self) -> Vec<Token> {
        self.selections(&everything(self.operation, self.survey, self.plans), &[], Keep::All)
            .tokens
    }

    /// The layout of the response to that request.
    pub(crate) fn start_role(self) -> AncestorRole {
        match self.survey.branches.as_slice() {
            [Branch::Rows(0)] if self.rows()[0].path.is_empty() => AncestorRole::Rows(self.plans[0].layout.clone()),
            branches => AncestorRole::Object(self.ancestors(branches, &[], None)),
        }
    }

    /// The ways to the first pages under each field of the query root that leads to rows; none for an operation that
    /// is itself the one row, but for one of a single field.
    pub(crate) fn roots(self) -> Vec<Route> {
        let fields = match self.start_role() {
            AncestorRole::Object(fields) => fields,
            AncestorRole::Rows(layout) => return self.only_root(layout).into_iter().collect(),
            _ => return Vec::new(),
        };
        let is_value = |field: &AncestorField| matches!(field.role, AncestorRole::Columns(_));
        let (beside, roots): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_value);
        let roots = roots.into_iter().map(|root| Route {
            tokens: self.beside(Some(&root.key)),
            root,
            beside: beside.clone(),
        });
        roots.collect()
    }

    /// The way to the one field of an operation that is itself the one row.
    fn only_root(self, layout: RowsLayout) -> Option<Route> {
        let [Branch::Value(field)] = self.rows()[0].branches.as_slice() else {
            return None;
        };
        let key = field.key.to_string();
        let items = Items::Field { key: key.clone() };
        Some(Route {
            tokens: self.beside(Some(&key)),
            root: AncestorField {
                key,
                is_optional: field.is_conditional,
                role: AncestorRole::Rows(RowsLayout { items, ..layout }),
                tells: Vec::new(),
            },
            beside: Vec::new(),
        })
    }

    /// The values of the query root, and one field of it.
    pub(crate) fn beside(self, root: Option<&str>) -> Vec<Token> {
        self.selections(&self.operation.selection_set, &[], Keep::Root(root))
            .tokens
    }

    /// The selection on a paginated row field, in its braces.
    pub(crate) fn body(self, row: usize) -> Vec<Token> {
        let set = self.plans[row].selected(&self.rows()[row]);
        set.map_or_else(Vec::new, |set| self.braced(&set, &self.rows()[row].path, Keep::All))
    }

    /// The way to any page of a connection; `None` where the rows above it cannot be asked for again.
    pub(crate) fn route(self, row: usize) -> Option<Route> {
        self.reach(&Focus {
            row,
            asked: Asked::Slot,
            content: vec![Token::Body(row)],
            role: AncestorRole::Rows(self.plans[row].layout.clone()),
        })
    }

    /// By row field, the way to what of one row does not come with it.
    pub(crate) fn lone_rows(self) -> BTreeMap<usize, Route> {
        let rows: BTreeSet<usize> = self.apart.values().map(|field| field.row).collect();
        let routes = rows.into_iter().filter_map(|row| {
            let Some(Address::Lookup(lookup)) = &self.plans[row].address else {
                return None;
            };
            let item = self.braced(&self.item_set(row)?, &self.rows()[row].items_path(), Keep::Lone { row });
            Some((row, looked_up(lookup, item, Vec::new())))
        });
        routes.collect()
    }

    /// The way to the number of rows of an outermost connection, where it has one.
    pub(crate) fn total_route(self, row: usize) -> Option<Vec<Token>> {
        let field = &self.rows()[row];
        let total = field.paged().filter(|_| field.parent.is_none())?.paged.total.as_ref()?;
        let names: Vec<&str> = total.iter().map(Name::as_str).collect();
        let text = format!("{{{}{}", names.join("{"), "}".repeat(names.len()));
        let route = self.chain(&Focus {
            row,
            asked: Asked::Inline(self.connection(row)?),
            content: vec![Token::Text(text)],
            role: AncestorRole::Ignored,
        })?;
        Some(route.tokens)
    }

    fn reach(self, focus: &Focus) -> Option<Route> {
        let Some(parent) = self.rows()[focus.row].parent else {
            return self.chain(focus);
        };
        let set = self.item_set(parent)?;
        let keep = Keep::Toward {
            focus,
            within: Some(parent),
        };
        let item = self.braced(&set, &self.rows()[parent].items_path(), keep);
        let fields = self.item_fields(parent, focus);
        match self.plans[parent].address.as_ref()? {
            Address::Lookup(lookup) => Some(looked_up(lookup, item, fields)),
            Address::Place(_) => self.reach(&Focus {
                row: parent,
                asked: Asked::Place(self.addresses(parent)?),
                content: self.one_item(parent, item),
                role: self.one_item_role(parent, fields),
            }),
        }
    }

    /// How many values the address of the row that holds this row field has.
    fn addresses(self, row: usize) -> Option<usize> {
        let Some(parent) = self.rows()[row].parent else {
            return Some(0);
        };
        match self.plans[parent].address.as_ref()? {
            Address::Lookup(_) => Some(1),
            Address::Place(_) => self.addresses(parent).map(|above| above + 1),
        }
    }

    /// The way through singular objects only.
    fn chain(self, focus: &Focus) -> Option<Route> {
        let keep = Keep::Toward { focus, within: None };
        let tokens = self.selections(&self.operation.selection_set, &[], keep).tokens;
        let first = self.rows()[focus.row].path.first()?;
        let mut fields = self.ancestors(&self.survey.branches, &[], Some(focus));
        let root = fields.iter().position(|field| field.key == first.as_str())?;
        let root = fields.remove(root);
        Some(Route {
            tokens,
            root,
            beside: fields,
        })
    }

    /// What is selected of the items of a row field, with what the planner needs of them.
    fn item_set(self, row: usize) -> Option<SelectionSet> {
        let sets = &self.rows()[row].source.item_sets;
        let mut set = sets.first()?.clone();
        for other in &sets[1..] {
            set.selections.extend(other.selections.iter().cloned());
        }
        set.selections.extend(self.plans[row].additions.item.iter().cloned());
        Some(set)
    }

    /// The selection on a row field of which one item is asked for.
    fn one_item(self, row: usize, item: Vec<Token>) -> Vec<Token> {
        let mut text = Text::default();
        let steps = &self.rows()[row].source.steps;
        for (key, name) in steps {
            text.push("{");
            if key != name {
                text.push(&format!("{key}:"));
            }
            text.push(name);
        }
        text.append(item);
        text.push(&"}".repeat(steps.len()));
        text.tokens
    }

    fn one_item_role(self, row: usize, fields: Vec<AncestorField>) -> AncestorRole {
        let field = |key: &Name, role| AncestorField {
            key: key.to_string(),
            is_optional: false,
            role,
            tells: Vec::new(),
        };
        match self.rows()[row].source.steps.as_slice() {
            [(nodes, _)] => AncestorRole::Object(vec![field(nodes, AncestorRole::Only(fields))]),
            [(edges, _), (node, _), ..] => {
                let node = field(node, AncestorRole::Object(fields));
                AncestorRole::Object(vec![field(edges, AncestorRole::Only(vec![node]))])
            }
            [] => AncestorRole::Only(fields),
        }
    }

    /// The fields of a parent's item on the way to a row field: what it is known by, and what leads there.
    fn item_fields(self, parent: usize, focus: &Focus) -> Vec<AncestorField> {
        let field = |key| AncestorField {
            key,
            is_optional: true,
            role: AncestorRole::Ignored,
            tells: Vec::new(),
        };
        let path = self.rows()[parent].items_path();
        let mut fields = self.ancestors(&self.rows()[parent].branches, &path, Some(focus));
        for (key, tell) in self.known_by(parent, focus) {
            match fields.iter_mut().find(|field| field.key == key) {
                Some(way) => way.tells.push(tell),
                None => fields.push(AncestorField {
                    tells: vec![tell],
                    ..field(key)
                }),
            }
        }
        fields
    }

    /// The response keys of the rows' fields in which their `_id` stands.
    fn key_fields(self, row: usize) -> impl Iterator<Item = &'plan str> {
        let layout = &self.plans[row].layout.row;
        let places = match &layout.id {
            RowId::Key(places) => places.as_slice(),
            RowId::Position { .. } => &[],
        };
        places.iter().map(|place| layout.cells[place.cell].key.as_str())
    }

    /// What a row that is asked for again is known by, each with the response key of the item's field that holds it: the
    /// key of the row that holds the connection; of those above it that are asked for by their place, what they held.
    fn known_by(self, row: usize, focus: &Focus) -> Vec<(String, Tell)> {
        let layout = &self.plans[row].layout.row;
        let step = self.addresses(row).unwrap_or_default();
        let (places, is_key) = match (&layout.id, &focus.asked) {
            (RowId::Key(places), Asked::Slot) => (places, true),
            _ => (&layout.marks, false),
        };
        let tells = places.iter().enumerate().map(|(part, place)| {
            let told = match is_key {
                true => Told::Key(part),
                false => Told::Mark { step, part },
            };
            let below = place.below.clone();
            (layout.cells[place.cell].key.clone(), Tell { below, told })
        });
        tells.collect()
    }

    /// Whether a row that is asked for again is known by a field of its items, or by something in it; of that field,
    /// `below` are the response keys from the item.
    fn is_known_by(self, row: usize, focus: &Focus, below: &[Name]) -> Option<Known> {
        let tells = self.known_by(row, focus).into_iter();
        let paths = tells.map(|(key, tell)| [vec![key], tell.below].concat());
        let begins = |path: &Vec<String>| path.iter().zip(below).all(|(own, other)| own == other.as_str());
        let known = paths.filter(begins).map(|path| match path.len() <= below.len() {
            true => Known::Itself,
            false => Known::Within,
        });
        known.min()
    }

    /// The layout of fields above rows: of all rows, or of those of a focus alone.
    fn ancestors(self, branches: &[Branch], above: &[Name], focus: Option<&Focus>) -> Vec<AncestorField> {
        let is_outermost = |row: usize| self.rows()[row].parent.is_none();
        let is_above_rows = focus.is_none_or(|focus| is_outermost(focus.row));
        let mut fields = Vec::new();
        for branch in branches {
            let (field, role) = match branch {
                Branch::Value(field) if is_above_rows => {
                    (field, AncestorRole::Columns(self.places(field, above, focus)))
                }
                Branch::Value(_) => continue,
                Branch::Object(field, below) => {
                    let path = [above, std::slice::from_ref(&field.key)].concat();
                    if focus.is_some_and(|focus| !self.rows()[focus.row].path.starts_with(&path)) {
                        continue;
                    }
                    (field, AncestorRole::Object(self.ancestors(below, &path, focus)))
                }
                Branch::Rows(row) => {
                    let Some(field) = self.rows()[*row].field() else {
                        continue;
                    };
                    match focus {
                        None => (field, AncestorRole::Rows(self.plans[*row].layout.clone())),
                        Some(focus) if focus.row == *row => (field, focus.role.clone()),
                        Some(_) => continue,
                    }
                }
            };
            fields.push(AncestorField {
                key: field.key.to_string(),
                is_optional: field.is_conditional,
                role,
                tells: Vec::new(),
            });
        }
        fields
    }

    fn places(self, field: &MergedField, above: &[Name], focus: Option<&Focus>) -> Vec<ColumnPlace> {
        let path = [above, std::slice::from_ref(&field.key)].concat();
        let plans = self.plans.iter().enumerate();
        let plans = plans.filter(|(table, _)| focus.is_none_or(|focus| focus.row == *table));
        let places = plans.flat_map(|(table, plan)| {
            let same = plan.ancestors.iter().filter(|(value_path, _)| *value_path == path);
            same.map(move |(_, column)| ColumnPlace { table, column: *column })
        });
        places.collect()
    }

    fn braced(self, set: &SelectionSet, path: &[Name], keep: Keep<'_>) -> Vec<Token> {
        let mut text = Text::default();
        let mut selections = self.selections(set, path, keep);
        let left_out = left_out_keys(set);
        if selections.tokens.is_empty() && !left_out.is_empty() {
            // All that is in it is left out, and an object without any field cannot be asked for.
            let kept_with = left_out
                .into_iter()
                .filter_map(|key| self.outline.at(&[path, std::slice::from_ref(key)].concat()));
            selections.tokens.push(Token::Selection {
                kept_with: kept_with.collect(),
                tokens: vec![Token::Text(TYPE_NAME.to_string())],
            });
        }
        text.push("{");
        text.append(selections.tokens);
        text.push("}");
        text.tokens
    }

    fn selections(self, set: &SelectionSet, path: &[Name], keep: Keep<'_>) -> Text {
        let mut text = Text::default();
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => text.tokens.extend(self.field(field, path, keep)),
                Selection::InlineFragment(inline) => text.tokens.extend(self.fragment(inline, path, keep)),
                Selection::FragmentSpread(_) => {}
            }
        }
        text
    }

    /// A fragment with all in it that is written; it is kept with any of that.
    fn fragment(self, inline: &InlineFragment, path: &[Name], keep: Keep<'_>) -> Option<Token> {
        let below = self.selections(&inline.selection_set, path, keep).tokens;
        if below.is_empty() {
            return None;
        }
        let inner = below.iter().filter_map(|token| match token {
            Token::Selection { kept_with, .. } => Some(kept_with),
            _ => None,
        });
        let kept_with = inner.flatten().copied().collect();
        let mut written = Text::default();
        written.push("...");
        if let Some(condition) = &inline.type_condition {
            written.push(&format!("on {condition}"));
        }
        written.push_directives(&inline.directives);
        written.push("{");
        written.append(below);
        written.push("}");
        let tokens = written.tokens;
        Some(Token::Selection { kept_with, tokens })
    }

    /// A field with all below it that is written; nothing where it is left out.
    fn field(self, field: &Field, above: &[Name], keep: Keep<'_>) -> Option<Token> {
        let path = [above, std::slice::from_ref(field.response_key())].concat();
        // Pages that became known before the field was left out are still asked for.
        let is_on_the_way =
            matches!(keep, Keep::Toward { focus, .. } if self.rows()[focus.row].path.starts_with(&path));
        let is_of_lone_row = matches!(keep, Keep::Lone { .. });
        if is_left_out(&field.directives) && !is_on_the_way || self.apart.contains_key(&path) && !is_of_lone_row {
            return None;
        }
        let Text { tokens } = self.field_text(field, &path, keep);
        let kept_with = self.outline.at(&path).into_iter().collect();
        (!tokens.is_empty()).then_some(Token::Selection { kept_with, tokens })
    }

    fn field_text(self, field: &Field, path: &[Name], keep: Keep<'_>) -> Text {
        match keep {
            Keep::All => self.whole_field(field, path, false),
            Keep::Root(root) => {
                let is_root = root == Some(field.response_key().as_str());
                let leads_to_rows = |row: &RowField| row.path.is_empty() || row.path.starts_with(path);
                let leads_to_rows = self.rows().iter().any(leads_to_rows);
                match leads_to_rows && !is_root {
                    true => Text::default(),
                    false => self.whole_field(field, path, is_root),
                }
            }
            Keep::Toward { focus, within } => self.field_toward(field, path, focus, within),
            Keep::Lone { row } => {
                let is_key = self.key_fields(row).any(|key| field.response_key() == key);
                let mut apart = self.apart.iter().filter(|(_, field)| field.row == row);
                let leads_to_apart = apart.any(|(inner, _)| inner.starts_with(path));
                match is_key || self.apart.contains_key(path) {
                    true => self.whole_field(field, path, false),
                    false if leads_to_apart => self.way_to_apart(field, path, keep),
                    false => Text::default(),
                }
            }
        }
    }

    /// An object of a row, with what of it does not come with the row.
    fn way_to_apart(self, field: &Field, path: &[Name], keep: Keep<'_>) -> Text {
        let mut text = Text::default();
        self.push_head(&mut text, field, false);
        push_own_arguments(&mut text, field);
        text.tokens.extend(self.braced(&field.selection_set, path, keep));
        text
    }

    fn whole_field(self, field: &Field, path: &[Name], is_root: bool) -> Text {
        let mut text = Text::default();
        self.push_head(&mut text, field, is_root);
        let row = self.survey.row_at(path);
        if row.is_some_and(|row| self.detached.contains_key(&row)) {
            return Text::default();
        }
        let paged = row.and_then(|row| {
            Some((
                row,
                self.rows()[row].field()?,
                self.rows()[row].paged()?,
                self.connection(row)?,
            ))
        });
        if let Some((row, merged, paged, connection)) = paged {
            text.tokens
                .push(arguments(self.context, merged, paged, Asked::Inline(connection)));
            text.push_directives(&field.directives);
            text.tokens.push(Token::Body(row));
            return text;
        }
        push_own_arguments(&mut text, field);
        if field.selection_set.selections.is_empty() {
            return text;
        }
        let mut set = field.selection_set.clone();
        if let Some(row) = row {
            self.plans[row].additions.apply(&mut set, &[]);
        }
        let below = self.braced(&set, path, Keep::All);
        // What holds nothing but what is detached is not asked for.
        if !below.iter().any(|token| matches!(token, Token::Selection { .. })) {
            return Text::default();
        }
        text.append(below);
        text
    }

    fn field_toward(self, field: &Field, path: &[Name], focus: &Focus, within: Option<usize>) -> Text {
        let target = &self.rows()[focus.row];
        let mut text = Text::default();
        if target.path == path {
            self.push_head(&mut text, field, within.is_none() && path.len() == 1);
            if let (Some(merged), Some(paged)) = (target.field(), target.paged()) {
                text.tokens.push(arguments(self.context, merged, paged, focus.asked));
            }
            text.push_directives(&field.directives);
            text.append(focus.content.clone());
            return text;
        }
        let known = match within {
            None => (!self.rows().iter().any(|row| row.path.starts_with(path))).then_some(Known::Itself),
            Some(row) => self.is_known_by(row, focus, &path[self.rows()[row].items_path().len()..]),
        };
        if target.path.starts_with(path) || known == Some(Known::Within) {
            self.push_head(&mut text, field, within.is_none() && path.len() == 1);
            push_own_arguments(&mut text, field);
            let keep = Keep::Toward { focus, within };
            text.append(self.braced(&field.selection_set, path, keep));
        } else if known == Some(Known::Itself) {
            text.append(self.whole_field(field, path, false).tokens);
        }
        text
    }

    fn push_head(self, text: &mut Text, field: &Field, is_root: bool) {
        if is_root {
            text.tokens.push(Token::Root {
                key: field.response_key().to_string(),
                name: field.name.to_string(),
            });
        } else {
            text.push_name(field);
        }
    }
}

fn push_own_arguments(text: &mut Text, field: &Field) {
    let own = field
        .arguments
        .iter()
        .map(|argument| crate::plan::text::written(&argument.name, &argument.value));
    let group = Token::Group {
        is_object: false,
        arguments: own.collect(),
    };
    if !field.arguments.is_empty() {
        text.tokens.push(group);
    }
    text.push_directives(&field.directives);
}

/// The way by a root field that finds the row.
fn looked_up(lookup: &Lookup, item: Vec<Token>, fields: Vec<AncestorField>) -> Route {
    let name = lookup.field.to_string();
    let mut text = Text::default();
    text.tokens.push(Token::Root {
        key: name.clone(),
        name: name.clone(),
    });
    let variable = Token::Variable {
        stem: lookup.by.replace('.', "_"),
        ty: lookup.ty.to_string(),
        value: Source::Address(0),
    };
    let opening = if lookup.takes_list { "[" } else { "" };
    let mut argument = vec![Token::Text(format!("{}:{opening}", lookup.argument)), variable];
    if lookup.takes_list {
        argument.push(Token::Text("]".to_owned()));
    }
    text.tokens.push(Token::Group {
        is_object: false,
        arguments: vec![Argument {
            needs: None,
            tokens: argument,
        }],
    });
    match &lookup.condition {
        Some(condition) => {
            text.push(&format!("{{...on {condition}"));
            text.append(item);
            text.push("}");
        }
        None => text.append(item),
    }
    let role = if lookup.answers_list {
        AncestorRole::Only(fields)
    } else {
        AncestorRole::Object(fields)
    };
    Route {
        tokens: text.tokens,
        root: AncestorField {
            key: name,
            is_optional: false,
            role,
            tells: Vec::new(),
        },
        beside: Vec::new(),
    }
}
