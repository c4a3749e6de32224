//! Globs: parsed, gathered in ordered sets, and matched for all sets at once along a walk.
//!
//! A pattern is relative, uses forward slashes, and knows `*`, `?`, `[abc]`, `[!abc]`, `{a,b}`, `**` as a
//! whole component, and `\` to take the next character as it is. Dot files are files. A pattern without
//! magic that names a folder means everything below it.

mod automaton;
mod component;
mod matching;
mod overlap;
mod parse;

pub use automaton::{Automaton, Rule, SetId, SetSpec, State, StateId};
pub use component::ComponentGlob;
pub use matching::matching;
pub use overlap::{Overlap, overlaps, sets_may_meet};
pub use parse::{Component, Pattern, Problem, Sequence};
