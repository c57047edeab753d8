//! Sizes of pages where the API weighs a text by them.

use gqldump::demo::{Refusal, TextLimit};

use crate::nested::cases::library;
use crate::tracker::serve;

const POINTS: u64 = 500;

#[test]
fn pages_are_small_enough_for_what_they_cost() {
    let case = library();
    let mut config = case.config();
    config.behaviours.limits.clear();
    let complexity = serde_json::json!({ "max": POINTS, "object": 1.0, "scalar": 0.1, "is_multiplied": true });
    config.behaviours.text_limit = Some(TextLimit {
        complexity: serde_json::from_value(complexity).ok(),
        ..TextLimit::refusing(Refusal::gateway_timeout())
    });
    let (project, server) = (case.project(), serve(config));
    let limit = format!(
        "limits.query.complexity={{max={POINTS},object=1,scalar=0.1,multiplied_by=['first','last','limit','pageSize','perPage','size']}}"
    );
    case.run(&project, &server, &["--set", &limit, "--set", "limits.requests=[]"]);
    let log = server.log();
    assert_eq!(log.refused, 0, "{log:?}");
}
