//! Exports without end, killed at random every few seconds, from an API of which one answer in twenty goes wrong: every row
//! once, and neither memory nor open files grow.
//!
//! `GQLDUMP_SOAK_MINUTES=30 GQLDUMP_SOAK_MILLION_ROWS=10 cargo bench --bench soak` goes on for that long, and until so many
//! rows were exported and compared. `GQLDUMP_SEED` repeats the kills of a run. The stand-in has a process of its own.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures, and ends where anything goes wrong"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use arrow::array::{Array as _, AsArray as _};
use gqldump::demo::{DemoConfig, DemoServer, FaultRates, StandIn};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

mod beside;

use beside::Server;

const TOKEN: &str = "token-of-the-soak";

/// 960,000 vulnerabilities, exported twice: on their own, and below their findings.
const ROWS_SCALE: f64 = 8.0;

const ROWS_A_PAGE: u64 = 2000;

/// How long a process lives that is not over by then, in milliseconds; and after how many kills of one export they live
/// that much longer, so that one which takes in what is stored slower than that comes to its end, too.
const SHORTEST_LIFE: u64 = 1_000;
const LONGEST_LIFE: u64 = 8_000;
const KILLS_OF_A_KIND: u64 = 20;

/// The query files, and the table of each that has a vulnerability a row.
const QUERIES: [(&str, &str, &str); 2] = [
    ("flat", "flat", "{ vulnerabilities { nodes { id title } } }"),
    (
        "nested",
        "nested__findings__vulnerabilities",
        "{ groups { nodes { id findings { nodes { id vulnerabilities { nodes { id title } } } } } } }",
    ),
];

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        _ => soak(),
    }
}

/// Answers until its input ends, as it does when the soak is over.
fn serve() {
    let server = DemoServer::start(config()).expect("a stand-in");
    println!("{}", server.address());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn config() -> DemoConfig {
    let mut config = DemoConfig::named("tracker").expect("the tracker");
    config.token = Some(SecretString::from(TOKEN));
    config.rows_scale = ROWS_SCALE;
    let behaviours = &mut config.behaviours;
    behaviours.limits.clear();
    behaviours.latency.base = Duration::from_millis(2);
    behaviours.latency.per_node = Duration::ZERO;
    behaviours.paging.cap = ROWS_A_PAGE;
    behaviours.faults.slow_by = Duration::from_secs(1);
    behaviours.faults.rates = FaultRates {
        server_error: 0.012,
        throttle: 0.003,
        html: 0.01,
        transient_errors: 0.01,
        cut: 0.01,
        slow: 0.005,
    };
    config
}

/// What a table must have, or has: how many rows, and a sum over them that no other rows have, in whatever order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    digest: u128,
}

impl Sum {
    fn add(&mut self, id: &str, title: &str) {
        let digest = Sha256::new()
            .chain_update(id)
            .chain_update([0])
            .chain_update(title)
            .finalize();
        let half = digest.first_chunk::<16>().expect("more than 16 bytes");
        self.rows += 1;
        self.digest = self.digest.wrapping_add(u128::from_be_bytes(*half));
    }
}

/// The rows of the generator, one after the other.
fn truth() -> Sum {
    let stand_in = StandIn::new(&config()).expect("a stand-in");
    let mut sum = Sum::default();
    for row in stand_in.truth("vulnerabilities").expect("a table") {
        let text = |name: &str| row.get(name).and_then(Value::as_str).expect("a text");
        sum.add(text("id"), text("title"));
    }
    sum
}

