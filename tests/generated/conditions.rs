//! Under which conditions a generated API is exported: its limits, what goes wrong, and when the program is killed.

use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::generated::draw::Sizes;

/// Requests that a kill can interrupt: as many as are sent side by side, and, one after the other, those that were
/// answered in the tenth of a second that an answer may take to become durable.
pub(super) const INTERRUPTED: u64 = 16 + 100 / 5;

/// Request limits: so many in so many milliseconds, and how the window lies.
const WINDOWS: [(u64, u64, &str); 4] = [
    (30, 500, "sliding"),
    (20, 300, "sliding"),
    (50, 1000, "fixed"),
    (5, 100, "fixed"),
];

/// The conditions of one export.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) cap: u64,
    pub(super) page_size: u64,
    pub(super) default_size: u64,
    /// Whether the server cuts pages without a word, or refuses what is too much.
    pub(super) is_clamped: bool,
    pub(super) root_fields: Option<u64>,
    pub(super) aliases: Option<u64>,
    /// Whether the text's length is bounded.
    pub(super) has_short_texts: bool,
    /// How many times the fewest rows that the query can ask for may be asked for; any number where it is not given.
    pub(super) nodes: Option<u64>,
    /// One of [`WINDOWS`].
    pub(super) window: Option<(u64, u64, &'static str)>,
    pub(super) latency: Duration,
    /// Lines of `[faults.rates]`.
    pub(super) faults: Vec<String>,
    pub(super) kills: Vec<Kill>,
    /// Whether the same is exported once more, with what was learnt.
    pub(super) runs_again: bool,
    pub(super) format: &'static str,
    pub(super) concurrency: u64,
    /// Whether objects become columns of their own.
    pub(super) is_flat: bool,
    /// Whether the server makes cursors of JSON lists in texts.
    pub(super) has_list_cursors: bool,
    /// What the server does with cursors of other lists, and with pages whose size is not asked for.
    manners: (&'static str, &'static str),
    pub(super) is_introspected: bool,
    /// Whether the source says how lists are paged, and not the query.
    pub(super) are_hints_rules: bool,
}

/// When a run is killed, and with which page size it runs until then, where it is another.
#[derive(Debug)]
pub(super) struct Kill {
    /// After so many requests, and a pause.
    pub(super) requests: u64,
    pub(super) pause: Duration,
    pub(super) page_size: Option<u64>,
}

/// Draws conditions.
pub(super) fn conditions(random: &mut StdRng) -> Conditions {
    let cap = *[1, 2, 3, 5, 7, 10, 16, 25, 50].choose(random).expect("caps");
    let is_clamped = random.random_bool(0.6);
    let page_size = match is_clamped {
        true => *[1, 3, 8, 20, 100].choose(random).expect("sizes"),
        false => random.random_range(1..=cap),
    };
    let kills = kills(cap, random);
    Conditions {
        cap,
        page_size,
        default_size: random.random_range(1..=cap),
        is_clamped,
        root_fields: random.random_bool(0.4).then(|| random.random_range(1..=10)),
        aliases: random.random_bool(0.3).then(|| random.random_range(1..=20)),
        has_short_texts: random.random_bool(0.3),
        nodes: random.random_bool(0.4).then(|| random.random_range(1..=30)),
        window: random
            .random_bool(0.4)
            .then(|| *WINDOWS.choose(random).expect("windows")),
        latency: Duration::from_millis(if kills.is_empty() {
            random.random_range(0..=5)
        } else {
            5
        }),
        faults: faults(random),
        kills,
        runs_again: random.random_bool(0.2),
        concurrency: *[1, 2, 16].choose(random).expect("numbers"),
        is_flat: random.random_bool(0.2),
        has_list_cursors: random.random_bool(0.15),
        manners: (
            ["refuse", "first_page", "no_rows"].choose(random).expect("manners"),
            ["default", "refuse"].choose(random).expect("manners"),
        ),
        format: ["parquet", "ndjson", "ndjson.zst"].choose(random).expect("formats"),
        is_introspected: random.random_bool(0.5),
        are_hints_rules: random.random_bool(0.4),
    }
}

fn faults(random: &mut StdRng) -> Vec<String> {
    let mut faults = Vec::new();
    if random.random_bool(0.4) {
        return faults;
    }
    for kind in ["server_error", "html", "cut", "transient_errors"] {
        if random.random_bool(0.5) {
            faults.push(format!("{kind} = {:.3}", random.random_range(0.01..0.05)));
        }
    }
    if random.random_bool(0.2) {
        faults.push("throttle = 0.01".to_owned());
    }
    faults
}

