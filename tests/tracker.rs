//! The stand-in for a vulnerability tracker: started as tests want it, and the rows that its tables must have.

use gqldump::demo::{CursorExpiry, DemoConfig, DemoServer, FaultPlan, Refusal, StandIn};
use serde_json::{Map, Value};

use crate::cell::{Cell, Kind, Row, list, object};
use crate::exported::Exported;

/// A stand-in that answers at once, without limits and without faults, with one row in twenty of its large tables.
pub(crate) fn calm() -> DemoConfig {
    let mut config = DemoConfig::named("tracker").expect("the tracker");
    config.rows_scale = 0.05;
    config.behaviours.limits.clear();
    config.behaviours.latency.base = std::time::Duration::ZERO;
    config.behaviours.latency.per_node = std::time::Duration::ZERO;
    config.behaviours.faults = FaultPlan::none();
    config
}

/// Starts a stand-in.
pub(crate) fn serve(config: DemoConfig) -> DemoServer {
    DemoServer::start(config).expect("a stand-in")
}

/// A table that a shipped query file exports.
pub(crate) struct TrackerTable {
    /// Its name, and that of its query file.
    pub(crate) name: &'static str,
    /// Its columns after `_id`.
    columns: Vec<(&'static str, Kind)>,
    truth: fn(&StandIn) -> Vec<Map<String, Value>>,
}

/// The tables of `queries/demo`.
pub(crate) fn tables() -> [TrackerTable; 6] {
    [
        audit_entries(),
        events(),
        findings(),
        groups(),
        organizations(),
        vulnerabilities(),
    ]
}

impl TrackerTable {
    /// All its columns.
    pub(crate) fn columns(&self) -> Vec<(&'static str, Kind)> {
        [vec![("_id", Kind::Text)], self.columns.clone()].concat()
    }

    /// The rows that it must have, without `_id`.
    fn truth(&self, stand_in: &StandIn) -> Vec<Row> {
        let rows = (self.truth)(stand_in);
        let row = |answer: &Map<String, Value>| {
            let cell = |name: &str, kind| Cell::of_answer(kind, answer.get(name).expect("a value"));
            self.columns
                .iter()
                .map(|(name, kind)| (*name, cell(name, kind)))
                .collect::<Row>()
        };
        rows.iter().map(row).collect()
    }

    /// Panics unless a run has exactly the rows of the stand-in, each as often, and unless `_id` tells them apart.
    #[track_caller]
    pub(crate) fn check(&self, exported: &Exported, stand_in: &StandIn) {
        assert_eq!(exported.incomplete(), Vec::<&str>::new());
        self.check_without(&[], exported, stand_in);
    }

