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
    let mut largest = vec![0; plan.connections.len()];
    let mut rows = vec![0.0; plan.connections.len()];
    let mut slots = 0;
    for (task, size) in asked {
        let own = pages(plan, inline_sizes, task, size);
        slots += own.len().max(1);
        for (index, size) in own {
            largest[index] = size.max(largest[index]);
            rows[index] += f64::from(size);
        }
    }
    // Children stand behind their parents.
    for (index, connection) in plan.connections.iter().enumerate() {
        if let Some(parent) = connection.inline_parent().filter(|parent| largest[*parent] > 0) {
            largest[index] = inline_sizes[index].max(largest[index]);
            rows[index] += rows[parent] * f64::from(inline_sizes[index]);
        }
    }
    Demand::new(&largest, rows.iter().sum(), slots)
}

/// The pages that a task asks for by themselves, each with its connection and size.
pub(super) fn pages(plan: &Plan, inline_sizes: &[u32], task: &Task, size: u32) -> Vec<(usize, u32)> {
    let first_page = |index: usize| (index, inline_sizes[index]);
    match (task.connection, task.root) {
        (Some(connection), _) => vec![(connection, size)],
        (None, Some(root)) => {
            let root = plan.member_roots.get(root).into_iter();
            let connections = root.flat_map(|root| &root.connections);
            connections.copied().map(first_page).collect()
        }
        (None, None) => {
            let connections = plan.connections.iter().enumerate();
            let outermost = connections.filter(|(_, connection)| connection.parent.is_none());
            outermost.map(|(index, _)| first_page(index)).collect()
        }
    }
}
