//! Bodies that nobody should send: what the engine counts in them is what the decoder makes rows of, and nothing else
//! happens.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::api::{EnvelopeError, read_envelope};
use crate::mutation::fuzz;
use crate::plan::Layout;
use crate::rows::{Decoder, Slot};
use crate::run::intake::{Request, consequences};

/// A query, what is asked of it, and answers to that.
struct Target {
    plan: Plan,
    asked: Vec<AskedTask>,
    layout: Layout,
    slots: Vec<SlotPlace>,
}

impl Target {
    fn new(query: &str, asked: impl Fn(&Plan) -> Vec<AskedTask>) -> Self {
        let plan = plan(query);
        let asked = asked(&plan);
        let (layout, slots) = layout(&plan, &asked);
        Self {
            plan,
            asked,
            layout,
            slots,
        }
    }

    fn harvest(&self, body: &str) -> Result<Option<Harvest>, EnvelopeError> {
        let looks = vec![
            Look {
                key: None,
                digest: true
            };
            self.plan.connections.len()
        ];
        let seed = HarvestSeed {
            layout: &self.layout,
            slots: &self.slots,
            looks: &looks,
        };
        read_envelope(body, seed).map(|envelope| envelope.data)
    }

    /// Whether a body is taken in. Panics unless what the engine takes it for is what the decoder makes rows of.
    fn check(&self, body: &str) -> bool {
        let Ok(Some(harvest)) = self.harvest(body) else {
            return false;
        };
        let inline_sizes = vec![2; self.plan.connections.len()];
        let request = Request {
            plan: &self.plan,
            asked: &self.asked,
            inline_sizes: &inline_sizes,
            sequence: 1,
            denied: &[],
            doubts_null: false,
        };
        // An error here ends the export, and says why.
        let Ok(consequences) = consequences(request, &harvest, &[]) else {
            return false;
        };
        if !consequences.void.is_empty() {
            return false;
        }
        let slots: Vec<Slot<'_>> = self
            .slots
            .iter()
            .map(|place| Slot {
                parent: place.slot.parent.as_deref(),
                position: place.slot.before,
            })
            .collect();
        let mut decoder = Decoder::new(Arc::clone(&self.plan.tables));
        let counts = decoder.decode(body, &self.layout, &slots, &harvest.skips(&Default::default(), &[]));
        let counts = counts.unwrap_or_else(|error| panic!("taken in, and no rows: {error}: {body}"));
        for (table, count) in counts.iter().enumerate() {
            let pages = harvest.pages.iter().filter(|page| page.table == table);
            let counted: u64 = pages.map(|page| page.rows).sum();
            let made = count.rows + count.rejected + count.null_items;
            assert_eq!(made, counted, "table {table}: {count:?} of {body}");
            let batches = decoder.take_rest(table).expect("batches");
            let rows = |batch: &arrow::array::RecordBatch| batch.num_rows() as u64;
            assert_eq!(batches.rows.as_ref().map_or(0, rows), count.rows);
        }
        true
    }

    /// Checks changes of these bodies, which are taken in as they stand.
    fn fuzz(&self, bodies: &[&str], cases: u64) {
        for body in bodies {
            assert!(self.check(body), "{body}");
        }
        fuzz(bodies, cases, |body| {
            self.check(&String::from_utf8_lossy(body));
        });
    }
}

const NESTED: &str =
    "{ owner { login } groups { totalCount nodes { id findings { nodes { id notes { nodes { text } } } } } } }";
const NESTED_BODIES: [&str; 2] = [
    r#"{"data":{"owner":{"login":"me"},"groups":{"totalCount":2,"nodes":[{"id":"G1","findings":{"nodes":[{"id":"F1","notes":{"nodes":[{"text":"a"},{"text":null}],"pageInfo":{"hasNextPage":true,"endCursor":"n2"}}},{"id":"F2","notes":null}],"pageInfo":{"hasNextPage":true,"endCursor":"f2"}}},{"id":"G2","findings":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}],"pageInfo":{"hasNextPage":true,"endCursor":"g2"}}}}"#,
    r#"{"errors":[{"message":"m","path":["groups","nodes",0]}],"data":{"owner":null,"groups":{"nodes":[null,{"id":"G3","findings":null}],"totalCount":null,"pageInfo":{"hasNextPage":false}}},"extensions":{"cost":1}}"#,
];

#[test]
fn what_is_counted_of_a_nested_answer_becomes_rows() {
    let target = Target::new(NESTED, |_| vec![start()]);
    target.fuzz(&NESTED_BODIES, 8000);
}

