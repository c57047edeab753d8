//! Reports on query files in the compiler's own form: file, line, caret, remedy.

use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::diagnostic::{CliReport, Color, ToCliReport as _};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticList;

use crate::project::Secrets;
use crate::schema::nearest;

/// Why a query file cannot be exported: one report or several, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(String);

/// A finding of the planner, to be shown like one of the compiler's.
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) message: String,
    /// Where.
    pub(crate) place: Option<SourceSpan>,
    /// What stands at that place.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: String,
}

impl Finding {
    pub(crate) fn into_error(self, sources: &SourceMap) -> PlanError {
        let mut report = CliReport::builder(sources, self.place, Color::Never);
        report.with_message(self.message);
        report.with_label_opt(self.place, self.label);
        report.with_help(self.help);
        PlanError(text(report))
    }
}

impl PlanError {
    /// An error without a place in a file.
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The same, where a value that nobody is to see is part of it.
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        Self(secrets.redact(&self.0))
    }

    /// The compiler's reports, each with the nearest name that exists where one is misspelt.
    pub(crate) fn from_compiler(errors: &DiagnosticList, schema: Option<&Schema>) -> Self {
        let mut reports: Vec<String> = Vec::new();
        for diagnostic in errors.iter() {
            // A report may point into the schema as well.
            let mut sources = SourceMap::clone(diagnostic.sources);
            let of_schema = schema.into_iter().flat_map(|schema| schema.sources.iter());
            Arc::make_mut(&mut sources).extend(of_schema.map(|(id, file)| (*id, Arc::clone(file))));
            let mut report = diagnostic.error.to_report(&sources, Color::Never);
            let message = diagnostic.error.to_string();
            if let Some(near) = schema.and_then(|schema| near_name(schema, &message)) {
                report.with_help(format!("did you mean `{near}`?"));
            }
            let report = text(report);
            // One slip can be found by several rules.
            if !reports.contains(&report) {
                reports.push(report);
            }
        }
        Self(reports.join("\n"))
    }
}

/// The report without its first word, which whoever shows it has said already, and without spaces at the ends of lines.
fn text(report: CliReport<'_>) -> String {
    let text = report.into_string();
    let text = text.strip_prefix("Error: ").unwrap_or(&text);
    let lines = text.trim_end().lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

/// The field that was meant, for the compiler's message on an unknown one: ``type `T` does not have a field `f` ``.
fn near_name(schema: &Schema, message: &str) -> Option<String> {
    let (type_name, field) = message
        .strip_prefix("type `")?
        .split_once("` does not have a field `")?;
    let field = field.strip_suffix('`')?;
    let fields = match schema.types.get(type_name)? {
        ExtendedType::Object(object) => &object.fields,
        ExtendedType::Interface(interface) => &interface.fields,
        _ => return None,
    };
    nearest(field, fields.keys().map(apollo_compiler::Name::as_str)).map(str::to_owned)
}
