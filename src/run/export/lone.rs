//! Rows asked by themselves for what does not come with them: many in one request, each by the value that finds it.
//!
//! What is too much is parted: fewer rows in a request, then fewer columns of one row. What came is kept, and what one row
//! cannot have by itself is lost to that row alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::{MutexGuard, PoisonError};

use futures::future::join_all;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::{
    Answer, ApiError, Effort as Spent, ErrorPath, GraphqlError, GraphqlRequest, PathSegment, Perseverance,
};
use crate::plan::{AncestorRole, Piece, Plan, RequestText, Target};
use crate::run::company::{Fault, fault};
use crate::run::export::asking::{Asker, Progress, add, hash_of};
use crate::run::export::joining::{kept_answer, kept_piece};
use crate::run::export::lone_lacks::{LoneLack, LoneLost};
use crate::run::export::sending::{Sent, Setback};
use crate::run::items::Members;
use crate::run::join::{LonePart, LonePlace, LoneRows};
use crate::run::lookups::Lookups;
use crate::state::KeptPiece;

/// The answer to a request for some rows.
pub(super) struct CameLone {
    pub(super) request: LoneRequest,
    pub(super) answer: Answer<IgnoredAny>,
}

/// A request for some rows.
pub(super) struct LoneRequest {
    /// Their table.
    pub(super) row: usize,
    pub(super) piece: Piece,
    /// In the order of the slots.
    pub(super) places: Vec<LonePlace>,
}

/// Why there is no answer for some rows.
enum Unanswered {
    /// Whatever is asked for.
    Setback(Setback),
    /// It may be the fault of one of the rows, or of their number.
    OfRows(ApiError),
}

impl LoneRequest {
    pub(super) fn target(&self) -> Target {
        Target::Row { row: self.row }
    }

    /// Whether something less can be asked for in its place.
    fn can_be_less(&self, plan: &Plan) -> bool {
        self.places.len() > 1 || !self.finer(plan).is_empty()
    }

    /// What is asked for in its place where it is too much: half of the rows each, or fewer columns of the one row; itself
    /// where there is nothing less.
    fn less(mut self, plan: &Plan) -> Result<Vec<Self>, Self> {
        if self.places.len() > 1 {
            let places = self.places.split_off(self.places.len().div_ceil(2));
            let other = Self { places, ..self };
            return Ok(vec![self, other]);
        }
        let finer = self.finer(plan).into_iter().map(|piece| Self {
            piece,
            places: self.places.clone(),
            ..self
        });
        let finer: Vec<Self> = finer.collect();
        if finer.is_empty() { Err(self) } else { Ok(finer) }
    }

    /// The groups of columns that its own is cut into. Keys alone tell nothing of a row that is known.
    fn finer(&self, plan: &Plan) -> Vec<Piece> {
        let mut finer = plan.finer(self.piece, self.target());
        finer.retain(|piece| matches!(piece, Piece::Group { .. }));
        finer
    }

    fn text(&self, plan: &Plan) -> RequestText {
        let values: Vec<Value> = self.places.iter().map(|place| place.value.clone()).collect();
        plan.lone_request(self.row, &values, self.piece)
    }

    /// The response keys of its slots, and whether each answers with a list.
    pub(super) fn slots(&self, plan: &Plan) -> Vec<(String, bool)> {
        let targets = vec![Target::Row { row: self.row }; self.places.len()];
        let AncestorRole::Object(fields) = plan.layout(&targets).data.role else {
            return Vec::new();
        };
        let slot = |field: crate::plan::AncestorField| (field.key, matches!(field.role, AncestorRole::Only(_)));
        fields.into_iter().map(slot).collect()
    }

    /// What an error means that came in the place of an answer.
    fn unanswered(&self, plan: &Plan, mut error: ApiError) -> Unanswered {
        if let ApiError::Denied { paths, .. } = &mut error {
            let slots = self.slots(plan);
            paths.iter_mut().for_each(|path| *path = self.in_whole(&slots, path));
            return Unanswered::Setback(error.into());
        }
        match fault(&error) {
            Fault::Source => Unanswered::Setback(error.into()),
            Fault::Task | Fault::Size | Fault::Either => Unanswered::OfRows(error),
        }
    }

    /// The place in the whole answer of a path in this one, which has these slots.
    pub(super) fn in_whole(&self, slots: &[(String, bool)], path: &ErrorPath) -> ErrorPath {
        let Some((PathSegment::Field(root), below)) = path.0.split_first() else {
            return path.clone();
        };
        let Some(slot) = slots.iter().position(|(key, _)| key == root) else {
            return path.clone();
        };
        let below = match below {
            [PathSegment::Index(_), below @ ..] if slots[slot].1 => below,
            below => below,
        };
        ErrorPath([self.places[slot].path.as_slice(), below].concat())
    }
}

