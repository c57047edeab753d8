//! Answers to requests for several values of the variable that a query is run for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::api::GraphqlError;
use crate::project::QueryLimits;
use crate::run::company::Company;
use crate::run::fan_out::FanOut;
use crate::run::intake::{Consequences, Request, consequences};
use crate::run::members::give_up;
use crate::run::pace::Allowance;
use crate::run::pack::{Packer, Room};
use crate::run::turning::PagingError;
use crate::state::{Member, MemberGain};

const SPACES: &str = r#"query ($space: String! @each(of: "spaces.name")) {
  space(name: $space) { login groups { nodes { id findings { nodes { id } } } } } }"#;
/// The whole answer is one row.
const LOGINS: &str = r#"query ($space: String! @each(of: "spaces.name")) { space(name: $space) { login } }"#;
/// The same of more than one field.
const TWO_LOGINS: &str = r#"query ($space: String! @each(of: "spaces.name")) {
  space(name: $space) { login } again: space(name: $space) { login } }"#;

fn member(number: u64) -> Member {
    Member {
        number,
        value: format!("s{number}").into(),
    }
}

/// The first pages for the value of that number.
fn first(plan: &Plan, number: u64) -> AskedTask {
    let task = Task {
        id: number,
        root: plan.roots_of_member()[0],
        parent: Some(member(number).name()),
        member: Some(member(number)),
        ..Task::default()
    };
    AskedTask { task, size: 1 }
}

fn take(plan: &Plan, asked: &[AskedTask], data: &str, errors: &[GraphqlError]) -> Consequences {
    let harvest = read(plan, asked, &[], data).unwrap();
    let request = Request {
        plan,
        asked,
        inline_sizes: &[2, 2],
        sequence: 3,
        denied: &[],
        doubts_null: false,
    };
    consequences(request, &harvest, errors).unwrap()
}

fn error(path: &serde_json::Value) -> GraphqlError {
    GraphqlError::from_value(json!({ "message": "no access", "path": path }))
}

fn groups(rows: &str, paging: &str) -> String {
    format!(r#"{{"login":"x","groups":{{"nodes":[{rows}],"pageInfo":{paging}}}}}"#)
}

#[test]
fn items_that_are_null_are_named_with_the_value_that_lacks_them() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2)];
    let data = format!(
        r#"{{"t0":{},"t1":{}}}"#,
        groups(
            r#"{"id":"G1","findings":{"nodes":[],"pageInfo":{"hasNextPage":false}}}"#,
            LAST
        ),
        groups("null,null", LAST)
    );
    let result = take(&plan, &asked, &data, &[]);
    let told = r#"`space.groups` of $space = "s2" has items that are null"#;
    assert_eq!(result.flaws, BTreeMap::from([(told.to_owned(), 2)]));
    let lacking = result
        .members
        .iter()
        .filter_map(|(number, gain)| Some((*number, gain.flaw.as_deref()?)));
    assert_eq!(lacking.collect::<Vec<_>>(), [(2, told)]);
}

const LAST: &str = r#"{"hasNextPage":false,"endCursor":null}"#;
const MORE: &str = r#"{"hasNextPage":true,"endCursor":"c"}"#;
const BROKEN: &str = r#"{"hasNextPage":true,"endCursor":null}"#;

