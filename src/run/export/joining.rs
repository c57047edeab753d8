//! The answers to the pieces of a request made one response.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeSeed as _, IgnoredAny};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::api::{
    Answer, ApiError, Effort as Spent, Endpoint, ErrorPath, GraphqlError, GraphqlRequest, PathSegment, Refusal,
    read_envelope,
};
use crate::plan::{Loss, Piece, Plan, Target, field_at};
use crate::run::export::asking::{Asker, Progress};
use crate::run::export::lone_lacks::{LoneLack, LoneLost, LoneReport};
use crate::run::export::sending::{Blame, Sent, Setback};
use crate::run::harvest::{Harvest, HarvestSeed};
use crate::run::join::{Differences, Joined, LonePlace, LoneRows, PieceAnswer, join};
use crate::state::KeptPiece;

/// What came of a request.
pub(super) struct Response {
    pub(super) answer: Answer<Harvest>,
    /// How finely its columns had to be cut.
    pub(super) fineness: usize,
    /// Bytes received for it.
    pub(super) bytes: u64,
    /// Whether pieces of it may be in the state.
    pub(super) was_kept: bool,
    /// What of its rows cannot be had, and why.
    pub(super) losses: Vec<(Loss, String)>,
    /// What the answers to its pieces had at odds with each other.
    pub(super) differences: Differences,
    /// The pieces whose errors tell that they lack something which others have.
    pub(super) broken: Vec<Piece>,
    /// The `_id`s of the rows of the tables that lost something, by table, in their order in the answer.
    pub(super) ids: BTreeMap<usize, Vec<Option<String>>>,
    /// What came of the rows that were asked by themselves.
    pub(super) lone: LoneReport,
}

/// The answer to one piece.
pub(super) struct Came {
    pub(super) piece: Piece,
    pub(super) answer: Answer<IgnoredAny>,
}

impl Response {
    /// What came of a request that was asked for as a whole.
    pub(super) fn of_whole(answer: Answer<Harvest>, fineness: usize, was_kept: bool) -> Self {
        Self {
            fineness,
            bytes: answer.body.len() as u64,
            answer,
            was_kept,
            losses: Vec::new(),
            differences: Differences::default(),
            broken: Vec::new(),
            ids: BTreeMap::new(),
            lone: LoneReport::default(),
        }
    }
}

/// The member of a body that is joined.
#[derive(Deserialize)]
struct Body<'body> {
    #[serde(borrow)]
    data: &'body RawValue,
}

/// Those of the pieces that may come whole the next time: what the token may not see stays so.
fn broken(came: &[&Came], indices: &BTreeSet<usize>) -> Vec<Piece> {
    let broken = indices.iter().filter_map(|index| came.get(*index));
    let broken = broken.filter(|came| came.answer.denied.is_empty());
    broken.map(|came| came.piece).collect()
}

/// The finest groups that came.
fn fineness_of(came: &[&Came]) -> Option<usize> {
    let fineness = came.iter().filter_map(|came| match came.piece {
        Piece::Group { fineness, .. } | Piece::FirstValues { fineness } => Some(fineness),
        Piece::KeysOnly | Piece::KeysTo { .. } => None,
    });
    fineness.max()
}

/// The first piece before the others.
fn in_order(came: &[Came]) -> Vec<&Came> {
    let mut came: Vec<&Came> = came.iter().collect();
    let is_first = |piece: Piece| matches!(piece, Piece::KeysOnly | Piece::Group { group: 0, .. });
    came.sort_by_key(|came| (!is_first(came.piece), came.piece));
    came
}

