//! One endpoint: asks until there is an answer that is taken in, or the request is given up.
//!
//! Every attempt on the wire, retries included, takes a permit from the limiter.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::de::{DeserializeSeed, IgnoredAny};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::api::allowance::{Allowance, Allowed, ToldBudget};
use crate::api::error::{ApiError, Failure, Refusal};
use crate::api::graphql_error::{ErrorPath, GraphqlError};
use crate::api::limiter::{Limiter, PermitError, PermitLog, stopped};
use crate::api::outcome::{Outcome, Reading};
use crate::api::request::GraphqlRequest;
use crate::api::retry::{RetryDecision, RetryState};
use crate::api::throttles::Throttles;
use crate::api::token::{ReadToken, TokenEdition, TokenKeeper};
use crate::api::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use crate::api::verdict::{one_line, tells_of_crowd};
use crate::clock::Clock;
use crate::project::{RequestLimit, RetryPolicy, Secrets, SourceSettings, VerdictRule};
use crate::report::{Event, SharedObserver};

/// One API, with everything that all requests to it share.
pub struct Endpoint {
    api: Arc<str>,
    transport: Arc<dyn Transport>,
    token: Option<TokenKeeper>,
    limiter: Limiter,
    /// What is known of the budgets that the API tells of, by the names of their headers.
    allowances: Mutex<BTreeMap<&'static str, Allowance>>,
    throttles: watch::Sender<Throttles>,
    retry: RetryPolicy,
    secrets: Secrets,
    rules: Vec<VerdictRule>,
    clock: Clock,
    observer: SharedObserver,
    stop: watch::Receiver<bool>,
}

/// What an endpoint works with.
pub struct Surroundings {
    /// Carries the requests.
    pub transport: Arc<dyn Transport>,
    /// Reads the token; `None` for an API that asks for none.
    pub token: Option<ReadToken>,
    /// What of the requests nobody is to see beside the token.
    pub secrets: Secrets,
    /// Tells the time of day.
    pub clock: Clock,
    /// Remembers permits across processes; without it, a restart begins with a full budget.
    pub permit_log: Option<PermitLog>,
    /// Is told of retries, throttles and the budget.
    pub observer: SharedObserver,
    /// Turns true when the run is to stop: nothing is sent any more, what is in flight is finished.
    pub stop: watch::Receiver<bool>,
}

/// An answer that was taken in.
#[derive(Debug, Clone)]
pub struct Answer<D> {
    /// What the seed made of `data`.
    pub data: D,
    /// The errors beside it; those fields are null.
    pub errors: Vec<GraphqlError>,
    /// The fields among them that this token may not see.
    pub denied: Vec<ErrorPath>,
    /// The whole body: valid UTF-8 and valid JSON.
    pub body: Bytes,
    /// When the attempt that brought it was sent.
    pub sent_at: Instant,
    /// From then to the last byte.
    pub elapsed: Duration,
    /// What it took to get it.
    pub effort: Effort,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Attempts on the wire.
    pub attempts: u32,
    /// How many of them were made again after a failure.
    pub retries: u32,
    /// How often the API asked to slow down.
    pub throttles: u32,
    /// How long the last attempt took.
    pub last: Duration,
}

/// What is done about a request that failed and that may have been too much to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perseverance {
    /// It is sent again, as often as the policy says.
    Repeat,
    /// It is given up, so that whoever asked asks for less: at once where that looks like it, else when it fails again.
    GiveWay,
    /// The same, at once: it tries how much may be asked for.
    Trial,
    /// It is sent again, as often as the policy says, but given up where the same fields fail again, so that whoever asked
    /// asks for them apart.
    GiveWayToFields,
}

impl Perseverance {
    /// Whether nothing more is tried after a failure, when so many came before; its fields are those that failed again.
    fn ends_with(self, failure: &Failure, failures: u32) -> bool {
        let has_shown = failure.is_sign_of_size() || failures > 0;
        match self {
            Self::Repeat => false,
            Self::GiveWay => failure.may_be_of_size() && has_shown,
            Self::Trial => failure.may_be_of_size(),
            Self::GiveWayToFields => !failure.fields().is_empty(),
        }
    }
}

