//! A stand-in's HTTP behaviour without sockets: one request in, one response out, on tokio's (pausable) clock.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use crate::demo::behaviour::{AuthBehaviour, Behaviours, ThrottleBody};
use crate::demo::config::DemoConfig;
use crate::demo::desk::OpenDesk;
use crate::demo::drift::Pace;
use crate::demo::expiry::RequestMoment;
use crate::demo::fault::Fault;
use crate::demo::log::{Arrival, Judge, Outcome, RequestLog};
use crate::demo::points::{Bill, Spent};
use crate::demo::refusal::{HTML, Refusal};
use crate::demo::stand_in::{Answer, StandIn, StandInError};
use crate::demo::wall::{GivenUp, Work};

/// What clients send that know the GraphQL-over-HTTP specification, and what they are answered with.
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// What a 429 asks to wait at least: its header knows whole seconds only.
const LEAST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A stand-in's HTTP behaviour.
pub struct DemoService {
    stand_in: StandIn,
    behaviours: Behaviours,
    token: SecretString,
    desk: Option<OpenDesk>,
    seed: u64,
    started_at: Instant,
    spent: Mutex<Spent>,
    /// Turns to be worked on; `None` where nobody waits for one.
    workers: Option<Semaphore>,
    judge: Mutex<Judge>,
}

/// A request to the GraphQL address.
#[derive(Debug, Clone, Default)]
pub struct DemoRequest {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, JSON if the client knows what it does.
    pub body: Bytes,
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub struct DemoResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers, without the body's length.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// How many bytes of the body are sent before the connection is cut; `None` where it is sent in full.
    pub cut_after: Option<usize>,
}

/// Counts a request as in flight for as long as it lives, even where its client goes away.
struct InFlight<'s>(&'s DemoService);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.judge().leave();
    }
}

/// One that works on a request, until it is dropped.
struct Worker<'s> {
    service: &'s DemoService,
    _turn: Option<SemaphorePermit<'s>>,
    began_at: Instant,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.service.judge().note_work(self.began_at.elapsed());
    }
}

impl DemoService {
    /// The service of a configuration; its fixed windows begin now.
    pub fn new(config: &DemoConfig) -> Result<Self, StandInError> {
        let started_at = Instant::now();
        let token = config.token.clone().unwrap_or_else(random_token);
        let desk = config.behaviours.tokens.clone();
        Ok(Self {
            desk: desk.map(|desk| OpenDesk::new(desk, token.clone(), time_of_day())),
            stand_in: StandIn::new(config)?,
            started_at,
            spent: Mutex::default(),
            workers: config.behaviours.workers.map(|workers| Semaphore::new(workers.get())),
            judge: Mutex::new(Judge::new(
                &config.behaviours.limits,
                config.behaviours.throttle.ban,
                started_at,
            )),
            behaviours: config.behaviours.clone(),
            token,
            seed: config.seed,
        })
    }

    /// Addresses beside `/graphql` that it answers under.
    pub(crate) fn paths(&self) -> &[String] {
        &self.behaviours.paths
    }

    /// Addresses at which tokens are dealt with.
    pub(crate) fn token_paths(&self) -> BTreeSet<&str> {
        self.desk.iter().flat_map(OpenDesk::paths).collect()
    }

    /// The schema and the data.
    pub fn stand_in(&self) -> &StandIn {
        &self.stand_in
    }

    /// Who is let in.
    pub fn auth(&self) -> &AuthBehaviour {
        &self.behaviours.auth
    }

    /// The token that requests must carry.
    pub fn token(&self) -> &SecretString {
        &self.token
    }

    /// The token that takes its place where [`AuthBehaviour::replaced_from`] says so.
    pub fn next_token(&self) -> SecretString {
        SecretString::from(format!("{}-next", self.token.expose_secret()))
    }

    /// What the clients have done so far.
    pub fn log(&self) -> RequestLog {
        self.judge().log()
    }

