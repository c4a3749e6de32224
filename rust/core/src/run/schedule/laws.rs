//! The schedule against a reference that is too simple to be wrong, over random plans and histories.
//!
//! The reference looks at every task at every step. It says which task has to start next, so these laws
//! follow: none before its needs, none twice, no limit exceeded, the same order for the same history.

use std::collections::BTreeMap;

use super::{ContinueMode, Ending, Schedule};
use crate::ir::Task;

/// A generator of numbers that anybody can repeat: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

struct Scenario {
    ids: Vec<String>,
    tasks: Vec<Task>,
    weights: BTreeMap<String, u64>,
    pools: BTreeMap<String, u32>,
    concurrency: usize,
    mode: ContinueMode,
}

impl Scenario {
    fn of(numbers: &mut Numbers) -> Self {
        let count = 1 + numbers.below(14);
        // Ids whose order is not that of the plan.
        let ids: Vec<String> = (0..count).map(|n| format!("t{}", (n * 7) % 17)).collect();
        let mut tasks = Vec::new();
        let mut weights = BTreeMap::new();
        for place in 0..count {
            let mut needs: Vec<String> = (0..numbers.below(4))
                .filter(|_| place > 0)
                .map(|_| ids[numbers.below(place.max(1))].clone())
                .collect();
            needs.sort();
            needs.dedup();
            if numbers.below(8) == 0 {
                needs.push("outside".to_owned());
            }
            let pool = ["", "", "", "db", "net", "unknown"][numbers.below(6)].to_owned();
            tasks.push(Task {
                depends_on: needs,
                priority: [-1, 0, 0, 1][numbers.below(4)],
                pool,
                ..Task::default()
            });
            weights.insert(ids[place].clone(), numbers.below(5) as u64);
        }
        let db = u32::try_from(1 + numbers.below(3)).unwrap();
        Self {
            ids,
            tasks,
            weights,
            pools: BTreeMap::from([("db".to_owned(), db), ("net".to_owned(), 1)]),
            concurrency: 1 + numbers.below(5),
            mode: [
                ContinueMode::Never,
                ContinueMode::DependenciesSuccessful,
                ContinueMode::Always,
            ][numbers.below(3)],
        }
    }

    fn schedule(&self) -> Schedule<'_> {
        let tasks = self.ids.iter().map(String::as_str).zip(&self.tasks);
        let weight = |id: &str| self.weights[id];
        Schedule::new(
            tasks.collect(),
            self.concurrency,
            &self.pools,
            self.mode,
            weight,
        )
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|own| own == id)
    }

    /// The places of the tasks of the plan that a task waits for.
    fn needs(&self, place: usize) -> Vec<usize> {
        let needs = self.tasks[place].depends_on.iter();
        needs.filter_map(|id| self.place_of(id)).collect()
    }

    /// The longest way from this task to the end, by the weights.
    fn chain(&self, place: usize) -> u64 {
        let after = (0..self.tasks.len()).filter(|other| self.needs(*other).contains(&place));
        let longest = after.map(|other| self.chain(other)).max();
        self.weights[&self.ids[place]].max(1) + longest.unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Waits,
    Runs,
    Ended(Ending),
}

/// What should be.
struct Reference<'a> {
    scenario: &'a Scenario,
    stands: Vec<Stands>,
    stopped: Option<String>,
}

impl Reference<'_> {
    fn running(&self) -> Vec<usize> {
        let places = 0..self.stands.len();
        places
            .filter(|place| self.stands[*place] == Stands::Runs)
            .collect()
    }

    fn is_met(&self, need: usize) -> bool {
        match self.stands[need] {
            Stands::Ended(Ending::Done) => true,
            Stands::Ended(Ending::Failed) => self.scenario.mode == ContinueMode::Always,
            _ => false,
        }
    }

    fn next(&self) -> Option<usize> {
        let running = self.running();
        if self.stopped.is_some() || running.len() >= self.scenario.concurrency {
            return None;
        }
        let pool = |place: usize| self.scenario.tasks[place].pool.as_str();
        let has_room = |place: usize| {
            let limit = self.scenario.pools.get(pool(place)).copied().unwrap_or(1);
            let used = running.iter().filter(|other| pool(**other) == pool(place));
            pool(place).is_empty() || used.count() < limit as usize
        };
        (0..self.stands.len())
            .filter(|place| self.stands[*place] == Stands::Waits)
            .filter(|place| {
                self.scenario
                    .needs(*place)
                    .iter()
                    .all(|need| self.is_met(*need))
            })
            .filter(|place| has_room(*place))
            .min_by_key(|place| {
                let first = -self.scenario.tasks[*place].priority;
                let chain = u64::MAX - self.scenario.chain(*place);
                (first, chain, &self.scenario.ids[*place])
            })
    }

    fn end(&mut self, place: usize, ending: Ending) {
        self.stands[place] = Stands::Ended(ending);
        if ending == Ending::Failed && self.scenario.mode == ContinueMode::Never {
            let id = &self.scenario.ids[place];
            self.stop(format!("stopped after failure of {id}"));
        }
    }

    fn stop(&mut self, reason: String) {
        self.stopped.get_or_insert(reason);
    }

    /// Why a task never started: one that failed before it, or what stopped the run.
    fn why_never(&self, place: usize) -> String {
        let mut before = self.scenario.needs(place);
        let mut failed = Vec::new();
        while let Some(need) = before.pop() {
            if self.stands[need] == Stands::Ended(Ending::Failed) {
                failed.push(format!("dependency failed: {}", self.scenario.ids[need]));
            } else if self.stands[need] == Stands::Waits {
                before.extend(self.scenario.needs(need));
            }
        }
        if self.scenario.mode == ContinueMode::Always || failed.is_empty() {
            return self.stopped.clone().unwrap_or_default();
        }
        failed.join(" or ")
    }
}

