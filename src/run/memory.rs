//! What one run of a query file shows and the next one begins with: how many rows the connections hold, and how the API
//! answers.

use serde::{Deserialize, Serialize};

use crate::plan::{DeniedField, Plan, Table, hash_of};
use crate::run::fan_out::FanOut;
use crate::run::fineness::Fineness;
use crate::run::lookups::Lookups;
use crate::run::pace::{Bearing, Pace};
use crate::run::plans::is_still_believed;

/// Under this name, which no connection has, stands what is of all connections together.
pub(crate) const OF_ALL: &str = "";
/// And under this one the fields that the token may not see.
pub(crate) const DENIED: &str = "!denied";

/// What is known of a query file from earlier runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    /// By connection.
    pub(crate) fan_outs: Vec<FanOut>,
    pub(crate) pace: Pace,
    pub(crate) fineness: Fineness,
    /// How many requests in flight the source took.
    pub(crate) bearing: Option<Bearing>,
    /// Of requests for what does not come with the rows.
    pub(crate) lookups: Lookups,
}

/// How the API answers, as it is kept: what it says of connections is of use for the same ones only.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptPace {
    pub(crate) connections: Vec<String>,
    /// A hash of the columns of each: rows with others take another time.
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    pub(crate) pace: Pace,
    #[serde(default)]
    pub(crate) fineness: Option<Fineness>,
    #[serde(default)]
    pub(crate) bearing: Option<Bearing>,
    #[serde(default)]
    pub(crate) lookups: Lookups,
}

impl KeptPace {
    /// What is kept; `None` where that cannot be read any more.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let kept: Self = serde_json::from_str(text).ok()?;
        kept.pace.is_for(kept.connections.len()).then_some(kept)
    }

    /// The index of a connection, by its path.
    pub(crate) fn index_of(&self, connection: &str) -> Option<usize> {
        self.connections.iter().position(|path| path == connection)
    }
}

/// What a run shows, to be kept.
#[derive(Clone, Copy)]
pub(crate) struct Remembered<'run> {
    pub(crate) fan_outs: &'run [FanOut],
    pub(crate) pace: &'run Pace,
    pub(crate) fineness: &'run Fineness,
    pub(crate) bearing: Bearing,
    pub(crate) lookups: &'run Lookups,
}

impl Memory {
    /// What is kept, by the paths of connections; nothing where that cannot be read any more. `now` in milliseconds since
    /// 1970.
    pub(crate) fn read(plan: &Plan, kept: &[(String, String)], now: u64) -> Self {
        let text = |name: &str| {
            kept.iter()
                .find(|(path, _)| path == name)
                .map(|(_, text)| text.as_str())
        };
        let fan_out = |path: &String| serde_json::from_str(text(path)?).ok();
        let pace = text(OF_ALL).and_then(KeptPace::read);
        let pace = pace.filter(|kept| kept.connections == paths(plan) && kept.columns == columns(plan));
        let connections = plan.connections.len();
        let bearing = pace.as_ref().and_then(|kept| kept.bearing);
        let lookups = pace.as_ref().map(|kept| kept.lookups.clone());
        let (pace, fineness) = pace.map_or((None, None), |kept| (Some(kept.pace), kept.fineness));
        let fineness = fineness.filter(|fineness| fineness.is_for(connections));
        let fan_outs = plan.connections.iter();
        Self {
            fan_outs: fan_outs
                .map(|connection| fan_out(&connection.path).unwrap_or_default())
                .collect(),
            pace: pace.unwrap_or_else(|| Pace::new(connections)),
            fineness: fineness
                .unwrap_or_else(|| Fineness::new(connections))
                .without_old(|learnt_at| is_still_believed(learnt_at, now)),
            bearing,
            lookups: lookups.unwrap_or_default(),
        }
    }

    /// What is to be kept, by the paths of connections.
    pub(crate) fn write(plan: &Plan, memory: Remembered<'_>) -> Vec<(String, String)> {
        let kept = KeptPace {
            connections: paths(plan),
            columns: columns(plan),
            pace: memory.pace.settled(),
            fineness: Some(memory.fineness.clone()),
            bearing: Some(memory.bearing),
            lookups: memory.lookups.clone(),
        };
        let of_all = serde_json::to_string(&kept).ok().map(|text| (OF_ALL.to_owned(), text));
        let fan_outs = plan.connections.iter().zip(memory.fan_outs);
        let fan_outs = fan_outs
            .filter_map(|(connection, fan_out)| Some((connection.path.clone(), serde_json::to_string(fan_out).ok()?)));
        let left_out = plan.left_out.iter().map(|left_out| &left_out.field);
        let left_out = left_out.chain(&plan.denied_in_rows);
        fan_outs.chain(of_all).chain(written_denied(left_out)).collect()
    }
}

/// The fields that the token may not see, of what is kept.
pub(crate) fn read_denied<'kept>(kept: impl IntoIterator<Item = (&'kept str, &'kept str)>) -> Vec<DeniedField> {
    let denied = kept.into_iter().find(|(name, _)| *name == DENIED);
    denied
        .and_then(|(_, text)| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The same, as it is kept.
pub(crate) fn written_denied<'denied>(
    denied: impl IntoIterator<Item = &'denied DeniedField>,
) -> Option<(String, String)> {
    let denied: Vec<&DeniedField> = denied.into_iter().collect();
    Some((DENIED.to_owned(), serde_json::to_string(&denied).ok()?))
}

fn columns(plan: &Plan) -> Vec<String> {
    let tables = plan
        .connections
        .iter()
        .map(|connection| plan.tables.get(connection.table));
    tables.map(|table| table.map_or_else(String::new, names_hash)).collect()
}

fn names_hash(table: &Table) -> String {
    let names = table.columns.iter().flat_map(|column| [&column.name, &column.key]);
    hash_of(names.flat_map(|name| [name.as_str(), "\0"]).collect::<String>())
}

fn paths(plan: &Plan) -> Vec<String> {
    plan.connections
        .iter()
        .map(|connection| connection.path.clone())
        .collect()
}
