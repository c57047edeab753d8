//! Responses that share a commit.
//!
//! What adds up is added up before it is written, and a task that begins and ends within the group never reaches the
//! file: a fast API then costs little more than its bodies.

use std::collections::BTreeMap;

use crate::failpoint::Step;
use crate::state::database::Writing;
use crate::state::records::{
    Effort, KeptPiece, MemberGain, PieceOf, RowKey, RunKey, StoredResponse, TakenResponse, Tally, Task,
};

/// A group is written at once when its bodies are this large together.
const GROUP_BYTES: usize = 4 << 20;

/// Responses that share a commit, in the order in which they came.
#[derive(Default)]
pub(super) struct Group {
    responses: Vec<Received>,
    pieces: Vec<(PieceOf, KeptPiece)>,
    bytes: usize,
    sums: BTreeMap<RunKey, Sums>,
}

/// A response, of which the rest is in the sums.
struct Received {
    run: RunKey,
    at: u64,
    response: StoredResponse,
}

/// What the responses of one run add up to.
#[derive(Default)]
struct Sums {
    /// Tasks that ended, and did not begin in the group.
    done: Vec<u64>,
    /// Tasks that began, each with whether it stays in the state alone.
    begun: BTreeMap<u64, (Task, bool)>,
    tallies: BTreeMap<usize, Tally>,
    flaws: BTreeMap<String, u64>,
    keys: BTreeMap<u64, Vec<RowKey>>,
    members: BTreeMap<u64, MemberGain>,
    /// First tasks of requests that were asked for in pieces.
    joined: Vec<u64>,
    effort: Effort,
    rows: u64,
    responses: u64,
}

impl Group {
    pub(super) fn add(&mut self, taken: TakenResponse) {
        self.bytes += taken.body.len();
        let run = taken.run;
        let is_answered = |of: &PieceOf| of.run == run && of.first_task() == taken.first_task;
        self.pieces.retain(|(of, _)| !is_answered(of));
        let (at, response) = self.sums.entry(run).or_default().add(taken);
        self.responses.push(Received { run, at, response });
    }

    /// Adds a piece of a request, which goes with the answer to the whole.
    pub(super) fn add_piece(&mut self, of: PieceOf, piece: KeptPiece) {
        self.bytes += piece.body.len();
        self.pieces.push((of, piece));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.responses.is_empty() && self.pieces.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= GROUP_BYTES
    }

    /// The steps that writing it amounts to.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> + Clone + use<> {
        let responses = (!self.responses.is_empty()).then_some(Step::ResponseStored);
        let pieces = (!self.pieces.is_empty()).then_some(Step::PieceStored);
        responses.into_iter().chain(pieces)
    }

    pub(super) fn write(self, writing: &mut Writing<'_>) -> rusqlite::Result<()> {
        self.pieces
            .iter()
            .try_for_each(|(of, piece)| writing.keep_piece(of, piece))?;
        for Received { run, at, response } in self.responses {
            writing.store_response(run, &response, at)?;
        }
        self.sums.iter().try_for_each(|(run, sums)| sums.write(*run, writing))
    }
}

impl Sums {
    /// Adds a response; what remains of it, and when it came.
    fn add(&mut self, taken: TakenResponse) -> (u64, StoredResponse) {
        let begun = &mut self.begun;
        let done = taken.tasks.into_iter().filter(|id| begun.remove(id).is_none());
        self.done.extend(done);
        let held = taken.next_tasks.len().saturating_sub(taken.waiting);
        let next = taken.next_tasks.into_iter().enumerate();
        begun.extend(next.map(|(index, task)| (task.id, (task, index >= held))));
        for (connection, tally) in taken.tallies {
            *self.tallies.entry(connection).or_default() += tally;
        }
        for (flaw, occurrences) in taken.flaws {
            *self.flaws.entry(flaw).or_default() += occurrences;
        }
        for (instance, keys) in taken.keys {
            self.keys.entry(instance).or_default().extend(keys);
        }
        for (number, gain) in taken.members {
            *self.members.entry(number).or_default() += gain;
        }
        self.joined.extend(taken.first_task);
        self.effort += taken.effort;
        self.rows += taken.rows;
        self.responses += 1;
        let response = StoredResponse {
            sequence: taken.sequence,
            slots: taken.slots,
            skips: taken.skips,
            body: taken.body,
        };
        (taken.received_at, response)
    }

    fn write(&self, run: RunKey, writing: &Writing<'_>) -> rusqlite::Result<()> {
        for id in &self.done {
            writing.remove_task(run, *id)?;
        }
        for first_task in &self.joined {
            writing.drop_pieces(run, *first_task)?;
        }
        for (task, is_waiting) in self.begun.values() {
            writing.add_task(run, task, *is_waiting)?;
        }
        for (connection, tally) in &self.tallies {
            writing.add_tally(run, *connection, tally)?;
        }
        for (flaw, occurrences) in &self.flaws {
            writing.add_flaw(run, flaw, *occurrences)?;
        }
        for (instance, keys) in &self.keys {
            writing.add_seen(run, *instance, keys)?;
        }
        for (number, gain) in &self.members {
            writing.add_to_member(run, *number, gain)?;
        }
        writing.add_effort(run, &self.effort, self.responses, self.rows)
    }
}
