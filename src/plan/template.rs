//! Request templates: what is sent for the first pages of a query, and for the next page of one of its connections.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use apollo_compiler::ast::{DirectiveList, Type, Value};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::Name;
use serde_json::Value as JsonValue;

use crate::plan::columns::Context;
use crate::plan::probe::{Probe, ProbeField, ProbeRole};
use crate::plan::relay::{AFTER, FIRST};
use crate::plan::report::PlanError;
use crate::plan::row_plan::{Driven, RowPlan, set_argument};
use crate::plan::selection::{MergedField, add_type_names};
use crate::plan::survey::Branch;
use crate::plan::table::{AncestorField, AncestorRole, ColumnPlace, Layout};
use crate::plan::variables::{collect_variables, missing};
use crate::schema::CLIENT_DIRECTIVE_NAMES;

/// A request that lacks only its page sizes and its cursor.
#[derive(Debug, Clone)]
pub struct RequestTemplate {
    /// The query's text, as short as it can be.
    pub text: Arc<str>,
    /// The author's variables with the values given for them.
    pub variables: serde_json::Map<String, JsonValue>,
    /// The variables that hold page sizes, each with the index of its connection.
    pub sizes: Vec<(String, usize)>,
    /// The variable that holds the cursor; `None` in the request for the first pages.
    pub cursor: Option<String>,
    /// How the response turns into rows.
    pub layout: Layout,
    /// Where the response says how the paging goes on.
    pub probe: Probe,
}

/// Everything that templates of one query are made from.
#[derive(Clone, Copy)]
pub(crate) struct TemplateMaker<'plan> {
    pub(crate) context: Context<'plan>,
    pub(crate) operation: &'plan Operation,
    pub(crate) rows: &'plan [RowPlan],
    pub(crate) branches: &'plan [Branch],
}

/// The names of the driven variables of one row field.
struct DrivenNames {
    size: String,
    cursor: String,
}

