//! Plans without the fields that the token may not see.

use super::*;
use crate::plan::DeniedField;

fn without(paths: &[&str]) -> Case {
    let denied = paths.iter().map(|path| DeniedField {
        path: (*path).to_owned(),
        cause: "Access denied".to_owned(),
        denied_at: 0,
        is_in_rows: false,
        is_failing: false,
        rows_before: 0,
    });
    Case {
        denied: denied.collect(),
        ..Case::default()
    }
}

const GROUPS: &str = "{ organization(login: \"acme\") { name groups { nodes { id title findings { nodes { id created author { email } } } } } } }";
const FINDINGS: &str = "organization.groups.nodes.findings.nodes";

fn columns(plan: &Plan, table: usize) -> Vec<(&str, bool)> {
    let columns = plan.tables[table].columns.iter();
    columns.map(|column| (column.name.as_str(), column.nullable)).collect()
}

#[test]
fn what_is_denied_stands_in_no_request_and_keeps_its_column() {
    let whole = Case::default().plan(GROUPS).unwrap();
    let plan = without(&["organization.groups.nodes.title", &format!("{FINDINGS}.author.email")])
        .plan(GROUPS)
        .unwrap();
    assert_eq!(plan.tables, whole.tables, "what can be null stays as it is");
    assert_eq!(
        plan.fingerprint, whole.fingerprint,
        "and so what was read before is of use"
    );
    for request in [start(&plan), later(&plan, &[0]), later(&plan, &[1])] {
        assert!(
            !request.text.contains("email") && !request.text.contains("title"),
            "{}",
            request.text
        );
    }
    assert!(
        later(&plan, &[1]).text.contains("author{__typename}"),
        "an object needs a field"
    );
    let tables: Vec<_> = plan.left_out.iter().map(|left_out| left_out.table).collect();
    assert_eq!(tables, [Some(0), Some(1)]);
}

#[test]
fn what_could_not_be_null_makes_other_tables() {
    let whole = Case::default().plan(GROUPS).unwrap();
    let created = format!("{FINDINGS}.created");
    let plan = without(&[&created]).plan(GROUPS).unwrap();
    assert_eq!(columns(&whole, 1)[3], ("created", false));
    assert_eq!(columns(&plan, 1)[3], ("created", true));
    assert_ne!(plan.fingerprint, whole.fingerprint);
    let title = "organization.groups.nodes.title";
    let more = without(&[&created, title]).plan(GROUPS).unwrap();
    assert_eq!(more.fingerprint, plan.fingerprint, "the tables are the same again");
}

#[test]
fn a_denied_connection_keeps_its_table_and_the_way_to_its_pages() {
    let findings = "organization.groups.nodes.findings";
    let plan = without(&[findings]).plan(GROUPS).unwrap();
    assert!(!start(&plan).text.contains("findings"));
    assert!(
        later(&plan, &[1]).text.contains("findings("),
        "those that are known already"
    );
    assert_eq!((plan.tables.len(), plan.connections.len()), (2, 2));
    assert_eq!(plan.left_out[0].table, None);
    assert!(plan.is_left_out(&format!("{findings}.nodes.id")) && !plan.is_left_out("organization.groups.nodes.find"));
}

#[test]
fn fields_under_conditions_are_left_out_wherever_they_stand() {
    let text = "{ items { edges { node { ... on Repository { name stars } ... on Folder { name depth } } } } }";
    let plan = without(&["items.edges.node.name"]).plan(text).unwrap();
    let sent = start(&plan).text;
    assert!(
        sent.contains("...on Repository{stars}...on Folder{depth}__typename"),
        "{sent}"
    );
}

#[test]
fn a_variable_of_what_is_left_out_alone_is_not_sent_and_needs_no_value() {
    let text = "query ($state: State!) { issues(state: $state) { nodes { id } } items { edges { node { ... on Folder { id } } } } }";
    let plan = without(&["issues"]).plan(text);
    assert!(
        plan.unwrap_err().contains("the variable `$state` has no value"),
        "its pages could still be asked for"
    );
    let text = "query ($labels: [String!]) { items { edges { node { ... on Folder { id } } } } issues(labels: $labels) { nodes { id } } }";
    let plan = without(&["issues"]).plan(text).unwrap();
    assert!(!start(&plan).text.contains("labels"), "{}", start(&plan).text);
}

