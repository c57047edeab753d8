//! Settings, tokens and arguments that are wrong.

use crate::errors::{ITEMS, SETTINGS, items, refusal};
use crate::program::run;

#[test]
fn an_unknown_key_is_shown_with_the_one_that_was_meant() {
    let project = items(ITEMS).with("source.toml", "endpoint = 'demo:'\n[limits]\npage_sise = 50\n");
    insta::assert_snapshot!(refusal(&project), @r"
    error: unknown key `page_sise`
     --> queries/api/source.toml:3:1
      |
    3 | page_sise = …
      | ^^^^^^^^^
      = help: did you mean `page_size`? the keys here are: `requests`, `arrival_margin`, `counted_by`, `concurrency`, `query`, `page_size`, `response_bytes`
    ");
}

#[test]
fn a_token_that_is_not_there_is_told_before_anything_is_asked() {
    let settings = format!("{SETTINGS}[auth]\ntoken = {{ env = 'NO_SUCH_TOKEN' }}\n");
    let project = items(ITEMS).with("source.toml", &settings);
    let ended = run(&mut project.gqldump(&["run", "--quiet"]));
    insta::assert_snapshot!(format!("{:?}\n{}", ended.code, project.steady(&ended.stderr)), @r#"
    Some(4)
    TIME error api/items: failed: api: no token: the environment variable `NO_SUCH_TOKEN` is not set: set it to the token
         --> queries/api/source.toml:8:9
          |
        8 | token = …
          |         ^
          = help: a token comes from { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }
        the next run goes on from here
    "#);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let project = items(ITEMS);
    let ended = run(&mut project.gqldump(&["run", "queries/apy"])).with_code(2);
    insta::assert_snapshot!(project.steady(&ended.stderr), @"error: `queries/apy` does not exist: name a source's folder, a folder of such folders, or a `.graphql` file in one");
}

#[test]
fn a_value_for_a_variable_that_no_query_has_is_refused() {
    let project = items(ITEMS);
    let ended = run(&mut project.gqldump(&["run", "--var", "sise=1"])).with_code(2);
    insta::assert_snapshot!(project.steady(&ended.stderr), @"error: no query file has a variable `$sise`; --var sise sets nothing");
}
