//! What the export of one flat Relay connection costs, as a ratio to parsing the same bodies with `serde_json`.
//!
//! `cargo bench --bench export` compares processor time and wall time; `cargo bench --bench export -- memory`
//! compares the peak memory of 2,000,000 rows with that of 200,000. The bodies are prepared beforehand and replayed
//! by a process of its own, so that its work is not counted.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and ends where anything goes wrong"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};

mod beside;

use beside::Server;

const ROWS: usize = 200_000;
const ROWS_A_PAGE: usize = 100;
const ROUNDS: usize = 5;

const SCHEMA: &str = "
  scalar Decimal scalar DateTime scalar JSON
  type Query { readings(first: Int!, after: String): ReadingConnection! }
  type ReadingConnection { pageInfo: PageInfo! nodes: [Reading!]! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Reading { id: ID! sensor: Int! sequence: Int! label: String! site: String value: Float! deviation: Float
                 price: Decimal! seenAt: DateTime isValid: Boolean! extra: JSON }
";
const QUERY: &str =
    "{ readings { nodes { id sensor sequence label site value deviation price seenAt isValid extra } } }";

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(arguments[1].parse().expect("a number of pages")),
        Some("memory") => compare_memory(),
        _ => compare_time(),
    }
}

fn compare_time() {
    let bodies = bodies(ROWS / ROWS_A_PAGE);
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!("{ROWS} rows, {} bodies, {:.1} MB", bodies.len(), bytes as f64 / 1e6);
    let server = Server::start(&[&bodies.len().to_string()]);
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let parse = measure(UsageWho::RUSAGE_SELF, || parse_all(&bodies));
        let export = measure(UsageWho::RUSAGE_CHILDREN, || {
            let folder = tempfile::tempdir().expect("a folder");
            export(&server, folder.path()).wait().expect("the export ends")
        });
        println!(
            "round {round}: parse {parse}, export {export}, ratio {}",
            export.over(&parse)
        );
        rounds.push(export.over(&parse));
    }
    rounds.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
    let cpu = rounds[ROUNDS / 2].cpu;
    rounds.sort_by(|one, other| one.wall.total_cmp(&other.wall));
    let wall = rounds[ROUNDS / 2].wall;
    println!("median: processor time {cpu:.2} times that of the parse (target 2.2), wall time {wall:.2} (target 1.5)");
}

fn compare_memory() {
    let idle = peak(1);
    let [small, large] = [ROWS, 10 * ROWS].map(|rows| peak(rows / ROWS_A_PAGE));
    println!(
        "peak memory: idle {idle} KiB, {ROWS} rows {small} KiB, {} rows {large} KiB",
        10 * ROWS
    );
    println!("over idle: {} MiB (target 64)", large.saturating_sub(idle) / 1024);
    println!(
        "2,000,000 rows over 200,000 rows: {:.2} (target 1.10)",
        large as f64 / small as f64
    );
}

