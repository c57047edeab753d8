//! Which tasks share a request, and how large their pages are.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::project::QueryLimits;
use crate::run::fan_out::FanOut;
use crate::run::pace::{Allowance, Reach};
use crate::run::pack::{Packer, Room};

const DEEP: &str = "{ groups { nodes { findings { nodes { notes { nodes { text } } } } } } }";
const FINDINGS: &str = "groups.nodes.findings";
const NOTES: &str = "groups.nodes.findings.nodes.notes";

fn room(rows: u64, slots: usize) -> Room {
    Room {
        rows,
        counts_asked: true,
        slots,
    }
}

fn anything(plan: &Plan) -> Allowance {
    Allowance::unlimited(plan.connections.len())
}

/// Connections of which many are known to hold so many rows.
fn known(rows: &[u64]) -> Vec<FanOut> {
    let known = rows.iter().map(|rows| {
        let mut fan_out = FanOut::default();
        (0..100).for_each(|_| fan_out.note_ended(*rows, false));
        fan_out
    });
    known.collect()
}

fn unknown(plan: &Plan) -> Vec<FanOut> {
    vec![FanOut::default(); plan.connections.len()]
}

/// Rows asked for in all, with first pages within pages.
fn rows_asked(plan: &Plan, inline: &[u32], connection: usize, size: u32) -> u64 {
    let children = plan
        .connections
        .iter()
        .enumerate()
        .filter(|(_, child)| child.parent == Some(connection));
    let each: u64 = children
        .map(|(child, _)| rows_asked(plan, inline, child, inline[child]))
        .sum();
    u64::from(size) * (1 + each)
}

#[test]
fn the_limits_of_a_source_make_the_room() {
    let limits = |root_fields, aliases, nodes| QueryLimits {
        root_fields,
        aliases,
        nodes,
        ..QueryLimits::default()
    };
    let free = Room::of(&limits(None, None, None));
    assert_eq!((free.rows, free.slots, free.counts_asked), (10_000, 100, false));
    let strict = Room::of(&limits(Some(3), Some(5), Some(500)));
    assert_eq!(strict, room(500, 3));
    assert_eq!(
        Room::of(&limits(Some(0), None, Some(0))),
        room(1, 1),
        "a request asks for something"
    );
}

#[test]
fn first_pages_hold_what_their_connections_hold() {
    let plan = plan(DEEP);
    let packer = Packer::new(&plan, room(10_000, 100), &anything(&plan), &known(&[50, 7, 2]));
    assert_eq!(packer.inline_sizes(), [100, 7, 2]);
    let small = Packer::new(&plan, room(600, 100), &anything(&plan), &known(&[50, 7, 2]));
    assert_eq!(
        small.inline_sizes(),
        [600 / (1 + 7 * 3), 7, 2],
        "and the page around them fits"
    );
}

#[test]
fn first_pages_shrink_until_one_row_fits() {
    let plan = plan(DEEP);
    let packer = Packer::new(&plan, room(20, 100), &anything(&plan), &known(&[50, 7, 20]));
    let inline = packer.inline_sizes();
    assert_eq!(inline[0], 1);
    assert!(rows_asked(&plan, inline, 0, 1) <= 20, "{inline:?}");
}

#[test]
fn a_first_page_told_by_a_total_has_room_for_one_row_more() {
    let plan = plan(
        "{ racks { edges { node { id shelves @paginate(style: OFFSET_LIST) { id } } } } books @paginate(style: PAGE, firstPage: 1) { total items { title } } }",
    );
    let packer = Packer::new(&plan, room(10_000, 100), &anything(&plan), &known(&[50, 7, 7]));
    assert_eq!(
        packer.inline_sizes()[..2],
        [100, 7],
        "a list is confirmed by an empty page anyway"
    );
}

fn sizes_of((chosen, is_full): (Vec<(&Task, u32)>, bool)) -> (Vec<u32>, bool) {
    (chosen.into_iter().map(|(_, size)| size).collect(), is_full)
}

