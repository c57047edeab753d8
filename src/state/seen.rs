//! What the rows of connections that go on are told by when they come again.
//!
//! The keys that are written at once stand in a few values, unsorted, each with those of one bucket of its connection:
//! adding them costs next to nothing, and looking for one reads the bucket, which only happens where a row most likely
//! did come before.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, params};

use crate::state::StateError;
use crate::state::database::Writing;
use crate::state::records::{ROW_KEY_BYTES, RowKey, RunKey};
use crate::state::store::StateStore;

/// Buckets of a connection: so many that a look-up among millions of rows takes a millisecond or two, and so few that
/// what a commit adds stays in few values.
const BUCKETS: u8 = 64;

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
                let buckets: BTreeSet<u8> = wanted.iter().map(bucket).collect();
                for bucket in buckets {
                    writing.each_in_bucket(run, *instance, bucket, |key| {
                        if wanted.contains(key) {
                            found.insert((*instance, *key));
                        }
                    })?;
                }
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
            writing.each_seen(run, |instance, key| note(&mut start, instance, key))?;
            Ok(start)
        })
        .await
    }
}

impl Writing<'_> {
    pub(super) fn add_seen(&self, run: RunKey, instance: u64, keys: &[RowKey]) -> rusqlite::Result<()> {
        let mut buckets: BTreeMap<u8, Vec<RowKey>> = BTreeMap::new();
        for key in keys {
            buckets.entry(bucket(key)).or_default().push(*key);
        }
        buckets.iter().try_for_each(|(bucket, keys)| {
            self.execute(
                "INSERT INTO seen (run, instance, bucket, row_keys) VALUES (?, ?, ?, ?)",
                params![run.0, instance, bucket, keys.as_flattened()],
            )
        })
    }

    fn each_in_bucket(
        &self,
        run: RunKey,
        instance: u64,
        bucket: u8,
        mut note: impl FnMut(&RowKey),
    ) -> rusqlite::Result<()> {
        let mut statement = self.prepare("SELECT row_keys FROM seen WHERE run = ? AND instance = ? AND bucket = ?")?;
        let mut rows = statement.query(params![run.0, instance, bucket])?;
        while let Some(row) = rows.next()? {
            row_keys(row, 0)?.iter().for_each(&mut note);
        }
        Ok(())
    }

    fn each_seen(&self, run: RunKey, mut note: impl FnMut(u64, &RowKey)) -> rusqlite::Result<()> {
        let mut statement = self.prepare("SELECT instance, row_keys FROM seen WHERE run = ?")?;
        let mut rows = statement.query(params![run.0])?;
        while let Some(row) = rows.next()? {
            let instance = row.get(0)?;
            row_keys(row, 1)?.iter().for_each(|key| note(instance, key));
        }
        Ok(())
    }
}

fn bucket(key: &RowKey) -> u8 {
    key[0] % BUCKETS
}

fn row_keys<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row [RowKey]> {
    let (keys, _) = row.get_ref(column)?.as_blob()?.as_chunks::<ROW_KEY_BYTES>();
    Ok(keys)
}
