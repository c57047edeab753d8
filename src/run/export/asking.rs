//! A request asked for: as a whole where that fits, or in pieces side by side, whose answers are joined.
//!
//! Where no fewer rows can be asked for, a piece that is too much is cut, and a value that cannot be had even by itself
//! is given up with its row.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use serde::de::{DeserializeSeed, IgnoredAny};
use sha2::{Digest as _, Sha256};

use crate::api::{Answer, ApiError, Effort as Spent, Endpoint, GraphqlRequest, Perseverance};
use crate::plan::{Ask, Piece, Plan, RequestText, Target};
use crate::run::company::{Fault, fault};
use crate::run::export::joining::{Came, Response, kept_answer, kept_piece};
use crate::run::export::lone::CameLone;
use crate::run::export::lone_lacks::LoneLost;
use crate::run::export::sending::{Blame, Sent, Setback};
use crate::run::export::taking::PAGE_ATTEMPTS;
use crate::run::export::{ExportError, Workplace};
use crate::run::harvest::{Harvest, HarvestSeed, Look, SlotPlace};
use crate::run::intake::AskedTask;
use crate::run::lookups::Lookups;
use crate::run::plans::Planner;
use crate::state::{KeptPiece, PieceOf, RunKey};

/// Times that a request is sent again as it was, since the API had been down altogether.
const OUTAGES: u32 = 3;
/// Failures one after the other, with ever fewer rows, that may still be accidents.
const ACCIDENTS: u32 = 1;

/// Asks for requests of one query file.
pub(super) struct Asker<'work> {
    pub(super) workplace: &'work Workplace,
    pub(super) planner: &'work Planner<'work>,
    pub(super) plan: Arc<Plan>,
    pub(super) looks: Arc<[Look]>,
    /// `source/query_file`.
    pub(super) name: String,
    pub(super) run: RunKey,
    /// Rows that may be asked by themselves in one request, as far as failures show.
    pub(super) lookups: Arc<Mutex<Lookups>>,
    /// Whether denials that name no field were found to be for rows, or for all that is asked for.
    pub(super) denials_are_of_rows: Arc<AtomicBool>,
}

/// What came of the pieces of a request so far.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) came: Vec<Came>,
    /// The rows that were asked by themselves.
    pub(super) lone: Vec<CameLone>,
    /// What single rows cannot have even by themselves.
    pub(super) lone_lost: Vec<LoneLost>,
    /// Those that cannot be had, and are not cut any finer.
    pub(super) lost: Vec<(Piece, ApiError)>,
}

impl Progress {
    /// Notes that a piece is too much; what is asked for in its place.
    fn cut(&mut self, plan: &Plan, sent: &Sent, piece: Piece, error: ApiError) -> Vec<Piece> {
        let finer = sent.asked.first().map(|asked| plan.finer(piece, asked.target()));
        let finer = finer.unwrap_or_default();
        if !finer.is_empty() {
            return finer;
        }
        self.lost.push((piece, error));
        // The rows are needed all the same.
        match piece {
            Piece::Group { group: 0, .. } => vec![Piece::KeysOnly],
            _ => Vec::new(),
        }
    }
}

