//! A project in a folder of its own: one source with its query files, and the output of its runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use gqldump::demo::DemoServer;
use nix::sys::signal::Signal;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::exported::{Exported, read_export};
use crate::program::{Ended, Running, gqldump, run, start, steady};

/// The environment variable in which tests hand over a token.
pub(crate) const TOKEN_VARIABLE: &str = "GQLDUMP_TEST_TOKEN";

/// One source of this name in a folder that goes when this is dropped.
pub(crate) struct Project {
    folder: TempDir,
    source: &'static str,
}

/// An API as the command line names it.
#[derive(Clone)]
pub(crate) struct Api {
    /// Its address.
    pub(crate) address: String,
    /// The token, where it asks for one.
    pub(crate) token: Option<String>,
}

impl From<&DemoServer> for Api {
    fn from(server: &DemoServer) -> Self {
        Self {
            address: server.address().to_string(),
            token: Some(server.token().expose_secret().to_owned()),
        }
    }
}

impl Project {
    /// The shipped `queries/demo`.
    pub(crate) fn demo() -> Self {
        Self::shipped("demo")
    }

    /// The shipped folder of that name in `queries/`.
    pub(crate) fn shipped(source: &'static str) -> Self {
        let project = Self::empty(source);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries").join(source);
        for entry in fs::read_dir(shipped).expect("the shipped queries") {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a file name");
            fs::copy(&path, project.source_folder().join(name)).expect("a copy");
        }
        project
    }

    /// A source `api` with this `source.toml`.
    pub(crate) fn new(settings: &str) -> Self {
        let project = Self::empty("api");
        project.with("source.toml", settings)
    }

    fn empty(source: &'static str) -> Self {
        let project = Self {
            folder: tempfile::tempdir().expect("a folder"),
            source,
        };
        fs::create_dir_all(project.source_folder()).expect("a folder");
        project
    }

    /// The same with this file in the source's folder.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.file(name), text).expect("a file");
        self
    }

    /// The same without any query file but these.
    pub(crate) fn only(self, names: &[&str]) -> Self {
        for entry in fs::read_dir(self.source_folder()).expect("a folder") {
            let path = entry.expect("a file").path();
            let is_query =
                path.extension().is_some_and(|extension| extension == "graphql") && !path.ends_with("schema.graphql");
            let is_kept = names
                .iter()
                .any(|name| path.file_stem().is_some_and(|stem| stem == *name));
            if is_query && !is_kept {
                fs::remove_file(path).expect("a file");
            }
        }
        self
    }

    /// The folder that holds all of it; programs run in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the source.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.source_folder().join(name)
    }

    /// Where the runs write.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder().join("output")
    }

    /// What is in the output of this source at `path`.
    pub(crate) fn written(&self, path: &str) -> PathBuf {
        self.output().join(self.source).join(path)
    }

    fn source_folder(&self) -> PathBuf {
        self.folder().join("queries").join(self.source)
    }

    /// `gqldump` with these arguments, in this project.
    pub(crate) fn gqldump(&self, arguments: &[&str]) -> Command {
        let mut command = gqldump();
        command.current_dir(self.folder()).args(arguments);
        command
    }

    /// `gqldump run` against an API, with further arguments.
    pub(crate) fn export(&self, api: impl Into<Api>, arguments: &[&str]) -> Command {
        let Api { address, token } = api.into();
        let mut command = self.gqldump(&["run", "--set", &format!("endpoint={address}")]);
        if let Some(token) = token {
            command.args(["--set", &format!("auth.token.env={TOKEN_VARIABLE}")]);
            command.env(TOKEN_VARIABLE, token);
        }
        command.args(arguments);
        command
    }

    /// Runs an export to its end.
    pub(crate) fn run(&self, api: impl Into<Api>, arguments: &[&str]) -> Ended {
        run(&mut self.export(api, arguments))
    }

    /// Starts an export.
    pub(crate) fn start(&self, api: impl Into<Api>, arguments: &[&str]) -> Running {
        start(&mut self.export(api, arguments))
    }

    /// Starts an export, and kills it a moment after the API had so many further requests. What it said comes back where
    /// it came to its end before.
    pub(crate) fn kill(
        &self,
        server: &DemoServer,
        arguments: &[&str],
        requests: u64,
        pause: Duration,
    ) -> Option<Ended> {
        let goal = server.log().requests + requests;
        let mut running = self.start(server, arguments);
        while server.log().requests < goal && !running.has_ended() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(pause);
        if !running.has_ended() {
            running.signal(Signal::SIGKILL);
        }
        Some(running.end()).filter(|ended| ended.code.is_some())
    }

    /// What `latest` of a query file leads to.
    pub(crate) fn exported(&self, query: &str) -> Exported {
        read_export(&self.written(query).join("latest"))
    }

    /// The newest run of a query file, complete or not.
    pub(crate) fn newest(&self, query: &str) -> Exported {
        let runs = fs::read_dir(self.written(query)).expect("runs");
        let runs = runs.map(|entry| entry.expect("a run").path());
        let newest = runs.filter(|path| !path.is_symlink()).max();
        read_export(&newest.expect("a run"))
    }

    /// A text of this project without what differs from run to run.
    pub(crate) fn steady(&self, text: &str) -> String {
        steady(text, self.folder())
    }
}
