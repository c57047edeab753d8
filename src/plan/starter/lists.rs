//! The lists that the query root leads to, and the way to each.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::paging_rules::PagingRules;
use crate::plan::starter::fields::Fields;
use crate::schema::{FieldPath, PagedField, Pager, Paging, PagingHints, paging};

/// A list that no query file begins with, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// The names of the fields on the way to it, with dots.
    pub list: String,
    /// Why, and what can be done.
    pub why: &'static str,
}

/// Plain values make no rows.
const PLAIN: &str = "its items are plain values: select it in a query file of your own, where it is a column";

/// Two variables would be one.
const NAMESAKES: &str = "two of its arguments have the same name: write a query file of your own";

/// Nothing can be selected of it in a word.
const HOLLOW: &str = "its rows have no plain value: write a query file of your own";

/// A list, and how it is reached from the query root.
pub(super) struct List<'schema> {
    /// From the query root to the field with the list; one or two.
    pub(super) way: Vec<&'schema FieldDefinition>,
    /// From that field's value to its items.
    pub(super) items: FieldPath,
    /// The type of the items.
    pub(super) item_type: &'schema Name,
    /// How it turns its pages, where that is known.
    pub(super) paged: Option<PagedField>,
    /// What has to be said of that.
    pub(super) said: Option<PagingHints>,
    /// What to do where that is a guess.
    pub(super) doubt: Option<String>,
    /// The lists in its rows.
    pub(super) inner: Vec<&'schema Name>,
}

impl<'schema> List<'schema> {
    /// The names on the way: `viewer_repositories`.
    pub(super) fn name(&self) -> String {
        let names: Vec<&str> = self.way.iter().map(|field| field.name.as_str()).collect();
        names.join("_")
    }

    /// It, as one that no query file begins with since nothing can be selected of its rows.
    pub(super) fn hollow(&self) -> Omitted {
        omitted(&self.way, HOLLOW)
    }

    /// The variables that need a value, each with its type.
    pub(super) fn needs(&self) -> Vec<String> {
        let needed = self.needed();
        needed
            .map(|argument| format!("${}: {}", argument.name, argument.ty))
            .collect()
    }

    /// The arguments that need a value: those on which the schema insists and that do not turn pages.
    pub(super) fn needed(&self) -> impl Iterator<Item = &'schema InputValueDefinition> {
        self.undriven().filter(|argument| argument.is_required())
    }

    /// The arguments that may have a value: the others that do not turn pages.
    pub(super) fn free(&self) -> impl Iterator<Item = &'schema InputValueDefinition> {
        self.undriven().filter(|argument| !argument.is_required())
    }

    fn undriven(&self) -> impl Iterator<Item = &'schema InputValueDefinition> {
        let driven = |argument: &InputValueDefinition| {
            let paths = self.paged.iter().flat_map(PagedField::arguments);
            paths.into_iter().any(|path| path.0.first() == Some(&argument.name))
        };
        let arguments = self.way.iter().flat_map(|field| &field.arguments);
        arguments
            .map(|argument| &**argument)
            .filter(move |argument| !driven(argument))
    }
}

/// All of them, and those that no query file can begin with; what only goes on with another list is in neither. An object
/// that has to be told which one it is leads to its lists unless it is a row of another list: then they are in its rows.
pub(super) fn lists<'schema>(
    fields: Fields<'schema, '_>,
    rules: PagingRules<'_>,
) -> (Vec<List<'schema>>, Vec<Omitted>) {
    let schema = fields.schema;
    let Some(query) = &schema.schema_definition.query else {
        return (Vec::new(), Vec::new());
    };
    let mut finder = Finder {
        schema,
        fields,
        rules,
        found: Vec::new(),
        omitted: Vec::new(),
    };
    let mut told = Vec::new();
    for field in fields.of(query) {
        if finder.take(&[], query, field) {
            continue;
        }
        match field.arguments.iter().any(|argument| argument.is_required()) {
            true => told.push(field),
            false => finder.take_lists_in(field),
        }
    }
    let rows: BTreeSet<&Name> = finder.found.iter().map(|list| list.item_type).collect();
    told.retain(|object| !rows.contains(object.ty.inner_named_type()));
    told.into_iter().for_each(|object| finder.take_lists_in(object));
    let Finder { mut found, omitted, .. } = finder;
    let moved_to: BTreeSet<Name> = found.iter().filter_map(next_field).collect();
    found.retain(|list| list.way.len() > 1 || !list.way.iter().any(|field| moved_to.contains(&field.name)));
    (found, omitted)
}

