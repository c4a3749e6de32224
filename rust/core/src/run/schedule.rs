//! The order of tasks: which may start now, which wait, which never will. Plain data, no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use crate::ir::Task;

/// Where a task stands in the plan.
pub(crate) type Place = usize;

/// How a task that ran ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    /// What depends on it will not run.
    Failed,
    /// Ended from outside, like the run.
    Cancelled,
}

/// What still starts after a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ContinueMode {
    /// Nothing.
    #[default]
    Never,
    /// What does not depend on it.
    DependenciesSuccessful,
    /// Everything.
    Always,
}

impl ContinueMode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Never, Self::DependenciesSuccessful, Self::Always]
            .into_iter()
            .find(|mode| mode.name() == text)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::DependenciesSuccessful => "dependencies-successful",
            Self::Always => "always",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Ready,
    Running,
    Ended(Ending),
}

/// Priority, then the longest remaining chain, then the id: the least comes first.
type Rank<'a> = Reverse<(i64, Reverse<u64>, &'a str, Place)>;

/// Kahn's algorithm with a stable heap: priority, then the longest remaining chain, then id.
///
/// At most `concurrency` tasks run at once, and at most `pools[name]` of one pool.
pub(crate) struct Schedule<'a> {
    tasks: Vec<(&'a str, &'a Task)>,
    states: Vec<State>,
    /// The tasks of the plan that each task waits for, and those that wait for it.
    needs: Vec<Vec<Place>>,
    dependents: Vec<Vec<Place>>,
    missing: Vec<usize>,
    /// Priority and length of the remaining chain.
    ranks: Vec<(i64, u64)>,
    concurrency: usize,
    mode: ContinueMode,
    free: BTreeMap<&'a str, i64>,
    parked: BTreeMap<&'a str, BinaryHeap<Rank<'a>>>,
    running: usize,
    stopped: Option<String>,
    ready: BinaryHeap<Rank<'a>>,
    became_ready: Vec<Place>,
}

impl<'a> Schedule<'a> {
    /// `tasks` are in topological order; dependencies outside of them count as met. `weight` gives the
    /// expected length of a task in any unit. `mode`: what still starts after a failure.
    pub(crate) fn new(
        tasks: Vec<(&'a str, &'a Task)>,
        concurrency: usize,
        pools: &'a BTreeMap<String, u32>,
        mode: ContinueMode,
        weight: impl Fn(&str) -> u64,
    ) -> Self {
        let places: HashMap<&str, Place> = tasks
            .iter()
            .enumerate()
            .map(|(place, (id, _))| (*id, place))
            .collect();
        let mut needs = vec![Vec::new(); tasks.len()];
        let mut dependents = vec![Vec::new(); tasks.len()];
        for (place, (_, task)) in tasks.iter().enumerate() {
            for need in task
                .depends_on
                .iter()
                .filter_map(|id| places.get(id.as_str()))
            {
                needs[place].push(*need);
                dependents[*need].push(place);
            }
        }
        let mut ranks = vec![(0, 0); tasks.len()];
        for (place, (id, task)) in tasks.iter().enumerate().rev() {
            let after = dependents[place]
                .iter()
                .map(|next: &Place| ranks[*next].1)
                .max();
            let chain = after.unwrap_or(0) + weight(id).max(1);
            ranks[place] = (-task.priority, chain);
        }
        let mut schedule = Self {
            states: vec![State::Waiting; tasks.len()],
            missing: needs.iter().map(Vec::len).collect(),
            needs,
            dependents,
            ranks,
            concurrency,
            mode,
            free: pools
                .iter()
                .map(|(name, size)| (name.as_str(), i64::from(*size)))
                .collect(),
            parked: BTreeMap::new(),
            running: 0,
            stopped: None,
            ready: BinaryHeap::new(),
            became_ready: Vec::new(),
            tasks,
        };
        for place in 0..schedule.tasks.len() {
            if schedule.missing[place] == 0 {
                schedule.make_ready(place);
            }
        }
        schedule
    }

