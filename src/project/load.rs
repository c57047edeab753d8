//! Finds the sources and query files behind the paths of a command line, and reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::project::defaults;
use crate::project::diagnostic::{Diagnostic, Document};
use crate::project::layers::{KeyOverride, Layers};
use crate::project::settings::{SchemaOrigin, SourceSettings, TokenOrigin};
use crate::project::settle::settle;
use crate::project::written_token::ORIGIN_EXPECTED;

/// The file that makes a folder a source.
const SOURCE_FILE: &str = "source.toml";

/// What one command works on.
pub struct Project {
    /// In the order of the paths given, and of names within a path; at least one.
    pub sources: Vec<Source>,
}

/// One API and the query files for it.
pub struct Source {
    /// The folder's name: letters, digits, `_` and `-`.
    pub name: String,
    /// The folder, as it was given.
    pub folder: PathBuf,
    /// How to reach the API and what it allows.
    pub settings: SourceSettings,
    /// All query files of the folder by name, those with fragments for the others included; at least one.
    pub query_files: Vec<QueryFile>,
    /// Where the settings stand, for errors that come up later.
    layers: Layers,
}

/// One `.graphql` file of a source. Whether it holds an operation or only fragments is for `plan` to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFile {
    /// The file's name without its ending: letters, digits, `_` and `-`.
    pub name: String,
    /// As given on the command line, or found below it.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// Whether the command is about this file, and not only about others that may use its fragments.
    pub is_selected: bool,
}

/// Why there is no project to work on.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A path that is not there.
    #[error("`{0}` does not exist: name a source's folder, a folder of such folders, or a `.graphql` file in one")]
    NoSuchPath(PathBuf),
    /// A folder without a source in it.
    #[error("`{0}` is no source: put a `source.toml` into it that has at least the key `endpoint` or `preset`")]
    NoSource(PathBuf),
    /// A source without query files.
    #[error("`{0}` has no query file: put a `.graphql` file with one query into it")]
    NoQueryFile(PathBuf),
    /// A file that is none, or is the schema.
    #[error("`{0}` is no query file: name a `.graphql` file that is neither the schema nor its directives")]
    NotAQueryFile(PathBuf),
    /// A name that cannot be a table's and a folder's.
    #[error("`{0}` cannot be the name of a table: rename it to letters, digits, `_` and `-` only")]
    Unnamable(PathBuf),
    /// Two names whose output would meet in one folder, on some systems at least.
    #[error("`{0}` and `{1}` would write to the same place: rename one of them")]
    SameName(PathBuf, PathBuf),
    /// A mistake in the settings.
    #[error(transparent)]
    Settings(#[from] Diagnostic),
    /// A file or folder that cannot be read; the error names it.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
}

impl Project {
    /// Loads the sources behind `paths` (each a source's folder, a folder of such folders, or one query file;
    /// `queries` where there are none), with `overrides` laid over every `source.toml`.
    pub fn load(paths: &[PathBuf], overrides: &[KeyOverride]) -> Result<Self, ProjectError> {
        let default_paths = [PathBuf::from(defaults::QUERIES_FOLDER)];
        let paths = if paths.is_empty() { &default_paths } else { paths };
        let mut selections = Vec::new();
        for path in paths {
            select(path, &mut selections)?;
        }
        let load = |selection: &Selection| Source::load(selection, overrides);
        let sources: Vec<Source> = selections.iter().map(load).collect::<Result<_, _>>()?;
        check_names(
            sources
                .iter()
                .map(|source| (source.name.as_str(), source.folder.as_path())),
        )?;
        Ok(Self { sources })
    }
}

/// A source's folder and what of it a command is about.
struct Selection {
    /// As given.
    folder: PathBuf,
    /// The same for all ways to write it.
    identity: PathBuf,
    /// The query files that were named; `None` for all.
    files: Option<BTreeSet<PathBuf>>,
}