impl TemplateMaker<'_> {
    /// The request for the first pages of everything, or, with `focus`, for a later page of that connection.
    pub(crate) fn make(self, focus: Option<usize>) -> Result<RequestTemplate, PlanError> {
        let names = self.driven_names();
        let trimmed = self.trim(&self.operation.selection_set, &[], focus, &names);
        let mut text = SelectionText::default();
        text.write_set(&trimmed);
        let (definitions, variables) = self.variables(&text.variables, &names)?;
        let is_in_focus = |table: &usize| focus.is_none_or(|focus| focus == *table);
        let paged = self.rows.iter().enumerate().filter(|(_, row)| row.relay.is_some());
        let sizes = paged.map(|(table, _)| table).filter(is_in_focus);
        Ok(RequestTemplate {
            text: self.operation_text(&definitions, &text.text).into(),
            variables,
            sizes: sizes.map(|table| (names[table].size.clone(), table)).collect(),
            cursor: focus.map(|table| names[table].cursor.clone()),
            layout: Layout {
                data: AncestorField {
                    key: "data".to_owned(),
                    role: self.data_role(focus),
                },
            },
            probe: Probe {
                root: self.probe(self.branches, focus),
            },
        })
    }

    /// Gives each driven argument a variable: the author's own, or a new one that clashes with none.
    fn driven_names(self) -> Vec<DrivenNames> {
        let mut taken: BTreeSet<String> = self
            .operation
            .variables
            .iter()
            .map(|variable| variable.name.to_string())
            .collect();
        let mut name = |driven: Option<&Driven>, stem: &str| {
            if let Some(own) = driven.and_then(|driven| driven.variable.as_ref()) {
                return own.to_string();
            }
            let numbered = (2..).map(|number: u32| format!("{stem}{number}"));
            let free = std::iter::once(stem.to_owned())
                .chain(numbered)
                .find(|name| !taken.contains(name));
            let free = free.unwrap_or_default();
            taken.insert(free.clone());
            free
        };
        let names = self.rows.iter().map(|row| DrivenNames {
            size: name(row.relay.as_ref().map(|relay| &relay.size), "pageSize"),
            cursor: name(row.relay.as_ref().map(|relay| &relay.cursor), "cursor"),
        });
        names.collect()
    }

    /// The selections that the request needs, with the planner's additions and the driven arguments.
    fn trim(self, set: &SelectionSet, path: &[Name], focus: Option<usize>, names: &[DrivenNames]) -> SelectionSet {
        if let [row] = self.rows
            && row.path.is_empty()
        {
            let mut set = set.clone();
            row.additions.apply(&mut set, self.context);
            return set;
        }
        let mut trimmed = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    trimmed
                        .selections
                        .extend(self.trim_field(field, path, focus, names).map(Selection::from));
                }
                Selection::InlineFragment(inline) => {
                    let mut inline = inline.clone();
                    let below = self.trim(&inline.selection_set, path, focus, names);
                    if !below.selections.is_empty() {
                        inline.make_mut().selection_set = below;
                        trimmed.selections.push(Selection::InlineFragment(inline));
                    }
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        trimmed
    }

    fn trim_field(self, field: &Field, above: &[Name], focus: Option<usize>, names: &[DrivenNames]) -> Option<Field> {
        let path = [above, std::slice::from_ref(field.response_key())].concat();
        let mut field = field.clone();
        let is_in_focus = |table: usize| focus.is_none_or(|focus| focus == table);
        if let Some(table) = self.rows.iter().position(|row| row.path == path) {
            if !is_in_focus(table) {
                return None;
            }
            let row = &self.rows[table];
            row.additions.apply(&mut field.selection_set, self.context);
            if row.relay.is_some() {
                let variable = |name: &str| Value::Variable(Name::new_unchecked(name));
                set_argument(&mut field, &FIRST, Some(variable(&names[table].size)));
                set_argument(&mut field, &AFTER, focus.map(|_| variable(&names[table].cursor)));
            }
            return Some(field);
        }
        let mut below = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.path.starts_with(&path))
            .peekable();
        if below.peek().is_some() {
            if !below.any(|(table, _)| is_in_focus(table)) {
                return None;
            }
            field.selection_set = self.trim(&field.selection_set, &path, focus, names);
            return Some(field);
        }
        if !field.selection_set.selections.is_empty() {
            add_type_names(&mut field.selection_set, self.context.schema);
        }
        Some(field)
    }

    /// The definitions of the variables that the text uses, and the values of those that are not driven.
    fn variables(
        self,
        used: &BTreeSet<String>,
        names: &[DrivenNames],
    ) -> Result<(String, serde_json::Map<String, JsonValue>), PlanError> {
        let mut definitions = Vec::new();
        let mut values = serde_json::Map::new();
        let is_driven = |name: &str| names.iter().any(|driven| driven.size == name || driven.cursor == name);
        for definition in &self.operation.variables {
            let name = definition.name.as_str();
            if !used.contains(name) {
                continue;
            }
            definitions.push(variable_definition(
                name,
                &definition.ty,
                definition.default_value.as_deref(),
            ));
            if is_driven(name) {
                continue;
            }
            match self.context.variables.get(name) {
                Some(value) => {
                    values.insert(name.to_owned(), value.clone());
                }
                None if definition.ty.is_non_null() && definition.default_value.is_none() => {
                    return Err(missing(definition, self.context.sources));
                }
                None => {}
            }
        }
        let is_own = |name: &str| {
            self.operation
                .variables
                .iter()
                .any(|definition| definition.name == name)
        };
        for (row, names) in self.rows.iter().zip(names) {
            let Some(relay) = &row.relay else { continue };
            for (name, driven) in [(&names.size, &relay.size), (&names.cursor, &relay.cursor)] {
                if used.contains(name) && !is_own(name) {
                    definitions.push(variable_definition(name, &driven.ty, None));
                }
            }
        }
        Ok((definitions.join(","), values))
    }

    fn operation_text(self, definitions: &str, selections: &str) -> String {
        let mut text = String::from("query");
        if let Some(name) = &self.operation.name {
            text.push(' ');
            text.push_str(name);
        }
        if !definitions.is_empty() {
            text.push('(');
            text.push_str(definitions);
            text.push(')');
        }
        text.push_str(&directives_text(&self.operation.directives));
        text.push_str(selections);
        text
    }

    fn data_role(self, focus: Option<usize>) -> AncestorRole {
        if let [row] = self.rows
            && row.path.is_empty()
        {
            return AncestorRole::Rows(row.layout.clone());
        }
        AncestorRole::Object(self.ancestor_fields(self.branches, &[], focus))
    }

    fn ancestor_fields(self, branches: &[Branch], above: &[Name], focus: Option<usize>) -> Vec<AncestorField> {
        let mut fields = Vec::new();
        for branch in branches {
            let (key, role) = match branch {
                Branch::Value(field) => (
                    field.key.to_string(),
                    AncestorRole::Columns(self.places(field, above, focus)),
                ),
                Branch::Object(field, below) => {
                    let path = [above, std::slice::from_ref(&field.key)].concat();
                    if !self.leads_into_focus(&path, focus) {
                        continue;
                    }
                    (
                        field.key.to_string(),
                        AncestorRole::Object(self.ancestor_fields(below, &path, focus)),
                    )
                }
                Branch::Rows(table) => {
                    if focus.is_some_and(|focus| focus != *table) {
                        continue;
                    }
                    let row = &self.rows[*table];
                    let key = row.path.last().map(ToString::to_string).unwrap_or_default();
                    (key, AncestorRole::Rows(row.layout.clone()))
                }
            };
            fields.push(AncestorField { key, role });
        }
        fields
    }

    fn leads_into_focus(self, path: &[Name], focus: Option<usize>) -> bool {
        let mut rows = self.rows.iter().enumerate();
        rows.any(|(table, row)| row.path.starts_with(path) && focus.is_none_or(|focus| focus == table))
    }

    fn places(self, field: &MergedField, above: &[Name], focus: Option<usize>) -> Vec<ColumnPlace> {
        let path = [above, std::slice::from_ref(&field.key)].concat();
        let rows = self
            .rows
            .iter()
            .enumerate()
            .filter(|(table, _)| focus.is_none_or(|focus| focus == *table));
        let places = rows.flat_map(|(table, row)| {
            let same = row.ancestors.iter().filter(|(value_path, _)| *value_path == path);
            same.map(move |(_, column)| ColumnPlace { table, column: *column })
        });
        places.collect()
    }

    fn probe(self, branches: &[Branch], focus: Option<usize>) -> Vec<ProbeField> {
        let mut fields = Vec::new();
        for branch in branches {
            match branch {
                Branch::Value(_) => {}
                Branch::Object(field, below) => {
                    let below = self.probe(below, focus);
                    if !below.is_empty() {
                        fields.push(probe_field(field, ProbeRole::Object(below)));
                    }
                }
                Branch::Rows(table) if focus.is_some_and(|focus| focus != *table) => {}
                Branch::Rows(table) => fields.extend(self.probe_rows(*table)),
            }
        }
        fields
    }

    fn probe_rows(self, table: usize) -> Option<ProbeField> {
        let row = &self.rows[table];
        let key = row.path.last()?.to_string();
        let role = match &row.relay {
            Some(relay) => ProbeRole::Page(relay.probe.clone()),
            None => ProbeRole::List(table),
        };
        Some(ProbeField {
            key,
            is_optional: row.is_optional,
            role,
        })
    }
}

