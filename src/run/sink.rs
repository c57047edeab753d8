//! The end of the pipe: responses of one query file become rows, and rows become parts, on a thread of its own.
//!
//! A *cut* closes the open parts of all tables together and records them; every response up to it is then in a part,
//! so its body is dropped. After a crash the bodies since the last cut are decoded again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::failpoint::wants_cut;
use crate::output::{Format, OutputError, Part, RunId, SourceFolder, TableFiles, TableWriter};
use crate::plan::{AncestorRole, Layout, Plan, TableName, Target};
use crate::report::{Event, SharedObserver};
use crate::rows::{DecodeError, Decoder, Slot, arrow_schema, rejects_schema};
use crate::state::{RecordedPart, RunKey, Sequence, StateError, StateStore, StoredResponse, StoredSlot};

/// A part is closed when it has so many bytes.
const PART_BYTES: u64 = 128 << 20;
/// Row groups that are not yet in their files may take so much memory over all tables of a query file.
const BUFFERED_BYTES: usize = 24 << 20;
/// How long the thread rests when nothing is there to be written.
const REST: Duration = Duration::from_millis(2);
/// Responses on their way to the thread before the engine waits; their bytes are bounded apart from that.
const QUEUE_LENGTH: usize = 64;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// The response cannot be turned into rows.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The rows cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The parts cannot be recorded.
    #[error(transparent)]
    State(#[from] StateError),
    /// A body that was checked before is no text any more.
    #[error("a stored response is damaged; drop the unfinished run with --fresh")]
    Damaged,
    /// The thread cannot be started.
    #[error("no thread for writing rows: {0}")]
    Thread(std::io::Error),
    /// The thread ended without a word.
    #[error("writing rows was broken off")]
    BrokenOff,
}

/// What a sink writes, and where it goes on.
pub(crate) struct SinkOrder {
    pub(crate) key: RunKey,
    pub(crate) run: RunId,
    /// `source/query_file`, for events.
    pub(crate) query: String,
    pub(crate) plan: Arc<Plan>,
    pub(crate) format: Format,
    pub(crate) folder: SourceFolder,
    /// What the footer of each Parquet file says of its origin.
    pub(crate) metadata: Vec<(String, String)>,
    /// Parts that are finished.
    pub(crate) parts: Vec<RecordedPart>,
    /// Responses up to this one are in them.
    pub(crate) through: Sequence,
    /// Responses up to this one are stored and have to be decoded again.
    pub(crate) last_stored: Sequence,
    pub(crate) state: StateStore,
    /// No time passes on it while the thread is waited for.
    pub(crate) clock: Clock,
    pub(crate) observer: SharedObserver,
}

/// The way to the thread.
pub(crate) struct Sink {
    clock: Clock,
    sender: mpsc::Sender<Message>,
    outcome: oneshot::Receiver<Result<(), SinkError>>,
}

enum Message {
    Response(StoredResponse),
    /// All responses were handed over: close the last parts.
    End,
}

impl Sink {
    /// Starts the thread; it begins with what was stored before.
    pub(crate) fn start(order: SinkOrder) -> Result<Self, SinkError> {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let (report, outcome) = oneshot::channel();
        let clock = order.clock.clone();
        let work = move || {
            let result = RowWriter::open(order).and_then(|writer| writer.run(receiver));
            // Nobody listens any more when the export was broken off.
            let _ = report.send(result);
        };
        std::thread::Builder::new()
            .name("rows".to_owned())
            .spawn(work)
            .map_err(SinkError::Thread)?;
        Ok(Self { clock, sender, outcome })
    }

    /// Hands a response over; waits while too many are under way. An error is told by [`Self::end`].
    pub(crate) async fn hand_over(&self, response: StoredResponse) -> bool {
        let sending = self.sender.send(Message::Response(response));
        self.clock.hold_while(sending).await.is_ok()
    }

    /// Waits until all that was handed over is in recorded parts.
    pub(crate) async fn end(self) -> Result<(), SinkError> {
        let Self { clock, sender, outcome } = self;
        let ended = clock.hold_while(async {
            // A thread that is gone has left its reason in the outcome.
            let _ = sender.send(Message::End).await;
            outcome.await
        });
        ended.await.unwrap_or(Err(SinkError::BrokenOff))
    }