/// One attempt on the wire, over.
struct Exchange {
    result: Result<HttpResponse, TransportError>,
    edition: Option<TokenEdition>,
    sent_at: Instant,
    elapsed: Duration,
}

impl Endpoint {
    /// The endpoint of the source `api` under `settings`. Sends nothing and reads no token yet.
    pub fn new(api: &str, settings: &SourceSettings, surroundings: Surroundings) -> Result<Self, ApiError> {
        let api: Arc<str> = Arc::from(api);
        let token = surroundings
            .token
            .map(|read| TokenKeeper::new(&settings.auth, read, surroundings.stop.clone()))
            .transpose();
        let token = token.map_err(|detail| ApiError::Token {
            api: Arc::clone(&api),
            detail,
        })?;
        let observer = Arc::clone(&surroundings.observer);
        Ok(Self {
            transport: surroundings.transport,
            token,
            limiter: Limiter::new(&api, &settings.limits, surroundings.permit_log, observer),
            allowances: Mutex::default(),
            throttles: watch::Sender::default(),
            retry: settings.retry.clone(),
            secrets: surroundings.secrets,
            rules: settings.verdicts.clone(),
            clock: surroundings.clock,
            observer: surroundings.observer,
            stop: surroundings.stop,
            api,
        })
    }

    /// Sends until there is an answer that is taken in or the request is given up. `query` names the query file in
    /// events, and among those that share the budget, as `source/query_file`. `read_data` reads `data` in the same pass that reads the rest of the body; it
    /// is never given null, and is cloned for each attempt.
    pub async fn ask<S, D>(&self, query: &str, request: &GraphqlRequest, read_data: S) -> Result<Answer<D>, ApiError>
    where
        S: for<'de> DeserializeSeed<'de, Value = D> + Clone,
    {
        let effort = &mut Effort::default();
        self.ask_counting(query, request, read_data, Perseverance::Repeat, effort)
            .await
    }

    /// The same, noting in `effort` what it takes, also where no answer comes of it.
    pub async fn ask_counting<S, D>(
        &self,
        query: &str,
        request: &GraphqlRequest,
        read_data: S,
        perseverance: Perseverance,
        effort: &mut Effort,
    ) -> Result<Answer<D>, ApiError>
    where
        S: for<'de> DeserializeSeed<'de, Value = D> + Clone,
    {
        let body = request.body().map_err(|source| ApiError::Unwritable {
            api: Arc::clone(&self.api),
            source,
        })?;
        let mut retry = RetryState::new(&self.retry);
        let mut is_renewed = false;
        let mut before = None;
        loop {
            let exchange = self.send(query, &body).await?;
            effort.attempts += 1;
            effort.last = exchange.elapsed;
            let (sent_at, elapsed) = (exchange.sent_at, exchange.elapsed);
            match self.reading().outcome(exchange.result, read_data.clone()) {
                Outcome::Taken(taken) => {
                    self.heed(taken.pause, taken.told);
                    return Ok(Answer {
                        data: taken.data,
                        errors: taken.errors,
                        denied: taken.denied,
                        body: taken.body,
                        sent_at,
                        elapsed,
                        effort: *effort,
                    });
                }
                Outcome::Throttled { wait, refusal } => {
                    effort.throttles += 1;
                    let is_of_crowd = tells_of_crowd(&refusal.message);
                    self.throttles
                        .send_if_modified(|throttles| throttles.note(sent_at, is_of_crowd, Instant::now()));
                    self.slow_down(retry.after_throttle(wait), retry.throttles(), refusal)?;
                }
                Outcome::Failed { wait, failure } => {
                    let last = failure.clone().again_after(before.as_ref());
                    before = Some(failure);
                    if wait.is_none() && perseverance.ends_with(&last, retry.failures()) {
                        let attempts = retry.failures() + 1;
                        return Err(ApiError::GaveUp { attempts, last });
                    }
                    self.back_off(query, retry.after_failure(wait), retry.failures(), last)
                        .await?;
                    effort.retries += 1;
                }
                Outcome::Refused(ApiError::Unauthorized(refusal)) if !is_renewed => {
                    self.renew_token(exchange.edition, refusal).await?;
                    is_renewed = true;
                }
                Outcome::Refused(error) => return Err(error),
            }
        }
    }