/// The rows of a table of the newest run, batch after batch.
fn exported(source: &Path, query: &str, table: &str) -> Sum {
    let folder = source.join(query).join("latest");
    let manifest = std::fs::read_to_string(folder.join("_manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["complete"], true, "{}", manifest["incomplete"]);
    let tables = manifest["tables"].as_array().expect("tables");
    let table = tables.iter().find(|entry| entry["name"] == table).expect("the table");
    let folder = folder.canonicalize().expect("a run");
    let mut sum = Sum::default();
    for part in table["parts"].as_array().expect("parts") {
        add_part(&mut sum, &folder.join(part["path"].as_str().expect("a path")));
    }
    assert_eq!(table["rows"], sum.rows, "the manifest says otherwise");
    sum
}

fn add_part(sum: &mut Sum, path: &Path) {
    let file = std::fs::File::open(path).expect("a part");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let columns = ProjectionMask::columns(builder.parquet_schema(), ["id", "title"]);
    for batch in builder.with_projection(columns).build().expect("Parquet") {
        let batch = batch.expect("a batch");
        let [ids, titles] = ["id", "title"].map(|name| batch.column_by_name(name).expect("a column"));
        let (ids, titles) = (ids.as_string::<i32>(), titles.as_string::<i32>());
        (0..ids.len()).for_each(|row| sum.add(ids.value(row), titles.value(row)));
    }
}

/// What was seen of the processes, one sample a second.
#[derive(Default)]
struct Samples {
    /// Memory in KiB, and open files.
    seen: Vec<(u64, u64)>,
}

impl Samples {
    /// Nothing where the process has just ended.
    fn look(&mut self, process: u32) {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).map(Iterator::count);
        if let (Some(resident), Ok(files)) = (resident, files) {
            self.seen.push((resident, files as u64));
        }
    }

    /// The most of the first half and of the second: of something that grows, the second is larger.
    fn check(&self) {
        let (first, second) = self.seen.split_at(self.seen.len() / 2);
        let most = |half: &[(u64, u64)], of: fn(&(u64, u64)) -> u64| half.iter().map(of).max().unwrap_or(0);
        let memory = [first, second].map(|half| most(half, |seen| seen.0));
        let files = [first, second].map(|half| most(half, |seen| seen.1));
        println!(
            "{} samples; most memory {} KiB, then {} KiB; most open files {}, then {}",
            self.seen.len(),
            memory[0],
            memory[1],
            files[0],
            files[1]
        );
        assert!(memory[1] * 4 <= memory[0] * 5, "memory grows");
        assert!(files[1] <= files[0] + 8, "open files grow");
    }
}

/// The folder of the project, and what is counted.
struct Soak {
    folder: PathBuf,
    address: String,
    random: StdRng,
    samples: Samples,
    kills: u64,
}

impl Soak {
    /// Runs the program until it ends by itself or its time is up; `None` where it was killed.
    fn run(&mut self, longest_life: u64) -> Option<ExitStatus> {
        let lives = Duration::from_millis(self.random.random_range(SHORTEST_LIFE..longest_life));
        let began = Instant::now();
        let mut process = self.start();
        let mut next_look = Duration::from_millis(500);
        loop {
            if let Some(status) = process.try_wait().expect("it can be waited for") {
                return Some(status);
            }
            if began.elapsed() >= lives {
                process.kill().expect("it can be killed");
                process.wait().expect("it can be waited for");
                self.kills += 1;
                return None;
            }
            if began.elapsed() >= next_look {
                self.samples.look(process.id());
                next_look += Duration::from_secs(1);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn start(&self) -> Child {
        let log = std::fs::File::create(self.folder.join("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gqldump"));
        command.args(["run", "queries", "--set", &format!("endpoint={}", self.address)]);
        command
            .env("GQLDUMP_SOAK_TOKEN", TOKEN)
            .env("XDG_STATE_HOME", self.folder.join("state"));
        command.current_dir(&self.folder).stdin(Stdio::null()).stderr(log);
        command.spawn().expect("gqldump starts")
    }

    /// Exports everything once, through as many kills as it takes.
    fn export(&mut self) {
        let before = self.kills;
        loop {
            let longer = 1 + (self.kills - before) / KILLS_OF_A_KIND;
            match self.run(LONGEST_LIFE * longer) {
                Some(status) if status.success() => return,
                Some(status) => {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    panic!("gqldump ended with {status}:\n{log}");
                }
                None => {}
            }
        }
    }
}

fn write_project(folder: &Path) {
    let source = folder.join("queries/soak");
    std::fs::create_dir_all(&source).expect("a folder");
    let settings = format!(
        "endpoint = 'http://127.0.0.1'\nkeep = 1\n[auth]\ntoken = {{ env = 'GQLDUMP_SOAK_TOKEN' }}\n[limits]\npage_size = \
         {ROWS_A_PAGE}\n"
    );
    std::fs::write(source.join("source.toml"), settings).expect("a file");
    for (name, _, text) in QUERIES {
        std::fs::write(source.join(format!("{name}.graphql")), text).expect("a file");
    }
}

fn from_environment<T: FromStr>(name: &str, otherwise: T) -> T {
    let Ok(text) = std::env::var(name) else {
        return otherwise;
    };
    text.parse().ok().unwrap_or_else(|| panic!("{name} is no number"))
}

fn soak() {
    let minutes: u64 = from_environment("GQLDUMP_SOAK_MINUTES", 2);
    let rows_wanted: u64 = 1_000_000 * from_environment("GQLDUMP_SOAK_MILLION_ROWS", 0);
    let seed: u64 = from_environment("GQLDUMP_SEED", rand::random());
    println!("seed {seed}; {minutes} minutes, at least {rows_wanted} rows");
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    write_project(folder.path());
    let truth = truth();
    let mut soak = Soak {
        folder: folder.path().to_owned(),
        address: server.address.clone(),
        random: StdRng::seed_from_u64(seed),
        samples: Samples::default(),
        kills: 0,
    };
    let began = Instant::now();
    let (mut exports, mut rows) = (0, 0);
    while rows < rows_wanted || began.elapsed() < Duration::from_secs(60 * minutes) {
        soak.export();
        exports += 1;
        for (query, table, _) in QUERIES {
            let found = exported(&folder.path().join("output/soak"), query, table);
            assert_eq!(found, truth, "rows of {table}");
            rows += found.rows;
        }
        let minutes = began.elapsed().as_secs_f64() / 60.0;
        println!(
            "{minutes:.1} minutes: {exports} exports, {rows} rows compared, {} kills",
            soak.kills
        );
    }
    soak.samples.check();
}
