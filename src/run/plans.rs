//! The plans of all query files of a source, and whether they get along with each other.

use std::collections::BTreeMap;

use crate::plan::{Plan, PlanError, PlanSettings, plan_query};
use crate::run::source_run::SourceJob;
use crate::schema::ApiSchema;

/// Plans the query files of a source against a schema. Of two that would write to the same folder the later is refused.
pub(crate) fn plan_all(
    job: &SourceJob,
    schema: &ApiSchema,
    variables: &BTreeMap<String, String>,
) -> Vec<Result<Plan, PlanError>> {
    // Folder names by the query file that has them, in lower case since some file systems know no other.
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let plans = job.queries.iter().map(|(name, document)| {
        let settings = PlanSettings {
            query_name: name,
            api: &job.api,
            variables,
            scalars: &job.settings.scalars,
            paging: &job.settings.paging,
            flatten: job.settings.flatten,
            page_size: job.settings.limits.page_size,
        };
        let plan = plan_query(document, schema, settings)?;
        match folders(name, &plan)
            .into_iter()
            .find_map(|folder| clash(&taken, &folder))
        {
            Some(error) => Err(error),
            None => {
                taken.extend(
                    folders(name, &plan)
                        .into_iter()
                        .map(|folder| (folder.to_lowercase(), name.as_str())),
                );
                Ok(plan)
            }
        }
    });
    plans.collect()
}

/// The folders that a query file writes to: one for each table, one for its rejects, one for the manifest.
fn folders(query: &str, plan: &Plan) -> Vec<String> {
    let tables = plan
        .tables
        .iter()
        .flat_map(|table| [table.name.to_string(), table.name.rejects().to_string()]);
    tables.chain([query.to_owned()]).collect()
}

fn clash(taken: &BTreeMap<String, &str>, folder: &str) -> Option<PlanError> {
    let other = taken.get(&folder.to_lowercase())?;
    Some(PlanError::plain(format!(
        "the folder `{folder}` is written to by the query file `{other}` already; name a table with @table(name: \"…\"), \
         or rename one of the files"
    )))
}
