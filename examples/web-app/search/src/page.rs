//! A page of the site as its author wrote it.

/// What the index keeps of a page, and the text that is indexed.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub url: String,
    pub title: String,
    pub summary: String,
    pub body: String,
}

impl Page {
    /// Reads a file that opens with `name: value` lines between two lines `---`.
    pub fn parse(slug: &str, text: &str) -> Result<Self, String> {
        let (head, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| format!("{slug}.md: does not open with fields between two `---`"))?;
        let field = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .map(str::to_owned)
                .ok_or_else(|| format!("{slug}.md: has no `{name}`"))
        };
        Ok(Self {
            url: format!("{slug}.html"),
            title: field("title")?,
            summary: field("summary")?,
            body: without_link_targets(body),
        })
    }
}

/// Markdown without the addresses of its links: nobody searches for `.html`.
fn without_link_targets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn fields_and_body_are_told_apart() {
        let page = Page::parse(
            "wren",
            "---\ntitle: Wren\nsummary: Loud\n---\nA [bird](b.html) here.\n",
        );
        assert_eq!(
            page,
            Ok(Page {
                url: "wren.html".into(),
                title: "Wren".into(),
                summary: "Loud".into(),
                body: "A [bird  here.\n".into(),
            })
        );
    }

    #[test]
    fn a_missing_field_is_named() {
        let page = Page::parse("wren", "---\ntitle: Wren\n---\nText\n");
        assert_eq!(page, Err("wren.md: has no `summary`".into()));
    }

    #[test]
    fn a_page_without_fields_is_refused() {
        assert!(Page::parse("wren", "# Wren\n").is_err());
    }
}
