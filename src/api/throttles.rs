//! How often an API has asked to slow down.

use tokio::time::Instant;

/// How often an API has asked to slow down; requests that were on their way together count once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throttles {
    /// In any words.
    pub all: u64,
    /// In words that say that too many requests were in flight.
    pub of_crowd: u64,
    /// When that last counted.
    since: Option<Instant>,
}

impl Throttles {
    /// The API turned away a request that was sent at `sent_at`. False where others on their way with it were.
    pub(super) fn note(&mut self, sent_at: Instant, is_of_crowd: bool, now: Instant) -> bool {
        let is_news = self.since.is_none_or(|since| sent_at >= since);
        if is_news {
            self.all += 1;
            self.of_crowd += u64::from(is_of_crowd);
            self.since = Some(now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_together_counts_once() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut throttles = Throttles::default();
        assert!(throttles.note(start, true, start + second));
        assert!(!throttles.note(start, true, start + second));
        assert!(!throttles.note(start + second / 2, false, start + 3 * second));
        assert!(throttles.note(start + second, false, start + 2 * second));
        assert_eq!((throttles.all, throttles.of_crowd), (2, 1));
    }
}
