//! Servers whose pace changes while they are asked: latency and walls by the time since the start.

use std::time::Duration;

use serde::Deserialize;

use crate::demo::behaviour::duration;

/// A change of pace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftStep {
    /// When it is there, counted from the server's start.
    #[serde(deserialize_with = "duration")]
    pub at: Duration,
    /// How many times as long as usual rows and bytes take; as before where it is not given.
    #[serde(default)]
    pub latency: Option<f64>,
    /// The most rows that an answer may hold, where there is a wall; as before where it is not given.
    #[serde(default)]
    pub wall_rows: Option<u64>,
    /// Whether it comes little by little from the step before on, or from the start.
    #[serde(default)]
    pub smooth: bool,
}

/// The pace at some moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    pub(crate) latency: f64,
    /// The most rows of an answer; `None` where there is no wall.
    pub(crate) wall_rows: Option<u64>,
}

/// A change of pace that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no change of pace: use a form such as 30s:5, which is five times as slow after 30 seconds")]
pub struct DriftStepError(String);

impl std::str::FromStr for DriftStep {
    type Err = DriftStepError;

    fn from_str(text: &str) -> Result<Self, DriftStepError> {
        let parts = text.split_once(':').and_then(|(at, latency)| {
            let latency: f64 = latency.trim().parse().ok()?;
            let at = humantime::parse_duration(at.trim()).ok()?;
            (latency.is_finite() && latency >= 0.0).then_some((at, latency))
        });
        let (at, latency) = parts.ok_or_else(|| DriftStepError(text.to_owned()))?;
        Ok(Self {
            at,
            latency: Some(latency),
            wall_rows: None,
            smooth: false,
        })
    }
}

impl Pace {
    /// The pace at `now`; `wall_rows` is what holds where no step says otherwise.
    pub(crate) fn at(now: Duration, steps: &[DriftStep], wall_rows: Option<u64>) -> Self {
        let rows = |usual: u64| value_at(now, steps, |step| Some(step.wall_rows? as f64), usual as f64);
        Self {
            latency: value_at(now, steps, |step| step.latency, 1.0),
            wall_rows: wall_rows.map(|usual| rows(usual).round() as u64),
        }
    }
}

/// What the steps make of one value that is `usual` at the start.
fn value_at(now: Duration, steps: &[DriftStep], value: impl Fn(&DriftStep) -> Option<f64>, usual: f64) -> f64 {
    let (mut since, mut before) = (Duration::ZERO, usual);
    for step in steps {
        let Some(next) = value(step) else { continue };
        if step.at > now {
            let passed = (now - since).as_secs_f64() / (step.at - since).as_secs_f64();
            let gone = if step.smooth { passed } else { 0.0 };
            return before + (next - before) * gone;
        }
        (since, before) = (step.at, next);
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paces(text: &str, at: &[u64]) -> Vec<(f64, Option<u64>)> {
        #[derive(Deserialize)]
        struct Steps {
            drift: Vec<DriftStep>,
        }
        let steps: Steps = toml::from_str(text).unwrap();
        let pace = |at: &u64| Pace::at(Duration::from_secs(*at), &steps.drift, Some(1000));
        at.iter().map(|at| (pace(at).latency, pace(at).wall_rows)).collect()
    }

    #[test]
    fn steps_change_what_they_name_and_leave_the_rest() {
        let text =
            "drift = [{ at = '10s', latency = 5.0 }, { at = '20s', wall_rows = 200 }, { at = '30s', latency = 1.0 }]";
        let expected = [(1.0, Some(1000)), (5.0, Some(1000)), (5.0, Some(200)), (1.0, Some(200))];
        assert_eq!(paces(text, &[9, 10, 20, 99]), expected);
    }

    #[test]
    fn a_smooth_step_comes_little_by_little() {
        let text = "drift = [{ at = '10s', latency = 5.0, wall_rows = 200, smooth = true }, { at = '20s', latency = 1.0, smooth = true }]";
        let expected = [
            (1.0, Some(1000)),
            (3.0, Some(600)),
            (5.0, Some(200)),
            (3.0, Some(200)),
            (1.0, Some(200)),
        ];
        assert_eq!(paces(text, &[0, 5, 10, 15, 20]), expected);
    }

    #[test]
    fn a_wall_that_is_not_there_does_not_come_with_time() {
        let steps = [DriftStep {
            wall_rows: Some(5),
            .."1s:2".parse().unwrap()
        }];
        let pace = Pace::at(Duration::from_secs(2), &steps, None);
        assert_eq!((pace.latency, pace.wall_rows), (2.0, None));
    }

    #[test]
    fn changes_of_pace_are_read_from_their_short_form() {
        for text in ["30s", "30s:", "x:5", "30s:-1", "30s:inf"] {
            assert_eq!(text.parse::<DriftStep>(), Err(DriftStepError(text.to_owned())));
        }
    }
}
