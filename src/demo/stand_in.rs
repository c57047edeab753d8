//! A stand-in without its network: a schema, the data behind it, and how a GraphQL request is answered from both.

use std::hash::{DefaultHasher, Hash, Hasher};

use apollo_compiler::introspection::check_max_depth;
use apollo_compiler::request::RequestError;
use apollo_compiler::resolvers;
use apollo_compiler::response::{ExecutionResponse, GraphQLError, JsonMap};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema, collections::HashMap};
use serde::{Deserialize, Serialize};

use crate::demo::behaviour::Behaviours;
use crate::demo::config::DemoConfig;
use crate::demo::dataset::{Dataset, Instance};
use crate::demo::definition::read_schema;
use crate::demo::denied::word_denial;
use crate::demo::description::DatasetError;
use crate::demo::document::{Document, DocumentCache};
use crate::demo::entropy::text_hash;
use crate::demo::expiry::RequestMoment;
use crate::demo::fit::check;
use crate::demo::log::{Executed, Outcome};
use crate::demo::node_limit::NodeCount;
use crate::demo::points::Bill;
use crate::demo::protocol::Protocol;
use crate::demo::refusal::Refusal;
use crate::demo::resolver::{DataObject, Execution};
use crate::demo::wording::execution_error;

/// The query root's type, in every stand-in.
const QUERY: &str = "Query";

/// What the executor puts before the message of a field's error.
const EXECUTORS_PREFIX: &str = "resolver error: ";

/// A schema, and the data behind it.
#[derive(Debug)]
pub struct StandIn {
    pub(crate) schema: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    pub(crate) dataset: Dataset,
    documents: DocumentCache,
    example: String,
    queries: Option<String>,
    preset: Option<String>,
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
    /// A type is spoken of that the schema or the data does not have.
    #[error("the demo API has no object type `{0}`")]
    NoSuchType(String),
    /// The data describes a field that the schema does not have.
    #[error("the demo API's data describes the field `{0}`, which its schema does not have")]
    NoSuchField(String),
    /// The schema has a field that the data does not describe.
    #[error("the demo API's data does not describe the field `{0}` of its schema")]
    Undescribed(String),
    /// An object type has no such list.
    #[error("the demo API has no list `{0}`")]
    NoSuchList(String),
    /// The schema has no such list at its root, and the data no objects of such a type.
    #[error("the demo API has no table `{0}`: use one of {names}", names = .1.join(", "))]
    NoSuchTable(String, Vec<String>),
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
        let (example, queries, preset) = (data.example.clone(), data.queries.clone(), data.preset.clone());
        let dataset = Dataset::new(data, config.rows_scale)?;
        let schema = read_schema(&config.schema)?;
        check(&schema, &dataset)?;
        let implementers = schema.implementers_map();
        Ok(Self {
            schema,
            implementers,
            dataset,
            documents: DocumentCache::default(),
            example,
            queries,
            preset,
        })
    }

    /// A query to try it with.
    pub fn example(&self) -> &str {
        &self.example
    }

    /// The folder of query files that are shipped for it, if there are any.
    pub fn queries(&self) -> Option<&str> {
        self.queries.as_deref()
    }

    /// The preset to begin a source with, where query files are not shipped.
    pub fn preset(&self) -> Option<&str> {
        self.preset.as_deref()
    }

    /// The query root.
    pub(crate) fn root(&self) -> Option<Instance<'_>> {
        self.dataset.ty(QUERY).map(|ty| self.dataset.singleton(ty))
    }

    /// How many pages have to be looked up for a request, and for how many rows it asks; none for one that cannot be
    /// executed.
    pub(crate) fn implied(&self, body: &[u8], behaviours: &Behaviours) -> (u64, u64) {
        let Ok(request) = serde_json::from_slice::<GraphqlRequest>(body) else {
            return (0, 0);
        };
        let wording = behaviours.protocol.wording;
        let Ok(document) = self.documents.document(&self.schema, &request.query, wording) else {
            return (0, 0);
        };
        let count = self.count(&document, &request, behaviours);
        count.map_or((0, 0), |count| (count.calls(), count.requested()))
    }

    /// Answers the body of a request that arrived at `moment`, and costs what the bill says.
    pub(crate) fn answer(
        &self,
        body: &[u8],
        behaviours: &Behaviours,
        moment: RequestMoment,
        bill: Option<Bill>,
    ) -> Answer {
        let protocol = &behaviours.protocol;
        if let Some(refusal) = protocol.refuses(body) {
            return Answer::refused(refusal.clone());
        }
        let request: GraphqlRequest = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return request_error(vec![plain_error(format!("the body is no GraphQL request: {error}"))]),
        };
        let document = match self.documents.document(&self.schema, &request.query, protocol.wording) {
            Ok(document) => document,
            Err(errors) => return request_error(errors),
        };
        if let Some(refusal) = protocol.refuses_fragments(&document.executable) {
            return Answer::refused(refusal.clone());
        }
        let requested = match self.measured(&document, &request, behaviours) {
            Ok(requested) => requested,
            Err(refusal) => return Answer::refused(refusal),
        };
        let execution = Execution::new(behaviours, moment, bill);
        let mut response = match self.execute(&document, &request, &execution) {
            Ok(response) => response,
            Err(error) => return unexecuted(protocol, &error, &document, &request),
        };
        for error in &mut response.errors {
            as_the_api_words_it(error);
            word_denial(&behaviours.denied, error);
        }
        let (served, refusal) = execution.into_parts();
        if let Some(refusal) = refusal {
            return Answer::refused(refusal);
        }
        let has_errors = !response.errors.is_empty();
        let executed = Executed {
            fingerprint: request.fingerprint(),
            is_introspection: document.is_introspection,
            requested,
            served,
        };
        let outcome = match has_errors {
            false => Outcome::Good(executed),
            true => Outcome::FieldErrors(executed),
        };
        Answer {
            body: protocol.written(response),
            outcome,
        }
    }

    /// How many rows a request asks for, 0 for one that cannot be executed; the refusal of one that asks for too many
    /// of them, or says too much.
    fn measured(&self, document: &Document, request: &GraphqlRequest, behaviours: &Behaviours) -> Result<u64, Refusal> {
        let Some(count) = self.count(document, request, behaviours) else {
            return Ok(0);
        };
        let requested = count.requested();
        let nodes = behaviours.node_limit.as_ref();
        let text = behaviours.text_limit.as_ref().filter(|_| !document.is_introspection);
        let by_nodes = nodes.and_then(|limit| limit.refusal(requested));
        by_nodes
            .or_else(|| text.and_then(|limit| limit.refusal(&request.query, request.operation_name.as_deref(), &count)))
            .map_or(Ok(requested), Err)
    }

    fn count<'c>(
        &'c self,
        document: &'c Document,
        request: &'c GraphqlRequest,
        behaviours: &'c Behaviours,
    ) -> Option<NodeCount<'c>> {
        let operations = &document.executable.operations;
        Some(NodeCount {
            dataset: &self.dataset,
            paging: &behaviours.paging,
            document: &document.executable,
            operation: operations.get(request.operation_name.as_deref()).ok()?,
            variables: request.variables.as_ref(),
        })
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