#[test]
fn what_does_not_fit_is_passed_over_for_what_does() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 2]);
    let sized = |size| Task {
        size: Some(size),
        ..later(&plan, NOTES, "F1", "n").task
    };
    let tasks = [60, 70, 30, 20].map(sized);
    let packer = Packer::new(&plan, room(100, 100), &anything(&plan), &fan_outs);
    assert_eq!(sizes_of(packer.fill(tasks.iter(), &fan_outs)), (vec![60, 30], true));
}

#[test]
fn a_request_is_filled_up_with_a_smaller_page() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 500]);
    let tasks: Vec<Task> = (0..9).map(|_| later(&plan, NOTES, "F1", "n").task).collect();
    let fill = |rows| {
        let packer = Packer::new(&plan, room(rows, 100), &anything(&plan), &fan_outs);
        sizes_of(packer.fill(tasks.iter(), &fan_outs)).0
    };
    assert_eq!(fill(281), [100, 100, 78], "beside the rows above");
    assert_eq!(fill(231), [100, 100], "a page in two is a wait more");
}

#[test]
fn tasks_share_a_request_up_to_its_slots_and_rows() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 2]);
    let tasks: Vec<Task> = (0..9).map(|_| later(&plan, NOTES, "F1", "n").task).collect();
    let sized = |size| {
        let task = |task: &Task| Task {
            size: Some(size),
            ..task.clone()
        };
        tasks.iter().map(task).collect::<Vec<_>>()
    };
    let fill = |room, tasks: &[Task]| {
        let (sizes, is_full) = Packer::new(&plan, room, &anything(&plan), &fan_outs).fill(tasks.iter(), &fan_outs);
        (sizes.len(), is_full)
    };
    assert_eq!(fill(room(1_000, 100), &sized(40)), (9, false));
    assert_eq!(fill(room(1_000, 4), &sized(40)), (4, true));
    assert_eq!(fill(room(100, 100), &sized(40)), (2, true));
    assert_eq!(fill(room(82, 100), &sized(40)), (2, true));
    assert_eq!(fill(room(10, 100), &sized(40)), (1, true), "one goes whatever its size");
    assert_eq!(fill(room(10, 100), &[]), (0, false));
}

#[test]
fn rows_below_count_with_the_rows_that_hold_them() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 4]);
    let packer = Packer::new(&plan, room(100, 100), &anything(&plan), &fan_outs);
    let task = later(&plan, FINDINGS, "G1", "f").task;
    let sized = Task {
        size: Some(9),
        ..task.clone()
    };
    let (sizes, is_full) = sizes_of(packer.fill([&sized, &sized, &sized].into_iter(), &fan_outs));
    assert_eq!((sizes, is_full), (vec![9, 9], true), "45 rows each");
    assert!(packer.size(&task, &unknown(&plan)) <= 20, "5 rows each");
}

#[test]
fn the_first_pages_of_everything_go_alone() {
    let plan = plan(DEEP);
    let fan_outs = unknown(&plan);
    let packer = Packer::new(&plan, room(1_000, 100), &anything(&plan), &fan_outs);
    let (start, later) = (Task::default(), later(&plan, FINDINGS, "G1", "f").task);
    assert_eq!(
        sizes_of(packer.fill([&start, &later].into_iter(), &fan_outs)),
        (vec![1], true)
    );
    let (sizes, is_full) = packer.fill([&later, &start].into_iter(), &fan_outs);
    assert_eq!((sizes.len(), is_full), (1, true));
}

