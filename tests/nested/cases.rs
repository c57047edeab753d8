//! One project for each stand-in: its settings, its query files, and the tables that they must make.

use gqldump::demo::{DemoConfig, DemoServer, FaultPlan, Latency, StandIn};

use crate::cell::{Kind, list, object};
use crate::program::Ended;
use crate::project::Project;
use crate::truth::Branch;

/// What is said of every source. A machine that is busy with other tests delays a request as a bad network would.
const SETTINGS: &str = "
endpoint = 'http://127.0.0.1:9/graphql'
[retry]
initial_wait = '5ms'
max_wait = '20ms'
";

/// A stand-in, how it is asked, and what must come of it.
pub(crate) struct Case {
    /// What it is called in what the tests print.
    pub(crate) name: &'static str,
    stand_in: fn() -> DemoConfig,
    settings: &'static str,
    queries: Vec<(&'static str, &'static str)>,
    /// The outermost tables with all below them, each with the query file that makes it.
    pub(crate) branches: Vec<(&'static str, Branch)>,
}

impl Case {
    /// The stand-in with its own limits and without faults, answering at once.
    pub(crate) fn config(&self) -> DemoConfig {
        let mut config = (self.stand_in)();
        config.behaviours.faults = FaultPlan::none();
        config.behaviours.latency = Latency::default();
        config
    }

    /// A folder with the source and its query files.
    pub(crate) fn project(&self) -> Project {
        let project = Project::new(&format!("{SETTINGS}{}", self.settings));
        self.queries.iter().fold(project, |project, (name, text)| {
            project.with(&format!("{name}.graphql"), text)
        })
    }

    /// Runs the export, and compares all tables with the truth.
    #[track_caller]
    pub(crate) fn run(&self, project: &Project, server: &DemoServer, arguments: &[&str]) -> Ended {
        let ended = project.run(server, arguments).with_code(0);
        self.check(project, server);
        ended
    }

    /// Compares all tables with the truth.
    #[track_caller]
    pub(crate) fn check(&self, project: &Project, server: &DemoServer) {
        self.check_against(project, server.stand_in());
    }

    /// The same with the truth of a stand-in without a server.
    #[track_caller]
    pub(crate) fn check_against(&self, project: &Project, stand_in: &StandIn) {
        for (query, branch) in &self.branches {
            branch.check(&project.exported(query), stand_in);
        }
    }
}

/// The files of a stand-in: its schema, its data, its behaviours.
macro_rules! files {
    ($name:literal) => {
        [
            include_str!(concat!("../../src/demo/", $name, "/schema.graphql")),
            include_str!(concat!("../../src/demo/", $name, "/data.toml")),
            include_str!(concat!("../../src/demo/", $name, "/behaviours.toml")),
        ]
    };
}

/// A stand-in of these files in which some texts are replaced by others.
fn changed(files: [&str; 3], changes: &[(&str, &str)]) -> DemoConfig {
    let [schema, data, behaviours] = files.map(|file| {
        changes
            .iter()
            .fold(file.to_owned(), |file, (old, new)| file.replacen(old, new, 1))
    });
    for (old, _) in changes {
        assert!(
            files.iter().any(|file| file.contains(old)),
            "no {old:?} in the stand-in"
        );
    }
    DemoConfig::of_texts("changed", &schema, &data, &behaviours).expect("a stand-in")
}

/// Three levels, any object by `node`, and a limit on nodes.
pub(crate) fn shop() -> Case {
    Case {
        name: "shop",
        stand_in: || named("shop"),
        settings: "
            [auth]
            scheme = 'bearer'
            [limits]
            requests = [{ max = 100, per = '1m' }]
            query = { nodes = 10000 }
            [scalars]
            Money = 'decimal(38, 9)'
            Timestamp = 'timestamp'
        ",
        queries: vec![(
            "vendors",
            "{ vendors { nodes { id name standing
                products { nodes { id title price labels
                  reviews { nodes { id stars text writtenAt } } } } } } }",
        )],
        branches: vec![("vendors", shop_rows("vendors"))],
    }
}

