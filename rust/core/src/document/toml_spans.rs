//! Where the values of a TOML document stand in its text.

use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

/// The keys and indexes that lead from the top of a document to a value.
pub type Route = Vec<RouteItem>;

/// One step of a route.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RouteItem {
    Key(String),
    Index(i64),
}

/// The byte offsets of a key and of its value. An item of a list has its value's place for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub key: Range<usize>,
    pub value: Range<usize>,
}

/// Reads a JSON list of routes, each a list of strings and integers.
///
/// # Errors
///
/// When it is anything else.
pub fn parse_routes(json: &str) -> Result<Vec<Route>, serde_json::Error> {
    serde_json::from_str(json)
}

/// For each route, the place of the longest part of it that the document has; None if it has none.
///
/// A document with syntax errors is searched as far as it can be understood.
pub fn toml_spans(text: &str, routes: &[Route]) -> Vec<Option<Place>> {
    let (document, _) = DeTable::parse_recoverable(text);
    routes
        .iter()
        .map(|route| find(document.get_ref(), route))
        .collect()
}

fn find(document: &DeTable<'_>, route: &[RouteItem]) -> Option<Place> {
    let (first, rest) = route.split_first()?;
    let (mut place, mut value) = find_key(document, first)?;
    for item in rest {
        let Some(next) = find_item(value, item) else {
            break;
        };
        (place, value) = next;
    }
    Some(place)
}

fn find_item<'d, 'i>(value: &'d DeValue<'i>, item: &RouteItem) -> Option<(Place, &'d DeValue<'i>)> {
    match (value, item) {
        (DeValue::Table(table), _) => find_key(table, item),
        (DeValue::Array(list), RouteItem::Index(index)) => {
            let value = list.get(usize::try_from(*index).ok()?)?;
            Some((
                Place {
                    key: value.span(),
                    value: value.span(),
                },
                value.get_ref(),
            ))
        }
        _ => None,
    }
}

fn find_key<'d, 'i>(table: &'d DeTable<'i>, item: &RouteItem) -> Option<(Place, &'d DeValue<'i>)> {
    let RouteItem::Key(key) = item else {
        return None;
    };
    let (key, value) = table.get_key_value(key.as_str())?;
    Some((
        Place {
            key: key.span(),
            value: value.span(),
        },
        value.get_ref(),
    ))
}
