//! A source that is begun: its schema, and query files that can be exported as they are.

use std::path::Path;

use crate::plan::{GraphqlFile, PlanError, QueryDocument, Starter, starters};
use crate::run::plans::{DeniedFields, plan_all};
use crate::run::source_run::{RunSettings, SourceError, SourceJob, ask_schema};
use crate::run::schema::SchemaSourceError;
use crate::schema::{ApiSchema, CLIENT_DIRECTIVES};

/// What a source begins with.
pub struct Beginning {
    /// The schema as text.
    pub definition: String,
    /// The definitions of the directives that query files may carry, for editors.
    pub directives: &'static str,
    /// One query file for each list, and why it cannot be exported as it is, where it cannot.
    pub starters: Vec<(Starter, Option<PlanError>)>,
}

/// Gets the schema, from the API unless `given` is one with its path, and writes a query file for each of its lists.
pub async fn begin_source(
    job: &mut SourceJob,
    settings: &RunSettings,
    given: Option<(&Path, String)>,
) -> Result<Beginning, SourceError> {
    let (path, definition) = match given {
        Some((path, definition)) => (path, definition),
        None => (Path::new("introspection"), ask_schema(job, settings).await?),
    };
    let schema = ApiSchema::read(&definition, path).map_err(SchemaSourceError::from)?;
    let starters = starters(&schema, &job.settings.paging);
    let starters = tried(job, settings, &schema, starters);
    Ok(Beginning {
        definition,
        directives: CLIENT_DIRECTIVES,
        starters,
    })
}

/// Each with what the planner has against it.
fn tried(
    job: &mut SourceJob,
    settings: &RunSettings,
    schema: &ApiSchema,
    starters: Vec<Starter>,
) -> Vec<(Starter, Option<PlanError>)> {
    let mut tried = Vec::new();
    let mut readable = Vec::new();
    for starter in starters {
        let path = format!("{}.graphql", starter.name);
        let file = GraphqlFile {
            path: Path::new(&path),
            text: &starter.text,
        };
        match QueryDocument::read(file, &[]) {
            Ok(Some(document)) => {
                job.queries.push((starter.name.clone(), document));
                readable.push(starter);
            }
            Ok(None) => {}
            Err(error) => tried.push((starter, Some(error))),
        }
    }
    let plans = plan_all(job, schema, &settings.variables, &DeniedFields::new());
    tried.extend(readable.into_iter().zip(plans).map(|(starter, plan)| (starter, plan.err())));
    tried
}
