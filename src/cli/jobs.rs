//! The project on disk turned into jobs: query files read, stand-ins started, tokens made readable.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::api::{HttpTransport, ReadToken, Transport};
use crate::cli::arguments::ProjectArguments;
use crate::cli::budgets::{shared_budget, token_name};
use crate::demo::{DemoConfig, DemoServer};
use crate::plan::{GraphqlFile, PlanError, QueryDocument, hash_of};
use crate::project::{CallMethod, EndpointAddress, KeyOverride, Project, Source, SourceSettings};
use crate::run::{FindBudget, OpenTransport, SourceJob};

/// What a command is to do.
pub(super) struct Jobs {
    /// One for each source with a query file that can be read.
    pub(super) sources: Vec<SourceJob>,
    /// Query files that cannot: `source/query_file`, and why.
    pub(super) refused: Vec<(String, PlanError)>,
    /// Stand-ins that were started for this command; they stop when this is dropped.
    _stand_ins: Vec<DemoServer>,
}

/// Why there is nothing to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
    #[error("{0} holds only fragments, no query: name a file with a query")]
    OnlyFragments(PathBuf),
    #[error("no query file in {0} holds a query: put one into it")]
    NoQuery(PathBuf),
    #[error("no query file has a variable `${name}`; --var {name} sets nothing")]
    NoSuchVariable { name: String },
    #[error("no query file of `{source_name}` has a variable `${name}`, which its [variables] give a value")]
    NoSuchSecret { source_name: String, name: String },
}

/// A source, and how it is reached.
pub(super) struct Reached {
    /// Without query files.
    pub(super) job: SourceJob,
    /// The stand-in that was started for it; it stops when this is dropped.
    pub(super) stand_in: Option<DemoServer>,
}

impl Reached {
    /// Makes the token readable, and starts the stand-in that the source asks for.
    pub(super) fn of(source: &Arc<Source>) -> anyhow::Result<Self> {
        let secrets = source.read_variables()?;
        let mut settings = source.settings.clone();
        let mut stand_in = None;
        let (url, api, budget, token) = match &source.settings.endpoint {
            EndpointAddress::Url(url) => (url.clone(), api_name(url), Some(budget(source, url)), token(source)),
            EndpointAddress::Demo(name) => {
                let server = DemoServer::start(DemoConfig::named(name)?)?;
                let secret = server.token().clone();
                let token: ReadToken = Arc::new(move |_| Ok(secret.clone()));
                let url = server.address().clone();
                // A stand-in gives its own token, in the way in which it wants it.
                settings.auth.header.clone_from(&server.auth().header);
                settings.auth.scheme.clone_from(&server.auth().scheme);
                stand_in = Some(server);
                (url, format!("demo:{name}"), None, Some(token))
            }
        };
        let job = SourceJob {
            name: source.name.clone(),
            open_transport: over_http(url, settings.clone()),
            settings,
            api,
            budget,
            token,
            secrets,
            queries: Vec::new(),
            others: Vec::new(),
        };
        Ok(Self { job, stand_in })
    }

    /// From now on, another path of the same host is called.
    pub(super) fn call_path(&mut self, method: CallMethod, path: &str) {
        let EndpointAddress::Url(mut url) = self.job.settings.endpoint.clone() else {
            return;
        };
        url.set_path(path);
        url.set_query(None);
        let settings = self.job.settings.clone();
        self.job.open_transport = Arc::new(move || {
            let transport = HttpTransport::calling(method, url.clone(), &settings)?;
            Ok(Arc::new(transport) as Arc<dyn Transport>)
        });
    }
}

impl Jobs {
    /// Reads the project and starts the stand-ins that it asks for.
    pub(super) fn prepare(arguments: &ProjectArguments) -> anyhow::Result<Self> {
        let project = Project::load(&arguments.paths, &overrides(arguments)?)?;
        let mut jobs = Self {
            sources: Vec::new(),
            refused: Vec::new(),
            _stand_ins: Vec::new(),
        };
        for source in project.sources {
            jobs.add(&Arc::new(source))?;
        }
        jobs.check_variables(arguments)?;
        Ok(jobs)
    }

    fn add(&mut self, source: &Arc<Source>) -> anyhow::Result<()> {
        let queries = self.read_queries(source)?;
        let others = read_others(source);
        if queries.is_empty() {
            return Ok(());
        }
        let mut reached = Reached::of(source)?;
        reached.job.queries = queries;
        reached.job.others = others;
        self.sources.push(reached.job);
        self._stand_ins.extend(reached.stand_in);
        Ok(())
    }

