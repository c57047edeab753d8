//! What real servers do to those who trust their pages: an export is complete, or it says that it is not.

use gqldump::demo::{
    CursorExpiry, DemoConfig, ForeignCursor, LastCursor, PagingTraps, Refusal, RowMove, RowMoves, TextLimit, Totals,
};

use crate::nested::cases::{Case, board, factory, library, press_lists, shop};
use crate::program::Ended;
use crate::tracker::serve;

/// How an export ends that a trap was laid for.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// With all rows.
    Complete,
    /// With some of them, saying so.
    NotComplete,
    /// With an error.
    Failed,
}

/// Exports a stand-in in which traps are laid, and panics where rows are lacking, strange or too many without a word.
#[track_caller]
fn outcome(case: &Case, lay: impl FnOnce(&mut DemoConfig), arguments: &[&str]) -> Outcome {
    ended(case, lay, arguments).0
}

#[track_caller]
fn ended(case: &Case, lay: impl FnOnce(&mut DemoConfig), arguments: &[&str]) -> (Outcome, Ended) {
    let mut config = case.config();
    config.rows_scale = config.rows_scale.min(0.3);
    config.behaviours.limits.clear();
    lay(&mut config);
    let (project, server) = (case.project(), serve(config));
    let ended = project.run(&server, &[&["--set", "limits.requests=[]"], arguments].concat());
    println!("{}", ended.stderr);
    match ended.code {
        Some(0) => {
            case.check(&project, &server);
            (Outcome::Complete, ended)
        }
        Some(3) => {
            let mut lacking = 0;
            for (query, branch) in &case.branches {
                let exported = project.newest(query);
                branch.check_no_strangers(&exported, server.stand_in());
                lacking += exported.incomplete().len();
            }
            assert!(lacking > 0, "{}", ended.stderr);
            (Outcome::NotComplete, ended)
        }
        Some(1) => {
            assert!(ended.stderr.contains("failed: "), "{}", ended.stderr);
            (Outcome::Failed, ended)
        }
        _ => panic!("{ended:?}"),
    }
}

fn all(traps: PagingTraps) -> impl FnOnce(&mut DemoConfig) {
    move |config| config.behaviours.paging.traps = traps
}

fn of(field: &'static str, traps: PagingTraps) -> impl FnOnce(&mut DemoConfig) {
    move |config| {
        let paging = config.behaviours.paging.fields.entry(field.to_owned()).or_default();
        paging.traps = Some(traps);
    }
}

fn totals(totals: Totals) -> PagingTraps {
    PagingTraps {
        totals,
        ..PagingTraps::default()
    }
}

#[test]
fn a_cursor_that_stands_still_below_rows_is_told() {
    let stuck = PagingTraps {
        stuck_at: Some(45),
        ..PagingTraps::default()
    };
    for (case, field) in [(library(), "Shelf.books"), (shop(), "Product.reviews")] {
        assert_ne!(outcome(&case, of(field, stuck.clone()), &[]), Outcome::Complete);
    }
}

#[test]
fn a_cursor_that_stands_still_at_the_top_is_told() {
    let stuck = PagingTraps {
        stuck_at: Some(10),
        ..PagingTraps::default()
    };
    let pages = ["--set", "limits.page_size=5"];
    assert_eq!(
        outcome(&library(), of("Query.openBranches", stuck), &pages),
        Outcome::Failed
    );
}

#[test]
fn an_empty_page_with_more_to_come_is_not_the_end() {
    for at in [1, 20] {
        let traps = PagingTraps {
            empty_page_at: Some(at),
            ..PagingTraps::default()
        };
        // In the library, the place of a row behind such a page leads to nothing.
        for (case, field) in [(library(), "Shelf.books"), (shop(), "Product.reviews")] {
            let outcome = outcome(&case, of(field, traps.clone()), &[]);
            assert_eq!(outcome, Outcome::Complete, "{field}");
        }
        assert_eq!(outcome(&shop(), all(traps.clone()), &[]), Outcome::Complete);
        outcome(&library(), all(traps), &[]);
    }
}

