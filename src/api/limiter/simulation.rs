//! Plays the limiter against an API that counts arrivals, in simulated time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures::future::join_all;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep, timeout};

use super::gate::{Limiter, PermitError};
use super::permit_log::PermitLog;
use crate::clock::Clock;
use crate::project::{CountedBy, Limits, QueryLimits, RequestLimit, Timing};
use crate::report::{Event, Observer};

const SECOND: Duration = Duration::from_secs(1);

/// An API, the way to it, and what is asked of it. Times are in milliseconds.
#[derive(Debug, Clone)]
struct World {
    /// Requests and the window they are counted in.
    windows: Vec<(u32, u64)>,
    margin: u64,
    concurrency: usize,
    workers: usize,
    /// Processes among which the workers are shared out, each with a limiter of its own.
    processes: usize,
    /// Tokens among which the processes are shared out, each with all of `windows`.
    tokens: usize,
    /// Windows that all tokens have together.
    host_windows: Vec<(u32, u64)>,
    /// Query files among which the workers are shared out.
    queries: usize,
    /// The way to the API: what all requests need, and what one may need more.
    way: u64,
    jitter: u64,
    /// From arrival to response.
    latency: RangeInclusive<u64>,
    /// In how many of a hundred requests a connection is opened first, and how long that takes.
    cold_percent: u32,
    handshake: RangeInclusive<u64>,
    /// Whether the limiter is told that a request waited for its connection.
    admits_cold: bool,
    /// In how many of a hundred requests a worker is idle afterwards, and in how many the API throttles.
    idle_percent: u32,
    throttle_percent: u32,
    lasts: u64,
    seed: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            windows: vec![(100, 60_000)],
            margin: 1000,
            concurrency: 16,
            workers: 40,
            processes: 1,
            tokens: 1,
            host_windows: Vec::new(),
            queries: 1,
            way: 20,
            jitter: 1000,
            latency: 50..=6000,
            cold_percent: 0,
            handshake: 50..=3000,
            admits_cold: true,
            idle_percent: 0,
            throttle_percent: 0,
            lasts: 600_000,
            seed: 1,
        }
    }
}

/// What the API and an onlooker saw; moments are milliseconds from the beginning.
#[derive(Default)]
struct Record {
    /// Each with the number of its token.
    arrivals: RefCell<Vec<(u64, usize)>>,
    sends: RefCell<Vec<u64>>,
    pauses: RefCell<Vec<(u64, u64)>>,
    /// Numbers of the requests of each query file, in the order in which they were let through.
    grants: RefCell<BTreeMap<String, Vec<u64>>>,
    in_flight: Cell<usize>,
    most_in_flight: Cell<usize>,
}

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + 1_763_760_000 * SECOND
}

struct Silent;

impl Observer for Silent {
    fn notice(&self, _: &Event) {}
}

fn limits(windows: &[(u32, u64)], margin: u64, concurrency: usize) -> Limits {
    let requests = windows.iter().map(|&(max, per)| RequestLimit {
        max,
        per: Duration::from_millis(per),
        margin: Duration::from_millis(margin),
        counted_by: CountedBy::Token,
    });
    Limits {
        requests: requests.collect(),
        concurrency,
        query: QueryLimits::default(),
        page_size: 100,
        response_bytes: 1024,
    }
}

fn limiter(windows: &[(u32, u64)], margin: u64, concurrency: usize) -> Limiter {
    Limiter::new("api", &limits(windows, margin, concurrency), None, Arc::new(Silent))
}

fn open_log(folder: &tempfile::TempDir, clock: &Clock, limits: &Limits) -> PermitLog {
    let timing = Timing {
        target: SECOND,
        timeout: 30 * SECOND,
        connect_timeout: SECOND,
        read_timeout: SECOND,
    };
    PermitLog::open(&folder.path().join("permits"), clock.clone(), limits, &timing).unwrap()
}

impl World {
    fn run(&self) -> Record {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(self.play())
    }

