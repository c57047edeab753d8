//! Denials that name no field: which values they are for is found by asking for fewer of the columns at a time.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use serde::de::IgnoredAny;

use crate::api::{ApiError, Effort as Spent, Refusal};
use crate::plan::Piece;
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
        let places = match self.denied_values(sent, piece, spent).await {
            Ok(places) => places,
            Err(other) => return other,
        };
        let Some(first) = places.first() else {
            // It is for the rows themselves, or for all that is asked for, and others will be so.
            self.denials_are_of_rows.store(true, Ordering::Relaxed);
            return setback;
        };
        let error = match self.workplace.stop_if_told(first, &cause) {
            Err(error) => error,
            Ok(()) => {
                let denials = places.into_iter().map(|path| Denial::everywhere(path, &cause));
                ExportError::LeaveOut(denials.collect())
            }
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

    /// The places of the values without which a piece is answered; none where its rows' keys alone are refused, too.
    async fn denied_values(&self, sent: &Sent, piece: Piece, spent: &mut Spent) -> Result<Vec<String>, Setback> {
        let Some(target) = sent.asked.first().map(AskedTask::target) else {
            return Ok(Vec::new());
        };
        if self.is_denied(sent, Piece::KeysOnly, spent).await? {
            return Ok(Vec::new());
        }
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
        let seed = PhantomData::<IgnoredAny>;
        match self.ask_for(sent, piece, &request, seed, spent).await {
            Ok(_) => Ok(false),
            Err(Setback {
                error: ExportError::Api(ApiError::Denied { .. }),
                ..
            }) => Ok(true),
            Err(other) => Err(other),
        }
    }
}
