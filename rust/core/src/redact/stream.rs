//! One stream of bytes on its way through the redactor.

use std::collections::VecDeque;

use super::finder::{Finder, State};
use super::{MASK, Secrets};

/// What is known about a stream between two chunks.
///
/// Occurrences that overlap are one: their union is masked, so that no rest of the second is left over
/// by the first. What comes out depends on the bytes alone, not on where they were cut, since
/// nothing is let go before the last occurrence that could touch it is known.
#[derive(Default)]
pub struct Stream {
    /// None at the start of the text.
    state: Option<State>,
    /// The bytes of the text that are neither given out nor masked yet.
    kept: Vec<u8>,
    /// What to mask, as ranges of `kept`, in order and apart from each other.
    spots: VecDeque<Spot>,
}

/// A range of `kept` that is to be masked.
#[derive(Clone, Copy)]
struct Spot {
    start: usize,
    end: usize,
    /// The mask was given out already; what is left of the range only has to vanish.
    is_masked: bool,
}

impl Stream {
    /// Takes the next bytes; gives the redacted ones that no later bytes can change.
    ///
    /// Every chunk of one text must come with the same secrets.
    pub fn feed(&mut self, secrets: &Secrets, chunk: &[u8]) -> Vec<u8> {
        let Some(finder) = &secrets.finder else {
            return chunk.to_vec();
        };
        let state = self.search(finder, chunk);
        self.state = Some(state);
        self.release(self.kept.len() - finder.held(state))
    }

    /// Ends the text: gives what was kept back. The stream is as new afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = self.release(self.kept.len());
        *self = Self::default();
        rest
    }

    fn search(&mut self, finder: &Finder, chunk: &[u8]) -> State {
        let before = self.kept.len();
        self.kept.extend_from_slice(chunk);
        let mut state = self.state.unwrap_or_else(|| finder.start());
        for (index, &byte) in chunk.iter().enumerate() {
            state = finder.next(state, byte);
            if let Some(length) = finder.found(state) {
                let end = before + index + 1;
                self.mark(end.saturating_sub(length), end);
            }
        }
        state
    }

    /// Adds an occurrence, which ends after all others.
    fn mark(&mut self, start: usize, end: usize) {
        let mut spot = Spot {
            start,
            end,
            is_masked: false,
        };
        while let Some(last) = self
            .spots
            .back()
            .copied()
            .filter(|last| last.end > spot.start)
        {
            self.spots.pop_back();
            spot.start = spot.start.min(last.start);
            spot.is_masked |= last.is_masked;
        }
        self.spots.push_back(spot);
    }

    /// Gives out what stands before `limit`, where an occurrence may begin that is not complete yet.
    fn release(&mut self, limit: usize) -> Vec<u8> {
        let mut redacted = Vec::with_capacity(limit);
        let mut position = 0;
        while let Some(spot) = self
            .spots
            .front()
            .copied()
            .filter(|spot| spot.start < limit)
        {
            self.spots.pop_front();
            redacted.extend_from_slice(&self.kept[position..spot.start]);
            if !spot.is_masked {
                redacted.extend_from_slice(MASK);
            }
            position = spot.end;
            if spot.end > limit {
                // A later occurrence may reach back into this one: it has to see that it overlaps.
                self.spots.push_front(Spot {
                    start: limit,
                    end: spot.end,
                    is_masked: true,
                });
                position = limit;
                break;
            }
        }
        redacted.extend_from_slice(&self.kept[position..limit]);
        self.kept.drain(..limit);
        for spot in &mut self.spots {
            spot.start -= limit;
            spot.end -= limit;
        }
        redacted
    }
}
