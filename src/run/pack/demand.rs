//! What a request asks for, whatever comes of it.

use crate::plan::Plan;
use crate::run::pace::Demand;
use crate::state::Task;

/// What a request for these tasks asks for, each with the size of its page, where first pages within others have
/// `inline_sizes`, by connection.
pub(crate) fn demand<'task>(
    plan: &Plan,
    asked: impl Iterator<Item = (&'task Task, u32)>,
    inline_sizes: &[u32],
) -> Demand {
    let mut pages = vec![0; plan.connections.len()];
    let mut rows = vec![0.0; plan.connections.len()];
    let mut slots = 0;
    for (task, size) in asked {
        let first_pages = first_pages(plan, task)
            .into_iter()
            .map(|index| (index, inline_sizes[index]));
        slots += task.connection.map_or_else(|| first_pages.len().max(1), |_| 1);
        for (index, size) in task
            .connection
            .map(|index| (index, size))
            .into_iter()
            .chain(first_pages)
        {
            pages[index] = size.max(pages[index]);
            rows[index] += f64::from(size);
        }
    }
    // Children stand behind their parents.
    for (index, connection) in plan.connections.iter().enumerate() {
        if let Some(parent) = connection.inline_parent().filter(|parent| pages[*parent] > 0) {
            pages[index] = inline_sizes[index].max(pages[index]);
            rows[index] += rows[parent] * f64::from(inline_sizes[index]);
        }
    }
    Demand::new(&pages, rows.iter().sum(), slots)
}

/// The connections whose first pages a task without one of its own is for.
pub(super) fn first_pages(plan: &Plan, task: &Task) -> Vec<usize> {
    match (task.connection, task.root) {
        (Some(_), _) => Vec::new(),
        (None, Some(root)) => {
            let root = plan.member_roots.get(root);
            root.map_or_else(Vec::new, |root| root.connections.clone())
        }
        (None, None) => {
            let connections = plan.connections.iter().enumerate();
            let outermost = connections.filter(|(_, connection)| connection.parent.is_none());
            outermost.map(|(index, _)| index).collect()
        }
    }
}
