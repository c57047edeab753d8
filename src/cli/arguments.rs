//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::demo::{DemoRowsOptions, DemoServeOptions};
use crate::output::{Format, OutputPlace, StoreAddress};
use crate::project::KeyOverride;
use crate::report::LogFormat;

const EXIT_CODES: &str = "\
Exit codes:
  0  complete: every connection was read to its end
  1  failed: nothing is lost, the next run goes on from there
  2  wrong usage, configuration or query file
  3  published, but not complete: the summary and _manifest.json say what is lacking
  4  there is no token, or the API does not accept it, or not for what cannot be left out
  5  interrupted: the next run goes on from there
  6  check alone: all is right, but a token ends within 14 days";

const RUN_EXAMPLES: &str = "\
Examples:
  gqldump run                                   everything in queries/
  gqldump run queries/demo                      one source
  gqldump run queries/demo/groups.graphql       one query file
  gqldump run --format ndjson --output /data    as NDJSON, elsewhere
  gqldump run --set limits.page_size=50         with another setting than source.toml has
  gqldump run --var since=2026-01-01            with a value for $since";

const CHECK_NOTES: &str = "\
For each table it says how its field turns its pages, what in the schema tells that, and how a nested field is reached \
again for its further pages. Lists that are not read page by page are named, with the reason. Where the schema leaves it \
open, the error shows the @paginate to write. A token that says when it ends (a JSON Web Token) and does so within 14 days \
is told of, and the exit code is then 6.

Examples:
  gqldump check                                 everything in queries/
  gqldump check queries/demo/groups.graphql     one query file";

const PLAN_EXAMPLES: &str = "\
Nothing is sent but the question for the schema, unless that is a file; --probe adds one small request for each query \
file. What earlier runs showed of the number of rows is read from the output folder. An estimate counts full requests; \
retries, and answers that others wait for, come on top.

Examples:
  gqldump plan                                  tables, pages and what it will take
  gqldump plan --probe                          the same, by the totals that the API tells now
  gqldump plan --requests queries/demo/groups.graphql
                                                with the requests, to paste into GraphiQL
  gqldump plan --requests=sent                  with the requests as they are sent
  gqldump plan --json | jq '.sources[].estimate.requests'";

const STATUS_NOTES: &str = "\
Nothing is asked of any API, and a run that goes on is not disturbed. What earlier runs taught decides the sizes of pages \
from the first request on; --forget is for when it does not hold any more, as after the API moved to other machines.

Examples:
  gqldump status                                where each query file stands
  gqldump status --learned queries/demo         and what earlier runs taught of its connections
  gqldump status --json | jq '.sources[].queries[] | select(.unfinished)'
  gqldump status --forget queries/demo/groups.graphql
                                                drop what was learnt of one query file";

const INIT_NOTES: &str = "\
Writes queries/SOURCE/ with source.toml, schema.graphql, the definitions of gqldump's directives for editors, and one query \
file for each list that the query root leads to, with the plain columns of its rows. A list that cannot be exported as it \
is, as it needs a value, becomes a draft: a `.graphql.draft` file that says what is lacking. Nothing that is there is \
written over without --force.

Examples:
  gqldump init demo:                            the built-in stand-in
  gqldump init https://api.example.com/graphql --set auth.token.env=EXAMPLE_TOKEN
  gqldump init https://ACCOUNT.fibery.io/api/graphql/space/SPACE --preset fibery
  gqldump init https://api.example.com/graphql --schema schema.graphql
                                                for an API that does not tell its schema";

const TOKEN_NOTES: &str = "\
How an API does it stands in its preset, under [tokens]; with some it is done on a web page alone. A token that is made is \
written to a file that only you can read, or to whoever reads the standard output, and nowhere else. These are the only \
calls of gqldump that change anything, and each is sent once. Exit codes: 4 where the token is not accepted, 6 from status \
where it ends within 14 days.

Examples:
  gqldump token status                          of every source: whose token it is, until when
  gqldump token list queries/fluidattacks
  gqldump token create queries/fluidattacks --expires 180d --to token.txt
  gqldump token create queries/fibery | vault kv put secret/fibery token=-
  gqldump token revoke 4711 queries/fibery";