    /// Waits until the thread has stopped, leaving the rows since the last cut to the next run.
    pub(crate) async fn leave(self) -> Result<(), SinkError> {
        drop(self.sender);
        let left = self.clock.hold_while(self.outcome);
        left.await.unwrap_or(Err(SinkError::BrokenOff))
    }
}

/// The next message; `None` when there will be none. A thread that runs dry rests before it waits to be woken, since
/// the system's work of waking it for each response would cost both sides time.
fn next(receiver: &mut mpsc::Receiver<Message>) -> Option<Message> {
    if let Ok(message) = receiver.try_recv() {
        return Some(message);
    }
    std::thread::sleep(REST);
    receiver.blocking_recv()
}

/// Decodes and writes.
struct RowWriter {
    order: SinkOrder,
    decoder: Decoder,
    /// Two for each table: its rows, its rejects.
    writers: Vec<TablePair>,
    through: Sequence,
    /// What decoding shows to be lacking since the last cut.
    flaws: BTreeMap<String, u64>,
}

struct TablePair {
    rows: TableWriter,
    rejects: TableWriter,
}

impl RowWriter {
    fn open(order: SinkOrder) -> Result<Self, SinkError> {
        let mut writers = Vec::new();
        for table in order.plan.tables.iter() {
            let files = |name: &TableName, schema| TableFiles {
                folder: order.folder.staging(&order.run, name),
                format: order.format,
                schema,
                metadata: order.metadata.clone(),
            };
            let rejects = table.name.rejects();
            writers.push(TablePair {
                rows: table_writer(&order, &table.name, files(&table.name, arrow_schema(table)))?,
                rejects: table_writer(&order, &rejects, files(&rejects, rejects_schema()))?,
            });
        }
        let decoder = Decoder::new(Arc::clone(&order.plan.tables));
        let through = order.through;
        Ok(Self {
            order,
            decoder,
            writers,
            through,
            flaws: BTreeMap::new(),
        })
    }

    fn run(mut self, mut receiver: mpsc::Receiver<Message>) -> Result<(), SinkError> {
        while self.through < self.order.last_stored {
            let Some(stored) = self.order.state.response_after(self.order.key, self.through)? else {
                break;
            };
            self.take(&stored)?;
        }
        while let Some(message) = next(&mut receiver) {
            match message {
                Message::Response(response) => self.take(&response)?,
                Message::End => return self.cut(true),
            }
        }
        Ok(())
    }

    fn take(&mut self, response: &StoredResponse) -> Result<(), SinkError> {
        let body = text(&response.body)?;
        let plan = Arc::clone(&self.order.plan);
        let layout = layout(&plan, &response.slots);
        let slots: Vec<Slot<'_>> = response.slots.iter().map(slot).collect();
        let counts = self.decoder.decode(body, &layout, &slots, &response.skips)?;
        for (index, (table, count)) in plan.tables.iter().zip(&counts).enumerate() {
            // Those of a connection are named where its pages are taken in, with what holds it.
            let is_paged = plan.connections.iter().any(|connection| connection.table == index);
            if count.null_items > 0 && !is_paged {
                let text = format!("table `{}`: items that are null", table.name);
                *self.flaws.entry(text).or_default() += count.null_items;
            }
        }
        self.through = response.sequence;
        for table in 0..self.writers.len() {
            self.write(table, false)?;
        }
        let largest = self
            .writers
            .iter()
            .map(|pair| pair.rows.written_bytes())
            .max()
            .unwrap_or(0);
        if largest >= PART_BYTES || wants_cut(self.through) {
            return self.cut(false);
        }
        self.bound_memory()
    }

