//! The query files for Fluid Attacks' platform, against its stand-in: every table, in simulated time, under its real limits.

mod unsteady;

use std::collections::BTreeSet;

use fs_err as fs;
use gqldump::demo::{
    CursorExpiry, DemoConfig, DeniedField, Fault, FaultRates, LookupAnswer, LookupTrap, PagingTraps, Refusal, RowMove,
    RowMoves, ScriptedFault, StandIn, Totals,
};
use gqldump::run::QueryOutcome;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::cell::{Cell, Kind, Row, list, object};
use crate::exported::Exported;
use crate::program::{gqldump, run};
use crate::project::{Api, Project, TOKEN_VARIABLE};
use crate::simulation::{Simulated, Simulation};
use crate::tracker::serve;

/// The rows of the large tables that are exported where requests count: one in twenty.
const SCALE: f64 = 0.05;

/// The query files, in the order of their names.
const QUERIES: [&str; 12] = [
    "consulting",
    "events",
    "executions",
    "findings",
    "groups",
    "organizations",
    "roots",
    "toe_inputs",
    "toe_lines",
    "toe_ports",
    "treatments",
    "vulnerabilities",
];

/// A table, the query file that writes it, and the list that its rows come from.
struct VendorTable {
    query: &'static str,
    name: &'static str,
    owner: &'static str,
    list: &'static str,
    /// Columns with the values of the object that holds the list, by its fields.
    above: Vec<(&'static str, &'static str, Kind)>,
    columns: Vec<(&'static str, Kind)>,
}

fn table(
    query: &'static str,
    (owner, list): (&'static str, &'static str),
    columns: Vec<(&'static str, Kind)>,
) -> VendorTable {
    VendorTable {
        query,
        name: query,
        owner,
        list,
        above: Vec::new(),
        columns,
    }
}

/// The tables whose rows are known by their `id`, wherever they stand in their list.
const BY_ID: [&str; 5] = ["consulting", "findings", "organizations", "roots", "vulnerabilities"];

impl VendorTable {
    /// The same with the name of the group that each row is of.
    fn with_group(mut self) -> Self {
        self.above = vec![("group_name", "name", Kind::Text)];
        self
    }

    /// The same below the rows of another table, whose `_id` is their `id`.
    fn below(mut self, name: &'static str) -> Self {
        self.name = name;
        self.above = vec![("_parent_id", "id", Kind::Text)];
        self
    }

    /// Panics unless these are the rows of the stand-in, each as often.
    #[track_caller]
    fn check(&self, exported: &Exported, stand_in: &StandIn) {
        let found = sorted(&self.found(exported, stand_in));
        let expected = sorted(&self.truth(stand_in, |_| true));
        assert_eq!(found.len(), expected.len(), "rows of {}", self.name);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "a row of {}", self.name);
        }
    }

    /// The exported rows. Panics unless `_id` tells them apart, and the roots in them are some of the stand-in's.
    #[track_caller]
    fn found(&self, exported: &Exported, stand_in: &StandIn) -> Vec<Row> {
        let above = self.above.iter().map(|(name, _, kind)| (*name, kind.clone()));
        let columns: Vec<_> = [("_id", Kind::Text)]
            .into_iter()
            .chain(above)
            .chain(self.columns.clone())
            .collect();
        let mut rows = exported.rows(self.name, &columns);
        if BY_ID.contains(&self.name) {
            let by_id = |row: &Row| row.get("_id") == row.get("id");
            assert!(
                rows.iter().all(by_id),
                "{}: `_id` is another one on another night",
                self.name
            );
        }
        let ids: BTreeSet<String> = rows.iter_mut().map(|row| format!("{:?}", row.remove("_id"))).collect();
        assert_eq!(ids.len(), rows.len(), "{}: rows share an `_id`", self.name);
        // Events have theirs in the truth.
        let roots_above = self.name.starts_with("toe_");
        let roots = roots_of(stand_in);
        for root in rows
            .iter_mut()
            .filter(|_| roots_above)
            .filter_map(|row| row.get_mut("root"))
        {
            let Cell::Object(fields) = std::mem::replace(root, Cell::Null) else {
                panic!("no root in {}", self.name)
            };
            assert!(
                roots.contains(&(fields["id"].clone(), fields["nickname"].clone())),
                "{fields:?}"
            );
        }
        rows
    }

