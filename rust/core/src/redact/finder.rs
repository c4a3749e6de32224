//! An automaton that finds every occurrence of every pattern, also those that overlap.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::{self, Display, Formatter};

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError, MatchError, MatchKind};

/// Where a search stands between two bytes.
pub(super) type State = StateID;

pub(super) struct Finder {
    automaton: NFA,
    start: State,
    held: HashMap<State, usize>,
}

impl Finder {
    pub(super) fn new(patterns: &BTreeSet<Vec<u8>>) -> Result<Self, FinderError> {
        // `Standard` is the only kind that tells of overlapping occurrences.
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(patterns)?;
        let start = automaton.start_state(Anchored::No)?;
        let mut finder = Self {
            automaton,
            start,
            held: HashMap::new(),
        };
        finder.held = finder.compute_held(patterns);
        Ok(finder)
    }

    pub(super) fn start(&self) -> State {
        self.start
    }

    pub(super) fn next(&self, state: State, byte: u8) -> State {
        self.automaton.next_state(Anchored::No, state, byte)
    }

    /// The length of the longest occurrence that ends where the search stands.
    pub(super) fn found(&self, state: State) -> Option<usize> {
        if !self.automaton.is_match(state) {
            return None;
        }
        (0..self.automaton.match_len(state))
            .map(|index| {
                self.automaton
                    .pattern_len(self.automaton.match_pattern(state, index))
            })
            .max()
    }

    /// How many of the last bytes may be the start of an occurrence that is not complete yet.
    pub(super) fn held(&self, state: State) -> usize {
        self.held.get(&state).copied().unwrap_or(0)
    }

    /// A state stands for the longest start of a pattern that the text ends with. It is held, unless
    /// it is a whole pattern and no pattern goes on from there: then the next shorter one counts.
    fn compute_held(&self, patterns: &BTreeSet<Vec<u8>>) -> HashMap<State, usize> {
        let mut held = HashMap::new();
        let mut ends = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let mut state = self.start;
            for (length, &byte) in pattern.iter().enumerate() {
                held.insert(state, length);
                state = self.next(state, byte);
            }
            ends.push((pattern, state));
        }
        let inner: HashSet<State> = held.keys().copied().collect();
        ends.sort_by_key(|(pattern, _)| pattern.len());
        for (pattern, end) in ends {
            if !inner.contains(&end) {
                let shorter = self.walk(&pattern[1..]);
                held.insert(end, held.get(&shorter).copied().unwrap_or(0));
            }
        }
        held
    }

    fn walk(&self, text: &[u8]) -> State {
        text.iter()
            .fold(self.start, |state, &byte| self.next(state, byte))
    }
}

/// The patterns cannot be compiled: together they are too large.
#[derive(Debug)]
pub struct FinderError(String);

impl Display for FinderError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FinderError {}

impl From<BuildError> for FinderError {
    fn from(error: BuildError) -> Self {
        Self(error.to_string())
    }
}

impl From<MatchError> for FinderError {
    fn from(error: MatchError) -> Self {
        Self(error.to_string())
    }
}
