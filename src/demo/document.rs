//! Documents that were parsed and validated before: clients send the same text thousands of times.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::parser::Parser;
use apollo_compiler::response::GraphQLError;
use apollo_compiler::validation::{Valid, WithErrors};
use apollo_compiler::{ExecutableDocument, Schema};

use crate::demo::protocol::Wording;
use crate::demo::wording::text_errors;

/// Documents that are kept; when there are more, all are forgotten.
const CAPACITY: usize = 512;

/// Levels that a document may nest; deeper ones could exhaust the stack.
const RECURSION_LIMIT: usize = 200;

/// A document that can be executed.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) executable: Valid<ExecutableDocument>,
    /// Whether it asks for the schema and nothing else.
    pub(crate) is_introspection: bool,
}

/// Documents by their text.
#[derive(Debug, Default)]
pub(crate) struct DocumentCache(Mutex<HashMap<String, Arc<Document>>>);

impl DocumentCache {
    /// The document of that text, or what is wrong with it.
    pub(crate) fn document(
        &self,
        schema: &Valid<Schema>,
        text: &str,
        wording: Wording,
    ) -> Result<Arc<Document>, Vec<GraphQLError>> {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = documents.get(text) {
            return Ok(Arc::clone(known));
        }
        let executable = parsed(schema, text, wording)?;
        let document = Arc::new(Document {
            is_introspection: asks_for_schema_only(&executable),
            executable,
        });
        if documents.len() >= CAPACITY {
            documents.clear();
        }
        documents.insert(text.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

fn parsed(
    schema: &Valid<Schema>,
    text: &str,
    wording: Wording,
) -> Result<Valid<ExecutableDocument>, Vec<GraphQLError>> {
    let errors =
        |invalid: &WithErrors<ExecutableDocument>| text_errors(wording, &invalid.errors, &invalid.partial, schema);
    let document = Parser::new()
        .recursion_limit(RECURSION_LIMIT)
        .parse_executable(schema, text, "request.graphql");
    let document = document.map_err(|invalid| errors(&invalid))?;
    document.validate(schema).map_err(|invalid| errors(&invalid))
}

fn asks_for_schema_only(document: &ExecutableDocument) -> bool {
    let mut fields = document
        .operations
        .iter()
        .flat_map(|operation| operation.root_fields(document));
    fields.all(|field| field.name.starts_with("__"))
}