    async fn play(&self) -> Record {
        let folder = tempfile::TempDir::new().unwrap();
        let clock = Clock::simulated(noon());
        let processes = 0..self.processes;
        let limiters: Vec<Limiter> = processes
            .map(|process| self.limiter(process, &folder, &clock))
            .collect();
        let record = Record::default();
        let tickets = Cell::new(0);
        let start = Instant::now();
        let workers = (0..self.workers).map(|worker| {
            let limiter = &limiters[worker % self.processes];
            self.work(worker, limiter, &record, &tickets, start)
        });
        join_all(workers).await;
        record.arrivals.borrow_mut().sort_unstable();
        record
    }

    /// The limiter of one process; a process that is alone needs no log.
    fn limiter(&self, process: usize, folder: &tempfile::TempDir, clock: &Clock) -> Limiter {
        let mut limits = limits(&self.windows, self.margin, self.concurrency);
        let of_host = self::limits(&self.host_windows, self.margin, self.concurrency).requests;
        limits.requests.extend(of_host.into_iter().map(|limit| RequestLimit {
            counted_by: CountedBy::Host,
            ..limit
        }));
        let token = format!("token{}", process % self.tokens);
        let log = (self.processes > 1).then(|| open_log(folder, clock, &limits).of_token(&token));
        Limiter::new("api", &limits, log, Arc::new(Silent))
    }

    async fn work(&self, worker: usize, limiter: &Limiter, record: &Record, tickets: &Cell<u64>, start: Instant) {
        let mut random = StdRng::seed_from_u64(self.seed * 1000 + worker as u64);
        let (_sender, stop) = watch::channel(false);
        let millis = || start.elapsed().as_millis() as u64;
        while millis() < self.lasts {
            let ticket = tickets.replace(tickets.get() + 1);
            let query = (worker % self.queries).to_string();
            let permit = limiter.permit(&query, &stop).await.unwrap();
            record.grants.borrow_mut().entry(query).or_default().push(ticket);
            record.sends.borrow_mut().push(millis());
            let cold = random.random_range(0..100) < self.cold_percent;
            let handshake = if cold {
                random.random_range(self.handshake.clone())
            } else {
                0
            };
            let way = self.way + random.random_range(0..=self.jitter);
            let latency = random.random_range(self.latency.clone());
            let connected_at = Cell::new(None);
            let exchange = async {
                record.in_flight.set(record.in_flight.get() + 1);
                record
                    .most_in_flight
                    .set(record.most_in_flight.get().max(record.in_flight.get()));
                sleep(Duration::from_millis(handshake)).await;
                connected_at.set(Some(Instant::now()));
                sleep(Duration::from_millis(way)).await;
                let token = worker % self.processes % self.tokens;
                record.arrivals.borrow_mut().push((millis(), token));
                sleep(Duration::from_millis(latency)).await;
                record.in_flight.set(record.in_flight.get() - 1);
            };
            let left_by = |sent| {
                if cold && self.admits_cold {
                    connected_at.get()
                } else {
                    Some(sent)
                }
            };
            permit.accompany(exchange, left_by).await;
            if random.random_range(0..100) < self.throttle_percent {
                let pause = random.random_range(100..10_000);
                limiter.pause(Instant::now() + Duration::from_millis(pause));
                record.pauses.borrow_mut().push((millis(), millis() + pause));
            }
            if random.random_range(0..100) < self.idle_percent {
                sleep(Duration::from_millis(random.random_range(0..30_000))).await;
            }
        }
    }

    /// The first window that the API would have found overrun.
    fn overrun(&self, record: &Record) -> Option<String> {
        let arrivals = record.arrivals.borrow();
        let of_host: Vec<u64> = arrivals.iter().map(|(at, _)| *at).collect();
        let of_token = |token| -> Vec<u64> {
            let own = arrivals.iter().filter(|(_, own)| *own == token);
            own.map(|(at, _)| *at).collect()
        };
        let mut tokens = (0..self.tokens).map(of_token);
        overrun(&self.host_windows, &of_host).or_else(|| tokens.find_map(|own| overrun(&self.windows, &own)))
    }

