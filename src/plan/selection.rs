//! Selections as a response will show them, and the changes that the planner makes to them.

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::executable::{Field, InlineFragment, Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Name};
use apollo_compiler::{Node, Schema, name};

use crate::plan::denied::{is_left_out, is_mark};
use crate::plan::variables::Variables;
use crate::schema::object_field;

/// The field that tells an object's type.
pub(crate) const TYPE_NAME: Name = name!("__typename");

/// All selections of one response key in one object, taken together.
#[derive(Debug, Clone)]
pub(crate) struct MergedField {
    pub(crate) key: Name,
    /// The type on which the first of them stands.
    pub(crate) parent: Name,
    /// The first of them.
    pub(crate) field: Node<Field>,
    /// What is selected below it: one set for each of them.
    pub(crate) sets: Vec<SelectionSet>,
    /// Whether a response may lack it: because of the object's type, or of `@skip` and `@include`.
    pub(crate) is_conditional: bool,
    /// Whether `@skip` or `@include` leave it out, with the values that the variables have.
    pub(crate) is_excluded: bool,
}

/// Under which conditions a selection stands.
#[derive(Clone, Copy, Default)]
struct Conditions {
    is_conditional: bool,
    is_excluded: bool,
}

/// The fields of an object, in the order in which they first occur.
pub(crate) fn merge(sets: &[SelectionSet], schema: &Schema, variables: &Variables) -> Vec<MergedField> {
    let mut merged = Vec::new();
    // Sets on different types (below the same key in two fragments) leave open which of them applies.
    let is_mixed = sets.windows(2).any(|pair| pair[0].ty != pair[1].ty);
    let conditions = Conditions {
        is_conditional: is_mixed,
        is_excluded: false,
    };
    for set in sets {
        merge_into(&mut merged, set, conditions, schema, variables);
    }
    merged
}

fn merge_into(
    merged: &mut Vec<MergedField>,
    set: &SelectionSet,
    conditions: Conditions,
    schema: &Schema,
    variables: &Variables,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                merge_field(merged, &set.ty, field, conditions.under(&field.directives, variables));
            }
            Selection::InlineFragment(inline) => {
                let mut conditions = conditions.under(&inline.directives, variables);
                conditions.is_conditional |= !always_applies(inline, set, schema);
                merge_into(merged, &inline.selection_set, conditions, schema, variables);
            }
            // Spreads were written out when the document was checked.
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn merge_field(merged: &mut Vec<MergedField>, parent: &Name, field: &Node<Field>, conditions: Conditions) {
    let key = field.response_key();
    if let Some(same) = merged.iter_mut().find(|other| other.key == *key) {
        same.sets.push(field.selection_set.clone());
        same.is_conditional &= conditions.is_conditional;
        same.is_excluded &= conditions.is_excluded;
        return;
    }
    merged.push(MergedField {
        key: key.clone(),
        parent: parent.clone(),
        field: field.clone(),
        sets: vec![field.selection_set.clone()],
        is_conditional: conditions.is_conditional,
        is_excluded: conditions.is_excluded,
    });
}

impl Conditions {
    fn under(self, directives: &DirectiveList, variables: &Variables) -> Self {
        let mut conditions = self;
        for directive in directives.iter() {
            if is_mark(directive) {
                conditions.is_conditional = true;
                conditions.is_excluded |= is_left_out(directives);
            }
            let left_out_when = match directive.name.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            conditions.is_conditional = true;
            let value = argument(directive, "if").and_then(|value| variables.boolean(value));
            conditions.is_excluded |= value == Some(left_out_when);
        }
        conditions
    }
}

/// The value of a directive's argument.
pub(crate) fn argument<'directive>(directive: &'directive Directive, name: &str) -> Option<&'directive Value> {
    directive.specified_argument_by_name(name).map(|value| &**value)
}

fn always_applies(inline: &InlineFragment, set: &SelectionSet, schema: &Schema) -> bool {
    let Some(condition) = &inline.type_condition else {
        return true;
    };
    *condition == set.ty || schema.is_subtype(condition, &set.ty)
}

impl MergedField {
    /// Whether it is that field, always there, plain and without arguments.
    pub(crate) fn is_plain(&self, name: &Name) -> bool {
        self.field.name == *name && !self.is_conditional && !self.has_fields() && self.field.arguments.is_empty()
    }

    /// Whether it is an object, or a list of objects.
    pub(crate) fn has_fields(&self) -> bool {
        self.sets.iter().any(|set| !set.selections.is_empty())
    }
}

/// The name under which `field` can be added to the sets without clashing with a key that is there:
/// its own, or an alias.
pub(crate) fn free_key(fields: &[MergedField], field: &Name) -> Name {
    let is_taken = |key: &Name| {
        fields
            .iter()
            .any(|other| other.key == *key && other.field.name != *field)
    };
    if !is_taken(field) {
        return field.clone();
    }
    let mut alias = format!("own_{field}");
    while fields.iter().any(|other| other.key == alias.as_str()) {
        alias.push('_');
    }
    Name::new_unchecked(&alias)
}

/// A field of `type_name` under the response key `key`, or `None` where the type has no such field.
pub(crate) fn leaf_field(schema: &Schema, type_name: &Name, name: &Name, key: &Name) -> Option<Field> {
    let definition = schema.type_field(type_name, name).ok()?.node.clone();
    let alias = (key != name).then(|| key.clone());
    Some(Field::new(name.clone(), definition).with_opt_alias(alias))
}

