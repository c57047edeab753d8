//! The state as the engine uses it: a thread of its own that writes in groups, and the handle to it.
//!
//! A response that was handed over outlives a `kill -9` after [`GATHER`] and one commit, and the end of the machine after
//! [`SYNC_WAIT`] more; whoever hands it over goes on at once. Everything else is done on the same thread, in the order
//! in which it was handed over.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::failpoint::{Step, around, around_all};
use crate::state::StateError;
use crate::state::database::{Database, Safety, Writing};
use crate::state::group::Group;
use crate::state::records::{KeptPiece, PieceOf, TakenResponse};

/// The name of the state's file.
pub(super) const FILE: &str = "state.sqlite";
/// How long the thread rests before it looks for more: the system's work of waking it for each response would cost both
/// sides time.
const REST: Duration = Duration::from_millis(2);
/// How long a response waits for others to share its commit: what a commit writes is mostly the same for one and for many.
const GATHER: Duration = Duration::from_millis(16);
/// How long what is committed waits to be forced to the disk; with one commit, well within the 100 ms promised.
const SYNC_WAIT: Duration = Duration::from_millis(40);
/// Messages on their way to the thread before senders wait.
const QUEUE_LENGTH: usize = 256;

type Work = Box<dyn FnOnce(&mut Database) + Send>;

enum Message {
    Take(Box<TakenResponse>),
    Keep(Box<(PieceOf, KeptPiece)>),
    /// Done after all that was handed over before is durable.
    Do(Work),
}

/// The state of one source and output.
#[derive(Clone)]
pub struct StateStore {
    clock: Clock,
    sender: mpsc::Sender<Message>,
    failure: Arc<OnceLock<StateError>>,
    path: PathBuf,
}

/// The thread that writes; joined to be sure that all is written.
pub struct StateThread {
    handle: JoinHandle<()>,
}

impl StateStore {
    /// Opens the state in `folder`, creating it where there is none. On `clock`, no time passes while its thread is waited
    /// for.
    pub fn open(folder: &Path, clock: &Clock) -> Result<(Self, StateThread), StateError> {
        let path = folder.join(FILE);
        let database = Database::open(&path)?;
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let failure = Arc::new(OnceLock::new());
        let writer = Writer {
            database,
            receiver,
            failure: Arc::clone(&failure),
            unsynced_since: None,
        };
        let spawned = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || writer.run());
        let handle = spawned.map_err(|error| StateError::from_io(&path, &error))?;
        let store = Self {
            clock: clock.clone(),
            sender,
            failure,
            path,
        };
        Ok((store, StateThread { handle }))
    }

    /// Hands over a response; it will be durable within 100 ms.
    pub async fn take(&self, response: TakenResponse) -> Result<(), StateError> {
        let sending = self.sender.send(Message::Take(Box::new(response)));
        self.clock.hold_while(sending).await.map_err(|_| self.lost())
    }

    /// Hands over a piece of a request; it will be durable as soon.
    pub async fn keep(&self, of: PieceOf, piece: KeptPiece) -> Result<(), StateError> {
        let sending = self.sender.send(Message::Keep(Box::new((of, piece))));
        self.clock.hold_while(sending).await.map_err(|_| self.lost())
    }

    /// Runs `work` in a transaction, which is durable when this returns.
    pub(crate) async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let (message, answer) = transaction(work);
        let answered = self.clock.hold_while(async {
            self.sender.send(message).await.ok()?;
            answer.await.ok()
        });
        answered.await.ok_or_else(|| self.lost())?
    }

    /// The same from a thread that may block.
    pub(crate) fn transact_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StateError> {
        let (message, answer) = transaction(work);
        self.sender.blocking_send(message).map_err(|_| self.lost())?;
        answer.blocking_recv().map_err(|_| self.lost())?
    }

    /// Gives the room of what is gone back to the disk; bodies that were fetched should not linger there.
    pub async fn compact(&self) {
        let (sender, done) = oneshot::channel();
        let work: Work = Box::new(move |database| {
            // Not to be had while the disk is full, and not needed then.
            let _ = around(Step::StateCompacted, || database.compact());
            // Whoever asked may have gone.
            let _ = sender.send(());
        });
        let compacted = self.clock.hold_while(async {
            self.sender.send(Message::Do(work)).await.ok()?;
            done.await.ok()
        });
        // A thread that is gone has told its reason to others.
        let _ = compacted.await;
    }

    /// The state file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The error for a run that is not there though it was just begun.
    pub(crate) fn lost_run(&self, query: &str) -> StateError {
        StateError::Other {
            path: self.path.clone(),
            cause: format!("the run of `{query}` is gone").into(),
        }
    }

    /// Why the thread is gone.
    fn lost(&self) -> StateError {
        let gone = || StateError::Other {
            path: self.path.clone(),
            cause: "the state is closed".into(),
        };
        self.failure.get().cloned().unwrap_or_else(gone)
    }
}

