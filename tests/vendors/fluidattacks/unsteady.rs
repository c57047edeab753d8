//! What others do meanwhile: they share the address, change what is exported, and delete it.

use std::collections::BTreeSet;
use std::time::Duration;

use gqldump::demo::{AboveCap, DemoConfig, RequestWindow, RowDeletions, StandIn, ThrottleBody, WindowKind};
use gqldump::run::QueryOutcome;

use super::{QUERIES, VendorTable, expiring, export, named_in, stand_in, tables, traps_of};
use crate::cell::Kind;
use crate::project::{Api, Project, TOKEN_VARIABLE};
use crate::tracker::serve;

/// The lists that are read over many pages.
const LISTS: [(&str, &str); 4] = [
    ("vulnerabilities", "Finding.vulnerabilitiesConnection"),
    ("toe_lines", "Group.toeLines"),
    ("toe_ports", "Group.toePorts"),
    ("executions", "Group.forcesExecutionsConnection"),
];

/// Rows on each of their pages at most.
const PAGE: u64 = 7;

fn with_small_pages() -> DemoConfig {
    let mut config = stand_in(0.003);
    for (_, list) in LISTS {
        traps_of(&mut config, list, |_| {});
        let field = config.behaviours.paging.fields.get_mut(list).expect("a list");
        field.cap = Some(PAGE);
        field.above_cap = Some(AboveCap::Clamp);
    }
    config
}

#[test]
fn whoever_shares_the_address_and_is_sent_away_in_whatever_way_loses_nothing() {
    for (status, body, retry_after) in [
        (429, ThrottleBody::Html, true),
        (429, ThrottleBody::Text, false),
        (403, ThrottleBody::Challenge, false),
        (503, ThrottleBody::Challenge, false),
    ] {
        let project = Project::shipped("fluidattacks");
        let mut config = stand_in(0.003);
        // Others take all but these.
        config.behaviours.limits = vec![RequestWindow {
            max: 40,
            per: Duration::from_secs(60),
            window: WindowKind::Sliding,
        }];
        let throttle = &mut config.behaviours.throttle;
        (throttle.status, throttle.body, throttle.retry_after) = (status, body, retry_after);
        let simulated = export(&project, config);
        let case = format!("{status} with {body:?}");
        assert_eq!(named_in(&project, &simulated, &case), Vec::<&str>::new());
        assert!(simulated.service.log().throttles_provoked > 0, "{case}");
    }
}

/// The rows of a table that are there to the end, and all that ever were.
fn steady_and_all(table: &VendorTable, stand_in: &StandIn) -> (BTreeSet<String>, BTreeSet<String>) {
    let texts = |rows: Vec<_>| rows.iter().map(|row| format!("{row:?}")).collect();
    let is_steady = |number: usize| !(number as u64).is_multiple_of(PAGE);
    (
        texts(table.truth(stand_in, is_steady)),
        texts(table.truth(stand_in, |_| true)),
    )
}

#[test]
fn rows_that_are_deleted_under_a_cursor_take_no_others_with_them() {
    let project = Project::shipped("fluidattacks");
    let mut config = with_small_pages();
    for (_, list) in LISTS {
        traps_of(&mut config, list, |traps| {
            traps.deletions = Some(RowDeletions {
                from_request: 20,
                each: PAGE.try_into().expect("a number"),
            });
        });
    }
    let simulated = export(&project, config);
    let service = &simulated.service;
    let mut gone = 0;
    for table in tables() {
        let position = QUERIES.iter().position(|query| *query == table.query).expect("a query");
        let is_complete = simulated.outcomes[position] == QueryOutcome::Complete;
        let exported = project.newest(table.query);
        assert_eq!(exported.incomplete().is_empty(), is_complete, "{}", table.query);
        let (steady, all) = steady_and_all(&table, service.stand_in());
        let found = table.found(&exported, service.stand_in());
        let count = found.len();
        let found: BTreeSet<String> = found.iter().map(|row| format!("{row:?}")).collect();
        if !LISTS.iter().any(|(name, _)| *name == table.name) {
            continue;
        }
        assert_eq!(found.len(), count, "{}: a row came twice", table.name);
        assert!(steady.is_subset(&found), "{}: a row was lost with another", table.name);
        assert!(found.is_subset(&all), "{}: a row was invented", table.name);
        gone += all.len() - found.len();
    }
    assert!(gone > 0, "nothing was deleted before it was read");
    let log = service.log();
    assert_eq!((log.refused, log.request_errors, log.throttles_provoked), (0, 0, 0));
}

#[test]
fn files_whose_cursors_expire_are_read_again_and_come_once() {
    for are_expiring in [false, true] {
        let project = Project::shipped("fluidattacks").only(&["organizations", "groups", "toe_lines"]);
        let mut config = with_small_pages();
        if are_expiring {
            expiring(&mut config, "Group.toeLines");
        }
        let simulated = export(&project, config);
        let mut outcomes = simulated.outcomes.iter();
        assert!(outcomes.all(|outcome| *outcome == QueryOutcome::Complete));
        let log = simulated.service.log();
        assert_eq!(log.rows_repeated > 0, are_expiring, "what is read again is sent again");
        toe_lines().check(&project.exported("toe_lines"), simulated.service.stand_in());
    }
}

fn toe_lines() -> VendorTable {
    tables()
        .into_iter()
        .find(|table| table.name == "toe_lines")
        .expect("a table")
}

/// What the files of each group are called by, under these variables.
fn ids(variables: &[&str]) -> BTreeSet<String> {
    let project = Project::shipped("fluidattacks").only(&["organizations", "groups", "toe_lines"]);
    project.run(&serve(stand_in(0.003)), variables).with_code(0);
    let rows = project.exported("toe_lines").rows("toe_lines", &id_and_columns());
    rows.iter().map(|row| format!("{:?}", row["_id"])).collect()
}

fn id_and_columns() -> Vec<(&'static str, Kind)> {
    let ours = [("_id", Kind::Text), ("group_name", Kind::Text)];
    ours.into_iter().chain(toe_lines().columns).collect()
}

#[test]
fn files_are_called_the_same_whichever_days_are_asked_for() {
    let (all, some) = (ids(&[]), ids(&["--var", "seenSince=2021-01-01"]));
    assert!(some.is_subset(&all) && !some.is_empty() && some.len() < all.len());
}

#[test]
fn a_session_of_the_web_page_does_as_well_as_a_token() {
    let server = serve(stand_in(0.003));
    let settings = "preset = 'fluidattacks'\nschema = 'schema.graphql'\n[auth]\nheader = 'Cookie'\nscheme = 'integrates_session='\n";
    let project = Project::shipped("fluidattacks").only(&["organizations"]).with(
        "source.toml",
        &format!("{settings}token = {{ env = '{TOKEN_VARIABLE}' }}\n"),
    );
    project.run(&server, &[]).with_code(0);
    let table = tables()
        .into_iter()
        .find(|table| table.name == "organizations")
        .expect("a table");
    table.check(&project.exported("organizations"), server.stand_in());
    let stranger = Api {
        token: Some("of-nobody".to_owned()),
        ..Api::from(&server)
    };
    let told = project.run(stranger, &["--fresh"]).with_code(4).stderr;
    assert!(told.contains("Login required") && !told.contains("of-nobody"), "{told}");
}
