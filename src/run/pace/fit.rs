//! A quantity of answers (their time, their bytes) fitted to what they hold: so much for any answer, and so much for each
//! row of each connection.
//!
//! Pure. Least squares without negative parts, by coordinate descent, over observations that fade: a server is faster by
//! night than by day, and the rows of one query are not alike. Each observation counts by its error for what it holds, so
//! that small answers say as much as large ones, and slow ones as much as fast ones.

use serde::{Deserialize, Serialize};

/// What an observation still counts for when the next one comes: the last ten or so decide.
const FADE: f64 = 0.88;
/// An observation is taken for so many times what was expected at most: one slow answer is no slow server.
const MOST_SURPRISE: f64 = 4.0;
/// How much the parts found before count, beside what the observations say: rows that always come together in the same
/// proportions leave open which of them takes the time.
const INERTIA: f64 = 0.02;
/// The same of what any answer has. A server that becomes slower is asked for less, so that its answers take as long as
/// before: that looks as if rows took no time.
const INERTIA_OF_ANY: f64 = 0.5;
/// Rows that are worth what any answer has, when errors are weighed.
const ROWS_OF_ANY: f64 = 100.0;
/// Rounds of the descent; it converges long before with the few connections that a query has.
const ROUNDS: usize = 60;

/// A quantity fitted to what answers hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fit {
    /// What any answer has, and what each row of each connection adds.
    parts: Vec<f64>,
    /// The faded sums of the products of what answers hold, row by row; the first counts answers.
    products: Vec<f64>,
    /// The faded sums of the products with the quantity.
    targets: Vec<f64>,
    /// Observations, faded.
    seen: f64,
}