const FOLDERS: &str = "{ folders { edges { node { name notes { nodes { text } } } } } racks { edges { node { id shelves { id notes { nodes { text } } } } } } }";
const FOLDER_BODIES: [&str; 1] = [
    r#"{"data":{"folders":{"edges":[{"cursor":"1","node":{"name":"a","notes":{"nodes":[{"text":"x"}],"pageInfo":{"hasNextPage":true,"endCursor":"n"}}}},{"cursor":"2","node":null}],"pageInfo":{"hasNextPage":true,"endCursor":"2"}},"racks":{"edges":[{"cursor":"r","node":{"id":"R1","shelves":[{"id":"S1","notes":{"nodes":[],"pageInfo":{"hasNextPage":false}}},{"id":null,"notes":null}]}}],"pageInfo":{"hasNextPage":false,"endCursor":null}}}}"#,
];

#[test]
fn what_is_counted_of_rows_without_keys_becomes_rows() {
    let target = Target::new(FOLDERS, |_| vec![start()]);
    target.fuzz(&FOLDER_BODIES, 6000);
}

#[test]
fn what_is_counted_of_pages_that_share_a_request_becomes_rows() {
    let target = Target::new(NESTED, |plan| {
        let path = "groups.nodes.findings";
        vec![later(plan, path, "G1", "f2"), later(plan, path, "G2", "f9")]
    });
    let page = |key: &str, id: &str| {
        format!(
            r#""{key}":{{"__typename":"Group","id":"{id}","findings":{{"nodes":[{{"id":"{id}F","notes":{{"nodes":[{{"text":"t"}}],"pageInfo":{{"hasNextPage":false,"endCursor":"n"}}}}}}],"pageInfo":{{"hasNextPage":true,"endCursor":"f"}}}}}}"#
        )
    };
    let keys = slot_keys(&target.layout);
    let body = format!(r#"{{"data":{{{},{}}}}}"#, page(&keys[0], "G1"), page(&keys[1], "G2"));
    let harvest = target.harvest(&body).unwrap().unwrap();
    assert_eq!((harvest.strangers.len(), harvest.missing.len()), (0, 0), "{body}");
    target.fuzz(&[&body], 6000);
}

/// The response keys of a request's root fields.
fn slot_keys(layout: &Layout) -> Vec<String> {
    match &layout.data.role {
        crate::plan::AncestorRole::Object(fields) => fields.iter().map(|field| field.key.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

/// `count` members with names of their own.
fn members(count: usize) -> String {
    let mut members = String::new();
    for index in 0..count {
        let _ = write!(members, "\"m{index}\":0,");
    }
    members
}

/// Comparing each with each would take a hundred times as long.
#[test]
fn members_without_number_that_nobody_asked_for_are_passed_over() {
    let target = Target::new(NESTED, |_| vec![start()]);
    let members = members(100_000);
    for body in [
        format!(r#"{{"data":{{{members}"owner":null,"groups":{{"nodes":[]}}}}}}"#),
        format!(r#"{{"data":{{"owner":null,"groups":{{{members}"nodes":[]}}}}}}"#),
        format!(r#"{{"data":{{"owner":null,"groups":{{"nodes":[{{{members}"id":"G","findings":null}}]}}}}}}"#),
    ] {
        let harvest = target.harvest(&body).unwrap().unwrap();
        assert_eq!(harvest.pages.iter().filter(|page| page.has_items).count(), 1);
        assert!(target.check(&body));
    }
    let twice = format!(r#"{{"data":{{{members}"owner":null,"groups":null,"m7":1}}}}"#);
    assert!(
        matches!(target.harvest(&twice), Err(EnvelopeError::Refused(reason)) if reason.contains("`m7` occurs twice"))
    );
}

#[test]
fn nesting_without_end_is_refused_or_passed_over_wherever_it_stands() {
    let target = Target::new(NESTED, |_| vec![start()]);
    let places: BTreeSet<&str> = [
        "owner",
        "groups",
        "nodes",
        "id",
        "findings",
        "pageInfo",
        "endCursor",
        "totalCount",
    ]
    .into();
    for place in places {
        let quoted = format!("\"{place}\":");
        let (before, after) = NESTED_BODIES[0].split_once(&quoted).expect("the place");
        for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
            let depth = 100_000;
            let deep = format!("{before}{quoted}{}0{}", opening.repeat(depth), closing.repeat(depth));
            target.check(&format!("{deep},\"x\":{after}"));
        }
    }
}