#[test]
fn a_size_that_was_settled_stays_where_pages_are_numbered() {
    let plan = plan(
        "{ books @paginate(style: PAGE, firstPage: 1) { total items { title notes { nodes { text } } } } shelves @paginate(style: OFFSET_LIST) { id } }",
    );
    let fan_outs = unknown(&plan);
    let packer = Packer::new(&plan, room(31, 100), &anything(&plan), &fan_outs);
    let size = |path, size| {
        let task = Task {
            size,
            ..later(&plan, path, "", 2).task
        };
        packer.size(&task, &fan_outs)
    };
    assert_eq!(size("books", Some(77)), 77);
    assert_eq!(
        size("books", None),
        2,
        "what fits beside the first pages of notes, for a first page"
    );
    assert_eq!(
        size("shelves", Some(77)),
        30,
        "beside the row above it; what it lacks is asked for by itself"
    );
    assert_eq!(size("shelves", Some(7)), 7);
}

/// Rows that the first request asks for.
fn rows_at_first(plan: &Plan, packer: &Packer<'_>) -> u64 {
    let outermost = plan.connections.iter().enumerate();
    let outermost = outermost.filter(|(_, connection)| connection.parent.is_none());
    let inline = packer.inline_sizes();
    outermost
        .map(|(index, _)| rows_asked(plan, inline, index, inline[index]))
        .sum()
}

#[test]
fn outermost_connections_fit_beside_each_other() {
    let text = "{ groups { nodes { findings { nodes { notes { nodes { text } } } } } } racks { edges { node { id } } } \
                books @paginate(style: PAGE, firstPage: 1) { total items { title } } }";
    let plan = plan(text);
    for rows in [5, 10, 60, 113, 252, 400, 900] {
        let packer = Packer::new(&plan, room(rows, 100), &anything(&plan), &unknown(&plan));
        let asked = rows_at_first(&plan, &packer);
        assert!(asked <= rows && asked > rows / 4, "{asked} of {rows}");
    }
}

#[test]
fn numbered_pages_stay_within_the_room_when_more_is_known_of_what_is_in_their_rows() {
    let plan = plan(
        "{ books @paginate(style: PAGE, firstPage: 1) { total items { title notes @paginate(style: RELAY) { nodes { text } } } } }",
    );
    let first = Packer::new(&plan, room(120, 100), &anything(&plan), &known(&[9, 1]));
    assert!(rows_at_first(&plan, &first) <= 120);
    let size = first.inline_sizes()[0];
    assert_eq!(size, 60);
    let task = Task {
        size: Some(size),
        ..later(&plan, "books", "", 2).task
    };
    let fan_outs = known(&[9, 40]);
    let mut packer = Packer::new(&plan, room(120, 100), &anything(&plan), &fan_outs);
    assert!(packer.cost(0, size) > 120.0);
    packer.make_room(&task, &fan_outs);
    assert_eq!(
        sizes_of(packer.fill([&task, &task].into_iter(), &fan_outs)),
        (vec![60], true)
    );
    assert_eq!(packer.cost(0, size), 120.0);
}

#[test]
fn no_more_is_asked_for_than_the_author_wants() {
    let plan = plan("{ groups @paginate(max: 12) { nodes { id } } }");
    let fan_outs = unknown(&plan);
    let packer = Packer::new(&plan, room(1_000, 100), &anything(&plan), &fan_outs);
    assert_eq!(packer.inline_sizes(), [12]);
    assert_eq!(
        packer.size(&later(&plan, "groups", "", "g").task, &fan_outs),
        2,
        "10 are there"
    );
}

