//! Who is next: the requests that wait, each query file's in the order of their coming.
//!
//! Whoever was let through the longest ago goes first, so that query files that all have requests waiting take turns, and
//! one with a request now and then does not wait behind the many of another. Nor may the many use up what the few will
//! need: a query file that has its share of a window already leaves to the others what they need of theirs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::api::limiter::party::{Party, Supply};

/// The requests that wait.
pub(super) struct Queue {
    /// As many as query files have asked so far, which are few.
    parties: Vec<Party>,
    tickets: u64,
    turns: u64,
    /// How long it matters that a request was let through.
    memory: Duration,
}

/// One request among those that wait, and later in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    party: usize,
    number: u64,
}

/// The request whose turn it is.
pub(super) struct Head<'q> {
    pub(super) ticket: Ticket,
    pub(super) woken: &'q Notify,
    /// Whether what there is has to be left to others.
    pub(super) is_held_back: bool,
}

impl Queue {
    /// Nobody waits; `memory` is the length of the longest window.
    pub(super) fn new(memory: Duration) -> Self {
        Self {
            parties: Vec::new(),
            tickets: 0,
            turns: 0,
            memory,
        }
    }

    /// Adds a request of that query file; `woken` is told when it comes to the head.
    pub(super) fn join(&mut self, query: &str, woken: Arc<Notify>, now: Instant) -> Ticket {
        let known = self.parties.iter().position(|party| party.query == query);
        let index = known.unwrap_or_else(|| {
            self.parties.push(Party::new(query, now));
            self.parties.len() - 1
        });
        self.tickets += 1;
        let ticket = Ticket {
            party: index,
            number: self.tickets,
        };
        let party = &mut self.parties[index];
        party.note_asked(now);
        party.waiting.push_back((ticket, woken));
        ticket
    }

    /// Whose turn it is, where so much is left: of those that need not be held back, if there are any.
    pub(super) fn head(&self, supplies: &[Supply], now: Instant) -> Option<Head<'_>> {
        let all = self.first(supplies, now, |_| true)?;
        if !all.is_held_back {
            return Some(all);
        }
        // If all that wait have their share, none of them need be left anything: else two could hold back each other.
        self.first(supplies, now, |party| party.waiting.is_empty())
    }

    /// The same where only those that `counts` accepts are left what they need.
    fn first(&self, supplies: &[Supply], now: Instant, counts: impl Fn(&Party) -> bool) -> Option<Head<'_>> {
        let active: Vec<usize> = (0..self.parties.len())
            .filter(|index| self.parties[*index].is_active(now))
            .collect();
        let fronts = active.iter().filter_map(|index| {
            let party = &self.parties[*index];
            let (ticket, woken) = party.waiting.front()?;
            let others = active.iter().filter(|other| *other != index);
            let others: Vec<&Party> = others
                .map(|other| &self.parties[*other])
                .filter(|party| counts(party))
                .collect();
            let is_short = |supply| is_short(party, &others, supply, active.len(), now);
            let is_held_back = supplies.iter().any(is_short);
            let place = (is_held_back, party.last_turn, ticket.number);
            let ticket = *ticket;
            Some((
                place,
                Head {
                    ticket,
                    woken,
                    is_held_back,
                },
            ))
        });
        fronts.min_by_key(|(place, _)| *place).map(|(_, head)| head)
    }

    /// The request is let through.
    pub(super) fn pass(&mut self, ticket: Ticket, now: Instant) {
        self.turns += 1;
        self.leave(ticket);
        let (turn, memory) = (self.turns, self.memory);
        if let Some(party) = self.parties.get_mut(ticket.party) {
            party.last_turn = turn;
            party.note_passed(now, memory);
        }
    }

    /// The request waits no more; nothing where it was let through.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if let Some(party) = self.parties.get_mut(ticket.party) {
            party.waiting.retain(|(waiting, _)| *waiting != ticket);
        }
    }

    /// A request that was let through is over after so long.
    pub(super) fn land(&mut self, ticket: Ticket, now: Instant, lasted: Duration) {
        if let Some(party) = self.parties.get_mut(ticket.party) {
            party.note_over(now, lasted);
        }
    }

    /// A request that was let through was never sent.
    pub(super) fn put_back(&mut self, ticket: Ticket) {
        if let Some(party) = self.parties.get_mut(ticket.party) {
            party.note_unsent();
        }
    }

    /// How many requests wait.
    pub(super) fn len(&self) -> usize {
        self.parties.iter().map(|party| party.waiting.len()).sum()
    }
}