    /// What share of the budget of all whole windows was used.
    fn usage(&self, record: &Record) -> f64 {
        let (max, per) = self.windows[0];
        let windows = self.lasts / per;
        let used = record
            .arrivals
            .borrow()
            .iter()
            .filter(|(arrival, _)| *arrival < windows * per)
            .count();
        used as f64 / (windows * u64::from(max)) as f64
    }
}

/// The first of these windows that an API would have found overrun.
fn overrun(windows: &[(u32, u64)], arrivals: &[u64]) -> Option<String> {
    for &(max, per) in windows {
        let sliding = arrivals
            .windows(max as usize + 1)
            .find(|some| some[max as usize] - some[0] < per);
        if let Some(some) = sliding {
            return Some(format!(
                "{} requests in a window of {per} ms from {} ms on",
                some.len(),
                some[0]
            ));
        }
        for phase in (0..per).step_by((per as usize / 7).max(1)) {
            let mut counts = std::collections::HashMap::<u64, u32>::new();
            for arrival in arrivals.iter() {
                *counts.entry((arrival + phase) / per).or_default() += 1;
            }
            if let Some((window, count)) = counts.into_iter().find(|(_, count)| *count > max) {
                return Some(format!(
                    "{count} requests in fixed window {window} of {per} ms at phase {phase}"
                ));
            }
        }
    }
    None
}

