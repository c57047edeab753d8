//! The state across the end of its process: what was handed over is there, what was recorded is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::state::{
    Address, Effort, Ends, FIRST_TASK, KeptPiece, Member, MemberCounts, MemberGain, NewRun, PieceOf, ROW_KEY_BYTES,
    RecordedPart, Restart, RunKey, RunStart, Stage, StateError, StateStore, StateThread, StoredSchema, StoredSlot,
    TakenResponse, Tally, Task, TaskChange, Trail,
};

const NEW_RUN: NewRun<'_> = NewRun {
    query: "groups",
    name: "20261122T031500Z",
    fingerprint: "f1",
    format: "parquet",
    started_at: 17,
};

fn task(id: u64, cursor: &str, position: u64) -> Task {
    Task {
        id,
        connection: Some(0),
        root: None,
        member: None,
        depth: 1,
        parent: Some("GRP-1".to_owned()),
        address: Address {
            values: vec![Some("GRP-1".into()), None],
            marks: vec![None, Some("4f2a".to_owned())],
        },
        position: Some(cursor.into()),
        before: position,
        size: Some(7),
        expected: None,
        trail: Trail {
            pages: id,
            landmark: Some(format!("landmark {id}")),
            stale: 1,
            empty: 4,
        },
        instance: 9,
        restart: Some(Restart {
            rows: 8,
            attempts: 2,
            fresh: 3,
        }),
        total: Some(70),
    }
}

fn taken(run: RunKey, sequence: u64, answers: Task, next_tasks: Vec<Task>) -> TakenResponse {
    TakenResponse {
        run,
        sequence,
        tasks: vec![answers.id],
        slots: vec![StoredSlot {
            connection: answers.connection,
            root: answers.root,
            is_first: answers.position.is_none(),
            parent: answers.parent,
            before: answers.before,
            is_void: false,
        }],
        skips: vec![vec![1, 3]],
        body: Bytes::from(format!("{{\"data\":{sequence}}}")),
        rows: 10,
        received_at: 99,
        next_tasks,
        waiting: 0,
        keys: vec![(9, vec![[u8::try_from(sequence).unwrap(); ROW_KEY_BYTES]])],
        tallies: Vec::new(),
        flaws: vec![("one".to_owned(), 2)],
        members: Vec::new(),
        first_task: None,
        effort: Effort {
            requests: 2,
            retries: 1,
            throttles: 0,
            bytes: 100,
            elapsed: Duration::from_millis(5),
        },
    }
}

async fn close(store: StateStore, thread: StateThread) {
    drop(store);
    tokio::task::spawn_blocking(|| thread.join()).await.unwrap();
}

/// An API that has other words for each page, a request's id in them.
#[tokio::test]
async fn of_many_flaws_the_first_hundred_keep_their_texts_and_the_others_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut key = None;
    for (sequence, numbers) in [(1, 0..60), (2, 50..120), (3, 90..130)] {
        let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
        let run = match key {
            Some(run) => run,
            None => store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap(),
        };
        key = Some(run);
        let texts = numbers.map(|number: u32| (format!("request {number:03} failed"), 2));
        let response = TakenResponse {
            flaws: texts.collect(),
            ..taken(run, sequence, task(sequence, "a", 0), Vec::new())
        };
        store.take(response).await.unwrap();
        close(store, thread).await;
    }
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    let flaw = |number: u32| {
        (
            format!("request {number:03} failed"),
            2 + 2 * u64::from((50..60).contains(&number)),
        )
    };
    let mut expected: Vec<_> = (0..100).map(flaw).collect();
    expected[90..].iter_mut().for_each(|(_, occurrences)| *occurrences += 2);
    assert_eq!(found.flaws, expected);
    assert_eq!(found.other_flaws, 2 * (20 + 30));
    close(store, thread).await;
}