    /// The tasks that became ready since the last call.
    pub(crate) fn take_ready(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.became_ready)
    }

    /// Takes the next task that may start now; None if none may.
    pub(crate) fn start_next(&mut self) -> Option<Place> {
        if self.stopped.is_some() || self.running >= self.concurrency {
            return None;
        }
        while let Some(rank) = self.ready.pop() {
            let place = rank.0.3;
            let pool = self.pool_of(place);
            if let Some(pool) = pool
                && self.free.get(pool).copied().unwrap_or(1) <= 0
            {
                self.parked.entry(pool).or_default().push(rank);
                continue;
            }
            self.states[place] = State::Running;
            self.running += 1;
            if let Some(pool) = pool {
                *self.free.entry(pool).or_insert(1) -= 1;
            }
            return Some(place);
        }
        None
    }

    /// A running task ended. What depends on it may run if it is done, or whatever became of it if that is
    /// the mode.
    pub(crate) fn finish(&mut self, place: Place, ending: Ending) {
        self.running -= 1;
        if let Some(pool) = self.pool_of(place) {
            *self.free.entry(pool).or_insert(0) += 1;
            let parked = self.parked.get_mut(pool).and_then(BinaryHeap::pop);
            self.ready.extend(parked);
        }
        self.states[place] = State::Ended(ending);
        let goes_on = match (ending, self.mode) {
            (Ending::Done, _) | (Ending::Failed, ContinueMode::Always) => true,
            (Ending::Failed, ContinueMode::Never) => {
                self.stop(format!("stopped after failure of {}", self.tasks[place].0));
                false
            }
            (Ending::Failed | Ending::Cancelled, _) => false,
        };
        if !goes_on {
            return;
        }
        for next in self.dependents[place].clone() {
            self.missing[next] -= 1;
            if self.missing[next] == 0 {
                self.make_ready(next);
            }
        }
    }

    /// Nothing starts from now on. The first reason counts.
    pub(crate) fn stop(&mut self, reason: impl Into<String>) {
        self.stopped.get_or_insert_with(|| reason.into());
    }

    /// How many tasks run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Whether a task could start now.
    pub(crate) fn has_startable(&self) -> bool {
        self.stopped.is_none() && self.running < self.concurrency && !self.ready.is_empty()
    }

    /// The tasks that did not start, in topological order, and why.
    pub(crate) fn never_started(&self) -> Vec<(Place, String)> {
        let mut culprits: HashMap<Place, Place> = HashMap::new();
        let mut left = Vec::new();
        for (place, state) in self.states.iter().enumerate() {
            match state {
                State::Ended(Ending::Failed) if self.mode != ContinueMode::Always => {
                    culprits.insert(place, place);
                }
                State::Waiting | State::Ready => {
                    let culprit = self.needs[place].iter().find_map(|need| culprits.get(need));
                    let reason = match culprit.copied() {
                        None => self.stopped.clone().unwrap_or_default(),
                        Some(culprit) => {
                            culprits.insert(place, culprit);
                            format!("dependency failed: {}", self.tasks[culprit].0)
                        }
                    };
                    left.push((place, reason));
                }
                State::Running | State::Ended(_) => {}
            }
        }
        left
    }

    fn pool_of(&self, place: Place) -> Option<&'a str> {
        let pool = self.tasks[place].1.pool.as_str();
        (!pool.is_empty()).then_some(pool)
    }

    fn make_ready(&mut self, place: Place) {
        self.states[place] = State::Ready;
        self.became_ready.push(place);
        let (priority, chain) = self.ranks[place];
        let rank = Reverse((priority, Reverse(chain), self.tasks[place].0, place));
        self.ready.push(rank);
    }
}

#[cfg(test)]
mod laws;

#[cfg(test)]
mod tests {
    use super::*;

    fn task(needs: &[&str], pool: &str, priority: i64) -> Task {
        Task {
            depends_on: needs.iter().map(|need| (*need).to_owned()).collect(),
            pool: pool.to_owned(),
            priority,
            ..Task::default()
        }
    }

    /// The order in which tasks start when each ends at once, as ids.
    fn order(tasks: &[(&str, Task)], weight: impl Fn(&str) -> u64) -> Vec<String> {
        let pools = BTreeMap::new();
        let planned = tasks.iter().map(|(id, task)| (*id, task)).collect();
        let mut schedule = Schedule::new(planned, 1, &pools, ContinueMode::Never, weight);
        let mut order = Vec::new();
        while let Some(place) = schedule.start_next() {
            order.push(tasks[place].0.to_owned());
            schedule.finish(place, Ending::Done);
        }
        order
    }

    #[test]
    fn priority_comes_first_then_the_longest_chain_then_the_id() {
        let tasks = [
            ("b", task(&[], "", 0)),
            ("a", task(&[], "", 0)),
            ("long", task(&[], "", 0)),
            ("first", task(&[], "", 1)),
            ("end", task(&["long"], "", 0)),
        ];
        assert_eq!(order(&tasks, |_| 1), ["first", "long", "a", "b", "end"]);
        let heavy = |id: &str| if id == "b" { 9 } else { 1 };
        assert_eq!(order(&tasks, heavy), ["first", "b", "long", "a", "end"]);
    }

    #[test]
    fn a_pool_that_is_full_lets_others_pass() {
        let tasks = [
            ("a", task(&[], "db", 0)),
            ("b", task(&[], "db", 0)),
            ("c", task(&[], "", 0)),
        ];
        let pools = BTreeMap::from([("db".to_owned(), 1)]);
        let planned = tasks.iter().map(|(id, task)| (*id, task)).collect();
        let mut schedule = Schedule::new(planned, 3, &pools, ContinueMode::Never, |_| 1);
        assert_eq!(schedule.start_next(), Some(0));
        assert_eq!(schedule.start_next(), Some(2));
        assert_eq!(schedule.start_next(), None);
        schedule.finish(0, Ending::Done);
        assert_eq!(schedule.start_next(), Some(1));
    }

    #[test]
    fn what_depends_on_a_failure_never_starts() {
        let tasks = [
            ("a", task(&[], "", 0)),
            ("b", task(&["a"], "", 0)),
            ("c", task(&["b"], "", 0)),
            ("d", task(&[], "", -1)),
        ];
        let pools = BTreeMap::new();
        let planned = tasks.iter().map(|(id, task)| (*id, task)).collect();
        let mut schedule = Schedule::new(planned, 1, &pools, ContinueMode::Never, |_| 1);
        assert_eq!(schedule.start_next(), Some(0));
        schedule.finish(0, Ending::Failed);
        assert_eq!(schedule.start_next(), None);
        let reasons: Vec<String> = schedule
            .never_started()
            .into_iter()
            .map(|(_, why)| why)
            .collect();
        assert_eq!(
            reasons,
            [
                "dependency failed: a",
                "dependency failed: a",
                "stopped after failure of a"
            ]
        );
    }
}
