//! All pattern sets of a run as one automaton over path components, built as the walk needs it.
//!
//! A state stands for "what is left of every pattern below this folder". A folder costs one step
//! however many tasks there are; a folder in which no pattern can match any more is not entered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use super::component::ComponentGlob;
use super::parse::{Component, Pattern};

/// The index of a set among those the automaton was built from.
pub type SetId = u32;
pub type StateId = u32;

const NODE_MODULES: &[u8] = b"node_modules";

/// An ordered list of rules: the last one that matches a path decides.
#[derive(Clone, Debug)]
pub struct SetSpec {
    pub rules: Vec<Rule>,
    /// Globs leave out what an ignore file names; a pattern without magic takes it all the same.
    pub respects_ignore_files: bool,
    /// Output sets may name `node_modules`; for inputs it does not exist.
    pub is_outputs: bool,
}

#[derive(Clone, Debug)]
pub enum Rule {
    Glob {
        pattern: Pattern,
        exclude: bool,
    },
    /// Everything that another set selects.
    Group {
        set: SetId,
        exclude: bool,
    },
}

pub struct Automaton {
    sets: Vec<Set>,
    sequences: Vec<Sequence>,
    positions: Vec<Position>,
    globs: Vec<ComponentGlob>,
    states: RwLock<Vec<Arc<State>>>,
    by_positions: Mutex<HashMap<Box<[u32]>, StateId>>,
    start: OnceLock<StateId>,
}

struct Set {
    rules: Vec<SetRule>,
    /// Sets that take this one in or out as a group.
    users: Vec<SetId>,
}

impl Set {
    fn takes_in(&self, group: SetId) -> bool {
        let takes_in = |rule: &SetRule| match *rule {
            SetRule::Glob { .. } => false,
            SetRule::Group { set, exclude } => set == group && !exclude,
        };
        self.rules.iter().any(takes_in)
    }
}

#[derive(Clone, Copy)]
enum SetRule {
    Glob { exclude: bool },
    Group { set: SetId, exclude: bool },
}

#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact about a pattern, none a state"
)]
struct Sequence {
    set: SetId,
    rule: u32,
    first: u32,
    length: u32,
    is_literal: bool,
    is_positive: bool,
    respects_ignore_files: bool,
    is_outputs: bool,
}

/// A place in a sequence: what has to come next there.
struct Position {
    sequence: u32,
    next: Next,
    /// An earlier component names `node_modules`.
    is_in_node_modules: bool,
}

enum Next {
    Literal(Box<[u8]>),
    Wild(u32),
    Folders { is_last: bool },
    End,
}

/// The name, if a literal matches it, and the globs of the state that match it.
type Mixed = (Box<[u8]>, Box<[u64]>);
/// How deep the deepest ignored part of the path lies, and whether a folder is asked about.
type Asked = (u16, bool);

pub struct State {
    pub id: StateId,
    positions: Box<[u32]>,
    literals: HashMap<Box<[u8]>, OnceLock<StateId>>,
    wilds: Box<[u32]>,
    other: OnceLock<StateId>,
    node_modules: OnceLock<StateId>,
    mixed: Mutex<HashMap<Mixed, StateId>>,
    files: OnceLock<Arc<[SetId]>>,
    folders: OnceLock<Arc<[SetId]>>,
    ignored: Mutex<HashMap<Asked, Arc<[SetId]>>>,
    /// Some pattern can match below a folder in this state.
    pub can_enter: bool,
    /// The same for a folder that an ignore file names.
    pub can_enter_ignored: bool,
}

impl Automaton {
    pub fn new(specs: &[SetSpec]) -> Self {
        let mut automaton = Self {
            sets: Vec::with_capacity(specs.len()),
            sequences: Vec::new(),
            positions: Vec::new(),
            globs: Vec::new(),
            states: RwLock::new(Vec::new()),
            by_positions: Mutex::new(HashMap::new()),
            start: OnceLock::new(),
        };
        let mut glob_ids = HashMap::new();
        for (id, spec) in specs.iter().enumerate() {
            automaton.add_set(index(id), spec, &mut glob_ids);
        }
        for (id, spec) in specs.iter().enumerate() {
            for rule in &spec.rules {
                if let Rule::Group { set, .. } = rule {
                    automaton.sets[*set as usize].users.push(index(id));
                }
            }
        }
        automaton
    }

    /// Of all that it was built from.
    pub fn set_count(&self) -> usize {
        self.sets.len()
    }