    /// The rows of the stand-in whose numbers in their list, from 1, are `wanted`.
    fn truth(&self, stand_in: &StandIn, wanted: impl Fn(usize) -> bool) -> Vec<Row> {
        let families = stand_in.families(self.owner, self.list).expect("a list");
        let rows = families.flat_map(|family| {
            let above: Vec<_> = self
                .above
                .iter()
                .map(|(name, field, kind)| (*name, cell(kind, family.parent.get(*field))))
                .collect();
            let children = (1..).zip(family.children).filter(|(number, _)| wanted(*number));
            let children: Vec<_> = children.map(|(_, child)| (above.clone(), child)).collect();
            children
        });
        let row = |(above, child): (Vec<(&'static str, Cell)>, Map<String, Value>)| {
            let own = self
                .columns
                .iter()
                .map(|(name, kind)| (*name, cell(kind, child.get(*name))));
            above.into_iter().chain(own).collect()
        };
        rows.map(row).collect()
    }
}

/// A value of the stand-in as its column must have it: local times are Bogota's, and `-` stands for none.
fn cell(kind: &Kind, value: Option<&Value>) -> Cell {
    let Some(value) = value else { return Cell::Null };
    match (kind, value.as_str()) {
        (Kind::Timestamp, Some("-")) => Cell::Null,
        (Kind::Timestamp, Some(local)) if local.len() == "2018-04-07 19:45:11".len() => {
            let moment = format!("{}-05:00", local.replace('/', "-").replace(' ', "T"));
            Cell::of_answer(kind, &Value::String(moment))
        }
        _ => Cell::of_answer(kind, value),
    }
}

/// The identifiers and names of all roots. Which of them a row is of is not in the stand-in's truth.
fn roots_of(stand_in: &StandIn) -> Vec<(Cell, Cell)> {
    let kinds = ["GitRoot", "IPRoot", "URLRoot"].into_iter();
    let roots = kinds.flat_map(|ty| stand_in.objects(ty).expect("roots"));
    roots
        .map(|root| {
            (
                cell(&Kind::Text, root.get("id")),
                cell(&Kind::Text, root.get("nickname")),
            )
        })
        .collect()
}

fn sorted(rows: &[Row]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort_unstable();
    texts
}

fn texts(names: &[&'static str]) -> Vec<(&'static str, Kind)> {
    names.iter().map(|name| (*name, Kind::Text)).collect()
}

fn times(names: &[&'static str]) -> Vec<(&'static str, Kind)> {
    names.iter().map(|name| (*name, Kind::Timestamp)).collect()
}

/// The tables of `queries/fluidattacks`, but for those that hold nothing but the rows above others.
fn tables() -> [VendorTable; 12] {
    [
        table("consulting", ("Group", "consulting"), consulting()).with_group(),
        table("events", ("Group", "events"), events()),
        table("executions", ("Group", "forcesExecutionsConnection"), executions()),
        table("findings", ("Group", "findings"), findings()),
        table("groups", ("Organization", "groups"), groups()),
        table("organizations", ("Me", "organizations"), organizations()),
        table("roots", ("Group", "roots"), roots()).with_group(),
        table("toe_inputs", ("Group", "toeInputs"), toe_inputs()).with_group(),
        table("toe_lines", ("Group", "toeLines"), toe_lines()).with_group(),
        table("toe_ports", ("Group", "toePorts"), toe_ports()).with_group(),
        table(
            "treatments",
            ("Vulnerability", "historicTreatmentConnection"),
            treatments(),
        )
        .below("treatments"),
        table(
            "vulnerabilities",
            ("Finding", "vulnerabilitiesConnection"),
            vulnerabilities(),
        )
        .below("vulnerabilities"),
    ]
}

fn consulting() -> Vec<(&'static str, Kind)> {
    [
        texts(&["id", "parentComment", "content"]),
        times(&["created", "modified"]),
        texts(&["email", "fullName"]),
    ]
    .concat()
}

fn events() -> Vec<(&'static str, Kind)> {
    [
        texts(&["id", "groupName"]),
        times(&["eventDate"]),
        texts(&["eventStatus", "eventType", "detail", "client"]),
        vec![("root", root(true))],
        times(&["closingDate"]),
    ]
    .concat()
}

fn executions() -> Vec<(&'static str, Kind)> {
    let counted = [
        "numOfOpenVulnerabilities",
        "numOfClosedVulnerabilities",
        "numOfAcceptedVulnerabilities",
    ];
    [
        texts(&["executionId", "groupName"]),
        times(&["date"]),
        texts(&["exitCode", "gitBranch", "gitCommit", "gitOrigin", "gitRepo"]),
        vec![("gracePeriod", Kind::Int32), ("severityThreshold", Kind::Float)],
        texts(&["kind", "strictness"]),
        vec![("vulnerabilities", object(&counted.map(|name| (name, Kind::Int32))))],
    ]
    .concat()
}

fn findings() -> Vec<(&'static str, Kind)> {
    let tracking = object(&[
        ("cycle", Kind::Int32),
        ("date", Kind::Date),
        ("accepted", Kind::Int32),
        ("acceptedUndefined", Kind::Int32),
        ("safe", Kind::Int32),
        ("vulnerable", Kind::Int32),
        ("assigned", Kind::Text),
        ("justification", Kind::Text),
    ]);
    [
        texts(&[
            "id",
            "groupName",
            "title",
            "description",
            "threat",
            "recommendation",
            "attackVectorDescription",
            "status",
        ]),
        vec![("severityScore", Kind::Float), ("severityVector", Kind::Text)],
        vec![("maxOpenSeverityScore", Kind::Float), ("totalOpenCVSSF", Kind::Float)],
        vec![("age", Kind::Int32), ("openAge", Kind::Int32)],
        vec![
            ("openVulnerabilities", Kind::Int32),
            ("closedVulnerabilities", Kind::Int32),
        ],
        vec![("isExploitable", Kind::Boolean), ("verified", Kind::Boolean)],
        vec![("minTimeToRemediate", Kind::Int32)],
        times(&["releaseDate", "reportDate", "lastStateDate"]),
        vec![("where", Kind::Text), ("tracking", list(tracking))],
    ]
    .concat()
}

fn groups() -> Vec<(&'static str, Kind)> {
    [
        texts(&[
            "name",
            "organization",
            "description",
            "subscription",
            "service",
            "userRole",
            "language",
            "managed",
        ]),
        vec![
            ("openVulnerabilities", Kind::Int32),
            ("closedVulnerabilities", Kind::Int32),
        ],
        vec![("openFindings", Kind::Int32), ("lastClosedVulnerability", Kind::Int32)],
        vec![("meanRemediate", Kind::Float), ("minBreakingSeverity", Kind::Float)],
        vec![
            ("maxAcceptanceSeverity", Kind::Float),
            ("minAcceptanceSeverity", Kind::Float),
        ],
        vec![
            ("vulnerabilityGracePeriod", Kind::Int32),
            ("sprintDuration", Kind::Int32),
        ],
        times(&["sprintStartDate"]),
    ]
    .concat()
}

fn organizations() -> Vec<(&'static str, Kind)> {
    let numbers = vec![
        ("maxAcceptanceDays", Kind::Int32),
        ("maxAcceptanceSeverity", Kind::Float),
    ];
    [texts(&["id", "name", "country", "company"]), numbers].concat()
}

fn roots() -> Vec<(&'static str, Kind)> {
    let cloning = object(&texts(&["status", "message", "commit"]));
    let url = object(&texts(&["id", "url", "urlType"]));
    [
        texts(&["id", "nickname", "state", "url", "branch"]),
        vec![
            ("includesHealthCheck", Kind::Boolean),
            ("gitignore", list(Kind::Text)),
            ("cloningStatus", cloning),
        ],
        times(&["lastCloningStatusUpdate", "lastStateStatusUpdate", "createdAt"]),
        texts(&["createdBy"]),
        times(&["lastEditedAt"]),
        texts(&["lastEditedBy"]),
        vec![("gitEnvironmentUrls", list(url))],
        texts(&["address", "host", "path"]),
        vec![("port", Kind::Int32)],
        texts(&["protocol", "query", "__typename"]),
    ]
    .concat()
}

fn toe_inputs() -> Vec<(&'static str, Kind)> {
    [
        texts(&["component", "entryPoint"]),
        vec![("root", root(true))],
        surface(),
    ]
    .concat()
}

fn toe_ports() -> Vec<(&'static str, Kind)> {
    [
        vec![("address", Kind::Text), ("port", Kind::Int32), ("root", root(false))],
        surface(),
    ]
    .concat()
}

/// What rows say of their root; of any kind with the name of that.
fn root(is_of_any_kind: bool) -> Kind {
    let names = ["id", "nickname", "__typename"];
    object(&texts(if is_of_any_kind { &names } else { &names[..2] }))
}

fn surface() -> Vec<(&'static str, Kind)> {
    let flags = vec![("bePresent", Kind::Boolean), ("hasVulnerabilities", Kind::Boolean)];
    [flags, times(&["seenAt"])].concat()
}

fn toe_lines() -> Vec<(&'static str, Kind)> {
    [
        texts(&["filename"]),
        vec![("root", root(false))],
        vec![("bePresent", Kind::Boolean), ("loc", Kind::Int32)],
        texts(&["lastAuthor", "lastCommit"]),
        times(&["modifiedDate", "seenAt"]),
        vec![("sortsPriorityFactor", Kind::Int32)],
        times(&["sortsRiskLevelDate"]),
    ]
    .concat()
}

fn treatments() -> Vec<(&'static str, Kind)> {
    [
        times(&["date"]),
        texts(&["treatment"]),
        times(&["acceptanceDate"]),
        texts(&["acceptanceStatus", "assigned", "justification", "user"]),
    ]
    .concat()
}

fn vulnerabilities() -> Vec<(&'static str, Kind)> {
    let advisories = object(&[
        ("cve", list(Kind::Text)),
        ("package", Kind::Text),
        ("vulnerableVersion", Kind::Text),
    ]);
    [
        texts(&[
            "id",
            "findingId",
            "groupName",
            "state",
            "vulnerabilityType",
            "where",
            "specific",
            "source",
            "stream",
        ]),
        texts(&["commitHash", "technique", "severity"]),
        vec![
            ("severityTemporalScore", Kind::Float),
            ("severityVector", Kind::Text),
            ("remediated", Kind::Boolean),
        ],
        texts(&["verification", "zeroRisk", "rootNickname", "tag"]),
        vec![("tags", list(Kind::Text)), ("externalBugTrackingSystem", Kind::Text)],
        vec![
            ("cycles", Kind::Int32),
            ("efficacy", Kind::Float),
            ("treatmentChanges", Kind::Int32),
        ],
        texts(&["treatmentStatus"]),
        times(&["treatmentAcceptanceDate"]),
        texts(&[
            "treatmentAcceptanceStatus",
            "treatmentAssigned",
            "treatmentJustification",
            "treatmentUser",
        ]),
        times(&[
            "closingDate",
            "reportDate",
            "lastStateDate",
            "lastTreatmentDate",
            "lastVerificationDate",
        ]),
        times(&["lastRequestedReattackDate", "lastReattackDate"]),
        texts(&["lastReattackRequester"]),
        vec![("advisories", advisories)],
    ]
    .concat()
}

#[test]
fn the_stand_ins_values_go_with_each_other_as_the_platforms_do() {
    let server = serve(stand_in(SCALE));
    let rows = |ty: &str| -> Vec<_> { server.stand_in().rows(ty).expect("a type").collect() };
    let events = rows("Event");
    assert!(events.iter().any(|event| event["eventStatus"] == "SOLVED"));
    for event in events {
        match event["eventStatus"].as_str() {
            Some("SOLVED") => assert!(event["closingDate"].as_str() > event["eventDate"].as_str(), "{event:?}"),
            _ => assert_eq!(event["closingDate"], "-", "{event:?}"),
        }
    }
    for root in rows("GitRoot") {
        let said = match root["cloningStatus"]["status"].as_str() {
            Some("OK") => "Cloned successfully",
            _ => "Failed to clone",
        };
        assert_eq!(root["cloningStatus"]["message"], said, "{root:?}");
    }
    for root in rows("IPRoot") {
        let address = root["address"].as_str().map(str::parse::<std::net::Ipv4Addr>);
        assert!(address.is_some_and(|address| address.is_ok()), "{root:?}");
    }
}

fn stand_in(scale: f64) -> DemoConfig {
    let mut config = DemoConfig::named("fluidattacks").expect("the stand-in");
    config.rows_scale = scale;
    config
}

fn export(project: &Project, config: DemoConfig) -> Simulated {
    Simulation::new(project.folder(), config).run()
}

/// The requests of a loop such as the vendor's page has it: one list after the other, a thousand rows at once, until a page
/// comes that is not full.
fn requests_of_a_loop(stand_in: &StandIn) -> usize {
    let lists = tables().into_iter().flat_map(|table| {
        let families = stand_in.families(table.owner, table.list).expect("a list");
        families
            .map(|family| family.children.len() / 1_000 + 1)
            .collect::<Vec<_>>()
    });
    lists.sum()
}

#[test]
fn the_query_files_fit_their_schema() {
    let project = Project::shipped("fluidattacks");
    let told = run(project.gqldump(&["check"]).env("FLUIDATTACKS_TOKEN", "a")).with_code(0);
    assert!(!told.stderr.contains("warn"), "{}", told.stderr);
}

#[test]
fn the_whole_library_arrives_within_the_real_limits() {
    let project = Project::shipped("fluidattacks");
    let simulated = export(&project, stand_in(SCALE));
    assert_eq!(simulated.outcomes, vec![QueryOutcome::Complete; QUERIES.len()]);
    let stand_in = simulated.service.stand_in();
    for table in tables() {
        let exported = project.exported(table.query);
        assert_eq!(exported.incomplete(), Vec::<&str>::new());
        table.check(&exported, stand_in);
    }
    let log = simulated.service.log();
    assert_eq!(
        (
            log.throttles_provoked,
            log.refused,
            log.request_errors,
            log.field_errors
        ),
        (0, 0, 0, 0)
    );
    // They are rows of their own, and stand above vulnerabilities, which are that, and stand above treatments; lists of
    // several pages are read twice, with what is in their rows.
    let findings = stand_in.objects("Finding").expect("findings").count() as u64;
    let vulnerabilities = stand_in.objects("Vulnerability").expect("them").count() as u64;
    let treatments = stand_in.objects("Treatment").expect("them").count() as u64;
    let again = log.rows_repeated - findings - vulnerabilities;
    println!(
        "{again} of {vulnerabilities} vulnerabilities in two query files and {treatments} treatments were read twice"
    );
    assert!((1..=2 * vulnerabilities + treatments).contains(&again), "{again}");
    assert_eq!((log.requests_repeated, log.introspections), (0, 0));
    let loops = requests_of_a_loop(stand_in);
    println!(
        "{} requests in {:?}; one list after the other: {loops}",
        log.requests, simulated.took
    );
    assert!(log.requests > 100, "the budget of a minute is used up, and waited for");
    assert!(
        log.requests * 10 < loops as u64,
        "{} requests beside {loops}",
        log.requests
    );
}

/// What a fault makes of exports.
enum Ending {
    /// All rows are there.
    Complete,
    /// These query files say that something is lacking, or end without being published; the others are complete.
    Named(&'static [&'static str]),
    /// The same, or all rows are there after all.
    PerhapsNamed(&'static [&'static str]),
}

struct Case {
    name: &'static str,
    apply: fn(&mut DemoConfig),
    ending: Ending,
}

const OF_GROUPS: [&str; 10] = [
    "consulting",
    "events",
    "executions",
    "findings",
    "roots",
    "toe_inputs",
    "toe_lines",
    "toe_ports",
    "treatments",
    "vulnerabilities",
];

/// The lists of a group that come from the search index.
const INDEXED: [&str; 3] = [
    "Group.forcesExecutionsConnection",
    "Group.toeLines",
    "Group.vulnerabilities",
];

/// Changes the traps of all lists.
fn traps(config: &mut DemoConfig, change: impl Fn(&mut PagingTraps)) {
    let paging = &mut config.behaviours.paging;
    change(&mut paging.traps);
    paging
        .fields
        .values_mut()
        .filter_map(|field| field.traps.as_mut())
        .for_each(change);
}

/// Changes the traps of one list.
fn traps_of(config: &mut DemoConfig, list: &str, change: impl Fn(&mut PagingTraps)) {
    let shared = config.behaviours.paging.traps.clone();
    let field = config.behaviours.paging.fields.entry(list.to_owned()).or_default();
    change(field.traps.get_or_insert(shared));
}

/// Makes the cursors of a list good for three requests.
fn expiring(config: &mut DemoConfig, list: &str) {
    let words = r#"{"data":null,"errors":[{"message":"Exception - The cursor is invalid with a filter"}]}"#;
    traps_of(config, list, |traps| {
        traps.cursor_expiry = Some(CursorExpiry {
            after: None,
            after_requests: Some(3),
            refusal: Refusal {
                status: 200,
                body: words.to_owned(),
            },
        });
    });
}

fn denied(config: &mut DemoConfig, ty: &str, field: &str) {
    config.behaviours.denied.push(DeniedField {
        ty: ty.to_owned(),
        field: field.to_owned(),
        within: None,
        roles: Vec::new(),
        every: None,
        message: "Access denied".to_owned(),
        extensions: Map::new(),
    });
}

fn rates(config: &mut DemoConfig, change: impl Fn(&mut FaultRates)) {
    change(&mut config.behaviours.faults.rates);
}

/// A vulnerability changes its place in its finding's list, which takes several pages, each time that so many requests have
/// arrived.
fn rows_move(config: &mut DemoConfig, every: u64, to: RowMove) {
    let list = "Finding.vulnerabilitiesConnection";
    traps_of(config, list, |traps| traps.moves = Some(RowMoves { every, to }));
    let field = config.behaviours.paging.fields.get_mut(list);
    field.expect("a list").cap = Some(7);
}

fn cases() -> Vec<Case> {
    let complete = |name, apply| Case {
        name,
        apply,
        ending: Ending::Complete,
    };
    let named = |name, apply, queries| Case {
        name,
        apply,
        ending: Ending::Named(queries),
    };
    vec![
        complete("pages in HTML under status 200", |config| {
            rates(config, |rates| rates.html = 0.1);
        }),
        complete("transient texts under status 200", |config| {
            rates(config, |rates| rates.transient_errors = 0.1);
        }),
        complete("502, 503 and 504", |config| {
            rates(config, |rates| rates.server_error = 0.1);
        }),
        complete("connections that are reset", |config| {
            rates(config, |rates| rates.cut = 0.1);
        }),
        complete("a stall until the load balancer gives up", |config| {
            let script = [3, 20].map(|request| ScriptedFault {
                request,
                fault: Fault::Slow,
            });
            config.behaviours.faults.script.extend(script);
        }),
        complete("bans that do not say how long they last", |config| {
            config.behaviours.throttle.retry_after = false;
            rates(config, |rates| rates.throttle = 0.05);
        }),
        complete("pages that are clamped in silence", |config| {
            let paging = &mut config.behaviours.paging;
            paging.cap = 7;
            for field in paging.fields.values_mut() {
                field.cap = Some(7);
                field.above_cap = Some(gqldump::demo::AboveCap::Clamp);
            }
        }),
        complete("short pages that say that more follows", |config| {
            traps(config, |traps| traps.short_pages = 0.5);
        }),
        complete("empty pages that say that more follows", |config| {
            traps(config, |traps| traps.empty_page_at = Some(20));
        }),
        complete("totals that are cut off", |config| {
            traps(config, |traps| traps.totals = Totals::CappedAt(10));
        }),
        complete("totals that are null", |config| {
            traps(config, |traps| traps.totals = Totals::Null);
        }),
        complete("flags that are true on full pages only where more follows", |config| {
            traps(config, |traps| traps.full_page_says_more = false);
        }),
        complete("cursors that expire", |config| {
            expiring(config, "Group.forcesExecutionsConnection");
        }),
        complete("rows that move to where they are read once more", |config| {
            rows_move(config, 5, RowMove::Back);
        }),
        complete("rows that move to where was read already", |config| {
            rows_move(config, 20, RowMove::Front);
        }),
        // As many may move between two pages as a page has, so that a page brings nothing new, and the next one again.
        Case {
            name: "rows that never cease to move to where was read already",
            apply: |config| rows_move(config, 1, RowMove::Front),
            ending: Ending::PerhapsNamed(&["treatments", "vulnerabilities"]),
        },
        named(
            "cursors that are swallowed",
            |config| {
                for list in ["Group.toeInputs", "Group.toePorts", "Finding.vulnerabilitiesConnection"] {
                    traps_of(config, list, |traps| traps.lost_at = Some(1));
                    config.behaviours.paging.fields.entry(list.to_owned()).or_default().cap = Some(2);
                }
            },
            &["toe_inputs", "toe_ports", "treatments", "vulnerabilities"],
        ),
        named(
            "cursors that do not advance",
            |config| {
                traps_of(config, "Finding.vulnerabilitiesConnection", |traps| {
                    traps.stuck_at = Some(1);
                });
            },
            &["treatments", "vulnerabilities"],
        ),
        named(
            "an index that lacks rows of its total",
            |config| {
                traps_of(config, "Group.toeLines", |traps| traps.totals = Totals::TooHigh(3));
            },
            &["toe_lines"],
        ),
        named(
            "an index that is missing",
            |config| {
                for list in INDEXED {
                    traps_of(config, list, |traps| traps.indexed = Some(0));
                }
            },
            &["executions", "toe_lines"],
        ),
        named(
            "a denied field that can be null",
            |config| denied(config, "Vulnerability", "severity"),
            &["vulnerabilities"],
        ),
        named(
            "a denied field that takes its row with it",
            |config| denied(config, "ToeLines", "loc"),
            &["toe_lines"],
        ),
        named(
            "a group that is denied",
            |config| {
                config.behaviours.lookups.push(LookupTrap {
                    field: "group".to_owned(),
                    value: "narrabri".to_owned(),
                    answer: LookupAnswer::Error("Access denied or group not found".to_owned()),
                });
            },
            &OF_GROUPS,
        ),
    ]
}

/// Panics unless each query file has all its rows, or says that it has not; comes back with those that have not.
#[track_caller]
fn named_in(project: &Project, simulated: &Simulated, case: &str) -> Vec<&'static str> {
    let outcomes = QUERIES.into_iter().zip(&simulated.outcomes);
    let (complete, named): (Vec<_>, Vec<_>) = outcomes.partition(|(_, outcome)| **outcome == QueryOutcome::Complete);
    for (query, outcome) in &named {
        assert!(
            matches!(outcome, QueryOutcome::Incomplete | QueryOutcome::Failed),
            "{case}: {query} is {outcome:?}"
        );
        if **outcome == QueryOutcome::Incomplete {
            assert!(!project.newest(query).incomplete().is_empty(), "{case}: {query}");
        }
    }
    for table in tables() {
        if complete.iter().any(|(query, _)| *query == table.query) {
            table.check(&project.exported(table.query), simulated.service.stand_in());
        }
    }
    named.into_iter().map(|(query, _)| query).collect()
}

