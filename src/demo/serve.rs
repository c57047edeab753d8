//! `gqldump demo`: a stand-in on its own, to poke at with curl, and its truth on standard output.

use std::io::Write;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::demo::behaviour::{AuthBehaviour, RequestWindow};
use crate::demo::config::{DemoConfig, DemoConfigError};
use crate::demo::drift::DriftStep;
use crate::demo::log::RequestLog;
use crate::demo::refusal::Refusal;
use crate::demo::server::{DemoServer, DemoServerError};
use crate::demo::stand_in::{StandIn, StandInError};
use crate::demo::wall::{RowWall, TimeWall};

/// The environment variable with the token that requests must carry.
pub const DEMO_TOKEN_VARIABLE: &str = "GQLDUMP_DEMO_TOKEN";

/// Options of `gqldump demo serve`; what is not given is as the stand-in is shipped.
#[derive(Debug, Clone, Default, Args)]
pub struct DemoServeOptions {
    /// The demo API's name
    #[arg(default_value = "tracker")]
    name: String,
    /// The port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A request limit such as 100/1m, in a sliding window; may be given several times, and all hold
    #[arg(long, value_name = "MAX/TIME")]
    limit: Vec<RequestWindow>,
    /// How long each answer takes at least
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    latency: Option<Duration>,
    /// How much longer it takes for each row in it
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    latency_per_node: Option<Duration>,
    /// How many requests are worked on at once, the others waiting for their turn
    #[arg(long, value_name = "REQUESTS")]
    workers: Option<NonZeroUsize>,
    /// How long an answer may take until a 504 comes in its place
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    wall_time: Option<Duration>,
    /// How many rows an answer may hold until a 504 comes in its place
    #[arg(long, value_name = "ROWS")]
    wall_rows: Option<u64>,
    /// A change of pace such as 30s:5: five times as slow after 30 seconds; may be given several times, in order
    #[arg(long, value_name = "TIME:FACTOR")]
    drift: Vec<DriftStep>,
    /// The most rows on a page
    #[arg(long, value_name = "ROWS")]
    page_cap: Option<u64>,
    /// How often a request is answered with a 5xx, from 0 to 1
    #[arg(long, value_name = "RATE", value_parser = rate)]
    error_rate: Option<f64>,
    /// How often a request is answered with a 429 it did not earn, from 0 to 1
    #[arg(long, value_name = "RATE", value_parser = rate)]
    throttle_rate: Option<f64>,
    /// The seed of data and faults
    #[arg(long)]
    seed: Option<u64>,
    /// The number of rows in large tables is multiplied by this
    #[arg(long, value_name = "FACTOR", value_parser = scale)]
    rows_scale: Option<f64>,
}

/// Options of `gqldump demo rows`.
#[derive(Debug, Clone, Default, Args)]
pub struct DemoRowsOptions {
    /// The table: a list at the root of the API's schema, or a type of objects
    table: String,
    /// The demo API's name
    #[arg(long, default_value = "tracker")]
    name: String,
    /// The seed of the data
    #[arg(long)]
    seed: Option<u64>,
    /// The number of rows in large tables is multiplied by this
    #[arg(long, value_name = "FACTOR", value_parser = scale)]
    rows_scale: Option<f64>,
}