/// Those of the values that stand at a path of an error in a row, or in what does; all where none is told by it.
fn named_by(path: &ErrorPath, values: &[String]) -> Vec<String> {
    let names = path.0.iter().skip(1).filter_map(|segment| match segment {
        PathSegment::Field(name) => Some(name.as_str()),
        PathSegment::Index(_) => None,
    });
    let place = names.collect::<Vec<_>>().join(".");
    let is_in = |value: &&String| format!(".{value}.").contains(&format!(".{place}."));
    let named: Vec<String> = values.iter().filter(is_in).cloned().collect();
    if named.is_empty() { values.to_vec() } else { named }
}

impl Asker<'_> {
    /// Asks the rows that came for what does not come with them.
    pub(super) async fn ask_lone_rows(
        &self,
        sent: &Sent,
        kept: &mut HashMap<String, KeptPiece>,
        progress: &mut Progress,
        spent: &mut Spent,
    ) -> Result<(), Setback> {
        let tables: BTreeSet<usize> = self.plan.rows_apart(&sent.targets()).into_iter().collect();
        if tables.is_empty() {
            return Ok(());
        }
        let places = self.lone_places(sent, progress, tables)?;
        let mut requests = self.lone_requests(places);
        let mut too_many = usize::MAX;
        let mut is_first = true;
        while !requests.is_empty() {
            let failed = self.ask_lone_round(sent, requests, kept, progress, spent).await?;
            let may_be_outage = |(request, error): &(LoneRequest, ApiError)| {
                fault(error) == Fault::Either && !(is_first && request.can_be_less(&self.plan))
            };
            if failed.iter().any(may_be_outage) {
                self.be_sure_of_api(spent).await?;
            }
            requests = Vec::new();
            for (request, error) in failed {
                if request.places.len() > 1 {
                    too_many = too_many.min(request.places.len());
                }
                match request.less(&self.plan) {
                    Ok(less) => requests.extend(less),
                    Err(request) => progress.lone_lost.push(LoneLost::new(request, &error)),
                }
            }
            is_first = false;
        }
        // Where a row is lost, it may have failed for that one and not for how many there were.
        let mut lookups = self.lookups();
        match too_many {
            usize::MAX => {
                let is_full = |came: &&CameLone| lookups.most() == Some(came.request.places.len());
                let full = progress.lone.iter().filter(is_full).count();
                lookups.note_full(u32::try_from(full).unwrap_or(u32::MAX));
            }
            rows if progress.lone_lost.is_empty() => lookups.note_too_many(rows),
            _ => {}
        }
        Ok(())
    }

    /// Asks side by side; those that have no answer, and why.
    async fn ask_lone_round(
        &self,
        sent: &Sent,
        requests: Vec<LoneRequest>,
        kept: &mut HashMap<String, KeptPiece>,
        progress: &mut Progress,
        spent: &mut Spent,
    ) -> Result<Vec<(LoneRequest, ApiError)>, Setback> {
        let mut asked = Vec::new();
        for request in requests {
            let text = self.written(request.text(&self.plan));
            let hash = hash_of(&text);
            let kept = kept.remove(&hash);
            match kept.and_then(|kept| kept_answer(&kept, &self.workplace.endpoint, spent)) {
                Some(answer) => progress.lone.push(CameLone { request, answer }),
                None => asked.push(self.ask_lone(sent, request, text, hash)),
            }
        }
        let mut setback = None;
        let mut failed = Vec::new();
        for (request, answer, own) in join_all(asked).await {
            add(spent, own);
            match answer {
                Ok(answer) => progress.lone.push(CameLone { request, answer }),
                Err(Unanswered::OfRows(error)) => {
                    spent.retries += u32::from(request.can_be_less(&self.plan));
                    failed.push((request, error));
                }
                Err(Unanswered::Setback(other)) => setback = setback.or(Some(other)),
            }
        }
        setback.map_or(Ok(failed), Err)
    }

    /// Waits until the API answers what nothing can be wrong with, so that rows are not blamed for its being down.
    async fn be_sure_of_api(&self, spent: &mut Spent) -> Result<(), Setback> {
        match self.ask_for_nothing(spent).await {
            Err(error) if fault(&error) != Fault::Task => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn lookups(&self) -> MutexGuard<'_, Lookups> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As few requests as there can be for these rows.
    fn lone_requests(&self, places: BTreeMap<usize, Vec<LonePlace>>) -> Vec<LoneRequest> {
        let mut requests = Vec::new();
        let most = self
            .lookups()
            .most()
            .unwrap_or(usize::MAX)
            .min(self.workplace.room.slots);
        for (row, mut places) in places {
            let mut seen = BTreeSet::new();
            places.retain(|place| seen.insert(place.id.clone()));
            for piece in self.plan.pieces_of(Target::Row { row }, 0) {
                let mut rest = places.clone();
                while !rest.is_empty() {
                    let behind = rest.split_off(rest.len().min(most));
                    let mut request = LoneRequest {
                        row,
                        piece,
                        places: rest,
                    };
                    rest = self.shortened(&mut request);
                    rest.extend(behind);
                    requests.push(request);
                }
            }
        }
        requests
    }

    /// Takes rows from a request until its text says no more than it may; those that are taken.
    fn shortened(&self, request: &mut LoneRequest) -> Vec<LonePlace> {
        let mut taken = Vec::new();
        let fits = |request: &LoneRequest| self.workplace.text_limits.allow(|| request.text(&self.plan));
        while request.places.len() > 1 && !fits(request) {
            let less = (request.places.len() * 3 / 4).max(1);
            let mut rest = request.places.split_off(less);
            rest.append(&mut taken);
            taken = rest;
        }
        taken
    }

    async fn ask_lone(
        &self,
        sent: &Sent,
        request: LoneRequest,
        text: GraphqlRequest,
        hash: String,
    ) -> (LoneRequest, Result<Answer<IgnoredAny>, Unanswered>, Spent) {
        let mut spent = Spent::default();
        let answer = self.ask_lone_once(sent, &request, (&text, hash), &mut spent).await;
        (request, answer, spent)
    }

    async fn ask_lone_once(
        &self,
        sent: &Sent,
        request: &LoneRequest,
        (text, hash): (&GraphqlRequest, String),
        spent: &mut Spent,
    ) -> Result<Answer<IgnoredAny>, Unanswered> {
        // Before a row loses something, it is asked for as often as anything else.
        let perseverance = match request.can_be_less(&self.plan) {
            true => Perseverance::GiveWay,
            false => Perseverance::Repeat,
        };
        let seed = PhantomData::<IgnoredAny>;
        let endpoint = &self.workplace.endpoint;
        let answer = endpoint.ask_counting(&self.name, text, seed, perseverance, spent).await;
        let answer = answer.map_err(|error| request.unanswered(&self.plan, error))?;
        if answer.errors.is_empty() {
            let keeping = self
                .workplace
                .state
                .keep(sent.piece_of(self.run), kept_piece(hash, &answer));
            keeping.await.map_err(|error| Unanswered::Setback(error.into()))?;
        }
        Ok(answer)
    }
}

impl CameLone {
    /// The rows that came, each as it stands in its list; `None` for one that was not found.
    pub(super) fn items(&self, plan: &Plan, data: &RawValue) -> serde_json::Result<Vec<Option<String>>> {
        let members = Members::parse(data)?;
        let item = |((key, is_list), place): ((String, bool), &LonePlace)| -> serde_json::Result<Option<String>> {
            let raw = members.get(&key).filter(|raw| raw.get() != "null");
            let raw = match raw {
                Some(list) if is_list => match serde_json::from_str::<Vec<&RawValue>>(list.get())?.as_slice() {
                    [one] if one.get() != "null" => Some(*one),
                    _ => None,
                },
                raw => raw,
            };
            let raw = raw.map(RawValue::get);
            Ok(match &place.node {
                Some(node) => raw.map(|raw| format!("{{{}:{raw}}}", Value::from(node.as_str()))),
                None => raw.map(str::to_owned),
            })
        };
        self.request
            .slots(plan)
            .into_iter()
            .zip(&self.request.places)
            .map(item)
            .collect()
    }

    /// The errors that may be those of one slot: an error without a path may be that of any.
    fn errors_of<'came>(&'came self, key: &'came str) -> impl Iterator<Item = &'came GraphqlError> {
        let is_own = move |error: &&GraphqlError| match error.path.as_ref().and_then(|path| path.0.first()) {
            Some(PathSegment::Field(root)) => root == key,
            _ => true,
        };
        self.answer.errors.iter().filter(is_own)
    }

    /// What errors tell that single rows lack, of which `items` are what came.
    pub(super) fn lacks(&self, plan: &Plan, items: &[Option<Box<RawValue>>]) -> Vec<LoneLack> {
        let slots = self.request.slots(plan);
        let all = plan.values_of(self.request.piece, self.request.target());
        let mut lacks = Vec::new();
        for ((place, item), (key, _)) in self.request.places.iter().zip(items).zip(&slots) {
            let lack = |values, error: &GraphqlError| LoneLack {
                table: self.request.row,
                id: place.id.clone(),
                values,
                reason: error.message.clone(),
            };
            match item {
                // One error is enough to take all of it.
                None => lacks.extend(self.errors_of(key).next().map(|error| lack(all.clone(), error))),
                Some(_) => {
                    let own = self
                        .errors_of(key)
                        .filter_map(|error| Some((error.path.as_ref()?, error)));
                    lacks.extend(own.map(|(path, error)| lack(named_by(path, &all), error)));
                }
            }
        }
        lacks
    }

    /// Adds what came, of which `items` are the rows.
    pub(super) fn add_to<'body>(&self, plan: &Plan, rows: &mut LoneRows<'body>, items: &'body [Option<Box<RawValue>>]) {
        let slots = self.request.slots(plan);
        for ((place, item), (key, _)) in self.request.places.iter().zip(items).zip(&slots) {
            let part = LonePart {
                raw: item.as_deref(),
                has_errors: self.errors_of(key).next().is_some(),
            };
            rows.came
                .entry((self.request.row, place.id.clone()))
                .or_default()
                .push(part);
        }
    }
}
