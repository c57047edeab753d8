//! The SQLite file: opened, checked, and every statement that is run on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, Transaction, params};

use crate::state::StateError;
use crate::state::records::{
    Effort, Ends, KnownExport, Member, MemberCounts, NewRun, RecordedPart, RunKey, Sequence, Stage, StoredResponse,
    StoredSchema, Tally, Task, Trail, UnfinishedRun,
};

/// The format of the state file, in its `user_version`.
const FORMAT: i64 = 6;
/// Marks the file as ours: "gqld".
const APPLICATION_ID: i64 = 0x6771_6c64;
/// Bodies are written once, mostly never read, and dropped soon, so speed counts more than size: one of zstd's fast
/// levels.
const BODY_COMPRESSION: i32 = -3;
/// Texts kept of what a run lacks: far more than anybody reads, and no more where each page has its own.
const FLAW_TEXTS: u32 = 100;
/// Large enough for a compressed page of rows to need few pages of the file.
const PAGE_BYTES: u32 = 8192;

/// The open database.
pub(crate) struct Database {
    connection: Connection,
    path: PathBuf,
    compressor: zstd::bulk::Compressor<'static>,
    safety: Safety,
}

/// What a transaction outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safety {
    /// The end of the process, however it ends: the system has the bytes.
    Process,
    /// The end of the machine: the disk has them.
    Machine,
}

impl Safety {
    /// SQLite's name for it in WAL mode.
    fn synchronous(self) -> &'static str {
        match self {
            Self::Process => "NORMAL",
            Self::Machine => "FULL",
        }
    }
}

impl Database {
    /// Opens the file, creating it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, StateError> {
        create_private(path)?;
        let sort = |error: rusqlite::Error| StateError::from_sqlite(path, &error);
        let connection = Connection::open(path).map_err(sort)?;
        let found = check_format(&connection, path)?;
        prepare(&connection, found).map_err(sort)?;
        let compressor = compressor().map_err(|error| StateError::from_io(path, &error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            compressor,
            safety: Safety::Machine,
        })
    }

    /// Runs `work` in a transaction. When this returns it outlives the process; with [`Safety::Machine`], and if
    /// anything was written, it and all transactions before it outlive the machine.
    pub(crate) fn transact<T>(
        &mut self,
        safety: Safety,
        work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let run = || {
            if self.safety != safety {
                self.connection
                    .pragma_update(None, "synchronous", safety.synchronous())?;
                self.safety = safety;
            }
            let transaction = self.connection.transaction()?;
            let mut writing = Writing {
                transaction,
                compressor: &mut self.compressor,
            };
            let result = work(&mut writing)?;
            writing.transaction.commit()?;
            Ok(result)
        };
        run().map_err(|error| StateError::from_sqlite(&self.path, &error))
    }

    /// Gives the room of what is gone back to the disk.
    pub(crate) fn compact(&self) -> rusqlite::Result<()> {
        self.connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
    }

    /// Makes all transactions so far outlive the machine.
    pub(crate) fn sync(&self) -> Result<(), StateError> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        let synced = fs_err::File::open(&log).and_then(|file| file.sync_data());
        synced.map_err(|error| StateError::from_io(&log, &error))
    }
}

/// With a checksum: SQLite has none for its pages, and a body that has changed on the disk may still be good JSON.
fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(BODY_COMPRESSION)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

/// The format of the file, 0 for a new one; an error where it is another one than is known here.
pub(super) fn check_format(connection: &Connection, path: &Path) -> Result<i64, StateError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| StateError::from_sqlite(path, &error))?;
    let path = || path.to_owned();
    match found {
        0 | FORMAT => Ok(found),
        ..FORMAT => Err(StateError::Older {
            path: path(),
            found,
            needed: FORMAT,
        }),
        _ => Err(StateError::Newer {
            path: path(),
            found,
            known: FORMAT,
        }),
    }
}

/// Bodies may hold what only their owner may see, so the file is readable by nobody else.
fn create_private(path: &Path) -> Result<(), StateError> {
    let sort = |error: std::io::Error| StateError::from_io(path, &error);
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder).map_err(sort)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(sort)
}