fn group(id: &str, paging: &str) -> String {
    format!(r#"{{"id":"{id}","findings":{{"nodes":[{{"id":"f{id}"}}],"pageInfo":{paging}}}}}"#)
}

#[test]
fn rows_and_further_pages_belong_to_the_value_in_whose_answer_they_stand() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2)];
    let one = groups(&group("g1", MORE), LAST);
    let two = groups(&format!("{},{}", group("g2", LAST), group("g3", LAST)), MORE);
    let result = take(&plan, &asked, &format!(r#"{{"t0":{one},"t1":{two}}}"#), &[]);
    let rows: Vec<_> = result
        .members
        .iter()
        .map(|(number, gain)| (*number, gain.rows))
        .collect();
    assert_eq!(rows, [(1, 2), (2, 4)]);
    let next: Vec<_> = result
        .next_tasks
        .iter()
        .map(|task| (task.connection, task.member.clone(), task.parent.as_deref()))
        .collect();
    let findings = connection(&plan, "space.groups.nodes.findings");
    assert_eq!(
        next,
        [
            (Some(findings), Some(member(1)), Some("g1")),
            (Some(0), Some(member(2)), Some("s2")),
        ]
    );
    assert!(result.flaws.is_empty() && result.warnings.is_empty());
}

#[test]
fn what_is_null_by_an_error_is_asked_for_again_and_what_does_not_exist_is_counted() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2), first(&plan, 3)];
    let rows = groups(&group("g1", LAST), LAST);
    let data = format!(r#"{{"t0":null,"t1":null,"t2":{rows}}}"#);
    let result = take(&plan, &asked, &data, &[error(&json!(["t1"]))]);
    let cause = "no access".to_owned();
    assert_eq!(result.failed, [(1, PagingError::NoAnswer { cause })]);
    let nulls: Vec<_> = result
        .members
        .iter()
        .map(|(number, gain)| (*number, gain.nulls, gain.rows))
        .collect();
    assert_eq!(nulls, [(1, 1, 0), (3, 0, 2)]);
    assert!(result.flaws.is_empty() && result.warnings.is_empty(), "{result:?}");
    assert_eq!(result.void, [0, 1]);
}

