//! `gqldump init`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use crate::cli::NOT_ACCEPTED;
use crate::cli::arguments::InitArguments;
use crate::cli::jobs::Reached;
use crate::cli::look::quiet_settings;
use crate::plan::{Omitted, Starter};
use crate::project::{NewSource, Source};
use crate::run::{Beginning, Obstacle, begin_source, describe_source_error, exit_code};

/// The folder of all sources.
const QUERIES: &str = "queries";

/// What a source is called of whose name nothing is known.
const UNNAMED: &str = "api";

/// Why no source is begun.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitError {
    #[error("neither an address nor a preset is given: write `gqldump init URL`, or name a preset that has an address")]
    NoApi,
    #[error("`{0}` is there already, and nothing was written: choose another --name, or write over it with --force")]
    Exists(PathBuf),
    #[error("the schema cannot be read: {0}")]
    Schema(std::io::Error),
    #[error("the schema has no list that its query root leads to: write a query file by hand")]
    NoList,
}

pub(super) fn init(arguments: &InitArguments) -> anyhow::Result<u8> {
    if arguments.endpoint.is_none() && arguments.preset.is_none() {
        return Err(InitError::NoApi.into());
    }
    let folder = Path::new(QUERIES).join(name(arguments));
    let text = settings_text(arguments, &folder);
    let source = Arc::new(Source::begun(&folder, text.clone())?);
    // Before anything is asked: the answer would be of no use.
    refuse_existing(arguments, &[source.settings_file()])?;
    let given = match &arguments.schema {
        Some(path) => Some((path.as_path(), fs_err::read_to_string(path).map_err(InitError::Schema)?)),
        None => None,
    };
    let mut reached = Reached::of(&source)?;
    let settings = quiet_settings(PathBuf::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let beginning = match runtime.block_on(begin_source(&mut reached.job, &settings, given)) {
        Ok(beginning) => beginning,
        Err(error) => {
            let code = exit_code(&[error.outcome()]);
            let mut output = std::io::stderr();
            writeln!(output, "{}: {}", source.name, describe_source_error(&error))?;
            // A preset says how, and what was refused says so.
            if code == NOT_ACCEPTED && arguments.preset.is_none() {
                writeln!(output, "{}", token_remedy(&folder))?;
            }
            return Ok(code);
        }
    };
    if beginning.starters.is_empty() {
        return Err(InitError::NoList.into());
    }
    let files = files(&folder, text, &beginning);
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    refuse_existing(arguments, &paths)?;
    fs_err::create_dir_all(&folder)?;
    for (path, text) in &files {
        fs_err::write(path, text)?;
    }
    tell(&folder, &beginning)?;
    Ok(0)
}

fn refuse_existing(arguments: &InitArguments, paths: &[PathBuf]) -> Result<(), InitError> {
    let mut existing = paths.iter().filter(|path| path.exists() && !arguments.force);
    existing
        .next()
        .map_or(Ok(()), |path| Err(InitError::Exists(path.clone())))
}

fn settings_text(arguments: &InitArguments, folder: &Path) -> String {
    let endpoint = arguments.endpoint.clone();
    let is_demo = endpoint.iter().any(|endpoint| endpoint.starts_with("demo:"));
    let says_token = arguments.set.iter().any(|key| key.sets("auth"));
    let variable = (!is_demo && !says_token).then(|| token_variable(folder));
    let is_token_set = variable
        .as_ref()
        .is_some_and(|variable| std::env::var_os(variable).is_some());
    let new = NewSource {
        preset: arguments.preset.clone(),
        endpoint,
        has_schema_file: arguments.schema.is_some(),
        token_variable: variable,
        is_token_set,
        keys: arguments.set.clone(),
    };
    new.text()
}

/// `EXAMPLE_TOKEN` for the source `example`.
fn token_variable(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!("{}_TOKEN", name.replace('-', "_").to_uppercase())
}

/// How a token is told of before there is a file that could say it.
fn token_remedy(folder: &Path) -> String {
    format!(
        "put a token into {}, or name the variable that has one by `--set auth.token.env=NAME`; an API that does not take \
         it as `Authorization: Bearer …` has a preset that says how, or wants `--set auth.header=NAME --set auth.scheme=WORD`",
        token_variable(folder)
    )
}

/// The files of the source: those that can be exported as they are, and drafts of the others.
fn files(folder: &Path, mut settings: String, beginning: &Beginning) -> Vec<(PathBuf, String)> {
    settings.push_str(&omitted_comment(&beginning.omitted));
    let mut files = vec![
        (folder.join("source.toml"), settings),
        (folder.join("schema.graphql"), beginning.definition.clone()),
        (
            folder.join("gqldump.directives.graphql"),
            beginning.directives.to_owned(),
        ),
    ];
    files.extend(beginning.starters.iter().map(|(starter, obstacle)| match obstacle {
        None => (folder.join(format!("{}.graphql", starter.name)), starter.text.clone()),
        Some(obstacle) => (folder.join(draft_name(starter)), draft(starter, obstacle)),
    }));
    files
}

/// What `source.toml` says of the lists that no query file is of.
fn omitted_comment(omitted: &[Omitted]) -> String {
    if omitted.is_empty() {
        return String::new();
    }
    let lines = omitted
        .iter()
        .map(|Omitted { list, why }| format!("#   {list}: {why}\n"));
    format!(
        "\n# Lists that no query file beside this one is of:\n{}",
        lines.collect::<String>()
    )
}

fn draft_name(starter: &Starter) -> String {
    format!("{}.graphql.draft", starter.name)
}

fn draft(starter: &Starter, obstacle: &Obstacle) -> String {
    let words = match obstacle {
        Obstacle::Needs(needs) => format!(
            "The API insists on {}: give a default here, as in `(… = 7)`, or a value with --var NAME=VALUE.",
            needs.join(", ")
        ),
        Obstacle::Doubt(help) => format!("The schema leaves open how this list turns its pages: {help}."),
        Obstacle::Refused(error) => error.to_string(),
    };
    let words: String = words.lines().map(|line| format!("# {line}\n")).collect();
    format!(
        "# A draft, which is not exported: take `.draft` off its name when it is right.\n{words}\n{}",
        starter.text
    )
}

fn tell(folder: &Path, beginning: &Beginning) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    let folder = folder.display();
    writeln!(
        output,
        "{folder}: source.toml, schema.graphql, gqldump.directives.graphql"
    )?;
    for (starter, obstacle) in &beginning.starters {
        match obstacle {
            None => writeln!(output, "  {}.graphql", starter.name)?,
            Some(obstacle) => writeln!(output, "  {}  ({})", draft_name(starter), in_short(obstacle))?,
        }
    }
    for (starter, _) in &beginning.starters {
        if !starter.inner.is_empty() {
            let (name, lists) = (&starter.name, starter.inner.join(", "));
            writeln!(
                output,
                "  not in {name}: the lists in its rows, {lists}; add what you want"
            )?;
        }
    }
    for Omitted { list, why } in &beginning.omitted {
        writeln!(output, "  no file for {list}: {why}")?;
    }
    let is_ready = beginning.starters.iter().any(|(_, obstacle)| obstacle.is_none());
    match is_ready {
        true => writeln!(output, "next: gqldump check {folder}, then: gqldump run {folder}"),
        false => writeln!(
            output,
            "next: complete a draft, take `.draft` off its name, and: gqldump check {folder}"
        ),
    }
}

