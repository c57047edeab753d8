//! How far one query file's export is, and how fast it goes.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::report::event::Resumed;

/// The time over which the pace is measured: long enough to smooth over a throttle of some seconds,
/// short enough to show that one goes on.
const PACE_WINDOW: Duration = Duration::from_secs(10);

/// Pages that arrive within this time are counted as one sample, so that their number stays small.
const SAMPLE_WIDTH: Duration = Duration::from_millis(500);

/// How far one query file's export is.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Rows taken in, those of an interrupted run included.
    pub(crate) rows: u64,
    /// Responses taken in, likewise.
    pub(crate) pages: u64,
    /// Attempts that failed and were made again, since this execution began.
    pub(crate) retries: u64,
    since: SystemTime,
    /// Rows by the time at which the sample began, the oldest first.
    samples: VecDeque<(SystemTime, u64)>,
}

impl Progress {
    /// An export that begins, or goes on from where an interrupted run was.
    pub(crate) fn begin(now: SystemTime, resumed: Option<Resumed>) -> Self {
        Self {
            rows: resumed.map_or(0, |resumed| resumed.rows),
            pages: resumed.map_or(0, |resumed| resumed.responses),
            retries: 0,
            since: now,
            samples: VecDeque::new(),
        }
    }

    /// Counts a page.
    pub(crate) fn take_page(&mut self, now: SystemTime, rows: u64) {
        self.rows += rows;
        self.pages += 1;
        match self.samples.back_mut() {
            Some((begin, sampled)) if passed(*begin, now) < SAMPLE_WIDTH => *sampled += rows,
            _ => self.samples.push_back((now, rows)),
        }
        while self
            .samples
            .front()
            .is_some_and(|(begin, _)| passed(*begin, now) > PACE_WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Rows per second over the last ten seconds, or since the begin where that is less long ago.
    pub(crate) fn rows_per_second(&self, now: SystemTime) -> u64 {
        let recent = self
            .samples
            .iter()
            .filter(|(begin, _)| passed(*begin, now) <= PACE_WINDOW);
        let rows: u64 = recent.map(|(_, rows)| rows).sum();
        let span = passed(self.since, now).clamp(Duration::from_secs(1), PACE_WINDOW);
        (rows as f64 / span.as_secs_f64()).round() as u64
    }
}

/// The time from one moment to another; zero where the clock was set back in between.
pub(crate) fn passed(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn the_pace_is_that_of_the_last_ten_seconds() {
        let mut progress = Progress::begin(at(0), None);
        for second in 0..20 {
            let rows = if second < 10 { 1000 } else { 10 };
            progress.take_page(at(second * 1000), rows);
        }
        assert_eq!((progress.rows, progress.pages), (10_100, 20));
        assert_eq!(
            progress.rows_per_second(at(19_000)),
            110,
            "the pages of the seconds 9 to 19"
        );
        assert_eq!(
            progress.rows_per_second(at(25_000)),
            5,
            "the pages of the seconds 15 to 19"
        );
        assert_eq!(progress.rows_per_second(at(60_000)), 0);
    }

    #[test]
    fn what_an_interrupted_run_had_done_counts_for_the_rows_but_not_for_the_pace() {
        let resumed = Resumed {
            responses: 7,
            rows: 70_000,
            since: at(0),
        };
        let mut progress = Progress::begin(at(100_000), Some(resumed));
        progress.take_page(at(101_000), 100);
        assert_eq!((progress.rows, progress.pages), (70_100, 8));
        assert_eq!(progress.rows_per_second(at(102_000)), 50);
    }

    #[test]
    fn many_pages_need_few_samples_and_a_clock_set_back_does_no_harm() {
        let mut progress = Progress::begin(at(50_000), None);
        for page in 0..100_000 {
            progress.take_page(at(50_000 + page), 1);
        }
        assert!(progress.samples.len() <= 21, "{}", progress.samples.len());
        progress.take_page(at(0), 5);
        assert_eq!(progress.rows, 100_005);
        progress.rows_per_second(at(0));
    }
}