#[test]
fn a_list_that_is_null_by_an_error_fails_its_value_and_a_nested_one_is_a_flaw_in_its_place() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2)];
    let nested = groups(r#"{"id":"g1","findings":null}"#, LAST);
    let data = format!(r#"{{"t0":{{"login":"x","groups":null}},"t1":{nested}}}"#);
    let errors = [
        error(&json!(["t0", "groups"])),
        error(&json!(["t1", "groups", "nodes", 0, "findings"])),
    ];
    let result = take(&plan, &asked, &data, &errors);
    assert_eq!(result.failed.len(), 1);
    assert_eq!(result.void, [0]);
    let flaws: Vec<_> = result.flaws.keys().map(String::as_str).collect();
    assert_eq!(
        flaws,
        ["`space.groups.nodes.findings` of the row `g1` is null: no access"]
    );
}

#[test]
fn a_value_whose_pages_cannot_be_turned_takes_no_other_one_down() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2)];
    let (broken, whole) = (groups(&group("g1", LAST), BROKEN), groups(&group("g2", LAST), MORE));
    let result = take(&plan, &asked, &format!(r#"{{"t0":{broken},"t1":{whole}}}"#), &[]);
    let failure = result.members[&1].failure.as_deref().unwrap();
    assert!(failure.contains("gives no cursor for it"), "{failure}");
    assert_eq!(result.members[&2].failure, None);
    assert_eq!(result.tallies[&0].ends.lost, 1);
    assert_eq!(result.next_tasks.len(), 1);
    assert!(result.flaws.is_empty());
}

#[test]
fn an_answer_that_is_one_row_is_none_where_nothing_exists() {
    let answers = [
        (LOGINS, r#"{"space":{"login":"x"}}"#, r#"{"space":null}"#),
        (
            TWO_LOGINS,
            r#"{"space":{"login":"x"},"again":null}"#,
            r#"{"space":null,"again":null}"#,
        ),
    ];
    for (query, there, absent) in answers {
        let plan = plan(query);
        let asked = [first(&plan, 1)];
        let row = take(&plan, &asked, there, &[]);
        assert_eq!((row.members[&1].rows, row.void.len()), (1, 0));
        let nothing = take(&plan, &asked, absent, &[]);
        assert_eq!((nothing.members[&1].rows, nothing.members[&1].nulls), (0, 1));
        assert_eq!((nothing.void.as_slice(), nothing.failed.len()), (&[0][..], 0));
        let failed = take(&plan, &asked, absent, &[error(&json!(["space"]))]);
        assert_eq!((failed.failed.len(), failed.void.as_slice()), (1, &[0][..]));
        assert!(failed.flaws.is_empty(), "{failed:?}");
    }
}

#[test]
fn answers_that_are_one_row_each_share_a_request() {
    let single = plan(LOGINS);
    assert!(single.mixes_members() && !plan(TWO_LOGINS).mixes_members());
    let asked = [1, 2, 3].map(|number| first(&single, number));
    let data = r#"{"t0":{"login":"x"},"t1":null,"t2":null}"#;
    let result = take(&single, &asked, data, &[error(&json!(["t2"]))]);
    assert_eq!((result.members[&1].rows, result.members[&1].nulls), (1, 0));
    assert_eq!((result.members[&2].rows, result.members[&2].nulls), (0, 1));
    assert_eq!(result.failed.len(), 1);
    assert_eq!(result.void.iter().copied().collect::<BTreeSet<_>>(), [1, 2].into());
}

#[test]
fn values_share_requests_as_far_as_rows_and_root_fields_go() {
    let plan = plan(SPACES);
    let limits = |root_fields, nodes| QueryLimits {
        root_fields,
        nodes,
        ..QueryLimits::default()
    };
    let tasks: Vec<Task> = (1..=50).map(|number| first(&plan, number).task).collect();
    let taken = |limits: &QueryLimits, fan_outs: &[FanOut]| {
        let packer = Packer::new(
            &plan,
            Room::of(limits),
            &Allowance::unlimited(plan.connections.len()),
            fan_outs,
        );
        packer.fill(tasks.iter(), fan_outs).0.len()
    };
    let unknown = [FanOut::default(), FanOut::default()];
    assert_eq!(taken(&limits(Some(3), None), &unknown), 3);
    // Ten groups with ten findings each are asked for where nothing is known: 110 rows for each value.
    assert_eq!(taken(&limits(None, Some(1_000)), &unknown), 9);
    let mut small = FanOut::default();
    (0..100).for_each(|_| small.note_ended(1, false));
    assert_eq!(taken(&limits(None, Some(1_000)), &[small.clone(), small]), 50);
}

#[test]
fn members_of_a_refused_request_are_parted_until_one_is_alone_and_join_again() {
    let plan = plan(SPACES);
    let asked: Vec<AskedTask> = (1..=5).map(|number| first(&plan, number)).collect();
    let mut company = Company::default();
    let together =
        |company: &Company, one: usize, other: usize| company.may_join(&asked[one].task, &asked[other].task, true);
    assert!(together(&company, 0, 4));
    assert!(!company.may_join(&asked[0].task, &asked[4].task, false));
    assert!(company.part(&asked));
    assert!(together(&company, 0, 2) && together(&company, 3, 4) && !together(&company, 2, 3));
    assert!(company.part(&asked[3..]));
    assert!(!together(&company, 3, 4) && !together(&company, 0, 3));
    assert!(!company.part(&asked[3..4]), "there is nothing to part");
    company.reunite(&asked[..3]);
    company.reunite(&asked[4..]);
    assert!(together(&company, 0, 4) && !together(&company, 0, 3));
}

#[test]
fn a_value_whose_rows_are_not_there_lacks_them_by_its_name() {
    let plan = plan(SPACES);
    let asked = [first(&plan, 1), first(&plan, 2)];
    let fine = groups(&group("g1", LAST), LAST);
    let data = format!(r#"{{"t0":{fine},"t1":{{"login":"x","groups":{{"nodes":null,"pageInfo":{LAST}}}}}}}"#);
    let result = take(&plan, &asked, &data, &[]);
    let text = r#"`space.groups` of $space = "s2" has no list of rows"#.to_owned();
    assert_eq!(result.flaws, BTreeMap::from([(text.clone(), 1)]));
    let lacks: Vec<_> = result
        .members
        .iter()
        .map(|(number, gain)| (*number, gain.flaw.clone()))
        .collect();
    assert!(lacks.contains(&(2, Some(text))) && !lacks.iter().any(|(number, flaw)| *number == 1 && flaw.is_some()));
}

#[test]
fn giving_up_names_the_value_and_leaves_the_ends_of_its_connections_open() {
    let plan = plan(SPACES);
    let mut later = later(&plan, "space.groups", "s1", "c1");
    later.task.member = Some(member(1));
    let lost = give_up(&[later, first(&plan, 1)], Some("refused"));
    let gain = MemberGain {
        open: -2,
        failure: Some("refused".to_owned()),
        ..MemberGain::default()
    };
    assert_eq!(lost.members, [(1, gain)]);
    assert_eq!(lost.done, [7, 1]);
    let ends: Vec<_> = lost
        .tallies
        .iter()
        .map(|(index, tally)| (*index, tally.ends.lost))
        .collect();
    assert_eq!(ends, [(0, 1)]);
}
