//! Limits of which nothing is known before, told in words of which nothing is known either.

use gqldump::demo::{AboveCap, DemoConfig, FieldPaging, NodeLimit, Refusal, TextLimit};

use super::{SECOND, run, slow};
use crate::nested::cases::{Case, untold_shop};
use crate::simulation::Simulation;

fn stand_in(case: &Case) -> DemoConfig {
    let mut stand_in = slow(case, SECOND / 5, SECOND / 5_000);
    stand_in.behaviours.limits.clear();
    stand_in
}

fn refusing(words: &str) -> Refusal {
    Refusal {
        status: 200,
        body: format!(r#"{{"errors":[{{"message":"{words}"}}]}}"#),
    }
}

/// The requests and refusals of three nights, of which the first refuses so many at most, and the last none.
#[track_caller]
fn is_found(case: &Case, stand_in: DemoConfig, most: u64) {
    let project = case.project();
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let nights = [(); 3].map(|()| run(case, &project, &mut simulation).service.log());
    let refused = nights.each_ref().map(|log| log.refused + log.field_errors);
    println!("{refused:?} refused of {:?}", nights.each_ref().map(|log| log.requests));
    assert!(refused[0] > 0 && refused[0] <= most, "{refused:?}");
    assert!(
        refused[1] * 10 <= nights[1].requests,
        "{refused:?} of {}",
        nights[1].requests
    );
    assert!(
        refused[2] * 20 <= nights[2].requests,
        "{refused:?} of {}",
        nights[2].requests
    );
}

#[test]
fn a_limit_on_the_rows_that_are_asked_for_is_found() {
    let case = untold_shop();
    let mut stand_in = stand_in(&case);
    stand_in.behaviours.node_limit = Some(NodeLimit {
        max: 800,
        refusal: refusing("Whoa, {requested} objects: {max} are permitted"),
    });
    is_found(&case, stand_in, 12);
}

#[test]
fn a_limit_on_the_parts_of_a_request_is_found() {
    let case = untold_shop();
    let mut stand_in = stand_in(&case);
    let limit = TextLimit::refusing(refusing("No more than {max} top level selections, please"));
    stand_in.behaviours.text_limit = Some(TextLimit {
        root_fields: Some(4),
        ..limit
    });
    is_found(&case, stand_in, 30);
}

/// Each list has a cap of its own, and says so with an error for each list in the answer.
#[test]
fn caps_of_pages_are_found() {
    let case = untold_shop();
    let mut stand_in = stand_in(&case);
    let paging = &mut stand_in.behaviours.paging;
    paging.above_cap = AboveCap::Refuse;
    paging.above_cap_message = Some("Whoa! {size} is beyond what one page carries here".to_owned());
    for (field, cap) in [("Query.vendors", 25), ("Vendor.products", 33), ("Product.reviews", 17)] {
        let own = FieldPaging {
            cap: Some(cap),
            ..FieldPaging::default()
        };
        paging.fields.insert(field.to_owned(), own);
    }
    is_found(&case, stand_in, 20);
}