    fn add_set(&mut self, id: SetId, spec: &SetSpec, glob_ids: &mut HashMap<ComponentGlob, u32>) {
        let mut rules = Vec::with_capacity(spec.rules.len());
        for (number, rule) in spec.rules.iter().enumerate() {
            match rule {
                Rule::Group { set, exclude } => {
                    rules.push(SetRule::Group {
                        set: *set,
                        exclude: *exclude,
                    });
                }
                Rule::Glob { pattern, exclude } => {
                    rules.push(SetRule::Glob { exclude: *exclude });
                    for alternative in &pattern.alternatives {
                        self.sequences.push(Sequence {
                            set: id,
                            rule: index(number),
                            first: index(self.positions.len()),
                            length: index(alternative.components.len()),
                            is_literal: alternative.is_literal(),
                            is_positive: !exclude,
                            respects_ignore_files: spec.respects_ignore_files,
                            is_outputs: spec.is_outputs,
                        });
                        self.add_positions(&alternative.components, glob_ids);
                    }
                }
            }
        }
        self.sets.push(Set {
            rules,
            users: Vec::new(),
        });
    }

    fn add_positions(
        &mut self,
        components: &[Component],
        glob_ids: &mut HashMap<ComponentGlob, u32>,
    ) {
        let sequence = index(self.sequences.len() - 1);
        let mut is_in_node_modules = false;
        for (at, component) in components.iter().enumerate() {
            let next = match component {
                Component::Literal(name) => Next::Literal(name.clone()),
                Component::Folders => Next::Folders {
                    is_last: at + 1 == components.len(),
                },
                Component::Wild(glob) => {
                    Next::Wild(*glob_ids.entry(glob.clone()).or_insert_with(|| {
                        self.globs.push(glob.clone());
                        index(self.globs.len() - 1)
                    }))
                }
            };
            self.positions.push(Position {
                sequence,
                next,
                is_in_node_modules,
            });
            is_in_node_modules |=
                matches!(component, Component::Literal(n) if **n == *NODE_MODULES);
        }
        self.positions.push(Position {
            sequence,
            next: Next::End,
            is_in_node_modules,
        });
    }

    /// The state of the folder that all patterns are relative to.
    pub fn start(&self) -> Arc<State> {
        let start = self.start.get_or_init(|| {
            let mut positions = Vec::new();
            for sequence in &self.sequences {
                self.close(sequence.first, &mut positions);
            }
            self.intern(positions).id
        });
        self.state(*start)
    }

    /// The state after one more component.
    pub fn step(&self, state: &State, name: &[u8]) -> Arc<State> {
        self.state(self.next(state, name))
    }

    /// The same, and not even a count of who holds a state is touched if it is the `last` one: most names in a
    /// folder lead to the same state, and several threads count.
    pub fn step_again(&self, state: &State, name: &[u8], last: Option<Arc<State>>) -> Arc<State> {
        let next = self.next(state, name);
        match last {
            Some(last) if last.id == next => last,
            _ => self.state(next),
        }
    }

    fn next(&self, state: &State, name: &[u8]) -> StateId {
        if name == NODE_MODULES {
            let next = state
                .node_modules
                .get_or_init(|| self.intern(self.follow_node_modules(&state.positions)).id);
            return *next;
        }
        let literal = state.literals.get_key_value(name);
        if state.wilds.is_empty() {
            let slot = literal.map_or(&state.other, |(_, slot)| slot);
            return *slot.get_or_init(|| self.follow_new(state, name));
        }
        let mask = self.matching_wilds(state, name);
        if literal.is_none() && mask.iter().all(|word| *word == 0) {
            return *state.other.get_or_init(|| self.follow_new(state, name));
        }
        let key = (
            literal.map_or_else(Box::default, |(name, _)| name.clone()),
            mask,
        );
        if let Some(next) = lock(&state.mixed).get(&key) {
            return *next;
        }
        let next = self.follow_new(state, name);
        lock(&state.mixed).insert(key, next);
        next
    }

    /// The sets that select a file or a link in this state. `ignored` is the depth of the deepest
    /// part of its path that an ignore file names.
    pub fn selecting(&self, state: &State, ignored: Option<u16>) -> Arc<[SetId]> {
        match ignored {
            None => Arc::clone(self.selecting_unignored(state)),
            Some(depth) => self.ignored_verdict(state, depth, false),
        }
    }

    /// Whether some set selects a file or a link in this state, ignore files left aside.
    pub fn is_selected(&self, state: &State) -> bool {
        !self.selecting_unignored(state).is_empty()
    }