    /// Sends a body once, whatever becomes of it: what it does must not be done twice. The response comes as it is.
    pub async fn send_once(&self, query: &str, body: Bytes) -> Result<HttpResponse, ApiError> {
        let exchange = self.send(query, &body).await?;
        exchange.result.map_err(|error| ApiError::GaveUp {
            attempts: 1,
            last: Failure::Transport(error),
        })
    }

    /// Whether a response says that the token is not accepted.
    pub fn refuses_token(&self, response: &HttpResponse) -> bool {
        let outcome = self.reading().outcome(Ok(response.clone()), PhantomData::<IgnoredAny>);
        matches!(outcome, Outcome::Refused(ApiError::Unauthorized(_)))
    }

    /// A text of the API's as people are told it: one line, without the token and other secrets, should it have sent them
    /// back.
    pub fn told(&self, text: &str) -> String {
        one_line(&self.reading().redacted(text))
    }

    /// Errors of the API without the token and other secrets, should it have sent them back.
    pub fn redacted(&self, errors: Vec<GraphqlError>) -> Vec<GraphqlError> {
        self.reading().redacted_errors(errors)
    }

    /// How many requests could be sent now without waiting; `None` for a source without request limits.
    pub fn free_permits(&self) -> Option<u32> {
        self.limiter.free_permits()
    }

    /// Keeps so many requests in flight at most, those of all query files together, as the API is found to bear no more.
    pub fn bear(&self, requests: usize) {
        self.limiter.bear(requests);
    }

    /// How often the API has asked to slow down, from now on as it happens.
    pub fn throttles(&self) -> watch::Receiver<Throttles> {
        self.throttles.subscribe()
    }

    /// Requests in flight, of all query files.
    pub fn in_flight(&self) -> usize {
        self.limiter.in_flight()
    }

    /// The window that leaves the most time between two permits; `None` for a source without request limits.
    pub fn window(&self) -> Option<&RequestLimit> {
        self.limiter.window()
    }