    /// Answers one request, after the time that the stand-in takes for it.
    pub async fn handle(&self, request: DemoRequest) -> DemoResponse {
        let arrived_at = Instant::now();
        let arrival = self.judge().arrive(arrived_at);
        let _in_flight = InFlight(self);
        if let Some(refused) = self.turned_away(&arrival, &request.headers) {
            return refused;
        }
        self.judge().note_accepted(&request.body);
        if let Some(crowd) = &self.behaviours.wall.crowd
            && self.judge().turns_away(crowd.max)
        {
            return refused(crowd.refusal.clone(), &request.headers);
        }
        let bill = self.charge(&request.body, arrived_at);
        let mut response = match bill.filter(|bill| bill.is_refused) {
            Some(_) => self.out_of_points(&request.headers),
            None => self.serve(&request, (arrival.number, arrived_at), bill).await,
        };
        if let Some((points, bill)) = self.behaviours.points.as_ref().zip(bill) {
            points.tell(&bill, self.started_at.elapsed(), &mut response.headers);
        }
        response
    }

    /// What a request costs that arrived at that moment.
    fn charge(&self, body: &[u8], arrived_at: Instant) -> Option<Bill> {
        let points = self.behaviours.points.as_ref()?;
        let implied = self.stand_in.implied(body, &self.behaviours);
        let at = arrived_at.duration_since(self.started_at);
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        Some(points.charge(&mut spent, implied, at))
    }

    fn out_of_points(&self, headers: &HeaderMap) -> DemoResponse {
        self.judge().note_throttle();
        let refusal = self.behaviours.points.as_ref().map(|points| points.refusal.clone());
        refusal.map_or_else(
            || self.throttled(LEAST_RETRY_AFTER),
            |refusal| refused(refusal, headers),
        )
    }

    /// Answers a request that is let in.
    async fn serve(
        &self,
        request: &DemoRequest,
        (number, arrived_at): (u64, Instant),
        bill: Option<Bill>,
    ) -> DemoResponse {
        let fault = self.behaviours.faults.fault_at(number, self.seed);
        if let Some(fault) = fault {
            self.judge().note_fault(fault);
        }
        match fault.and_then(|fault| self.failure(fault)) {
            Some(response) => {
                sleep_until(arrived_at + self.behaviours.latency.base).await;
                response
            }
            None => self.work(request, (number, arrived_at), bill, fault).await,
        }
    }

    /// Answers a request at another address than the GraphQL one.
    pub(crate) async fn handle_call(&self, method: &str, path: &str, headers: &HeaderMap) -> DemoResponse {
        let arrived_at = Instant::now();
        let arrival = self.judge().arrive(arrived_at);
        let _in_flight = InFlight(self);
        if let Some(refused) = self.turned_away(&arrival, headers) {
            return refused;
        }
        self.judge().note_accepted(&Bytes::new());
        sleep_until(arrived_at + self.behaviours.latency.base).await;
        let desk = self.desk.as_ref();
        match desk.and_then(|desk| desk.called(method, path, time_of_day())) {
            Some(answer) => self.own(refused(answer, headers)),
            None => response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", ""),
        }
    }

    /// The answer to a request that is not let in.
    fn turned_away(&self, arrival: &Arrival, headers: &HeaderMap) -> Option<DemoResponse> {
        if let Some(wait) = arrival.refused_for {
            return Some(self.throttled(wait));
        }
        if !self.is_authorized(headers, arrival.number) {
            self.judge().note_unauthorized();
            return Some(self.unauthorized());
        }
        None
    }

