//! Texts that people write: what is wrong with them, where things stand in them, and how to show it.

mod finding;
mod lines;
mod render;
mod toml_cursor;
mod toml_errors;
mod toml_events;
mod toml_outline;
mod toml_spans;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Label, Severity, Text, parse_findings};
pub use render::render_findings;
pub use serde_json::Error as JsonError;
pub use toml_cursor::{Cursor, Slot, toml_cursor};
pub use toml_errors::{SyntaxError, toml_errors};
pub use toml_outline::{Entry, Kind, Name, toml_outline};
pub use toml_spans::{Place, Route, RouteItem, parse_routes, toml_spans};
