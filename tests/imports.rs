//! The rules on who may use what, read off the sources, so that they hold by more than memory.
//!
//! Code that exists for tests only is exempt.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use regex::Regex;

/// Each module of the crate, and those that it may know. `clock` is known to all that are not pure.
const MODULES: [(&str, &[&str]); 11] = [
    ("cli", &["run", "report", "project", "plan", "output", "api", "demo"]),
    (
        "run",
        &["plan", "api", "rows", "state", "output", "report", "project", "schema"],
    ),
    ("plan", &["project", "schema"]),
    ("api", &["project", "report"]),
    ("rows", &["plan", "schema"]),
    ("state", &[]),
    ("output", &["rows", "plan", "schema"]),
    ("report", &[]),
    ("project", &["schema"]),
    ("schema", &[]),
    ("demo", &[]),
];

/// What only some files may use: a path, and the beginnings of those files' names.
const RESERVED: [(&str, &[&str]); 18] = [
    ("reqwest", &["api/"]),
    ("backoff", &["api/retry.rs"]),
    ("apollo_compiler", &["schema/", "plan/", "demo/"]),
    ("arrow", &["rows/", "output/"]),
    ("parquet", &["output/"]),
    ("object_store", &["output/store.rs", "output/store_error.rs"]),
    ("rusqlite", &["state/"]),
    ("axum", &["demo/"]),
    ("indicatif", &["report/"]),
    ("clap", &["main.rs", "cli/", "demo/serve.rs"]),
    ("anyhow", &["cli/"]),
    ("std::process::exit", &["cli/stop.rs"]),
    ("std::time::SystemTime::now", &["clock.rs"]),
    ("SystemTime::now", &["clock.rs"]),
    ("println", &[]),
    ("eprintln", &[]),
    ("std::io::stdout", &["cli/"]),
    ("std::io::stderr", &["cli/"]),
];

/// Modules that take data in and give data out: no runtime, no files, no clock.
const PURE: [&str; 3] = ["schema/", "plan/", "rows/"];

/// What pure modules do without.
const IMPURE: [&str; 8] = [
    "tokio",
    "fs_err",
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime::now",
    "Instant::now",
    "crate::clock",
];

/// A file of `src/`, and the paths that its code names.
struct Source {
    /// Seen from `src/`.
    name: String,
    /// `crate::plan::Plan`, `serde_json::to_string`, `println`.
    paths: BTreeSet<String>,
}

impl Source {
    /// The module of the crate that it belongs to; none for those at the top.
    fn module(&self) -> Option<&str> {
        self.name.split_once('/').map(|(module, _)| module)
    }

    fn uses(&self, path: &str) -> bool {
        self.paths
            .iter()
            .any(|used| used == path || used.strip_prefix(path).is_some_and(|rest| rest.starts_with("::")))
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.name.starts_with(place))
    }
}