    /// Answers when it is the request's turn, unless that comes too late.
    async fn work(
        &self,
        request: &DemoRequest,
        (number, arrived_at): (u64, Instant),
        bill: Option<Bill>,
        fault: Option<Fault>,
    ) -> DemoResponse {
        let wall = self.behaviours.wall.time.as_ref();
        let given_up = async {
            match wall {
                Some(wall) => {
                    sleep_until(arrived_at + wall.after).await;
                    wall.given_up()
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            worker = self.worker() => self.answer(worker, request, (number, arrived_at), bill, fault).await,
            given_up = given_up => self.give_up(request, given_up),
        }
    }

    /// A turn, first come, first served.
    async fn worker(&self) -> Worker<'_> {
        let turn = match &self.workers {
            // The semaphore is never closed.
            Some(workers) => workers.acquire().await.ok(),
            None => None,
        };
        Worker {
            service: self,
            _turn: turn,
            began_at: Instant::now(),
        }
    }

    async fn answer(
        &self,
        worker: Worker<'_>,
        request: &DemoRequest,
        (number, arrived_at): (u64, Instant),
        bill: Option<Bill>,
        fault: Option<Fault>,
    ) -> DemoResponse {
        let moment = RequestMoment {
            request: number,
            at: arrived_at.duration_since(self.started_at),
        };
        let desk = self.desk.as_ref();
        let answer = match self.behaviours.protocol.refuses_type(&request.headers) {
            Some(refusal) => Answer::refused(refusal.clone()),
            None => match desk.and_then(|desk| desk.asked(&request.body, time_of_day())) {
                Some(answer) => answer,
                None => self.stand_in.answer(&request.body, &self.behaviours, moment, bill),
            },
        };
        let work = self.measure(&answer, &worker, arrived_at, fault);
        if let Some(given_up) = self.behaviours.wall.before(work) {
            sleep_until(arrived_at + given_up.after).await;
            return self.give_up(request, given_up);
        }
        sleep_until(worker.began_at + work.takes).await;

        let cut_after = (fault == Some(Fault::Cut)).then_some(answer.body.len() / 2);
        if cut_after.is_none() {
            self.judge().note_answer(&answer.outcome, self.started_at.elapsed());
        }
        let response = match answer.outcome {
            Outcome::Refused(refusal) => refused(refusal, &request.headers),
            Outcome::RequestError => response(StatusCode::BAD_REQUEST, content_type(&request.headers), answer.body),
            _ => response(StatusCode::OK, content_type(&request.headers), answer.body),
        };
        DemoResponse {
            cut_after,
            ..self.own(response)
        }
    }

    /// What a browser is shown.
    pub(crate) fn page(&self) -> DemoResponse {
        match &self.behaviours.protocol.page {
            Some(page) => self.own(refused(page.clone(), &HeaderMap::new())),
            None => {
                let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "");
                refused.headers.insert(ALLOW, HeaderValue::from_static("POST"));
                refused
            }
        }
    }