impl Asker<'_> {
    /// Makes one response of the pieces that came.
    pub(super) fn join(&self, sent: &Sent, progress: &Progress, spent: Spent) -> Result<Response, Setback> {
        let came = in_order(&progress.came);
        let layout = self.plan.layout(&sent.targets());
        let losses = self.losses(sent, progress);
        let named: BTreeSet<usize> = losses
            .iter()
            .flat_map(|(loss, _)| loss.tables.iter().copied())
            .collect();
        let slots = sent.slots();
        let seed = HarvestSeed {
            layout: &layout,
            slots: &slots,
            looks: &self.looks,
        };
        let read = || -> serde_json::Result<(Joined, Vec<LoneLack>, Harvest)> {
            let (joined, lacks) = self.join_pieces(sent, progress, &named)?;
            let harvest = seed.deserialize(&mut serde_json::Deserializer::from_str(&joined.data))?;
            Ok((joined, lacks, harvest))
        };
        let (joined, lacks, harvest) = read().map_err(|error| self.misshapen(&error))?;
        let mut errors: Vec<GraphqlError> = Vec::new();
        let mut denied: Vec<ErrorPath> = Vec::new();
        for came in &came {
            let slots = slot_keys(&self.plan, sent, came.piece);
            for error in &came.answer.errors {
                let path = error.path.clone().map(|path| in_whole(path, &slots));
                // What several pieces ask for goes wrong in each of them.
                if !errors
                    .iter()
                    .any(|other| other.path == path && other.message == error.message)
                {
                    errors.push(GraphqlError { path, ..error.clone() });
                }
            }
            denied.extend(came.answer.denied.iter().map(|path| in_whole(path.clone(), &slots)));
        }
        for came in &progress.lone {
            let slots = came.request.slots(&self.plan);
            for error in &came.answer.errors {
                let path = error.path.as_ref().map(|path| came.request.in_whole(&slots, path));
                errors.push(GraphqlError { path, ..error.clone() });
            }
            let paths = came.answer.denied.iter();
            denied.extend(paths.map(|path| came.request.in_whole(&slots, path)));
        }
        denied.sort();
        denied.dedup();
        let lone = || progress.lone.iter().map(|came| &came.answer);
        let answers = || came.iter().map(|came| &came.answer).chain(lone());
        Ok(Response {
            fineness: fineness_of(&came).unwrap_or(sent.fineness),
            bytes: answers().map(|answer| answer.body.len() as u64).sum(),
            answer: Answer {
                data: harvest,
                errors,
                denied,
                body: format!("{{\"data\":{}}}", joined.data).into(),
                sent_at: answers()
                    .map(|answer| answer.sent_at)
                    .min()
                    .unwrap_or_else(Instant::now),
                elapsed: answers().map(|answer| answer.elapsed).max().unwrap_or_default(),
                effort: spent,
            },
            was_kept: true,
            losses,
            differences: joined.differences,
            broken: broken(&came, &joined.broken),
            ids: joined.ids,
            lone: LoneReport {
                lacks,
                answers: progress.lone.len(),
                lost: progress.lone_lost.len(),
            },
        })
    }

    /// The rows in the pieces that came which are to be asked by themselves, by table.
    pub(super) fn lone_places(
        &self,
        sent: &Sent,
        progress: &Progress,
        tables: BTreeSet<usize>,
    ) -> Result<BTreeMap<usize, Vec<LonePlace>>, Setback> {
        let rows = LoneRows {
            tables,
            ..LoneRows::default()
        };
        let joined = self.join_came(sent, progress, &BTreeSet::new(), &rows);
        Ok(joined.map_err(|error| self.misshapen(&error))?.lone_places)
    }

    /// The pieces that came joined, with what the rows said that were asked by themselves; and what those lack.
    fn join_pieces(
        &self,
        sent: &Sent,
        progress: &Progress,
        named: &BTreeSet<usize>,
    ) -> serde_json::Result<(Joined, Vec<LoneLack>)> {
        let mut lacks: Vec<LoneLack> = progress.lone_lost.iter().map(|lost| lost.lack(&self.plan)).collect();
        let mut items: Vec<Vec<Option<Box<RawValue>>>> = Vec::new();
        for came in &progress.lone {
            let Body { data } = serde_json::from_slice(&came.answer.body)?;
            let texts = came.items(&self.plan, data)?.into_iter();
            let raws = texts.map(|text| text.map(RawValue::from_string).transpose());
            items.push(raws.collect::<serde_json::Result<_>>()?);
        }
        let mut rows = LoneRows {
            tables: self.plan.rows_apart(&sent.targets()).into_iter().collect(),
            lost: progress.lone_lost.iter().map(LoneLost::place).collect(),
            ..LoneRows::default()
        };
        for (came, items) in progress.lone.iter().zip(&items) {
            lacks.extend(came.lacks(&self.plan, items));
            came.add_to(&self.plan, &mut rows, items);
        }
        Ok((self.join_came(sent, progress, named, &rows)?, lacks))
    }

    fn join_came(
        &self,
        sent: &Sent,
        progress: &Progress,
        named: &BTreeSet<usize>,
        rows: &LoneRows<'_>,
    ) -> serde_json::Result<Joined> {
        let came = in_order(&progress.came).into_iter();
        let pieces = came.map(|came| self.piece_answer(sent, came));
        let pieces = pieces.collect::<serde_json::Result<Vec<_>>>()?;
        join(&self.plan.layout(&sent.targets()), &pieces, named, rows)
    }

    fn piece_answer<'came>(&self, sent: &Sent, came: &'came Came) -> serde_json::Result<PieceAnswer<'came>> {
        let Body { data } = serde_json::from_slice(&came.answer.body)?;
        Ok(PieceAnswer {
            data,
            slots: slot_keys(&self.plan, sent, came.piece),
            tables: self.plan.tables_in(came.piece),
            has_errors: !came.answer.errors.is_empty(),
        })
    }

    /// What of the rows is lost with the pieces that cannot be had.
    fn losses(&self, sent: &Sent, progress: &Progress) -> Vec<(Loss, String)> {
        let loss = |piece: Piece| self.plan.loss(piece, sent.asked.first()?.target());
        let lost = progress.lost.iter();
        lost.filter_map(|(piece, error)| Some((loss(*piece)?, error.to_string())))
            .collect()
    }

    fn misshapen(&self, error: &serde_json::Error) -> Setback {
        let refusal = Refusal {
            api: Arc::clone(&self.workplace.source),
            status: None,
            message: error.to_string(),
        };
        Setback {
            error: ApiError::Misshapen(refusal).into(),
            blame: Blame::Tasks,
        }
    }
}

