//! What came after what in a run: which looks at inputs are as good as new ones.
//!
//! A task is looked at before its steps because the tasks that it needs may have written to its inputs. A
//! look that began when all of those were over has seen what they wrote, whoever it was taken for: often the
//! look at the inputs of `build` after its steps serves `test`, which has the same. What somebody else does
//! in between is seen by the look after the steps, which is never left out.

use std::collections::HashMap;

use crate::glob::SetId;

/// Numbers what happens, from one. Zero is before everything.
#[derive(Default)]
pub(super) struct Order {
    last: u64,
    /// When each task was over, and nothing of it wrote any more.
    over: HashMap<String, u64>,
    /// When the last look at a set began that saw exactly what the first look of the run had seen.
    as_first: HashMap<SetId, u64>,
}

impl Order {
    /// A task is over. Gives the number of this moment.
    pub(super) fn is_over(&mut self, task: &str) -> u64 {
        self.last += 1;
        self.over.insert(task.to_owned(), self.last);
        self.last
    }

    /// A look that began at a moment saw a set as the first look did.
    pub(super) fn saw_as_first(&mut self, set: SetId, began: u64) {
        self.as_first.insert(set, began);
    }

    /// Whether a set was seen as in the first look when all of these tasks were over.
    pub(super) fn is_as_first_after<'a>(
        &self,
        set: SetId,
        mut tasks: impl Iterator<Item = &'a str>,
    ) -> bool {
        let seen = self.as_first.get(&set);
        seen.is_some_and(|seen| tasks.all(|id| self.over.get(id).is_some_and(|over| over <= seen)))
    }

    /// Another look is the first one now.
    pub(super) fn forget_looks(&mut self) {
        self.as_first.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    const SET: u32 = 3;

    #[test]
    fn a_look_serves_a_task_whose_dependencies_were_over_when_it_began() {
        let mut order = Order::default();
        let began = order.is_over("build");
        order.saw_as_first(SET, began);
        assert!(order.is_as_first_after(SET, ["build"].into_iter()));
        assert!(!order.is_as_first_after(SET + 1, ["build"].into_iter()));
    }

    #[test]
    fn a_look_from_before_the_end_of_a_dependency_does_not_serve() {
        let mut order = Order::default();
        let began = order.is_over("build");
        order.saw_as_first(SET, began);
        order.is_over("generate");
        assert!(!order.is_as_first_after(SET, ["build", "generate"].into_iter()));
        // Put back by a restore, it is over once more.
        order.is_over("build");
        assert!(!order.is_as_first_after(SET, ["build"].into_iter()));
    }

    #[test]
    fn a_dependency_that_was_never_over_keeps_every_look_from_serving() {
        let mut order = Order::default();
        let began = order.is_over("build");
        order.saw_as_first(SET, began);
        assert!(!order.is_as_first_after(SET, ["build", "server"].into_iter()));
    }

    #[test]
    fn looks_that_compare_with_another_first_look_do_not_serve() {
        let mut order = Order::default();
        let began = order.is_over("build");
        order.saw_as_first(SET, began);
        order.forget_looks();
        assert!(!order.is_as_first_after(SET, ["build"].into_iter()));
    }
}
