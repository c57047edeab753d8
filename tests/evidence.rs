//! What an API says of how many rows it has, compared with those that came: it shows what paging alone would miss.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::cell::Kind;
use crate::program::Ended;
use crate::project::Project;
use crate::stub::{Answer, Stub};

/// Rows of the API of these tests.
const ROWS: u64 = 25;

/// A project with one query file, `rows`.
fn project(fields: &str, query: &str) -> Project {
    let settings = "endpoint = 'http://127.0.0.1:9/'\nschema = 'schema.graphql'\n[limits]\npage_size = 10\nquery = { root_fields = 1 }\n[retry]\nattempts = 1\n";
    let schema = format!("type Query {{ {fields} }} type Row {{ id: ID! }}");
    Project::new(settings)
        .with("schema.graphql", &schema)
        .with("rows.graphql", query)
}

/// The whole number of that name among a request's variables.
fn number(request: &Value, name: &str) -> Option<u64> {
    request["variables"][name].as_u64()
}

/// The rows from one place to before another, as far as there are so many.
fn rows(from: u64, to: u64) -> Value {
    let row = |number: u64| json!({ "id": number.to_string() });
    (from..to.min(ROWS)).map(row).collect()
}

#[track_caller]
fn ended(project: &Project, stub: &Stub, code: i32, row_count: usize) -> Ended {
    let ended = project.run(stub, &[]).with_code(code);
    if code != 1 {
        let written = project
            .newest("rows")
            .rows("rows", &[("_id", Kind::Text), ("id", Kind::Text)]);
        let ids: BTreeSet<String> = written.iter().map(|row| format!("{:?}", row["id"])).collect();
        assert_eq!((written.len(), ids.len()), (row_count, row_count), "{}", ended.stderr);
    }
    ended
}

mod first_page {
    use super::*;

    const PAGE: &str = "type Page { rows: [Row!]! hasNextPage: Boolean! total: Int }";

    fn field(argument: &str) -> String {
        format!("rows({argument}, limit: Int): Page }} {PAGE} type Unused {{ id: ID")
    }

    /// An API that numbers its pages from 0 on.
    fn from_zero() -> Stub {
        Stub::start(|request| {
            let page = number(request, "page")
                .or_else(|| number(request, "mine"))
                .expect("a page");
            Answer::Json(answer(page * 10))
        })
    }

    fn answer(from: u64) -> Value {
        json!({ "data": { "rows": { "rows": rows(from, from + 10), "hasNextPage": from + 10 < ROWS, "total": ROWS } } })
    }

    #[test]
    fn one_that_is_passed_over_shows_by_the_total() {
        let ended = ended(
            &project(&field("page: Int"), "{ rows { rows { id } } }"),
            &from_zero(),
            3,
            15,
        );
        assert!(
            ended.stderr.contains("25 by its total") && ended.stderr.contains("write @paginate(firstPage: 0)"),
            "{}",
            ended.stderr
        );
    }

    #[test]
    fn a_total_below_what_came_shows_nothing() {
        let stub = Stub::start(|request| {
            let page = number(request, "page").expect("a page");
            let mut answer = answer(page * 10);
            answer["data"]["rows"]["total"] = json!(10);
            Answer::Json(answer)
        });
        let told = ended(&project(&field("page: Int"), "{ rows { rows { id } } }"), &stub, 3, 15).stderr;
        assert!(told.contains("which therefore shows nothing"), "{told}");
    }

    #[test]
    fn one_that_is_told_is_asked_for() {
        let told = [
            (field("page: Int = 0"), "{ rows { rows { id } } }"),
            (field("\"counted from 0\" page: Int"), "{ rows { rows { id } } }"),
            (field("page: Int"), "{ rows(page: 0) { rows { id } } }"),
            (
                field("page: Int"),
                "query($mine: Int = 0) { rows(page: $mine) { rows { id } } }",
            ),
            (field("page: Int"), "{ rows @paginate(firstPage: 0) { rows { id } } }"),
        ];
        for (fields, query) in told {
            ended(&project(&fields, query), &from_zero(), 0, 25);
        }
    }

    #[test]
    fn one_that_no_total_shows_to_be_wrong_has_to_be_told() {
        let fields = field("page: Int").replace(" total: Int", "");
        let stub = from_zero();
        let project = project(&fields, "{ rows { rows { id } } }");
        let ended = project.run(&stub, &[]).with_code(2);
        assert!(ended.stderr.contains("firstPage: 1) behind it if"), "{}", ended.stderr);
        assert!(stub.requests().is_empty(), "it is refused before anything is asked");
    }

