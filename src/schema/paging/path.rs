//! Paths into a field's arguments and into its value, and their reading from text: `pagination.page`.

use std::fmt;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name};

use crate::schema::nearest::nearest;
use crate::schema::paging::object_field;

/// Names that a message lists at most.
const MAX_LISTED_NAMES: usize = 12;

/// Field names that lead from a value to a value inside it.
pub type FieldPath = Vec<Name>;

/// An argument, or a field of an input object given as an argument: `["first"]`, `["pagination", "page"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArgumentPath(pub Vec<Name>);

impl ArgumentPath {
    /// The type of the innermost input value; `None` where `field` has no such argument.
    pub fn ty(&self, field: &FieldDefinition, schema: &Schema) -> Option<Type> {
        self.definition(field, schema).map(|input| (*input.ty).clone())
    }

    /// The definition of the innermost input value; `None` where `field` has no such argument.
    pub fn definition<'schema>(
        &self,
        field: &'schema FieldDefinition,
        schema: &'schema Schema,
    ) -> Option<&'schema InputValueDefinition> {
        let (first, rest) = self.0.split_first()?;
        let mut input = argument(field, first)?;
        for name in rest {
            input = input_fields(schema, input)
                .into_iter()
                .find(|inner| inner.name == *name)?;
        }
        Some(input)
    }
}

impl fmt::Display for ArgumentPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&dotted(&self.0))
    }
}

/// `metadata.totalPages`
pub(super) fn dotted(path: &[Name]) -> String {
    let names: Vec<&str> = path.iter().map(Name::as_str).collect();
    names.join(".")
}

/// The argument of that name.
pub(super) fn argument<'field>(field: &'field FieldDefinition, name: &str) -> Option<&'field InputValueDefinition> {
    field
        .arguments
        .iter()
        .map(|node| &**node)
        .find(|input| input.name == name)
}

/// The fields of an input object; none for a value of another type.
pub(super) fn input_fields<'schema>(
    schema: &'schema Schema,
    input: &InputValueDefinition,
) -> Vec<&'schema InputValueDefinition> {
    match schema.types.get(input.ty.inner_named_type()) {
        Some(ExtendedType::InputObject(object)) => object.fields.values().map(|field| &***field).collect(),
        _ => Vec::new(),
    }
}

/// Reads the path of an argument of `field` that takes a single value; the error names what there is.
pub(super) fn read_argument(schema: &Schema, field: &FieldDefinition, text: &str) -> Result<ArgumentPath, String> {
    let path = read_input(schema, field, text)?;
    let definition = path.definition(field, schema);
    let inner = definition.map_or_else(Vec::new, |input| input_fields(schema, input));
    match inner.first() {
        None => Ok(path),
        Some(first) => Err(format!(
            "the argument `{path}` is an object; name a field of it, as in `{path}.{}`: it has {}",
            first.name,
            list(inner.iter().map(|input| &input.name))
        )),
    }
}

/// Reads the path of an argument of `field`, whatever it takes; the error names what there is.
pub(super) fn read_input(schema: &Schema, field: &FieldDefinition, text: &str) -> Result<ArgumentPath, String> {
    let mut known: Vec<&InputValueDefinition> = field.arguments.iter().map(|node| &**node).collect();
    let mut owner = field.name.to_string();
    let mut path = Vec::new();
    for name in text.split('.') {
        let Some(input) = known.iter().find(|input| input.name == name) else {
            let names = known.iter().map(|input| &input.name);
            return Err(unknown("argument", name, &owner, names));
        };
        path.push(input.name.clone());
        owner = dotted(&path);
        known = input_fields(schema, input);
    }
    Ok(ArgumentPath(path))
}

/// Reads a path from the value of `field` to a value inside it, and what stands there; the error names what there is.
pub(super) fn read_field<'schema>(
    schema: &'schema Schema,
    field: &'schema FieldDefinition,
    text: &str,
) -> Result<(FieldPath, Vec<&'schema FieldDefinition>), String> {
    let mut path = FieldPath::new();
    let mut steps: Vec<&FieldDefinition> = Vec::new();
    for name in text.split('.') {
        let holder = steps.last().copied().unwrap_or(field).ty.inner_named_type();
        let Some(step) = object_field(schema, holder, name) else {
            return Err(unknown(
                "field",
                name,
                holder,
                fields(schema, holder).iter().map(|inner| &inner.name),
            ));
        };
        path.push(step.name.clone());
        steps.push(step);
    }
    Ok((path, steps))
}

/// The fields of an object or an interface; none for another type.
pub(super) fn fields<'schema>(schema: &'schema Schema, type_name: &str) -> Vec<&'schema FieldDefinition> {
    let fields = match schema.types.get(type_name) {
        Some(ExtendedType::Object(object)) => &object.fields,
        Some(ExtendedType::Interface(interface)) => &interface.fields,
        _ => return Vec::new(),
    };
    fields.values().map(|field| &***field).collect()
}

/// ``the field `a` does not exist on `T`; did you mean `b`? there are `b` and `c` ``
pub(super) fn unknown<'names>(
    kind: &str,
    name: &str,
    owner: &str,
    known: impl Iterator<Item = &'names Name> + Clone,
) -> String {
    let meant = nearest(name, known.clone().map(Name::as_str));
    let meant = meant.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    format!(
        "`{owner}` has no {kind} `{name}`: {meant}there {}",
        match known.clone().count() {
            0 => format!("is no {kind} at all"),
            1 => format!("is {}", list(known)),
            _ => format!("are {}", list(known)),
        }
    )
}

/// `` `a`, `b`, `c` ``
fn list<'names>(names: impl Iterator<Item = &'names Name>) -> String {
    let mut quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if quoted.len() > MAX_LISTED_NAMES {
        quoted.truncate(MAX_LISTED_NAMES);
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}