    fn read_queries(&mut self, source: &Source) -> Result<Vec<(String, QueryDocument)>, JobError> {
        let file = |query: &'_ crate::project::QueryFile| (query.path.clone(), query.text.clone());
        let files: Vec<(PathBuf, String)> = source.query_files.iter().map(file).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| GraphqlFile { path, text }).collect();
        let is_whole_folder = source.query_files.iter().all(|query| query.is_selected);
        let mut queries = Vec::new();
        let mut refused = 0;
        for (query, own) in source
            .query_files
            .iter()
            .zip(&files)
            .filter(|(query, _)| query.is_selected)
        {
            match QueryDocument::read(*own, &files) {
                Ok(Some(document)) => queries.push((query.name.clone(), document)),
                Ok(None) if is_whole_folder => {}
                Ok(None) => return Err(JobError::OnlyFragments(query.path.clone())),
                Err(error) => {
                    self.refused.push((format!("{}/{}", source.name, query.name), error));
                    refused += 1;
                }
            }
        }
        if queries.is_empty() && refused == 0 {
            return Err(JobError::NoQuery(source.folder.clone()));
        }
        Ok(queries)
    }

    fn check_variables(&self, arguments: &ProjectArguments) -> Result<(), JobError> {
        // A file that cannot be read may be the one with the variable.
        if !self.refused.is_empty() {
            return Ok(());
        }
        let queries = || self.sources.iter().flat_map(|job| &job.queries);
        for (name, _) in &arguments.var {
            if !queries().any(|(_, document)| document.has_variable(name)) {
                return Err(JobError::NoSuchVariable { name: name.clone() });
            }
        }
        for job in &self.sources {
            let files = || job.queries.iter().chain(&job.others);
            for name in job.secrets.keys() {
                if !files().any(|(_, document)| document.has_variable(name)) {
                    let (source_name, name) = (job.name.clone(), name.clone());
                    return Err(JobError::NoSuchSecret { source_name, name });
                }
            }
        }
        Ok(())
    }
}

/// The query files that are not selected, as far as they can be read: selected ones may take values from them.
fn read_others(source: &Source) -> Vec<(String, QueryDocument)> {
    let files = source.query_files.iter().map(|query| GraphqlFile {
        path: &query.path,
        text: &query.text,
    });
    let files: Vec<_> = files.collect();
    let others = source
        .query_files
        .iter()
        .zip(&files)
        .filter(|(query, _)| !query.is_selected);
    let others = others.filter_map(|(query, file)| {
        let document = QueryDocument::read(*file, &files).ok().flatten()?;
        Some((query.name.clone(), document))
    });
    others.collect()
}

fn overrides(arguments: &ProjectArguments) -> anyhow::Result<Vec<KeyOverride>> {
    let mut overrides = arguments.set.clone();
    if arguments.flatten {
        overrides.push("flatten=true".parse()?);
    }
    Ok(overrides)
}

fn over_http(url: url::Url, settings: SourceSettings) -> OpenTransport {
    Arc::new(move || {
        let transport = HttpTransport::new(url.clone(), &settings)?;
        Ok(Arc::new(transport) as Arc<dyn Transport>)
    })
}

/// The values of `--var`; of several for one name the last counts.
pub(super) fn variables(arguments: &ProjectArguments) -> BTreeMap<String, String> {
    arguments.var.iter().cloned().collect()
}

/// How the budget is told that a source keeps to with others.
fn budget(source: &Arc<Source>, url: &url::Url) -> FindBudget {
    let (source, url) = (Arc::clone(source), url.clone());
    Arc::new(move |folder| {
        let token = token_name(source.settings.auth.token.as_ref(), folder);
        shared_budget(&url, &source.settings.limits.requests, &token)
    })
}

fn token(source: &Arc<Source>) -> Option<ReadToken> {
    source.settings.auth.token.as_ref()?;
    let source = Arc::clone(source);
    let none = "the source names no token";
    Some(Arc::new(move |is_stopped| {
        source
            .read_token(is_stopped)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| none.to_owned())
    }))
}

/// What an API is called in the state: its address may hold what is nobody's business.
fn api_name(url: &url::Url) -> String {
    format!("{}#{}", url.host_str().unwrap_or_default(), hash_of(url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(variables: &[&str]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("api");
        fs_err::create_dir(&source).unwrap();
        let write = |name: &str, text: &str| fs_err::write(source.join(name), text).unwrap();
        write("source.toml", "endpoint = 'https://api.example.com'");
        write(
            "a.graphql",
            "query A($since: String, $state: String) { a(since: $since, state: $state) }",
        );
        write("b.graphql", "query B($kind: String) { b(kind: $kind) }");
        let given = variables.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
        let arguments = ProjectArguments {
            paths: vec![source],
            set: Vec::new(),
            var: given.collect(),
            flatten: false,
        };
        Jobs::prepare(&arguments).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn several_variables_are_looked_for_in_all_query_files() {
        assert_eq!(prepare(&["kind", "since", "state", "since"]), Ok(()));
        let error = "no query file has a variable `$sinse`; --var sinse sets nothing";
        assert_eq!(prepare(&["kind", "sinse"]), Err(error.to_owned()));
    }
}