    #[test]
    fn another_page_than_the_first_is_refused() {
        let project = project(&field("page: Int"), "{ rows(page: 2) { rows { id } } }");
        let ended = project.run(&from_zero(), &[]).with_code(2);
        assert!(ended.stderr.contains("`page` has a fixed value"), "{}", ended.stderr);
    }

    #[test]
    fn one_that_is_the_second_as_well_is_told() {
        let stub = Stub::start(|request| {
            let page = number(request, "page").expect("a page");
            Answer::Json(answer(page.saturating_sub(1) * 10))
        });
        let project = project(&field("page: Int = 0"), "{ rows { rows { id } } }");
        let ended = ended(&project, &stub, 3, 25);
        assert!(
            ended.stderr.contains("write @paginate(firstPage: 1)"),
            "{}",
            ended.stderr
        );
    }
}

/// Lists whose fields take nothing that is called like paging.
mod unpaged {
    use super::*;

    const COUNTED: &str = "rows(status: String): Page } type Page { rows: [Row!] meta: Meta } type Meta { totalCount: Int hasMore: Boolean";

    fn answering(count: u64, total: Option<u64>, has_more: bool) -> Stub {
        Stub::start(move |_| {
            let meta = json!({ "totalCount": total, "hasMore": has_more });
            Answer::Json(json!({ "data": { "rows": { "rows": rows(0, count), "meta": meta } } }))
        })
    }

    #[test]
    fn fewer_rows_than_the_total_are_not_complete() {
        let project = project(COUNTED, "{ rows { rows { id } } }");
        let told = ended(&project, &answering(10, Some(25), false), 3, 10).stderr;
        assert!(told.contains("25 by its total"), "{told}");
        ended(&project, &answering(25, Some(25), false), 0, 25);
        ended(&project, &answering(25, Some(10), false), 0, 25);
        ended(&project, &answering(25, None, false), 0, 25);
    }

    #[test]
    fn more_to_come_is_not_complete() {
        let project = project(COUNTED, "{ rows { rows { id } } }");
        let told = ended(&project, &answering(10, None, true), 3, 10).stderr;
        assert!(told.contains("takes no argument by which to ask for them"), "{told}");
    }

    #[test]
    fn what_is_called_otherwise_is_refused() {
        let project = project("rows(position: Int, amount: Int): [Row!]", "{ rows { id } }");
        let told = project.run(&answering(0, None, false), &[]).with_code(2).stderr;
        assert!(told.contains("looks paginated (it takes position, amount)"), "{told}");
    }

    #[test]
    fn pages_by_objects_in_objects_are_all_read() {
        let fields =
            "rows(options: Options): Page } type Page { rows: [Row!] meta: Meta } type Meta { totalCount: Int }
            input Options { paginate: Paginate sort: String } input Paginate { page: Int limit: Int";
        let stub = Stub::start(|request| {
            let page = number(request, "page").expect("a page");
            let text = request["query"].as_str().expect("a text");
            assert!(
                text.contains("options:{sort:\"id\",paginate:{limit:$pageSize,page:$page}}"),
                "{text}"
            );
            let meta = json!({ "totalCount": ROWS });
            let rows = rows((page - 1) * 10, page * 10);
            Answer::Json(json!({ "data": { "rows": { "rows": rows, "meta": meta } } }))
        });
        let project = project(fields, "{ rows(options: { sort: \"id\" }) { rows { id } } }");
        ended(&project, &stub, 0, 25);
    }
}

/// Lists that take a size and nothing else.
mod cut {
    use super::*;

    const SIZED: &str = "rows(limit: Int): [Row!]!";

    fn clamping(most: u64) -> Stub {
        Stub::start(move |request| {
            let size = number(request, "pageSize").expect("a size");
            Answer::Json(json!({ "data": { "rows": rows(0, size.min(most)) } }))
        })
    }

    #[test]
    fn one_that_the_server_cuts_in_silence_is_not_complete() {
        let cut = project(SIZED, "{ rows(limit: 1000) { id } }");
        let told = ended(&cut, &clamping(20), 3, 20).stderr;
        assert!(told.contains("write @paginate(style: CAPPED, cap: 1000)"), "{told}");
        let settled = project(
            SIZED,
            "{ rows(limit: 1000) @paginate(style: CAPPED, cap: 1000) { id } }",
        );
        ended(&settled, &clamping(20), 0, 20);
    }