/// The rows of the shop, as a query file of that name exports them.
fn shop_rows(query: &str) -> Branch {
    let reviews = Branch::new(
        "reviews",
        "Product.reviews",
        &[
            ("id", Kind::Text),
            ("stars", Kind::Int32),
            ("text", Kind::Text),
            ("writtenAt", Kind::Timestamp),
        ],
    );
    let products = Branch::new(
        "products",
        "Vendor.products",
        &[
            ("id", Kind::Text),
            ("title", Kind::Text),
            ("price", Kind::Decimal),
            ("labels", list(Kind::Text)),
        ],
    );
    let vendors = Branch::new(
        query,
        "Query.vendors",
        &[("id", Kind::Text), ("name", Kind::Text), ("standing", Kind::Text)],
    );
    vendors.with([products.with([reviews])])
}

/// The shop, of whose limits nobody was told.
pub(crate) fn untold_shop() -> Case {
    Case {
        name: "untold_shop",
        settings: "
            [auth]
            scheme = 'bearer'
            [limits]
            requests = [{ max = 10000, per = '1m' }]
            [scalars]
            Money = 'decimal(38, 9)'
            Timestamp = 'timestamp'
        ",
        ..shop()
    }
}

/// The shop twice, with a limit on requests that nobody reaches.
pub(crate) fn roomy_shop() -> Case {
    let shop = shop();
    let (_, text) = shop.queries[0];
    Case {
        name: "roomy_shop",
        queries: vec![("vendors", text), ("again", text)],
        branches: ["vendors", "again"].map(|query| (query, shop_rows(query))).to_vec(),
        settings: "
            [auth]
            scheme = 'bearer'
            [limits]
            requests = [{ max = 10000, per = '1m' }]
            concurrency = 16
            query = { nodes = 10000 }
            [scalars]
            Money = 'decimal(38, 9)'
            Timestamp = 'timestamp'
        ",
        ..shop
    }
}

/// The shop with fewer and shorter lists, of which none is like another: 80 vendors, 2,400 products, 24,000 reviews.
pub(crate) fn uneven_shop() -> Case {
    Case {
        name: "uneven_shop",
        stand_in: || {
            let changes = [
                ("count = 120\n", "count = 80\n"),
                ("count = 1500\n", "count = 2400\n"),
                ("count = 60000\n", "count = 24000\n"),
                (", outliers = [2673]", ""),
            ];
            changed(files!("shop"), &changes)
        },
        ..shop()
    }
}

/// The shop with few lists, all of them long: 40 vendors with 1,500 products each, and pages of a thousand.
pub(crate) fn long_shop() -> Case {
    Case {
        name: "long_shop",
        stand_in: || {
            let changes = [
                ("count = 120\n", "count = 40\n"),
                ("count = 1500\n", "count = 60000\n"),
                (
                    "empty = 0.1, heaviest = 0.0",
                    "empty = 0.0, heaviest = 0.0, shape = \"even\"",
                ),
                ("count = 60000\nscaled", "count = 1000\nscaled"),
                (", outliers = [2673]", ""),
                ("cap = 100\n", "cap = 1000\n"),
            ];
            changed(files!("shop"), &changes)
        },
        settings: "
            [auth]
            scheme = 'bearer'
            [limits]
            requests = [{ max = 100, per = '1m' }]
            page_size = 1000
            [scalars]
            Money = 'decimal(38, 9)'
        ",
        queries: vec![(
            "vendors",
            "{ vendors { nodes { id products { nodes { id title price } } } } }",
        )],
        branches: vec![(
            "vendors",
            Branch::new("vendors", "Query.vendors", &[("id", Kind::Text)]).with([Branch::new(
                "products",
                "Vendor.products",
                &[("id", Kind::Text), ("title", Kind::Text), ("price", Kind::Decimal)],
            )]),
        )],
    }
}