/// Rows that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DemoRowsError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] DemoConfigError),
    /// There is no such table, or the data is wrong.
    #[error(transparent)]
    StandIn(#[from] StandInError),
    /// The rows cannot be written.
    #[error("the rows cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

impl DemoServeOptions {
    /// The configuration that these options make; `token` is the one that requests must carry, a random one if `None`.
    pub fn config(&self, token: Option<SecretString>) -> Result<DemoConfig, DemoConfigError> {
        let mut config = DemoConfig::named(&self.name)?;
        config.token = token;
        config.port = self.port;
        config.seed = self.seed.unwrap_or(config.seed);
        config.rows_scale = self.rows_scale.unwrap_or(config.rows_scale);
        let behaviours = &mut config.behaviours;
        if !self.limit.is_empty() {
            behaviours.limits.clone_from(&self.limit);
        }
        let latency = &mut behaviours.latency;
        latency.base = self.latency.unwrap_or(latency.base);
        latency.per_node = self.latency_per_node.unwrap_or(latency.per_node);
        behaviours.workers = self.workers.or(behaviours.workers);
        if let Some(after) = self.wall_time {
            let refusal = Refusal::gateway_timeout();
            behaviours.wall.time = Some(TimeWall { after, refusal });
        }
        if let Some(max) = self.wall_rows {
            behaviours.wall.rows = Some(RowWall {
                max,
                after: Duration::ZERO,
                refusal: Refusal::gateway_timeout(),
            });
        }
        if !self.drift.is_empty() {
            behaviours.drift.clone_from(&self.drift);
        }
        behaviours.paging.cap = self.page_cap.unwrap_or(behaviours.paging.cap);
        let rates = &mut behaviours.faults.rates;
        rates.server_error = self.error_rate.unwrap_or(rates.server_error);
        rates.throttle = self.throttle_rate.unwrap_or(rates.throttle);
        Ok(config)
    }

    /// Starts the stand-in. The token comes from the environment variable [`DEMO_TOKEN_VARIABLE`] where it is set.
    pub fn start(&self) -> Result<DemoServer, DemoServerError> {
        let token = std::env::var(DEMO_TOKEN_VARIABLE)
            .ok()
            .filter(|token| !token.is_empty());
        DemoServer::start(self.config(token.map(SecretString::from))?)
    }
}

/// What to tell people about a server that was just started: its address and how to ask it something.
/// The token stands in it, since it was made for this server and is worth nothing anywhere else.
pub fn greeting(server: &DemoServer) -> String {
    let address = server.address();
    let log = address
        .join("/log")
        .map_or_else(|_| String::new(), |log| log.to_string());
    let token = server.token().expose_secret();
    let credentials = credentials(server.auth());
    let stand_in = server.stand_in();
    let example = serde_json::json!({ "query": stand_in.example() });
    let token_is = format!("--set auth.token.env={DEMO_TOKEN_VARIABLE}");
    let next = match (stand_in.queries(), stand_in.preset()) {
        (Some(queries), _) => format!("run {queries} --set endpoint={address} {token_is}"),
        // Under a name of its own: the preset's may be that of a shipped example.
        (None, Some(preset)) => format!("init {address} --preset {preset} --name own_{preset} {token_is}"),
        (None, None) => {
            let AuthBehaviour { header, scheme, .. } = server.auth();
            format!("init {address} {token_is} --set \"auth.header='{header}'\" --set \"auth.scheme='{scheme}'\"")
        }
    };
    format!(
        "the demo API listens on {address}; stop it with Ctrl-C\n\
         \n\
         export {DEMO_TOKEN_VARIABLE}={token}\n\
         curl {address} -H \"{credentials}\" -H 'Content-Type: application/json' \\\n  \
         -d '{example}'\n\
         curl {log}\n\
         gqldump {next}\n"
    )
}

/// The header that carries the token, as a shell fills it in.
fn credentials(auth: &AuthBehaviour) -> String {
    let AuthBehaviour { header, scheme, .. } = auth;
    let space = if scheme.is_empty() { "" } else { " " };
    format!("{header}: {scheme}{space}${DEMO_TOKEN_VARIABLE}")
}

/// Keeps the server running until Ctrl-C, and says what its clients did.
pub async fn serve_until_interrupted(server: DemoServer) -> std::io::Result<RequestLog> {
    tokio::signal::ctrl_c().await?;
    let log = server.log();
    drop(server);
    Ok(log)
}

/// Writes the true rows of a table as NDJSON.
pub fn write_rows(options: &DemoRowsOptions, output: &mut impl Write) -> Result<(), DemoRowsError> {
    let mut config = DemoConfig::named(&options.name)?;
    config.seed = options.seed.unwrap_or(config.seed);
    config.rows_scale = options.rows_scale.unwrap_or(config.rows_scale);
    let stand_in = StandIn::new(&config)?;
    for row in stand_in.rows(&options.table)? {
        serde_json::to_writer(&mut *output, &row).map_err(std::io::Error::from)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| "a rate is a number from 0 to 1".to_owned())
}

fn scale(text: &str) -> Result<f64, String> {
    let scale = text
        .parse()
        .ok()
        .filter(|scale: &f64| scale.is_finite() && *scale >= 0.0);
    scale.ok_or_else(|| "a factor is a number that is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: DemoServeOptions,
    }

    fn parsed(arguments: &[&str]) -> Result<DemoServeOptions, clap::Error> {
        let arguments = std::iter::once("serve").chain(arguments.iter().copied());
        CommandLine::try_parse_from(arguments).map(|line| line.options)
    }

    #[test]
    fn options_override_the_shipped_behaviours_and_leave_the_rest() {
        let line = "--limit 3/1s --limit 7/2s --latency 1ms --page-cap 20 --error-rate 0.5 --seed 4 --rows-scale 2 \
             --workers 3 --wall-time 30s --wall-rows 900 --drift 10s:5 --drift 20s:1.5";
        let config = parsed(&line.split(' ').collect::<Vec<_>>())
            .unwrap()
            .config(None)
            .unwrap();
        let behaviours = &config.behaviours;
        assert_eq!(
            behaviours.limits.iter().map(|limit| limit.max).collect::<Vec<_>>(),
            [3, 7]
        );
        assert_eq!(behaviours.latency.base, Duration::from_millis(1));
        assert_eq!(behaviours.latency.per_node, Duration::from_micros(20));
        assert_eq!((behaviours.paging.cap, behaviours.paging.default_size), (20, 50));
        assert_eq!(
            (behaviours.faults.rates.server_error, behaviours.faults.rates.throttle),
            (0.5, 0.005)
        );
        assert_eq!((config.seed, config.rows_scale), (4, 2.0));
        let wall = &behaviours.wall;
        assert_eq!(wall.time.as_ref().map(|wall| wall.after), Some(Duration::from_secs(30)));
        assert_eq!(wall.rows.as_ref().map(|wall| wall.max), Some(900));
        let drift = behaviours.drift.iter().map(|step| (step.at.as_secs(), step.latency));
        assert_eq!(drift.collect::<Vec<_>>(), [(10, Some(5.0)), (20, Some(1.5))]);
        assert_eq!(behaviours.workers.map(NonZeroUsize::get), Some(3));
    }

    #[test]
    fn no_options_leave_the_shipped_behaviours() {
        let config = parsed(&[]).unwrap().config(None).unwrap();
        assert_eq!(config.behaviours, DemoConfig::named("tracker").unwrap().behaviours);
    }

    #[test]
    fn wrong_values_are_refused() {
        for arguments in [
            ["--error-rate", "1.5"],
            ["--limit", "many"],
            ["--rows-scale=-1", "--seed=1"],
            ["--latency", "5"],
        ] {
            assert!(parsed(&arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn the_greeting_speaks_each_stand_ins_language() {
        for (name, part) in [
            ("tracker", "-H \"authorization: Bearer $GQLDUMP_DEMO_TOKEN\""),
            ("factory", "-H \"x-api-key: $GQLDUMP_DEMO_TOKEN\""),
            ("board", "boards(limit: 2)"),
        ] {
            let server = DemoServer::start(parsed(&[name]).unwrap().config(None).unwrap()).unwrap();
            let greeting = greeting(&server);
            assert!(greeting.contains(part), "{greeting}");
            assert_eq!(greeting.contains("gqldump run"), name == "tracker", "{greeting}");
        }
    }

    #[test]
    fn rows_are_written_one_a_line() {
        let options = DemoRowsOptions {
            table: "groups".to_owned(),
            name: "tracker".to_owned(),
            ..Default::default()
        };
        let mut output = Vec::new();
        write_rows(&options, &mut output).unwrap();
        let lines: Vec<serde_json::Value> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 40);
        assert_eq!(lines[0]["name"], "alder");
    }
}