fn select(path: &Path, selections: &mut Vec<Selection>) -> Result<(), ProjectError> {
    if !path.exists() {
        return Err(ProjectError::NoSuchPath(path.to_owned()));
    }
    if !path.is_dir() {
        return select_file(path, selections);
    }
    if is_source(path) {
        return add(path, None, selections);
    }
    let folders: Vec<PathBuf> = entries(path)?.into_iter().filter(|folder| is_source(folder)).collect();
    if folders.is_empty() {
        return Err(ProjectError::NoSource(path.to_owned()));
    }
    folders.iter().try_for_each(|folder| add(folder, None, selections))
}

fn select_file(path: &Path, selections: &mut Vec<Selection>) -> Result<(), ProjectError> {
    if !is_query_file(path) {
        return Err(ProjectError::NotAQueryFile(path.to_owned()));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    if !is_source(folder) {
        return Err(ProjectError::NoSource(folder.to_owned()));
    }
    add(folder, Some(path), selections)
}

/// Adds a folder, or one file of it, to what was selected before; nothing is selected twice.
fn add(folder: &Path, file: Option<&Path>, selections: &mut Vec<Selection>) -> Result<(), ProjectError> {
    let identity = fs_err::canonicalize(folder)?;
    let file = file.and_then(Path::file_name).map(PathBuf::from);
    match selections.iter_mut().find(|selection| selection.identity == identity) {
        Some(known) => {
            known.files = match (known.files.take(), file) {
                (Some(mut files), Some(file)) => {
                    files.insert(file);
                    Some(files)
                }
                _ => None,
            };
        }
        None => selections.push(Selection {
            folder: folder.to_owned(),
            identity,
            files: file.map(|file| BTreeSet::from([file])),
        }),
    }
    Ok(())
}

impl Source {
    /// A source that is only begun: what its `source.toml` will say, and no query file.
    pub fn begun(folder: &Path, text: String) -> Result<Self, ProjectError> {
        Self::of_text(folder, text, &[])
    }

    fn of_text(folder: &Path, text: String, overrides: &[KeyOverride]) -> Result<Self, ProjectError> {
        let layers = Layers::read(document(folder, text), overrides)?;
        Ok(Self {
            name: name_of(folder, folder.file_name())?,
            query_files: Vec::new(),
            folder: folder.to_owned(),
            settings: settle(&layers, folder)?,
            layers,
        })
    }

    /// The source in a folder, or all those in the folders below it, without their query files.
    pub fn without_queries(path: &Path, overrides: &[KeyOverride]) -> Result<Vec<Self>, ProjectError> {
        if !path.exists() {
            return Err(ProjectError::NoSuchPath(path.to_owned()));
        }
        let folders = match is_source(path) {
            true => vec![path.to_owned()],
            false => entries(path)?.into_iter().filter(|folder| is_source(folder)).collect(),
        };
        if folders.is_empty() {
            return Err(ProjectError::NoSource(path.to_owned()));
        }
        let open = |folder: &PathBuf| {
            let text = fs_err::read_to_string(folder.join(SOURCE_FILE))?;
            Self::of_text(folder, text, overrides)
        };
        folders.iter().map(open).collect()
    }

    /// Where its settings stand.
    pub fn settings_file(&self) -> PathBuf {
        self.folder.join(SOURCE_FILE)
    }

    fn load(selection: &Selection, overrides: &[KeyOverride]) -> Result<Self, ProjectError> {
        let text = fs_err::read_to_string(selection.folder.join(SOURCE_FILE))?;
        let layers = Layers::read(document(&selection.folder, text), overrides)?;
        let settings = settle(&layers, &selection.folder)?;
        if let SchemaOrigin::File(path) = &settings.schema
            && !path.is_file()
        {
            let message = format!("the schema's file `{}` does not exist", path.display());
            let help = "write `schema = \"introspect\"` to ask the API for its schema";
            return Err(layers.complain(&[&["schema"]], message, help).into());
        }
        Ok(Self {
            name: name_of(&selection.identity, selection.identity.file_name())?,
            query_files: query_files(selection, &settings.schema)?,
            folder: selection.folder.clone(),
            settings,
            layers,
        })
    }

    /// Reads the token anew; `None` for an API that asks for none. An error shows the key that says where it is found.
    ///
    /// May wait for a program: see [`TokenOrigin::read`](crate::project::TokenOrigin::read).
    pub fn read_token(&self, is_stopped: &dyn Fn() -> bool) -> Result<Option<SecretString>, ProjectError> {
        let Some(origin) = &self.settings.auth.token else {
            return Ok(None);
        };
        let token = origin.read(is_stopped).map_err(|error| {
            let reason = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            let help = format!("a token comes from {ORIGIN_EXPECTED}");
            self.layers
                .complain(&[&["auth", "token"]], format!("{error}{reason}"), help)
        })?;
        Ok(Some(token))
    }

    /// Reads the values of the variables that are secrets.
    pub fn read_variables(&self) -> Result<BTreeMap<String, SecretString>, ProjectError> {
        let read = |(name, origin): (&String, &TokenOrigin)| {
            let value = origin.read_value().map_err(|error| {
                let reason = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                let help = format!("a secret value comes from {ORIGIN_EXPECTED}");
                self.layers
                    .complain(&[&["variables", name]], format!("{error}{reason}"), help)
            })?;
            Ok((name.clone(), value))
        };
        self.settings.variables.iter().map(read).collect()
    }
}

fn document(folder: &Path, text: String) -> Document {
    Document {
        name: folder.join(SOURCE_FILE).display().to_string(),
        text,
    }
}

fn query_files(selection: &Selection, schema: &SchemaOrigin) -> Result<Vec<QueryFile>, ProjectError> {
    let mut query_files = Vec::new();
    let is_schema = |path: &Path| matches!(schema, SchemaOrigin::File(schema) if schema == path);
    let paths = entries(&selection.folder)?;
    for path in paths
        .into_iter()
        .filter(|path| is_query_file(path) && path.is_file() && !is_schema(path))
    {
        let file_name = path.file_name().map(PathBuf::from).unwrap_or_default();
        query_files.push(QueryFile {
            name: name_of(&path, path.file_stem())?,
            text: fs_err::read_to_string(&path)?,
            is_selected: selection.files.as_ref().is_none_or(|files| files.contains(&file_name)),
            path,
        });
    }
    if query_files.is_empty() {
        return Err(ProjectError::NoQueryFile(selection.folder.clone()));
    }
    let is_found = |file: &&PathBuf| query_files.iter().any(|found| found.path.ends_with(file));
    if let Some(file) = selection.files.iter().flatten().find(|file| !is_found(file)) {
        return Err(ProjectError::NotAQueryFile(selection.folder.join(file)));
    }
    check_names(query_files.iter().map(|file| (file.name.as_str(), file.path.as_path())))?;
    Ok(query_files)
}

/// The paths in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let paths: Result<Vec<PathBuf>, _> = fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(ProjectError::Unreadable)?;
    paths.sort();
    Ok(paths)
}

