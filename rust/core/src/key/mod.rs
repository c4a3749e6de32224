//! What a task's result depends on: its environment, and the key over everything that counts.

mod components;
pub mod environment;

pub use components::{
    Components, StaticParts, dependencies, digests_of_values, static_parts, values,
};