#[tokio::test]
async fn a_run_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    store
        .take(taken(run, 1, FIRST_TASK, vec![task(2, "a", 10), task(3, "x", 4)]))
        .await
        .unwrap();
    store
        .take(taken(run, 2, task(2, "a", 10), vec![task(4, "b", 20)]))
        .await
        .unwrap();
    let mut last = taken(run, 3, task(3, "x", 4), Vec::new());
    let tally = Tally {
        opened: 1,
        rows: 14,
        repeated: 3,
        ends: Ends {
            said: 1,
            ..Ends::default()
        },
    };
    last.tallies = vec![(1, tally), (1, tally)];
    store.take(last).await.unwrap();
    close(store, thread).await;

    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    assert_eq!(
        (found.key, found.name.as_str(), found.stage),
        (run, NEW_RUN.name, Stage::Open)
    );
    assert_eq!(found.last_task, 4);
    store.release_tasks(run).await.unwrap();
    assert_eq!(store.fetch_tasks(run, 9).await.unwrap(), [task(4, "b", 20)]);
    assert_eq!(store.fetch_tasks(run, 9).await.unwrap(), [], "what is fetched is held");
    assert_eq!((found.through, found.last_sequence, found.rows), (0, 3, 30));
    assert_eq!(found.effort.requests, 6);
    assert_eq!(found.effort.elapsed, Duration::from_millis(15));
    assert_eq!(found.flaws, [("one".to_owned(), 6)]);
    let both = Tally {
        opened: 2,
        rows: 28,
        repeated: 6,
        ends: Ends {
            said: 2,
            ..Ends::default()
        },
    };
    assert_eq!(found.tallies, [(1, both)]);
    assert!(store.unfinished_run("others").await.unwrap().is_none());
    close(store, thread).await;
}

#[tokio::test]
async fn bodies_stay_until_their_rows_are_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    for sequence in 1..=3 {
        store
            .take(taken(run, sequence, task(sequence, "c", 0), Vec::new()))
            .await
            .unwrap();
    }
    let part = RecordedPart {
        table: "groups".to_owned(),
        file: "part-00000.parquet".to_owned(),
        rows: 20,
        bytes: 7,
        sha256: "ab".to_owned(),
    };
    let blocking = store.clone();
    let recorded = part.clone();
    let left = tokio::task::spawn_blocking(move || {
        let first = blocking.response_after(run, 0).unwrap().unwrap();
        assert_eq!((first.sequence, &first.body[..]), (1, &b"{\"data\":1}"[..]));
        blocking
            .record_parts(run, 2, vec![recorded], vec![("two".to_owned(), 1)])
            .unwrap();
        let left = blocking.response_after(run, 0).unwrap().unwrap();
        assert!(blocking.response_after(run, left.sequence).unwrap().is_none());
        left.sequence
    });
    assert_eq!(left.await.unwrap(), 3);
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    assert_eq!((found.through, found.parts), (2, vec![part]));
    assert_eq!(found.flaws.last(), Some(&("two".to_owned(), 1)));
    let refused = store.begin_publishing(run).await.unwrap_err().to_string();
    assert!(refused.contains("1 responses are in no file"), "{refused}");
    let blocking = store.clone();
    let recorded = tokio::task::spawn_blocking(move || blocking.record_parts(run, 3, Vec::new(), Vec::new()));
    recorded.await.unwrap().unwrap();
    store.begin_publishing(run).await.unwrap();
    assert_eq!(
        store.unfinished_run("groups").await.unwrap().unwrap().stage,
        Stage::Publishing
    );
    store.finish_run(run).await.unwrap();
    assert!(store.unfinished_run("groups").await.unwrap().is_none());
    close(store, thread).await;
}

#[tokio::test]
async fn a_run_with_pages_to_read_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    let refused = store.begin_publishing(run).await.unwrap_err().to_string();
    assert!(refused.contains("1 pages of the run were not asked for"), "{refused}");
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    assert_eq!(found.stage, Stage::Open);
    close(store, thread).await;
}