fn probe_field(field: &MergedField, role: ProbeRole) -> ProbeField {
    ProbeField {
        key: field.key.to_string(),
        is_optional: field.is_conditional,
        role,
    }
}

fn variable_definition(name: &str, ty: &Type, default: Option<&Value>) -> String {
    match default {
        Some(default) => format!("${name}:{ty}={}", default.serialize().no_indent()),
        None => format!("${name}:{ty}"),
    }
}

/// Selections as text without a space too many, and the variables that occur in it.
#[derive(Default)]
struct SelectionText {
    text: String,
    variables: BTreeSet<String>,
}

impl SelectionText {
    fn write_set(&mut self, set: &SelectionSet) {
        self.text.push('{');
        for (index, selection) in set.selections.iter().enumerate() {
            if index > 0 && !self.text.ends_with('}') {
                self.text.push(' ');
            }
            match selection {
                Selection::Field(field) => self.write_field(field),
                Selection::InlineFragment(inline) => {
                    self.text.push_str("...");
                    if let Some(condition) = &inline.type_condition {
                        let _ = write!(self.text, "on {condition}");
                    }
                    self.write_directives(&inline.directives);
                    self.write_set(&inline.selection_set);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        self.text.push('}');
    }

    fn write_field(&mut self, field: &Field) {
        if let Some(alias) = &field.alias {
            let _ = write!(self.text, "{alias}:");
        }
        self.text.push_str(&field.name);
        let arguments = field.arguments.iter().map(|argument| {
            collect_variables(&argument.value, &mut self.variables);
            format!("{}:{}", argument.name, argument.value.serialize().no_indent())
        });
        let arguments: Vec<String> = arguments.collect();
        if !arguments.is_empty() {
            let _ = write!(self.text, "({})", arguments.join(","));
        }
        self.write_directives(&field.directives);
        if !field.selection_set.selections.is_empty() {
            self.write_set(&field.selection_set);
        }
    }

    fn write_directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter().filter(|directive| is_for_the_api(&directive.name)) {
            for argument in &directive.arguments {
                collect_variables(&argument.value, &mut self.variables);
            }
        }
        self.text.push_str(&directives_text(directives));
    }
}

fn directives_text(directives: &DirectiveList) -> String {
    let sent = directives.iter().filter(|directive| is_for_the_api(&directive.name));
    sent.map(|directive| directive.serialize().no_indent().to_string())
        .collect()
}

fn is_for_the_api(directive: &Name) -> bool {
    !CLIENT_DIRECTIVE_NAMES.contains(&directive.as_str())
}

/// Whether a text is a valid query of the schema: a template that is not would be a fault of the planner.
#[cfg(test)]
pub(crate) fn is_valid(
    schema: &apollo_compiler::validation::Valid<apollo_compiler::Schema>,
    text: &str,
) -> Result<(), String> {
    let parsed = apollo_compiler::ExecutableDocument::parse_and_validate(schema, text, "template.graphql");
    parsed.map(drop).map_err(|flawed| flawed.errors.to_string())
}
