//! A stand-in without its network: a schema, the data behind it, and how a GraphQL request is answered from both.

use std::hash::{DefaultHasher, Hash, Hasher};

use apollo_compiler::ast::{InputValueDefinition, Value as GraphqlValue};
use apollo_compiler::introspection::check_max_depth;
use apollo_compiler::request::RequestError;
use apollo_compiler::resolvers;
use apollo_compiler::response::{ExecutionResponse, GraphQLError, JsonMap};
use apollo_compiler::schema::{ExtendedType, Implementers};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema, collections::HashMap, name, ty};
use serde::{Deserialize, Serialize};

use crate::demo::config::DemoConfig;
use crate::demo::dataset::{Dataset, DatasetError, EntityType, Instance, Source};
use crate::demo::document::{Document, DocumentCache};
use crate::demo::log::{Executed, Outcome};
use crate::demo::paging::PagingBehaviour;
use crate::demo::resolver::{DataObject, Execution};

/// The query root's type, in every stand-in.
const QUERY: &str = "Query";

/// A schema, and the data behind it.
#[derive(Debug)]
pub struct StandIn {
    pub(crate) schema: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    pub(crate) dataset: Dataset,
    documents: DocumentCache,
}

/// A schema and data that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum StandInError {
    /// The schema is not valid.
    #[error("the demo API's schema is not valid:\n{0}")]
    Schema(String),
    /// The data contradicts itself.
    #[error("the demo API's data: {0}")]
    Data(#[from] DatasetError),
    /// The data describes a type that the schema does not have.
    #[error("the demo API's data describes the type `{0}`, which its schema does not have")]
    NoSuchType(String),
    /// The data describes a field that the schema does not have.
    #[error("the demo API's data describes the field `{0}`, which its schema does not have")]
    NoSuchField(String),
    /// The schema has a field that the data does not describe.
    #[error("the demo API's data does not describe the field `{0}` of its schema")]
    Undescribed(String),
    /// The schema has no such connection at its root.
    #[error("the demo API has no table `{0}`: use one of {1}")]
    NoSuchTable(String, String),
}

/// A request as its body says it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphqlRequest {
    query: String,
    #[serde(default)]
    variables: Option<JsonMap>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// What a request is answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    /// JSON.
    pub(crate) body: Vec<u8>,
    pub(crate) outcome: Outcome,
}

#[derive(Serialize)]
struct Errors {
    errors: Vec<GraphQLError>,
}

impl StandIn {
    /// The stand-in that a configuration describes.
    pub fn new(config: &DemoConfig) -> Result<Self, StandInError> {
        let mut data = config.data.clone();
        data.seed = config.seed;
        let dataset = Dataset::new(data, config.rows_scale)?;
        let schema = schema(config.schema)?;
        check(&schema, &dataset)?;
        let implementers = schema.implementers_map();
        Ok(Self {
            schema,
            implementers,
            dataset,
            documents: DocumentCache::default(),
        })
    }

    /// The query root.
    pub(crate) fn root(&self) -> Option<Instance<'_>> {
        self.dataset.ty(QUERY).map(|ty| self.dataset.singleton(ty))
    }

    /// Answers the body of a request.
    pub(crate) fn answer(&self, body: &[u8], paging: &PagingBehaviour) -> Answer {
        let request: GraphqlRequest = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return request_error(vec![plain_error(format!("the body is no GraphQL request: {error}"))]),
        };
        let document = match self.documents.document(&self.schema, &request.query) {
            Ok(document) => document,
            Err(errors) => return request_error(errors),
        };
        let execution = Execution::new(paging);
        let response = match self.execute(&document, &request, &execution) {
            Ok(response) => response,
            Err(error) => return request_error(vec![error.to_graphql_error(&document.executable.sources)]),
        };
        let body = serde_json::to_vec(&response).unwrap_or_default();
        let executed = Executed {
            fingerprint: request.fingerprint(),
            is_introspection: document.is_introspection,
            served: execution.into_served(),
        };
        let outcome = if response.errors.is_empty() {
            Outcome::Good(executed)
        } else {
            Outcome::FieldErrors(executed)
        };
        Answer { body, outcome }
    }

    fn execute(
        &self,
        document: &Document,
        request: &GraphqlRequest,
        execution: &Execution<'_>,
    ) -> Result<ExecutionResponse, RequestError> {
        let Some(root) = self.root() else {
            return Ok(ExecutionResponse {
                errors: Vec::new(),
                data: None,
            });
        };
        let operation = document.executable.operations.get(request.operation_name.as_deref())?;
        check_max_depth(&document.executable, operation)?;
        let no_variables = JsonMap::new();
        resolvers::Execution::new(&self.schema, &document.executable)
            .operation(operation)
            .implementers_map(&self.implementers)
            .raw_variable_values(request.variables.as_ref().unwrap_or(&no_variables))
            .enable_schema_introspection(true)
            .execute_sync(&DataObject::new(root, execution))
    }
}

impl GraphqlRequest {
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.query.hash(&mut hasher);
        self.operation_name.hash(&mut hasher);
        let mut variables: Vec<_> = self.variables.iter().flatten().collect();
        variables.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in variables {
            (name.as_str(), value.to_string()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn plain_error(message: String) -> GraphQLError {
    GraphQLError {
        message,
        locations: Vec::new(),
        path: Vec::new(),
        extensions: JsonMap::new(),
    }
}

fn request_error(errors: Vec<GraphQLError>) -> Answer {
    let body = serde_json::to_vec(&Errors { errors }).unwrap_or_default();
    Answer {
        body,
        outcome: Outcome::RequestError,
    }
}

fn schema(text: &str) -> Result<Valid<Schema>, StandInError> {
    let mut schema =
        Schema::parse(text, "schema.graphql").map_err(|invalid| StandInError::Schema(invalid.to_string()))?;
    accept_newer_introspection(&mut schema);
    schema
        .validate()
        .map_err(|invalid| StandInError::Schema(invalid.to_string()))
}

/// The compiler's own introspection types lack this argument of the September 2025 specification,
/// though its resolvers know it.
fn accept_newer_introspection(schema: &mut Schema) {
    let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") else {
        return;
    };
    let Some(field) = ty.make_mut().fields.get_mut("inputFields") else {
        return;
    };
    if field.argument_by_name("includeDeprecated").is_some() {
        return;
    }
    field.make_mut().arguments.push(Node::new(InputValueDefinition {
        description: None,
        name: name!("includeDeprecated"),
        ty: Node::new(ty!(Boolean)),
        default_value: Some(Node::new(GraphqlValue::Boolean(false))),
        directives: Default::default(),
    }));
}

/// Every field of every described type must have a source, and every source a field.
fn check(schema: &Schema, dataset: &Dataset) -> Result<(), StandInError> {
    for described in dataset.types() {
        let name = described.name();
        let Some(object) = schema.get_object(name) else {
            return Err(StandInError::NoSuchType(name.to_owned()));
        };
        for field in described.field_names() {
            if !object.fields.contains_key(field.as_str()) {
                return Err(StandInError::NoSuchField(format!("{name}.{field}")));
            }
        }
        let instance = dataset.singleton(described);
        if let Some(field) = object.fields.keys().find(|field| instance.source(field).is_none()) {
            return Err(StandInError::Undescribed(format!("{name}.{field}")));
        }
    }
    Ok(())
}

/// The entities that a field of the query root connects to.
pub(crate) fn root_connection<'s>(stand_in: &'s StandIn, field: &str) -> Option<&'s EntityType> {
    match stand_in.root()?.source(field)? {
        Source::Connection(ty) => Some(ty),
        _ => None,
    }
}