#[test]
fn each_fault_leaves_an_export_complete_or_named() {
    for case in cases() {
        let project = Project::shipped("fluidattacks");
        let mut config = stand_in(0.003);
        (case.apply)(&mut config);
        let simulated = export(&project, config);
        let named = named_in(&project, &simulated, case.name);
        match case.ending {
            Ending::Complete => assert!(named.is_empty(), "{}: {named:?}", case.name),
            Ending::Named(queries) => assert_eq!(named, queries, "{}", case.name),
            Ending::PerhapsNamed(queries) => {
                let is_of_them = |query: &&str| queries.contains(query);
                assert!(named.iter().all(is_of_them), "{}: {named:?}", case.name);
            }
        }
        assert_eq!(simulated.service.log().throttles_provoked, 0, "{}", case.name);
    }
}

#[test]
fn all_faults_together_leave_nothing_lacking_in_silence() {
    // One of them strikes all that is below a group, and would hide what becomes of the others.
    let last = cases().len() - 1;
    let of_lists: &[&str] = &[
        "executions",
        "toe_inputs",
        "toe_lines",
        "toe_ports",
        "treatments",
        "vulnerabilities",
    ];
    for (count, expected) in [(last, of_lists), (last + 1, &OF_GROUPS)] {
        let project = Project::shipped("fluidattacks");
        let mut config = stand_in(0.003);
        for case in cases().iter().take(count) {
            (case.apply)(&mut config);
        }
        let simulated = export(&project, config);
        let named = named_in(&project, &simulated, "all together");
        assert_eq!(named, expected);
    }
}