impl Asker<'_> {
    /// Asks until there is an answer, or the request is given up.
    pub(super) async fn ask(&self, sent: &mut Sent, spent: &mut Spent) -> Result<Response, Setback> {
        let mut progress = Progress::default();
        let mut pieces = self.plan.pieces_for(&sent.targets(), sent.fineness);
        let has_lone_rows = !self.plan.rows_apart(&sent.targets()).is_empty();
        if let ([piece], false) = (pieces.as_slice(), has_lone_rows) {
            let piece = *piece;
            match self.ask_whole(sent, piece, spent).await {
                Ok(answer) => return Ok(Response::of_whole(answer, sent.fineness, !sent.kept.is_empty())),
                Err(setback) => {
                    let setback = self.name_denied(sent, piece, setback, spent).await;
                    let error = setback.of_size_alone(sent, self.may_have_too_much(sent, piece))?;
                    pieces = progress.cut(&self.plan, sent, piece, error);
                }
            }
        }
        let kept = std::mem::take(&mut sent.kept);
        self.ask_for_all(sent, pieces, kept, &mut progress, spent).await?;
        let response = self.join(sent, &progress, *spent)?;
        let response = self.mend(sent, response, &mut progress, spent).await?;
        if response.differences.is_empty() {
            return Ok(response);
        }
        // Rows came, went or changed meanwhile: most likely not once more.
        let pieces = progress.came.drain(..).map(|came| came.piece).collect();
        progress.lone.clear();
        progress.lone_lost.clear();
        self.ask_for_all(sent, pieces, Vec::new(), &mut progress, spent).await?;
        self.join(sent, &progress, *spent)
    }

    /// Asks again for pieces whose errors tell that they lack something which others have, as for a page that comes without
    /// its rows.
    async fn mend(
        &self,
        sent: &Sent,
        mut response: Response,
        progress: &mut Progress,
        spent: &mut Spent,
    ) -> Result<Response, Setback> {
        for _ in 1..PAGE_ATTEMPTS {
            let broken = std::mem::take(&mut response.broken);
            if broken.is_empty() {
                break;
            }
            spent.retries += u32::try_from(broken.len()).unwrap_or(u32::MAX);
            progress.came.retain(|came| !broken.contains(&came.piece));
            self.ask_in_pieces(sent, broken, &mut HashMap::new(), progress, spent)
                .await?;
            response = self.join(sent, progress, *spent)?;
        }
        Ok(response)
    }

    /// Asks for pieces, and for what does not come with the rows in them.
    async fn ask_for_all(
        &self,
        sent: &Sent,
        pieces: Vec<Piece>,
        kept: Vec<KeptPiece>,
        progress: &mut Progress,
        spent: &mut Spent,
    ) -> Result<(), Setback> {
        let mut kept = kept.into_iter().map(|kept| (kept.text_hash.clone(), kept)).collect();
        self.ask_in_pieces(sent, pieces, &mut kept, progress, spent).await?;
        self.ask_lone_rows(sent, &mut kept, progress, spent).await
    }

    async fn ask_whole(&self, sent: &Sent, piece: Piece, spent: &mut Spent) -> Result<Answer<Harvest>, Setback> {
        let layout = self.plan.layout(&sent.targets());
        let slots = sent.slots();
        let seed = HarvestSeed {
            layout: &layout,
            slots: &slots,
            looks: &self.looks,
        };
        self.ask_for(sent, piece, &self.request(sent, piece), seed, spent).await
    }

    /// Asks for pieces side by side, and, where they are too much by themselves, for finer ones in their place.
    async fn ask_in_pieces(
        &self,
        sent: &Sent,
        mut pieces: Vec<Piece>,
        kept: &mut HashMap<String, KeptPiece>,
        progress: &mut Progress,
        spent: &mut Spent,
    ) -> Result<(), Setback> {
        // Pieces with rows that are asked by themselves are never the last to come.
        let behind = usize::from(!self.plan.rows_apart(&sent.targets()).is_empty());
        let open = AtomicUsize::new(behind);
        while !pieces.is_empty() {
            let mut asked = Vec::new();
            for piece in std::mem::take(&mut pieces) {
                let request = self.request(sent, piece);
                let hash = hash_of(&request);
                let kept = kept.remove(&hash);
                let answer = kept.and_then(|kept| kept_answer(&kept, &self.workplace.endpoint, spent));
                match answer {
                    Some(answer) => progress.came.push(Came { piece, answer }),
                    None => asked.push(self.ask_for_piece(sent, piece, request, hash, &open)),
                }
            }
            open.fetch_add(asked.len(), Ordering::Relaxed);
            let mut failed = Vec::new();
            for (piece, answer, own) in join_all(asked).await {
                add(spent, own);
                match answer {
                    Ok(answer) => progress.came.push(Came { piece, answer }),
                    Err(setback) => failed.push((piece, setback)),
                }
            }
            let mut refused = None;
            for (piece, setback) in failed {
                let is_untold = !progress.came.is_empty() && self.may_have_too_much(sent, piece);
                match setback.of_size_alone(sent, is_untold) {
                    Ok(error) => pieces.extend(progress.cut(&self.plan, sent, piece, error)),
                    Err(setback) => refused = refused.or(Some((piece, setback))),
                }
            }
            match refused {
                Some((piece, setback)) => return Err(self.name_denied(sent, piece, setback, spent).await),
                None => open.store(behind, Ordering::Relaxed),
            }
        }
        Ok(())
    }

    /// Asks for one piece. It is kept in the state while others are open.
    async fn ask_for_piece(
        &self,
        sent: &Sent,
        piece: Piece,
        request: GraphqlRequest,
        hash: String,
        open: &AtomicUsize,
    ) -> (Piece, Result<Answer<IgnoredAny>, Setback>, Spent) {
        let mut spent = Spent::default();
        let answer = self
            .ask_for(sent, piece, &request, PhantomData::<IgnoredAny>, &mut spent)
            .await;
        let Ok(answer) = answer else {
            return (piece, answer, spent);
        };
        let is_last = open.fetch_sub(1, Ordering::Relaxed) == 1;
        // What an error says of a piece may be another thing the next time.
        if is_last || !answer.errors.is_empty() {
            return (piece, Ok(answer), spent);
        }
        let of = sent.piece_of(self.run);
        let keeping = self.workplace.state.keep(of, kept_piece(hash, &answer)).await;
        (piece, keeping.map(|()| answer).map_err(Setback::from), spent)
    }

    /// Sends one request until there is an answer, or it is given up.
    pub(super) async fn ask_for<S, D>(
        &self,
        sent: &Sent,
        piece: Piece,
        request: &GraphqlRequest,
        seed: S,
        spent: &mut Spent,
    ) -> Result<Answer<D>, Setback>
    where
        S: for<'de> DeserializeSeed<'de, Value = D> + Clone,
    {
        let can_ask_for_less = sent.is_divisible || self.can_do_without(sent, piece);
        // Before rows are given up, they are asked for as often as anything else: what fails may fail by chance.
        let mut perseverance = match sent.is_divisible || self.has_finer(sent, piece) {
            true if sent.standing.is_trial => Perseverance::Trial,
            true => Perseverance::GiveWay,
            false => Perseverance::GiveWayToFields,
        };
        let endpoint = &self.workplace.endpoint;
        // What cannot be made of fewer rows is cut only if it fails for what it is.
        let mut is_new = true;
        let mut outages = 0;
        loop {
            let answer = endpoint.ask_counting(&self.name, request, seed.clone(), perseverance, spent);
            let error = match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.located(sent, piece, request, error),
            };
            if !error.failed_fields().is_empty() {
                if self.can_set_failed_apart(sent, &error) {
                    let (error, blame) = (error.into(), Blame::Tasks);
                    return Err(Setback { error, blame });
                }
                if perseverance == Perseverance::GiveWayToFields {
                    perseverance = Perseverance::Repeat;
                    spent.retries += 1;
                    continue;
                }
            }
            let gave_way = matches!(perseverance, Perseverance::GiveWay | Perseverance::Trial) && !sent.is_divisible;
            let may_be_accident = gave_way && fault(&error) == Fault::Either;
            // Where more rows ran out of time before, or failed again and again, one that does so is no accident.
            let accidents = if error.is_timeout() { 0 } else { ACCIDENTS };
            let is_new_failure = sent.terms.failures <= accidents;
            if may_be_accident && is_new_failure && std::mem::take(&mut is_new) {
                spent.retries += 1;
                endpoint.wait_after_failure().await?;
                continue;
            }
            let retries = spent.retries;
            let setback = self.setback(sent, error, can_ask_for_less, spent).await;
            let was_outage = spent.retries > retries && matches!(setback.blame, Blame::Size(_));
            if !(may_be_accident && was_outage && outages < OUTAGES) {
                return Err(setback);
            }
            outages += 1;
        }
    }

    /// Whether something finer can be asked for in the place of a piece, or its rows be given up.
    fn can_do_without(&self, sent: &Sent, piece: Piece) -> bool {
        let [asked] = sent.asked.as_slice() else { return false };
        self.has_finer(sent, piece) || self.plan.loss(piece, asked.target()).is_some()
    }

    fn has_finer(&self, sent: &Sent, piece: Piece) -> bool {
        let [asked] = sent.asked.as_slice() else { return false };
        !self.plan.finer(piece, asked.target()).is_empty()
    }

    /// Whether a single row that is refused in words that tell nothing, as more rows were, may have too much for one answer.
    fn may_have_too_much(&self, sent: &Sent, piece: Piece) -> bool {
        (sent.terms.failures > 0 || sent.standing.is_bounded) && self.has_finer(sent, piece)
    }

    /// Why there is no answer. Where a crash may be the fault of a task, or of what it asks for, the API is asked for what
    /// it cannot crash on; not so where fewer rows can be asked for, which tells as well.
    async fn setback(&self, sent: &Sent, error: ApiError, can_ask_for_less: bool, spent: &mut Spent) -> Setback {
        let took = spent.last;
        let fault = fault(&error);
        let is_first_failure = sent.is_divisible && sent.terms.failures == 0;
        let is_of_tasks = match fault {
            Fault::Task | Fault::Size => true,
            Fault::Source => false,
            Fault::Either if is_first_failure => true,
            // Without the first pages there is nothing that another request could be spared for.
            Fault::Either if sent.is_everything() && !can_ask_for_less && sent.rest(&self.plan).is_none() => false,
            Fault::Either => match self.ask_for_nothing(spent).await {
                Ok(()) => true,
                Err(error) if crate::run::company::fault(&error) == Fault::Task => true,
                Err(error) => return error.into(),
            },
        };
        let blame = match fault {
            _ if !is_of_tasks => Blame::Nobody,
            Fault::Size | Fault::Either if can_ask_for_less => Blame::Size(took),
            _ => Blame::Tasks,
        };
        let error = error.into();
        Setback { error, blame }
    }

    /// The smallest request that every API answers. One that does not while it answers others is not down but busy, and is
    /// asked for less at once, and waited for.
    pub(super) async fn ask_for_nothing(&self, spent: &mut Spent) -> Result<(), ApiError> {
        let mut perseverance = Perseverance::GiveWay;
        loop {
            let (answers, retreats) = {
                let knee = self.workplace.knee();
                (knee.answers(), knee.retreats())
            };
            let Err(error) = self.ask_for_nothing_once(perseverance, spent).await else {
                return Ok(());
            };
            let is_first = std::mem::replace(&mut perseverance, Perseverance::Repeat) == Perseverance::GiveWay;
            let is_busy = self.workplace.knee().answers() > answers;
            if fault(&error) != Fault::Either || !(is_first || is_busy) {
                return Err(error);
            }
            self.workplace.steer(|knee| knee.note_failure(retreats));
            spent.retries += 1;
        }
    }

    async fn ask_for_nothing_once(&self, perseverance: Perseverance, spent: &mut Spent) -> Result<(), ApiError> {
        let request = GraphqlRequest {
            operation_name: None,
            query: "{__typename}".into(),
            variables: serde_json::Map::new(),
        };
        let endpoint: &Endpoint = &self.workplace.endpoint;
        let seed = PhantomData::<IgnoredAny>;
        let answer = endpoint.ask_counting(&self.name, &request, seed, perseverance, spent);
        answer.await.map(drop)
    }

    pub(super) fn request(&self, sent: &Sent, piece: Piece) -> GraphqlRequest {
        self.written(sent.text(&self.plan, piece))
    }

    pub(super) fn written(&self, request: RequestText) -> GraphqlRequest {
        let RequestText { text, variables } = request;
        // The text holds one operation, so its name need not be told; some servers refuse names of certain characters.
        GraphqlRequest {
            operation_name: None,
            query: text,
            variables,
        }
    }
}