fn prepare(connection: &Connection, found: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", Safety::Machine.synchronous())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    if found == 0 {
        connection.execute_batch(&format!(
            "BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;",
            include_str!("schema.sql")
        ))?;
    }
    Ok(())
}

/// What `read_task` reads.
const SELECT_TASKS: &str = "SELECT id, connection, depth, parent, address, position, before, size, expected, pages, landmark, stale, empty, \
     instance, restart, total, root, number, value FROM task \
     LEFT JOIN member ON member.run = task.run AND member.number = task.member";

/// What can be written and read within a transaction.
pub(crate) struct Writing<'database> {
    transaction: Transaction<'database>,
    compressor: &'database mut zstd::bulk::Compressor<'static>,
}

impl Writing<'_> {
    pub(super) fn prepare(&self, statement: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.transaction.prepare_cached(statement)
    }

    pub(super) fn execute(&self, statement: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.prepare(statement)?.execute(values).map(drop)
    }

    pub(super) fn rows<T>(
        &self,
        query: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.prepare(query)?.query_map(values, read)?.collect()
    }

    pub(super) fn compressed(&mut self, bytes: &[u8]) -> rusqlite::Result<Vec<u8>> {
        let compressed = self.compressor.compress(bytes);
        compressed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }

    pub(crate) fn store_response(
        &mut self,
        run: RunKey,
        response: &StoredResponse,
        received_at: u64,
    ) -> rusqlite::Result<()> {
        let compressed = self.compressed(&response.body)?;
        self.execute(
            "INSERT INTO response (run, sequence, slots, skips, received_at, body) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                run.0,
                response.sequence,
                json(&response.slots)?,
                json(&response.skips)?,
                received_at,
                compressed
            ],
        )
    }

    /// The first stored response after `after`.
    pub(crate) fn response_after(&self, run: RunKey, after: Sequence) -> rusqlite::Result<Option<StoredResponse>> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT sequence, slots, skips, body FROM response WHERE run = ? AND sequence > ? \
             ORDER BY sequence LIMIT 1",
        )?;
        let read = |row: &Row<'_>| {
            let compressed = row.get_ref(3)?.as_blob()?;
            let body = zstd::decode_all(compressed);
            let body = body.map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Blob, error.into())
            })?;
            Ok(StoredResponse {
                sequence: row.get(0)?,
                slots: parsed(row, 1)?,
                skips: parsed(row, 2)?,
                body: Bytes::from(body),
            })
        };
        statement.query_row(params![run.0, after], read).optional()
    }

    /// Adds a task; `is_waiting` tells that the engine does not hold it in its memory.
    pub(crate) fn add_task(&self, run: RunKey, task: &Task, is_waiting: bool) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO task (run, id, connection, root, member, depth, parent, address, position, before, size, \
             expected, pages, landmark, stale, empty, instance, restart, total, is_waiting) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                run.0,
                task.id,
                task.connection,
                task.root,
                task.member.as_ref().map(|member| member.number),
                task.depth,
                task.parent,
                json(&task.address)?,
                task.position.as_ref().map(json).transpose()?,
                task.before,
                task.size,
                task.expected,
                task.trail.pages,
                task.trail.landmark,
                task.trail.stale,
                task.trail.empty,
                task.instance,
                task.restart.as_ref().map(json).transpose()?,
                task.total,
                is_waiting
            ],
        )
    }

    /// Takes up to `most` waiting tasks into the memory of the engine, the deepest first.
    pub(crate) fn fetch_tasks(&self, run: RunKey, most: usize) -> rusqlite::Result<Vec<Task>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let tasks = self.rows(
            &format!("{SELECT_TASKS} WHERE task.run = ? AND is_waiting ORDER BY depth DESC, id LIMIT ?"),
            params![run.0, most],
            read_task,
        )?;
        tasks.iter().try_for_each(|task| self.mark_task(run, task.id, false))?;
        Ok(tasks)
    }

    /// Takes one waiting task into the memory of the engine.
    pub(super) fn hold_task(&self, run: RunKey, id: u64) -> rusqlite::Result<Option<Task>> {
        let tasks = self.rows(
            &format!("{SELECT_TASKS} WHERE task.run = ? AND is_waiting AND id = ?"),
            params![run.0, id],
            read_task,
        )?;
        self.mark_task(run, id, false)?;
        Ok(tasks.into_iter().next())
    }

    /// Whether a task is not in the memory of the engine.
    pub(super) fn mark_task(&self, run: RunKey, id: u64, is_waiting: bool) -> rusqlite::Result<()> {
        self.execute(
            "UPDATE task SET is_waiting = ? WHERE run = ? AND id = ?",
            params![is_waiting, run.0, id],
        )
    }

    /// No task is in the memory of the engine any more.
    pub(crate) fn release_tasks(&self, run: RunKey) -> rusqlite::Result<()> {
        self.execute(
            "UPDATE task SET is_waiting = 1 WHERE run = ? AND NOT is_waiting",
            params![run.0],
        )
    }

    pub(crate) fn remove_task(&self, run: RunKey, id: u64) -> rusqlite::Result<()> {
        self.execute("DELETE FROM task WHERE run = ? AND id = ?", params![run.0, id])
    }

    pub(crate) fn add_tally(&self, run: RunKey, connection: usize, tally: &Tally) -> rusqlite::Result<()> {
        let Tally {
            opened,
            rows,
            repeated,
            ends,
        } = tally;
        self.execute(
            "INSERT INTO tally (run, connection, opened, rows, repeated, said, total, empty, absent, suspect, lost) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET opened = opened + excluded.opened, \
             rows = rows + excluded.rows, repeated = repeated + excluded.repeated, said = said + excluded.said, total = total + excluded.total, \
             empty = empty + excluded.empty, absent = absent + excluded.absent, \
             suspect = suspect + excluded.suspect, lost = lost + excluded.lost",
            params![
                run.0,
                connection,
                opened,
                rows,
                repeated,
                ends.said,
                ends.total,
                ends.empty,
                ends.absent,
                ends.suspect,
                ends.lost
            ],
        )
    }

    /// What earlier runs of a query file showed, by the paths of its connections.
    pub(crate) fn learnt(&self, query: &str) -> rusqlite::Result<Vec<(String, String)>> {
        self.rows(
            "SELECT connection, fan_out FROM learnt WHERE query = ?",
            params![query],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    pub(crate) fn store_learnt(&self, query: &str, learnt: &[(String, String)], now: u64) -> rusqlite::Result<()> {
        learnt.iter().try_for_each(|(connection, fan_out)| {
            self.execute(
                "INSERT OR REPLACE INTO learnt (query, connection, fan_out, learnt_at) VALUES (?, ?, ?, ?)",
                params![query, connection, fan_out, now],
            )
        })
    }

    /// Forgets what earlier runs of a query file showed.
    pub(crate) fn forget(&self, query: &str) -> rusqlite::Result<()> {
        self.execute("DELETE FROM learnt WHERE query = ?", params![query])
    }

    /// Adds to a flaw, or, where a run has many others already, to those that are counted without their texts: an API
    /// may have other words for each page.
    pub(crate) fn add_flaw(&self, run: RunKey, text: &str, occurrences: u64) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO flaw (run, text, occurrences) SELECT ?1, CASE \
             WHEN EXISTS (SELECT 1 FROM flaw WHERE run = ?1 AND text = ?2) THEN ?2 \
             WHEN (SELECT count(*) FROM flaw WHERE run = ?1 AND text <> '') < ?4 THEN ?2 ELSE '' END, ?3 WHERE true \
             ON CONFLICT DO UPDATE SET occurrences = occurrences + excluded.occurrences",
            params![run.0, text, occurrences, FLAW_TEXTS],
        )
    }

    pub(crate) fn add_effort(&self, run: RunKey, effort: &Effort, responses: u64, rows: u64) -> rusqlite::Result<()> {
        self.execute(
            "UPDATE run SET requests = requests + ?, retries = retries + ?, throttles = throttles + ?, \
             bytes = bytes + ?, elapsed = elapsed + ?, responses = responses + ?, rows = rows + ? WHERE id = ?",
            params![
                effort.requests,
                effort.retries,
                effort.throttles,
                effort.bytes,
                u64::try_from(effort.elapsed.as_millis()).unwrap_or(u64::MAX),
                responses,
                rows,
                run.0
            ],
        )
    }

    /// Records parts that hold all rows of the responses up to `through`, and drops those bodies.
    pub(crate) fn record_parts(&self, run: RunKey, through: Sequence, parts: &[RecordedPart]) -> rusqlite::Result<()> {
        for part in parts {
            self.execute(
                "INSERT INTO part (run, table_name, file, rows, bytes, sha256) VALUES (?, ?, ?, ?, ?, ?)",
                params![run.0, part.table, part.file, part.rows, part.bytes, part.sha256],
            )?;
        }
        self.execute("UPDATE run SET through = ? WHERE id = ?", params![through, run.0])?;
        self.execute(
            "DELETE FROM response WHERE run = ? AND sequence <= ?",
            params![run.0, through],
        )
    }

    /// Begins a run, without any task.
    pub(crate) fn begin_run(&self, run: NewRun<'_>) -> rusqlite::Result<RunKey> {
        self.execute(
            "INSERT INTO run (query, name, fingerprint, format, stage, started_at) VALUES (?, ?, ?, ?, 'open', ?)",
            params![run.query, run.name, run.fingerprint, run.format, run.started_at],
        )?;
        Ok(RunKey(self.transaction.last_insert_rowid()))
    }

    /// Only where every task is done and every response is in parts; else comes back how many of both are not.
    pub(crate) fn begin_publishing(&self, run: RunKey) -> rusqlite::Result<(u64, u64)> {
        let count = |table: &str| {
            self.prepare(&format!("SELECT count(*) FROM {table} WHERE run = ?"))?
                .query_row(params![run.0], |row| row.get(0))
        };
        let open = (count("task")?, count("response")?);
        if open == (0, 0) {
            self.execute("UPDATE run SET stage = 'publishing' WHERE id = ?", params![run.0])?;
        }
        Ok(open)
    }

    /// Keeps the run's figures and forgets everything else of it.
    pub(crate) fn finish_run(&self, run: RunKey) -> rusqlite::Result<()> {
        self.execute("UPDATE run SET stage = 'published' WHERE id = ?", params![run.0])?;
        for table in ["task", "response", "piece", "seen", "tally", "part", "flaw", "member"] {
            self.execute(&format!("DELETE FROM {table} WHERE run = ?"), params![run.0])?;
        }
        Ok(())
    }

    pub(crate) fn drop_run(&self, run: RunKey) -> rusqlite::Result<()> {
        self.execute("DELETE FROM run WHERE id = ?", params![run.0])
    }

    pub(crate) fn last_published(&self, query: &str) -> rusqlite::Result<Option<KnownExport>> {
        let found = self.rows(
            "SELECT name, fingerprint, format FROM run WHERE query = ? AND stage = 'published' ORDER BY id DESC LIMIT 1",
            params![query],
            |row| {
                Ok(KnownExport {
                    name: row.get(0)?,
                    fingerprint: row.get(1)?,
                    format: row.get(2)?,
                })
            },
        )?;
        Ok(found.into_iter().next())
    }

    pub(crate) fn unfinished_run(&self, query: &str) -> rusqlite::Result<Option<UnfinishedRun>> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, name, fingerprint, format, stage, started_at, through, responses, rows, requests, retries, \
             throttles, bytes, elapsed FROM run WHERE query = ? AND stage <> 'published'",
        )?;
        let Some(mut run) = statement.query_row(params![query], read_run).optional()? else {
            return Ok(None);
        };
        let key = params![run.key.0];
        let last_task = self.rows("SELECT coalesce(max(id), 0) FROM task WHERE run = ?", key, |row| {
            row.get(0)
        })?;
        run.last_task = last_task.into_iter().max().unwrap_or(0);
        run.tallies = self.rows(
            "SELECT connection, opened, rows, repeated, said, total, empty, absent, suspect, lost FROM tally \
             WHERE run = ?",
            key,
            |row| Ok((row.get(0)?, read_tally(row)?)),
        )?;
        run.parts = self.rows(
            "SELECT table_name, file, rows, bytes, sha256 FROM part WHERE run = ? ORDER BY table_name, file",
            key,
            |row| {
                Ok(RecordedPart {
                    table: row.get(0)?,
                    file: row.get(1)?,
                    rows: row.get(2)?,
                    bytes: row.get(3)?,
                    sha256: row.get(4)?,
                })
            },
        )?;
        run.flaws = self.rows(
            "SELECT text, occurrences FROM flaw WHERE run = ? AND text <> '' ORDER BY text",
            key,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let others: Vec<u64> = self.rows("SELECT occurrences FROM flaw WHERE run = ? AND text = ''", key, |row| {
            row.get(0)
        })?;
        run.other_flaws = others.into_iter().sum();
        run.members = self.member_counts(run.key)?;
        Ok(Some(run))
    }

    pub(crate) fn stored_schema(&self, endpoint: &str) -> rusqlite::Result<Option<StoredSchema>> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT definition, fetched_at FROM api_schema WHERE endpoint = ?")?;
        let read = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?));
        let Some((compressed, fetched_at)) = statement.query_row(params![endpoint], read).optional()? else {
            return Ok(None);
        };
        // A schema that cannot be read any more is asked for again.
        let definition = zstd::decode_all(compressed.as_slice())
            .ok()
            .and_then(|text| String::from_utf8(text).ok());
        Ok(definition.map(|definition| StoredSchema { definition, fetched_at }))
    }

    pub(crate) fn store_schema(&mut self, endpoint: &str, schema: &StoredSchema) -> rusqlite::Result<()> {
        let compressed = self.compressed(schema.definition.as_bytes())?;
        self.execute(
            "INSERT OR REPLACE INTO api_schema (endpoint, fetched_at, definition) VALUES (?, ?, ?)",
            params![endpoint, schema.fetched_at, compressed],
        )
    }
}