fn is_source(folder: &Path) -> bool {
    folder.join(SOURCE_FILE).is_file()
}

/// Whether a file's name is that of a query file: neither an editor's hidden copy, nor the schema, nor its directives.
fn is_query_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_other = name.starts_with('.') || name == "schema.graphql" || name.ends_with(".directives.graphql");
    name.ends_with(".graphql") && !is_other
}

fn name_of(path: &Path, name: Option<&OsStr>) -> Result<String, ProjectError> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    match name.and_then(OsStr::to_str) {
        Some(name) if !name.is_empty() && name.chars().all(is_plain) => Ok(name.to_owned()),
        _ => Err(ProjectError::Unnamable(path.to_owned())),
    }
}

/// Refuses names that are equal, or differ only in case: some file systems cannot tell them apart.
fn check_names<'a>(named: impl Iterator<Item = (&'a str, &'a Path)>) -> Result<(), ProjectError> {
    let mut seen = BTreeMap::new();
    for (name, path) in named {
        if let Some(other) = seen.insert(name.to_lowercase(), path) {
            return Err(ProjectError::SameName(other.to_owned(), path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;

    /// A folder with these files, each a path and a content.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs_err::write(path, text).expect("a file");
        }
        folder
    }

    const DEMO: &str = "endpoint = 'demo:'";

    fn load(folder: &TempDir, paths: &[&str]) -> Result<Project, ProjectError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
        Project::load(&paths, &[])
    }

    /// Each source with its query files; those that are not selected in brackets.
    fn outline(project: &Project) -> Vec<String> {
        let file = |file: &QueryFile| match file.is_selected {
            true => file.name.clone(),
            false => format!("({})", file.name),
        };
        let source = |source: &Source| {
            let files: Vec<String> = source.query_files.iter().map(file).collect();
            format!("{}: {}", source.name, files.join(" "))
        };
        project.sources.iter().map(source).collect()
    }

    fn error(folder: &TempDir, paths: &[&str]) -> String {
        let Err(error) = load(folder, paths) else {
            panic!("an error");
        };
        error.to_string().replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_path_is_a_root_of_sources_or_a_source_or_a_file() {
        let folder = folder(&[
            ("b/source.toml", DEMO),
            ("b/z.graphql", "{ z }"),
            ("b/a.graphql", "{ a }"),
            ("b/README.md", ""),
            ("b/notes.graphql.orig", ""),
            ("b/.hidden.graphql", ""),
            ("b/schema.graphql", "type Query { a: Int }"),
            ("b/client.directives.graphql", "directive @x on FIELD"),
            ("b/inner/c.graphql", ""),
            ("a/source.toml", DEMO),
            ("a/q.graphql", "{ q }"),
            ("no-source/q.graphql", "{ q }"),
        ]);
        let outline_of = |paths: &[&str]| outline(&load(&folder, paths).expect("a project"));
        assert_eq!(outline_of(&["."]), ["a: q", "b: a z"]);
        assert_eq!(outline_of(&["b"]), ["b: a z"]);
        assert_eq!(outline_of(&["b/z.graphql"]), ["b: (a) z"]);
        assert_eq!(outline_of(&["b/z.graphql", "a/q.graphql"]), ["b: (a) z", "a: q"]);
        assert_eq!(outline_of(&["b/z.graphql", "./b/../b/a.graphql"]), ["b: a z"]);
        assert_eq!(outline_of(&["b/z.graphql", "b/"]), ["b: a z"]);
        assert_eq!(outline_of(&["b", "b/z.graphql"]), ["b: a z"]);
        let project = load(&folder, &["b/a.graphql"]).expect("a project");
        assert_eq!(project.sources[0].query_files[0].text, "{ a }");
        assert_eq!(
            project.sources[0].query_files[0].path,
            folder.path().join("b/a.graphql")
        );
    }

    #[test]
    fn the_schema_that_the_settings_name_is_no_query_file() {
        let folder = folder(&[
            ("a/source.toml", "endpoint = 'demo:'\nschema = 'api.graphql'"),
            ("a/api.graphql", "type Query { a: Int }"),
            ("a/q.graphql", "{ a }"),
        ]);
        let project = load(&folder, &["a"]).expect("a project");
        assert_eq!(outline(&project), ["a: q"]);
        let schema = folder.path().join("a/api.graphql");
        assert_eq!(project.sources[0].settings.schema, SchemaOrigin::File(schema));
        let expected = "`DIR/a/api.graphql` is no query file: name a `.graphql` file that is neither the schema nor its \
                        directives";
        assert_eq!(error(&folder, &["a/q.graphql", "a/api.graphql"]), expected);
    }

    #[test]
    fn overrides_hold_for_every_source() {
        let folder = folder(&[
            ("a/source.toml", DEMO),
            ("a/q.graphql", ""),
            ("b/source.toml", DEMO),
            ("b/q.graphql", ""),
        ]);
        let page_size = "limits.page_size=7".parse().expect("a key and a value");
        let project = Project::load(&[folder.path().to_owned()], &[page_size]).expect("a project");
        let sizes: Vec<u32> = project
            .sources
            .iter()
            .map(|source| source.settings.limits.page_size)
            .collect();
        assert_eq!(sizes, [7, 7]);
    }

    #[test]
    fn errors_name_the_path_and_the_remedy() {
        let folder = folder(&[
            ("empty/README.md", ""),
            ("bare/source.toml", DEMO),
            ("bare/schema.graphql", ""),
            ("stray/q.graphql", ""),
            ("odd/source.toml", DEMO),
            ("odd/a b.graphql", ""),
            ("case/source.toml", DEMO),
            ("case/Rows.graphql", ""),
            ("case/rows.graphql", ""),
            ("x y/source.toml", DEMO),
            ("one/name/source.toml", DEMO),
            ("one/name/q.graphql", ""),
            ("two/Name/source.toml", DEMO),
            ("two/Name/q.graphql", ""),
            ("broken/source.toml", "endpoint = 4"),
            ("lost/source.toml", "endpoint = 'demo:'\nschema = 'lost.graphql'"),
        ]);
        let cases: [(&[&str], &str); 10] = [
            (&["nowhere"], "`DIR/nowhere` does not exist: name a source's folder"),
            (&["empty"], "`DIR/empty` is no source: put a `source.toml` into it"),
            (
                &["stray/q.graphql"],
                "`DIR/stray` is no source: put a `source.toml` into it",
            ),
            (&["bare"], "`DIR/bare` has no query file: put a `.graphql` file"),
            (
                &["bare/schema.graphql"],
                "`DIR/bare/schema.graphql` is no query file: name a `.graphql` file",
            ),
            (
                &["odd"],
                "`DIR/odd/a b.graphql` cannot be the name of a table: rename it",
            ),
            (
                &["case"],
                "`DIR/case/Rows.graphql` and `DIR/case/rows.graphql` would write to the same place",
            ),
            (
                &["one", "two"],
                "`DIR/one/name` and `DIR/two/Name` would write to the same place: rename one",
            ),
            (
                &["broken"],
                "a whole number cannot stand here\n --> DIR/broken/source.toml:1:12",
            ),
            (
                &["lost"],
                "the schema's file `DIR/lost/lost.graphql` does not exist\n --> DIR/lost/source.toml:2:10",
            ),
        ];
        for (paths, expected) in cases {
            let error = error(&folder, paths);
            assert!(error.starts_with(expected), "{paths:?}: {error}");
        }
        assert!(error(&folder, &["x y"]).ends_with(
            "x y` cannot be the name of a table: rename it to letters, digits, \
                                                    `_` and `-` only"
        ));
    }

    #[test]
    fn a_missing_token_is_shown_at_the_key_that_names_it() {
        let folder = folder(&[
            (
                "a/source.toml",
                "endpoint = 'demo:'\n[auth]\ntoken = { file = 'token' }",
            ),
            ("a/q.graphql", ""),
        ]);
        let project = load(&folder, &["a"]).expect("a project");
        let Err(error) = project.sources[0].read_token(&|| false) else {
            panic!("an error");
        };
        let error = error.to_string().replace(&folder.path().display().to_string(), "DIR");
        assert!(error.starts_with("the token's file cannot be read: "), "{error}");
        assert!(
            error.contains("`DIR/a/token`") && error.contains("\n --> DIR/a/source.toml:3:9\n"),
            "{error}"
        );
        fs_err::write(folder.path().join("a/token"), "right").expect("a file");
        let token = project.sources[0]
            .read_token(&|| false)
            .expect("a token")
            .expect("a token");
        assert_eq!(token.expose_secret(), "right");
    }
}
