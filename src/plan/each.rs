//! `@each`: a variable that takes the values of a column of another query file's result, one after the other.

use apollo_compiler::Node;
use apollo_compiler::ast::{Value, VariableDefinition};
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::ExtendedType;
use serde::Serialize;
use serde_json::Value as JsonValue;

use crate::plan::columns::Context;
use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::argument;
use crate::plan::table::ColumnType;
use crate::schema::ScalarType;

/// The column whose values a query file is run for, once for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Each {
    /// The variable that takes the values.
    pub variable: String,
    /// The query file that has the table.
    pub query: String,
    /// The table.
    pub table: String,
    /// The column, and the way into it where it is a STRUCT.
    pub column: Vec<String>,
    #[serde(skip)]
    form: Form,
}

impl Each {
    /// The column as the query file names it: `groups.name`.
    pub fn of(&self) -> String {
        format!("{}.{}", self.table, self.column.join("."))
    }

    /// A value of the column as the variable takes it.
    pub fn member(&self, value: JsonValue) -> JsonValue {
        let value = match value {
            JsonValue::Number(number) if self.form.is_text => number.to_string().into(),
            value => value,
        };
        match self.form.is_list {
            true => JsonValue::Array(vec![value]),
            false => value,
        }
    }
}

/// How a value of the column is written for the variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// Numbers are written as text.
    is_text: bool,
    /// The variable is a list: of one value.
    is_list: bool,
}

/// A variable with `@each`, before it is known which query file has the table.
#[derive(Debug, Clone)]
pub(crate) struct EachVariable {
    pub(crate) name: String,
    /// Its type as it is written.
    pub(crate) ty: String,
    pub(crate) table: String,
    pub(crate) column: Vec<String>,
    takes: Takes,
    is_list: bool,
    place: Option<SourceSpan>,
    sources: SourceMap,
}

/// What a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Identifier,
    Integer,
    Float,
    Boolean,
    Enum,
    /// A custom scalar: any single value.
    Anything,
}

/// Reads `@each`; nothing where no variable has it, or where the one that has it was given a value.
pub(crate) fn each(context: Context<'_>, operation: &Operation) -> Result<Option<EachVariable>, PlanError> {
    let with_each = |definition: &&Node<VariableDefinition>| definition.directives.has("each");
    let mut definitions = operation.variables.iter().filter(with_each);
    let Some(definition) = definitions.next() else {
        return Ok(None);
    };
    if let Some(second) = definitions.next() {
        let finding = Finding {
            message: format!("both `${}` and `${}` have @each", definition.name, second.name),
            place: second.directives.get("each").and_then(Node::location),
            label: "the second one".to_owned(),
            help: "a query file runs for the values of one variable: give the other a value with --var or a default"
                .to_owned(),
        };
        return Err(finding.into_error(context.sources));
    }
    if context.variables.get(&definition.name).is_some() {
        return Ok(None);
    }
    read(context, definition).map(Some)
}

fn read(context: Context<'_>, definition: &Node<VariableDefinition>) -> Result<EachVariable, PlanError> {
    let directive = definition.directives.get("each");
    let place = directive.and_then(Node::location);
    let of = directive
        .and_then(|directive| argument(directive, "of"))
        .and_then(Value::as_str);
    let refusal = |message: String, help: &str| refusal(message, help.to_owned(), place, context.sources);
    let of = of.unwrap_or_default();
    let mut names = of.split('.').map(str::to_owned);
    let table = names.next().unwrap_or_default();
    let column: Vec<String> = names.collect();
    if table.is_empty() || column.is_empty() || column.iter().any(String::is_empty) {
        let message = format!("`{of}` names no column of a table");
        return Err(refusal(
            message,
            "write the table and its column: @each(of: \"groups.name\")",
        ));
    }
    let Some(takes) = takes(context, definition) else {
        let (name, ty) = (&definition.name, &definition.ty);
        let message = format!("`${name}` of type {ty} cannot take the values of a column");
        return Err(refusal(message, "@each stands on a variable that takes a single value"));
    };
    Ok(EachVariable {
        name: definition.name.to_string(),
        ty: definition.ty.to_string(),
        table,
        column,
        takes,
        is_list: definition.ty.is_list(),
        place,
        sources: SourceMap::clone(context.sources),
    })
}

fn refusal(message: String, help: String, place: Option<SourceSpan>, sources: &SourceMap) -> PlanError {
    let finding = Finding {
        message,
        place,
        label: "here".to_owned(),
        help,
    };
    finding.into_error(sources)
}

fn takes(context: Context<'_>, definition: &VariableDefinition) -> Option<Takes> {
    let is_nested = definition.ty.is_list() && definition.ty.item_type().is_list();
    let name = definition.ty.inner_named_type();
    match (name.as_str(), context.schema.types.get(name)?) {
        _ if is_nested => None,
        ("String", _) => Some(Takes::Text),
        ("ID", _) => Some(Takes::Identifier),
        ("Int", _) => Some(Takes::Integer),
        ("Float", _) => Some(Takes::Float),
        ("Boolean", _) => Some(Takes::Boolean),
        (_, ExtendedType::Enum(_)) => Some(Takes::Enum),
        (_, ExtendedType::Scalar(_)) => Some(Takes::Anything),
        _ => None,
    }
}

impl EachVariable {
    /// The column as the query file names it.
    pub(crate) fn of(&self) -> String {
        format!("{}.{}", self.table, self.column.join("."))
    }

    /// An error at the place of the directive.
    pub(crate) fn refusal(&self, message: String, help: String) -> PlanError {
        refusal(message, help, self.place, &self.sources)
    }

    /// The values of a column of this type of a table of that query file; nothing where they cannot be the variable's.
    pub(crate) fn over(&self, query: &str, ty: &ColumnType) -> Option<Each> {
        let ColumnType::Scalar(scalar) = ty else {
            return None;
        };
        Some(Each {
            variable: self.name.clone(),
            query: query.to_owned(),
            table: self.table.clone(),
            column: self.column.clone(),
            form: Form {
                is_text: self.takes.as_text(*scalar)?,
                is_list: self.is_list,
            },
        })
    }
}

impl Takes {
    /// Whether values of a column of that type are written as text; nothing where they cannot be taken.
    fn as_text(self, scalar: ScalarType) -> Option<bool> {
        use ScalarType::{Boolean, Date, Float64, Int32, Int64, Json, String, Timestamp};
        match (self, scalar) {
            (Self::Text | Self::Identifier, Int32 | Int64) => Some(true),
            (Self::Text, String | Date | Timestamp)
            | (Self::Identifier | Self::Enum, String)
            | (Self::Integer, Int32 | Int64)
            | (Self::Float, Float64 | Int32 | Int64)
            | (Self::Boolean, Boolean)
            | (Self::Anything, String | Int32 | Int64 | Float64 | Boolean | Date | Timestamp | Json) => Some(false),
            _ => None,
        }
    }
}
