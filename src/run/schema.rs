//! Getting the schema that the query files are checked against.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{Deserialize as _, DeserializeSeed, Deserializer};
use serde_json::value::RawValue;

use crate::api::{ApiError, Endpoint, GraphqlRequest, Refusal};
use crate::project::QueryLimits;
use crate::schema::{ApiSchema, IntrospectionError, IntrospectionQuery, SchemaError, definition_text};
use crate::state::StoredSchema;

/// A schema that was asked for is good for a day, unless a query no longer fits it.
pub(crate) const SCHEMA_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaSourceError {
    /// The file that `schema` names cannot be read.
    #[error("the schema cannot be read: {0}; set `schema` to a file, or to \"introspect\"")]
    File(#[from] std::io::Error),
    /// The API does not answer.
    #[error("the schema cannot be asked for: {0}")]
    Api(#[from] ApiError),
    /// The API refuses to tell its schema.
    #[error(
        "the API does not tell its schema: {0}; save its schema as schema.graphql beside the query files, and write \
         schema = \"schema.graphql\" into source.toml"
    )]
    Refused(Refusal),
    /// The API's answer is not a schema.
    #[error(transparent)]
    Answer(#[from] IntrospectionError),
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Reads a schema file.
pub(crate) fn read_schema(path: &Path) -> Result<ApiSchema, SchemaSourceError> {
    let definition = fs_err::read_to_string(path)?;
    Ok(ApiSchema::read(&definition, path)?)
}

/// Reads a schema that was kept.
pub(crate) fn stored_schema(stored: &StoredSchema) -> Result<ApiSchema, SchemaSourceError> {
    Ok(ApiSchema::read(&stored.definition, &PathBuf::from("introspection"))?)
}

/// Asks the API for its schema, first in full, then more and more modestly.
pub(crate) async fn introspect(
    endpoint: &Endpoint,
    source: &str,
    limits: &QueryLimits,
) -> Result<String, SchemaSourceError> {
    let mut refusal = None;
    for query in IntrospectionQuery::ladder(limits.without_fragments) {
        let request = GraphqlRequest {
            operation_name: None,
            query: query.text().into(),
            variables: serde_json::Map::new(),
        };
        match endpoint
            .ask(&format!("{source}/introspection"), &request, RawData)
            .await
        {
            Ok(answer) if answer.errors.is_empty() => return Ok(definition_text(answer.data.get())?),
            // Some servers leave out what they refuse; a schema with holes would refuse good queries.
            Ok(_) => {}
            // Nothing that speaks GraphQL is there, so another text would not help.
            Err(ApiError::Invalid(refusal)) if matches!(refusal.status, Some(404 | 405)) => {
                return Err(ApiError::Invalid(refusal).into());
            }
            Err(
                ApiError::Invalid(words)
                | ApiError::TooComplex(words)
                | ApiError::TooBig(words)
                | ApiError::Denied { refusal: words, .. },
            ) => {
                refusal = Some(words);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let holes = || IntrospectionError::Holes;
    refusal.map_or_else(
        || Err(holes().into()),
        |refusal| Err(SchemaSourceError::Refused(refusal)),
    )
}

/// Keeps `data` as its text.
#[derive(Clone)]
struct RawData;

impl<'de> DeserializeSeed<'de> for RawData {
    type Value = Box<RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Box::<RawValue>::deserialize(deserializer)
    }
}
