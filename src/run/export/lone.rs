//! Rows asked by themselves for what does not come with them: many in one request, each by the value that finds it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;

use futures::future::join_all;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::{Answer, ApiError, Effort as Spent, ErrorPath, PathSegment, Perseverance};
use crate::plan::{AncestorRole, Piece, Plan, RequestText, Target};
use crate::run::company::{Fault, fault};
use crate::run::export::asking::{Asker, Progress, add, hash_of};
use crate::run::export::joining::{kept_answer, kept_piece};
use crate::run::export::sending::{Blame, Sent, Setback};
use crate::run::items::Members;
use crate::run::join::{LonePart, LonePlace, LoneRows};
use crate::state::KeptPiece;

/// The answer to a request for some rows.
pub(super) struct CameLone {
    pub(super) request: LoneRequest,
    pub(super) answer: Answer<IgnoredAny>,
}

/// A request for some rows.
pub(super) struct LoneRequest {
    /// Their table.
    row: usize,
    piece: Piece,
    /// In the order of the slots.
    places: Vec<LonePlace>,
}

impl LoneRequest {
    fn text(&self, plan: &Plan) -> RequestText {
        let values: Vec<Value> = self.places.iter().map(|place| place.value.clone()).collect();
        plan.lone_request(self.row, &values, self.piece)
    }

    /// The response keys of its slots, and whether each answers with a list.
    fn slots(&self, plan: &Plan) -> Vec<(String, bool)> {
        let targets = vec![Target::Row { row: self.row }; self.places.len()];
        let AncestorRole::Object(fields) = plan.layout(&targets).data.role else {
            return Vec::new();
        };
        let slot = |field: crate::plan::AncestorField| (field.key, matches!(field.role, AncestorRole::Only(_)));
        fields.into_iter().map(slot).collect()
    }

    /// The place in the whole answer of a path in this one.
    pub(super) fn in_whole(&self, plan: &Plan, path: &ErrorPath) -> ErrorPath {
        let Some((PathSegment::Field(root), below)) = path.0.split_first() else {
            return path.clone();
        };
        let slots = self.slots(plan);
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
        let mut asked = Vec::new();
        for request in self.lone_requests(places) {
            let hash = hash_of(&self.written(request.text(&self.plan)));
            let kept = kept.remove(&hash);
            match kept.and_then(|kept| kept_answer(&kept, &self.workplace.endpoint, spent)) {
                Some(answer) => progress.lone.push(CameLone { request, answer }),
                None => asked.push(self.ask_lone(sent, request, hash)),
            }
        }
        let mut setback = None;
        for (answer, own) in join_all(asked).await {
            add(spent, own);
            match answer {
                Ok(came) => progress.lone.push(came),
                Err(failed) => setback = setback.or(Some(failed)),
            }
        }
        setback.map_or(Ok(()), Err)
    }

    /// As few requests as there can be for these rows.
    fn lone_requests(&self, places: BTreeMap<usize, Vec<LonePlace>>) -> Vec<LoneRequest> {
        let mut requests = Vec::new();
        for (row, mut places) in places {
            let mut seen = BTreeSet::new();
            places.retain(|place| seen.insert(place.id.clone()));
            for piece in self.plan.pieces_of(Target::Row { row }, 0) {
                let mut rest = places.clone();
                while !rest.is_empty() {
                    let most = rest.len().min(self.workplace.room.slots);
                    let behind = rest.split_off(most);
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

    async fn ask_lone(&self, sent: &Sent, request: LoneRequest, hash: String) -> (Result<CameLone, Setback>, Spent) {
        let mut spent = Spent::default();
        let perseverance = match sent.is_divisible {
            true => Perseverance::GiveWay,
            false => Perseverance::Repeat,
        };
        let text = self.written(request.text(&self.plan));
        let seed = PhantomData::<IgnoredAny>;
        let endpoint = &self.workplace.endpoint;
        let answer = endpoint
            .ask_counting(&self.name, &text, seed, perseverance, &mut spent)
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(mut error) => {
                if let ApiError::Denied { paths, .. } = &mut error {
                    paths
                        .iter_mut()
                        .for_each(|path| *path = request.in_whole(&self.plan, path));
                }
                // Fewer rows of the page are fewer rows to be asked.
                let blame = match fault(&error) {
                    Fault::Size | Fault::Either if sent.is_divisible => Blame::Size(spent.last),
                    _ => Blame::Nobody,
                };
                let error = error.into();
                return (Err(Setback { error, blame }), spent);
            }
        };
        if answer.errors.is_empty() {
            let keeping = self
                .workplace
                .state
                .keep(sent.piece_of(self.run), kept_piece(hash, &answer));
            if let Err(error) = keeping.await {
                return (Err(error.into()), spent);
            }
        }
        (Ok(CameLone { request, answer }), spent)
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

    /// Adds what came, of which `items` are the rows.
    pub(super) fn add_to<'body>(&self, rows: &mut LoneRows<'body>, items: &'body [Option<Box<RawValue>>]) {
        for (place, item) in self.request.places.iter().zip(items) {
            let part = LonePart {
                raw: item.as_deref(),
                has_errors: !self.answer.errors.is_empty(),
            };
            rows.came
                .entry((self.request.row, place.id.clone()))
                .or_default()
                .push(part);
        }
    }
}