#[test]
fn each_module_knows_only_those_below_it() {
    let mut violations = Vec::new();
    for source in sources() {
        let Some((_, known)) = MODULES.iter().find(|(module, _)| source.module() == Some(module)) else {
            continue;
        };
        for (other, _) in MODULES
            .iter()
            .filter(|(other, _)| source.module() != Some(other) && !known.contains(other))
        {
            if source.uses(&format!("crate::{other}")) {
                violations.push(format!("{} uses crate::{other}", source.name));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn every_module_has_its_rule() {
    let modules: BTreeSet<String> = sources().iter().filter_map(Source::module).map(str::to_owned).collect();
    let ruled: BTreeSet<String> = MODULES.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(modules, ruled);
}

#[test]
fn what_is_reserved_is_used_in_its_place_only() {
    let mut violations = Vec::new();
    for source in sources() {
        for (path, _) in RESERVED.iter().filter(|(_, places)| !source.is_in(places)) {
            if source.uses(path) {
                violations.push(format!("{} uses {path}", source.name));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn pure_modules_have_no_runtime_no_files_and_no_clock() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.is_in(&PURE)) {
        let impure = IMPURE.iter().filter(|path| source.uses(path));
        violations.extend(impure.map(|path| format!("{} uses {path}", source.name)));
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn no_module_reaches_into_the_files_of_another() {
    let mut violations = Vec::new();
    for source in sources() {
        for path in &source.paths {
            let segments: Vec<&str> = path.split("::").collect();
            let ["crate", module, file, _, ..] = segments.as_slice() else {
                continue;
            };
            let is_file = [format!("{module}/{file}.rs"), format!("{module}/{file}")];
            let is_file = is_file.iter().any(|name| root().join(name).exists());
            if is_file && source.module() != Some(module) {
                violations.push(format!("{} uses {path}", source.name));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn the_rules_are_read_off_code_and_not_off_comments_or_tests() {
    let code = "//! Not reqwest::Client.\nuse crate::{plan::{Plan, table::Table as Rows}, api};\n\
                fn f() -> arrow::Array { println!(\"tokio::x\"); Instant::now() }\n\
                #[cfg(test)]\nmod tests { use tokio::test; }\n";
    let found: Vec<String> = paths(code).into_iter().collect();
    let expected = [
        "Instant::now",
        "arrow::Array",
        "crate::api",
        "crate::plan::Plan",
        "crate::plan::table::Table",
        "println",
    ];
    assert_eq!(found, expected);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files that are compiled into the program.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    add_sources(&root(), &mut sources);
    assert!(sources.len() > 50);
    sources
}

fn add_sources(folder: &Path, sources: &mut Vec<Source>) {
    let files = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let files: Vec<PathBuf> = files.collect();
    let tests: BTreeSet<PathBuf> = files
        .iter()
        .filter(|file| file.extension().is_some())
        .flat_map(|file| test_modules(folder, file))
        .collect();
    for file in &files {
        if file.is_dir() {
            add_sources(file, sources);
        } else if file.extension().is_some_and(|extension| extension == "rs") && !tests.contains(file) {
            let name = file.strip_prefix(root()).expect("a file of src").display().to_string();
            sources.push(Source {
                name,
                paths: paths(&fs::read_to_string(file).expect("a file")),
            });
        }
    }
    // The folder of a test module holds nothing else.
    sources.retain(|source| {
        !tests
            .iter()
            .any(|test| root().join(&source.name).starts_with(test.with_extension("")))
    });
}

/// The files that a file declares as modules for tests.
fn test_modules(folder: &Path, file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let stem = file.file_stem().expect("a name");
    let below = if stem == "mod" || stem == "lib" {
        folder.to_owned()
    } else {
        folder.join(stem)
    };
    let declared = Regex::new(r#"#\[cfg\(test\)\]\s*(?:#\[path = "([\w.]+)"\]\s*)?mod (\w+);"#).expect("a pattern");
    let declared = declared.captures_iter(&text).map(|found| match found.get(1) {
        Some(path) => folder.join(path.as_str()),
        None => below.join(format!("{}.rs", &found[2])),
    });
    declared.collect()
}

/// The paths that a file's code names: those of its `use` trees, those written out, and macros.
fn paths(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let noise = Regex::new(r##"(?m)//.*$|r#"(?s:.*?)"#|"(?:[^"\\]|\\(?s:.))*""##).expect("a pattern");
    let code = noise.replace_all(code, "");
    let uses = Regex::new(r"(?s)\buse ([^;]+);").expect("a pattern");
    let mut paths = BTreeSet::new();
    for found in uses.captures_iter(&code) {
        add_tree(
            "",
            &found[1].split_whitespace().collect::<Vec<_>>().join(" "),
            &mut paths,
        );
    }
    let rest = uses.replace_all(&code, "");
    let written = Regex::new(r"\b\w+(?:::\w+)+|\b(\w+)!").expect("a pattern");
    paths.extend(
        written
            .find_iter(&rest)
            .map(|found| found.as_str().trim_end_matches('!').to_owned()),
    );
    paths
}

/// Adds the leaves of a `use` tree.
fn add_tree(above: &str, tree: &str, paths: &mut BTreeSet<String>) {
    let Some((path, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        paths.insert(format!("{above}{path}"));
        return;
    };
    let list = list.trim().strip_suffix('}').expect("a closed list");
    let (mut depth, mut begin) = (0, 0);
    for (index, character) in list.char_indices().chain([(list.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = list[begin..index].trim();
                if !branch.is_empty() {
                    add_tree(&format!("{above}{path}"), branch, paths);
                }
                begin = index + 1;
            }
            _ => {}
        }
    }
}
