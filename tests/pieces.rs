//! Rows whose columns are asked for in several requests: because no request takes all of them, or because the server
//! fails on some.

mod broken;
mod deep;
mod given_up;
mod learnt;
mod lists;
mod lone;
mod moved;
pub(crate) mod plant;
mod store;

use std::time::Duration;

use gqldump::demo::{FaultRates, Refusal, TextLimit};
use gqldump::run::QueryOutcome;

use crate::pieces::plant::{branch, limited, plant, project, query};
use crate::pieces::store::{items, store, styles};
use crate::simulation::Simulation;
use crate::tracker::serve;

/// Small pages, at once, without faults.
pub(crate) const BEHAVIOURS: &str = r#"
[auth]
required = false
header = "authorization"
scheme = "Bearer"
status = 401
body = ""
[throttle]
retry_after = true
body = "json"
injected_wait = "10ms"
[latency]
base = "0s"
per_node = "0s"
[paging]
default_size = 10
cap = 50
above_cap = "refuse"
[faults]
slow_by = "1s"
"#;

#[test]
fn a_query_that_is_too_much_in_every_way_is_exported_with_every_row_and_every_column() {
    let text = query();
    assert!(text.len() > 6_000, "{}", text.len());
    let (project, server) = (project(&limited()), serve(plant()));
    project.run(&server, &[]).with_code(0);
    branch().check(&project.exported("plants"), server.stand_in());
    let log = server.log();
    println!("{log:?}");
    assert_eq!(
        (log.request_errors, log.field_errors, log.requests_repeated),
        (0, 0, 0),
        "{log:?}"
    );
}

#[test]
fn pieces_that_the_server_fails_on_by_accident_are_asked_for_again() {
    let mut config = plant();
    config.behaviours.faults.rates = FaultRates {
        server_error: 0.05,
        throttle: 0.05,
        cut: 0.02,
        ..FaultRates::default()
    };
    let (project, server) = (project(&limited()), serve(config));
    project.run(&server, &[]).with_code(0);
    branch().check(&project.exported("plants"), server.stand_in());
}

/// One request after the other is killed while it is in flight, long after the one before it was answered: of requests in
/// two pieces and more, nothing that came is asked for again.
#[test]
fn an_export_in_pieces_that_is_killed_again_and_again_asks_for_no_piece_twice() {
    const KILLS: u64 = 7;
    let mut config = plant();
    config.rows_scale = 0.15;
    config.behaviours.latency.base = Duration::from_millis(300);
    let project = project(&format!("{}\nconcurrency = 1", limited()));
    let server = serve(config);
    let ended = (0..KILLS).find_map(|_| project.kill(&server, &[], 2, Duration::from_millis(150)));
    assert!(ended.is_none(), "there is more to be asked for");
    project.run(&server, &[]).with_code(0);
    branch().check(&project.exported("plants"), server.stand_in());
    let log = server.log();
    println!("{} requests, {} again", log.requests, log.requests_repeated);
    assert!(
        log.requests_repeated <= 1,
        "what was answered is asked for again: {log:?}"
    );
}

/// Nobody says how much the text of a request may say, and no request for all columns is answered, however few rows it is
/// for.
#[test]
fn columns_that_are_too_many_for_any_row_are_found_out_once_and_remembered() {
    for (name, text, _) in styles() {
        let mut config = store();
        let mut limit = TextLimit::refusing(Refusal {
            status: 413,
            body: String::new(),
        });
        limit.characters = match name {
            "byCursor" => Some(130),
            "byPage" => Some(120),
            _ => Some(100),
        };
        config.behaviours.text_limit = Some(limit);
        let project = store::project(name, &text);
        let mut simulation = Simulation::new(project.folder(), config);
        let [first, second] = [(); 2].map(|()| {
            let simulated = simulation.run();
            assert_eq!(simulated.outcomes, [QueryOutcome::Complete], "{name}");
            items(name, given_up::place(name)).check(&project.exported(name), simulated.service.stand_in());
            simulated.service.log()
        });
        assert!(first.refused <= 30, "{name}: {first:?}");
        assert_eq!(second.refused, 0, "{name}: {second:?}");
    }
}