/// The shop where nothing finds a vendor or a product but its place in its list.
pub(crate) fn shop_by_place() -> Case {
    Case {
        name: "shop_by_place",
        stand_in: || {
            let changes = [
                ("  \"The object of that identifier, of whatever type.\"\n", ""),
                (
                    "  \"The objects of these identifiers, in their order; null where there is none.\"\n",
                    "",
                ),
                ("  node(id: ID!): Node\n", ""),
                ("  nodes(ids: [ID!]!): [Node]!\n", ""),
                ("node = { argument = \"id\", field = \"id\" }\n", ""),
                ("nodes = { argument = \"ids\", field = \"id\" }\n", ""),
            ];
            changed(files!("shop"), &changes)
        },
        ..shop()
    }
}

/// Four levels with single objects in between; patients and visits can be looked up, orders cannot.
pub(crate) fn clinic() -> Case {
    let measurements = Branch::new(
        "measurements",
        "LabOrder.panel.measurements",
        &[
            ("analyte", Kind::Text),
            ("value", Kind::Decimal),
            ("unit", Kind::Text),
            ("flags", list(Kind::Text)),
        ],
    );
    let orders = Branch::new(
        "orders",
        "Visit.encounter.orders",
        &[
            ("orderNumber", Kind::Int32),
            ("urgency", Kind::Text),
            ("panel", object(&[("title", Kind::Text)])),
        ],
    );
    let visits = Branch::new(
        "visits",
        "Patient.chart.visits",
        &[
            ("visitId", Kind::Text),
            ("admittedAt", Kind::Timestamp),
            ("encounter", object(&[("reason", Kind::Text)])),
        ],
    );
    let patients = Branch::new(
        "patients",
        "Query.patients",
        &[
            ("mrn", Kind::Text),
            ("name", Kind::Text),
            ("bornOn", Kind::Date),
            ("chart", object(&[("bloodGroup", Kind::Text)])),
        ],
    );
    let below = visits.with([orders.with([measurements])]);
    Case {
        name: "clinic",
        stand_in: || named("clinic"),
        settings: "
            [limits]
            requests = [{ max = 20, per = '1s' }]
            arrival_margin = '200ms'
            page_size = 50
            [scalars]
            Instant = 'timestamp'
            LocalDate = 'date'
            Quantity = 'decimal(38, 9)'
        ",
        queries: vec![(
            "patients",
            "{ patients { edges { node { mrn name bornOn chart { bloodGroup
                visits { edges { node { visitId admittedAt encounter { reason
                  orders { edges { node { orderNumber urgency panel { title
                    measurements { edges { node { analyte value unit flags } } } } } } } } } } } } } } } }",
        )],
        branches: vec![("patients", patients.with([below]))],
    }
}

/// Edges alone, and no way to one object but through the list that it is in.
pub(crate) fn library() -> Case {
    let author = object(&[("family", Kind::Text), ("given", Kind::Text)]);
    let books = Branch::new(
        "books",
        "Shelf.books",
        &[
            ("barcode", Kind::Text),
            ("title", Kind::Text),
            ("authors", list(author)),
        ],
    );
    let shelves = Branch::new(
        "shelves",
        "Branch.shelves",
        &[("mark", Kind::Text), ("floor", Kind::Int32)],
    );
    let branches = Branch::new(
        "branches",
        "Query.openBranches",
        &[("code", Kind::Text), ("reading_room", Kind::Boolean)],
    );
    Case {
        name: "library",
        stand_in: || named("library"),
        settings: "
            [limits]
            requests = [{ max = 300, per = '1m' }]
            page_size = 40
            [scalars]
            ShelfMark = 'string'
        ",
        queries: vec![(
            "branches",
            "{ openBranches { edges { node { code reading_room
                shelves { edges { node { mark floor
                  books { edges { node { barcode title authors { family given } } } } } } } } } } }",
        )],
        branches: vec![("branches", branches.with([shelves.with([books])]))],
    }
}