    /// The same, complete or not, where these columns are null.
    #[track_caller]
    pub(crate) fn check_without(&self, columns: &[&str], exported: &Exported, stand_in: &StandIn) {
        let mut rows = exported.rows(self.name, &self.columns());
        let mut ids: Vec<String> = Vec::new();
        for row in &mut rows {
            let Some(Cell::Text(id)) = row.remove("_id") else {
                panic!("a row without `_id`: {row:?}")
            };
            if let Some(own) = row.get("id") {
                assert_eq!(*own, Cell::Text(id.clone()));
            }
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rows.len(), "{}: rows share an `_id`", self.name);
        let mut truth = self.truth(stand_in);
        for row in &mut truth {
            let denied = row.iter_mut().filter(|(name, _)| columns.contains(name));
            denied.for_each(|(_, cell)| *cell = Cell::Null);
        }
        assert_same_rows(self.name, rows, truth);
    }
}

#[track_caller]
fn assert_same_rows(table: &str, found: Vec<Row>, expected: Vec<Row>) {
    assert_eq!(found.len(), expected.len(), "rows of {table}");
    let sorted = |rows: Vec<Row>| {
        let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        texts.sort_unstable();
        texts
    };
    for (found, expected) in sorted(found).iter().zip(&sorted(expected)) {
        assert_eq!(found, expected, "a row of {table}");
    }
}

fn truth_of(table: &str, stand_in: &StandIn) -> Vec<Map<String, Value>> {
    stand_in.truth(table).expect("a table").collect()
}

fn audit_entries() -> TrackerTable {
    TrackerTable {
        name: "audit_entries",
        columns: vec![
            ("action", Kind::Text),
            ("target", Kind::Text),
            ("occurredOn", Kind::Date),
            ("succeeded", Kind::Boolean),
        ],
        truth: |stand_in| truth_of("auditEntries", stand_in),
    }
}

fn events() -> TrackerTable {
    let actor = object(&[
        ("name", Kind::Text),
        ("email", Kind::Text),
        ("version", Kind::Int32),
        ("__typename", Kind::Text),
    ]);
    TrackerTable {
        name: "events",
        columns: vec![
            ("id", Kind::Text),
            ("kind", Kind::Text),
            ("detail", Kind::Text),
            ("occurredAt", Kind::Timestamp),
            ("durationSeconds", Kind::Int32),
            ("sequence", Kind::Int64),
            ("groupName", Kind::Text),
            ("actor", actor),
        ],
        truth: |stand_in| truth_of("events", stand_in),
    }
}

fn findings() -> TrackerTable {
    TrackerTable {
        name: "findings",
        columns: vec![
            ("id", Kind::Text),
            ("title", Kind::Text),
            ("description", Kind::Text),
            ("severity", Kind::Text),
            ("cvss", Kind::Float),
            ("releasedAt", Kind::Timestamp),
            ("requirements", list(Kind::Int32)),
            ("groupName", Kind::Text),
            ("vulnerabilityCount", Kind::Int32),
        ],
        truth: |stand_in| {
            let mut rows = truth_of("findings", stand_in);
            for row in &mut rows {
                let score = row.remove("score").expect("a score");
                row.insert("cvss".to_owned(), score);
            }
            rows
        },
    }
}

fn groups() -> TrackerTable {
    TrackerTable {
        name: "groups",
        columns: vec![
            ("organization_name", Kind::Text),
            ("organization_plan", Kind::Text),
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("description", Kind::Text),
            ("active", Kind::Boolean),
            ("tags", list(Kind::Text)),
            ("budget", Kind::Decimal),
            ("createdOn", Kind::Date),
            ("metadata", Kind::Json),
            ("findingCount", Kind::Int32),
        ],
        truth: |stand_in| {
            let organization = truth_of("organizations", stand_in)
                .into_iter()
                .find(|row| row["name"] == "acme");
            let organization = organization.expect("an organization");
            let groups = stand_in
                .truth_below("groups", "Organization", "name", "acme")
                .expect("groups");
            let with_organization = |mut row: Map<String, Value>| {
                row.insert("organization_name".to_owned(), organization["name"].clone());
                row.insert("organization_plan".to_owned(), organization["plan"].clone());
                row
            };
            groups.map(with_organization).collect()
        },
    }
}

fn organizations() -> TrackerTable {
    TrackerTable {
        name: "organizations",
        columns: vec![
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("title", Kind::Text),
            ("plan", Kind::Text),
            ("seats", Kind::Int32),
            ("storage", Kind::Int64),
            ("createdAt", Kind::Timestamp),
            ("settings", Kind::Json),
            ("groupCount", Kind::Int32),
        ],
        truth: |stand_in| truth_of("organizations", stand_in),
    }
}

fn vulnerabilities() -> TrackerTable {
    let reference = object(&[("label", Kind::Text), ("url", Kind::Text)]);
    let vector = object(&[
        ("text", Kind::Text),
        ("complexity", Kind::Int32),
        ("exploited", Kind::Boolean),
    ]);
    let assessment = object(&[("author", Kind::Text), ("confidence", Kind::Float), ("vector", vector)]);
    let location = object(&[
        ("path", Kind::Text),
        ("line", Kind::Int32),
        ("url", Kind::Text),
        ("parameter", Kind::Text),
        ("host", Kind::Text),
        ("port", Kind::Int32),
        ("open", Kind::Boolean),
        ("__typename", Kind::Text),
    ]);
    TrackerTable {
        name: "vulnerabilities",
        columns: vec![
            ("id", Kind::Text),
            ("findingId", Kind::Text),
            ("title", Kind::Text),
            ("note", Kind::Text),
            ("severity", Kind::Text),
            ("state", Kind::Text),
            ("score", Kind::Float),
            ("fingerprint", Kind::Int64),
            ("exposure", Kind::Decimal),
            ("price", Kind::Decimal),
            ("attempts", Kind::Int32),
            ("verified", Kind::Boolean),
            ("reportedAt", Kind::Timestamp),
            ("closedAt", Kind::Timestamp),
            ("dueOn", Kind::Date),
            ("tags", list(Kind::Text)),
            ("evidence", Kind::Json),
            ("references", list(reference)),
            ("assessment", assessment),
            ("location", location),
        ],
        truth: |stand_in| truth_of("vulnerabilities", stand_in),
    }
}

/// Makes cursors that are good for three requests.
pub(crate) fn let_cursors_expire(config: &mut DemoConfig) {
    let body = r#"{"errors":[{"message":"The cursor has expired","extensions":{"code":"CursorExpiredError"}}]}"#;
    config.behaviours.paging.traps.cursor_expiry = Some(CursorExpiry {
        after: None,
        after_requests: Some(3),
        refusal: Refusal {
            status: 200,
            body: body.to_owned(),
        },
    });
}