proptest! {
    #[test]
    fn a_request_is_never_empty_and_keeps_to_its_room(
        rows in 1..3_000_u64,
        slots in 1..20_usize,
        fan_out in prop::array::uniform3(0..200_u64),
        paths in prop::collection::vec((select(vec!["groups", FINDINGS, NOTES]), 0..500_u64), 1..40),
    ) {
        let plan = plan(DEEP);
        let fan_outs = known(&fan_out);
        let packer = Packer::new(&plan, room(rows, slots), &anything(&plan), &fan_outs);
        let task = |(path, before): &(&str, u64)| Task { before: *before, ..later(&plan, path, "X", "c").task };
        let tasks: Vec<Task> = paths.iter().map(task).collect();
        let (chosen, is_full) = packer.fill(tasks.iter(), &fan_outs);
        prop_assert!(!chosen.is_empty() && chosen.len() <= slots && chosen.iter().all(|(_, size)| *size > 0));
        prop_assert!(is_full || chosen.len() == tasks.len());
        prop_assert!(std::ptr::eq(chosen[0].0, &tasks[0]), "the first of them waits no longer");
        let asked = chosen.iter().map(|(task, size)| {
            rows_asked(&plan, packer.inline_sizes(), task.connection.unwrap(), *size)
        });
        let asked: u64 = asked.sum();
        // Where not even one row of a page fits with the smallest pages in it, it is asked for all the same.
        prop_assert!(asked <= rows || (chosen.len() == 1 && rows < 3), "{asked} of {rows}");
    }
}

/// Answers that take a second, and a hundredth of one for each row.
fn timed(plan: &Plan, seconds: f64) -> Allowance {
    Allowance {
        time: Some((seconds, vec![0.01; plan.connections.len()])),
        ..anything(plan)
    }
}

#[test]
fn a_request_is_as_large_as_its_time_allows() {
    let plan = plan(DEEP);
    let fan_outs = known(&[5_000, 1_000, 4]);
    let task = later(&plan, FINDINGS, "G1", "f").task;
    let size =
        |allowance: &Allowance| Packer::new(&plan, room(1_000_000, 100), allowance, &fan_outs).size(&task, &fan_outs);
    assert_eq!(size(&anything(&plan)), 100);
    assert_eq!(size(&timed(&plan, 2.0)), 40, "200 rows, five for each finding");
    assert_eq!(size(&timed(&plan, 0.001)), 1);
}

#[test]
fn rows_that_take_longer_make_smaller_pages() {
    let plan = plan(DEEP);
    let fan_outs = known(&[5_000, 1_000, 4]);
    let mut allowance = timed(&plan, 2.0);
    let notes = plan
        .connections
        .iter()
        .position(|connection| connection.path == NOTES)
        .unwrap();
    allowance.time.as_mut().unwrap().1[notes] = 0.1;
    let packer = Packer::new(&plan, room(1_000_000, 100), &allowance, &fan_outs);
    let findings = later(&plan, FINDINGS, "G1", "f").task;
    assert_eq!(packer.size(&findings, &fan_outs), 4, "0.41 seconds for each finding");
    assert_eq!(packer.size(&later(&plan, NOTES, "F1", "n").task, &fan_outs), 20);
}

#[test]
fn work_is_shared_out_by_tasks_and_never_by_smaller_pages() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 200]);
    let tasks: Vec<Task> = (0..20).map(|_| later(&plan, NOTES, "F1", "n").task).collect();
    let mut packer = Packer::new(&plan, room(1_000_000, 100), &timed(&plan, 10.0), &fan_outs);
    assert_eq!(
        sizes_of(packer.fill(tasks.iter(), &fan_outs)).0,
        vec![100; 10],
        "a second for each"
    );
    packer.share_out(3.0);
    assert_eq!(sizes_of(packer.fill(tasks.iter(), &fan_outs)), (vec![100; 3], true));
    packer.share_out(0.1);
    assert_eq!(sizes_of(packer.fill(tasks.iter(), &fan_outs)), (vec![100], true));
}

#[test]
fn what_failed_bounds_requests_with_rows_of_that_connection_alone() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 200]);
    let mut allowance = anything(&plan);
    let notes = plan
        .connections
        .iter()
        .position(|connection| connection.path == NOTES)
        .unwrap();
    allowance.rows[notes] = 150.0;
    let packer = Packer::new(&plan, room(1_000_000, 100), &allowance, &fan_outs);
    let tasks: Vec<Task> = (0..20).map(|_| later(&plan, NOTES, "F1", "n").task).collect();
    assert_eq!(sizes_of(packer.fill(tasks.iter(), &fan_outs)), (vec![100, 50], true));
    allowance.rows[notes] = 30.0;
    let packer = Packer::new(&plan, room(1_000_000, 100), &allowance, &fan_outs);
    assert_eq!(sizes_of(packer.fill(tasks.iter(), &fan_outs)), (vec![30], true));
}

