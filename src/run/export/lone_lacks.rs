//! Rows that lack something of what they were asked for by themselves: each is named with its key.

use crate::api::ApiError;
use crate::plan::{Piece, Plan, Target};
use crate::run::export::joining::Response;
use crate::run::export::lone::LoneRequest;
use crate::run::export::{Export, ExportError};
use crate::run::turning::PagingError;

/// Rows that lose something one after the other until the export ends: that concerns the query, or the API as it is now.
const LOST_IN_A_ROW: u64 = 100;
/// Rows of a response that are named; the others are counted.
const NAMED: usize = 10;

/// What one row cannot have, however little it is asked for.
pub(super) struct LoneLost {
    row: usize,
    id: String,
    piece: Piece,
    reason: String,
}

/// What a row lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LoneLack {
    pub(super) table: usize,
    pub(super) id: String,
    /// The places of the values, with dots.
    pub(super) values: Vec<String>,
    pub(super) reason: String,
}

/// What came of the rows of a response that were asked by themselves.
#[derive(Debug, Default)]
pub(super) struct LoneReport {
    pub(super) lacks: Vec<LoneLack>,
    /// Requests that were answered.
    pub(super) answers: usize,
    /// Rows that lost something without any answer.
    pub(super) lost: usize,
}

impl LoneLost {
    /// What the one row of a request loses with it.
    pub(super) fn new(request: LoneRequest, error: &ApiError) -> Self {
        let id = request.places.into_iter().next().map(|place| place.id);
        Self {
            row: request.row,
            id: id.unwrap_or_default(),
            piece: request.piece,
            reason: error.to_string(),
        }
    }

    /// The row, by its table and its `_id`.
    pub(super) fn place(&self) -> (usize, String) {
        (self.row, self.id.clone())
    }

    /// What the row lacks without it.
    pub(super) fn lack(&self, plan: &Plan) -> LoneLack {
        LoneLack {
            table: self.row,
            id: self.id.clone(),
            values: plan.values_of(self.piece, Target::Row { row: self.row }),
            reason: self.reason.clone(),
        }
    }
}

impl LoneReport {
    /// Forgets of values that are named for all rows at once.
    pub(super) fn leave_to_others(&mut self, is_named: impl Fn(&str) -> bool) {
        self.lacks
            .retain(|lack| !lack.values.iter().all(|value| is_named(value)));
    }

    /// What is to be said of the rows, each with how often.
    pub(super) fn flaws(&self, plan: &Plan) -> Vec<(String, u64)> {
        let named = |table: usize| {
            let connection = plan.connections.iter().find(|connection| connection.table == table);
            connection.map_or(plan.tables[table].name.as_str(), |connection| connection.path.as_str())
        };
        let text = |lack: &LoneLack| {
            let values: Vec<String> = lack.values.iter().map(|value| format!("`{value}`")).collect();
            let (path, id, values) = (named(lack.table), &lack.id, values.join(", "));
            format!("`{path}`: the row `{id}` lacks {values}: {}", lack.reason)
        };
        let mut flaws: Vec<(String, u64)> = self.lacks.iter().take(NAMED).map(|lack| (text(lack), 1)).collect();
        for lack in self.lacks.iter().skip(NAMED) {
            let path = named(lack.table);
            flaws.push((
                format!("`{path}`: more rows lack what they are asked for by themselves"),
                1,
            ));
        }
        flaws
    }
}

impl Export<'_> {
    /// Ends the export where row after row has no answer.
    pub(super) fn bear_with_lone(&mut self, response: &Response) -> Result<(), ExportError> {
        let lone = &response.lone;
        match (lone.answers, lone.lost) {
            (0, lost) => self.lookups_lost += lost as u64,
            _ => self.lookups_lost = 0,
        }
        match lone.lacks.first().filter(|_| self.lookups_lost > LOST_IN_A_ROW) {
            Some(lack) => {
                let cause = lack.reason.clone();
                Err(PagingError::NoAnswer { cause }.into())
            }
            None => Ok(()),
        }
    }
}
