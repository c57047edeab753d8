//! The machine loses its power: what was not forced to the disk is gone.
//!
//! A library of our own stands before the program's `fsync` and `fdatasync` (`power.c`) and keeps what each of them forced
//! to the disk: the content of a file, the names in a folder. Of that the disk is built that the next run finds. What the
//! program did not ask for is lost, SQLite's share included; nothing that the program believes of itself is taken for true.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use fs_err as fs;
use gqldump::failpoint::{Side, Step};
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

use crate::crash::is_thorough;
use crate::crash::points::endings;
use crate::crash::scene::{Kind, Place, Scene};
use crate::program::{run, start};
use crate::resume::assert_whole_runs;

/// What of a disk is as it was last forced to be; the rest is as the process left it. Real file systems write down names
/// and contents in an order of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// Names that were not forced to the disk, and contents.
    Both,
    /// Contents: a file is there, and holds less.
    Contents,
    /// Names: what was removed is back, what was renamed has its old name.
    Names,
}

const LOSSES: [Lost; 3] = [Lost::Both, Lost::Contents, Lost::Names];

static LIBRARY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("power.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/power.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-pthread", "-o"])
        .args([&library, &source])
        .status();
    assert!(compiled.expect("a C compiler, as for SQLite").success());
    (folder, library)
});

/// An entry of a folder.
struct Entry {
    name: String,
    inode: u64,
    kind: EntryKind,
}

enum EntryKind {
    File,
    Folder,
    Link(PathBuf),
}

/// A disk below one folder, and what was forced to it.
struct Disk {
    root: PathBuf,
    /// A file for each inode: its content, or, for a folder, a moment and its names.
    kept: TempDir,
    /// An inode's number stays its own as long as somebody has it open.
    pinned: Vec<fs::File>,
}

impl Disk {
    /// A disk on which everything below `root` is safe.
    fn of(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            kept: tempfile::tempdir().expect("a folder"),
            pinned: Vec::new(),
        };
        disk.keep_all(root);
        disk
    }

    fn keep_all(&mut self, folder: &Path) {
        self.pinned.push(fs::File::open(folder).expect("a folder"));
        let mut listing = "0\n".to_owned();
        for Entry { name, inode, kind } in present(folder) {
            let path = folder.join(&name);
            let (kind, target) = match kind {
                EntryKind::File => {
                    self.pinned.push(fs::File::open(&path).expect("a file"));
                    fs::copy(&path, self.kept(inode)).expect("a copy");
                    ('f', String::new())
                }
                EntryKind::Folder => {
                    self.keep_all(&path);
                    ('d', String::new())
                }
                EntryKind::Link(target) => ('l', target.display().to_string()),
            };
            listing.push_str(&format!("{kind} {inode} {name}\t{target}\n"));
        }
        let inode = fs::metadata(folder).expect("a folder").ino();
        fs::write(self.kept(inode), listing).expect("a file");
    }

    fn kept(&self, inode: u64) -> PathBuf {
        self.kept.path().join(inode.to_string())
    }

    /// Has a program write to this disk.
    fn under<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command
            .env("LD_PRELOAD", &LIBRARY.1)
            .env("POWER_KEPT", self.kept.path())
    }

    /// The power goes out: the disk is what was forced to it.
    fn lose(self, lost: Lost) {
        let found = tempfile::tempdir_in(self.root.parent().expect("a folder above")).expect("a folder");
        let newest = self.newest_places();
        self.build(&self.root, &found.path().join("root"), lost, &newest);
        fs::remove_dir_all(&self.root).expect("the disk");
        fs::rename(found.path().join("root"), &self.root).expect("the disk");
    }

    fn build(&self, was: &Path, now: &Path, lost: Lost, newest: &BTreeMap<u64, u64>) {
        let inode = fs::metadata(was).expect("a folder").ino();
        self.build_folder(inode, Some(was), now, lost, newest);
    }

    /// Builds a folder; `was` is where the process left it, if anywhere.
    fn build_folder(&self, inode: u64, was: Option<&Path>, now: &Path, lost: Lost, newest: &BTreeMap<u64, u64>) {
        fs::create_dir(now).expect("a folder");
        let entries = match (lost, was) {
            (Lost::Contents, Some(was)) => present(was),
            _ => self.forced_names(inode).1,
        };
        for Entry { name, inode: own, kind } in entries {
            // What was moved stands in one of both folders at any time.
            if lost != Lost::Contents && newest.get(&own) != Some(&inode) {
                continue;
            }
            let was = was.map(|was| was.join(&name)).filter(|was| inode_of(was) == Some(own));
            let now = now.join(&name);
            match kind {
                EntryKind::Folder => self.build_folder(own, was.as_deref(), &now, lost, newest),
                EntryKind::Link(target) => symlink(target, &now).expect("a link"),
                EntryKind::File => {
                    let content = match (lost, was) {
                        (Lost::Names, Some(was)) => fs::read(was).expect("a file"),
                        // A file that nobody forced to the disk may have its name and nothing else.
                        _ => fs::read(self.kept(own)).unwrap_or_default(),
                    };
                    fs::write(&now, content).expect("a file");
                }
            }
        }
    }

    /// When the names of a folder were forced to the disk, and what they were.
    fn forced_names(&self, inode: u64) -> (u64, Vec<Entry>) {
        let Ok(listing) = fs::read_to_string(self.kept(inode)) else {
            return (0, Vec::new());
        };
        let mut lines = listing.lines();
        let moment = lines.next().and_then(|line| line.parse().ok()).expect("a moment");
        (moment, lines.map(entry).collect())
    }

    /// In which folder each file or folder was last forced to stand.
    fn newest_places(&self) -> BTreeMap<u64, u64> {
        let mut folders = vec![fs::metadata(&self.root).expect("a folder").ino()];
        let mut newest: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            let (moment, entries) = self.forced_names(folder);
            for entry in entries {
                let place = newest.entry(entry.inode).or_insert((moment, folder));
                *place = (*place).max((moment, folder));
                if matches!(entry.kind, EntryKind::Folder) {
                    folders.push(entry.inode);
                }
            }
        }
        newest.into_iter().map(|(inode, (_, folder))| (inode, folder)).collect()
    }
}

