//! Rows on which the server fails, however little is asked for at once: it is asked for less of them, down to their keys.

use crate::pieces::store::{HARMFUL, harmful, items, project, shelf_rows, shelves, store, styles};
use crate::tracker::serve;

pub(super) fn place(name: &str) -> &'static str {
    match name {
        "byCursor" => "Query.byCursor",
        "byPage" => "Query.byPage",
        _ => "Query.byOffset",
    }
}

#[test]
fn a_row_of_which_one_column_cannot_be_read_is_left_out_and_named_in_every_style() {
    for (name, text, path) in styles() {
        let (project, server) = (project(name, &text), serve(harmful(Some("text"))));
        let ended = project.run(&server, &[]).with_code(3);
        let exported = project.newest(name);
        let branch = items(name, place(name)).only(|row| row["id"] != HARMFUL);
        branch.check_rows(&exported, server.stand_in());
        let incomplete = exported.incomplete();
        assert_eq!(incomplete.len(), 1, "{name}: {incomplete:?}");
        let flaw = format!("`{name}`: the row `{HARMFUL}` is given up: `{path}.text` cannot be read: ");
        assert!(incomplete[0].starts_with(&flaw), "{incomplete:?}");
        assert!(incomplete[0].contains("504"), "{incomplete:?}");
        let connection = &exported.manifest["connections"][0];
        assert_eq!([&connection["opened"], &connection["closed"]], [1, 1], "{connection}");
        let log = server.log();
        println!("{name}: {} requests, {} refused", log.requests, log.refused);
        assert!(log.requests < 50, "{name}: {}\n{}", log.requests, ended.stderr);
    }
}

#[test]
fn a_row_below_another_is_given_up_alone() {
    let (project, server) = (project("shelves", &shelves()), serve(harmful(Some("weight"))));
    project.run(&server, &[]).with_code(3);
    let exported = project.newest("shelves");
    let items = items("items", "Shelf.items").only(|row| row["id"] != HARMFUL);
    shelf_rows(items).check_rows(&exported, server.stand_in());
    let incomplete = exported.incomplete();
    assert_eq!(incomplete.len(), 1, "{incomplete:?}");
    let flaw = format!(
        "`shelves.nodes.items`: the row `{HARMFUL}` is given up: `shelves.nodes.items.nodes.weight` cannot be read: "
    );
    assert!(incomplete[0].starts_with(&flaw), "{incomplete:?}");
}

#[test]
fn a_row_of_which_nothing_can_be_read_is_left_out_alone_where_its_number_tells_what_is_behind_it() {
    for (name, text, _) in styles().into_iter().filter(|(name, ..)| *name != "byCursor") {
        let (project, server) = (project(name, &text), serve(harmful(None)));
        project.run(&server, &[]).with_code(3);
        let exported = project.newest(name);
        let branch = items(name, place(name)).only(|row| row["id"] != HARMFUL);
        branch.check_rows(&exported, server.stand_in());
        let incomplete = exported.incomplete();
        // The 42nd, as they are numbered from 100 on.
        let flaw = format!("`{name}`: the row number 42 is given up: nothing of it can be read: ");
        assert!(
            incomplete.iter().any(|told| told.starts_with(&flaw)),
            "{name}: {incomplete:?}"
        );
    }
}

#[test]
fn a_row_of_which_nothing_can_be_read_ends_the_export_behind_a_cursor_above_all_others() {
    let (name, text, _) = &styles()[0];
    let (project, mut config) = (project(name, text), harmful(None));
    let server = serve(config.clone());
    let ended = project.run(&server, &[]).with_code(1);
    assert!(ended.stderr.contains("504"), "{}", ended.stderr);
    // It is gone on with when the server can do it again.
    config.behaviours.poison.clear();
    config.port = server.address().port().expect("a port");
    drop(server);
    let server = serve(config);
    project.run(&server, &[]).with_code(0);
    items(name, place(name)).check(&project.exported(name), server.stand_in());
}

#[test]
fn a_row_of_which_nothing_can_be_read_ends_the_list_below_another_row_and_no_other_one() {
    let (project, server) = (project("shelves", &shelves()), serve(harmful(None)));
    project.run(&server, &[]).with_code(3);
    let exported = project.newest("shelves");
    shelf_rows(items("items", "Shelf.items")).check_no_strangers(&exported, server.stand_in());
    let incomplete = exported.incomplete();
    assert!(
        incomplete
            .iter()
            .any(|flaw| flaw.starts_with("`shelves.nodes.items` of the row `SHELF")
                && flaw.contains(" cannot be read on behind its first ")),
        "{incomplete:?}"
    );
}

/// A response with one row has more than 190 bytes.
#[test]
fn rows_that_are_too_large_for_one_response_are_read_column_by_column() {
    for (name, text, _) in styles() {
        let (project, server) = (project(name, &text), serve(store()));
        project
            .run(
                &server,
                &["--set", "limits.response_bytes='175B'", "--set", "limits.page_size=2"],
            )
            .with_code(0);
        items(name, place(name)).check(&project.exported(name), server.stand_in());
    }
}
