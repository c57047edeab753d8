//! The name of a run.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// The name of a run: the second in UTC at which it began (`20261122T031500Z`), and, for the second and later runs of
/// that second, a number (`20261122T031500Z-2`). Later runs are greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    began: DateTime,
    number: u32,
}

/// A text that is no name of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no run: runs have names like 20261122T031500Z")]
pub struct NotARunId(String);

impl RunId {
    /// The first name of this time that is not taken.
    pub fn new(time: SystemTime, is_taken: impl Fn(&Self) -> bool) -> Self {
        // A clock that stands outside of the years 1 to 9999 names runs of 1970; they are told apart by number.
        let time = Timestamp::try_from(time).unwrap_or_default();
        let began = DateTime::from(time.to_zoned(TimeZone::UTC))
            .with()
            .subsec_nanosecond(0)
            .build();
        let began = began.unwrap_or_default();
        let mut id = Self { began, number: 1 };
        while is_taken(&id) {
            id.number += 1;
        }
        id
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.began.strftime(TIME_FORMAT))?;
        if self.number > 1 {
            write!(formatter, "-{}", self.number)?;
        }
        Ok(())
    }
}

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_a_run = || NotARunId(text.to_owned());
        let (time, number) = match text.split_once('-') {
            Some((time, number)) => (time, number.parse().map_err(|_| not_a_run())?),
            None => (text, 1),
        };
        let began = DateTime::strptime(TIME_FORMAT, time).map_err(|_| not_a_run())?;
        let id = Self { began, number };
        // Only the one spelling that is also shown names a run: folders are found by it.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(not_a_run())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 999)
    }

    #[test]
    fn a_run_is_named_after_its_second_in_utc() {
        let id = RunId::new(at(1_795_317_300), |_| false);
        assert_eq!(id.to_string(), "20261122T031500Z");
        assert_eq!("20261122T031500Z".parse(), Ok(id));
    }

    #[test]
    fn runs_of_one_second_are_numbered_and_sort_by_time() {
        let mut ids: Vec<RunId> = Vec::new();
        for seconds in [1_795_317_300, 1_795_317_299].into_iter().chain([1_795_317_300; 10]) {
            let id = RunId::new(at(seconds), |id| ids.contains(id));
            ids.push(id);
        }
        ids.sort();
        let names: Vec<_> = ids.iter().map(RunId::to_string).collect();
        assert_eq!(
            names[..3],
            ["20261122T031459Z", "20261122T031500Z", "20261122T031500Z-2"]
        );
        assert_eq!(names[10..], ["20261122T031500Z-10", "20261122T031500Z-11"]);
        assert!(names.iter().zip(&ids).all(|(name, id)| name.parse().as_ref() == Ok(id)));
    }

    #[test]
    fn other_names_are_no_runs() {
        for name in [
            "latest",
            "",
            "20261122T031500Z-1",
            "20261122T031500Z-",
            "20261122T031500Z-02",
            "2026-11-22",
            "20261322T031500Z",
        ] {
            assert!(name.parse::<RunId>().is_err(), "{name}");
        }
    }
}
