//! What the rows of connections that go on are told by when they come again.
//!
//! The keys of one response and connection stand in one value, unsorted: adding them costs next to nothing, and looking
//! for some reads all of their connection, which only happens where a row most likely did come before.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use crate::state::StateError;
use crate::state::database::Writing;
use crate::state::records::{ROW_KEY_BYTES, RowKey, RunKey};
use crate::state::store::StateStore;

impl StateStore {
    /// Which of some rows, by the instance of their connection, came before.
    pub(crate) async fn seen(
        &self,
        run: RunKey,
        rows: BTreeMap<u64, BTreeSet<RowKey>>,
    ) -> Result<BTreeSet<(u64, RowKey)>, StateError> {
        self.transact(move |writing| {
            let mut found = BTreeSet::new();
            for (instance, wanted) in &rows {
                writing.each_seen(run, *instance, |key| {
                    if wanted.contains(key) {
                        found.insert((*instance, *key));
                    }
                })?;
            }
            Ok(found)
        })
        .await
    }

    /// Makes something of all rows that came, each with the instance of its connection.
    pub(crate) async fn fold_seen<T: Send + 'static>(
        &self,
        run: RunKey,
        mut start: T,
        note: impl Fn(&mut T, u64, &RowKey) + Send + 'static,
    ) -> Result<T, StateError> {
        self.transact(move |writing| {
            for instance in writing.seen_instances(run)? {
                writing.each_seen(run, instance, |key| note(&mut start, instance, key))?;
            }
            Ok(start)
        })
        .await
    }
}

impl Writing<'_> {
    pub(super) fn add_seen(&self, run: RunKey, instance: u64, keys: &[RowKey]) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO seen (run, instance, row_keys) VALUES (?, ?, ?)",
            params![run.0, instance, keys.as_flattened()],
        )
    }

    fn seen_instances(&self, run: RunKey) -> rusqlite::Result<Vec<u64>> {
        self.rows(
            "SELECT DISTINCT instance FROM seen WHERE run = ?",
            params![run.0],
            |row| row.get(0),
        )
    }

    fn each_seen(&self, run: RunKey, instance: u64, mut note: impl FnMut(&RowKey)) -> rusqlite::Result<()> {
        let mut statement = self.prepare("SELECT row_keys FROM seen WHERE run = ? AND instance = ?")?;
        let mut rows = statement.query(params![run.0, instance])?;
        while let Some(row) = rows.next()? {
            let (keys, _) = row.get_ref(0)?.as_blob()?.as_chunks::<ROW_KEY_BYTES>();
            keys.iter().for_each(&mut note);
        }
        Ok(())
    }
}