/// Every row behind a folder of GraphQL query files, on every page, as Parquet or NDJSON.
#[derive(Parser)]
#[command(name = "gqldump", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Export query files; an interrupted export goes on where it was
    #[command(after_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
    Run(RunArguments),
    /// Check query files and settings without exporting anything: only the schema is asked for
    #[command(after_help = CHECK_NOTES)]
    Check(CheckArguments),
    /// Show what a run will do: tables, connections, requests, and what it will take
    #[command(after_help = format!("{PLAN_EXAMPLES}\n\n{EXIT_CODES}"))]
    Plan(PlanArguments),
    /// Begin a source: ask an API for its schema, and write its settings and a query file for each of its lists
    #[command(after_help = INIT_NOTES)]
    Init(InitArguments),
    /// Show where each query file stands: its unfinished or last run, and what earlier runs taught
    #[command(after_help = STATUS_NOTES)]
    Status(StatusArguments),
    /// Deal with the tokens of an API: whose and until when, more of them, fewer of them
    #[command(after_help = TOKEN_NOTES)]
    Token(TokenArguments),
    /// The built-in stand-in API
    Demo(DemoArguments),
}

/// What is worked on.
#[derive(Args)]
pub(super) struct ProjectArguments {
    /// Folders of query files, or query files [default: queries]
    pub(super) paths: Vec<PathBuf>,
    /// Set a key of every source.toml, such as limits.page_size=50; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<KeyOverride>,
    /// Give a variable of the query files a value; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) var: Vec<(String, String)>,
    /// Write nested objects as a_b columns instead of STRUCT columns
    #[arg(long)]
    pub(super) flatten: bool,
}

/// How things are told.
#[derive(Args)]
pub(super) struct ReportArguments {
    /// Tell only of warnings and failures
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// How log lines look; a terminal shows progress bars unless this is json
    #[arg(long, value_enum, default_value_t = LogFormatArgument::Text, value_name = "FORMAT")]
    pub(super) log_format: LogFormatArgument,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LogFormatArgument {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl From<LogFormatArgument> for LogFormat {
    fn from(argument: LogFormatArgument) -> Self {
        match argument {
            LogFormatArgument::Text => Self::Text,
            LogFormatArgument::Json => Self::Json,
        }
    }
}

#[derive(Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) project: ProjectArguments,
    /// The format of the tables: parquet, ndjson or ndjson.zst
    #[arg(long, default_value = "parquet")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) place: PlaceArguments,
    /// Drop unfinished exports and begin afresh
    #[arg(long)]
    pub(super) fresh: bool,
    /// Wait for another run on the same source and output instead of refusing; at most for so long, such as 30m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_value = "0s", default_missing_value = FOREVER, value_parser = patience, hide_default_value = true)]
    pub(super) wait: Duration,
    #[command(flatten)]
    pub(super) report: ReportArguments,
}

/// Where runs write, and where their state stands.
#[derive(Args)]
pub(super) struct PlaceArguments {
    /// Where runs write: a folder, or a bucket and a prefix, as in s3://bucket/exports (or gs://, az://). A folder holds the
    /// state of runs, too
    #[arg(long, short, default_value = "output", value_name = "PLACE")]
    output: OutputPlace,
    /// The folder of this machine for state and unpublished parts, where --output is a bucket
    #[arg(long, default_value = ".gqldump", value_name = "DIR")]
    state: PathBuf,
}

impl PlaceArguments {
    /// The folder of this machine in which runs are worked on.
    pub(super) fn folder(&self) -> PathBuf {
        self.output.folder(&self.state)
    }

    /// The place in an object store where runs are published, if there is one.
    pub(super) fn store(&self) -> Option<StoreAddress> {
        self.output.store().cloned()
    }
}

#[derive(Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub(super) project: ProjectArguments,
    #[command(flatten)]
    pub(super) place: PlaceArguments,
}

#[derive(Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) project: ProjectArguments,
    /// Show the requests too: the first, and that for a further page of each connection; `<…>` stands for what only
    /// answers can tell
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "pretty")]
    pub(super) requests: Option<RequestForm>,
    /// Ask the API for the totals of the outermost connections: one small request for each query file that has any
    #[arg(long)]
    pub(super) probe: bool,
    /// Write one JSON document instead of text; the README describes it
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) place: PlaceArguments,
}