fn any_world() -> impl Strategy<Value = World> {
    let window = prop_oneof![
        (1..6_u32, Just(1000_u64)),
        (1..40_u32, Just(10_000_u64)),
        (1..120_u32, Just(60_000_u64)),
    ];
    let windows = prop::collection::vec(window, 1..=3);
    let traffic = (
        1..24_usize,
        1..60_usize,
        1..4_usize,
        0..100_u64,
        0..1000_u64,
        1..4_usize,
    );
    let scopes = (1..3_usize, prop::collection::vec((1..9_u32, Just(1000_u64)), 0..2));
    let faults = (0..30_u32, 0..60_u32, 0..5_u32);
    (windows, traffic, scopes, faults, any::<u16>()).prop_map(|(windows, traffic, scopes, faults, seed)| {
        let (tokens, host_windows) = scopes;
        let (concurrency, workers, queries, way, margin, processes) = traffic;
        let (cold_percent, idle_percent, throttle_percent) = faults;
        World {
            windows,
            margin,
            jitter: margin,
            concurrency,
            workers,
            processes,
            tokens,
            host_windows,
            queries,
            way,
            cold_percent,
            idle_percent,
            throttle_percent,
            lasts: 200_000,
            seed: u64::from(seed),
            ..World::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_window_of_the_api_is_ever_overrun(world in any_world()) {
        let record = world.run();
        prop_assert_eq!(world.overrun(&record), None);
        prop_assert!(record.most_in_flight.get() <= world.concurrency * world.processes);
        if world.processes > 1 {
            // Each process keeps its own order, and its own pauses.
            return Ok(());
        }
        let grants = record.grants.borrow();
        prop_assert!(grants.values().all(|grants| grants.is_sorted()), "not in the order of coming");
        let (sends, pauses) = (record.sends.borrow(), record.pauses.borrow());
        for (from, until) in pauses.iter() {
            prop_assert!(!sends.iter().any(|sent| from < sent && sent < until), "sent while paused");
        }
    }
}

#[test]
fn the_budget_of_a_minute_is_used_up() {
    for seed in 1..=5 {
        let world = World {
            seed,
            ..World::default()
        };
        let record = world.run();
        assert_eq!(world.overrun(&record), None);
        assert!(world.usage(&record) >= 0.98, "{}", world.usage(&record));
    }
}

#[test]
fn several_processes_use_up_one_budget_together() {
    for processes in [2, 5] {
        let world = World {
            processes,
            ..World::default()
        };
        let record = world.run();
        assert_eq!(world.overrun(&record), None);
        assert!(world.usage(&record) >= 0.97, "{}", world.usage(&record));
    }
}

/// Fibery's: three a second for each token, and seven for all tokens of a workspace.
#[test]
fn tokens_of_one_workspace_keep_to_its_budget_and_each_to_its_own() {
    for (processes, tokens, most) in [(2, 2, 6), (4, 2, 6), (3, 3, 7), (5, 5, 7)] {
        let world = World {
            windows: vec![(3, 1000)],
            host_windows: vec![(7, 1000)],
            processes,
            tokens,
            margin: 20,
            jitter: 20,
            latency: 100..=300,
            lasts: 60_000,
            ..World::default()
        };
        let record = world.run();
        assert_eq!(world.overrun(&record), None, "{processes} processes");
        let share = record.arrivals.borrow().len() as f64 / (60.0 * f64::from(most));
        assert!(share >= 0.8, "{processes} processes with {tokens} tokens: {share}");
    }
}

#[test]
fn connections_opened_now_and_then_do_not_cost_the_budget() {
    let world = World {
        cold_percent: 3,
        handshake: 50..=300,
        ..World::default()
    };
    let record = world.run();
    assert_eq!(world.overrun(&record), None);
    assert!(world.usage(&record) >= 0.98, "{}", world.usage(&record));
}

#[test]
fn the_budget_of_a_second_is_used_up() {
    let world = World {
        windows: vec![(3, 1000)],
        margin: 20,
        jitter: 20,
        latency: 200..=200,
        lasts: 120_000,
        ..World::default()
    };
    let record = world.run();
    assert_eq!(world.overrun(&record), None);
    assert!(world.usage(&record) >= 0.98, "{}", world.usage(&record));
}

#[test]
fn a_slot_that_came_back_a_window_after_sending_would_overrun_the_api() {
    let naive = World {
        margin: 0,
        ..World::default()
    };
    assert!(naive.overrun(&naive.run()).is_some());
}

#[test]
fn a_margin_that_was_taken_to_cover_connecting_would_overrun_the_api() {
    let world = World {
        cold_percent: 10,
        ..World::default()
    };
    assert_eq!(world.overrun(&world.run()), None);
    let naive = World {
        admits_cold: false,
        ..world
    };
    assert!(naive.overrun(&naive.run()).is_some());
}

/// Sends at most `max` requests in any 10 s, as a process that is killed again and again does.
#[tokio::test(start_paused = true)]
async fn a_crash_loop_does_not_exceed_the_budget() {
    const MAX: usize = 20;
    let directory = tempfile::TempDir::new().unwrap();
    let limits = limits(&[(MAX as u32, 10_000)], 200, 8);
    let timing = Timing {
        target: SECOND,
        timeout: 5 * SECOND,
        connect_timeout: SECOND,
        read_timeout: SECOND,
    };
    let clock = Clock::simulated(noon());
    let mut random = StdRng::seed_from_u64(7);
    let start = Instant::now();
    let mut arrivals = Vec::new();
    let (_sender, stop) = watch::channel(false);
    for _ in 0..60 {
        let log = PermitLog::open(&directory.path().join("permits"), clock.clone(), &limits, &timing).unwrap();
        let limiter = Limiter::new("api", &limits, Some(log), Arc::new(Silent));
        let killed_at = Instant::now() + Duration::from_millis(random.random_range(0..15_000));
        let sent = RefCell::new(Vec::new());
        let random = RefCell::new(&mut random);
        let worker = || async {
            loop {
                let permit = limiter.permit("q", &stop).await.unwrap();
                // What is on its way when the process dies arrives nevertheless.
                let way = random.borrow_mut().random_range(0..=200);
                sent.borrow_mut().push(start.elapsed().as_millis() as u64 + way);
                let response = Duration::from_millis(way + random.borrow_mut().random_range(0..4000));
                permit.accompany(sleep(response), Some).await;
            }
        };
        let mut process = Box::pin(join_all((0..8).map(|_| worker())));
        assert!(timeout(killed_at - Instant::now(), &mut process).await.is_err());
        // Dropped, the requests in flight would be noted as arrived; a dead process notes nothing.
        std::mem::forget(process);
        arrivals.extend(sent.take());
    }
    arrivals.sort_unstable();
    let overrun = arrivals.windows(MAX + 1).find(|some| some[MAX] - some[0] < 10_000);
    assert_eq!(overrun, None);
    let share = arrivals.len() as f64 / (start.elapsed().as_secs_f64() / 10.0 * MAX as f64);
    assert!(share > 0.6, "a restart costs no more than what was in flight: {share}");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_waiting_and_leaves_no_trace_of_it() {
    let limiter = limiter(&[(1, 60_000)], 0, 9);
    let (sender, stop) = watch::channel(false);
    limiter
        .permit("q", &stop)
        .await
        .unwrap()
        .accompany(async {}, Some)
        .await;
    let stopping = async {
        sleep(SECOND).await;
        sender.send(true).unwrap();
    };
    let (head, next, ()) = tokio::join!(limiter.permit("q", &stop), limiter.permit("q", &stop), stopping);
    assert!(matches!(head.err().unwrap(), PermitError::Stopped));
    assert!(matches!(next.err().unwrap(), PermitError::Stopped));
    assert!(matches!(
        limiter.permit("q", &stop).await.err().unwrap(),
        PermitError::Stopped
    ));
    let (_sender, going_on) = watch::channel(false);
    advance(60 * SECOND).await;
    assert!(limiter.permit("q", &going_on).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_request_that_is_dropped_does_not_block_those_behind() {
    let limiter = limiter(&[(1, 1000)], 0, 9);
    let (_sender, stop) = watch::channel(false);
    limiter
        .permit("q", &stop)
        .await
        .unwrap()
        .accompany(async {}, Some)
        .await;
    let impatient = timeout(Duration::from_millis(300), limiter.permit("q", &stop));
    let start = Instant::now();
    let (dropped, patient) = tokio::join!(impatient, limiter.permit("q", &stop));
    assert!(dropped.is_err());
    assert!(patient.is_ok());
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_slot_comes_back_although_its_request_is_not_answered_yet() {
    let limiter = limiter(&[(1, 1000)], 100, 9);
    let (_sender, stop) = watch::channel(false);
    let slow = async {
        let permit = limiter.permit("q", &stop).await.unwrap();
        // Its connection is open after 250 ms, which is seen at the third look: after 300 ms.
        let opened = Instant::now() + Duration::from_millis(250);
        let left_by = |_| Some(opened).filter(|opened| *opened <= Instant::now());
        permit.accompany(sleep(30 * SECOND), left_by).await;
    };
    let start = Instant::now();
    let next = async {
        let _permit = limiter.permit("q", &stop).await.unwrap();
        start.elapsed()
    };
    let ((), next) = tokio::join!(slow, next);
    assert_eq!(next, Duration::from_millis(250 + 100 + 1000));
}

#[tokio::test(start_paused = true)]
async fn an_unused_permit_costs_nothing_and_an_abandoned_exchange_counts_from_then() {
    let limiter = limiter(&[(1, 60_000)], 100, 1);
    let (_sender, stop) = watch::channel(false);
    drop(limiter.permit("q", &stop).await.unwrap());
    let start = Instant::now();
    let permit = limiter.permit("q", &stop).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let abandoned = timeout(5 * SECOND, permit.accompany(std::future::pending::<()>(), |_| None)).await;
    assert!(abandoned.is_err());
    limiter.permit("q", &stop).await.unwrap();
    assert_eq!(start.elapsed(), 65 * SECOND);
}

struct Events(Mutex<Vec<(Instant, Event)>>);

impl Observer for Events {
    fn notice(&self, event: &Event) {
        self.0.lock().unwrap().push((Instant::now(), event.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_told_while_requests_wait_and_not_too_often() {
    let events = Arc::new(Events(Mutex::default()));
    let observer: Arc<Events> = Arc::clone(&events);
    let limiter = Limiter::new("api", &limits(&[(50, 60_000)], 0, 9), None, observer);
    let (_sender, stop) = watch::channel(false);
    for _ in 0..51 {
        let permit = limiter.permit("q", &stop).await.unwrap();
        permit.accompany(sleep(Duration::from_millis(3)), Some).await;
    }
    let told = events.0.lock().unwrap();
    for pair in told.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_millis(100));
    }
    let while_waiting = told
        .iter()
        .find(|(_, event)| matches!(event, Event::Budget { waiting: 1, .. }));
    let Some((
        _,
        Event::Budget {
            window: Some(window),
            in_flight: 0,
            next_permit: Some(next),
            ..
        },
    )) = while_waiting
    else {
        panic!("{told:?}");
    };
    assert_eq!((window.used, window.max), (50, 50));
    assert!((59 * SECOND..60 * SECOND).contains(next), "{next:?}");
}

#[tokio::test(start_paused = true)]
async fn the_limiter_tells_how_many_requests_could_be_sent() {
    let (_sender, stop) = watch::channel(false);
    let unlimited = limiter(&[], 0, 9);
    assert_eq!((unlimited.free_permits(), unlimited.window()), (None, None));

    let limiter = limiter(&[(3, 1000), (60, 60_000)], 0, 4);
    // Sixty a minute are fewer than three a second.
    let per = limiter.window().map(|limit| limit.per);
    assert_eq!((limiter.free_permits(), per), (Some(3), Some(60 * SECOND)));
    let held = [(); 3].map(|()| limiter.permit("q", &stop));
    let held: Vec<_> = join_all(held).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(limiter.free_permits(), Some(0));
    let waiting = timeout(SECOND / 2, limiter.permit("q", &stop));
    let look = async {
        sleep(SECOND / 4).await;
        limiter.waiting()
    };
    let (given_up, waited) = tokio::join!(waiting, look);
    assert!(given_up.is_err());
    assert_eq!((waited, limiter.waiting()), (1, 0));
    drop(held);
    assert_eq!(limiter.free_permits(), Some(3), "they were never sent");
    limiter.pause(Instant::now() + SECOND);
    assert_eq!(limiter.free_permits(), Some(0));
    advance(SECOND).await;
    assert_eq!(limiter.free_permits(), Some(3));
}

/// Keeps what it is told in words.
#[derive(Default)]
struct Words(Mutex<Vec<String>>);

impl Observer for Words {
    fn notice(&self, event: &Event) {
        if let Event::Notice { text, .. } = event {
            self.0.lock().unwrap().push(text.clone());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_another_process_holds_is_waited_for_with_a_word_and_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let limits = limits(&[(9, 1000)], 0, 9);
    let log = open_log(&folder, &Clock::simulated(noon()), &limits);
    let words = Arc::new(Words::default());
    let observer: Arc<Words> = Arc::clone(&words);
    let limiter = Limiter::new("api", &limits, Some(log), observer);
    let holder = fs_err::File::open(folder.path().join("permits.lock")).unwrap();
    let hold = || holder.file().try_lock().unwrap();

    hold();
    let (stop, stopping) = watch::channel(false);
    let ask = || limiter.permit("q", &stopping);
    let let_go = async {
        advance(4 * SECOND).await;
        sleep(SECOND).await;
        holder.file().unlock().unwrap();
    };
    let (granted, ()) = tokio::join!(ask(), let_go);
    granted.unwrap().accompany(async {}, Some).await;
    let told = words.0.lock().unwrap().join("\n");
    assert!(
        told.starts_with("api: waits for the budget: another process holds `"),
        "{told}"
    );
    assert!(told.contains("permits.lock") && !told.contains('\n'), "{told}");

    hold();
    let (refused, ()) = tokio::join!(ask(), advance(31 * SECOND));
    let error = refused.err().unwrap();
    assert!(matches!(error, PermitError::LogHeld(_)), "{error}");
    assert!(error.to_string().contains("permits.lock"), "{error}");
    holder.file().unlock().unwrap();
    ask().await.unwrap();

    hold();
    let told_to_stop = async {
        advance(SECOND).await;
        stop.send(true).unwrap();
    };
    let (stopped, ()) = tokio::join!(ask(), told_to_stop);
    assert!(matches!(stopped.err().unwrap(), PermitError::Stopped));
}