    /// One attempt on the wire.
    async fn send(&self, query: &str, body: &Bytes) -> Result<Exchange, ApiError> {
        // The token first: reading it may take longer than a permit should lie idle.
        let (authorization, edition) = match &self.token {
            Some(token) => {
                let carried = token.authorization().await.map_err(|detail| self.token_error(detail))?;
                (Some(carried.header), Some(carried.edition))
            }
            None => (None, None),
        };
        let request = HttpRequest {
            authorization,
            body: body.clone(),
        };
        let permit = self
            .limiter
            .permit(query, &self.stop)
            .await
            .map_err(|error| self.permit_error(error))?;
        self.observer.notice(&Event::Sent {
            query: query.to_owned(),
        });
        let exchange = self.transport.send(request);
        let (result, sent_at) = permit
            .accompany(exchange, |sent_at| self.transport.left_by(sent_at))
            .await;
        Ok(Exchange {
            result,
            edition,
            sent_at,
            elapsed: sent_at.elapsed(),
        })
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            api: &self.api,
            rules: &self.rules,
            token: self.token.as_ref(),
            secrets: &self.secrets,
            now: self.clock.wall(),
        }
    }

    /// A good answer may say that it took the last of the budget.
    fn heed(&self, pause: Option<Duration>, told: Vec<ToldBudget>) {
        let allowed = self.allowed(told);
        let at_once = allowed.iter().map(|allowed| match allowed {
            Allowed::AtOnce(requests) => *requests,
            // The first one behind the pause tells how much there is again.
            Allowed::NothingFor(_) => 1,
        });
        self.limiter.allow_at_once(at_once.min());
        let pauses = allowed.iter().filter_map(|allowed| match allowed {
            Allowed::AtOnce(_) => None,
            Allowed::NothingFor(pause) => Some(*pause),
        });
        if let Some(pause) = pauses.chain(pause).max() {
            self.pause(pause.saturating_add(self.retry.retry_after_margin));
        }
    }

    /// What may be sent by each of the budgets that an answer tells of.
    fn allowed(&self, told: Vec<ToldBudget>) -> Vec<Allowed> {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = told
            .into_iter()
            .map(|told| allowances.entry(told.name).or_default().heed(told));
        allowed.flatten().collect()
    }

    /// Holds back the whole source. The request itself goes to the end of the queue, and waits there.
    fn slow_down(&self, decision: RetryDecision, times: u32, last: Refusal) -> Result<(), ApiError> {
        let RetryDecision::Again { wait } = decision else {
            return Err(ApiError::ThrottledForever { times, last });
        };
        self.pause(wait);
        self.observer.notice(&Event::Throttled {
            source: self.api.to_string(),
            wait,
        });
        Ok(())
    }

    fn pause(&self, wait: Duration) {
        // A wait beyond what the monotonic clock can count is not worth a panic.
        if let Some(until) = Instant::now().checked_add(wait) {
            self.limiter.pause(until);
        }
    }

    /// Holds back this request alone.
    async fn back_off(
        &self,
        query: &str,
        decision: RetryDecision,
        attempt: u32,
        failure: Failure,
    ) -> Result<(), ApiError> {
        let RetryDecision::Again { wait } = decision else {
            return Err(ApiError::GaveUp {
                attempts: attempt,
                last: failure,
            });
        };
        self.observer.notice(&Event::Retrying {
            query: query.to_owned(),
            cause: failure.to_string(),
            attempt,
            attempts: self.retry.attempts,
            wait,
        });
        self.sleep(wait).await
    }

    /// Waits as before the first retry of a request.
    pub(crate) async fn wait_after_failure(&self) -> Result<(), ApiError> {
        let RetryDecision::Again { wait } = RetryState::new(&self.retry).after_failure(None) else {
            return Ok(());
        };
        self.sleep(wait).await
    }

    /// Waits, unless the run is being stopped.
    async fn sleep(&self, wait: Duration) -> Result<(), ApiError> {
        tokio::select! {
            biased;
            () = stopped(self.stop.clone()) => Err(ApiError::Stopped { api: Arc::clone(&self.api) }),
            () = sleep(wait) => Ok(()),
        }
    }

    /// Reads the token again; fails with the refusal if that changes nothing.
    async fn renew_token(&self, refused: Option<TokenEdition>, refusal: Refusal) -> Result<(), ApiError> {
        let (Some(token), Some(refused)) = (&self.token, refused) else {
            return Err(ApiError::Unauthorized(refusal));
        };
        let is_worth_it = token.renew(refused).await.map_err(|detail| self.token_error(detail))?;
        if !is_worth_it {
            return Err(ApiError::Unauthorized(refusal));
        }
        Ok(())
    }

    fn token_error(&self, detail: String) -> ApiError {
        let api = Arc::clone(&self.api);
        // A command that was ended with the run has printed nothing.
        match *self.stop.borrow() {
            true => ApiError::Stopped { api },
            false => ApiError::Token { api, detail },
        }
    }

    fn permit_error(&self, error: PermitError) -> ApiError {
        let api = Arc::clone(&self.api);
        match error {
            PermitError::Stopped => ApiError::Stopped { api },
            PermitError::Log(source) => ApiError::PermitLog { api, source },
            PermitError::LogHeld(error) => ApiError::held(&api, &error),
        }
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
