//! What the server gives up on: answers that would take too long, or hold too many rows.

use std::time::Duration;

use serde::Deserialize;

use crate::demo::behaviour::duration;
use crate::demo::refusal::Refusal;

/// What the server gives up on. By default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wall {
    /// Answers that would take longer than this.
    pub time: Option<TimeWall>,
    /// Answers that would hold more rows than this.
    pub rows: Option<RowWall>,
    /// Requests beyond so many at once.
    pub crowd: Option<Crowd>,
}

/// The requests that may be in the server at once, whatever they ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// So many; those beyond are turned away at once.
    pub max: u64,
    /// The answer to them; a 503 in HTML where it is not given.
    #[serde(default = "Refusal::unavailable")]
    pub refusal: Refusal,
}

/// The time that an answer may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeWall {
    /// So long from the request's arrival, waiting for its turn included; then the request is given up.
    #[serde(deserialize_with = "duration")]
    pub after: Duration,
    /// The answer in its place; a 504 in HTML where it is not given.
    #[serde(default = "Refusal::gateway_timeout")]
    pub refusal: Refusal,
}

/// The rows of connections that an answer may hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowWall {
    /// So many.
    pub max: u64,
    /// How long the work on it lasts until that is noticed.
    #[serde(default, deserialize_with = "duration")]
    pub after: Duration,
    /// The answer in its place, in which `{rows}` and `{max}` are filled in; a 504 in HTML where it is not given.
    #[serde(default = "Refusal::gateway_timeout")]
    pub refusal: Refusal,
}

/// When a request is given up, and what is answered then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub(crate) after: Duration,
    pub(crate) refusal: Refusal,
}

/// How the work on an answer would go if nothing stood in its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// Rows of connections in the answer.
    pub(crate) rows: u64,
    /// The most that it may hold now; `None` where that is not bounded.
    pub(crate) most_rows: Option<u64>,
    /// From the request's arrival to the beginning of the work.
    pub(crate) waited: Duration,
    /// From there to the answer.
    pub(crate) takes: Duration,
}

impl Wall {
    /// Which wall stands in the way of an answer, the nearest first; the time counts from the request's arrival.
    pub(crate) fn before(&self, work: Work) -> Option<GivenUp> {
        let by_rows = self
            .rows
            .as_ref()
            .zip(work.most_rows)
            .filter(|(_, most)| work.rows > *most);
        let by_rows = by_rows.map(|(wall, most)| GivenUp {
            after: work.waited.saturating_add(wall.after),
            refusal: wall.refusal.filled(&[("rows", &work.rows), ("max", &most)]),
        });
        let is_late = |wall: &&TimeWall| work.waited.saturating_add(work.takes) > wall.after;
        let by_time = self.time.as_ref().filter(is_late).map(TimeWall::given_up);
        by_rows.into_iter().chain(by_time).min_by_key(|given_up| given_up.after)
    }
}

impl TimeWall {
    /// What becomes of a request that was worked on, or waited, for too long.
    pub(crate) fn given_up(&self) -> GivenUp {
        GivenUp {
            after: self.after,
            refusal: self.refusal.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::refusal::HTML;

    const SECOND: Duration = Duration::from_secs(1);

    fn wall() -> Wall {
        toml::from_str(
            "[time]\nafter = '30s'\n[rows]\nmax = 500\nafter = '9s'\nrefusal = { status = 200, body = '{rows}/{max}' }",
        )
        .unwrap()
    }

    fn work(rows: u64, waited: u32, takes: u32) -> Work {
        Work {
            rows,
            most_rows: Some(500),
            waited: SECOND * waited,
            takes: SECOND * takes,
        }
    }

    #[test]
    fn the_nearest_wall_stops_an_answer() {
        let stopped = |work| {
            let given_up = wall().before(work)?;
            Some((given_up.after.as_secs(), given_up.refusal.status))
        };
        assert_eq!(stopped(work(500, 10, 20)), None);
        assert_eq!(stopped(work(500, 11, 20)), Some((30, 504)));
        assert_eq!(stopped(work(501, 1, 20)), Some((10, 200)));
        assert_eq!(stopped(work(501, 22, 20)), Some((30, 504)));
        assert_eq!(wall().before(work(501, 0, 1)).unwrap().refusal.body, "501/500");
        assert_eq!(Wall::default().before(work(u64::MAX, 900, 900)), None);
    }

    #[test]
    fn a_504_in_html_is_what_walls_answer_with() {
        let refusal = wall().time.unwrap().refusal;
        assert_eq!((refusal.status, refusal.content_type("")), (504, HTML));
    }
}