/// Adds `additions` to the sets that are found below `set` by following the response keys of `path`.
pub(crate) fn add_below(set: &mut SelectionSet, path: &[Name], additions: &[Selection]) {
    let Some((key, rest)) = path.split_first() else {
        set.selections.extend(additions.iter().cloned());
        return;
    };
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) if field.response_key() == key => {
                add_below(&mut field.make_mut().selection_set, rest, additions);
            }
            Selection::InlineFragment(inline) => add_below(&mut inline.make_mut().selection_set, path, additions),
            Selection::Field(_) | Selection::FragmentSpread(_) => {}
        }
    }
}

/// Adds `__typename` wherever the type of an object is open, in `set` and below it.
pub(crate) fn add_type_names(set: &mut SelectionSet, schema: &Schema) {
    let is_there = set.fields().any(|field| *field.response_key() == TYPE_NAME);
    if is_abstract(schema, &set.ty) && !is_there {
        set.selections
            .extend(leaf_field(schema, &set.ty, &TYPE_NAME, &TYPE_NAME).map(Into::into));
    }
    add_type_names_below(set, schema);
}

fn add_type_names_below(set: &mut SelectionSet, schema: &Schema) {
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) if !field.selection_set.selections.is_empty() => {
                add_type_names(&mut field.make_mut().selection_set, schema);
            }
            // The object around the fragment has its `__typename` already.
            Selection::InlineFragment(inline) => add_type_names_below(&mut inline.make_mut().selection_set, schema),
            Selection::Field(_) | Selection::FragmentSpread(_) => {}
        }
    }
}

fn is_abstract(schema: &Schema, type_name: &Name) -> bool {
    matches!(
        schema.types.get(type_name),
        Some(ExtendedType::Interface(_) | ExtendedType::Union(_))
    )
}

/// What has to be selected on objects of `type_name` for their plain field `name` to stand under `key`; `None` where not
/// every object of that type has it.
pub(crate) fn key_selections(schema: &Schema, type_name: &Name, name: &Name, key: &Name) -> Option<Vec<Selection>> {
    if has_plain(schema, type_name, name) {
        return Some(vec![leaf_field(schema, type_name, name, key)?.into()]);
    }
    let members = possible_types(schema, type_name);
    let selections: Option<Vec<_>> = members
        .iter()
        .map(|member| key_of_member(schema, member, name, key))
        .collect();
    selections.filter(|selections| !selections.is_empty())
}

/// The same where the selections name `key` in some types alone: what is lacking of it in the others. `None` too where one
/// of them has it under a condition, or not as that field.
pub(crate) fn lacking_key_selections(
    sets: &[SelectionSet],
    schema: &Schema,
    variables: &Variables,
    (name, key): (&Name, &Name),
) -> Option<Vec<Selection>> {
    let mut lacking = Vec::new();
    for member in possible_types(schema, &sets.first()?.ty) {
        let own: Vec<SelectionSet> = sets.iter().map(|set| of_member(set, &member, schema)).collect();
        let fields = merge(&own, schema, variables);
        match fields.iter().find(|field| field.key == *key) {
            Some(field) if field.is_plain(name) => {}
            Some(_) => return None,
            None => lacking.push(key_of_member(schema, &member, name, key)?),
        }
    }
    Some(lacking)
}

fn key_of_member(schema: &Schema, member: &Name, name: &Name, key: &Name) -> Option<Selection> {
    let mut inline = InlineFragment::with_type_condition(member.clone());
    inline.selection_set.push(leaf_field(schema, member, name, key)?);
    has_plain(schema, member, name).then(|| Selection::from(inline))
}

/// What of a selection applies to objects of one type, whose conditions are then none of types.
fn of_member(set: &SelectionSet, member: &Name, schema: &Schema) -> SelectionSet {
    let mut own = SelectionSet::new(member.clone());
    for selection in &set.selections {
        let Selection::InlineFragment(inline) = selection else {
            own.selections.push(selection.clone());
            continue;
        };
        let condition = inline.type_condition.as_ref();
        if condition.is_none_or(|condition| condition == member || schema.is_subtype(condition, member)) {
            let mut inline = InlineFragment::clone(inline);
            inline.type_condition = None;
            inline.selection_set = of_member(&inline.selection_set, member, schema);
            own.selections.push(inline.into());
        }
    }
    own
}

fn has_plain(schema: &Schema, type_name: &Name, name: &Name) -> bool {
    let Some(field) = object_field(schema, type_name, name) else {
        return false;
    };
    let is_leaf = schema
        .types
        .get(field.ty.inner_named_type())
        .is_some_and(ExtendedType::is_leaf);
    is_leaf && !field.ty.is_list() && !field.arguments.iter().any(|argument| argument.is_required())
}

/// The object types that an object of `type_name` can be of.
pub(crate) fn possible_types(schema: &Schema, type_name: &Name) -> Vec<Name> {
    match schema.types.get(type_name) {
        Some(ExtendedType::Object(object)) => vec![object.name.clone()],
        Some(ExtendedType::Union(union)) => union.members.iter().map(|member| member.name.clone()).collect(),
        Some(ExtendedType::Interface(_)) => {
            let implementers = schema.implementers_map();
            let objects = implementers
                .get(type_name)
                .map(|implementers| implementers.objects.iter().cloned());
            let mut objects: Vec<Name> = objects.into_iter().flatten().collect();
            objects.sort();
            objects
        }
        _ => Vec::new(),
    }
}