#[test]
fn a_list_that_heeds_no_cursor_is_asked_for_all_that_it_gives() {
    let project = Project::shipped("fluidattacks")
        .only(&[])
        .with("reattacks.graphql", "{ me { reattacks { edges { node { id } } } } }");
    let told = run(project.gqldump(&["check"]).env("FLUIDATTACKS_TOKEN", "a")).with_code(0);
    assert!(told.stdout.contains("100 rows at once"), "{}", told.stdout);
}

#[test]
fn an_agents_token_exports_what_it_may_see_and_names_the_rest() {
    let mut config = stand_in(0.01);
    config.behaviours.role = Some("service_forces".to_owned());
    let stand_in = StandIn::new(&config).expect("the stand-in");
    let groups = stand_in.families("Group", "forcesVulnerabilities").expect("a list");
    let largest = groups.max_by_key(|group| group.children.len()).expect("a group");
    let of_group = |selection: &str| {
        let name = &largest.parent["name"];
        format!("{{ group(groupName: {name}) {{ name {selection} }} }}")
    };
    let vulnerabilities = "forcesVulnerabilities { edges { node { id } } }";
    let files = "toeLines { edges { node { filename } } }";
    let project = Project::shipped("fluidattacks")
        .only(&["organizations"])
        .with("agent.graphql", &of_group(vulnerabilities))
        // Denied, it takes its group with it, and what else is asked of that.
        .with("both.graphql", &of_group(&format!("{vulnerabilities} {files}")))
        .with("files.graphql", &of_group(files));
    let outcomes = export(&project, config).outcomes;
    assert_eq!(outcomes[0], QueryOutcome::Complete, "{outcomes:?}");
    let told = project.newest("both").incomplete().join("\n");
    assert!(told.contains("`group.toeLines`"), "{outcomes:?}: {told}");
    let silent = outcomes[1..]
        .iter()
        .filter(|outcome| **outcome == QueryOutcome::Complete);
    assert_eq!(silent.count(), 0, "{outcomes:?}");
    let id = |row: &Row| format!("{:?}", row["id"]);
    let columns = texts(&["_id", "group_name", "id"]);
    let found = |query: &str, table: &str| {
        let mut found: Vec<String> = project.newest(query).rows(table, &columns).iter().map(id).collect();
        found.sort_unstable();
        found
    };
    let truth = largest.children.iter().map(|row| cell(&Kind::Text, row.get("id")));
    let mut truth: Vec<String> = truth.map(|id| format!("{id:?}")).collect();
    truth.sort_unstable();
    for (query, table) in [("agent", "agent"), ("both", "both__forcesVulnerabilities")] {
        let found = found(query, table);
        assert!(
            found == truth && found.len() > 10,
            "{table}: {} of {}",
            found.len(),
            truth.len()
        );
    }
}

