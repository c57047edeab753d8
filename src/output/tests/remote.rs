//! Publishing in an object store: what is there already, and what is not ours.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;

use super::*;
use crate::output::store::{Store, Written};
use crate::output::{LocalRun, RemoteSource, StoreError};

struct Remote {
    folder: TempDir,
    store: Store,
    source: RemoteSource,
}

impl Remote {
    fn new() -> Self {
        let store = Store::in_memory();
        Self {
            folder: TempDir::new().unwrap(),
            source: RemoteSource::new(store.clone(), "tracker"),
            store,
        }
    }

    async fn publish(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let path = self.folder.path().join(&manifest.run);
        fs::write(&path, manifest.to_json()).unwrap();
        let run = LocalRun {
            manifest: &path,
            names: &["groups"],
        };
        self.source.publish(run).await
    }

    async fn text(&self, name: &str) -> Option<String> {
        let found = self.store.read(&format!("tracker/groups/{name}")).await.unwrap();
        found.map(|found| String::from_utf8(found.bytes.to_vec()).unwrap())
    }

    async fn runs(&self) -> Vec<String> {
        let mut names = self.store.names_in("tracker/groups").await.unwrap();
        names.retain(|name| name != "latest");
        names.sort();
        names
    }
}

const RUNS: [&str; 4] = [
    "20261122T031500Z",
    "20261122T040000Z",
    "20261122T050000Z",
    "20261122T060000Z",
];

#[tokio::test]
async fn latest_names_the_newest_complete_run_whatever_the_order_in_which_runs_end() {
    let remote = Remote::new();
    remote.publish(&manifest(RUNS[0], false)).await.unwrap();
    assert_eq!(remote.text("latest").await, None);
    for (run, complete, expected) in [
        (RUNS[2], true, RUNS[2]),
        (RUNS[1], true, RUNS[2]),
        (RUNS[3], false, RUNS[2]),
        (LATER, true, RUNS[2]),
    ] {
        remote.publish(&manifest(run, complete)).await.unwrap();
        assert_eq!(remote.text("latest").await.as_deref(), Some(expected), "{run}");
    }
}

#[tokio::test]
async fn the_manifest_of_another_run_stays_and_is_told() {
    let remote = Remote::new();
    remote.publish(&manifest(RUN, true)).await.unwrap();
    remote.publish(&manifest(RUN, true)).await.unwrap();
    let before = remote.text(&format!("{RUN}/_manifest.json")).await;
    let mut other = manifest(RUN, true);
    other.traffic.requests = 7;
    let error = remote.publish(&other).await.unwrap_err();
    insta::assert_snapshot!(error, @"`s3://bucket/exports/tracker/groups/20261122T031500Z/_manifest.json` was written by another run of the same name: run again with --fresh");
    assert_eq!(remote.text(&format!("{RUN}/_manifest.json")).await, before);
}

#[tokio::test]
async fn a_name_is_had_once_until_it_is_long_ago() {
    let remote = Remote::new();
    let run: RunId = RUN.parse().unwrap();
    assert!(remote.source.reserve(&run).await.unwrap());
    assert!(!remote.source.reserve(&run).await.unwrap());
    let began = UNIX_EPOCH + Duration::from_secs(1_795_317_300);
    let day = Duration::from_secs(24 * 60 * 60);
    remote.source.release(began + 6 * day).await.unwrap();
    assert!(!remote.source.reserve(&run).await.unwrap());
    remote.source.release(began + 8 * day).await.unwrap();
    assert!(remote.source.reserve(&run).await.unwrap());
}

#[tokio::test]
async fn old_runs_go_and_those_on_their_way_up_stay() {
    let remote = Remote::new();
    let store = &remote.store;
    let put = |name: String| async move {
        let written = store.create(&name, Bytes::from_static(b"rows")).await.unwrap();
        assert_eq!(written, Written::Done);
    };
    for run in RUNS {
        put(format!("tracker/groups/{run}/part-00000.ndjson")).await;
    }
    // Of the first, only parts are there: another machine is at it.
    for (run, complete) in [(RUNS[1], true), (RUNS[2], false), (RUNS[3], true)] {
        remote.publish(&manifest(run, complete)).await.unwrap();
    }
    let keep = |runs: u32| runs.try_into().unwrap();
    remote.source.remove_old_runs("groups", keep(2)).await.unwrap();
    assert_eq!(remote.runs().await, RUNS);
    remote.source.remove_old_runs("groups", keep(1)).await.unwrap();
    assert_eq!(remote.runs().await, [RUNS[0], RUNS[3]]);

    // What a manifest names that is no table, and what another query file published in the same second, is left alone.
    put("victim/20261122T031500Z/part-00000.ndjson".to_owned()).await;
    put(format!("tracker/groups__findings/{}/_manifest.json", RUNS[0])).await;
    let oldest = format!("tracker/groups/{}/_manifest.json", RUNS[0]);
    let mut hostile = manifest(RUNS[0], true);
    hostile.tables.push(table_without_parts("../../victim"));
    store.create(&oldest, hostile.to_json().into()).await.unwrap();
    remote.source.remove_old_runs("groups", keep(1)).await.unwrap();
    assert_eq!(remote.runs().await, [RUNS[0], RUNS[3]]);
    assert!(
        store
            .read("victim/20261122T031500Z/part-00000.ndjson")
            .await
            .unwrap()
            .is_some()
    );
    store.remove(&oldest).await.unwrap();
    store
        .create(&oldest, manifest(RUNS[0], true).to_json().into())
        .await
        .unwrap();
    remote.source.remove_old_runs("groups", keep(1)).await.unwrap();
    assert_eq!(remote.runs().await, [RUNS[3]]);
    let beside = format!("tracker/groups__findings/{}/_manifest.json", RUNS[0]);
    assert!(store.read(&beside).await.unwrap().is_some());

    // A removal that was interrupted is gone on with.
    let removed = format!("tracker/groups/{}/_removed.json", RUNS[1]);
    put(format!("tracker/groups/{}/part-00001.ndjson", RUNS[1])).await;
    remote
        .store
        .create(&removed, manifest(RUNS[1], true).to_json().into())
        .await
        .unwrap();
    remote.source.remove_old_runs("groups", keep(1)).await.unwrap();
    assert_eq!(remote.runs().await, [RUNS[3]]);
}