/// Numbered pages with totals, by arguments and by an input object.
pub(crate) fn factory() -> Case {
    let parts = Branch::new(
        "parts",
        "Machine.parts",
        &[
            ("id", Kind::Text),
            ("serialNumber", Kind::Text),
            ("price", Kind::Text),
            ("replacedAt", Kind::Timestamp),
        ],
    );
    let machines = Branch::new(
        "machines",
        "Plant.machines",
        &[
            ("id", Kind::Text),
            ("state", Kind::Text),
            ("hoursRun", Kind::Float),
            ("faultCodes", list(Kind::Text)),
        ],
    );
    let plants = Branch::new(
        "plants",
        "Query.plants",
        &[("id", Kind::Text), ("label", Kind::Text), ("openedOn", Kind::Date)],
    );
    let alarms = Branch::new(
        "alarms",
        "Query.alarms",
        &[
            ("id", Kind::Text),
            ("level", Kind::Text),
            ("text", Kind::Text),
            ("raisedAt", Kind::Timestamp),
        ],
    );
    Case {
        name: "factory",
        stand_in: || named("factory"),
        settings: "
            [auth]
            header = 'X-API-Key'
            scheme = ''
            [limits]
            requests = [{ max = 1200, per = '1m' }]
            page_size = 50
            [scalars]
            ISO8601Date = 'date'
            ISO8601DateTime = 'timestamp'
        ",
        queries: vec![
            (
                "plants",
                "{ plants { collection { id label openedOn
                    machines { collection { id state hoursRun faultCodes
                      parts { collection { id serialNumber price replacedAt } } } } } } }",
            ),
            (
                "alarms",
                "{ alarms(filters: { levels: [LOW, HIGH] }) { collection { id level text raisedAt } } }",
            ),
        ],
        branches: vec![
            ("plants", plants.with([machines.with([parts])])),
            (
                "alarms",
                alarms.only(|row| row["level"] == "LOW" || row["level"] == "HIGH"),
            ),
        ],
    }
}

/// The factory where nothing finds a plant or a machine but the number of its page.
pub(crate) fn factory_by_place() -> Case {
    Case {
        name: "factory_by_place",
        stand_in: || {
            let changes = [
                ("  plant(id: ID!): Plant\n", ""),
                ("  machine(id: ID!): Machine\n", ""),
                ("plant = { of = \"Plant\", argument = \"id\", field = \"id\" }\n", ""),
                (
                    "machine = { of = \"Machine\", argument = \"id\", field = \"id\" }\n",
                    "",
                ),
            ];
            changed(files!("factory"), &changes)
        },
        ..factory()
    }
}

/// Bare lists by offset, and below them lists that end where they are full.
pub(crate) fn space() -> Case {
    let notes = Branch::new("notes", "Task.notes", &[("id", Kind::Text), ("text", Kind::Text)]);
    let tasks = Branch::new(
        "tasks",
        "Project.tasks",
        &[
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("estimate", Kind::Float),
            ("state", object(&[("name", Kind::Text), ("final", Kind::Boolean)])),
        ],
    );
    let projects = Branch::new(
        "projects",
        "Query.findProjects",
        &[
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("rank", Kind::Float),
            ("planned", object(&[("start", Kind::Text)])),
        ],
    );
    Case {
        name: "space",
        stand_in: || named("space"),
        settings: "
            [auth]
            scheme = 'Token'
            [limits]
            requests = [{ max = 3, per = '1s' }]
            arrival_margin = '200ms'
            page_size = 100
        ",
        queries: vec![(
            "projects",
            "{ findProjects(orderBy: { id: ASC }) { id name rank planned { start }
                tasks { id name estimate state { name final } notes { id text } } } }",
        )],
        branches: vec![("projects", projects.with([tasks.capped(100).with([notes.capped(100)])]))],
    }
}

