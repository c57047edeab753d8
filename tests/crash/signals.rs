//! Runs that are asked to stop, once or twice, in every scene and format.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::crash::scene::{Kind, Scene};
use crate::program::{Running, start};

/// Starts the export, and waits until some requests were sent.
#[track_caller]
fn under_way(scene: &Scene) -> Running {
    let mut running = start(&mut scene.export());
    while scene.server.log().requests < 6 {
        assert!(!running.has_ended(), "there is nothing to be stopped");
        std::thread::sleep(Duration::from_millis(1));
    }
    running
}

#[test]
fn a_run_that_is_asked_to_stop_takes_in_what_is_in_flight_in_every_scene() {
    let kinds = [Kind::Flat, Kind::Nested, Kind::Pieces];
    let signals = [(Signal::SIGINT, "parquet"), (Signal::SIGTERM, "ndjson")];
    for (kind, (signal, format)) in kinds.into_iter().flat_map(|kind| signals.map(|signal| (kind, signal))) {
        let scene = Scene::set(kind, format);
        let running = under_way(&scene);
        running.signal(signal);
        running.end().with_code(5);
        scene.go_on("a signal");
        let log = scene.server.log();
        assert_eq!(log.requests_repeated, 0, "{kind:?}, {signal}: {log:?}");
    }
}

#[test]
fn a_run_that_is_asked_to_stop_twice_loses_what_is_in_flight_and_no_more() {
    for (kind, format) in [(Kind::Nested, "parquet"), (Kind::Pieces, "ndjson")] {
        let scene = Scene::set(kind, format);
        let mut running = under_way(&scene);
        while !running.has_ended() {
            running.signal(Signal::SIGINT);
            std::thread::sleep(Duration::from_millis(2));
        }
        running.end().with_code(5);
        scene.go_on("two signals");
        let log = scene.server.log();
        assert!(log.requests_repeated <= scene.may_be_lost(), "{kind:?}: {log:?}");
    }
}
