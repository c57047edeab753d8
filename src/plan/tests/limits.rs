//! What an API takes of one query: names of operations.

use super::*;
use crate::project::OperationNameRule;

/// A plan within limits.
fn within(limits: QueryLimits, text: &str) -> Result<Plan, String> {
    let case = Case {
        limits,
        ..Case::default()
    };
    case.plan(text)
}

#[test]
fn a_name_is_stripped_of_what_the_api_refuses() {
    let first_word = |rule, name: &str| {
        let limits = QueryLimits {
            operation_name: rule,
            ..QueryLimits::default()
        };
        let plan = within(limits, &format!("query {name} {{ viewer {{ id }} }}")).unwrap();
        start(&plan).text.split('{').next().unwrap().to_owned()
    };
    use OperationNameRule::{Alphanumeric, AsWritten, None};
    assert_eq!(first_word(AsWritten, "My_work"), "query My_work");
    assert_eq!(first_word(Alphanumeric, "My_work"), "query Mywork");
    assert_eq!(first_word(Alphanumeric, "_2nd_try"), "query ndtry");
    assert_eq!(first_word(Alphanumeric, "__"), "query");
    assert_eq!(first_word(None, "Work"), "query");
}
