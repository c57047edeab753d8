//! Schemas and query files that nobody should write: each becomes a plan or an error, and a plan's names stay where
//! they belong.

use std::fmt::Write as _;

use super::*;
use crate::mutation::fuzz;
use crate::schema::definition_text;

const QUERIES: [&str; 6] = [
    "{ organization(login: \"acme\") { name groups { nodes { id title findings { edges { addedAt node { id created author { name } } } } } } } }",
    "query Q($login: String! = \"x\", $all: Boolean = true) @table(name: \"work\") { organization(login: $login) { id boards @include(if: $all) { name issues @paginate(style: NONE) { nodes { id } } } } }",
    "{ issues(first: 20, labels: [\"a\"]) @paginate(style: RELAY, size: 10, max: 100) @table(name: \"issues\", key: [\"id\"]) { edges { node { ...Row } } } } fragment Row on Issue { id title @column(name: \"t\", type: \"string\") size }",
    "{ items { edges { node { __typename ... on Repository { id name stars } ... on Folder { id name depth } } } } }",
    "{ records(options: {where: {id: {_gt: 0}}}) @paginate(style: KEYSET, filter: \"options.where.id._gt\", key: \"id\") { id title } pages(limit: 5) { id } }",
    "{ teams { edges { cursor node { slug issues @lookup(field: \"group\", argument: \"groupId\", by: \"slug\") { nodes { id } } } } } }",
];

/// What comes of a query against a schema; a plan has to be one that can be worked with.
fn plan_of(schema: &ApiSchema, text: &str) -> Result<(), PlanError> {
    let path = Path::new("work.graphql");
    let file = GraphqlFile { path, text };
    let Some(document) = QueryDocument::read(file, &[])? else {
        return Ok(());
    };
    let (variables, scalars) = Default::default();
    let limits = QueryLimits {
        characters: Some(3000),
        depth: Some(8),
        ..QueryLimits::default()
    };
    let settings = PlanSettings {
        query_name: "work",
        api: "",
        variables: &variables,
        scalars: &scalars,
        paging: &[],
        flatten: true,
        page_size: 100,
        limits: &limits,
        denied: &[],
    };
    let plan = plan_query(&document, schema, settings)?;
    start(&plan);
    for table in plan.tables.iter() {
        assert_stays_inside(table.name.as_str());
    }
    Ok(())
}

/// Panics where a table's name could lead out of the output folder, or to another table's place.
fn assert_stays_inside(name: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    assert!(!name.is_empty() && name.chars().all(is_plain), "{name:?}");
}

#[test]
fn no_query_file_makes_the_planner_panic_or_its_tables_leave_the_output() {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    for text in QUERIES {
        plan_of(&schema, text).unwrap_or_else(|error| panic!("{error}"));
    }
    fuzz(&QUERIES, 150, |text| {
        if text.len() <= LONGEST {
            let _ = plan_of(&schema, &String::from_utf8_lossy(text));
        }
    });
}

/// The compiler takes its time over what is no GraphQL, in the square of its length; a file of that kind is its author's
/// own, and what an API answers is checked before it comes to the compiler.
const LONGEST: usize = 4_000;

#[test]
fn no_schema_makes_the_planner_panic() {
    fuzz(&[SCHEMA], 100, |definition| {
        let definition = String::from_utf8_lossy(definition);
        if definition.len() > LONGEST {
            return;
        }
        let Ok(schema) = ApiSchema::read(&definition, Path::new("schema.graphql")) else {
            return;
        };
        for text in QUERIES {
            let _ = plan_of(&schema, text);
        }
    });
}

const INTROSPECTION: &str = r#"{"__schema":{"queryType":{"name":"Query"},"directives":[{"name":"live","isRepeatable":false,"locations":["FIELD"],"args":[{"name":"if","type":{"kind":"SCALAR","name":"Boolean"},"defaultValue":"true"}]}],"types":[
    {"kind":"OBJECT","name":"Query","fields":[{"name":"rows","args":[{"name":"first","type":{"kind":"SCALAR","name":"Int"},"defaultValue":"10"},{"name":"after","type":{"kind":"SCALAR","name":"String"},"defaultValue":null}],"type":{"kind":"NON_NULL","name":null,"ofType":{"kind":"OBJECT","name":"Rows"}}}],"interfaces":[]},
    {"kind":"OBJECT","name":"Rows","fields":[{"name":"nodes","args":[],"type":{"kind":"LIST","name":null,"ofType":{"kind":"OBJECT","name":"Row"}}},{"name":"pageInfo","args":[],"type":{"kind":"OBJECT","name":"PageInfo"}}],"interfaces":[]},
    {"kind":"OBJECT","name":"PageInfo","fields":[{"name":"hasNextPage","args":[],"type":{"kind":"SCALAR","name":"Boolean"}},{"name":"endCursor","args":[],"type":{"kind":"SCALAR","name":"String"}}],"interfaces":[]},
    {"kind":"OBJECT","name":"Row","fields":[{"name":"id","args":[],"type":{"kind":"SCALAR","name":"ID"}},{"name":"state","args":[],"type":{"kind":"ENUM","name":"State"}}],"interfaces":[{"kind":"INTERFACE","name":"Node"}]},
    {"kind":"INTERFACE","name":"Node","fields":[{"name":"id","args":[],"type":{"kind":"SCALAR","name":"ID"}}],"interfaces":[],"possibleTypes":[{"kind":"OBJECT","name":"Row"}]},
    {"kind":"UNION","name":"Any","possibleTypes":[{"kind":"OBJECT","name":"Row"}]},
    {"kind":"INPUT_OBJECT","name":"Filter","inputFields":[{"name":"id","type":{"kind":"SCALAR","name":"ID"},"defaultValue":"\"x\""}]},
    {"kind":"ENUM","name":"State","enumValues":[{"name":"OPEN"},{"name":"CLOSED"}]},{"kind":"SCALAR","name":"Long"}]}}"#;