impl Answer {
    /// An answer that holds no rows.
    pub(crate) fn of_desk(body: String) -> Self {
        let executed = Executed {
            fingerprint: text_hash(&body),
            is_introspection: false,
            requested: 0,
            served: Vec::new(),
        };
        Self {
            body: body.into_bytes(),
            outcome: Outcome::Good(executed),
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            body: refusal.body.clone().into_bytes(),
            outcome: Outcome::Refused(refusal),
        }
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

/// The answer to a request whose text is good, and which cannot be executed.
fn unexecuted(protocol: &Protocol, error: &RequestError, document: &Document, request: &GraphqlRequest) -> Answer {
    let executable = &document.executable;
    let chosen = (
        request.operation_name.as_deref(),
        &request.variables.clone().unwrap_or_default(),
    );
    let error = error.to_graphql_error(&executable.sources);
    let error = execution_error(protocol.wording, error, executable, chosen);
    if !protocol.fails_in_execution {
        return request_error(vec![error]);
    }
    let response = ExecutionResponse {
        errors: vec![error],
        data: None,
    };
    Answer::refused(Refusal {
        status: 200,
        body: String::from_utf8(protocol.written(response)).unwrap_or_default(),
    })
}

fn plain_error(message: String) -> GraphQLError {
    GraphQLError {
        message,
        locations: Vec::new(),
        path: Vec::new(),
        extensions: JsonMap::new(),
    }
}

/// The executor says of every error of a field where it comes from.
fn as_the_api_words_it(error: &mut GraphQLError) {
    if let Some(message) = error.message.strip_prefix(EXECUTORS_PREFIX) {
        error.message = message.to_owned();
    }
}

fn request_error(errors: Vec<GraphQLError>) -> Answer {
    let body = serde_json::to_vec(&Errors { errors }).unwrap_or_default();
    Answer {
        body,
        outcome: Outcome::RequestError,
    }
}