    /// Writes what the decoder holds of a table: all of it, or only if it is worth a batch.
    fn write(&mut self, table: usize, all: bool) -> Result<(), SinkError> {
        let batches = if all {
            self.decoder.take_rest(table)?
        } else {
            self.decoder.take(table)?
        };
        let pair = &mut self.writers[table];
        if let Some(rows) = batches.rows {
            pair.rows.write(&rows)?;
        }
        if let Some(rejects) = batches.rejects {
            let name = &self.order.plan.tables[table].name;
            let text = format!(
                "table `{name}`: rows that do not fit their types, see `{}`",
                name.rejects()
            );
            *self.flaws.entry(text).or_default() += u64::try_from(rejects.num_rows()).unwrap_or(u64::MAX);
            pair.rejects.write(&rejects)?;
        }
        Ok(())
    }

    fn bound_memory(&mut self) -> Result<(), SinkError> {
        let buffered: usize = self.writers.iter().map(|pair| pair.rows.buffered_bytes()).sum();
        if buffered < BUFFERED_BYTES {
            return Ok(());
        }
        let largest = self.writers.iter_mut().max_by_key(|pair| pair.rows.buffered_bytes());
        if let Some(pair) = largest {
            pair.rows.flush_row_group()?;
        }
        Ok(())
    }

    /// Closes the parts of all tables and records them. `is_last`: every table then has at least one.
    fn cut(&mut self, is_last: bool) -> Result<(), SinkError> {
        let plan = Arc::clone(&self.order.plan);
        let mut recorded = Vec::new();
        for (index, table) in plan.tables.iter().enumerate() {
            self.write(index, true)?;
            let pair = &mut self.writers[index];
            let rows = if is_last {
                pair.rows.close_table()?
            } else {
                pair.rows.close()?
            };
            let rejects = pair.rejects.close()?;
            recorded.extend(rows.map(|part| record(&table.name, part)));
            recorded.extend(rejects.map(|part| record(&table.name.rejects(), part)));
        }
        for part in &recorded {
            self.order.observer.notice(&Event::PartClosed {
                query: self.order.query.clone(),
                table: part.table.clone(),
                rows: part.rows,
                bytes: part.bytes,
            });
        }
        let flaws = std::mem::take(&mut self.flaws).into_iter().collect();
        self.order
            .state
            .record_parts(self.order.key, self.through, recorded, flaws)?;
        Ok(())
    }
}

/// A writer that goes on behind the recorded parts of its table; what else is staged was being written when a run ended.
fn table_writer(order: &SinkOrder, table: &TableName, files: TableFiles) -> Result<TableWriter, SinkError> {
    let recorded = order.parts.iter().filter(|part| part.table == table.as_str());
    let recorded: Vec<&str> = recorded.map(|part| part.file.as_str()).collect();
    order.folder.remove_leftovers(&order.run, table, &recorded)?;
    let first_part = u32::try_from(recorded.len()).unwrap_or(u32::MAX);
    Ok(TableWriter::new(files, first_part))
}

/// How a response with such slots turns into rows.
fn layout(plan: &Plan, slots: &[StoredSlot]) -> Layout {
    let targets: Vec<Target> = slots.iter().map(target).collect();
    let mut layout = plan.layout(&targets);
    match &mut layout.data.role {
        AncestorRole::Object(fields) => {
            let void = fields.iter_mut().zip(slots).filter(|(_, slot)| slot.is_void);
            void.for_each(|(field, _)| field.role = AncestorRole::Ignored);
        }
        role if slots.iter().any(|slot| slot.is_void) => *role = AncestorRole::Ignored,
        _ => {}
    }
    layout
}

fn slot(slot: &StoredSlot) -> Slot<'_> {
    Slot {
        parent: slot.parent.as_deref(),
        position: slot.before,
    }
}

/// What a slot is for.
pub(crate) fn target(slot: &StoredSlot) -> Target {
    Target::of(slot.connection, slot.root, slot.is_first)
}

fn text(body: &Bytes) -> Result<&str, SinkError> {
    std::str::from_utf8(body).map_err(|_| SinkError::Damaged)
}

fn record(table: &TableName, part: Part) -> RecordedPart {
    RecordedPart {
        table: table.to_string(),
        file: part.file,
        rows: part.rows,
        bytes: part.bytes,
        sha256: part.sha256,
    }
}
