//! `gqldump status`.

use std::io::Write as _;

use crate::cli::arguments::StatusArguments;
use crate::cli::status_json::JsonStatus;
use crate::cli::status_text::{write_forgotten, write_query};
use crate::clock::Clock;
use crate::output::SourceFolder;
use crate::plan::{GraphqlFile, QueryDocument};
use crate::project::{Project, Source};
use crate::run::{Learnt, QueryStatus, forget_learnt, source_status};

/// A source and what is known of its query files.
pub(super) struct SourceStatus {
    pub(super) name: String,
    pub(super) queries: Vec<QueryStatus>,
    /// What was forgotten, by query file; `None` where nothing was to be.
    pub(super) forgotten: Option<Vec<(String, Learnt)>>,
}

pub(super) fn status(arguments: &StatusArguments) -> anyhow::Result<u8> {
    let project = Project::load(&arguments.paths, &[])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clock = Clock::system();
    let mut sources = Vec::new();
    for source in &project.sources {
        let folder = SourceFolder::new(&arguments.place.folder(), &source.name);
        let queries = queries(source);
        let forgotten = match arguments.forget {
            true => Some(runtime.block_on(forget_learnt(&folder, &queries, &clock))?),
            false => None,
        };
        sources.push(SourceStatus {
            name: source.name.clone(),
            queries: source_status(&folder, &queries)?,
            forgotten,
        });
    }
    let mut output = std::io::stdout().lock();
    if arguments.json {
        let status = JsonStatus::of(&sources, arguments.learned);
        writeln!(output, "{}", serde_json::to_string_pretty(&status)?)?;
        return Ok(0);
    }
    let now = clock.wall();
    for source in &sources {
        match &source.forgotten {
            Some(forgotten) => write_forgotten(&mut output, &source.name, forgotten)?,
            None => {
                for query in &source.queries {
                    write_query(&mut output, &source.name, query, arguments.learned, now)?;
                }
            }
        }
    }
    Ok(0)
}

/// The selected query files; those with fragments alone are none. One that cannot be read may have run before.
fn queries(source: &Source) -> Vec<String> {
    let selected = source.query_files.iter().filter(|query| query.is_selected);
    let holds_query = selected.filter(|query| {
        let file = GraphqlFile {
            path: &query.path,
            text: &query.text,
        };
        !matches!(QueryDocument::read(file, &[]), Ok(None))
    });
    holds_query.map(|query| query.name.clone()).collect()
}