/// Whether a query file has its share of a supply, and the others will need what is left of it.
fn is_short(party: &Party, others: &[&Party], supply: &Supply, active: usize, now: Instant) -> bool {
    let share = (f64::from(supply.max) / active as f64).max(1.0);
    if others.is_empty() || party.used(supply, now) + 1.0 <= share {
        return false;
    }
    let reserved: f64 = others.iter().map(|other| other.reserve(supply, share, now)).sum();
    f64::from(supply.free) < reserved + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The query files in the order in which their requests are let through.
    fn passed(queue: &mut Queue, now: Instant) -> Vec<usize> {
        let mut order = Vec::new();
        while let Some(head) = queue.head(&[], now) {
            let ticket = head.ticket;
            queue.pass(ticket, now);
            order.push(ticket.party);
        }
        order
    }

    fn join(queue: &mut Queue, queries: &str, now: Instant) -> Vec<Ticket> {
        let queries = queries.split(' ');
        queries.map(|query| queue.join(query, Arc::default(), now)).collect()
    }

    fn begin() -> (Queue, Instant) {
        (Queue::new(MINUTE), Instant::now())
    }

    #[test]
    fn query_files_take_turns_and_one_alone_has_them_all() {
        let (mut queue, now) = begin();
        join(&mut queue, "a a a a b c c", now);
        assert_eq!(queue.len(), 7);
        assert_eq!(passed(&mut queue, now), [0, 1, 2, 0, 2, 0, 0]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn requests_of_one_query_file_keep_their_order() {
        let (mut queue, now) = begin();
        for ticket in join(&mut queue, "a a a", now) {
            assert_eq!(queue.head(&[], now).map(|head| head.ticket), Some(ticket));
            queue.pass(ticket, now);
        }
    }

    #[test]
    fn whoever_was_let_through_the_longest_ago_is_next() {
        let (mut queue, now) = begin();
        for ticket in &join(&mut queue, "small huge huge huge huge", now)[..3] {
            queue.pass(*ticket, now);
        }
        join(&mut queue, "small", now);
        assert_eq!(passed(&mut queue, now), [0, 1, 1]);
    }

    #[test]
    fn a_request_that_leaves_is_nobodys_turn() {
        let (mut queue, now) = begin();
        let tickets = join(&mut queue, "a b a", now);
        queue.leave(tickets[0]);
        queue.leave(tickets[0]);
        assert_eq!(passed(&mut queue, now), [1, 0]);
    }

    /// How many of 100 permits a query file gets of which another one, with one request of `response_time` after the
    /// other, has none yet.
    fn taken_beside(response_time: Duration) -> u32 {
        let (mut queue, start) = begin();
        let now = start + response_time;
        let chain = join(&mut queue, "chain", start)[0];
        queue.pass(chain, start);
        queue.land(chain, now, response_time);
        let mut taken = 0;
        loop {
            join(&mut queue, "huge", now);
            let free = 99 - taken;
            let supply = Supply {
                max: 100,
                free,
                per: Some(MINUTE),
            };
            let head = queue.head(&[supply], now).unwrap();
            if head.is_held_back || free == 0 {
                return taken;
            }
            let ticket = head.ticket;
            queue.pass(ticket, now);
            taken += 1;
        }
    }

    #[test]
    fn what_others_need_of_their_share_is_left_to_them() {
        assert_eq!(
            taken_beside(Duration::from_millis(200)),
            50,
            "300 a minute, of which half of 100 is its share"
        );
        assert_eq!(taken_beside(Duration::from_secs(6)), 90, "10 a minute");
    }

    #[test]
    fn a_query_file_that_is_silent_for_long_needs_nothing() {
        let (mut queue, start) = begin();
        let tickets = join(&mut queue, "chain huge huge", start);
        queue.pass(tickets[0], start);
        queue.land(tickets[0], start, Duration::from_millis(1));
        queue.pass(tickets[1], start);
        let last_place = Supply {
            max: 2,
            free: 1,
            per: None,
        };
        let is_held_back = |now| queue.head(&[last_place], now).unwrap().is_held_back;
        assert!(is_held_back(start) && !is_held_back(start + Duration::from_secs(1)));
    }

    #[test]
    fn two_that_need_what_the_other_has_do_not_hold_back_each_other() {
        let (mut queue, now) = begin();
        let tickets = join(&mut queue, "a b a b", now);
        queue.pass(tickets[0], now);
        queue.land(tickets[0], now, Duration::from_secs(1));
        queue.pass(tickets[1], now);
        // The one has its share of the window, the other of the places in flight.
        let supplies = [Some(MINUTE), None].map(|per| Supply { max: 2, free: 1, per });
        assert!(!queue.head(&supplies, now).unwrap().is_held_back);
    }
}