/// Lives through one history, and gives what happened.
fn live(scenario: &Scenario, numbers: &mut Numbers) -> Vec<String> {
    let mut schedule = scenario.schedule();
    let mut reference = Reference {
        scenario,
        stands: vec![Stands::Waits; scenario.tasks.len()],
        stopped: None,
    };
    let mut history = Vec::new();
    let mut ready = Vec::new();
    loop {
        ready.extend(schedule.take_ready());
        // Whoever asks may do so only now and then.
        while numbers.below(5) > 0 || reference.running().is_empty() {
            let next = schedule.start_next();
            assert_eq!(next, reference.next(), "{history:?}");
            let Some(place) = next else { break };
            assert!(ready.contains(&place));
            reference.stands[place] = Stands::Runs;
            history.push(format!("start {place}"));
        }
        let running = reference.running();
        assert_eq!(schedule.running(), running.len());
        if running.is_empty() {
            break;
        }
        if numbers.below(25) == 0 {
            history.push("stop".to_owned());
            schedule.stop("interrupted");
            reference.stop("interrupted".to_owned());
        }
        let place = running[numbers.below(running.len())];
        let ending = match numbers.below(8) {
            0 => Ending::Failed,
            1 if reference.stopped.is_some() => Ending::Cancelled,
            _ => Ending::Done,
        };
        history.push(format!("end {place} {ending:?}"));
        schedule.finish(place, ending);
        reference.end(place, ending);
    }
    let never: BTreeMap<usize, String> = schedule.never_started().into_iter().collect();
    for (place, stands) in reference.stands.iter().enumerate() {
        match stands {
            Stands::Waits => {
                let (why, expected) = (&never[&place], reference.why_never(place));
                assert!(
                    !why.is_empty() && expected.contains(why.as_str()),
                    "{history:?}: {why}"
                );
            }
            Stands::Ended(_) => assert!(!never.contains_key(&place)),
            Stands::Runs => unreachable!("nothing runs any more"),
        }
    }
    history
}

#[test]
fn the_schedule_does_what_the_reference_says() {
    for seed in 1..=4000_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let scenario = Scenario::of(&mut numbers);
        let seed = numbers.0;
        let history = live(&scenario, &mut numbers);
        assert_eq!(history, live(&scenario, &mut Numbers(seed)));
    }
}

#[test]
fn a_hundred_thousand_tasks_are_planned_and_run_in_linear_time() {
    // Whatever is quadratic would not end while anybody waits: ten thousand million steps.
    let count = 100_000;
    let ids: Vec<String> = (0..count).map(|number| format!("t{number}")).collect();
    let tasks: Vec<Task> = (0..count)
        .map(|number: usize| Task {
            depends_on: [number / 2, number.saturating_sub(1)]
                .iter()
                .filter(|need| **need < number)
                .map(|need| ids[*need].clone())
                .collect(),
            pool: "all".to_owned(),
            ..Task::default()
        })
        .collect();
    let pools = BTreeMap::from([("all".to_owned(), 3)]);
    let planned = ids.iter().map(String::as_str).zip(&tasks).collect();
    let mut schedule = Schedule::new(planned, 8, &pools, ContinueMode::Never, |_| 1);
    let mut ended = 0;
    while let Some(place) = schedule.start_next() {
        schedule.take_ready();
        schedule.finish(place, Ending::Done);
        ended += 1;
    }
    assert_eq!(ended, count);
}
