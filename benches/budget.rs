//! How much of a budget is used, and how many rows a minute come of it, from a server whose rows become five times as slow
//! and fast again, and that gives up after half a minute; beside clients that ask for pages of one fixed size.
//!
//! `cargo bench --bench budget`; in simulated time, so that the figures are those of the server alone. A cold run, and one
//! with last night's memory.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and ends where anything goes wrong"
)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use gqldump::api::{HeaderMap, HeaderValue};
use gqldump::demo::{
    DemoConfig, DemoRequest, DemoService, DriftStep, FaultPlan, Latency, Refusal, RequestLog, RequestWindow, TimeWall,
};
use gqldump::run::QueryOutcome;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep_until};

#[path = "../tests/simulation.rs"]
mod simulation;

use simulation::Simulation;

const WINDOW: Duration = Duration::from_secs(60);
const A_WINDOW: usize = 100;
const CONCURRENCY: usize = 16;
/// The most rows on a page.
const CAP: u64 = 5_000;
/// Three hundred times the 3,500 rows that the stand-in has.
const SCALE: f64 = 300.0;

/// Of the budget, and of the rows a minute of the best fixed size.
const BUDGET_TARGET: f64 = 0.95;
const ROWS_TARGET: f64 = 0.90;

const QUERY: &str = "{ assetCollection { items { sys { id } file size } } }";

fn main() {
    let mut best: f64 = 0.0;
    for size in [10, 100, 250, 500, 1_000, 1_500, 2_000, 2_500, 2_900, 4_000, CAP] {
        let told = fixed(size);
        println!("pages of {size}: {told}");
        best = best.max(told.rows_a_minute());
    }
    let folder = tempfile::tempdir().expect("a folder");
    write_project(folder.path());
    let mut simulation = Simulation::new(folder.path(), server());
    for name in ["a first run", "with last night's memory"] {
        let simulated = simulation.run();
        assert_eq!(simulated.outcomes, [QueryOutcome::Complete]);
        let told = Told::of(&simulated.service.log(), simulated.took);
        println!(
            "{name}: {told}; {:.2} of the best fixed size (target {ROWS_TARGET}), budget target {BUDGET_TARGET}",
            told.rows_a_minute() / best
        );
    }
}

/// What a client came to.
struct Told {
    rows: u64,
    requests: u64,
    walls: u64,
    /// While there was something to be asked for.
    asked: Duration,
    took: Duration,
}

impl Told {
    fn of(log: &RequestLog, took: Duration) -> Self {
        Self {
            rows: log.rows,
            requests: log.requests,
            walls: log.walls_hit,
            asked: Duration::from_millis(log.last_arrival_ms),
            took,
        }
    }

    fn rows_a_minute(&self) -> f64 {
        self.rows as f64 / (self.took.as_secs_f64() / 60.0)
    }

    /// Of all requests that the window lets through while there is something to be asked for.
    fn budget(&self) -> f64 {
        let windows = self.asked.as_secs_f64() / WINDOW.as_secs_f64();
        self.requests as f64 / (A_WINDOW as f64 * windows.max(1.0))
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:.0} rows a minute, {} requests, {:.2} of the budget, {} in vain, {:.0} s",
            self.rows_a_minute(),
            self.requests,
            self.budget(),
            self.walls,
            self.took.as_secs_f64()
        )
    }
}

fn server() -> DemoConfig {
    let mut config = DemoConfig::named("press").expect("a stand-in");
    config.rows_scale = SCALE;
    let behaviours = &mut config.behaviours;
    behaviours.faults = FaultPlan::none();
    behaviours.limits = vec![RequestWindow {
        max: u32::try_from(A_WINDOW).expect("a number"),
        per: WINDOW,
        window: Default::default(),
    }];
    behaviours.latency = Latency {
        base: Duration::from_millis(200),
        per_node: Duration::from_millis(2),
        ..Latency::default()
    };
    let assets = behaviours.paging.fields.get_mut("Query.assetCollection");
    assets.expect("the assets").cap = Some(CAP);
    behaviours.wall.time = Some(TimeWall {
        after: Duration::from_secs(30),
        refusal: Refusal::gateway_timeout(),
    });
    let step = |minutes: u64, latency| DriftStep {
        at: Duration::from_secs(60 * minutes),
        latency: Some(latency),
        wall_rows: None,
        smooth: true,
    };
    behaviours.drift = vec![step(1, 5.0), step(3, 1.0), step(5, 5.0), step(7, 1.0)];
    config
}

fn write_project(folder: &Path) {
    let source = folder.join("queries/press");
    fs_err::create_dir_all(&source).expect("a folder");
    let settings = format!(
        "endpoint = 'demo:'\n[limits]\nrequests = [{{ max = {A_WINDOW}, per = '1m' }}]\nconcurrency = {CONCURRENCY}\n\
         page_size = {CAP}\n"
    );
    fs_err::write(source.join("source.toml"), settings).expect("a file");
    fs_err::write(source.join("assets.graphql"), QUERY).expect("a file");
}

/// A client that asks for one page after the other, `CONCURRENCY` at once, each again until it comes.
fn fixed(size: u64) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let service = DemoService::new(&server()).expect("a stand-in");
        let rows = (3_500.0 * SCALE) as u64;
        let (next, sent) = (Cell::new(0), RefCell::new(VecDeque::new()));
        let began = Instant::now();
        // Slow sizes are stopped after half an hour: they are told by their rows a minute.
        let until = began + 30 * WINDOW;
        let worker = async || {
            while next.get() < rows && Instant::now() < until {
                let offset = next.replace(next.get() + size);
                while !ask(&service, &sent, offset, size).await && Instant::now() < until {}
            }
        };
        join_all((0..CONCURRENCY).map(|_| worker())).await;
        Told::of(&service.log(), began.elapsed())
    })
}

/// Asks for a page within the window; whether it came.
async fn ask(service: &DemoService, sent: &RefCell<VecDeque<Instant>>, offset: u64, size: u64) -> bool {
    loop {
        let oldest = sent.borrow().front().copied();
        match oldest {
            Some(oldest) if sent.borrow().len() >= A_WINDOW => {
                let free_at = oldest + WINDOW;
                sleep_until(free_at).await;
                sent.borrow_mut().retain(|sent| *sent + WINDOW > Instant::now());
            }
            _ => break,
        }
    }
    sent.borrow_mut().push_back(Instant::now());
    let query = format!("{{assetCollection(skip:{offset},limit:{size}){{total items{{sys{{id}}file size}}}}}}");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let token = format!("Bearer {}", service.token().expose_secret());
    headers.insert("authorization", token.parse().expect("a header"));
    let body = serde_json::json!({ "query": query }).to_string().into();
    service.handle(DemoRequest { headers, body }).await.status.is_success()
}