fn omitted(way: &[&FieldDefinition], why: &'static str) -> Omitted {
    let names: Vec<&str> = way.iter().map(|field| field.name.as_str()).collect();
    Omitted {
        list: names.join("."),
        why,
    }
}

fn next_field(list: &List<'_>) -> Option<Name> {
    match &list.paged.as_ref()?.pager {
        Pager::MovingCursor { next_field, .. } => Some(next_field.clone()),
        _ => None,
    }
}

struct Finder<'schema, 'plan> {
    schema: &'schema Schema,
    fields: Fields<'schema, 'plan>,
    rules: PagingRules<'plan>,
    found: Vec<List<'schema>>,
    omitted: Vec<Omitted>,
}

impl<'schema> Finder<'schema, '_> {
    /// Takes the lists in an object: `viewer { repositories }`.
    fn take_lists_in(&mut self, outer: &'schema FieldDefinition) {
        let ty = outer.ty.inner_named_type();
        for field in self.fields.of(ty) {
            self.take(&[outer], ty, field);
        }
    }

    /// Takes a field, behind those that lead to it, if it is a list; false where it is none.
    fn take(&mut self, before: &[&'schema FieldDefinition], owner: &Name, field: &'schema FieldDefinition) -> bool {
        let way = [before, &[field]].concat();
        let Some(mut list) = self.list(owner, field) else {
            if field.ty.is_list() {
                self.omitted.push(omitted(&way, PLAIN));
            }
            return field.ty.is_list();
        };
        list.way = way;
        let needed: Vec<&Name> = list.needed().map(|argument| &argument.name).collect();
        if needed.iter().collect::<BTreeSet<_>>().len() < needed.len() {
            self.omitted.push(omitted(&list.way, NAMESAKES));
            return true;
        }
        list.inner = self.lists_in_rows(list.item_type);
        self.found.push(list);
        true
    }

    /// The names of the lists in rows of a type, or of any type of a union.
    fn lists_in_rows(&self, rows: &'schema Name) -> Vec<&'schema Name> {
        let types = match self.schema.types.get(rows) {
            Some(ExtendedType::Union(union)) => union.members.iter().map(|member| &member.name).collect(),
            _ => vec![rows],
        };
        let mut names: Vec<&Name> = Vec::new();
        for ty in types {
            let lists = self.fields.of(ty).filter(|&field| self.list(ty, field).is_some());
            for list in lists {
                if !names.contains(&&list.name) {
                    names.push(&list.name);
                }
            }
        }
        names
    }

    /// The list that a field is; `None` for one that is none, or of plain values.
    fn list(&self, owner: &Name, field: &'schema FieldDefinition) -> Option<List<'schema>> {
        let (mut said, mut doubt) = (None, None);
        let paged = match paging(self.schema, field, &self.rules.hints(owner, &field.name)) {
            Ok(Paging::Paged(paged)) => Some(*paged),
            Ok(Paging::Undecided { help, proposal, .. }) => {
                doubt = Some(help).filter(|_| proposal.as_ref().is_none_or(|proposal| !proposal.is_told));
                said = proposal.map(|proposal| proposal.hints);
                said.as_ref().and_then(|hints| self.paged_as(field, hints))
            }
            Ok(Paging::None) | Err(_) => None,
        };
        let items = match &paged {
            Some(paged) => paged.items.first()?.clone(),
            None if field.ty.is_list() => Vec::new(),
            None => return None,
        };
        let item_type = self.type_at(&field.ty, &items)?;
        self.has_fields(item_type).then_some(List {
            way: vec![field],
            items,
            item_type,
            paged,
            said,
            doubt,
            inner: Vec::new(),
        })
    }

    fn paged_as(&self, field: &FieldDefinition, hints: &PagingHints) -> Option<PagedField> {
        match paging(self.schema, field, hints) {
            Ok(Paging::Paged(paged)) => Some(*paged),
            _ => None,
        }
    }

    fn type_at(&self, ty: &'schema Type, path: &[Name]) -> Option<&'schema Name> {
        let mut at = ty.inner_named_type();
        for name in path {
            at = self
                .fields
                .of(at)
                .find(|field| field.name == *name)?
                .ty
                .inner_named_type();
        }
        Some(at)
    }

    fn has_fields(&self, type_name: &Name) -> bool {
        matches!(
            self.schema.types.get(type_name),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        )
    }
}