#[test]
fn an_index_that_is_missing_is_named_unless_days_or_the_author_explain_it() {
    let text = include_str!("../../queries/fluidattacks/executions.graphql");
    let believed = text.replace("@table(key:", "@paginate(doubtEmpty: false) @table(key:");
    let narrowed = text.replacen("$since: DateTime = \"\"", "$since: DateTime = \"2021-01-01\"", 1);
    assert!(believed != text && narrowed != text);
    for (text, indexed, outcome) in [
        (text, 0, QueryOutcome::Incomplete),
        (&believed, 0, QueryOutcome::Complete),
        (&narrowed, 0, QueryOutcome::Complete),
        // One group's rows show that the index is there.
        (text, 1, QueryOutcome::Complete),
    ] {
        let project = Project::shipped("fluidattacks")
            .only(&["organizations", "groups"])
            .with("executions.graphql", text);
        let mut config = stand_in(0.003);
        traps_of(&mut config, "Group.forcesExecutionsConnection", |traps| {
            traps.indexed = Some(indexed);
        });
        let simulated = export(&project, config);
        assert_eq!(simulated.outcomes[0], outcome, "{indexed} rows indexed of {text}");
        let exported = project.newest("executions");
        let told = exported.incomplete().join("\n");
        assert_eq!(
            told.contains("`group.forcesExecutionsConnection` has not a single row"),
            outcome == QueryOutcome::Incomplete,
            "{told}"
        );
    }
}

