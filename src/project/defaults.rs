//! What holds where neither a source's `source.toml` nor its preset says anything.

use std::time::Duration;

/// The folder whose sources are loaded when no path is given.
pub(crate) const QUERIES_FOLDER: &str = "queries";

/// `auth.header`: the standard's own place for a token.
pub(crate) const AUTH_HEADER: &str = "authorization";

/// `auth.scheme` in the [`AUTH_HEADER`] (RFC 6750); in another header the token stands alone.
pub(crate) const AUTH_SCHEME: &str = "Bearer";

/// `limits.concurrency`: at responses of 5 s it fills a budget of 190 requests a minute,
/// more than Fluid Attacks (100) and Fibery (180) grant.
pub(crate) const CONCURRENCY: u32 = 16;

/// `limits.page_size`: the cap of GitHub, GitLab and Saleor, so that a first request is not refused there.
pub(crate) const PAGE_SIZE: u32 = 100;

/// `limits.response_bytes`: some 80,000 rows of 800 bytes, the size of Fluid Attacks' widest one.
/// A larger response is a sign of a page that is too large, and would have to be held in memory at once.
pub(crate) const RESPONSE_BYTES: u64 = 64 * 1024 * 1024;

/// The share of a window that `limits.arrival_margin` is when it is not given.
///
/// The margin bounds the jitter of the way to the server, not its length: what all requests suffer alike moves the
/// whole sequence and crowds nothing. A permit is held for `per + margin`, so this share is what is lost
/// of the budget: at most 2 %.
pub(crate) const ARRIVAL_MARGIN_DIVISOR: u32 = 50;

/// The smallest margin by default: the jitter that a busy wireless or mobile link shows. In windows shorter than 1 s it
/// costs more than 2 % of the budget.
pub(crate) const MIN_ARRIVAL_MARGIN: Duration = Duration::from_millis(20);

/// The largest margin by default: a lost packet is sent again within it.
pub(crate) const MAX_ARRIVAL_MARGIN: Duration = Duration::from_secs(1);

/// `timing.target`: far enough below the 30 s and 60 s at which gateways give up that a slow moment does no harm.
pub(crate) const TARGET: Duration = Duration::from_secs(10);

/// `timing.timeout`: the idle time-out of the load balancers in front of most APIs; nothing comes after it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// `timing.connect_timeout`: room for two lost packets in each of the two handshakes.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// `timing.read_timeout`: as long as [`TIMEOUT`], since a server that thinks is silent too; it tells a dead
/// connection from a long response only where `timing.timeout` is raised.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a program may take that prints a token or another secret: as long as a request. One that asks a person
/// is none for a nightly run.
pub(crate) const SECRET_COMMAND: Duration = Duration::from_secs(60);

/// `retry.attempts`: with the waits below they span three minutes, which outlasts a rolling restart.
pub(crate) const ATTEMPTS: u32 = 10;

/// `retry.initial_wait`: as in the `backoff` crate.
pub(crate) const INITIAL_WAIT: Duration = Duration::from_millis(500);

/// `retry.max_wait`: as in the `backoff` crate.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(60);

/// `retry.retry_after_margin`: hints are whole seconds, rounded down by some; Fluid Attacks asks for this one.
pub(crate) const RETRY_AFTER_MARGIN: Duration = Duration::from_secs(1);
