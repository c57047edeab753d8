//! A look into a state without a hand in it: whoever works with it is not disturbed, and nothing is written.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use crate::state::StateError;
use crate::state::database::check_format;
use crate::state::records::{KnownRun, LearntText, OpenRun};
use crate::state::store::FILE;

/// A state that is only read.
pub struct StateView {
    connection: Connection,
    path: std::path::PathBuf,
}

impl StateView {
    /// The state in `folder`; `None` where there is none.
    pub fn open(folder: &Path) -> Result<Option<Self>, StateError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let connection = connect(&path)?;
        // One that is being made holds nothing yet.
        let is_made = check_format(&connection, &path)? != 0;
        Ok(is_made.then_some(Self { connection, path }))
    }

    /// The run of a query file that is not finished, if there is one.
    pub fn open_run(&self, query: &str) -> Result<Option<OpenRun>, StateError> {
        let read = |row: &Row<'_>| {
            Ok(OpenRun {
                run: read_run(row)?,
                is_publishing: row.get(5)?,
                open_tasks: row.get(6)?,
            })
        };
        self.first(
            "SELECT name, started_at, responses, rows, requests, stage = 'publishing', \
             (SELECT count(*) FROM task WHERE task.run = run.id) \
             FROM run WHERE query = ? AND stage <> 'published'",
            query,
            read,
        )
    }

    /// The run of a query file that was published last, if there is one.
    pub fn last_published(&self, query: &str) -> Result<Option<KnownRun>, StateError> {
        self.first(
            "SELECT name, started_at, responses, rows, requests FROM run WHERE query = ? AND stage = 'published' \
             ORDER BY id DESC LIMIT 1",
            query,
            read_run,
        )
    }

    /// What earlier runs of a query file showed.
    pub fn learnt(&self, query: &str) -> Result<Vec<LearntText>, StateError> {
        let read = |row: &Row<'_>| {
            Ok(LearntText {
                name: row.get(0)?,
                text: row.get(1)?,
                learnt_at: row.get(2)?,
            })
        };
        let rows = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT connection, fan_out, learnt_at FROM learnt WHERE query = ?")?;
            statement
                .query_map(params![query], read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        rows().map_err(|error| StateError::from_sqlite(&self.path, &error))
    }

    fn first<T>(
        &self,
        statement: &str,
        query: &str,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StateError> {
        let found = self.connection.query_row(statement, params![query], read).optional();
        found.map_err(|error| StateError::from_sqlite(&self.path, &error))
    }
}

/// A file without a log beside it is nobody's at the moment, and holds all: read as it is, no log is made for it.
fn connect(path: &Path) -> Result<Connection, StateError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let address = std::path::absolute(path)
        .ok()
        .and_then(|path| url::Url::from_file_path(path).ok());
    let connection = match address {
        Some(mut address) if !Path::new(&log).exists() => {
            address.set_query(Some("immutable=1"));
            flags |= OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(address.as_str(), flags)
        }
        _ => Connection::open_with_flags(path, flags),
    };
    let patient =
        connection.and_then(|connection| connection.busy_timeout(Duration::from_secs(5)).map(|()| connection));
    patient.map_err(|error| StateError::from_sqlite(path, &error))
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<KnownRun> {
    Ok(KnownRun {
        name: row.get(0)?,
        started_at: row.get(1)?,
        responses: row.get(2)?,
        rows: row.get(3)?,
        requests: row.get(4)?,
    })
}
