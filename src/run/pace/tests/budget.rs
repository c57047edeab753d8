//! The controller beside pages of one fixed size, under a budget, on a server whose response time drifts.

use super::*;

/// Requests a minute, and in flight at once.
const A_MINUTE: usize = 100;
const AT_ONCE: usize = 16;
/// The most rows on a page.
const CAP: f64 = 5_000.0;
/// Seconds after which the server gives up.
const WALL: f64 = 30.0;
const MINUTE: f64 = 60.0;
/// Seconds that are looked at.
const NIGHT: f64 = 1_800.0;

/// A request in flight.
struct Flight {
    ends: f64,
    seconds: f64,
    load: Load,
}

/// What a client came to in a night.
#[derive(Debug, Default)]
struct Night {
    rows: f64,
    requests: usize,
    failures: usize,
}

impl Night {
    fn budget(&self) -> f64 {
        self.requests as f64 / (A_MINUTE as f64 * NIGHT / MINUTE)
    }
}

/// How many times slower than at first the server is: five times and back, every so many seconds.
fn drift(at: f64, period: f64) -> f64 {
    let phase = (at % period) / period;
    1.0 + 4.0 * (1.0 - (2.0 * phase - 1.0).abs())
}

fn spend(pace: &mut Pace, period: f64, size: impl Fn(&Pace) -> f64) -> Night {
    let mut random = StdRng::seed_from_u64(7);
    let mut night = Night::default();
    let mut flights: Vec<Flight> = Vec::new();
    let mut sent: Vec<f64> = Vec::new();
    let mut now = 0.0;
    while now < NIGHT {
        let free_at = sent
            .len()
            .checked_sub(A_MINUTE)
            .map_or(0.0, |index| sent[index] + MINUTE);
        if flights.len() < AT_ONCE && free_at <= now {
            let rows = size(pace);
            let noise = 1.0 + random.random_range(-0.1..=0.1);
            let seconds = (0.2 + 0.002 * rows) * drift(now, period) * noise;
            flights.push(Flight {
                ends: now + seconds.min(WALL),
                seconds,
                load: pace.take_off(vec![rows], Some(0)),
            });
            sent.push(now);
            night.requests += 1;
            continue;
        }
        let next = (0..flights.len()).min_by(|left, right| flights[*left].ends.total_cmp(&flights[*right].ends));
        let landing = next.filter(|next| flights.len() >= AT_ONCE || flights[*next].ends <= free_at);
        let Some(landing) = landing else {
            now = free_at;
            continue;
        };
        let flight = flights.swap_remove(landing);
        now = flight.ends;
        pace.land(&flight.load);
        let rows = flight.load.total();
        if flight.seconds > WALL {
            night.failures += 1;
            pace.note_failure(&flight.load, Duration::from_secs_f64(WALL), false);
        } else {
            night.rows += rows;
            pace.note_answer(
                &flight.load,
                &[rows],
                Duration::from_secs_f64(flight.seconds),
                (rows * 100.0) as u64,
            );
        }
    }
    night
}

#[test]
fn a_drift_by_five_is_followed_with_the_whole_budget() {
    for period in [240.0, 600.0] {
        let fixed = (2..=10).map(|step| spend(&mut Pace::new(1), period, |_| f64::from(step) * 500.0));
        let best = fixed.map(|night| night.rows).fold(0.0, f64::max);
        let mut pace = Pace::new(1);
        for _ in 0..2 {
            let night = spend(&mut pace, period, |pace| allowed(pace, CAP));
            assert_eq!(night.failures, 0);
            assert!(night.rows >= 0.95 * best, "{} of {best} rows", night.rows);
            assert!(night.budget() >= 0.95, "{} of the budget", night.budget());
            pace = pace.settled();
        }
    }
}