/// The response keys of the slots of a piece, each with that of the same slot in the whole.
fn slot_keys(plan: &Plan, sent: &Sent, piece: Piece) -> Vec<(String, String)> {
    let (places, targets): (Vec<usize>, Vec<Target>) = sent.targets_of(plan, piece).into_iter().unzip();
    let whole = plan.slot_keys(&sent.targets());
    let own = plan.slot_keys(&targets);
    let whole = places.into_iter().filter_map(|place| whole.get(place).cloned());
    own.into_iter().zip(whole).collect()
}

impl Asker<'_> {
    /// The same error, with paths of the whole request for the fields that failed, and for those that it names by nothing
    /// but their places in the text that was sent.
    pub(super) fn located(&self, sent: &Sent, piece: Piece, request: &GraphqlRequest, mut error: ApiError) -> ApiError {
        let slots = slot_keys(&self.plan, sent, piece);
        if let ApiError::GaveUp { last, .. } = &mut error {
            let paths = last.paths_of_fields();
            paths.for_each(|path| *path = in_whole(std::mem::take(path), &slots));
        }
        let ApiError::Denied {
            paths, cause, unplaced, ..
        } = &mut error
        else {
            return error;
        };
        let mut rest = std::mem::take(unplaced).into_vec();
        rest.retain(|unplaced| {
            // Words say more than a place, which may be that of a field around the one that is meant.
            if !self.plan.named_in(&unplaced.message).is_empty() {
                return true;
            }
            let places = unplaced.locations.iter();
            let fields = places.map(|place| field_at(&request.query, place.line, place.column));
            let fields: Option<BTreeSet<Vec<String>>> = fields.collect();
            // Places of several fields leave open which is meant.
            let mut fields = fields.unwrap_or_default().into_iter();
            let (Some(field), None) = (fields.next(), fields.next()) else {
                return true;
            };
            let path = ErrorPath(field.into_iter().map(PathSegment::Field).collect());
            paths.push(in_whole(path, &slots));
            if cause.is_empty() {
                *cause = unplaced.message.as_str().into();
            }
            false
        });
        *unplaced = rest.into();
        error
    }
}

/// A path of an error in the answer to the whole.
fn in_whole(mut path: ErrorPath, slots: &[(String, String)]) -> ErrorPath {
    if let Some(PathSegment::Field(root)) = path.0.first_mut()
        && let Some((_, whole)) = slots.iter().find(|(own, _)| own == root)
    {
        root.clone_from(whole);
    }
    path
}

/// What is kept of the answer to a piece.
pub(super) fn kept_piece(text_hash: String, answer: &Answer<IgnoredAny>) -> KeptPiece {
    KeptPiece {
        text_hash,
        attempts: answer.effort.attempts,
        retries: answer.effort.retries,
        throttles: answer.effort.throttles,
        body: answer.body.clone(),
    }
}

/// The answer that was kept, with what it took; `None` where it cannot be read any more, and is asked for again.
pub(super) fn kept_answer(kept: &KeptPiece, endpoint: &Endpoint, spent: &mut Spent) -> Option<Answer<IgnoredAny>> {
    let text = std::str::from_utf8(&kept.body).ok()?;
    let envelope = read_envelope(text, std::marker::PhantomData::<IgnoredAny>).ok()?;
    let effort = Spent {
        attempts: kept.attempts,
        retries: kept.retries,
        throttles: kept.throttles,
        last: Duration::ZERO,
    };
    spent.attempts += effort.attempts;
    spent.retries += effort.retries;
    spent.throttles += effort.throttles;
    Some(Answer {
        data: envelope.data?,
        errors: endpoint.redacted(envelope.errors),
        denied: Vec::new(),
        body: kept.body.clone(),
        sent_at: Instant::now(),
        elapsed: Duration::ZERO,
        effort,
    })
}
