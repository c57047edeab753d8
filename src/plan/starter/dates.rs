//! Which arguments of a list may narrow it by a date.

use apollo_compiler::Schema;
use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::schema::ExtendedType;

use crate::plan::starter::lists::List;

/// The optional arguments of a list that look as if it could be narrowed by a date with them.
pub(super) fn date_filters<'schema>(schema: &Schema, list: &List<'schema>) -> Vec<&'schema InputValueDefinition> {
    let arguments = list.free().filter(|argument| {
        is_date_filter(schema, &argument.name, &argument.ty) || has_date_filter(schema, &argument.ty)
    });
    arguments.collect()
}

fn has_date_filter(schema: &Schema, ty: &Type) -> bool {
    match schema.types.get(ty.inner_named_type()) {
        Some(ExtendedType::InputObject(input)) => {
            let mut fields = input.fields.values();
            fields.any(|field| is_date_filter(schema, &field.name, &field.ty))
        }
        _ => false,
    }
}

/// Whether its type or its name speaks of a date. Directions of an order, and what is true or false, are no filters.
fn is_date_filter(schema: &Schema, name: &str, ty: &Type) -> bool {
    let ty = ty.inner_named_type();
    let can_hold_date = match schema.types.get(ty) {
        Some(ExtendedType::Scalar(_)) => ty != "Boolean",
        Some(ExtendedType::InputObject(input)) => {
            let is_direction =
                |ty: &Type| matches!(schema.types.get(ty.inner_named_type()), Some(ExtendedType::Enum(_)));
            !input.fields.values().all(|field| is_direction(&field.ty))
        }
        _ => false,
    };
    can_hold_date && (speaks_of_date(ty) || speaks_of_date(name))
}

/// Whether one of the words in a name is about dates: `modifiedDate`, `updated_at`, `createdAfter`, `since`.
fn speaks_of_date(name: &str) -> bool {
    let words = words(name);
    let is_date = |word: &String| matches!(word.as_str(), "date" | "datetime" | "timestamp" | "since" | "until");
    let ends_so =
        matches!(words.as_slice(), [_, .., last] if ["at", "after", "before", "time"].contains(&last.as_str()));
    words.iter().any(is_date) || ends_so
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in name.chars() {
        let begins = character == '_' || character.is_ascii_uppercase();
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character != '_') {
            word.push(character.to_ascii_lowercase());
        }
    }
    words
}