#[test]
fn keys_and_everything_cannot_be_left_out() {
    let key = without(&["organization.groups.nodes.id"]).plan(GROUPS).unwrap_err();
    assert!(key.contains("may not see what rows are told by"), "{key}");
    assert!(key.contains("`organization.groups.nodes.id`: Access denied"), "{key}");
    let everything = without(&["organization"]).plan(GROUPS).unwrap_err();
    assert!(
        everything.contains("may see nothing of what the query is for"),
        "{everything}"
    );
}

#[test]
fn what_is_not_selected_any_more_changes_nothing() {
    let whole = Case::default().plan(GROUPS).unwrap();
    let plan = without(&["organization.logo"]).plan(GROUPS).unwrap();
    assert_eq!((plan.fingerprint, plan.left_out), (whole.fingerprint, Vec::new()));
}

#[test]
fn what_is_denied_in_single_rows_is_asked_for_apart_where_that_saves_the_others() {
    let in_rows = |path: &str, text: &str| {
        let mut case = without(&[path]);
        case.denied[0].is_in_rows = true;
        case.plan(text)
    };
    let text = "{ issues { nodes { id title created } } }";
    let plan = in_rows("issues.nodes.created", text).unwrap();
    let later = |piece| plan.later_request(0, 7, 1, &[9], piece).unwrap().text;
    let piece = |group| Piece::Group { fineness: 0, group };
    assert_eq!((plan.pieces(0), plan.left_out.len()), (2, 0));
    assert!(later(piece(0)).contains("nodes{id title}") && later(piece(1)).contains("{nodes{id created}}"));
    assert_eq!(columns(&plan, 0)[3], ("created", true));
    // Both together: it is left out.
    let mut both = without(&["issues.nodes.created", "issues.nodes.created"]);
    both.denied[0].is_in_rows = true;
    let both = both.plan(text).unwrap();
    assert_eq!(
        (both.pieces(0), both.left_out.len(), both.denied_in_rows.len()),
        (1, 1, 0)
    );
    // The null would void the whole list, and no field finds one issue.
    let pages = in_rows("pages.title", "{ pages { id title created } }").unwrap();
    assert_eq!((pages.left_out.len(), pages.denied_in_rows.len()), (1, 0));
    // The null of what stands in an object ends there, if that can be null.
    let author = |fields: &str| {
        let plan = in_rows(
            "issues.nodes.author.id",
            &format!("{{ issues {{ nodes {{ id author {{ {fields} }} }} }} }}"),
        );
        let plan = plan.unwrap();
        assert_eq!(
            (plan.left_out.len(), plan.denied_in_rows.len(), plan.pieces(0)),
            (0, 1, 2)
        );
        [0, 1].map(|group| plan.later_request(0, 7, 1, &[9], piece(group)).unwrap().text)
    };
    let [first, second] = author("id name");
    assert!(
        first.contains("nodes{id author{name}}") && second.contains("nodes{id author{id}}"),
        "{first} {second}"
    );
    let [first, second] = author("id");
    assert!(
        first.contains("nodes{id}") && second.contains("nodes{id author{id}}"),
        "{first} {second}"
    );
    // A connection is asked for by the rows that hold it.
    let findings = in_rows("organization.groups.nodes.findings", GROUPS).unwrap();
    assert!(!start(&findings).text.contains("findings") && findings.is_detached("organization.groups.nodes.findings"));
    assert_eq!(
        (
            findings.left_out.len(),
            findings.denied_in_rows.len(),
            findings.pieces(0)
        ),
        (0, 1, 1)
    );
    let whole = Case::default().plan(GROUPS).unwrap();
    assert_eq!(findings.tables, whole.tables);
    assert_ne!(
        findings.fingerprint, whole.fingerprint,
        "its rows stand elsewhere in responses"
    );
    let refusal = in_rows("issues.nodes.id", text).unwrap_err();
    assert!(refusal.contains("may not see what rows are told"), "{refusal}");
}
