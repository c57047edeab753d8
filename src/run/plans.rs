//! The plans of all query files of a source, and whether they get along with each other.

use std::collections::BTreeMap;

use crate::plan::{Plan, PlanError, PlanSettings, PlannedFile, QueryDocument, link, plan_query};
use crate::run::source_run::SourceJob;
use crate::schema::ApiSchema;

/// Plans the query files of a source against a schema. Of two that would write to the same folder the later is refused.
pub(crate) fn plan_all(
    job: &SourceJob,
    schema: &ApiSchema,
    variables: &BTreeMap<String, String>,
) -> Vec<Result<Plan, PlanError>> {
    let plan = |(name, document): &(String, QueryDocument)| {
        let settings = PlanSettings {
            query_name: name,
            api: &job.api,
            variables,
            scalars: &job.settings.scalars,
            paging: &job.settings.paging,
            flatten: job.settings.flatten,
            page_size: job.settings.limits.page_size,
            limits: &job.settings.limits.query,
        };
        (name.clone(), plan_query(document, schema, settings))
    };
    let mut files: Vec<PlannedFile> = job.queries.iter().map(plan).collect();
    refuse_clashes(&mut files);
    let takes_values = |(_, document): &(String, QueryDocument)| document.has_each();
    if job.queries.iter().any(takes_values) {
        // Values may come from a query file that is not exported now.
        files.extend(job.others.iter().map(plan));
    }
    link(&mut files);
    files
        .into_iter()
        .take(job.queries.len())
        .map(|(_, plan)| plan)
        .collect()
}

fn refuse_clashes(files: &mut [PlannedFile]) {
    // Folder names by the query file that has them, in lower case since some file systems know no other.
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (name, planned) in files {
        let Ok(plan) = planned else { continue };
        let folders = folders(name, plan);
        match folders.iter().find_map(|folder| clash(&taken, folder)) {
            Some(error) => *planned = Err(error),
            None => {
                let folders = folders.into_iter().map(|folder| (folder.to_lowercase(), name.clone()));
                taken.extend(folders);
            }
        }
    }
}

/// The folders that a query file writes to: one for each table, one for its rejects, one for the manifest.
fn folders(query: &str, plan: &Plan) -> Vec<String> {
    let tables = plan
        .tables
        .iter()
        .flat_map(|table| [table.name.to_string(), table.name.rejects().to_string()]);
    tables.chain([query.to_owned()]).collect()
}

fn clash(taken: &BTreeMap<String, String>, folder: &str) -> Option<PlanError> {
    let other = taken.get(&folder.to_lowercase())?;
    Some(PlanError::plain(format!(
        "the folder `{folder}` is written to by the query file `{other}` already; name a table with @table(name: \"…\"), \
         or rename one of the files"
    )))
}
