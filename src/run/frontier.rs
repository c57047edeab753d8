//! The pages still to be read: the deepest first, so that what was begun is ended, and only so many in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::state::Task;

/// Tasks in memory; what is beyond stays in the state.
const MOST_HELD: usize = 5_000;

/// The pages still to be read.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    held: BTreeMap<Place, Task>,
    /// Tasks that are in the state alone.
    waiting: u64,
}

/// The order in which tasks are asked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    depth: Reverse<u32>,
    /// Connections whose cursors expired go first, one after the other, so that the new ones do not grow old as well.
    restarted: Reverse<bool>,
    instance: u64,
    id: u64,
}

impl Place {
    fn of(task: &Task) -> Self {
        let is_restarted = task.restart.is_some();
        Self {
            depth: Reverse(task.depth),
            restarted: Reverse(is_restarted),
            instance: if is_restarted { task.instance } else { 0 },
            id: task.id,
        }
    }
}

impl Frontier {
    /// A frontier whose tasks are all in the state.
    pub(crate) fn of_state() -> Self {
        Self {
            held: BTreeMap::new(),
            // How many there are shows when they are fetched.
            waiting: 1,
        }
    }

    /// Adds tasks, as many as there is room for, and tells how many, from the end, are to stay in the state.
    pub(crate) fn add(&mut self, tasks: &[Task]) -> usize {
        let room = MOST_HELD.saturating_sub(self.held.len());
        let held = tasks.len().min(room);
        for task in &tasks[..held] {
            self.hold(task.clone());
        }
        let waiting = tasks.len() - held;
        self.waiting += u64::try_from(waiting).unwrap_or(u64::MAX);
        waiting
    }

    /// Puts a task back that is in memory still.
    pub(crate) fn hold(&mut self, task: Task) {
        self.held.insert(Place::of(&task), task);
    }

    /// How many tasks should be fetched from the state; 0 while there are enough in memory.
    pub(crate) fn wanted(&self) -> usize {
        if self.waiting == 0 || self.held.len() > MOST_HELD / 5 {
            return 0;
        }
        MOST_HELD - self.held.len()
    }

    /// Takes in what was fetched of the state, where `asked` were wanted.
    pub(crate) fn take_in(&mut self, tasks: Vec<Task>, asked: usize) {
        if tasks.len() < asked {
            self.waiting = 0;
        }
        tasks.into_iter().for_each(|task| self.hold(task));
    }

    /// The tasks in memory in the order in which they are to be asked.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.held.values()
    }

    /// How many tasks are in memory.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes a task out.
    pub(crate) fn remove(&mut self, task: &Task) {
        self.held.remove(&Place::of(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Restart;

    fn task(id: u64, depth: u32) -> Task {
        Task {
            id,
            depth,
            ..Task::default()
        }
    }

    /// Takes the first tasks out.
    fn take(frontier: &mut Frontier, count: usize) -> Vec<Task> {
        let tasks: Vec<Task> = frontier.tasks().take(count).cloned().collect();
        tasks.iter().for_each(|task| frontier.remove(task));
        tasks
    }

    #[test]
    fn the_deepest_go_first_and_then_the_oldest() {
        let mut frontier = Frontier::default();
        assert_eq!(frontier.add(&[task(1, 0), task(2, 2), task(3, 1), task(4, 2)]), 0);
        let order: Vec<u64> = frontier.tasks().map(|task| task.id).collect();
        assert_eq!(order, [2, 4, 3, 1]);
        let taken: Vec<u64> = take(&mut frontier, 3).iter().map(|task| task.id).collect();
        assert_eq!(taken, [2, 4, 3]);
        assert_eq!(take(&mut frontier, 9).len(), 1);
    }

    #[test]
    fn what_is_begun_again_goes_first_and_one_after_the_other() {
        let restarted = |id, instance| Task {
            instance,
            restart: Some(Restart::default()),
            ..task(id, 1)
        };
        let mut frontier = Frontier::default();
        frontier.add(&[
            task(1, 1),
            restarted(2, 9),
            restarted(3, 8),
            task(4, 2),
            restarted(5, 8),
        ]);
        let order: Vec<u64> = frontier.tasks().map(|task| task.id).collect();
        assert_eq!(order, [4, 3, 5, 2, 1]);
    }

    #[test]
    fn only_so_many_are_held() {
        let many: Vec<Task> = (0..12_000).map(|id| task(id, 1)).collect();
        let mut frontier = Frontier::default();
        assert_eq!(frontier.add(&many), 7_000);
        assert_eq!(frontier.wanted(), 0);
        take(&mut frontier, 4_500);
        assert_eq!(frontier.wanted(), 4_500);
        frontier.take_in(many[5_000..9_500].to_vec(), 4_500);
        take(&mut frontier, 5_000);
        frontier.take_in(many[9_500..].to_vec(), 5_000);
        assert_eq!(frontier.tasks().count(), 2_500);
        assert_eq!(frontier.wanted(), 0, "nothing waits any more");
    }
}