    /// An answer of the API's own.
    fn own(&self, mut response: DemoResponse) -> DemoResponse {
        for (name, value) in &self.behaviours.protocol.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers.insert(name, value);
            }
        }
        response
    }

    /// How the work on an answer would go.
    fn measure(&self, answer: &Answer, worker: &Worker<'_>, arrived_at: Instant, fault: Option<Fault>) -> Work {
        let Behaviours {
            latency, wall, drift, ..
        } = &self.behaviours;
        let now = worker.began_at.duration_since(self.started_at);
        let pace = Pace::at(now, drift, wall.rows.as_ref().map(|wall| wall.max));
        let late = match fault {
            Some(Fault::Slow) => self.behaviours.faults.slow_by,
            _ => Duration::ZERO,
        };
        Work {
            rows: answer.outcome.rows().count() as u64,
            most_rows: pace.wall_rows,
            waited: worker.began_at.duration_since(arrived_at),
            takes: latency.of(&answer.outcome, answer.body.len(), pace.latency) + late,
        }
    }

    fn give_up(&self, request: &DemoRequest, given_up: GivenUp) -> DemoResponse {
        self.judge().note_wall(request.body.clone());
        refused(given_up.refusal, &request.headers)
    }

    /// What a fault puts in the place of an answer; `None` for faults that strike the answer itself.
    fn failure(&self, fault: Fault) -> Option<DemoResponse> {
        let status = match fault {
            Fault::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Fault::JsonError => {
                let body = r#"{"name":"internal-error","message":"Something went wrong","data":{}}"#;
                return Some(response(StatusCode::INTERNAL_SERVER_ERROR, "application/json", body));
            }
            Fault::BadGateway => StatusCode::BAD_GATEWAY,
            Fault::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Fault::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
            Fault::Html => StatusCode::OK,
            Fault::Throttle => return Some(self.throttled(self.behaviours.throttle.injected_wait)),
            Fault::TransientErrors => {
                let body = r#"{"errors":[{"message":"Service unavailable, please retry"}],"data":null}"#;
                return Some(response(StatusCode::OK, "application/json", body));
            }
            Fault::NoData => {
                let body = r#"{"errors":[{"message":"Internal server error"}]}"#;
                return Some(response(StatusCode::OK, "application/json", body));
            }
            Fault::Cut | Fault::Slow => return None,
        };
        let title = match fault {
            Fault::Html => "Something went wrong",
            _ => status.canonical_reason().unwrap_or_default(),
        };
        let page =
            format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
        Some(response(status, HTML, page))
    }

    fn throttled(&self, wait: Duration) -> DemoResponse {
        let throttle = &self.behaviours.throttle;
        let (content_type, body) = match throttle.body {
            ThrottleBody::Json => (
                "application/json",
                r#"{"errors":[{"message":"Too many requests","extensions":{"code":"RATE_LIMITED"}}]}"#,
            ),
            ThrottleBody::Html => (
                HTML,
                "<!DOCTYPE html>\n<html><head><title>Access denied</title></head><body>error code: 1015</body></html>\n",
            ),
            ThrottleBody::Challenge => (
                HTML,
                "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={};</script></body></html>\n",
            ),
            ThrottleBody::Text => ("text/plain", "Retry later\n"),
        };
        let status = StatusCode::from_u16(throttle.status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
        let mut throttled = match &throttle.refusal {
            Some(refusal) => refused(refusal.clone(), &HeaderMap::new()),
            None => response(status, content_type, body),
        };
        if throttle.retry_after {
            let seconds = wait.max(LEAST_RETRY_AFTER).as_secs_f64().ceil() as u64;
            throttled.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        throttled
    }

    fn unauthorized(&self) -> DemoResponse {
        let AuthBehaviour { status, body, .. } = self.behaviours.auth.clone();
        self.own(refused(Refusal { status, body }, &HeaderMap::new()))
    }

    fn is_authorized(&self, headers: &HeaderMap, number: u64) -> bool {
        let auth = &self.behaviours.auth;
        if !auth.required {
            return true;
        }
        let is_replaced = auth.replaced_from.is_some_and(|request| number >= request);
        let token = if is_replaced {
            self.next_token()
        } else {
            self.token.clone()
        };
        let is_taken = |carried: &str| match &self.desk {
            Some(desk) if !is_replaced => desk.takes(carried, time_of_day()),
            _ => carried == token.expose_secret(),
        };
        auth.tokens_in(headers).any(is_taken)
    }

    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In seconds since 1970. Tokens end by it, and nothing else depends on it.
fn time_of_day() -> u64 {
    Timestamp::now().as_second().unsigned_abs()
}

/// 128 random bits.
fn random_token() -> SecretString {
    SecretString::from(format!("demo-{:032x}", rand::random::<u128>()))
}

fn content_type(headers: &HeaderMap) -> &'static str {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains(GRAPHQL_RESPONSE)) {
        return GRAPHQL_RESPONSE;
    }
    "application/json"
}

/// An answer in the place of data.
fn refused(refusal: Refusal, headers: &HeaderMap) -> DemoResponse {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let content_type = refusal.content_type(content_type(headers));
    response(status, content_type, refusal.body)
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> DemoResponse {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    DemoResponse {
        status,
        headers,
        body: body.into(),
        cut_after: None,
    }
}

#[cfg(test)]
mod client;
#[cfg(test)]
mod conviso;
#[cfg(test)]
mod cursors;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod styles;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod traps;
#[cfg(test)]
mod walls;
#[cfg(test)]
mod withheld;