#[test]
fn a_short_page_with_more_to_come_is_not_the_end() {
    for case in [library(), shop(), press_lists()] {
        let traps = PagingTraps {
            short_pages: 0.5,
            ..PagingTraps::default()
        };
        assert_eq!(outcome(&case, all(traps), &[]), Outcome::Complete, "{}", case.name);
    }
}

#[test]
fn an_exact_multiple_costs_one_empty_page() {
    for size in ["limits.page_size=20", "limits.page_size=1"] {
        let traps = PagingTraps {
            full_page_says_more: true,
            ..PagingTraps::default()
        };
        let smaller = |config: &mut DemoConfig| {
            config.rows_scale = 0.02;
            config.behaviours.paging.traps = traps;
        };
        assert_eq!(outcome(&library(), smaller, &["--set", size]), Outcome::Complete);
    }
}

#[test]
fn the_cursor_behind_the_last_row_means_nothing() {
    for last in ["", "[]", "bnVsbA=="] {
        for full_page_says_more in [false, true] {
            let traps = PagingTraps {
                last_cursor: LastCursor::Text(last.to_owned()),
                full_page_says_more,
                ..PagingTraps::default()
            };
            assert_eq!(outcome(&library(), all(traps), &[]), Outcome::Complete, "{last:?}");
        }
    }
    let traps = PagingTraps {
        last_cursor: LastCursor::Null,
        ..PagingTraps::default()
    };
    assert_eq!(outcome(&shop(), all(traps), &[]), Outcome::Complete);
}