/// The peak memory of an export of that many pages, in KiB.
fn peak(pages: usize) -> u64 {
    let server = Server::start(&[&pages.to_string()]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut export = export(&server, folder.path());
    let mut peak = 0;
    while export.try_wait().expect("the export can be waited for").is_none() {
        let status = std::fs::File::open(format!("/proc/{}/status", export.id()));
        let lines = status
            .into_iter()
            .flat_map(|status| BufReader::new(status).lines().map_while(Result::ok));
        let highest = lines.filter_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(highest.max().unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

fn parse_all(bodies: &[Vec<u8>]) {
    for body in bodies {
        let value: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        assert!(value.is_object());
    }
}

fn export(server: &Server, folder: &Path) -> Child {
    let source = folder.join("queries/bench");
    std::fs::create_dir_all(&source).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(source.join(name), text).expect("a file");
    write("schema.graphql", SCHEMA);
    write("readings.graphql", QUERY);
    let settings = "schema = \"schema.graphql\"\n[scalars]\nDecimal = \"decimal(18, 4)\"\nDateTime = \"timestamp\"\n";
    write(
        "source.toml",
        &format!("endpoint = \"http://{}/graphql\"\n{settings}", server.address),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_gqldump"));
    command
        .args(["run", "--quiet", "queries", "--output", "output"])
        .current_dir(folder);
    command.stdin(Stdio::null()).spawn().expect("gqldump starts")
}

#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

impl Cost {
    fn over(&self, other: &Self) -> Self {
        Self {
            cpu: self.cpu / other.cpu,
            wall: self.wall / other.wall,
        }
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cpu {:.3} wall {:.3}", self.cpu, self.wall)
    }
}

fn measure<T>(who: UsageWho, work: impl FnOnce() -> T) -> Cost {
    let seconds = |usage: Usage| {
        let times = [usage.user_time(), usage.system_time()];
        times
            .iter()
            .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
            .sum::<f64>()
    };
    let before = seconds(getrusage(who).expect("usage"));
    let began = Instant::now();
    work();
    let wall = began.elapsed().as_secs_f64();
    Cost {
        cpu: seconds(getrusage(who).expect("usage")) - before,
        wall,
    }
}

/// Prepared responses; the cursor of a page is its number.
fn bodies(pages: usize) -> Vec<Vec<u8>> {
    (0..pages).map(|page| body(page, pages)).collect()
}

fn body(page: usize, pages: usize) -> Vec<u8> {
    let rows: Vec<String> = (0..ROWS_A_PAGE).map(|row| node(page * ROWS_A_PAGE + row)).collect();
    let has_next = page + 1 < pages;
    let body = format!(
        r#"{{"data":{{"readings":{{"nodes":[{}],"pageInfo":{{"hasNextPage":{has_next},"endCursor":"{}"}}}}}}}}"#,
        rows.join(","),
        page + 1
    );
    body.into_bytes()
}

fn node(index: usize) -> String {
    let spread = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let seen_at = match index % 7 {
        0 => "null".to_owned(),
        _ => format!(
            r#""2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z""#,
            1 + spread % 12,
            1 + spread % 28,
            spread % 24,
            spread % 60,
            (spread >> 8) % 60,
            (spread >> 16) % 1000
        ),
    };
    format!(
        r#"{{"id":"{:016x}","sensor":{},"sequence":{index},"label":"reading {} of {}","site":{},"value":{}.{},"deviation":{},"price":"{}.{:04}","seenAt":{seen_at},"isValid":{},"extra":{{"a":{}}}}}"#,
        spread,
        spread % 5000,
        index,
        spread % 97,
        if index.is_multiple_of(11) {
            "null".to_owned()
        } else {
            format!(r#""site-{}""#, spread % 40)
        },
        spread % 10_000,
        (spread >> 20) % 1_000_000,
        if index.is_multiple_of(5) {
            "null".to_owned()
        } else {
            format!("0.{:06}", (spread >> 32) % 1_000_000)
        },
        spread % 100_000,
        (spread >> 12) % 10_000,
        index.is_multiple_of(3),
        spread % 1000,
    )
}

fn serve(pages: usize) {
    // Beyond the small export the bodies are made when they are asked for: only time is measured with few of them.
    let prepared = if pages <= ROWS / ROWS_A_PAGE {
        bodies(pages)
    } else {
        Vec::new()
    };
    let prepared = std::sync::Arc::new(prepared);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    for connection in listener.incoming().flatten() {
        let prepared = std::sync::Arc::clone(&prepared);
        std::thread::spawn(move || answer_all(connection, &prepared, pages));
    }
}

fn answer_all(mut connection: TcpStream, prepared: &[Vec<u8>], pages: usize) {
    connection.set_nodelay(true).expect("no delay");
    let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
    while let Some(request) = read_request(&mut reader) {
        let cursor = request
            .split_once("\"cursor\":\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let page = cursor.map_or(0, |(cursor, _)| cursor.parse().expect("a page number"));
        let made;
        let body = match prepared.get(page) {
            Some(body) => body,
            None => {
                made = self::body(page, pages);
                &made
            }
        };
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend_from_slice(body);
        if connection.write_all(&answer).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