/// Bare lists by page number, and items whose later pages come from another root field.
pub(crate) fn board() -> Case {
    let value = object(&[("id", Kind::Text), ("text", Kind::Text), ("value", Kind::Json)]);
    let items = |table: &str, place| {
        let columns = [
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("created_at", Kind::Date),
            ("column_values", list(value.clone())),
        ];
        Branch::new(table, place, &columns)
    };
    let boards = Branch::new(
        "boards",
        "Query.boards",
        &[("id", Kind::Text), ("name", Kind::Text), ("items_count", Kind::Int32)],
    );
    let groups = Branch::new("groups", "Board.groups", &[("id", Kind::Text), ("title", Kind::Text)]);
    let boards_of_groups = Branch::new("groups", "Query.boards", &[("id", Kind::Text)]);
    let boards_of_groups = boards_of_groups.with([groups.with([items("items_page", "Group.items_page")])]);
    let users = Branch::new(
        "users",
        "Query.users",
        &[("id", Kind::Text), ("name", Kind::Text), ("is_guest", Kind::Boolean)],
    );
    Case {
        name: "board",
        stand_in: board_with_group_ids,
        settings: "
            [auth]
            scheme = ''
            [limits]
            requests = [{ max = 1000, per = '1m' }]
            page_size = 100
            [scalars]
            Date = 'date'
        ",
        queries: vec![
            (
                "boards",
                "{ boards @paginate(style: PAGE_LIST, firstPage: 1) { id name items_count
                    items_page { items { id name created_at column_values { id text value } } } } }",
            ),
            (
                "groups",
                "{ boards @paginate(style: PAGE_LIST, firstPage: 1) { id
                    groups { id title items_page { items { id name created_at column_values { id text value } } } } } }",
            ),
            (
                "users",
                "{ users @paginate(style: PAGE_LIST, firstPage: 1) { id name is_guest } }",
            ),
        ],
        branches: vec![
            ("boards", boards.with([items("items_page", "Board.items_page")])),
            ("groups", boards_of_groups),
            ("users", users),
        ],
    }
}

/// The board with groups whose `id` tells them apart. As it is shipped, groups of two boards can share theirs, and rows
/// with the same `id` are one row to us.
fn board_with_group_ids() -> DemoConfig {
    let changes = [(
        "id = { pattern = \"group_{word}{number}\" }",
        "id = { identifier = \"group\" }",
    )];
    changed(files!("board"), &changes)
}

/// Connections below an interface, a union and a plain list.
pub(crate) fn press() -> Case {
    Case {
        name: "press",
        stand_in: press_with_sections,
        settings: PRESS_SETTINGS,
        queries: PRESS_NESTED.to_vec(),
        branches: press_nested(),
    }
}

/// Nearly every way to page a list.
pub(crate) fn press_lists() -> Case {
    Case {
        name: "press_lists",
        stand_in: || {
            let mut config = named("press");
            config.rows_scale = 0.25;
            config
        },
        settings: PRESS_SETTINGS,
        queries: PRESS_LISTS.to_vec(),
        branches: press_lists_branches(),
    }
}

const PRESS_SETTINGS: &str = "
    [limits]
    requests = [{ max = 90, per = '10s' }]
    arrival_margin = '500ms'
    page_size = 50
    [scalars]
    BigInt = 'string'
    DateTime = 'timestamp'
";

fn named(name: &str) -> DemoConfig {
    DemoConfig::named(name).expect("a stand-in")
}

/// The press with a root field that finds a section, without which there is no way back to one.
fn press_with_sections() -> DemoConfig {
    let changes = [
        (
            "  author(handle: String!): Author\n",
            "  author(handle: String!): Author\n  section(id: ID!): Section\n",
        ),
        (
            "[types.Query.lookups]\n",
            "[types.Query.lookups]\nsection = { of = 'Section', argument = 'id', field = 'id' }\n",
        ),
    ];
    changed(files!("press"), &changes)
}

const PRESS_NESTED: [(&str, &str); 3] = [
    (
        "authors",
        "{ authors { nodes { handle name entries { items { slug title
            ... on Article { words comments { nodes { id text by { ... on Reader { nick } ... on Guest { address } } } } }
            ... on Gallery { pictures { items { caption width } } }
            ... on Note { pinned mentions @paginate(firstPage: 1) { mentions { id of } } } } } } } }",
    ),
    (
        "contributors",
        "{ contributors { edges { node {
            ... on Author { handle name entries { items { slug topic } } }
            ... on Agency { code name } } } } }",
    ),
    (
        "issues",
        "{ issues { nodes { number title sections { id heading teasers { nodes { id text } } } } } }",
    ),
];

