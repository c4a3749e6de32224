//! The inverted index: which page holds which word, and how much that says.

use crate::page::Page;
use crate::words::words;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A word in a title says more than one in the summary, and that more than one in the text.
const TITLE: u32 = 8;
const SUMMARY: u32 = 3;
const BODY: u32 = 1;

/// Word → page number → weight, both in order, so that the same pages give the same bytes.
pub type Terms = BTreeMap<String, BTreeMap<usize, u32>>;

/// Weighs every word of every page.
pub fn terms(pages: &[Page]) -> Terms {
    let mut terms = Terms::new();
    for (number, page) in pages.iter().enumerate() {
        for (text, weight) in [
            (&page.title, TITLE),
            (&page.summary, SUMMARY),
            (&page.body, BODY),
        ] {
            for word in words(text) {
                *terms.entry(word).or_default().entry(number).or_default() += weight;
            }
        }
    }
    terms
}

/// The index as the site and the server read it.
pub fn to_json(pages: &[Page], terms: &Terms) -> String {
    let mut json = String::from("{\"pages\":[");
    for (number, page) in pages.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            json,
            "{comma}\n{{\"url\":{},\"title\":{},\"summary\":{}}}",
            quoted(&page.url),
            quoted(&page.title),
            quoted(&page.summary),
        );
    }
    json.push_str("],\n\"terms\":{");
    for (number, (term, places)) in terms.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let places: Vec<String> = places
            .iter()
            .map(|(page, weight)| format!("[{page},{weight}]"))
            .collect();
        let _ = write!(json, "{comma}\n{}:[{}]", quoted(term), places.join(","));
    }
    json.push_str("}}\n");
    json
}

fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(json, "\\u{:04x}", c as u32);
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::{quoted, terms, to_json};
    use crate::page::Page;

    fn page(title: &str, summary: &str, body: &str) -> Page {
        Page {
            url: "x.html".into(),
            title: title.into(),
            summary: summary.into(),
            body: body.into(),
        }
    }

    #[test]
    fn a_word_weighs_by_where_it_stands() {
        let terms = terms(&[
            page("Wren", "wren song", "The wren, wren"),
            page("Robin", "", "wren"),
        ]);
        assert_eq!(terms["wren"][&0], 8 + 3 + 1 + 1);
        assert_eq!(terms["wren"][&1], 1);
        assert_eq!(terms["robin"].len(), 1);
    }

    #[test]
    fn the_same_pages_give_the_same_bytes() {
        let pages = [page("B", "two", "zebra apple"), page("A", "one", "apple")];
        assert_eq!(
            to_json(&pages, &terms(&pages)),
            to_json(&pages, &terms(&pages))
        );
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\u000ad\"");
    }
}