impl Sent {
    /// What its pieces are kept with.
    pub(super) fn piece_of(&self, run: RunKey) -> PieceOf {
        PieceOf {
            run,
            tasks: self.asked.iter().map(|asked| (asked.task.id, asked.size)).collect(),
            inline_sizes: self.inline_sizes.clone(),
        }
    }

    /// What it asks for, slot by slot.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.asked.iter().map(AskedTask::target).collect()
    }

    /// What its root fields answer; none for the first pages of everything.
    pub(super) fn slots(&self) -> Vec<SlotPlace> {
        let slots = self.asked.iter().filter(|asked| !asked.task.is_start());
        slots.map(|asked| SlotPlace::of(&asked.task)).collect()
    }

    /// The targets of which a piece holds something.
    pub(super) fn targets_of(&self, plan: &Plan, piece: Piece) -> Vec<(usize, Target)> {
        let targets = self.targets().into_iter().enumerate();
        targets
            .filter(|(_, target)| plan.does_concern(piece, *target))
            .collect()
    }

    /// The text that asks for a piece of it.
    pub(super) fn text(&self, plan: &Plan, piece: Piece) -> RequestText {
        self.text_of(plan, piece, |size| size)
    }

    /// The same, with a single row in each page.
    pub(super) fn text_of_single_rows(&self, plan: &Plan, piece: Piece) -> RequestText {
        self.text_of(plan, piece, |_| 1)
    }

    fn text_of(&self, plan: &Plan, piece: Piece, sized: impl Fn(u32) -> u32) -> RequestText {
        let asks = self.asked.iter().map(|asked| Ask {
            connection: asked.task.connection,
            root: asked.task.root,
            member: asked.task.member.as_ref().map(|member| &member.value),
            size: sized(asked.size),
            position: asked.task.position.as_ref(),
            parent: asked.task.parent.as_deref(),
            address: &asked.task.address.values,
        });
        let asks: Vec<Ask<'_>> = asks.filter(|ask| plan.does_concern(piece, ask.target())).collect();
        let inline_sizes: Vec<u32> = self.inline_sizes.iter().map(|size| sized(*size)).collect();
        plan.request(&asks, &inline_sizes, piece)
    }
}

impl Setback {
    /// The error of a request that is too much, or may be where `is_untold` why it was refused, and cannot be made of fewer
    /// rows; else the same setback.
    fn of_size_alone(self, sent: &Sent, is_untold: bool) -> Result<ApiError, Self> {
        match self {
            Self {
                error: ExportError::Api(error),
                blame: Blame::Size(_),
            } if !sent.is_divisible => Ok(error),
            Self {
                error: ExportError::Api(error @ ApiError::Invalid(_)),
                blame: Blame::Tasks,
            } if !sent.is_divisible && is_untold => Ok(error),
            other => Err(other),
        }
    }
}

/// Tells requests apart.
pub(super) fn hash_of(request: &GraphqlRequest) -> String {
    let variables = serde_json::Value::Object(request.variables.clone()).to_string();
    let hash = Sha256::new()
        .chain_update(request.query.as_bytes())
        .chain_update([0])
        .chain_update(variables);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn add(sum: &mut Spent, own: Spent) {
    sum.attempts += own.attempts;
    sum.retries += own.retries;
    sum.throttles += own.throttles;
    sum.last = sum.last.max(own.last);
}