#[test]
fn down_to_one_row_with_one_row_below_it() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 40, 30]);
    let mut allowance = anything(&plan);
    allowance.keep_to(1.0);
    let mut packer = Packer::new(&plan, room(10_000, 100), &allowance, &fan_outs);
    let task = later(&plan, FINDINGS, "G1", "f").task;
    packer.make_room(&task, &fan_outs);
    assert_eq!(packer.size(&task, &fan_outs), 1);
    assert_eq!(packer.inline_sizes()[1..], [1, 1]);
}

#[test]
fn what_is_likely_to_come_is_told_by_connection() {
    let plan = plan(DEEP);
    let fan_outs = known(&[50, 7, 2]);
    let packer = Packer::new(&plan, room(10_000, 100), &anything(&plan), &fan_outs);
    let task = later(&plan, FINDINGS, "G1", "f").task;
    assert_eq!(
        packer.likely([(&task, 10), (&task, 5)].into_iter(), &fan_outs),
        [0.0, 15.0, 30.0]
    );
    let start = Task::default();
    assert_eq!(
        packer.likely([(&start, 1)].into_iter(), &fan_outs),
        [100.0, 700.0, 1_400.0]
    );
}

#[test]
fn where_pages_go_out_side_by_side_the_first_one_is_small() {
    let first = |text: &str, rows: u64, is_timed: bool| {
        let plan = plan(text);
        let allowance = if is_timed { timed(&plan, 0.5) } else { anything(&plan) };
        Packer::new(&plan, room(1_000_000, 100), &allowance, &known(&[rows])).inline_sizes()[0]
    };
    let boxes = "{ boxes { items { id } } }";
    assert_eq!(first(boxes, 5_000, true), 5, "a tenth of what its time allows");
    assert_eq!(first(boxes, 40, true), 50, "there is likely to be one page");
    assert_eq!(first(boxes, 5_000, false), 100, "nothing is known");
    assert_eq!(
        first("{ shelves { id } }", 5_000, true),
        50,
        "the next page would not be known sooner"
    );
}

/// The same with so many requests in flight and in a second.
fn reached(plan: &Plan, seconds: f64, places: f64, per_second: f64) -> Allowance {
    Allowance {
        reach: Reach {
            base: 0.1,
            places,
            per_second,
        },
        ..timed(plan, seconds)
    }
}

#[test]
fn what_holds_up_a_chain_of_pages_is_left_to_be_read_by_the_side() {
    let plan = plan("{ groups { nodes { findings { nodes { id } } } } }");
    let free = Room {
        counts_asked: false,
        ..room(10_000, 100)
    };
    let findings_with_a_group = |fan_outs: &[FanOut], allowance: Allowance| {
        let packer = Packer::new(&plan, free, &allowance, fan_outs);
        (packer.inline_sizes()[1], packer.inline_sizes()[0])
    };
    let long = known(&[400, 90]);
    let alone = findings_with_a_group(&long, reached(&plan, 10.0, 1.0, f64::INFINITY));
    assert_eq!(alone.0, 96, "one request at a time takes as long either way");
    let (findings, groups) = findings_with_a_group(&long, reached(&plan, 10.0, 16.0, f64::INFINITY));
    assert!(
        findings <= 90 / 8 && groups > 5 * alone.1,
        "{findings} with each of {groups}"
    );
    let scarce = findings_with_a_group(&long, reached(&plan, 10.0, 16.0, 0.1));
    assert_eq!(scarce, alone, "the budget is what is waited for");
    let few = findings_with_a_group(&known(&[400, 1]), reached(&plan, 10.0, 16.0, f64::INFINITY));
    assert_eq!(few.0, 1);
}
