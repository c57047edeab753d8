//! Whole exports in simulated time: the engine, its limiter, state and files against a stand-in in the same process.
//!
//! The clock stands still while anything is computed or written, and goes on to the next moment at which something
//! happens when there is nothing to do. So an export takes as long as the API makes it take, on any machine, and no
//! real time. Benchmarks use this file, too.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures::future::BoxFuture;
use gqldump::api::{HeaderMap, HeaderValue, HttpRequest, HttpResponse, Transport, TransportError};
use gqldump::clock::Clock;
use gqldump::demo::{DemoConfig, DemoRequest, DemoService};
use gqldump::output::Format;
use gqldump::plan::{GraphqlFile, QueryDocument};
use gqldump::project::{Project, Source};
use gqldump::report::{Event, Observer};
use gqldump::run::{QueryOutcome, RunSettings, SourceJob, run_source};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// The first night, in seconds since 1970: 2026-11-22T03:15:00Z.
const FIRST_NIGHT: u64 = 1_795_317_300;
/// From one night's run to the next: a stored schema lasts as long.
const A_NIGHT: Duration = Duration::from_secs(20 * 3600);

/// Runs of one source, night after night, against a stand-in that begins anew each time.
pub(crate) struct Simulation {
    folder: PathBuf,
    /// What the next run is against.
    pub(crate) stand_in: DemoConfig,
    nights: u32,
}

/// What one run came to.
pub(crate) struct Simulated {
    /// How each query file ended, in the order of their names.
    pub(crate) outcomes: Vec<QueryOutcome>,
    /// From the first request's permit to the last part, on the clock of the simulation.
    pub(crate) took: Duration,
    /// The stand-in, with its log and its data.
    pub(crate) service: Arc<DemoService>,
}

impl Simulation {
    /// Runs of the only source in `queries/` of a folder. Its endpoint counts for nothing, and neither does its token.
    pub(crate) fn new(folder: &Path, stand_in: DemoConfig) -> Self {
        Self {
            folder: folder.to_owned(),
            stand_in,
            nights: 0,
        }
    }

    /// The next night's run.
    pub(crate) fn run(&mut self) -> Simulated {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build();
        let start = UNIX_EPOCH + Duration::from_secs(FIRST_NIGHT) + A_NIGHT * self.nights;
        self.nights += 1;
        runtime.expect("a runtime").block_on(async {
            let service = Arc::new(DemoService::new(&self.stand_in).expect("a stand-in"));
            let job = self.job(&service);
            let (_sender, stop) = watch::channel(false);
            let settings = RunSettings {
                output: self.folder.join("output"),
                store: None,
                format: Format::default(),
                variables: Default::default(),
                is_fresh: false,
                wait: Duration::ZERO,
                budgets: None,
                clock: Clock::simulated(start),
                observer: Arc::new(Unheard),
                stop,
            };
            let began = Instant::now();
            let outcomes = run_source(&job, &settings).await.expect("a run");
            Simulated {
                outcomes,
                took: began.elapsed(),
                service,
            }
        })
    }

    fn job(&self, service: &Arc<DemoService>) -> SourceJob {
        let mut project = Project::load(&[self.folder.join("queries")], &[]).expect("a project");
        let source = project.sources.remove(0);
        let mut settings = source.settings.clone();
        settings.auth.header.clone_from(&service.auth().header);
        settings.auth.scheme.clone_from(&service.auth().scheme);
        let (token, transport) = (
            service.token().clone(),
            Arc::new(InProcess {
                service: Arc::clone(service),
                total_timeout: settings.timing.timeout,
                response_bytes: settings.limits.response_bytes,
            }),
        );
        SourceJob {
            name: source.name.clone(),
            settings,
            open_transport: Arc::new(move || Ok(Arc::clone(&transport) as Arc<dyn Transport>)),
            api: "simulated".to_owned(),
            budget: None,
            secrets: Default::default(),
            token: Some(Arc::new(move |_| Ok(token.clone()))),
            queries: documents(&source),
            others: Vec::new(),
        }
    }
}

fn documents(source: &Source) -> Vec<(String, QueryDocument)> {
    let files = source.query_files.iter().map(|file| GraphqlFile {
        path: &file.path,
        text: &file.text,
    });
    let files: Vec<_> = files.collect();
    let documents = source.query_files.iter().zip(&files).filter_map(|(query, file)| {
        let document = QueryDocument::read(*file, &files).expect("a query file")?;
        Some((query.name.clone(), document))
    });
    documents.collect()
}

/// Nobody listens.
struct Unheard;

impl Observer for Unheard {
    fn notice(&self, _: &Event) {}
}

/// Carries requests to a stand-in in the same process, with the client's time-out and its bound on what it reads.
struct InProcess {
    service: Arc<DemoService>,
    total_timeout: Duration,
    response_bytes: usize,
}

impl InProcess {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let place = || "the stand-in".to_owned();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.extend(request.authorization);
        let request = DemoRequest {
            headers,
            body: request.body,
        };
        let response = timeout(self.total_timeout, self.service.handle(request)).await;
        let response = response.map_err(|_| TransportError::Timeout {
            place: place(),
            after: self.total_timeout,
        })?;
        if let Some(received) = response.cut_after {
            return Err(TransportError::Cut {
                place: place(),
                received,
            });
        }
        if response.body.len() > self.response_bytes {
            return Err(TransportError::TooLarge {
                place: place(),
                limit: self.response_bytes,
            });
        }
        Ok(HttpResponse {
            status: response.status.as_u16(),
            headers: response.headers,
            body: response.body,
        })
    }
}

impl Transport for InProcess {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(self.exchange(request))
    }
}
