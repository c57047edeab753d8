//! Lists inside lists, in every style: each row arrives once, below its own parent, within the limits.

use gqldump::demo::{DemoConfig, DemoServer, Fault, ScriptedFault};

use crate::nested::cases::{
    Case, board, clinic, factory, factory_by_place, library, press, press_lists, shop, shop_by_place,
};
use crate::tracker::serve;

pub(crate) mod cases;
mod detached;
mod doubles;
mod ends;
mod kills;
mod limits;
mod places;
mod refusals;
mod shapes;
mod traps;

/// Exports everything of a stand-in with the limits that it is shipped with.
#[track_caller]
fn arrives(case: &Case) {
    let server = exported(case, case.config(), &[]);
    let log = server.log();
    assert_eq!(
        (log.request_errors, log.field_errors, log.refused),
        (0, 0, 0),
        "{log:?}"
    );
}

/// The same while one request in a hundred fails, and some that are sure to be sent. Without limits, since what failed is
/// asked for in more requests, for which nobody waits here.
#[track_caller]
fn arrives_all_the_same(case: &Case) {
    let mut config = case.config();
    config.behaviours.faults.rates.server_error = 0.01;
    let script = [
        (2, Fault::BadGateway),
        (4, Fault::Unavailable),
        (5, Fault::InternalError),
    ];
    config.behaviours.faults.script = script.map(|(request, fault)| ScriptedFault { request, fault }).to_vec();
    config.behaviours.limits.clear();
    let server = exported(case, config, &["--set", "limits.requests=[]"]);
    for (_, fault) in script {
        assert!(server.log().injected(fault) > 0, "{fault:?} never struck");
    }
}

#[track_caller]
fn exported(case: &Case, config: DemoConfig, arguments: &[&str]) -> DemoServer {
    let (project, server) = (case.project(), serve(config));
    case.run(&project, &server, arguments);
    let log = server.log();
    assert!(log.kept_limits(), "{log:?}");
    println!(
        "{}: {} requests, {} of {} rows again",
        case.name, log.requests, log.rows_repeated, log.rows
    );
    server
}

macro_rules! every_row_arrives {
    ($($stand_in:ident)*) => {$(
        mod $stand_in {
            #[test]
            fn every_row_arrives_once_below_its_parent() {
                super::arrives(&super::$stand_in());
            }

            #[test]
            fn every_row_arrives_though_requests_fail() {
                super::arrives_all_the_same(&super::$stand_in());
            }
        }
    )*};
}

every_row_arrives!(shop shop_by_place clinic library factory factory_by_place board press press_lists);

/// The rows of a list whose length cannot be known: as many as it is asked for at most.
mod space {
    use serde_json::Value;

    use crate::nested::cases::space;
    use crate::tracker::serve;

    /// A project's tasks are cut off at 100, as are a task's notes: those that have as many may have more.
    #[test]
    fn lists_that_are_exactly_full_are_named_and_the_others_are_complete() {
        let case = space();
        let (project, server) = (case.project(), serve(case.config()));
        let ended = project.run(&server, &[]).with_code(3);
        let exported = project.newest("projects");
        let (_, branch) = &case.branches[0];
        branch.check_rows(&exported, server.stand_in());
        let full = |ty, list| {
            let families = server.stand_in().families(ty, list).expect("a list");
            families.filter(|family| family.children.len() >= 100).count()
        };
        // Notes come with those tasks only that came themselves.
        assert_eq!((full("Project", "tasks"), full("Task", "notes")), (3, 1));
        let suspects = |name: &str| {
            let connections = exported.manifest["connections"].as_array().expect("connections");
            let connection = connections.iter().find(|connection| connection["name"] == name);
            connection.expect("a connection")["ends"]["suspect"].clone()
        };
        assert_eq!(suspects("findProjects.tasks"), 3);
        assert_eq!(suspects("findProjects.tasks.notes"), 1);
        assert_eq!(suspects("findProjects"), 0);
        assert_eq!(exported.manifest["complete"], Value::Bool(false));
        let lacks = exported.incomplete();
        assert_eq!(lacks.len(), 4, "{}", ended.stderr);
        let is_named = |lack: &&str| lack.contains("` of the row `") && lack.contains("` may be cut off");
        assert!(lacks.iter().all(is_named), "{lacks:?}");
        assert!(server.log().kept_limits());
    }
}