#[test]
fn no_introspection_answer_makes_the_loader_or_the_planner_panic() {
    let query = "{ rows { nodes { id state } } }";
    let planned = |answer: &str| {
        let definition = definition_text(answer).map_err(|error| error.to_string())?;
        let schema = ApiSchema::read(&definition, Path::new("schema.graphql")).map_err(|error| error.to_string())?;
        plan_of(&schema, query).map_err(|error| error.to_string())
    };
    assert_eq!(planned(INTROSPECTION), Ok(()));
    fuzz(&[INTROSPECTION], 5000, |answer| {
        let _ = planned(&String::from_utf8_lossy(answer));
    });
}

/// The compiler would take hours over it.
#[test]
fn a_default_value_that_is_none_is_left_out_at_once() {
    for value in ["{", "[", "[{a:", "\u{1}", "$"] {
        let long = INTROSPECTION.replace(
            "\"defaultValue\":\"10\"",
            &format!("\"defaultValue\":{}", serde_json::json!(value.repeat(500_000))),
        );
        let definition = definition_text(&long).unwrap();
        assert!(definition.contains("first: Int,"), "{}", definition.len());
    }
}

/// Each fragment spreads the next one twice: written out, that is a million million fields.
#[test]
fn fragments_that_multiply_are_refused() {
    let schema = ApiSchema::read("type Query { a: Query id: ID }", Path::new("schema.graphql")).unwrap();
    let mut text = "{ ...F0 }".to_owned();
    for index in 0..40 {
        let next = index + 1;
        let _ = write!(
            text,
            " fragment F{index} on Query {{ x: a {{ ...F{next} }} y: a {{ ...F{next} }} }}"
        );
    }
    text.push_str(" fragment F40 on Query { id }");
    let error = plan_of(&schema, &text).expect_err("an error");
    assert!(error.to_string().contains("selects more than"), "{error}");
}

#[test]
fn a_long_chain_of_fragments_is_a_plan_or_an_error() {
    let schema = ApiSchema::read("type Query { a: Query id: ID }", Path::new("schema.graphql")).unwrap();
    let mut text = "{ ...F0 }".to_owned();
    for index in 0..5_000 {
        let next = index + 1;
        let _ = write!(text, " fragment F{index} on Query {{ a {{ ...F{next} }} }}");
    }
    text.push_str(" fragment F5000 on Query { id }");
    let _ = plan_of(&schema, &text);
}

#[test]
fn selections_nested_without_end_are_refused() {
    let schema = ApiSchema::read("type Query { a: Query id: ID }", Path::new("schema.graphql")).unwrap();
    for depth in [400, 100_000] {
        let text = format!("{}{{ id }}{}", "{ a ".repeat(depth), "}".repeat(depth));
        assert!(plan_of(&schema, &text).is_err(), "{depth}");
    }
}

#[test]
fn names_that_lead_elsewhere_name_no_table() {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    for name in [
        "../x",
        "..",
        ".",
        "/etc",
        "a/b",
        "a\\\\b",
        "",
        "C:",
        "latest\\u0000",
        ".gqldump",
        "é",
        "a b",
        "~",
    ] {
        let text = format!("{{ pages @table(name: \"{name}\") {{ id }} }}");
        let error = plan_of(&schema, &text).expect_err(name).to_string();
        assert!(error.contains("letters, digits, `_` and `-`"), "{name}: {error}");
    }
}

#[test]
fn names_that_something_else_has_name_no_table() {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    let plan = |name: &str| plan_of(&schema, &format!("{{ pages @table(name: \"{name}\") {{ id }} }}"));
    for name in ["latest", "Staging", "CON", "nul", "com1", "LPT9", "aux"] {
        let error = plan(name).expect_err(name).to_string();
        assert!(
            error.contains("something else of that name") && error.contains("@table(name: "),
            "{error}"
        );
    }
    for name in ["latest_pages", "com", "com10", "lpt", "console"] {
        assert!(plan(name).is_ok(), "{name}");
    }
    let both = "{ pages @table(name: \"p\") { id } teams @table(name: \"p__rejects\") { nodes { slug } } }";
    let error = plan_of(&schema, both).expect_err("one folder for both").to_string();
    assert!(error.contains("would be called the same"), "{error}");
}