impl Fit {
    /// Nothing is known yet about so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        let size = connections + 1;
        Self {
            parts: vec![0.0; size],
            products: vec![0.0; size * size],
            targets: vec![0.0; size],
            seen: 0.0,
        }
    }

    /// Whether anything was observed.
    pub(crate) fn is_known(&self) -> bool {
        self.seen > 0.0
    }

    /// Whether it is for so many connections.
    pub(crate) fn is_for(&self, connections: usize) -> bool {
        let size = connections + 1;
        (self.parts.len(), self.targets.len(), self.products.len()) == (size, size, size * size)
    }

    /// What answers had of late, on average.
    pub(crate) fn mean(&self) -> f64 {
        // The sums of the first row are those of answers, each by its weight.
        match (self.products.first(), self.targets.first()) {
            (Some(answers), Some(quantity)) if *answers > 0.0 => quantity / answers,
            _ => 0.0,
        }
    }

    /// What any answer has, however little it holds.
    pub(crate) fn base(&self) -> f64 {
        self.parts.first().copied().unwrap_or(0.0)
    }

    /// What a row of a connection adds. One that was never observed is taken to be like the others.
    pub(crate) fn per_row(&self, connection: usize) -> f64 {
        let size = self.parts.len();
        let index = connection + 1;
        let is_observed = |index: usize| self.products.get(index * size + index).is_some_and(|sum| *sum > 0.0);
        match is_observed(index) {
            true => self.parts[index],
            false => self.typical(),
        }
    }

    /// What is expected of an answer with these rows.
    pub(crate) fn expected(&self, rows: &[f64]) -> f64 {
        let rows = rows.iter().enumerate();
        self.base() + rows.map(|(index, rows)| rows * self.per_row(index)).sum::<f64>()
    }

    /// Notes an answer with these rows, one number a connection.
    pub(crate) fn note(&mut self, rows: &[f64], quantity: f64) {
        let size = self.parts.len();
        let held: Vec<f64> = std::iter::once(1.0).chain(rows.iter().copied()).take(size).collect();
        if held.len() < size || !quantity.is_finite() || quantity <= 0.0 {
            return;
        }
        let quantity = self.believable(rows, quantity);
        if !self.is_known() {
            self.guess(&held, quantity);
        }
        let weight = (ROWS_OF_ANY + rows.iter().sum::<f64>()).powi(-2);
        for (row, left) in held.iter().enumerate() {
            for (column, right) in held.iter().enumerate() {
                let sum = &mut self.products[row * size + column];
                *sum = *sum * FADE + weight * left * right;
            }
            self.targets[row] = self.targets[row] * FADE + weight * left * quantity;
        }
        self.seen = self.seen * FADE + 1.0;
        self.solve();
    }

    /// Notes that an answer with these rows has at least so much: everything is then taken to have more in proportion,
    /// the observations before included.
    pub(crate) fn note_at_least(&mut self, rows: &[f64], quantity: f64) {
        let expected = self.expected(rows);
        if !self.is_known() || expected <= 0.0 || quantity <= expected || !quantity.is_finite() {
            return;
        }
        let factor = (quantity / expected).min(MOST_SURPRISE);
        let sums = self.parts.iter_mut().chain(&mut self.targets);
        sums.for_each(|sum| *sum *= factor);
    }

    /// The quantity as far as it is believed at once.
    fn believable(&self, rows: &[f64], quantity: f64) -> f64 {
        let expected = self.expected(rows);
        match self.seen >= 2.0 && expected > 0.0 {
            true => quantity.clamp(expected / MOST_SURPRISE, expected * MOST_SURPRISE),
            false => quantity,
        }
    }

    /// The first answer says nothing of what any answer has: all is taken to be for the rows, which is the careful guess.
    fn guess(&mut self, held: &[f64], quantity: f64) {
        let rows: f64 = held.iter().skip(1).sum();
        let parts = self.parts.iter_mut();
        match rows > 0.0 {
            true => parts.skip(1).for_each(|part| *part = quantity / rows),
            false => parts.take(1).for_each(|part| *part = quantity),
        }
    }

    fn solve(&mut self) {
        let size = self.parts.len();
        self.scale();
        let before = self.parts.clone();
        for _ in 0..ROUNDS {
            for index in 0..size {
                let row = &self.products[index * size..(index + 1) * size];
                let own = row[index];
                if own <= 0.0 {
                    continue;
                }
                let others: f64 = row.iter().zip(&self.parts).map(|(product, part)| product * part).sum();
                let others = others - own * self.parts[index];
                let inertia = own * if index == 0 { INERTIA_OF_ANY } else { INERTIA };
                let part = (self.targets[index] - others + inertia * before[index]) / (own + inertia);
                self.parts[index] = part.max(0.0);
            }
        }
    }

    /// Everything becomes slower and faster together, as far as that explains what was seen.
    fn scale(&mut self) {
        let size = self.parts.len();
        let (mut told, mut squares) = (0.0, 0.0);
        for (index, part) in self.parts.iter().enumerate() {
            let row = &self.products[index * size..(index + 1) * size];
            told += part * self.targets[index];
            squares += part
                * row
                    .iter()
                    .zip(&self.parts)
                    .map(|(product, part)| product * part)
                    .sum::<f64>();
        }
        if squares > 0.0 && told > 0.0 {
            self.parts.iter_mut().for_each(|part| *part *= told / squares);
        }
    }

    /// What a row adds on average, over those that were observed.
    fn typical(&self) -> f64 {
        // The first row of the products holds the rows themselves, each by the weight of its answer.
        let rows = self.products.iter().zip(&self.parts).take(self.parts.len()).skip(1);
        let (quantity, rows) = rows.fold((0.0, 0.0), |(quantity, rows), (row, part)| {
            (quantity + row * part, rows + row)
        });
        if rows > 0.0 { quantity / rows } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    fn is_near(value: f64, wanted: f64, share: f64) -> bool {
        (value - wanted).abs() <= wanted * share
    }

    #[test]
    fn one_answer_is_all_for_its_rows() {
        let mut fit = Fit::new(2);
        assert!(!fit.is_known());
        fit.note(&[100.0, 0.0], 0.5);
        assert!(is_near(fit.expected(&[100.0, 0.0]), 0.5, 0.01));
        assert!(is_near(fit.expected(&[400.0, 0.0]), 2.0, 0.02));
        assert!(is_near(fit.per_row(1), 0.005, 0.02), "the other connection is like it");
    }

    #[test]
    fn what_any_answer_takes_is_told_from_its_rows() {
        let mut fit = Fit::new(1);
        for round in 0..40 {
            let rows = f64::from(50 + (round * 37) % 400);
            fit.note(&[rows], 0.2 + 0.0015 * rows);
        }
        assert!(is_near(fit.base(), 0.2, 0.1), "{fit:?}");
        assert!(is_near(fit.per_row(0), 0.0015, 0.05), "{fit:?}");
    }

    #[test]
    fn connections_with_costlier_rows_are_told_apart() {
        let mut random = StdRng::seed_from_u64(7);
        let mut fit = Fit::new(3);
        for _ in 0..120 {
            let rows = [random.random_range(0.0..200.0), random.random_range(0.0..500.0), 0.0];
            let noise = random.random_range(0.9..1.1);
            fit.note(&rows, (0.1 + 0.01 * rows[0] + 0.001 * rows[1]) * noise);
        }
        assert!(is_near(fit.per_row(0), 0.01, 0.25), "{fit:?}");
        assert!(is_near(fit.per_row(1), 0.001, 0.4), "{fit:?}");
        assert!(fit.per_row(2) > 0.0, "one that was never seen takes time as well");
    }

    #[test]
    fn a_server_that_becomes_slower_is_followed() {
        let mut fit = Fit::new(1);
        let mut rows = 100.0;
        for round in 0..80 {
            let per_row = if round < 40 { 0.001 } else { 0.005 };
            fit.note(&[rows], 0.1 + per_row * rows);
            rows = if rows > 400.0 { 100.0 } else { rows * 1.3 };
        }
        assert!(is_near(fit.expected(&[300.0]), 0.1 + 0.005 * 300.0, 0.1), "{fit:?}");
    }

    #[test]
    fn one_slow_answer_changes_little() {
        let mut fit = Fit::new(1);
        for round in 0..30 {
            let rows = f64::from(100 + 10 * (round % 7));
            fit.note(&[rows], 0.1 + 0.001 * rows);
        }
        let before = fit.expected(&[150.0]);
        fit.note(&[150.0], 60.0);
        assert!(fit.expected(&[150.0]) < before * 2.0, "{fit:?}");
    }

    #[test]
    fn what_takes_longer_than_expected_makes_all_slower() {
        let mut fit = Fit::new(2);
        (0..10).for_each(|_| fit.note(&[100.0, 50.0], 1.0));
        fit.note_at_least(&[100.0, 50.0], 0.5);
        assert!(is_near(fit.expected(&[100.0, 50.0]), 1.0, 0.01));
        fit.note_at_least(&[100.0, 50.0], 3.0);
        assert!(is_near(fit.expected(&[100.0, 50.0]), 3.0, 0.01));
        (0..20).for_each(|_| fit.note(&[100.0, 50.0], 1.0));
        assert!(
            is_near(fit.expected(&[100.0, 50.0]), 1.0, 0.3),
            "and answers put it right: {fit:?}"
        );
    }

    #[test]
    fn nonsense_is_left_out() {
        let mut fit = Fit::new(1);
        for quantity in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            fit.note(&[1.0], quantity);
        }
        fit.note(&[], 1.0);
        assert_eq!(fit, Fit::new(1));
    }
}
