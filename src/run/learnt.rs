//! What earlier runs of a query file showed, as people and machines are told it.

use serde::Serialize;

use crate::plan::DeniedField;
use crate::run::fan_out::FanOut;
use crate::run::memory::{DENIED, KeptPace, OF_ALL, read_denied};
use crate::state::LearntText;

/// What earlier runs of a query file showed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt {
    /// When the last of it was learnt, in milliseconds since 1970; `None` where nothing is known.
    pub learnt_at: Option<u64>,
    /// By connection.
    pub connections: Vec<LearntConnection>,
    /// Fields that the token may not see.
    pub denied: Vec<DeniedField>,
    /// The most rows that share a request for what does not come with them, where more of them failed.
    pub rows_of_lookups: Option<usize>,
    /// The most rows that a request may ask for, where more of them were refused, whatever would have come.
    pub rows_asked: Option<u64>,
    /// The most parts of a request with fields of the query root of their own, where more of them were refused.
    pub parts: Option<usize>,
    /// Requests in flight, where the API turned away more.
    pub in_flight: Option<usize>,
}

/// What earlier runs showed of a connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LearntConnection {
    /// Its path.
    pub connection: String,
    /// How many of it were seen.
    pub instances: u64,
    /// Rows that half of them do not exceed; one that was not read to its end counts twice what was seen of it.
    pub median_rows: Option<u64>,
    /// Rows of the largest.
    pub largest_rows: Option<u64>,
    /// What a row adds to the response time.
    pub milliseconds_per_row: Option<f64>,
    /// What a row adds to the size of a response.
    pub bytes_per_row: Option<f64>,
    /// Rows above which requests failed.
    pub failing_above_rows: Option<u64>,
    /// The most rows of a page, whatever is asked for.
    pub most_rows_of_page: Option<u32>,
    /// Into how fine groups the columns are cut, where most rows do not come with all of them: 1 for about twice as many
    /// requests.
    pub fineness: Option<usize>,
}

impl Learnt {
    /// What is kept; nothing of what cannot be read any more.
    pub fn read(kept: &[LearntText]) -> Self {
        let pace = kept.iter().find(|learnt| learnt.name == OF_ALL);
        let pace = pace.and_then(|learnt| KeptPace::read(&learnt.text));
        let fan_outs = kept
            .iter()
            .filter(|learnt| learnt.name != OF_ALL && learnt.name != DENIED);
        let mut connections: Vec<LearntConnection> = fan_outs
            .filter_map(|learnt| Some(of_fan_out(&learnt.name, &serde_json::from_str(&learnt.text).ok()?)))
            .collect();
        if let Some(pace) = &pace {
            connections.iter_mut().for_each(|connection| add_pace(connection, pace));
        }
        Self {
            learnt_at: kept.iter().map(|learnt| learnt.learnt_at).max(),
            connections,
            rows_of_lookups: pace.as_ref().and_then(|kept| kept.lookups.most()),
            rows_asked: pace.as_ref().and_then(|kept| kept.pace.rows_asked()),
            parts: pace.as_ref().and_then(|kept| kept.pace.parts()),
            in_flight: pace.and_then(|kept| kept.bearing?.most()),
            denied: read_denied(kept.iter().map(|learnt| (learnt.name.as_str(), learnt.text.as_str()))),
        }
    }
}

fn of_fan_out(connection: &str, fan_out: &FanOut) -> LearntConnection {
    let rows = fan_out.rows();
    let instances: u64 = rows.values().sum();
    let mut seen = 0;
    let median = rows.iter().find(|(_, count)| {
        seen += **count;
        seen * 2 >= instances
    });
    LearntConnection {
        connection: connection.to_owned(),
        instances,
        median_rows: median.map(|(rows, _)| *rows),
        largest_rows: rows.keys().next_back().copied(),
        ..LearntConnection::default()
    }
}

fn add_pace(connection: &mut LearntConnection, kept: &KeptPace) {
    let Some(index) = kept.index_of(&connection.connection) else {
        return;
    };
    let signs = kept.pace.signs(index);
    connection.milliseconds_per_row = signs.seconds_per_row.map(|seconds| seconds * 1000.0);
    connection.bytes_per_row = signs.bytes_per_row;
    connection.failing_above_rows = signs.wall.map(|rows| rows as u64);
    connection.most_rows_of_page = signs.cap;
    let fineness = kept.fineness.as_ref().map(|fineness| fineness.of(Some(index)));
    connection.fineness = fineness.filter(|fineness| *fineness > 0);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::lookups::Lookups;
    use crate::run::pace::{Demand, Pace, Standing};

    fn kept(name: &str, text: String, learnt_at: u64) -> LearntText {
        LearntText {
            name: name.to_owned(),
            text,
            learnt_at,
        }
    }

    #[test]
    fn what_is_kept_is_told_by_connection() {
        let mut fan_out = FanOut::default();
        for rows in [3, 5, 5, 30] {
            fan_out.note_ended(rows, false);
        }
        let mut pace = Pace::new(2);
        for rows in [10.0, 100.0, 200.0] {
            let load = pace.take_off(vec![0.0, rows], Some(1));
            pace.note_answer(
                &load,
                &[0.0, rows],
                Duration::from_millis(2 * rows as u64),
                300 * rows as u64,
            );
        }
        pace.note_cap(1, 100);
        let demand = |rows: f64| Demand::new(&[10, 10], rows, 5);
        pace.bounds().note_answer(&demand(100.0));
        for _ in 0..2 {
            pace.bounds().note_refusal(&demand(900.0), Standing::default());
        }
        let connections = vec!["groups".to_owned(), "groups.findings".to_owned()];
        let pace = serde_json::to_string(&KeptPace {
            connections,
            columns: Vec::new(),
            pace,
            fineness: None,
            bearing: None,
            lookups: Lookups::default(),
        })
        .unwrap();
        let fan_out = serde_json::to_string(&fan_out).unwrap();
        let learnt = Learnt::read(&[
            kept(OF_ALL, pace, 7),
            kept("groups.findings", fan_out, 9),
            kept("groups", "none of ours".to_owned(), 1),
        ]);
        assert_eq!(learnt.learnt_at, Some(9));
        assert_eq!(
            (learnt.rows_asked, learnt.parts, learnt.in_flight),
            (Some(100), None, None)
        );
        let [connection] = learnt.connections.as_slice() else {
            panic!("{learnt:?}")
        };
        assert_eq!(connection.connection, "groups.findings");
        let rows = (connection.instances, connection.median_rows, connection.largest_rows);
        assert_eq!(rows, (4, Some(5), Some(30)));
        assert!(
            (connection.milliseconds_per_row.unwrap() - 2.0).abs() < 0.2,
            "{connection:?}"
        );
        assert!(
            (connection.bytes_per_row.unwrap() - 300.0).abs() < 30.0,
            "{connection:?}"
        );
        assert_eq!(
            (connection.failing_above_rows, connection.most_rows_of_page),
            (None, Some(100))
        );
    }
}