const PRESS_LISTS: [(&str, &str); 6] = [
    ("clicks", "{ clicks { items { target device } } }"),
    ("corrections", "{ corrections { items { id text } } }"),
    (
        "stories",
        r#"{ Page @paginate(style: PAGE_FLAG, firstPage: 1, total: "", pageCount: "") { stories { id headline score } } }"#,
    ),
    (
        "assets",
        "{ assetCollection(order: id_ASC) { items { sys { id publishedAt } file topic size } } }",
    ),
    (
        "transfers",
        r#"{ transfers(orderBy: id, orderDirection: asc)
            @paginate(style: KEYSET, filter: "where.id_gt", key: "id") { id kind amount } }"#,
    ),
    (
        "letters",
        r#"{ letters(sort: ["id"])
            @paginate(style: KEYSET, filter: "where", filterText: "id > \"{}\"", key: "id") { results { id subject } } }"#,
    ),
];

fn press_nested() -> Vec<(&'static str, Branch)> {
    let by = object(&[
        ("nick", Kind::Text),
        ("address", Kind::Text),
        ("__typename", Kind::Text),
    ]);
    let comments = Branch::new(
        "comments",
        "Article.comments",
        &[("id", Kind::Text), ("text", Kind::Text), ("by", by)],
    );
    let pictures = Branch::new(
        "pictures",
        "Gallery.pictures",
        &[("caption", Kind::Text), ("width", Kind::Int32)],
    );
    let mentions = Branch::new("mentions", "Note.mentions", &[("id", Kind::Int32), ("of", Kind::Text)]);
    let entries = |columns: &[(&'static str, Kind)]| Branch::new("entries", "Author.entries", columns);
    let all_entries = entries(&[
        ("slug", Kind::Text),
        ("title", Kind::Text),
        ("words", Kind::Int32),
        ("pinned", Kind::Boolean),
        ("__typename", Kind::Text),
    ]);
    let authors = Branch::new(
        "authors",
        "Query.authors",
        &[("handle", Kind::Text), ("name", Kind::Text)],
    );
    let contributors = Branch::new(
        "contributors",
        "Query.contributors",
        &[
            ("handle", Kind::Text),
            ("name", Kind::Text),
            ("code", Kind::Text),
            ("__typename", Kind::Text),
        ],
    );
    let topics = entries(&[("slug", Kind::Text), ("topic", Kind::Text), ("__typename", Kind::Text)]);
    let teasers = Branch::new(
        "teasers",
        "Section.teasers",
        &[("id", Kind::Text), ("text", Kind::Text)],
    );
    let sections = Branch::new(
        "sections",
        "Issue.sections",
        &[("id", Kind::Text), ("heading", Kind::Text)],
    );
    let issues = Branch::new(
        "issues",
        "Query.issues",
        &[("number", Kind::Int32), ("title", Kind::Text)],
    );
    vec![
        (
            "authors",
            authors.with([all_entries.with([comments, pictures, mentions])]),
        ),
        ("contributors", contributors.with([topics])),
        ("issues", issues.with([sections.with([teasers])])),
    ]
}

fn press_lists_branches() -> Vec<(&'static str, Branch)> {
    let sys = object(&[("id", Kind::Text), ("publishedAt", Kind::Timestamp)]);
    let flat =
        |query: &'static str, place, columns: &[(&'static str, Kind)]| (query, Branch::new(query, place, columns));
    vec![
        flat(
            "clicks",
            "Query.clicks",
            &[("target", Kind::Text), ("device", Kind::Text)],
        ),
        flat(
            "corrections",
            "Query.corrections",
            &[("id", Kind::Text), ("text", Kind::Text)],
        ),
        flat(
            "stories",
            "Query.Page",
            &[("id", Kind::Int32), ("headline", Kind::Text), ("score", Kind::Float)],
        ),
        flat(
            "assets",
            "Query.assetCollection",
            &[
                ("sys", sys),
                ("file", Kind::Text),
                ("topic", Kind::Text),
                ("size", Kind::Text),
            ],
        ),
        flat(
            "transfers",
            "Query.transfers",
            &[("id", Kind::Text), ("kind", Kind::Text), ("amount", Kind::Text)],
        ),
        flat(
            "letters",
            "Query.letters",
            &[("id", Kind::Text), ("subject", Kind::Text)],
        ),
    ]
}
