//! The lists that the query root leads to, and the way to each.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::paging_rules::PagingRules;
use crate::plan::starter::fields::Fields;
use crate::schema::{FieldPath, PagedField, Pager, Paging, PagingHints, paging};

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
}

impl<'schema> List<'schema> {
    /// The names on the way: `viewer_repositories`.
    pub(super) fn name(&self) -> String {
        let names: Vec<&str> = self.way.iter().map(|field| field.name.as_str()).collect();
        names.join("_")
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
        let driven = |argument: &InputValueDefinition| {
            let paths = self.paged.iter().flat_map(PagedField::arguments);
            paths.into_iter().any(|path| path.0.first() == Some(&argument.name))
        };
        let arguments = self.way.iter().flat_map(|field| &field.arguments);
        arguments
            .map(|argument| &**argument)
            .filter(move |argument| argument.is_required() && !driven(argument))
    }
}

/// All of them; what only goes on with another list is left out.
pub(super) fn lists<'schema>(fields: Fields<'schema, '_>, rules: PagingRules<'_>) -> Vec<List<'schema>> {
    let schema = fields.schema;
    let Some(query) = &schema.schema_definition.query else {
        return Vec::new();
    };
    let finder = Finder { schema, fields, rules };
    let mut found = Vec::new();
    for field in fields.of(query) {
        match finder.list(query, field) {
            Some(list) => found.push(list),
            None => found.extend(finder.lists_in(field)),
        }
    }
    let moved_to: BTreeSet<Name> = found.iter().filter_map(next_field).collect();
    found.retain(|list| list.way.len() > 1 || !list.way.iter().any(|field| moved_to.contains(&field.name)));
    found
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
}

impl<'schema> Finder<'schema, '_> {
    /// The lists in an object that is there for whoever asks: `viewer { repositories }`.
    fn lists_in(&self, outer: &'schema FieldDefinition) -> Vec<List<'schema>> {
        let ty = outer.ty.inner_named_type();
        if outer.ty.is_list() || outer.arguments.iter().any(|argument| argument.is_required()) {
            return Vec::new();
        }
        let lists = self.fields.of(ty).filter_map(|field| self.list(ty, field));
        lists
            .map(|mut list| {
                list.way.insert(0, outer);
                list
            })
            .collect()
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
