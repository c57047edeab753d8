//! The statements on the members of a run: the values of the variable that its query is run for.

use rusqlite::params;
use serde_json::Value;

use crate::state::database::{Writing, json, parsed};
use crate::state::records::{Member, MemberCounts, MemberGain, NAMED_FAILURES, RunKey};

impl Writing<'_> {
    /// Adds a member with so many open tasks.
    pub(crate) fn add_member(&self, run: RunKey, member: &Member, open: usize) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO member (run, number, value, open) VALUES (?, ?, ?, ?)",
            params![run.0, member.number, json(&member.value)?, open],
        )
    }

    /// All members are open again, with so many tasks each, and failed no more.
    pub(crate) fn reopen_members(&self, run: RunKey, open: usize) -> rusqlite::Result<Vec<Member>> {
        self.execute(
            "UPDATE member SET open = ?, rows = 0, nulls = 0, failure = NULL, flaw = NULL WHERE run = ?",
            params![open, run.0],
        )?;
        self.rows(
            "SELECT number, value FROM member WHERE run = ? ORDER BY number",
            params![run.0],
            |row| {
                Ok(Member {
                    number: row.get(0)?,
                    value: parsed(row, 1)?,
                })
            },
        )
    }

    pub(crate) fn add_to_member(&self, run: RunKey, number: u64, gain: &MemberGain) -> rusqlite::Result<()> {
        self.execute(
            "UPDATE member SET open = open + ?, rows = rows + ?, nulls = nulls + ?, failure = coalesce(failure, ?), \
             flaw = coalesce(flaw, ?) WHERE run = ? AND number = ?",
            params![gain.open, gain.rows, gain.nulls, gain.failure, gain.flaw, run.0, number],
        )
    }

    /// How far the members of a run were read.
    pub(crate) fn member_counts(&self, run: RunKey) -> rusqlite::Result<MemberCounts> {
        let counted = self.rows(
            "SELECT count(*), count(*) FILTER (WHERE stage = 'done'), \
             count(*) FILTER (WHERE stage = 'done' AND nulls > 0 AND rows = 0), \
             count(*) FILTER (WHERE stage = 'incomplete'), count(*) FILTER (WHERE stage = 'failed') \
             FROM member WHERE run = ?",
            params![run.0],
            |row| {
                Ok(MemberCounts {
                    all: row.get(0)?,
                    done: row.get(1)?,
                    absent: row.get(2)?,
                    incomplete: row.get(3)?,
                    failed: row.get(4)?,
                    ..MemberCounts::default()
                })
            },
        )?;
        let mut counts = counted.into_iter().next().unwrap_or_default();
        counts.failures = self.named_members(run, "failed")?;
        counts.lacks = self.named_members(run, "incomplete")?;
        Ok(counts)
    }

    /// The first members at a stage, each with why it is there.
    fn named_members(&self, run: RunKey, stage: &str) -> rusqlite::Result<Vec<(Value, String)>> {
        self.rows(
            "SELECT value, coalesce(failure, flaw) FROM member WHERE run = ? AND stage = ? ORDER BY number LIMIT ?",
            params![run.0, stage, i64::try_from(NAMED_FAILURES).unwrap_or(i64::MAX)],
            |row| Ok((parsed(row, 0)?, row.get(1)?)),
        )
    }
}