#[derive(Args)]
pub(super) struct StatusArguments {
    /// Folders of query files, or query files [default: queries]
    pub(super) paths: Vec<PathBuf>,
    /// Show too what earlier runs taught of each connection, and how long ago: rows in it, time and bytes a row, sizes
    /// that failed or that pages never exceed; and the fields that the token may not see
    #[arg(long)]
    pub(super) learned: bool,
    /// Drop what earlier runs taught, and say what that was; refused while a run goes on
    #[arg(long, conflicts_with = "learned")]
    pub(super) forget: bool,
    /// Write one JSON document instead of text; the README describes it
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) place: PlaceArguments,
}

#[derive(Args)]
pub(super) struct InitArguments {
    /// The API's address; `demo:NAME` for a stand-in. May be left out where the preset has one
    #[arg(value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// What is known of the API: arm, asm, conviso, demo, fibery, fluidattacks, github
    #[arg(long)]
    pub(super) preset: Option<String>,
    /// Read the schema from a file instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<PathBuf>,
    /// What the source is called [default: the preset's name, or the API's]
    #[arg(long, value_name = "SOURCE", value_parser = folder_name)]
    pub(super) name: Option<String>,
    /// Write a key into source.toml, such as auth.token.env=EXAMPLE_TOKEN; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<KeyOverride>,
    /// Write over files that are there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Args)]
pub(super) struct TokenArguments {
    #[command(subcommand)]
    pub(super) command: TokenCommand,
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Say whose the token is and until when it is good, as it says itself and as the API says
    Status(TokenSourceArguments),
    /// Show the tokens of the token's owner, without their secrets
    List(TokenSourceArguments),
    /// Make a token
    Create(CreateTokenArguments),
    /// End a token
    Revoke(RevokeTokenArguments),
}

/// The source whose token it is.
#[derive(Args)]
pub(super) struct TokenSourceArguments {
    /// The source's folder; `status` takes a folder of such folders, too
    #[arg(default_value = "queries")]
    pub(super) source: PathBuf,
    /// Set a key of source.toml; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<KeyOverride>,
}

#[derive(Args)]
pub(super) struct CreateTokenArguments {
    #[command(flatten)]
    pub(super) of: TokenSourceArguments,
    /// How long it is to last, such as 180d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) expires: Option<Duration>,
    /// The file that it is written to, which only you can read; `-` is the standard output, if that is no terminal
    /// [default: -]
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
    /// Write over the file
    #[arg(long)]
    pub(super) force: bool,
    /// What it is called, where the API wants to know [default: gqldump]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Make it in the place of all others, which end
    #[arg(long)]
    pub(super) replace: bool,
}

#[derive(Args)]
pub(super) struct RevokeTokenArguments {
    /// The token's id, as `list` shows it
    #[arg(value_parser = token_id)]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) of: TokenSourceArguments,
}

/// An id that is one: what is empty, or nothing but dots, would be another address of the API.
fn token_id(text: &str) -> Result<String, String> {
    match text.trim().trim_matches('.').is_empty() {
        true => Err("that is no token's id: `gqldump token list` shows them".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// The name of a folder, and not the way to one.
fn folder_name(text: &str) -> Result<String, String> {
    let is_plain = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    match is_plain && !text.trim_matches('.').is_empty() {
        true => Ok(text.to_owned()),
        false => Err("it names a folder below `queries`: write letters, digits, `-` and `_`".to_owned()),
    }
}

/// How the text of a request is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RequestForm {
    /// With line breaks and indents
    Pretty,
    /// As it is sent, in one line
    Sent,
}

#[derive(Args)]
pub(super) struct DemoArguments {
    #[command(subcommand)]
    pub(super) command: DemoCommand,
}

#[derive(Subcommand)]
pub(super) enum DemoCommand {
    /// Run the stand-in alone, to poke at it with curl
    Serve(DemoServeOptions),
    /// Print the rows that an export of a table must have, as NDJSON
    Rows(DemoRowsOptions),
}

/// How long to wait where nothing limits it.
const FOREVER: &str = "forever";

fn patience(text: &str) -> Result<Duration, String> {
    if text == FOREVER {
        return Ok(Duration::MAX);
    }
    humantime::parse_duration(text).map_err(|error| format!("{error}: write a duration with its unit, such as 30m"))
}

fn variable(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = split.ok_or("a variable is given as NAME=VALUE")?;
    Ok((name.trim_start_matches('$').to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn variables_are_split_at_the_first_equals_sign() {
        assert_eq!(variable("$since=a=b"), Ok(("since".to_owned(), "a=b".to_owned())));
        assert!(variable("since").is_err() && variable("=x").is_err());
    }
}