#[test]
fn cursors_that_are_lists_in_a_string_stay_what_they_are() {
    let traps = PagingTraps {
        json_list_cursors: true,
        full_page_says_more: true,
        ..PagingTraps::default()
    };
    for case in [library(), shop()] {
        assert_eq!(
            outcome(&case, all(traps.clone()), &[]),
            Outcome::Complete,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_size_that_the_server_cuts_in_silence_loses_nothing() {
    for case in [library(), shop(), factory()] {
        let cut = |config: &mut DemoConfig| {
            config.rows_scale = 0.05;
            config.behaviours.paging.cap = 7;
            config.behaviours.paging.fields.clear();
        };
        assert_eq!(outcome(&case, cut, &[]), Outcome::Complete, "{}", case.name);
    }
    let cut = |config: &mut DemoConfig| config.behaviours.paging.cap = 17;
    assert_eq!(outcome(&press_lists(), cut, &[]), Outcome::Complete);
}

#[test]
fn totals_that_are_too_high_are_told() {
    let outcome = outcome(&factory(), all(totals(Totals::TooHigh(30))), &[]);
    assert_eq!(outcome, Outcome::NotComplete);
}

#[test]
fn totals_that_are_too_low_lose_no_row_in_silence() {
    for low in [
        Totals::TooLow(1),
        Totals::TooLow(30),
        Totals::CappedAt(10),
        Totals::CappedAt(50),
    ] {
        for case in [factory(), press_lists()] {
            outcome(&case, all(totals(low)), &[]);
        }
    }
}

#[test]
fn totals_that_are_null_lose_no_row() {
    let ended = outcome(&press_lists(), of("Query.Page", totals(Totals::Null)), &[]);
    assert_eq!(ended, Outcome::Complete);
}

#[test]
fn filters_that_leave_pages_short_or_empty_lose_no_row() {
    let traps = PagingTraps {
        filters_after_size: true,
        ..PagingTraps::default()
    };
    let outcome = outcome(&press_lists(), all(traps), &["--set", "limits.page_size=9"]);
    assert_eq!(outcome, Outcome::Complete);
}

#[test]
fn edges_that_all_have_the_cursor_of_their_page_lead_nobody_astray() {
    for foreign_cursor in [ForeignCursor::Refuse, ForeignCursor::FirstPage, ForeignCursor::NoRows] {
        let traps = PagingTraps {
            edges_have_page_cursor: true,
            foreign_cursor,
            ..PagingTraps::default()
        };
        println!("{foreign_cursor:?}");
        outcome(&library(), all(traps), &[]);
    }
}

#[test]
fn cursors_of_other_lists_are_never_sent() {
    for foreign_cursor in [ForeignCursor::FirstPage, ForeignCursor::NoRows] {
        for case in [library(), shop(), press_lists()] {
            let traps = PagingTraps {
                foreign_cursor,
                ..PagingTraps::default()
            };
            assert_eq!(outcome(&case, all(traps), &[]), Outcome::Complete, "{}", case.name);
        }
    }
}

#[test]
fn connections_whose_cursors_expire_are_read_again_and_no_row_comes_twice() {
    let body = r#"{"errors":[{"message":"CursorExpiredError: The cursor has expired","extensions":{"code":"CursorExpiredError","status_code":200}}]}"#;
    let expiry = |requests: u64| PagingTraps {
        cursor_expiry: Some(CursorExpiry {
            after: None,
            after_requests: Some(requests),
            refusal: Refusal {
                status: 200,
                body: body.to_owned(),
            },
        }),
        ..PagingTraps::default()
    };
    let limits = |limit: &'static str| ["--set", limit, "--set", "limits.concurrency=1"];
    let (outcome, shop) = ended(&shop(), all(expiry(3)), &limits("limits.query.root_fields=2"));
    assert_eq!(outcome, Outcome::Complete);
    let again = "read again from its beginning";
    assert!(shop.stderr.contains(again), "{}", shop.stderr);

    // A board can be asked for again, a group of a board cannot.
    let (outcome, board) = ended(&board(), all(expiry(12)), &limits("limits.query.root_fields=5"));
    assert_eq!(outcome, Outcome::NotComplete);
    assert!(board.stderr.contains(again), "{}", board.stderr);
    let mut lacking = board.stderr.lines().filter(|line| line.contains("is not complete"));
    assert!(
        lacking.all(|line| {
            line.contains("`boards.groups.items_page` of the row `group-") || line.ends_with("more: see the manifest")
        }),
        "{}",
        board.stderr
    );
}

#[test]
fn a_request_that_holds_more_than_the_server_takes_goes_in_halves() {
    let limit = |config: &mut DemoConfig| {
        let refusal = Refusal {
            status: 400,
            body: r#"{"errors":[{"message":"too many root fields"}]}"#.to_owned(),
        };
        config.behaviours.text_limit = Some(TextLimit {
            root_fields: Some(6),
            ..TextLimit::refusing(refusal)
        });
    };
    assert_eq!(outcome(&shop(), limit, &[]), Outcome::Complete);
}

#[test]
fn page_numbers_that_are_not_heeded_are_told() {
    let traps = PagingTraps {
        repeats_page_one: true,
        ..PagingTraps::default()
    };
    for field in ["Query.plants", "Plant.machines", "Machine.parts", "Query.alarms"] {
        let outcome = outcome(&factory(), of(field, traps.clone()), &["--set", "limits.page_size=10"]);
        assert_ne!(outcome, Outcome::Complete, "{field}");
    }
}

#[test]
fn rows_that_move_while_they_are_counted_are_each_there_once_or_told() {
    for to in [RowMove::Front, RowMove::Back] {
        let traps = PagingTraps {
            moves: Some(RowMoves { every: 3, to }),
            ..PagingTraps::default()
        };
        let arguments = ["--set", "limits.page_size=10", "--set", "limits.query.root_fields=1"];
        let (outcome, ended) = ended(&factory(), of("Query.alarms", traps), &arguments);
        assert_eq!(outcome, Outcome::NotComplete, "{to:?}");
        assert!(ended.stderr.contains("moved to another page"), "{}", ended.stderr);
    }
}

#[test]
fn an_offset_beyond_the_last_one_that_is_allowed_is_told() {
    let traps = PagingTraps {
        max_offset: Some(200),
        ..PagingTraps::default()
    };
    let few = ["--set", "retry.attempts=3"];
    assert_ne!(
        outcome(&press_lists(), of("Query.assetCollection", traps), &few),
        Outcome::Complete
    );
}
