//! How many requests a nested export takes, beside the fewest that any could: 120 parents, 1,500 children and 60,000
//! grandchildren, unevenly shared out, behind a server that allows 100 rows a page and 10,000 nodes a request.
//!
//! `cargo bench --bench requests` counts a first run, and a second one that knows from the first how many rows the
//! connections hold; the same where rows are found by root fields of their own, and where nothing finds them at all.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and ends where anything goes wrong"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gqldump::demo::{DemoConfig, DemoServer, FaultPlan, Latency, StandIn};
use secrecy::ExposeSecret as _;

/// Rows on a page, and nodes in a request, that the server allows.
const ROWS_A_PAGE: usize = 100;
const NODES_A_REQUEST: usize = 10_000;

/// Requests that a first run may take, and how many times the floor a second one may.
const FIRST_TARGET: f64 = 60.0;
const SECOND_TARGET: f64 = 1.3;
/// How many times more both may be where nothing finds a row but its place in its list.
const BY_PLACE: f64 = 4.0;

const TOKEN_VARIABLE: &str = "GQLDUMP_BENCH_TOKEN";

const QUERY: &str = "{ vendors { edges { node { id name
    products { edges { node { id title
      reviews { edges { node { id stars text } } } } } } } } } }";

/// A budget that the export does not exceed, and that makes requests dear: without one they would cost nothing.
const SETTINGS: &str = "
[auth]
scheme = 'bearer'
[limits]
requests = [{ max = 200, per = '1m' }]
page_size = 100
query = { nodes = 10000 }
";

/// The shop's root fields that find a row, and what stands in their place in the other shapes.
const FINDERS: [&str; 2] = [
    "  \"The object of that identifier, of whatever type.\"
  node(id: ID!): Node
  \"The objects of these identifiers, in their order; null where there is none.\"
  nodes(ids: [ID!]!): [Node]!
",
    "[types.Query.lookups]
node = { argument = \"id\", field = \"id\" }
nodes = { argument = \"ids\", field = \"id\" }
",
];
const LOOKUPS: [&str; 2] = [
    "  vendor(id: ID!): Vendor
  product(id: ID!): Product
",
    "[types.Query.lookups]
vendor = { of = \"Vendor\", argument = \"id\", field = \"id\" }
product = { of = \"Product\", argument = \"id\", field = \"id\" }
",
];

fn main() {
    for (name, finders, factor) in [
        ("by `node`", FINDERS, 1.0),
        ("by root fields", LOOKUPS, 1.0),
        ("by their place alone", [""; 2], BY_PLACE),
    ] {
        let server = DemoServer::start(shop(finders)).expect("a stand-in");
        let needs = Needs::of(server.stand_in());
        let folder = tempfile::tempdir().expect("a folder");
        write_project(folder.path(), &server);
        println!("rows are found {name}: {needs}");
        let first = requests(folder.path(), &server);
        println!("  first run: {first} requests (target {})", FIRST_TARGET * factor);
        let second = requests(folder.path(), &server);
        println!(
            "  second run: {second} requests, {:.2} times the floor (target {})",
            second as f64 / needs.floor() as f64,
            SECOND_TARGET * factor
        );
    }
}

/// The shop, without limits in time, with these root fields.
fn shop(finders: [&str; 2]) -> DemoConfig {
    let files = [
        include_str!("../src/demo/shop/schema.graphql"),
        include_str!("../src/demo/shop/data.toml"),
    ];
    let mut texts = files.iter().zip(FINDERS).zip(finders).map(|((file, old), new)| {
        assert!(file.contains(old), "the shop has changed");
        file.replacen(old, new, 1)
    });
    let (schema, data) = (texts.next().expect("a schema"), texts.next().expect("data"));
    let behaviours = include_str!("../src/demo/shop/behaviours.toml");
    let mut config = DemoConfig::of_texts("shop", &schema, &data, behaviours).expect("a stand-in");
    config.behaviours.limits.clear();
    config.behaviours.faults = FaultPlan::none();
    config.behaviours.latency = Latency {
        base: Duration::from_millis(5),
        ..Latency::default()
    };
    config
}

fn write_project(folder: &Path, server: &DemoServer) {
    let source = folder.join("queries/shop");
    std::fs::create_dir_all(&source).expect("a folder");
    let settings = format!("endpoint = '{}'\n{SETTINGS}", server.address());
    std::fs::write(source.join("source.toml"), settings).expect("a file");
    std::fs::write(source.join("vendors.graphql"), QUERY).expect("a file");
}

/// The requests of one run, that for the schema apart.
fn requests(folder: &Path, server: &DemoServer) -> u64 {
    let before = server.log();
    let token = format!("auth.token.env={TOKEN_VARIABLE}");
    let status = Command::new(env!("CARGO_BIN_EXE_gqldump"))
        .args(["run", "--quiet", "--set", &token])
        .env(TOKEN_VARIABLE, server.token().expose_secret())
        .current_dir(folder)
        .stdin(Stdio::null())
        .status();
    assert!(status.expect("gqldump starts").success(), "the export is not complete");
    let after = server.log();
    after.requests - before.requests - (after.introspections - before.introspections)
}

/// What the data asks of any client.
struct Needs {
    rows: usize,
    /// The most pages of which each is known only when the one before has come.
    chain: usize,
    /// The requests of one that reads one connection at a time.
    one_at_a_time: usize,
}

impl Needs {
    fn of(stand_in: &StandIn) -> Self {
        let sizes = |ty, list| -> Vec<usize> {
            let families = stand_in.families(ty, list).expect("a list");
            families.map(|family| family.children.len()).collect()
        };
        let levels = [
            sizes("Query", "vendors"),
            sizes("Vendor", "products"),
            sizes("Product", "reviews"),
        ];
        // The pages up to that with a row, behind which its own connection goes on; the first of which comes with it.
        let mut before = vec![1];
        let mut chain = 0;
        for sizes in &levels {
            let own = |(size, before): (&usize, &usize)| before + pages(*size) - 1;
            chain = chain.max(sizes.iter().zip(&before).map(own).max().unwrap_or(0));
            let rows = sizes.iter().zip(&before);
            before = rows
                .flat_map(|(size, before)| (0..*size).map(move |row| before + row / ROWS_A_PAGE))
                .collect();
        }
        Self {
            rows: levels.iter().flatten().sum(),
            chain,
            one_at_a_time: levels.iter().flatten().map(|size| pages(*size)).sum(),
        }
    }

    /// The fewest requests that can do: no page before the one that leads to it, no more rows than fit.
    fn floor(&self) -> usize {
        self.chain.max(self.rows.div_ceil(NODES_A_REQUEST))
    }
}

impl std::fmt::Display for Needs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} rows; the longest chain of cursors has {} pages, the rows fill {} requests: the floor is {}; one parent \
             at a time takes {}",
            self.rows,
            self.chain,
            self.rows.div_ceil(NODES_A_REQUEST),
            self.floor(),
            self.one_at_a_time
        )
    }
}

/// An empty connection has a page, too.
fn pages(rows: usize) -> usize {
    rows.div_ceil(ROWS_A_PAGE).max(1)
}