fn read_tally(row: &Row<'_>) -> rusqlite::Result<Tally> {
    Ok(Tally {
        opened: row.get(1)?,
        rows: row.get(2)?,
        repeated: row.get(3)?,
        ends: Ends {
            said: row.get(4)?,
            total: row.get(5)?,
            empty: row.get(6)?,
            absent: row.get(7)?,
            suspect: row.get(8)?,
            lost: row.get(9)?,
        },
    })
}

fn read_task(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: row.get(0)?,
        connection: row.get(1)?,
        depth: row.get(2)?,
        parent: row.get(3)?,
        address: parsed(row, 4)?,
        position: parsed_if_any(row, 5)?,
        before: row.get(6)?,
        size: row.get(7)?,
        expected: row.get(8)?,
        trail: Trail {
            pages: row.get(9)?,
            landmark: row.get(10)?,
            stale: row.get(11)?,
            empty: row.get(12)?,
        },
        instance: row.get(13)?,
        restart: parsed_if_any(row, 14)?,
        total: row.get(15)?,
        root: row.get(16)?,
        member: match row.get(17)? {
            Some(number) => Some(Member {
                number,
                value: parsed(row, 18)?,
            }),
            None => None,
        },
    })
}

/// A value as JSON text.
pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A value from its JSON text.
pub(super) fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into()))
}

/// The same, where there may be none.
fn parsed_if_any<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, column).map(Some),
    }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<UnfinishedRun> {
    let stage: String = row.get(4)?;
    Ok(UnfinishedRun {
        key: RunKey(row.get(0)?),
        name: row.get(1)?,
        fingerprint: row.get(2)?,
        format: row.get(3)?,
        stage: if stage == "open" {
            Stage::Open
        } else {
            Stage::Publishing
        },
        started_at: row.get(5)?,
        through: row.get(6)?,
        last_sequence: row.get(7)?,
        rows: row.get(8)?,
        effort: Effort {
            requests: row.get(9)?,
            retries: row.get(10)?,
            throttles: row.get(11)?,
            bytes: row.get(12)?,
            elapsed: Duration::from_millis(row.get(13)?),
        },
        last_task: 0,
        tallies: Vec::new(),
        parts: Vec::new(),
        flaws: Vec::new(),
        other_flaws: 0,
        members: MemberCounts::default(),
    })
}