fn in_short(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Needs(needs) => format!("needs {}", needs.join(", ")),
        Obstacle::Doubt(_) => "the schema leaves open how it turns its pages".to_owned(),
        Obstacle::Refused(_) => "cannot be exported as it is; it says why".to_owned(),
    }
}

/// The name that was given, or the preset's, or the most telling part of the address.
fn name(arguments: &InitArguments) -> String {
    let endpoint = arguments.endpoint.as_deref();
    let given = arguments.name.clone().or_else(|| arguments.preset.clone());
    let name = given.or_else(|| endpoint.and_then(name_in));
    name.unwrap_or_else(|| UNNAMED.to_owned())
}

/// `tracker` of `https://api.tracker.com/graphql`: the longest label before the last; `space` of `demo:space`.
fn name_in(endpoint: &str) -> Option<String> {
    if let Some(demo) = endpoint.strip_prefix("demo:") {
        return Some(if demo.is_empty() { "demo" } else { demo }.to_owned());
    }
    let url = Url::parse(endpoint).ok()?;
    let (labels, _) = url.domain()?.rsplit_once('.')?;
    let longest = labels.split('.').rev().max_by_key(|label| label.len())?;
    Some(longest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_called_like_its_api() {
        for (endpoint, name) in [
            ("https://api.tracker.com/graphql", Some("tracker")),
            ("https://app.fluidattacks.com/api", Some("fluidattacks")),
            ("https://example.co.uk/graphql", Some("example")),
            ("http://127.0.0.1:8080/graphql", None),
            ("http://localhost/graphql", None),
            ("demo:", Some("demo")),
            ("demo:space", Some("space")),
            ("no address", None),
        ] {
            assert_eq!(name_in(endpoint).as_deref(), name, "{endpoint}");
        }
    }
}
