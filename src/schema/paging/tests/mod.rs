//! Small schemas in the shapes of real APIs, and what is made of their fields.

mod apis;
mod doubt;
mod hints;
mod shapes;
mod undecided;

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

use crate::schema::paging::path::dotted;
use crate::schema::paging::{Paging, PagingHints, object_field, paging};

fn schema(definition: &str) -> Schema {
    Schema::parse(definition, "api.graphql").unwrap()
}

/// What is made of a field with hints that are written as in a preset: `style; items; why`.
fn told(schema: &Schema, type_name: &str, field: &str, hints: &str) -> String {
    let hints: PagingHints = toml::from_str(hints).unwrap();
    let field = object_field(schema, type_name, field).unwrap();
    match paging(schema, field, &hints) {
        Ok(Paging::None) => "none".to_owned(),
        Ok(Paging::Undecided { arguments, help, .. }) => format!("undecided ({}): {help}", arguments.join(", ")),
        Ok(Paging::Paged(paged)) => {
            let items: Vec<String> = paged.items.iter().map(|path| dotted(path)).collect();
            let total = paged
                .total
                .map_or_else(String::new, |path| format!("; total {}", dotted(&path)));
            format!(
                "{}; rows [{}]{total}; {}",
                paged.pager.style(),
                items.join(", "),
                paged.reason
            )
        }
        Err(error) => format!("error: {error}"),
    }
}

/// A line for each field that is paginated, or looks like it.
fn table(definition: &str) -> String {
    let schema = schema(definition);
    let objects = schema.types.values().filter_map(ExtendedType::as_object);
    let objects = objects.filter(|object| !object.name.starts_with("__"));
    let fields = objects.flat_map(|object| object.fields.keys().map(|field| (&object.name, field)));
    let lines = fields.map(|(owner, field)| format!("{owner}.{field}: {}", told(&schema, owner, field, "")));
    let lines: Vec<String> = lines.filter(|line| !line.ends_with(": none")).collect();
    lines.join("\n")
}
