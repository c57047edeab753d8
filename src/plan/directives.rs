//! What a query file says to us by the directives `@paginate`, `@table` and `@column`.

use std::str::FromStr as _;

use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};

use crate::plan::report::{Finding, PlanError};
use crate::plan::selection::argument;
use crate::schema::ScalarType;

/// `@paginate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PaginateDirective {
    /// `NONE`: the field is not paginated, whatever it looks like. `RELAY`: it has to be.
    pub(crate) style: Option<DirectiveStyle>,
    /// Rows asked for at once.
    pub(crate) size: Option<u32>,
}

/// The styles that `@paginate` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirectiveStyle {
    None,
    Relay,
}

/// `@table`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TableDirective {
    pub(crate) name: Option<String>,
    /// Response keys; empty where the type's `id` is the key.
    pub(crate) key: Vec<String>,
    pub(crate) place: Option<SourceSpan>,
}

/// `@column`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnDirective {
    pub(crate) name: Option<String>,
    pub(crate) ty: Option<ScalarType>,
}

/// Reads `@paginate`; the compiler has checked its arguments' types.
pub(crate) fn paginate(directives: &DirectiveList, sources: &SourceMap) -> Result<PaginateDirective, PlanError> {
    let Some(directive) = directives.get("paginate") else {
        return Ok(PaginateDirective::default());
    };
    let style = match argument(directive, "style") {
        Some(Value::Enum(style)) if style.as_str() == "NONE" => Some(DirectiveStyle::None),
        Some(Value::Enum(_)) => Some(DirectiveStyle::Relay),
        _ => None,
    };
    let size = match argument(directive, "size") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let size = positive(value);
            let refuse = || refusal("the page size must be at least 1", directive.location(), sources);
            Some(size.ok_or_else(refuse)?)
        }
    };
    Ok(PaginateDirective { style, size })
}

/// Reads `@table`.
pub(crate) fn table(directives: &DirectiveList) -> TableDirective {
    let Some(directive) = directives.get("table") else {
        return TableDirective::default();
    };
    let key = match argument(directive, "key") {
        Some(Value::String(key)) => vec![key.clone()],
        Some(Value::List(keys)) => keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    TableDirective {
        name: text(directive, "name"),
        key,
        place: directive.location(),
    }
}

/// Reads `@column`.
pub(crate) fn column(directives: &DirectiveList, sources: &SourceMap) -> Result<ColumnDirective, PlanError> {
    let Some(directive) = directives.get("column") else {
        return Ok(ColumnDirective::default());
    };
    let ty = text(directive, "type")
        .map(|name| ScalarType::from_str(&name))
        .transpose();
    let ty = ty.map_err(|unknown| refusal(&unknown.to_string(), directive.location(), sources))?;
    Ok(ColumnDirective {
        name: text(directive, "name"),
        ty,
    })
}

/// A whole number of at least 1.
pub(crate) fn positive(value: &Value) -> Option<u32> {
    value
        .to_i32()
        .and_then(|size| u32::try_from(size).ok())
        .filter(|size| *size > 0)
}

fn text(directive: &apollo_compiler::ast::Directive, name: &str) -> Option<String> {
    argument(directive, name).and_then(Value::as_str).map(str::to_owned)
}

fn refusal(message: &str, place: Option<SourceSpan>, sources: &SourceMap) -> PlanError {
    let finding = Finding {
        message: message.to_owned(),
        place,
        label: "here".to_owned(),
        help: "the README lists what the directives take".to_owned(),
    };
    finding.into_error(sources)
}
