//! Rows that move between the requests for their columns.

use gqldump::demo::{DemoServer, RowMove, RowMoves};

use crate::pieces::store::{items, project, store, styles};
use crate::project::Project;
use crate::tracker::serve;

/// Two groups of columns, one request at a time, in pages of ten.
const SETTINGS: [&str; 6] = [
    "--set",
    "limits.query.complexity=6",
    "--set",
    "limits.concurrency=1",
    "--set",
    "limits.page_size=10",
];

/// An export of a list whose last row becomes the first each time that so many requests have arrived.
fn moved(style: usize, every: u64) -> (Project, DemoServer) {
    let (name, text, _) = &styles()[style];
    let mut config = store();
    config.behaviours.paging.traps.moves = Some(RowMoves {
        every,
        to: RowMove::Front,
    });
    let (project, server) = (project(name, text), serve(config));
    project.run(&server, &SETTINGS).with_code(3);
    (project, server)
}

/// Rows that move to a page that was read already are lacking in any case, which is named.
#[test]
fn pages_whose_rows_moved_between_the_pieces_are_asked_for_once_more() {
    for (style, every, place) in [(1, 5, "Query.byPage"), (2, 4, "Query.byOffset")] {
        let (project, server) = moved(style, every);
        let name = styles()[style].0;
        let exported = project.newest(name);
        let rows = items(name, place);
        rows.check_no_strangers(&exported, server.stand_in());
        let incomplete = exported.incomplete();
        let is_of_pages = |line: &&str| line.contains("rows that moved to another page");
        assert!(incomplete.iter().all(is_of_pages), "{incomplete:?}");
        assert!(exported.rejects(name).is_empty());
        let log = server.log();
        assert!(log.requests_repeated >= 2, "no page had other rows: {log:?}");
    }
}

/// No request sees the rows of the one before, so that no page can be put together.
#[test]
fn rows_that_never_stay_are_named_and_never_mixed_up() {
    let (project, server) = moved(2, 1);
    let exported = project.newest("byOffset");
    let incomplete = exported.incomplete();
    let flaw = "`byOffset`: rows that changed while their columns were asked for in several requests lack some of them";
    assert!(incomplete.iter().any(|line| line.starts_with(flaw)), "{incomplete:?}");
    items("byOffset", "Query.byOffset").check_no_strangers(&exported, server.stand_in());
    assert!(!exported.rejects("byOffset").is_empty(), "`text` is never null");
}
