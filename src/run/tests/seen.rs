//! Rows that come twice: told by their keys within one connection, and left out with all that stands in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::*;
use crate::clock::Clock;
use crate::rows::{Decoder, Slot};
use crate::run::harvest::FoundPage;
use crate::run::seen::{Repeats, Seen};
use crate::state::{Effort, NewRun, Restart, RowKey, RunKey, RunStart, StateStore, TakenResponse};

const GROUPS: &str = "{ groups { nodes { id findings { nodes { id notes { nodes { text } } } } } } }";
const LIST: &str = r#""pageInfo":{"hasNextPage":false}"#;
const RUN: NewRun<'_> = NewRun {
    query: "work",
    name: "20261122T031500Z",
    fingerprint: "f",
    format: "ndjson",
    started_at: 1,
};

fn list(rows: impl Iterator<Item = String>) -> String {
    format!(r#"{{{LIST},"nodes":[{}]}}"#, rows.collect::<Vec<_>>().join(","))
}

/// A page of groups of so many findings each, with a note each, and the ids of the rows that stand in it.
fn groups(page: u64, sizes: &[Option<u64>]) -> String {
    let groups = sizes.iter().enumerate().map(|(group, size)| {
        let finding = |finding: u64| {
            let id = format!("{page}/{group}/{finding}");
            let note = list(std::iter::once(format!(r#"{{"text":"{id}"}}"#)));
            format!(r#"{{"notes":{note},"id":"{id}"}}"#)
        };
        match size {
            Some(size) => format!(
                r#"{{"id":"{page}/{group}","findings":{}}}"#,
                list((0..*size).map(finding))
            ),
            None => "null".to_owned(),
        }
    });
    list(groups)
}

/// What the decoder makes of a body, by table: rows taken, rows left out.
fn decoded(plan: &Plan, targets: &[Target], data: &str, skips: &[Vec<u64>]) -> Vec<(u64, u64)> {
    let mut decoder = Decoder::new(Arc::clone(&plan.tables));
    let slots: Vec<Slot<'_>> = targets.iter().map(|_| Slot::default()).collect();
    let body = format!(r#"{{"data":{data}}}"#);
    let counts = decoder.decode(&body, &plan.layout(targets), &slots, skips).unwrap();
    counts.iter().map(|count| (count.rows, count.skipped)).collect()
}

#[test]
fn what_is_left_out_is_what_the_decoder_leaves_out() {
    let seed = 20_261_122;
    let mut random = StdRng::seed_from_u64(seed);
    let plan = plan(GROUPS);
    for case in 0..300 {
        let pages: Vec<Vec<Option<u64>>> = (0..random.random_range(1..4))
            .map(|_| {
                let size = |random: &mut StdRng| (random.random_range(0..8) > 0).then(|| random.random_range(0..4));
                (0..random.random_range(0..6)).map(|_| size(&mut random)).collect()
            })
            .collect();
        let asked: Vec<_> = pages.iter().map(|_| later(&plan, "groups", "", "c")).collect();
        let names = pages.iter().enumerate().map(|(index, sizes)| {
            let key = if pages.len() == 1 {
                "groups".to_owned()
            } else {
                format!("t{index}")
            };
            format!(r#""{key}":{}"#, groups(index as u64, sizes))
        });
        let data = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
        let mut harvest = read(&plan, &asked, &[], &data).unwrap();
        let outermost: Vec<usize> = (0..harvest.pages.len())
            .filter(|page| harvest.pages[*page].slot.is_some())
            .collect();
        let mut repeats = Repeats::new();
        let mut kept = [0, 0];
        let most = random.random_range(2..9);
        for (slot, sizes) in pages.iter().enumerate() {
            for (item, size) in sizes
                .iter()
                .enumerate()
                .filter_map(|(item, size)| Some((item, (*size)?)))
            {
                if item >= most {
                    continue;
                }
                if random.random_bool(0.4) {
                    repeats.entry(outermost[slot]).or_default().push(item);
                } else {
                    kept = [kept[0] + 1, kept[1] + size];
                }
            }
        }
        harvest.cut(
            &mut repeats,
            |page| if page.slot.is_some() { most as u64 } else { u64::MAX },
        );
        harvest.leave_out(&repeats);
        let skips = harvest.skips(&repeats, &[]);
        let skipped: usize = repeats.values().map(Vec::len).sum();
        let targets = vec![
            Target::Page {
                connection: 0,
                is_first: false
            };
            pages.len()
        ];
        let counts = decoded(&plan, &targets, &data, &skips);
        let expected = [(kept[0], skipped as u64), (kept[1], 0), (kept[1], 0)];
        assert_eq!(counts, expected, "seed {seed}, case {case}: {repeats:?} of {data}");
        let pages_left = harvest
            .pages
            .iter()
            .filter(|page| !page.is_left_out && page.slot.is_none())
            .count();
        assert_eq!(
            pages_left as u64,
            kept[0] + kept[1],
            "one for each group and finding that is kept"
        );
    }
}

/// The rows of a page of groups, as those of an instance.
fn page_of(plan: &Plan, instance: u64, ids: &[&str]) -> (AskedTask, FoundPage) {
    let mut asked = later(plan, "groups", "", "c");
    asked.task.instance = instance;
    let rows = ids.iter().map(|id| json!({ "id": id, "findings": null }).to_string());
    let data = format!(r#"{{"groups":{}}}"#, list(rows));
    let mut pages = read(plan, std::slice::from_ref(&asked), &[], &data).unwrap().pages;
    (asked, pages.pop().unwrap())
}

/// Pages in one response, each of an instance.
async fn repeats(seen: &Seen, plan: &Plan, pages: &[(u64, &[&str])]) -> Vec<(usize, Vec<usize>)> {
    let pages = pages.iter().map(|(instance, ids)| page_of(plan, *instance, ids));
    let (asked, mut pages): (Vec<_>, Vec<_>) = pages.unzip();
    for (slot, page) in pages.iter_mut().enumerate() {
        page.slot = Some(slot);
    }
    seen.repeats(&pages, &asked).await.unwrap().into_iter().collect()
}

fn taken(run: RunKey, keys: Vec<RowKey>) -> TakenResponse {
    TakenResponse {
        run,
        sequence: 1,
        tasks: Vec::new(),
        slots: Vec::new(),
        skips: Vec::new(),
        body: Bytes::new(),
        rows: 2,
        received_at: 1,
        next_tasks: Vec::new(),
        waiting: 0,
        keys: vec![(5, keys)],
        tallies: Vec::new(),
        flaws: Vec::new(),
        members: Vec::new(),
        first_task: None,
        effort: Effort::default(),
    }
}

#[tokio::test]
async fn rows_are_told_by_their_key_and_their_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = state.begin_run(RUN, RunStart::Whole).await.unwrap();
    let plan = plan(GROUPS);
    let keys = |ids: &[&str]| -> Vec<RowKey> { page_of(&plan, 5, ids).1.keys.into_iter().flatten().collect() };
    let mut seen = Seen::of_state(state.clone(), run).await.unwrap();
    assert_eq!(repeats(&seen, &plan, &[(5, &["a", "b"])]).await, []);
    let response = taken(run, keys(&["a", "b"]));
    seen.note(&response.keys);
    state.take(response).await.unwrap();

    assert_eq!(repeats(&seen, &plan, &[(5, &["b", "c", "a"])]).await, [(0, vec![0, 2])]);
    assert_eq!(
        repeats(&seen, &plan, &[(6, &["a", "b"])]).await,
        [],
        "of another connection"
    );
    let side_by_side: &[(u64, &[&str])] = &[(5, &["c", "d"]), (5, &["d", "b", "e"]), (6, &["d"])];
    assert_eq!(repeats(&seen, &plan, side_by_side).await, [(1, vec![0, 1])]);
    let twice_in_one_page: &[(u64, &[&str])] = &[(5, &["e", "f", "e", "a"])];
    assert_eq!(repeats(&seen, &plan, twice_in_one_page).await, [(0, vec![2, 3])]);

    let again = Seen::of_state(state, run).await.unwrap();
    assert_eq!(repeats(&again, &plan, &[(5, &["b", "c"])]).await, [(0, vec![0])]);
}

/// A group that comes twice, in one of which a finding does too, and a page of another slot that is not taken.
#[test]
fn what_stands_twice_in_what_is_left_out_is_left_out_once() {
    let plan = plan(GROUPS);
    let finding = |id: &str| format!(r#"{{"notes":{},"id":"{id}"}}"#, list(std::iter::empty()));
    let group = |id: &str, findings: &[&str]| {
        let findings = list(findings.iter().map(|id| finding(id)));
        format!(r#"{{"id":"{id}","findings":{findings}}}"#)
    };
    let groups = [
        group("a", &["1", "2"]),
        group("a", &["1", "1", "2"]),
        group("b", &["3", "4"]),
    ];
    let data = format!(r#"{{"groups":{}}}"#, list(groups.into_iter()));
    let asked = [later(&plan, "groups", "", "c")];
    let mut harvest = read(&plan, &asked, &[], &data).unwrap();
    let doubles = harvest
        .pages
        .iter()
        .enumerate()
        .filter(|(_, page)| !page.doubles.is_empty());
    let repeats: Repeats = doubles.map(|(index, page)| (index, page.doubles.clone())).collect();
    assert_eq!(repeats.len(), 2, "of groups, and of findings in the second one");
    harvest.leave_out(&repeats);
    let target = Target::Page {
        connection: 0,
        is_first: false,
    };
    let counts = decoded(&plan, &[target], &data, &harvest.skips(&repeats, &[]));
    assert_eq!(counts, [(2, 1), (4, 0), (0, 0)]);
}

#[tokio::test]
async fn rows_without_a_key_are_counted_off_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = state.begin_run(RUN, RunStart::Whole).await.unwrap();
    let seen = Seen::of_state(state, run).await.unwrap();
    let plan = plan("{ books { items { title } totalPages } }");
    let mut asked = later(&plan, "books", "", 2);
    (asked.task.instance, asked.task.before) = (5, 10);
    let data = r#"{"books":{"items":[{"title":"a"},{"title":"a"},{"title":"b"}],"totalPages":3}}"#;
    let pages = read(&plan, std::slice::from_ref(&asked), &[], data).unwrap().pages;
    assert!(
        seen.repeats(&pages, std::slice::from_ref(&asked))
            .await
            .unwrap()
            .is_empty()
    );
    for (rows, expected) in [(10, 0), (12, 2), (99, 3)] {
        asked.task.restart = Some(Restart {
            rows,
            attempts: 1,
            fresh: 0,
        });
        let repeats = seen.repeats(&pages, std::slice::from_ref(&asked)).await.unwrap();
        let items: BTreeSet<usize> = repeats.into_values().flatten().collect();
        assert_eq!(items, (0..expected).collect());
    }
}

#[test]
fn a_node_in_several_edges_is_several_rows_where_the_edge_is_part_of_them() {
    let page = |query: &str| {
        let plan = plan(query);
        let data = r#"{"groups":{"nodes":[{"id":"G","findings":{"edges":[{"cursor":"1","node":{"id":"F"}}],"pageInfo":{"hasNextPage":false}}}],"pageInfo":{"hasNextPage":false}}}"#;
        let findings = connection(&plan, "groups.nodes.findings");
        let pages = read_start(&plan, data).pages;
        pages.into_iter().find(|page| page.connection == findings).unwrap()
    };
    let of_nodes = page("{ groups { nodes { id findings { edges { node { id } } } } } }");
    assert!(of_nodes.has_keys && of_nodes.are_keys_unique);
    let of_edges = page("{ groups { nodes { id findings { edges { rank node { id } } } } } }");
    assert!(of_edges.has_keys && !of_edges.are_keys_unique);
}