#[tokio::test]
async fn what_is_handed_over_is_durable_within_a_hundred_milliseconds_of_its_own_accord() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    store.take(taken(run, 1, FIRST_TASK, Vec::new())).await.unwrap();
    // Seen through a connection of its own, so only what was committed; the number of looks bounds the time.
    let reader = rusqlite::Connection::open(folder.path().join("state.sqlite")).unwrap();
    let count = || {
        reader
            .query_row("SELECT count(*) FROM response", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let mut looks = 0;
    while count() == 0 {
        looks += 1;
        assert!(looks < 1000, "nothing was committed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    close(store, thread).await;
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    store
        .take(taken(run, 1, FIRST_TASK, vec![task(2, "a", 0)]))
        .await
        .unwrap();
    store.drop_run(run).await.unwrap();
    let again = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    assert_eq!(
        (found.key, found.last_task, found.last_sequence),
        (again, FIRST_TASK.id, 0)
    );
    assert_eq!(store.fetch_tasks(again, 9).await.unwrap(), [FIRST_TASK]);
    assert!(found.flaws.is_empty());
    close(store, thread).await;
}

#[tokio::test]
async fn a_schema_is_kept_by_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let schema = StoredSchema {
        definition: "type Query { a: Int }".repeat(100),
        fetched_at: 5,
    };
    store.store_schema("https://one", schema.clone()).await.unwrap();
    assert_eq!(store.stored_schema("https://one").await.unwrap(), Some(schema));
    assert_eq!(store.stored_schema("https://two").await.unwrap(), None);
    close(store, thread).await;
}

#[tokio::test]
async fn a_state_of_a_later_version_and_a_damaged_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    close(store, thread).await;
    let path = folder.path().join("state.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let refused = StateStore::open(folder.path(), &Clock::system()).err().unwrap();
    assert!(matches!(refused, StateError::Newer { found: 99, .. }), "{refused}");
    fs_err::write(&path, "this was never a database, whatever it is called ".repeat(50)).unwrap();
    let refused = StateStore::open(folder.path(), &Clock::system()).err().unwrap();
    assert!(matches!(refused, StateError::Damaged { .. }), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_state_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        let mode = fs_err::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    close(store, thread).await;
}

#[tokio::test]
async fn rows_that_came_are_known_by_their_connection_until_the_run_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    let key = |byte: u8| [byte; ROW_KEY_BYTES];
    for sequence in [1, 2] {
        store
            .take(taken(run, sequence, task(sequence, "a", 0), Vec::new()))
            .await
            .unwrap();
    }
    let wanted = |instance: u64| BTreeMap::from([(instance, BTreeSet::from([key(1), key(2), key(3)]))]);
    let found = store.seen(run, wanted(9)).await.unwrap();
    assert_eq!(found, BTreeSet::from([(9, key(1)), (9, key(2))]));
    assert_eq!(
        store.seen(run, wanted(8)).await.unwrap(),
        BTreeSet::new(),
        "another connection"
    );
    close(store, thread).await;

    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let all = store.fold_seen(run, Vec::new(), |all, instance, key| all.push((instance, *key)));
    assert_eq!(all.await.unwrap(), [(9, key(1)), (9, key(2))]);
    store.finish_run(run).await.unwrap();
    assert_eq!(store.seen(run, wanted(9)).await.unwrap(), BTreeSet::new());
    close(store, thread).await;
}

#[tokio::test]
async fn members_are_open_until_their_last_task_and_keep_why_they_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let start = RunStart::Members {
        values: &["a".into(), 7.into(), "c".into()],
        roots: &[Some(0), Some(1)],
        flaw: Some("not all values"),
    };
    let run = store.begin_run(NEW_RUN, start).await.unwrap();
    let tasks = store.fetch_tasks(run, 9).await.unwrap();
    let asked: Vec<_> = tasks.iter().map(|task| (task.parent.as_deref(), task.root)).collect();
    let pairs = ["a", "7", "c"].map(|name| [(Some(name), Some(0)), (Some(name), Some(1))]);
    assert_eq!(asked, pairs.concat());
    assert_eq!(
        tasks[3].member,
        Some(Member {
            number: 2,
            value: 7.into()
        })
    );
    let gain = |open, failure: Option<&str>| MemberGain {
        open,
        rows: 3,
        failure: failure.map(str::to_owned),
        ..MemberGain::default()
    };
    let next = Task {
        member: tasks[0].member.clone(),
        ..task(20, "c1", 10)
    };
    let answer = TakenResponse {
        members: vec![(1, gain(0, None))],
        ..taken(run, 1, tasks[0].clone(), vec![next.clone()])
    };
    store.take(answer).await.unwrap();
    let lost = TaskChange {
        done: vec![tasks[2].id, tasks[3].id],
        members: vec![(2, gain(-2, Some("first"))), (2, gain(0, Some("second")))],
        ..TaskChange::default()
    };
    store.change_tasks(run, lost).await.unwrap();
    let last = TakenResponse {
        tasks: vec![tasks[4].id, tasks[5].id],
        members: vec![(
            3,
            MemberGain {
                open: -2,
                nulls: 1,
                ..MemberGain::default()
            },
        )],
        ..taken(run, 2, tasks[4].clone(), Vec::new())
    };
    store.take(last).await.unwrap();
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    let counts = MemberCounts {
        all: 3,
        done: 1,
        absent: 1,
        incomplete: 0,
        lacks: Vec::new(),
        failed: 1,
        failures: vec![(7.into(), "first".to_owned())],
    };
    assert_eq!(found.members, counts);
    assert!(found.flaws.contains(&("not all values".to_owned(), 1)));
    let mut lacking = TaskChange::default();
    for (text, number) in [("one", 3), ("another", 3), ("of one that failed", 2)] {
        let value = serde_json::Value::Null;
        lacking.lack(text.to_owned(), Some(&Member { number, value }));
    }
    store.change_tasks(run, lacking).await.unwrap();
    let found = store.unfinished_run("groups").await.unwrap().unwrap();
    let counts = MemberCounts {
        done: 0,
        absent: 0,
        incomplete: 1,
        lacks: vec![("c".into(), "one".to_owned())],
        ..counts
    };
    assert_eq!(found.members, counts);
    assert!(found.flaws.contains(&("another".to_owned(), 1)));
    store.release_tasks(run).await.unwrap();
    let open = store.fetch_tasks(run, 9).await.unwrap();
    assert_eq!(open, [next, tasks[1].clone()], "with their values");
    close(store, thread).await;
}

/// A piece of the request for task 2, and perhaps for another one.
async fn keep(store: &StateStore, run: RunKey, tasks: &[(u64, u32)], hash: &str) {
    let of = PieceOf {
        run,
        tasks: tasks.to_vec(),
        inline_sizes: vec![7, 1],
    };
    let piece = KeptPiece {
        text_hash: hash.to_owned(),
        attempts: 2,
        retries: 1,
        throttles: 0,
        body: Bytes::from(format!("{{\"data\":\"{hash}\"}}")),
    };
    store.keep(of, piece).await.unwrap();
}

#[tokio::test]
async fn pieces_of_a_request_are_there_until_the_whole_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let open = || StateStore::open(folder.path(), &Clock::system()).unwrap();
    let (store, thread) = open();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    let next = vec![task(2, "a", 10), task(3, "b", 20)];
    store.take(taken(run, 1, FIRST_TASK, next)).await.unwrap();
    keep(&store, run, &[(2, 5)], "one").await;
    keep(&store, run, &[(2, 5)], "two").await;
    keep(&store, run, &[(3, 5), (99, 5)], "of a task that is gone").await;
    close(store, thread).await;

    let (store, thread) = open();
    store.release_tasks(run).await.unwrap();
    let begun = store.begun_requests(run).await.unwrap();
    let [request] = begun.as_slice() else {
        panic!("one request: {begun:?}")
    };
    assert_eq!(request.tasks, [(task(2, "a", 10), 5)]);
    assert_eq!(request.inline_sizes, [7, 1]);
    let mut pieces: Vec<_> = request
        .pieces
        .iter()
        .map(|piece| (&*piece.text_hash, piece.attempts))
        .collect();
    pieces.sort_unstable();
    assert_eq!(pieces, [("one", 2), ("two", 2)]);
    assert!(request.pieces.iter().any(|piece| piece.body == r#"{"data":"two"}"#));
    assert_eq!(
        store.fetch_tasks(run, 9).await.unwrap(),
        [task(3, "b", 20)],
        "the other one is held"
    );
    let whole = TakenResponse {
        first_task: Some(2),
        ..taken(run, 2, task(2, "a", 10), Vec::new())
    };
    keep(&store, run, &[(2, 5)], "in the same commit").await;
    store.take(whole).await.unwrap();
    store.release_tasks(run).await.unwrap();
    assert!(store.begun_requests(run).await.unwrap().is_empty());
    close(store, thread).await;
}

#[tokio::test]
async fn pieces_of_a_request_that_is_given_up_go() {
    let folder = tempfile::tempdir().unwrap();
    let (store, thread) = StateStore::open(folder.path(), &Clock::system()).unwrap();
    let run = store.begin_run(NEW_RUN, RunStart::Whole).await.unwrap();
    keep(&store, run, &[(1, 5)], "one").await;
    store.drop_pieces(run, 1).await.unwrap();
    assert!(store.begun_requests(run).await.unwrap().is_empty());
    close(store, thread).await;
}
