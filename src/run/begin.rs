//! A source that is begun: its schema, and query files that can be exported as they are.

use std::path::Path;

use crate::plan::{GraphqlFile, Omitted, PlanError, QueryDocument, Starter, starters};
use crate::run::plans::{DeniedFields, plan_all};
use crate::run::schema::SchemaSourceError;
use crate::run::source_run::{RunSettings, SourceError, SourceJob, ask_schema};
use crate::schema::{ApiSchema, CLIENT_DIRECTIVES};

/// What a source begins with.
pub struct Beginning {
    /// The schema as text.
    pub definition: String,
    /// The definitions of the directives that query files may carry, for editors.
    pub directives: &'static str,
    /// One query file for each list, and what is to be seen to before it is exported.
    pub starters: Vec<(Starter, Option<Obstacle>)>,
    /// The lists that none of them is of.
    pub omitted: Vec<Omitted>,
}

/// What is to be seen to before a query file is exported.
#[derive(Debug)]
pub enum Obstacle {
    /// The API insists on arguments that have no value yet.
    Needs(Vec<String>),
    /// The schema leaves open how the list turns its pages; what to do.
    Doubt(String),
    /// The planner refuses it.
    Refused(PlanError),
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
    let (starters, omitted) = starters(&schema, &job.settings.paging, &job.settings.left_out);
    let starters = tried(job, settings, &schema, starters);
    Ok(Beginning {
        definition,
        directives: CLIENT_DIRECTIVES,
        starters,
        omitted,
    })
}

/// Each with what stands in its way.
fn tried(
    job: &mut SourceJob,
    settings: &RunSettings,
    schema: &ApiSchema,
    starters: Vec<Starter>,
) -> Vec<(Starter, Option<Obstacle>)> {
    let mut tried = Vec::new();
    let mut free = Vec::new();
    for starter in starters {
        match read(&starter) {
            Ok(document) => {
                job.queries
                    .extend(document.map(|document| (starter.name.clone(), document)));
                free.push(starter);
            }
            Err(obstacle) => tried.push((starter, Some(obstacle))),
        }
    }
    let plans = plan_all(job, schema, &settings.variables, &DeniedFields::new());
    let refused = plans.into_iter().map(|plan| plan.err().map(Obstacle::Refused));
    tried.extend(free.into_iter().zip(refused));
    tried
}

fn read(starter: &Starter) -> Result<Option<QueryDocument>, Obstacle> {
    if !starter.needs.is_empty() {
        return Err(Obstacle::Needs(starter.needs.clone()));
    }
    if let Some(doubt) = &starter.doubt {
        return Err(Obstacle::Doubt(doubt.clone()));
    }
    let path = format!("{}.graphql", starter.name);
    let file = GraphqlFile {
        path: Path::new(&path),
        text: &starter.text,
    };
    QueryDocument::read(file, &[]).map_err(Obstacle::Refused)
}