    fn selecting_unignored<'a>(&self, state: &'a State) -> &'a Arc<[SetId]> {
        state.files.get_or_init(|| self.verdict(state, None, false))
    }

    /// The sets that own a folder in this state, should it be empty.
    pub fn selecting_folder(&self, state: &State, ignored: Option<u16>) -> Arc<[SetId]> {
        match ignored {
            None => Arc::clone(
                state
                    .folders
                    .get_or_init(|| self.verdict(state, None, true)),
            ),
            Some(depth) => self.ignored_verdict(state, depth, true),
        }
    }

    /// The sets of inputs for which something below a folder in this state could still match: what a
    /// link to a folder stands in for. Outputs do not lie behind links.
    pub fn reaching(&self, state: &State, is_ignored: bool) -> Vec<SetId> {
        let positions = state.positions.iter();
        let mut sets: Vec<SetId> = positions
            .filter(|at| self.is_alive(**at) && !self.sequence_of(**at).is_outputs)
            .filter(|at| !is_ignored || self.ignores_ignore_files(**at))
            .map(|at| self.sequence_of(*at).set)
            .collect();
        let mut at = 0;
        while at < sets.len() {
            let group = sets[at];
            let takes_in = |user: &&SetId| self.sets[**user as usize].takes_in(group);
            let users = self.sets[group as usize].users.iter().filter(takes_in);
            sets.extend(users.copied().collect::<Vec<_>>());
            at += 1;
        }
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// Whether a set selects a path, ignore files left aside. Folders count if the set owns them.
    pub fn selects(&self, set: SetId, path: &[u8], is_folder: bool) -> bool {
        let state = self.state_of(path);
        let sets = if is_folder {
            self.selecting_folder(&state, None)
        } else {
            self.selecting(&state, None)
        };
        sets.binary_search(&set).is_ok()
    }

    /// The sets that select a file of this path, ignore files left aside.
    pub fn selecting_path(&self, path: &[u8]) -> Arc<[SetId]> {
        self.selecting(&self.state_of(path), None)
    }

    /// The state of a folder or a file below the folder that all patterns are relative to.
    pub fn state_of(&self, path: &[u8]) -> Arc<State> {
        let names = path.split(|byte| *byte == b'/');
        names.fold(self.start(), |state, name| self.step(&state, name))
    }

    fn ignored_verdict(&self, state: &State, depth: u16, is_folder: bool) -> Arc<[SetId]> {
        if let Some(known) = lock(&state.ignored).get(&(depth, is_folder)) {
            return Arc::clone(known);
        }
        let verdict = self.verdict(state, Some(depth), is_folder);
        lock(&state.ignored).insert((depth, is_folder), Arc::clone(&verdict));
        verdict
    }

    fn verdict(&self, state: &State, ignored: Option<u16>, is_folder: bool) -> Arc<[SetId]> {
        let mut matched: Vec<(SetId, u32)> = Vec::new();
        for &at in &state.positions {
            let sequence = self.sequence_of(at);
            let accepts = match self.positions[at as usize].next {
                Next::End => true,
                Next::Folders { is_last } => is_folder && is_last,
                Next::Literal(_) | Next::Wild(_) => false,
            };
            let counts = !sequence.is_positive
                || !sequence.respects_ignore_files
                || ignored
                    .is_none_or(|depth| sequence.is_literal && u32::from(depth) <= sequence.length);
            if accepts && counts {
                matched.push((sequence.set, sequence.rule));
            }
        }
        matched.sort_unstable();
        matched.dedup();
        let mut touched: Vec<SetId> = matched.iter().map(|(set, _)| *set).collect();
        touched.dedup();
        let mut known = HashMap::new();
        let mut at = 0;
        while at < touched.len() {
            let set = touched[at];
            for &user in &self.sets[set as usize].users {
                if !touched.contains(&user) {
                    touched.push(user);
                }
            }
            at += 1;
        }
        touched.retain(|set| self.decides(*set, &matched, &mut known));
        touched.sort_unstable();
        touched.into()
    }

    /// Whether a set selects what matched these rules. Groups are never circular: checked before.
    fn decides(
        &self,
        set: SetId,
        matched: &[(SetId, u32)],
        known: &mut HashMap<SetId, bool>,
    ) -> bool {
        if let Some(&answer) = known.get(&set) {
            return answer;
        }
        let mut answer = false;
        for (number, rule) in self.sets[set as usize].rules.iter().enumerate().rev() {
            let (applies, exclude) = match *rule {
                SetRule::Glob { exclude } => (
                    matched.binary_search(&(set, index(number))).is_ok(),
                    exclude,
                ),
                SetRule::Group {
                    set: group,
                    exclude,
                } => (self.decides(group, matched, known), exclude),
            };
            if applies {
                answer = !exclude;
                break;
            }
        }
        known.insert(set, answer);
        answer
    }

    fn matching_wilds(&self, state: &State, name: &[u8]) -> Box<[u64]> {
        let mut mask = vec![0_u64; state.wilds.len().div_ceil(64)];
        for (bit, glob) in state.wilds.iter().enumerate() {
            if self.globs[*glob as usize].matches(name) {
                mask[bit / 64] |= 1 << (bit % 64);
            }
        }
        mask.into()
    }

    fn follow_new(&self, state: &State, name: &[u8]) -> StateId {
        let mut next = Vec::new();
        for &at in &state.positions {
            let position = &self.positions[at as usize];
            match &position.next {
                Next::Literal(literal) if **literal == *name => self.close(at + 1, &mut next),
                Next::Wild(glob) if self.globs[*glob as usize].matches(name) => {
                    self.close(at + 1, &mut next);
                }
                Next::Folders { .. } => self.follow_folders(at, &mut next),
                Next::End if self.sequence_of(at).is_literal => next.push(at),
                Next::Literal(_) | Next::Wild(_) | Next::End => {}
            }
        }
        self.intern(next).id
    }

    fn follow_node_modules(&self, positions: &[u32]) -> Vec<u32> {
        let mut next = Vec::new();
        for &at in positions {
            let position = &self.positions[at as usize];
            let sequence = self.sequence_of(at);
            if !sequence.is_outputs {
                continue;
            }
            // What takes files out says so of those in there too.
            let may_enter = position.is_in_node_modules || !sequence.is_positive;
            match &position.next {
                Next::Literal(literal) if **literal == *NODE_MODULES => {
                    self.close(at + 1, &mut next);
                }
                Next::Wild(glob)
                    if may_enter && self.globs[*glob as usize].matches(NODE_MODULES) =>
                {
                    self.close(at + 1, &mut next);
                }
                Next::Folders { .. } if may_enter => {
                    self.follow_folders(at, &mut next);
                }
                Next::End if may_enter && sequence.is_literal => {
                    next.push(at);
                }
                Next::Literal(_) | Next::Wild(_) | Next::Folders { .. } | Next::End => {}
            }
        }
        next
    }

    fn follow_folders(&self, at: u32, next: &mut Vec<u32>) {
        self.close(at, next);
        if matches!(
            self.positions[at as usize].next,
            Next::Folders { is_last: true }
        ) {
            next.push(at + 1);
        }
    }

    /// Adds a position and those reached without a component: `**` may stand for no folder at all.
    fn close(&self, at: u32, positions: &mut Vec<u32>) {
        let mut at = at;
        loop {
            positions.push(at);
            match self.positions[at as usize].next {
                Next::Folders { is_last: false } => at += 1,
                _ => break,
            }
        }
    }

    fn intern(&self, mut positions: Vec<u32>) -> Arc<State> {
        positions.sort_unstable();
        positions.dedup();
        let positions: Box<[u32]> = positions.into();
        let mut known = lock(&self.by_positions);
        if let Some(id) = known.get(&positions) {
            return self.state(*id);
        }
        let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
        let state = Arc::new(self.new_state(index(states.len()), positions.clone()));
        states.push(Arc::clone(&state));
        known.insert(positions, state.id);
        state
    }

    fn new_state(&self, id: StateId, positions: Box<[u32]>) -> State {
        let mut literals = HashMap::new();
        let mut wilds = Vec::new();
        for &at in &positions {
            match &self.positions[at as usize].next {
                Next::Literal(name) => {
                    literals.entry(name.clone()).or_insert_with(OnceLock::new);
                }
                Next::Wild(glob) => wilds.push(*glob),
                Next::Folders { .. } | Next::End => {}
            }
        }
        wilds.sort_unstable();
        wilds.dedup();
        let can_enter = positions.iter().any(|at| self.is_alive(*at));
        let can_enter_ignored = positions
            .iter()
            .any(|at| self.is_alive(*at) && self.ignores_ignore_files(*at));
        State {
            id,
            positions,
            literals,
            wilds: wilds.into(),
            other: OnceLock::new(),
            node_modules: OnceLock::new(),
            mixed: Mutex::default(),
            files: OnceLock::new(),
            folders: OnceLock::new(),
            ignored: Mutex::default(),
            can_enter,
            can_enter_ignored,
        }
    }

    /// Whether a pattern that takes files in can match further down.
    fn is_alive(&self, at: u32) -> bool {
        let sequence = self.sequence_of(at);
        let goes_on = sequence.is_literal || !matches!(self.positions[at as usize].next, Next::End);
        sequence.is_positive && goes_on
    }

    fn ignores_ignore_files(&self, at: u32) -> bool {
        let sequence = self.sequence_of(at);
        sequence.is_literal || !sequence.respects_ignore_files
    }

    fn sequence_of(&self, at: u32) -> &Sequence {
        &self.sequences[self.positions[at as usize].sequence as usize]
    }

    pub fn state(&self, id: StateId) -> Arc<State> {
        let states = self.states.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&states[id as usize])
    }
}

/// The tables only ever grow by whole entries: what a panicking thread left is still right.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An index that fits: no pipeline has four thousand million patterns.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
