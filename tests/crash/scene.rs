//! Exports that are broken off: what is exported, how, and what must come of it.

use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use gqldump::demo::{DemoConfig, DemoServer};
use gqldump::failpoint::{Side, Step};
use nix::sys::resource::{Resource, setrlimit};

use crate::exported::Exported;
use crate::nested::cases::shop;
use crate::pieces::plant::{branch, limited, plant, project};
use crate::program::{Ended, run};
use crate::project::Project;
use crate::tracker::{calm, let_cursors_expire, serve, tables};

/// Longer than the state waits for responses to share a commit.
const LATENCY: Duration = Duration::from_millis(20);

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One connection, page after page.
    Flat,
    /// Connections at three depths, many in one request.
    Nested,
    /// Rows whose columns are asked for in several requests.
    Pieces,
    /// Nested ones whose cursors expire, so that they are begun again.
    Expiring,
    /// A flat one that has an unfinished run, which is not wanted.
    Fresh,
    /// A flat one that leaves an old run behind those that are kept.
    Kept,
}

/// A project, the API that it exports, and how.
pub(super) struct Scene {
    kind: Kind,
    pub(super) project: Project,
    pub(super) server: DemoServer,
    arguments: Vec<&'static str>,
}

/// Where a run is broken off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) step: Step,
    pub(super) side: Side,
    /// The passing that counts, from 1.
    pub(super) passing: u64,
}

impl Place {
    fn text(self) -> String {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        format!("{}:{side}:{}=abort", self.step.name(), self.passing)
    }

    /// Whether the run was finished by then, so that the next one is another.
    pub(super) fn is_behind_the_end(self) -> bool {
        (self.step, self.side) == (Step::RunFinished, Side::After)
            || [Step::OldRunRemoved, Step::StateCompacted].contains(&self.step)
    }

    /// Whether all pages were read by then.
    pub(super) fn is_publishing(self) -> bool {
        let is_recorded = (self.step, self.side) == (Step::PublishingBegun, Side::After);
        let steps = [
            Step::TableMoved,
            Step::ManifestWritten,
            Step::ManifestNamed,
            Step::LatestMoved,
            Step::StagingTidied,
            Step::RunFinished,
        ];
        is_recorded || steps.contains(&self.step)
    }
}

impl Scene {
    pub(super) fn set(kind: Kind, format: &'static str) -> Self {
        // Hundreds of aborted processes are no reason to fill a disk.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        let (project, server, own) = match kind {
            Kind::Flat | Kind::Fresh => flat(),
            Kind::Kept => kept(),
            Kind::Nested => nested("limits.query.root_fields=12", |_| {}),
            Kind::Expiring => expiring(),
            Kind::Pieces => pieces(),
        };
        // A budget that is kept account of and never used up.
        let budget = "limits.requests=[{ max = 5000, per = '1s' }]";
        let mut arguments = vec!["--format", format, "--set", budget];
        arguments.extend(own);
        let scene = Self {
            kind,
            project,
            server,
            arguments,
        };
        if kind == Kind::Fresh {
            let begun = Place {
                step: Step::ResponseStored,
                side: Side::After,
                passing: 4,
            };
            assert_eq!(run(&mut scene.broken_off(begun)).code, None);
        }
        if kind == Kind::Kept {
            run(&mut scene.export()).with_code(0);
        }
        scene
    }

    /// The export, as it goes on where it is.
    pub(super) fn export(&self) -> Command {
        let mut command = self.project.export(&self.server, &self.arguments);
        // Parts are closed in the middle, too.
        command.env("GQLDUMP_CUT_EVERY", "4");
        command
    }

    /// The export that is broken off there.
    pub(super) fn broken_off(&self, place: Place) -> Command {
        let mut command = self.export();
        command.env("GQLDUMP_FAILPOINT", place.text());
        if place.step == Step::RunDropped {
            command.arg("--fresh");
        }
        command
    }

    /// Runs it to its end, and compares rows and manifest with what they must be.
    #[track_caller]
    pub(super) fn go_on(&self, place: &str) -> Ended {
        let ended = run(&mut self.export());
        assert_eq!(ended.code, Some(0), "after {place}: {}", ended.stderr);
        self.check();
        if self.kind == Kind::Kept {
            assert_eq!(self.published_runs(), 1, "after {place}");
        }
        ended
    }

    /// Compares what is published with the truth.
    #[track_caller]
    pub(super) fn check(&self) {
        let stand_in = self.server.stand_in();
        match self.kind {
            Kind::Flat | Kind::Fresh | Kind::Kept => {
                let table = tables().into_iter().find(|table| table.name == "vulnerabilities");
                table.expect("a table").check(&self.exported(), stand_in);
            }
            Kind::Nested | Kind::Expiring => shop().check(&self.project, &self.server),
            Kind::Pieces => {
                branch().check(&self.exported(), stand_in);
            }
        }
        let traffic = &self.exported().manifest["traffic"];
        let requests = traffic["requests"].as_u64().expect("a number");
        assert!(requests <= self.server.log().requests, "{traffic}");
    }

    /// Requests that may have to be asked again after an ending: what was in flight, and what came within the moment that
    /// responses wait to share a commit, which is shorter than an answer takes; and one each that a busy machine delays.
    pub(super) fn may_be_lost(&self) -> u64 {
        2 * (self.server.log().max_in_flight + 1)
    }

    /// What `latest` leads to.
    pub(super) fn exported(&self) -> Exported {
        self.project.exported(self.query())
    }

    /// How many runs of the query file have a folder.
    fn published_runs(&self) -> usize {
        let entries = fs::read_dir(self.project.written(self.query())).expect("a folder");
        entries
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name() != "latest"))
            .count()
    }

    /// The query file.
    pub(super) fn query(&self) -> &'static str {
        match self.kind {
            Kind::Flat | Kind::Fresh | Kind::Kept => "vulnerabilities",
            Kind::Nested | Kind::Expiring => "vendors",
            Kind::Pieces => "plants",
        }
    }
}

fn flat() -> (Project, DemoServer, Vec<&'static str>) {
    let mut config = calm();
    config.rows_scale = 0.01;
    config.behaviours.latency.base = LATENCY;
    let project = Project::demo().only(&["vulnerabilities"]);
    (project, serve(config), vec!["--set", "limits.page_size=80"])
}

fn kept() -> (Project, DemoServer, Vec<&'static str>) {
    let (project, server, mut arguments) = flat();
    arguments.extend(["--set", "keep=1"]);
    (project, server, arguments)
}

fn nested(few: &'static str, change: fn(&mut DemoConfig)) -> (Project, DemoServer, Vec<&'static str>) {
    let case = shop();
    let mut config = case.config();
    config.rows_scale = 0.05;
    config.behaviours.limits.clear();
    config.behaviours.latency.base = LATENCY;
    change(&mut config);
    let arguments = vec!["--set", "limits.page_size=20", "--set", few];
    (case.project(), serve(config), arguments)
}

/// One request after the other, so that those between a cursor and its use can be counted.
fn expiring() -> (Project, DemoServer, Vec<&'static str>) {
    let (project, server, mut arguments) = nested("limits.query.root_fields=2", let_cursors_expire);
    arguments.extend(["--set", "limits.concurrency=1"]);
    (project, server, arguments)
}

fn pieces() -> (Project, DemoServer, Vec<&'static str>) {
    let mut config = plant();
    config.rows_scale = 0.3;
    config.behaviours.latency.base = LATENCY;
    let arguments = vec!["--set", "limits.concurrency=1"];
    (project(&limited()), serve(config), arguments)
}
