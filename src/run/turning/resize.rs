//! Another size for pages that are asked for by offset, or by number: the number means other rows then, and is reckoned anew.
//!
//! Pure. A numbered page of another size must begin where the old one did, so that no row is asked for twice or left out: the new
//! size divides the rows before it.

use crate::plan::Connection;
use crate::schema::Pager;
use crate::state::Task;

/// The tasks that ask for the rows of a task in pages of at most so many rows, where there are any such pages but those
/// of its own size. Their ids are those of the task, and have to be given anew.
pub(crate) fn resized(connection: &Connection, task: &Task, most: u32) -> Option<Vec<Task>> {
    let first = first_page(connection)?;
    let size = u64::from(task.size?);
    let before = task
        .position
        .as_ref()
        .map_or(Some(0), |position| position.as_u64()?.checked_sub(first))?;
    let page_rows = rows_of_page(task, size, before)?;
    let offset = before * page_rows;
    let shared = if task.expected.is_some() { page_rows } else { offset };
    // Where the API gives no more than that, larger pages would have the numbers of smaller ones.
    let most = match page_rows < size {
        true => page_rows.min(most.into()),
        false => most.into(),
    };
    let new_size = largest_divisor(shared, most.max(1));
    if new_size == size || (task.expected.is_some() && page_rows != u64::from(task.expected?)) {
        return None;
    }
    // A page before the last one known is asked for whole; behind the last one, the next pages follow from it.
    let pages = if task.expected.is_some() {
        page_rows / new_size
    } else {
        1
    };
    let page = |page: u64| Task {
        position: Some((first + offset / new_size + page).into()),
        before: task.before + page * new_size,
        size: u32::try_from(new_size).ok(),
        expected: task.expected.and_then(|_| u32::try_from(new_size).ok()),
        ..task.clone()
    };
    Some((0..pages).map(page).collect())
}

/// The tasks that ask for the rows of a task side by side in pages of at most so many, all about as large: for pages that
/// can begin anywhere. Their ids are those of the task, and have to be given anew.
pub(crate) fn divided(task: &Task, most: u32) -> Option<Vec<Task>> {
    let (offset, rows) = (task.position.as_ref()?.as_u64()?, task.size?);
    let pages = rows.div_ceil(most.max(1));
    let size = rows.div_ceil(pages.max(2));
    let begins = (0..rows).step_by(usize::try_from(size.max(1)).ok()?);
    let page = |begin: u32| {
        let size = size.min(rows - begin);
        Task {
            position: Some((offset + u64::from(begin)).into()),
            before: task.before + u64::from(begin),
            size: Some(size),
            // The last one says how it goes on, where the whole was to.
            expected: task.expected.or((begin + size < rows).then_some(size)).map(|_| size),
            ..task.clone()
        }
    };
    (pages > 1).then(|| begins.map(page).collect())
}

/// The number of the first page, where pages are asked for by number.
fn first_page(connection: &Connection) -> Option<u64> {
    match &connection.paged.pager {
        Pager::PageTotals { first_page, .. }
        | Pager::PageFlag { first_page, .. }
        | Pager::PageList { first_page, .. } => Some(*first_page),
        _ => None,
    }
}

/// The rows of each page before a task's own: fewer than are asked for where the API gives no more. Nothing where they
/// were not all alike.
fn rows_of_page(task: &Task, size: u64, pages_before: u64) -> Option<u64> {
    match pages_before {
        0 => Some(size),
        pages if task.before.is_multiple_of(pages) && task.before > 0 => Some(task.before / pages),
        _ => None,
    }
}

/// The largest divisor of a number up to `most`; of zero, that is `most`.
fn largest_divisor(number: u64, most: u64) -> u64 {
    (1..=most)
        .rev()
        .find(|divisor| number.is_multiple_of(*divisor))
        .unwrap_or(1)
}