#[test]
fn a_list_that_heeds_no_cursor_is_named_where_it_is_full() {
    for (cap, outcome) in [(240, QueryOutcome::Incomplete), (500, QueryOutcome::Complete)] {
        let rule =
            "preset = 'fluidattacks'\nschema = 'schema.graphql'\n[[paging]]\ntype = 'Me'\nfield = 'draftsConnection'";
        let query = "{ me { draftsConnection { edges { node { id title } } } } }";
        let project = Project::shipped("fluidattacks")
            .only(&[])
            .with("source.toml", &format!("{rule}\ncap = {cap}\n"))
            .with("drafts.graphql", query);
        let mut config = stand_in(0.003);
        let fields = &mut config.behaviours.paging.fields;
        fields.get_mut("Me.draftsConnection").expect("a list").cap = Some(cap);
        assert_eq!(
            export(&project, config).outcomes,
            [outcome],
            "240 findings, and {cap} at most"
        );
    }
}

#[test]
fn a_field_that_was_removed_ends_its_query_file_alone() {
    let schema = include_str!("../../queries/fluidattacks/schema.graphql").replacen("  gitOrigin: String\n", "", 1);
    let data = include_str!("../../src/demo/fluidattacks/data.toml");
    let data: String = data
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("gitOrigin ="))
        .collect();
    let behaviours = include_str!("../../src/demo/fluidattacks/behaviours.toml");
    let mut config = DemoConfig::of_texts("fluidattacks", &schema, &data, behaviours).expect("a stand-in");
    config.rows_scale = 0.003;
    let project = Project::shipped("fluidattacks");
    let simulated = export(&project, config);
    assert_eq!(named_in(&project, &simulated, "a removed field"), ["executions"]);
}

