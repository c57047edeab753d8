//! Every step, broken off before and after.

use gqldump::failpoint::{Side, Step};

use crate::crash::is_thorough;
use crate::crash::scene::{Kind, Place, Scene};
use crate::program::run;
use crate::resume::assert_whole_runs;

/// In which scenes a step is passed, the one first that is always tried, and how often at least.
pub(super) fn scenes_of(step: Step) -> (&'static [Kind], u64) {
    match step {
        Step::SchemaStored | Step::RunBegun | Step::PermitsRewritten => (&[Kind::Flat, Kind::Nested], 1),
        Step::PermitLogged | Step::ResponseStored | Step::StateSynced => (&[Kind::Flat, Kind::Nested], 3),
        Step::PieceStored => (&[Kind::Pieces], 1),
        Step::TasksChanged => (&[Kind::Expiring], 2),
        Step::PartClosed => (&[Kind::Nested, Kind::Flat], 2),
        Step::PartsRecorded => (&[Kind::Flat, Kind::Nested], 2),
        Step::RunDropped => (&[Kind::Fresh], 1),
        Step::LeftoversRemoved => (&[Kind::Fresh, Kind::Nested], 1),
        Step::TableMoved => (&[Kind::Nested], 2),
        Step::OldRunRemoved => (&[Kind::Kept], 1),
        Step::LearntStored
        | Step::PublishingBegun
        | Step::ManifestWritten
        | Step::ManifestNamed
        | Step::LatestMoved
        | Step::StagingTidied
        | Step::RunFinished
        | Step::StateCompacted => (&[Kind::Nested, Kind::Flat], 1),
    }
}

/// What is tried on one side of every step: each in one scene and format, or, if asked for, in all of them.
pub(super) fn endings(side: Side) -> Vec<(Place, Kind, &'static str)> {
    let formats = ["parquet", "ndjson"];
    let mut endings = Vec::new();
    for (index, step) in Step::ALL.iter().enumerate() {
        let (scenes, passings) = scenes_of(*step);
        let turn = index + usize::from(side == Side::After);
        let (scenes, formats, passings) = match is_thorough() {
            true => (scenes, formats.as_slice(), 1..=passings),
            false => (&scenes[..1], &formats[turn % 2..=turn % 2], passings..=passings),
        };
        for (kind, format) in scenes
            .iter()
            .flat_map(|kind| formats.iter().map(move |format| (*kind, *format)))
        {
            let place = |passing| Place {
                step: *step,
                side,
                passing,
            };
            endings.extend(passings.clone().map(|passing| (place(passing), kind, format)));
        }
    }
    endings
}

/// Ends the process there and goes on. Nothing that was answered long before is asked for again, and nothing at all when
/// everything had been read.
#[track_caller]
fn survives(place: Place, kind: Kind, format: &'static str) -> u64 {
    let scene = Scene::set(kind, format);
    let told = format!("{place:?} of {kind:?}, {format}");
    let before = scene.server.log();
    let ended = run(&mut scene.broken_off(place));
    assert_eq!(ended.code, None, "never reached: {told}\n{}", ended.stderr);
    assert_whole_runs(&scene.project.output());
    if place.is_behind_the_end() {
        scene.check();
    }
    let broken_off = scene.server.log();
    let ended = scene.go_on(&told);
    if place.is_behind_the_end() {
        return 0;
    }
    let log = scene.server.log();
    let again = log.requests_repeated - before.requests_repeated;
    if place.is_publishing() {
        assert_eq!(log.requests, broken_off.requests, "{told}\n{}", ended.stderr);
    }
    if place.step == Step::RunDropped {
        return again;
    }
    assert!(again <= scene.may_be_lost(), "{told}: {log:?}\n{}", ended.stderr);
    again
}

#[track_caller]
fn all_survive(side: Side) {
    let endings = endings(side);
    let again: u64 = endings
        .iter()
        .map(|(place, kind, format)| survives(*place, *kind, format))
        .sum();
    println!("{} endings, {again} requests again", endings.len());
}

#[test]
fn a_run_that_is_broken_off_before_any_step_goes_on_with_every_row_once() {
    all_survive(Side::Before);
}

#[test]
fn a_run_that_is_broken_off_after_any_step_goes_on_with_every_row_once() {
    all_survive(Side::After);
}
