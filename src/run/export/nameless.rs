//! Denials that name no field: which values they are for is found by asking for fewer of the columns at a time, or, where
//! it is not for columns, for fewer of the lists in rows.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use serde::de::IgnoredAny;

use crate::api::{ApiError, Effort as Spent, GraphqlRequest, Refusal};
use crate::plan::{Piece, Target, stands_in};
use crate::run::denied::{Denial, denials_in_words};
use crate::run::export::ExportError;
use crate::run::export::asking::Asker;
use crate::run::export::sending::{Blame, Sent, Setback};
use crate::run::intake::AskedTask;

impl Asker<'_> {
    /// What comes of a piece that was refused: where that was for a denial that names no field, the values without which
    /// it is answered are to be left out; else the same setback.
    pub(super) async fn name_denied(&self, sent: &Sent, piece: Piece, setback: Setback, spent: &mut Spent) -> Setback {
        let Some(refusal) = self.nameless(sent, &setback) else {
            return setback;
        };
        let cause = refusal.message.clone();
        let denials = match self.denied_places(sent, piece, &cause, spent).await {
            Ok(denials) => denials,
            Err(other) => return other,
        };
        let Some(first) = denials.first() else {
            // It is for the rows themselves, or for all that is asked for, and others will be so.
            self.denials_are_of_rows.store(true, Ordering::Relaxed);
            return setback;
        };
        let error = match self.workplace.stop_if_told(&first.path, &cause) {
            Err(error) => error,
            Ok(()) => ExportError::LeaveOut(denials),
        };
        Setback {
            error,
            blame: Blame::Tasks,
        }
    }

    /// What the API said, where it denies something of one task and nothing tells which field that is.
    fn nameless<'setback>(&self, sent: &Sent, setback: &'setback Setback) -> Option<&'setback Refusal> {
        let ExportError::Api(ApiError::Denied {
            refusal,
            paths,
            unplaced,
            ..
        }) = &setback.error
        else {
            return None;
        };
        let is_meant = sent.asked.len() == 1
            && paths.is_empty()
            && denials_in_words(&self.plan, unplaced).is_empty()
            && !self.denials_are_of_rows.load(Ordering::Relaxed);
        is_meant.then_some(refusal)
    }

    /// What a piece is answered without; nothing where the keys of no rows are answered.
    async fn denied_places(
        &self,
        sent: &Sent,
        piece: Piece,
        cause: &str,
        spent: &mut Spent,
    ) -> Result<Vec<Denial>, Setback> {
        let Some(target) = sent.asked.first().map(AskedTask::target) else {
            return Ok(Vec::new());
        };
        if self.is_denied(sent, Piece::KeysOnly, spent).await? {
            return self.denied_rows(sent, target, cause, spent).await;
        }
        let places = self.denied_values(sent, piece, target, spent).await?;
        let denial = |path| Denial::everywhere(path, cause);
        Ok(places.into_iter().map(denial).collect())
    }

    /// The lists of rows that are refused with nothing but their keys, of a request that is; none where all are.
    async fn denied_rows(
        &self,
        sent: &Sent,
        target: Target,
        cause: &str,
        spent: &mut Spent,
    ) -> Result<Vec<Denial>, Setback> {
        let rows = self.plan.rows_with(target);
        let mut denials: Vec<Denial> = Vec::new();
        for (index, (row, path)) in rows.iter().enumerate().filter(|_| rows.len() > 1) {
            if denials.iter().any(|denial| denial.holds(path)) {
                continue;
            }
            let keys = Piece::KeysTo { row: *row };
            // Where all others are answered, it is this one.
            let is_left_over = denials.is_empty() && index + 1 == rows.len();
            if !is_left_over && !self.is_denied(sent, keys, spent).await? {
                continue;
            }
            let is_in_others = rows.iter().any(|(_, other)| other != path && stands_in(path, other));
            denials.push(Denial {
                is_in_rows: is_in_others && !self.is_denied_in_first(sent, keys, spent).await?,
                ..Denial::everywhere(path.clone(), cause)
            });
        }
        let is_denied = |path: &str| denials.iter().any(|denial| denial.holds(path));
        if rows.iter().all(|(_, path)| is_denied(path)) {
            denials.clear();
        }
        Ok(denials)
    }

    /// The places of the values without which a piece is answered.
    async fn denied_values(
        &self,
        sent: &Sent,
        piece: Piece,
        target: Target,
        spent: &mut Spent,
    ) -> Result<Vec<String>, Setback> {
        let mut places = Vec::new();
        let mut open = self.plan.finer(piece, target);
        while let Some(piece) = open.pop() {
            if piece == Piece::KeysOnly || !self.is_denied(sent, piece, spent).await? {
                continue;
            }
            let mut finer = self.plan.finer(piece, target);
            finer.retain(|piece| *piece != Piece::KeysOnly);
            match finer.is_empty() {
                true => places.extend(self.plan.values_of(piece, target)),
                false => open.extend(finer),
            }
        }
        Ok(self.plan.gathered(places))
    }

    async fn is_denied(&self, sent: &Sent, piece: Piece, spent: &mut Spent) -> Result<bool, Setback> {
        let request = self.request(sent, piece);
        self.is_request_denied(sent, piece, &request, spent).await
    }

    /// The same of the first row of each page alone.
    async fn is_denied_in_first(&self, sent: &Sent, piece: Piece, spent: &mut Spent) -> Result<bool, Setback> {
        let request = self.written(sent.text_of_single_rows(&self.plan, piece));
        self.is_request_denied(sent, piece, &request, spent).await
    }

    async fn is_request_denied(
        &self,
        sent: &Sent,
        piece: Piece,
        request: &GraphqlRequest,
        spent: &mut Spent,
    ) -> Result<bool, Setback> {
        let seed = PhantomData::<IgnoredAny>;
        match self.ask_for(sent, piece, request, seed, spent).await {
            Ok(_) => Ok(false),
            Err(Setback {
                error: ExportError::Api(ApiError::Denied { .. }),
                ..
            }) => Ok(true),
            Err(other) => Err(other),
        }
    }
}
