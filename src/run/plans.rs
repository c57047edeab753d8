//! The plans of all query files of a source, and whether they get along with each other.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::plan::{DeniedField, LeftOut, Plan, PlanError, PlanSettings, PlannedFile, QueryDocument, link, plan_query};
use crate::project::Secrets;
use crate::run::denied::Denial;
use crate::run::export::ExportError;
use crate::run::source_run::SourceJob;
use crate::schema::ApiSchema;

/// The fields that the token may not see, by query file.
pub(crate) type DeniedFields = BTreeMap<String, Vec<DeniedField>>;

/// How long a field is taken to be denied, and rows to need their columns in groups: what a token may see changes, and what
/// an API bears.
const BELIEF_LIFE: Duration = Duration::from_hours(7 * 24);

/// Whether what was found out at such a time is still believed. A time to come was written by a clock that was wrong.
pub(crate) fn is_still_believed(learnt_at: u64, now: u64) -> bool {
    let age = now.checked_sub(learnt_at).map(Duration::from_millis);
    age.is_some_and(|age| age < BELIEF_LIFE)
}

/// Whether a run that begins now goes by what an earlier one found of a field. What the API did not say to be denied may have
/// been an incident.
pub(crate) fn is_still_denied(field: &DeniedField, now: u64) -> bool {
    !field.is_failing && is_still_believed(field.denied_at, now)
}

/// Plans the query files of a source against a schema. Of two that would write to the same folder the later is refused.
pub(crate) fn plan_all(
    job: &SourceJob,
    schema: &ApiSchema,
    variables: &BTreeMap<String, String>,
    denied: &DeniedFields,
) -> Vec<Result<Plan, PlanError>> {
    let variables = with_secrets(job, variables);
    let secrets: Secrets = job.secrets.values().cloned().collect();
    let plan = |(name, document): &(String, QueryDocument)| {
        let settings = PlanSettings {
            query_name: name,
            api: &job.api,
            variables: &variables,
            scalars: &job.settings.scalars,
            paging: &job.settings.paging,
            flatten: job.settings.flatten,
            page_size: job.settings.limits.page_size,
            limits: &job.settings.limits.query,
            denied: denied.get(name).map_or(&[], Vec::as_slice),
        };
        let plan = plan_query(document, schema, settings);
        (name.clone(), plan.map_err(|error| error.without(&secrets)))
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

/// What the command line says goes before what the source says.
fn with_secrets(job: &SourceJob, variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let secrets = job.secrets.iter();
    let mut all: BTreeMap<String, String> = secrets
        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
        .collect();
    all.extend(variables.clone());
    all
}

/// Plans one query file of a source anew, with other fields left out.
pub(crate) struct Planner<'run> {
    pub(crate) job: &'run SourceJob,
    pub(crate) schema: &'run ApiSchema,
    pub(crate) variables: &'run BTreeMap<String, String>,
    /// The fields that the token may not see.
    pub(crate) denied: DeniedFields,
    /// The query file's name.
    pub(crate) query: &'run str,
}

impl Planner<'_> {
    /// The fields that are denied in this query file.
    pub(crate) fn denied(&self) -> &[DeniedField] {
        self.denied.get(self.query).map_or(&[], Vec::as_slice)
    }

    /// Keeps what is known of the fields that are left out now.
    pub(crate) fn note_left_out(&mut self, left_out: &[LeftOut]) {
        let fields = self.denied.get_mut(self.query).into_iter().flatten();
        for field in fields.filter(|field| !field.is_in_rows) {
            let now = left_out.iter().find(|now| now.field.path == field.path);
            field.rows_before = now.map_or(0, |now| now.field.rows_before);
        }
    }

    /// What is denied where these are, too, and the plan then; an error, where there is nothing left to be asked for.
    pub(crate) fn without(&self, denials: &[Denial], now: u64) -> Result<(DeniedFields, Plan), ExportError> {
        let fields = denials.iter().map(|denial| DeniedField {
            path: denial.path.clone(),
            cause: denial.cause.clone(),
            denied_at: now,
            is_in_rows: denial.is_in_rows,
            is_failing: denial.is_failing,
            rows_before: 0,
        });
        let mut denied = self.denied.clone();
        denied.entry(self.query.to_owned()).or_default().extend(fields);
        let plan = self.plan(&denied).map_err(ExportError::NotLeftOut)?;
        let is_known = |path: &str| plan.is_left_out(path) || plan.is_denied_in_rows(path);
        match denials.iter().find(|denial| !is_known(&denial.path)) {
            Some(Denial { path, cause, .. }) => Err(ExportError::NotSeen {
                path: path.clone(),
                cause: cause.clone(),
                remedy: "it cannot be left out, as gqldump itself asks for it; use another token",
            }),
            None => Ok((denied, plan)),
        }
    }

    fn plan(&self, denied: &DeniedFields) -> Result<Plan, PlanError> {
        let names = self.job.queries.iter().map(|(name, _)| name);
        let plans = plan_all(self.job, self.schema, self.variables, denied);
        let own = names.zip(plans).find(|(name, _)| *name == self.query);
        own.map_or_else(|| Err(PlanError::plain("the query file is gone")), |(_, plan)| plan)
    }
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
