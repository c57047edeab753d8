//! Numbered pages of another size.

use super::*;
use crate::run::turning::{Rest, behind_row, divided, resized};
use crate::state::Task;

fn task(page: u64, size: u32, before: u64, expected: Option<u32>) -> Task {
    Task {
        connection: Some(0),
        position: Some(page.into()),
        size: Some(size),
        before,
        expected,
        ..Task::default()
    }
}

/// Position, size, rows before and rows expected.
type Told = (u64, u32, u64, Option<u32>);

/// The tasks in the place of one.
fn told(tasks: Option<Vec<Task>>) -> Option<Vec<Told>> {
    let told = |task: Task| Some((task.position?.as_u64()?, task.size?, task.before, task.expected));
    tasks?.into_iter().map(told).collect()
}

#[test]
fn the_last_page_known_begins_at_the_same_row() {
    let books = connection(page_totals());
    let resized = |task: Task, most| told(resized(&books, &task, most));
    assert_eq!(resized(task(3, 100, 200, None), 50), Some(vec![(5, 50, 200, None)]));
    assert_eq!(
        resized(task(3, 100, 200, None), 60),
        Some(vec![(5, 50, 200, None)]),
        "60 does not divide 200"
    );
    assert_eq!(resized(task(7, 7, 42, None), 6), Some(vec![(8, 6, 42, None)]));
    assert_eq!(
        resized(task(5, 50, 200, None), 100),
        Some(vec![(3, 100, 200, None)]),
        "and larger again"
    );
    assert_eq!(
        resized(task(3, 100, 200, None), 0),
        Some(vec![(201, 1, 200, None)]),
        "a page has a row"
    );
}

#[test]
fn a_page_before_it_is_asked_for_whole() {
    let books = connection(page_totals());
    let pages = told(resized(&books, &task(4, 100, 300, Some(100)), 40));
    let wanted = [(13, 25, 300), (14, 25, 325), (15, 25, 350), (16, 25, 375)];
    assert_eq!(
        pages,
        Some(
            wanted
                .map(|(page, size, before)| (page, size, before, Some(25)))
                .to_vec()
        )
    );
}

#[test]
fn pages_that_the_api_cuts_off_are_counted_as_they_come() {
    let books = connection(page_totals());
    // A hundred were asked for, twenty came each time.
    let pages = told(resized(&books, &task(4, 100, 60, None), 10));
    assert_eq!(pages, Some(vec![(7, 10, 60, None)]));
    // What the API would cut off again has no number that can be known.
    let pages = told(resized(&books, &task(4, 100, 60, None), 60));
    assert_eq!(pages, Some(vec![(4, 20, 60, None)]));
}

#[test]
fn uneven_pages_and_other_styles_are_left_as_they_are() {
    let books = connection(page_totals());
    assert_eq!(resized(&books, &task(3, 100, 199, None), 50), None);
    assert_eq!(resized(&books, &task(3, 100, 0, None), 50), None);
    assert_eq!(
        resized(
            &books,
            &Task {
                size: None,
                ..task(3, 100, 200, None)
            },
            50
        ),
        None
    );
}

#[test]
fn a_page_by_offset_is_parted_into_pages_beside_each_other() {
    let divided = |task: Task, most| told(divided(&task, most));
    let side = task(1_000, 500, 1_000, Some(500));
    let parts = [(1_000, 167), (1_167, 167), (1_334, 166)];
    assert_eq!(
        divided(side.clone(), 200),
        Some(parts.map(|(offset, size)| (offset, size, offset, Some(size))).to_vec())
    );
    assert_eq!(
        divided(task(1_000, 5, 990, None), 3),
        Some(vec![(1_000, 3, 990, Some(3)), (1_003, 2, 993, None)]),
        "the last one says how it goes on"
    );
    assert_eq!(divided(side.clone(), 500), None, "it fits");
    assert_eq!(divided(task(0, 2, 0, None), 0).map(|parts| parts.len()), Some(2));
    assert_eq!(divided(Task { size: None, ..side }, 10), None);
}

#[test]
fn what_is_left_behind_a_row_has_one_row_less_however_it_is_divided() {
    let list = connection(offset_list());
    let behind = |task: &Task| match behind_row(&list, task) {
        Some(Rest::At(task)) => Some(*task),
        Some(Rest::Elsewhere) | None => None,
    };
    let rest = behind(&task(20, 10, 20, Some(10))).expect("nine rows");
    assert_eq!(told(Some(vec![rest.clone()])), Some(vec![(21, 9, 21, Some(9))]));
    let parts = told(divided(&rest, 5)).expect("two parts");
    let rows: u32 = parts.iter().map(|(_, size, _, _)| size).sum();
    assert_eq!((parts.len(), rows), (2, 9), "{parts:?}");
    assert_eq!(behind(&task(20, 1, 20, Some(1))), None, "others have the rest");
    // The last one goes on with pages of any size.
    assert_eq!(
        told(behind(&task(20, 10, 20, None)).map(|task| vec![task])),
        Some(vec![(21, 10, 21, None)])
    );
}
