//! How many rows come of those that were likely to.
//!
//! Pure. Requests are filled by what lists have on average. Where lists are of all lengths, some requests bring many more
//! rows, and those that were filled up to a wall are over it: they are kept clear of it by as much as rows deviate. Where
//! fewer come than were likely to, there is room for more.

use serde::{Deserialize, Serialize};

/// How much each answer counts that was asked for as much as might be.
const WEIGHT: f64 = 0.05;
/// The most that an answer counts for: of a list that nothing is known of, any number of rows may come.
const MOST: f64 = 2.0;
/// Standard deviations above the mean that are reckoned with.
const DEVIATIONS: f64 = 2.0;
/// Bounds of what is reckoned with, of the rows that are likely.
const LEAST_AT_WORST: f64 = 0.6;
const MOST_AT_WORST: f64 = 2.0;

/// Rows that came, of those that were likely to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Yields {
    mean: f64,
    variance: f64,
}

impl Default for Yields {
    fn default() -> Self {
        Self {
            mean: 1.0,
            variance: 0.0,
        }
    }
}

impl Yields {
    /// So many rows came where so many were likely to, and there was room for so many.
    pub(super) fn note(&mut self, came: f64, likely: f64, room: f64) {
        if likely <= 0.0 {
            return;
        }
        // Of few rows chance makes more or fewer than of many.
        let weight = WEIGHT * (likely / room).clamp(0.0, 1.0);
        let off = (came / likely).min(MOST) - self.mean;
        self.mean += weight * off;
        self.variance = (1.0 - weight) * (self.variance + weight * off * off);
    }

    /// As many rows as may well come of each that is likely to.
    pub(super) fn at_worst(self) -> f64 {
        let at_worst = self.mean + DEVIATIONS * self.variance.max(0.0).sqrt();
        at_worst.clamp(LEAST_AT_WORST, MOST_AT_WORST)
    }

    /// The rows that a request has tried that brought so many, of those that it may have brought at worst: with what was to
    /// be expected of it, all of them.
    pub(super) fn tried(self, came: f64, likely: f64, at_worst: f64) -> f64 {
        let expected = (likely * self.mean).max(1.0);
        (at_worst * came / expected).min(at_worst).max(came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(came: impl IntoIterator<Item = f64>) -> Yields {
        let mut yields = Yields::default();
        came.into_iter().for_each(|came| yields.note(came, 100.0, 100.0));
        yields
    }

    #[test]
    fn where_all_comes_as_it_was_likely_to_nothing_is_kept_clear() {
        assert_eq!(noted([100.0; 50]).at_worst(), 1.0);
    }

    #[test]
    fn rows_that_vary_are_kept_clear_of_and_missing_ones_are_not() {
        let varied = noted((0..200).map(|request| if request % 2 == 0 { 60.0 } else { 140.0 }));
        assert!((1.7..1.9).contains(&varied.at_worst()), "{varied:?}");
        let fewer = noted([70.0; 200]);
        assert!((0.6..0.8).contains(&fewer.at_worst()), "{fewer:?}");
    }

    #[test]
    fn one_list_of_thousands_does_not_halve_all_requests() {
        let yields = noted([vec![100.0; 50], vec![5_000.0]].concat());
        assert!(yields.at_worst() < 1.5, "{yields:?}");
    }

    #[test]
    fn what_was_expected_has_tried_all_that_might_have_come() {
        let yields = noted((0..200).map(|request| if request % 2 == 0 { 50.0 } else { 90.0 }));
        assert_eq!(yields.tried(75.0, 100.0, 95.0), 95.0);
        let tried = yields.tried(35.0, 100.0, 95.0);
        assert!((40.0..60.0).contains(&tried), "{tried}");
        assert_eq!(yields.tried(200.0, 100.0, 95.0), 200.0);
    }
}
