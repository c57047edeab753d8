//! Lists in rows that are read on from the other side.

use super::*;

fn plan(shelf: &str, labels: &str) -> Result<Plan, String> {
    Case::default().plan(&format!(
        "{{ shelves {shelf} {{ id name labels{labels} {{ name }} }} }}"
    ))
}

const REVERSE: &str = r#"@paginate(next: "labels", parent: "holder.id")"#;

#[test]
fn a_later_page_is_asked_of_the_field_that_lists_the_same_rows() {
    let plan = plan("", &format!("(state: OPEN) {REVERSE}")).unwrap();
    let ask = Ask {
        connection: Some(1),
        root: None,
        member: None,
        size: 50,
        position: Some(&0.into()),
        parent: Some("s7"),
        address: &[Some("s7".into())],
    };
    let request = plan.request(&[ask; 2], &plan.full_sizes(), Piece::FIRST);
    assert_eq!(
        &*request.text,
        "query($parent:ID!,$offset:Int!,$pageSize:Int!){\
         t0:labels(state:OPEN,holder:{id:$parent},offset:$offset,limit:$pageSize){...F1}\
         t1:labels(state:OPEN,holder:{id:$parent},offset:$offset,limit:$pageSize){...F1}}\
         fragment F1 on Label{name id}"
    );
    let variables = serde_json::to_value(&request.variables).unwrap();
    assert_eq!(
        variables,
        serde_json::json!({ "parent": "s7", "offset": 0, "pageSize": 50 })
    );
}

#[test]
fn what_cannot_be_read_on_is_an_error_of_the_plan() {
    for (shelf, labels, said) in [
        (
            "",
            format!("(color: \"red\") {REVERSE}"),
            "which cannot be given its `color`",
        ),
        (
            "",
            format!("(holder: {{ name: \"n\" }}) {REVERSE}"),
            "which cannot be given its `holder`",
        ),
        (
            "",
            r#"@paginate(next: "stacked", parent: "holder.id")"#.to_owned(),
            "which is not known to list the same rows by pages",
        ),
        // Two columns tell a shelf, and the field takes one value.
        (
            r#"@table(key: ["id", "name"])"#,
            REVERSE.to_owned(),
            "nothing but several columns, or none, tells `shelves`",
        ),
    ] {
        let error = plan(shelf, &labels).map(|_| ()).unwrap_err();
        assert!(error.contains(said), "{labels}: {error}");
    }
}