    #[test]
    fn one_that_ends_elsewhere_is_complete_unless_it_is_full() {
        ended(&project(SIZED, "{ rows(limit: 1000) { id } }"), &clamping(24), 0, 24);
        ended(&project(SIZED, "{ rows(limit: 24) { id } }"), &clamping(24), 3, 24);
    }
}

/// Rows that never come, though the API says that it is at its end.
mod lost {
    use super::*;

    #[test]
    fn a_connection_is_compared_with_its_total() {
        let fields =
            "rows(first: Int, after: String): Page } type Page { totalCount: Int pageInfo: Info! nodes: [Row!] }
            type Info { hasNextPage: Boolean! endCursor: String";
        let stub = |count: u64| {
            Stub::start(move |request| {
                let text = request["query"].as_str().expect("a text");
                let mut page = json!({ "pageInfo": { "hasNextPage": false }, "nodes": rows(0, count) });
                if text.contains("totalCount") {
                    page["totalCount"] = ROWS.into();
                }
                Answer::Json(json!({ "data": { "rows": page } }))
            })
        };
        let told = ended(&project(fields, "{ rows { nodes { id } } }"), &stub(7), 3, 7).stderr;
        assert!(
            told.contains("`rows` had 7 distinct rows, and 25 by its total"),
            "{told}"
        );
        let distrusted = project(fields, "{ rows @paginate(total: \"\") { nodes { id } } }");
        ended(&distrusted, &stub(7), 0, 7);
    }

    #[test]
    fn pages_of_plain_values_are_refused_with_what_to_do() {
        let fields = "names(first: Int, after: String): Page } type Page { pageInfo: Info! nodes: [String!] }
            type Info { hasNextPage: Boolean! endCursor: String";
        let stub = Stub::start(|_| Answer::Json(json!({ "data": null })));
        let project = project(fields, "{ names { nodes } }");
        let told = project.run(&stub, &[]).with_code(2).stderr;
        assert!(told.contains("`nodes` holds plain values (`String`)"), "{told}");
        assert!(told.contains("@paginate(style: NONE)"), "{told}");
    }
}

/// What is answered behind the last page, and in place of the first one.
mod beyond {
    use super::*;

    const LIST: &str = "rows(limit: Int, offset: Int): [Row!]";
    const COUNTED: &str = "rows(limit: Int, offset: Int): Page } type Page { rows: [Row!]! total: Int";

    fn refusal(message: &str) -> Value {
        json!({ "data": { "rows": null }, "errors": [{ "message": message, "path": ["rows"] }] })
    }

    /// An API that answers `beyond` from the end of its rows on.
    fn ending(is_counted: bool, beyond: &'static (dyn Fn() -> Value + Sync)) -> Stub {
        Stub::start(move |request| {
            let offset = number(request, "offset").unwrap_or_default();
            let size = number(request, "pageSize").unwrap_or(10);
            let here = rows(offset, offset + size);
            Answer::Json(match (offset >= ROWS, is_counted) {
                (true, _) => beyond(),
                (false, true) => json!({ "data": { "rows": { "rows": here, "total": ROWS } } }),
                (false, false) => json!({ "data": { "rows": here } }),
            })
        })
    }

    #[test]
    fn null_behind_a_list_is_its_end() {
        let project = project(LIST, "{ rows { id } }");
        ended(&project, &ending(false, &|| json!({ "data": { "rows": null } })), 0, 25);
    }

    #[test]
    fn an_error_behind_a_list_is_told_and_keeps_the_rows() {
        let project = project(LIST, "{ rows { id } }");
        let told = ended(&project, &ending(false, &|| refusal("out of range")), 3, 25).stderr;
        assert!(told.contains("nothing says that it is there"), "{told}");
    }

    #[test]
    fn an_error_behind_as_many_rows_as_the_total_says_is_none() {
        // Pages of 5 fit the 25 rows exactly: only a look behind them would tell more.
        let project = project(COUNTED, "{ rows(limit: 5) { rows { id } } }");
        ended(&project, &ending(true, &|| refusal("out of range")), 0, 25);
    }

    /// An API that refuses the first pages so many times.
    fn failing(times: usize) -> Stub {
        let count = AtomicUsize::new(0);
        Stub::start(move |request| {
            let offset = number(request, "offset").unwrap_or_default();
            Answer::Json(match count.fetch_add(1, Ordering::Relaxed) < times {
                true => refusal("the database is away"),
                false => json!({ "data": { "rows": { "rows": rows(offset, offset + 10), "total": ROWS } } }),
            })
        })
    }

    #[test]
    fn a_first_page_of_nothing_but_errors_is_asked_for_again() {
        let project = project(COUNTED, "{ rows { rows { id } } }");
        ended(&project, &failing(1), 0, 25);
    }

    #[test]
    fn where_nothing_comes_but_errors_nothing_is_published() {
        let project = project(COUNTED, "{ rows { rows { id } } }");
        let told = ended(&project, &failing(usize::MAX), 1, 0).stderr;
        assert!(told.contains("the database is away"), "{told}");
        assert!(!project.written("rows/latest").exists(), "{told}");
    }

    #[test]
    fn a_total_that_no_list_can_have_is_none() {
        let project = project(COUNTED, "{ rows { rows { id } } }");
        let stub = Stub::start(|request| {
            let offset = number(request, "offset").unwrap_or_default();
            Answer::Json(json!({ "data": { "rows": { "rows": rows(offset, offset + 10), "total": u64::MAX } } }))
        });
        ended(&project, &stub, 0, 25);
    }

    #[test]
    fn a_flag_for_more_without_a_cursor_is_no_more_where_all_are_there() {
        let fields = "rows(first: Int, after: String): Rows! } type PageInfo { hasNextPage: Boolean! endCursor: String } \
                      type Rows { nodes: [Row!]! totalCount: Int pageInfo: PageInfo!";
        let stub = |total: u64| {
            Stub::start(move |request| {
                let cursor = request["variables"]["cursor"]
                    .as_str()
                    .and_then(|text| text.parse().ok());
                let from: u64 = cursor.unwrap_or_default();
                let cursor = (from + 10 < ROWS).then(|| (from + 10).to_string());
                let info = json!({ "hasNextPage": true, "endCursor": cursor });
                let page = json!({ "nodes": rows(from, from + 10), "totalCount": total, "pageInfo": info });
                Answer::Json(json!({ "data": { "rows": page } }))
            })
        };
        let project = project(fields, "{ rows { nodes { id } } }");
        ended(&project, &stub(25), 0, 25);
        ended(&project, &stub(30), 1, 0);
    }

    #[test]
    fn a_total_that_is_refused_is_told_to_be_left_out() {
        let stub = Stub::start(|request| {
            let offset = number(request, "offset").unwrap_or_default();
            Answer::Json(json!({
                "data": { "rows": { "rows": rows(offset, offset + 10), "total": null } },
                "errors": [{ "message": "not allowed to count", "path": ["rows", "total"] }],
            }))
        });
        let told = ended(&project(COUNTED, "{ rows { rows { id } } }"), &stub, 3, 25).stderr;
        assert!(told.contains("write @paginate(total: \"\")"), "{told}");
    }

    /// The ids of a page of two rows, of all that an API has by offset.
    fn paged(ids: &'static [u64], total: Option<u64>, size: usize) -> Stub {
        Stub::start(move |request| {
            let offset = number(request, "offset").and_then(|offset| usize::try_from(offset).ok());
            let rows = ids.iter().skip(offset.unwrap_or_default()).take(size);
            let rows: Vec<Value> = rows.map(|id| json!({ "id": id.to_string() })).collect();
            let page = match total {
                Some(total) => json!({ "rows": rows, "total": total }),
                None => json!(rows),
            };
            Answer::Json(json!({ "data": { "rows": page } }))
        })
    }

    #[test]
    fn a_row_twice_in_a_page_does_not_stand_for_one_that_is_lost() {
        let counted = project(COUNTED, "{ rows { rows { id } } }");
        let two = project(COUNTED, "{ rows(limit: 2) { rows { id } } }");
        for (project, ids, total, named) in [
            (
                &counted,
                &[1, 1, 2][..],
                3,
                Some("at most 2 distinct rows, and 3 by its total"),
            ),
            (&counted, &[1, 1, 2], 2, None),
            (
                &two,
                &[1, 1, 2, 3],
                4,
                Some("at most 3 distinct rows, and 4 by its total"),
            ),
            (&two, &[1, 1, 2, 3], 3, None),
        ] {
            let distinct = ids.len() - 1;
            let code = if named.is_some() { 3 } else { 0 };
            let told = ended(project, &paged(ids, Some(total), 2.max(ids.len() % 4)), code, distinct).stderr;
            assert!(named.is_none_or(|named| told.contains(named)), "{told}");
        }
        let bare = "rows(limit: Int, offset: Int): [Row!]! ";
        for query in ["{ rows(limit: 2) { id } }", "{ rows { id } }"] {
            let told = ended(&project(bare, query), &paged(&[1, 1, 2, 3], None, 2), 3, 3).stderr;
            assert!(told.contains("come twice within a page"), "{told}");
        }
        ended(&project(bare, "{ rows { id } }"), &paged(&[1, 1, 2], None, 10), 0, 2);
    }
}