/// Panics unless a run with these variables exports as many rows of a table as lie in 2021, by each of these fields.
#[track_caller]
fn check_2021(name: &'static str, variables: &[&str], fields: &[&str]) {
    let project = Project::shipped("fluidattacks").only(&["organizations", "groups", name]);
    let server = serve(stand_in(0.01));
    let given: Vec<&str> = variables.iter().flat_map(|variable| ["--var", variable]).collect();
    project.run(&server, &given).with_code(0);
    let table = tables().into_iter().find(|table| table.name == name).expect("a table");
    let exported = table.found(&project.exported(name), server.stand_in()).len();
    let families = server.stand_in().families(table.owner, table.list).expect("a list");
    let is_of_2021 = |row: &Map<String, Value>| {
        fields
            .iter()
            .all(|field| row[*field].as_str().expect("text").starts_with("2021-"))
    };
    let expected = families.flat_map(|family| family.children).filter(is_of_2021).count();
    assert_eq!(exported, expected, "{name} {variables:?}");
    assert!(expected > 0, "{name} {variables:?}");
}

#[test]
fn days_narrow_what_is_exported() {
    check_2021("executions", &["since=2021-01-01", "until=2021-12-31"], &["date"]);
    let seen = ["seenSince=2021-01-01", "seenUntil=2021-12-31"];
    let modified = ["modifiedSince=2021-01-01", "modifiedUntil=2021-12-31"];
    check_2021("toe_lines", &seen, &["seenAt"]);
    check_2021("toe_lines", &[seen, modified].concat(), &["seenAt", "modifiedDate"]);
}