fn kills(cap: u64, random: &mut StdRng) -> Vec<Kill> {
    let kills = [0, 0, 0, 1, 2, 4].choose(random).expect("numbers");
    let kill = |_| Kill {
        requests: match random.random_bool(0.5) {
            true => random.random_range(1..=4),
            false => random.random_range(1..=40),
        },
        pause: Duration::from_micros(random.random_range(0..20_000)),
        page_size: random.random_bool(0.3).then(|| random.random_range(1..=cap)),
    };
    (0..*kills).map(kill).collect()
}

impl Conditions {
    /// What the data is drawn for: so many rows as are read in seconds.
    pub(super) fn sizes(&self) -> Sizes {
        let page = self.cap.min(self.page_size);
        let slots = self.slots().min(8);
        Sizes {
            cap: self.cap,
            page_size: self.page_size,
            rows: (page * slots * 40).clamp(60, 2_000),
            is_clamped: self.is_clamped,
        }
    }

    fn slots(&self) -> u64 {
        [self.root_fields, self.aliases]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(100)
    }

    /// `behaviours.toml`; `fields` are what it says of single lists.
    pub(super) fn behaviours(&self, limits: &Limits, fields: &str) -> String {
        let window = self.window.map_or_else(String::new, |(max, per, kind)| {
            format!("[[limits]]\nmax = {max}\nper = '{per}ms'\nwindow = '{kind}'\n")
        });
        let refusal = |name: &str, what: &str| {
            format!(
                "[{name}.refusal]\nstatus = 400\nbody = '{{\"errors\":[{{\"message\":\"{{requested}} {what} are more than {{max}}\"}}]}}'\n"
            )
        };
        let nodes = limits.nodes.map_or_else(String::new, |nodes| {
            format!("[node_limit]\nmax = {nodes}\n{}", refusal("node_limit", "nodes"))
        });
        let (foreign_cursor, missing_size) = self.manners;
        let fields = fields.replace(
            "[paging.traps]",
            &format!("[paging.traps]\nforeign_cursor = '{foreign_cursor}'"),
        );
        let above_cap = if self.is_clamped { "clamp" } else { "refuse" };
        format!(
            "{AUTH}{window}[latency]\nbase = '{}ms'\nper_node = '0ms'\n
             [paging]\ndefault_size = {}\ncap = {}\nabove_cap = '{above_cap}'\nmissing_size = '{missing_size}'\n{fields}
             {nodes}[text_limit]\n{}\n{}[faults]\nslow_by = '0s'\n[faults.rates]\n{}\n",
            self.latency.as_millis(),
            self.default_size,
            self.cap,
            limits.of_text().join("\n"),
            refusal("text_limit", "{what}"),
            self.faults.join("\n"),
        )
    }

    /// `source.toml`, but for `[[paging]]`.
    pub(super) fn settings(&self, limits: &Limits) -> String {
        let schema = if self.is_introspected {
            "introspect"
        } else {
            "schema.graphql"
        };
        let requests = self.window.map_or_else(String::new, |(max, per, _)| {
            format!("{{ max = {max}, per = '{per}ms' }}")
        });
        let nodes = limits.nodes.map(|nodes| format!("nodes = {nodes}"));
        let query: Vec<String> = limits.of_text().into_iter().chain(nodes).collect();
        format!(
            "endpoint = 'http://127.0.0.1:9/graphql'\nschema = '{schema}'\nflatten = {}
             [limits]\nrequests = [{requests}]\narrival_margin = '300ms'\npage_size = {}\nconcurrency = {}\nquery = {{ {} }}
             [retry]\ninitial_wait = '2ms'\nmax_wait = '10ms'\nretry_after_margin = '10ms'\n",
            self.is_flat,
            self.page_size,
            self.concurrency,
            query.join(", ")
        )
    }
}

/// What a request may hold at most.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) characters: Option<u64>,
    pub(super) root_fields: Option<u64>,
    pub(super) aliases: Option<u64>,
    pub(super) nodes: Option<u64>,
}

impl Limits {
    fn of_text(&self) -> Vec<String> {
        let limits = [
            ("characters", self.characters),
            ("root_fields", self.root_fields),
            ("aliases", self.aliases),
        ];
        let lines = limits
            .into_iter()
            .filter_map(|(name, max)| Some(format!("{name} = {}", max?)));
        lines.collect()
    }
}

const AUTH: &str = "[auth]
required = true
header = 'authorization'
scheme = 'Bearer'
status = 401
body = '{}'
[throttle]
retry_after = true
body = 'json'
injected_wait = '1s'
";