impl StateThread {
    /// Waits until all that was handed over is durable. Every [`StateStore`] must be gone.
    pub fn join(self) {
        // A panic of the thread was already felt by those who waited for its answers.
        let _ = self.handle.join();
    }
}

fn transaction<T: Send + 'static>(
    work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send + 'static,
) -> (Message, oneshot::Receiver<Result<T, StateError>>) {
    let (sender, receiver) = oneshot::channel();
    let message = Message::Do(Box::new(move |database| {
        // Whoever asked may have gone; the work is done all the same.
        let _ = sender.send(database.transact(Safety::Machine, work));
    }));
    (message, receiver)
}

struct Writer {
    database: Database,
    receiver: mpsc::Receiver<Message>,
    failure: Arc<OnceLock<StateError>>,
    /// Since when there are transactions that the end of the machine would undo.
    unsynced_since: Option<Instant>,
}

impl Writer {
    fn run(mut self) {
        if let Err(error) = self.serve() {
            let _ = self.failure.set(error);
        }
        // The receiver goes with `self`, after the failure is known to those who find it closed.
    }

    fn serve(&mut self) -> Result<(), StateError> {
        while let Some(message) = self.next()? {
            let mut group = Group::default();
            let work = self.gather(message, &mut group);
            if !group.is_empty() {
                let steps = group.steps();
                let write = || self.database.transact(Safety::Process, |writing| group.write(writing));
                around_all(steps, write)?;
                self.unsynced_since.get_or_insert_with(Instant::now);
            }
            if let Some(work) = work {
                work(&mut self.database);
            }
            self.sync_if_due()?;
        }
        Ok(())
    }

    /// The next message; `None` when there will be none.
    fn next(&mut self) -> Result<Option<Message>, StateError> {
        while self.unsynced_since.is_some() {
            match self.receiver.try_recv() {
                Ok(message) => return Ok(Some(message)),
                Err(TryRecvError::Disconnected) => return self.sync().map(|()| None),
                Err(TryRecvError::Empty) => std::thread::sleep(REST),
            }
            self.sync_if_due()?;
        }
        Ok(self.receiver.blocking_recv())
    }

    fn sync_if_due(&mut self) -> Result<(), StateError> {
        if self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_WAIT) {
            self.sync()?;
            self.unsynced_since = None;
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StateError> {
        around(Step::StateSynced, || self.database.sync())
    }

    /// Adds to the group what comes within [`GATHER`], until it is full, up to the first piece of other work.
    fn gather(&mut self, first: Message, group: &mut Group) -> Option<Work> {
        let began = Instant::now();
        let mut next = Ok(first);
        loop {
            match next {
                Ok(Message::Take(response)) => group.add(*response),
                Ok(Message::Keep(piece)) => group.add_piece(piece.0, piece.1),
                Ok(Message::Do(work)) => return Some(work),
                Err(TryRecvError::Empty) if began.elapsed() < GATHER => std::thread::sleep(REST),
                Err(_) => return None,
            }
            if group.is_full() {
                return None;
            }
            next = self.receiver.try_recv();
        }
    }
}
