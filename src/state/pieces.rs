//! Answers to pieces of requests that are not complete yet: what of a request came before the run was interrupted.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{Row, params};

use crate::state::StateError;
use crate::state::database::{Writing, json, parsed};
use crate::state::records::{BegunRequest, KeptPiece, PieceOf, RunKey};
use crate::state::store::StateStore;

impl StateStore {
    /// The requests of a run of which a part came; their tasks are held now.
    pub(crate) async fn begun_requests(&self, run: RunKey) -> Result<Vec<BegunRequest>, StateError> {
        self.transact(move |writing| writing.begun_requests(run)).await
    }

    /// Drops what came of a request, which is not asked for any more as it was.
    pub(crate) async fn drop_pieces(&self, run: RunKey, first_task: u64) -> Result<(), StateError> {
        self.transact(move |writing| writing.drop_pieces(run, first_task)).await
    }
}

impl Writing<'_> {
    pub(super) fn keep_piece(&mut self, of: &PieceOf, piece: &KeptPiece) -> rusqlite::Result<()> {
        let Some(first_task) = of.first_task() else {
            return Ok(());
        };
        let body = self.compressed(&piece.body)?;
        self.execute(
            "INSERT OR REPLACE INTO piece (run, first_task, text_hash, tasks, inline_sizes, attempts, retries, \
             throttles, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                of.run.0,
                first_task,
                piece.text_hash,
                json(&of.tasks)?,
                json(&of.inline_sizes)?,
                piece.attempts,
                piece.retries,
                piece.throttles,
                body
            ],
        )
    }

    pub(super) fn drop_pieces(&self, run: RunKey, first_task: u64) -> rusqlite::Result<()> {
        self.execute(
            "DELETE FROM piece WHERE run = ? AND first_task = ?",
            params![run.0, first_task],
        )
    }

    fn begun_requests(&self, run: RunKey) -> rusqlite::Result<Vec<BegunRequest>> {
        let pieces = self.rows(
            "SELECT first_task, tasks, inline_sizes, text_hash, attempts, retries, throttles, body FROM piece \
             WHERE run = ?",
            params![run.0],
            |row| read_piece(run, row),
        )?;
        let mut requests: BTreeMap<u64, (PieceOf, Vec<KeptPiece>)> = BTreeMap::new();
        for (first_task, of, piece) in pieces {
            requests
                .entry(first_task)
                .or_insert_with(|| (of, Vec::new()))
                .1
                .push(piece);
        }
        let mut begun = Vec::new();
        for (first_task, (of, pieces)) in requests {
            let mut tasks = Vec::new();
            for (id, size) in &of.tasks {
                tasks.extend(self.hold_task(run, *id)?.map(|task| (task, *size)));
            }
            if tasks.len() < of.tasks.len() {
                // The request is not open any more as it was; what is left of it is asked like others.
                self.drop_pieces(run, first_task)?;
                tasks
                    .iter()
                    .try_for_each(|(task, _)| self.mark_task(run, task.id, true))?;
                continue;
            }
            begun.push(BegunRequest {
                tasks,
                inline_sizes: of.inline_sizes,
                pieces,
            });
        }
        Ok(begun)
    }
}

fn read_piece(run: RunKey, row: &Row<'_>) -> rusqlite::Result<(u64, PieceOf, KeptPiece)> {
    let body = zstd::decode_all(row.get_ref(7)?.as_blob()?);
    let body =
        body.map_err(|error| rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Blob, error.into()))?;
    let of = PieceOf {
        run,
        tasks: parsed(row, 1)?,
        inline_sizes: parsed(row, 2)?,
    };
    let piece = KeptPiece {
        text_hash: row.get(3)?,
        attempts: row.get(4)?,
        retries: row.get(5)?,
        throttles: row.get(6)?,
        body: Bytes::from(body),
    };
    Ok((row.get(0)?, of, piece))
}