#[test]
fn what_is_no_day_is_refused_before_it_is_asked_for() {
    let project = Project::shipped("fluidattacks").only(&["organizations", "groups", "executions"]);
    let server = serve(stand_in(0.003));
    for wrong in ["garbage", "2023", "2023-13-01", "01.07.2023"] {
        let told = project
            .run(&server, &["--var", &format!("since={wrong}")])
            .with_code(2)
            .stderr;
        let said = format!("the value `{wrong}` of `$since` is no date or time");
        assert!(told.contains(&said) && told.contains("executions.graphql"), "{told}");
    }
    let log = server.log();
    let executions = log.types.get("ForcesExecution");
    assert!(
        executions.is_none_or(|executions| executions.sent == 0),
        "it was asked for"
    );
    for right in [
        "2023-07-01",
        "2023-07-01T00:00:00-05:00",
        "2023-07-01 00:00:00",
        "null",
        "",
    ] {
        let right = format!("since={right}");
        project.run(&server, &["--fresh", "--var", &right]).with_code(0);
    }
}

#[test]
fn a_token_that_is_not_accepted_is_told_though_the_status_is_200() {
    let server = serve(stand_in(0.003));
    let project = Project::shipped("fluidattacks");
    let stranger = Api {
        token: Some("a.b.c".to_owned()),
        ..Api::from(&server)
    };
    let told = project.run(stranger, &[]).with_code(4).stderr;
    assert!(told.contains("Login required"), "{told}");
}

#[test]
fn what_customers_may_not_see_is_in_no_query_file_to_begin_with() {
    let server = serve(stand_in(0.003));
    let folder = tempfile::tempdir().expect("a folder");
    let address = server.address().to_string();
    let token_is = format!("auth.token.env={TOKEN_VARIABLE}");
    let mut command = gqldump();
    let command = command
        .current_dir(folder.path())
        .args(["init", &address, "--preset", "fluidattacks", "--set", &token_is])
        .env(TOKEN_VARIABLE, server.token().expose_secret());
    run(command).with_code(0);
    let sources = fs::read_dir(folder.path().join("queries")).expect("a source");
    let source = sources
        .map(|entry| entry.expect("a source").path())
        .next()
        .expect("a source");
    let starter = |name: &str| fs::read_to_string(source.join(name)).expect("a starter");
    let query = |name: &str| -> String {
        let text = starter(name);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| format!("{line}\n")).collect()
    };
    let findings = query("me_findingReattacksConnection.graphql");
    assert!(findings.contains("\n          title\n"), "{findings}");
    assert!(
        !findings.contains("hacker") && !findings.contains("records"),
        "{findings}"
    );
    assert!(!query("me_reattacks.graphql").contains("hacker"));
    assert!(starter("schema.graphql").contains("hacker"), "the schema has it");
}