fn entry(line: &str) -> Entry {
    let mut words = line.splitn(3, ' ');
    let (kind, inode) = (words.next().expect("a kind"), words.next().expect("an inode"));
    let (name, target) = words.next().and_then(|rest| rest.split_once('\t')).expect("a name");
    Entry {
        name: name.to_owned(),
        inode: inode.parse().expect("a number"),
        kind: match kind {
            "d" => EntryKind::Folder,
            "l" => EntryKind::Link(target.into()),
            _ => EntryKind::File,
        },
    }
}

/// What is in a folder.
fn present(folder: &Path) -> Vec<Entry> {
    let entries = fs::read_dir(folder).expect("a folder");
    let entries = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let about = entry.metadata().expect("an entry");
        let kind = match about.file_type() {
            kind if kind.is_dir() => EntryKind::Folder,
            kind if kind.is_symlink() => EntryKind::Link(fs::read_link(entry.path()).expect("a link")),
            _ => EntryKind::File,
        };
        Entry {
            name: entry.file_name().into_string().expect("text"),
            inode: about.ino(),
            kind,
        }
    });
    entries.collect()
}

fn inode_of(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|about| about.ino())
}

/// The disk that a scene writes to, on which nothing of the output is there yet but what an earlier run left.
fn disk_of(scene: &Scene) -> Disk {
    Disk::of(scene.project.folder())
}

/// Ends process and machine there, and goes on.
#[track_caller]
fn survives(place: Place, kind: Kind, format: &'static str, lost: Lost) {
    let scene = Scene::set(kind, format);
    let told = format!("{lost:?} lost at {place:?} of {kind:?}, {format}");
    let disk = disk_of(&scene);
    let ended = run(disk.under(&mut scene.broken_off(place)));
    assert_eq!(ended.code, None, "never reached: {told}\n{}", ended.stderr);
    disk.lose(lost);
    assert_whole_runs(&scene.project.output());
    if place.is_behind_the_end() {
        scene.check();
    }
    scene.go_on(&told);
    if place.step == Step::StateSynced && place.side == Side::After {
        let log = scene.server.log();
        assert!(log.requests_repeated <= scene.may_be_lost(), "{told}: {log:?}");
    }
}

/// Every second step on this side, and on the other side the others; all of them if asked for.
#[track_caller]
fn all_survive(side: Side, first: usize) {
    let mut tried = 0;
    let every = if is_thorough() { 1 } else { 2 };
    for (index, (place, kind, format)) in endings(side).into_iter().enumerate().skip(first % every).step_by(every) {
        let losses = match is_thorough() {
            true => LOSSES.as_slice(),
            false => &LOSSES[index % 3..=index % 3],
        };
        losses.iter().for_each(|lost| survives(place, kind, format, *lost));
        tried += losses.len();
    }
    println!("{tried} endings");
}

#[test]
fn a_machine_that_loses_its_power_before_any_step_goes_on_with_every_row_once() {
    all_survive(Side::Before, 0);
}

#[test]
fn a_machine_that_loses_its_power_after_any_step_goes_on_with_every_row_once() {
    all_survive(Side::After, 1);
}

/// Exit code 0 says that the rows are there to stay.
#[test]
fn what_was_published_is_there_after_the_power_went_out() {
    for (kind, lost) in [Kind::Flat, Kind::Nested].into_iter().zip(LOSSES.into_iter().cycle()) {
        let scene = Scene::set(kind, "parquet");
        let disk = disk_of(&scene);
        run(disk.under(&mut scene.export())).with_code(0);
        disk.lose(lost);
        scene.check();
        let requests = scene.server.log().requests;
        // The next run is another one, from the schema that was kept on.
        scene.go_on("its end");
        assert_eq!(scene.server.log().introspections, 1, "{requests}");
    }
}

/// Power that goes out at any moment, again and again, each time with another loss.
#[test]
fn a_machine_that_loses_its_power_again_and_again_ends_with_every_row_once() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let losses = if is_thorough() { 60 } else { 5 };
    for kind in [Kind::Nested, Kind::Pieces] {
        let scene = Scene::set(kind, "ndjson");
        for lost in LOSSES.into_iter().cycle().take(losses) {
            let disk = disk_of(&scene);
            let goal = scene.server.log().requests + random.random_range(1..=6);
            let mut running = start(disk.under(&mut scene.export()));
            while scene.server.log().requests < goal && !running.has_ended() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(random.random_range(0..40_000)));
            if !running.has_ended() {
                running.signal(Signal::SIGKILL);
            }
            running.end();
            disk.lose(lost);
            assert_whole_runs(&scene.project.output());
        }
        scene.go_on("all of them");
    }
}
