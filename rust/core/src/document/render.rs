//! Findings about one document, printed as rustc prints its own.

use annotate_snippets::renderer::Renderer;
use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Snippet, normalize_untrusted_str,
};

use super::finding::{Finding, Label, Severity};
use super::lines::{Lines, Spot};

/// All findings in their order, with an empty line between two. Offsets that make no sense are moved
/// to the nearest place that does.
///
/// A finding without labels shows the path alone; with an empty path not even that.
pub fn render_findings(path: &str, text: &str, findings: &[Finding], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let path = normalize_untrusted_str(path).replace('\n', "␊");
    let lines = Lines::new(text);
    let mut output = String::new();
    for finding in findings {
        if !output.is_empty() {
            output.push('\n');
        }
        output.push_str(&renderer.render(&groups(&path, &lines, finding)));
        output.push('\n');
    }
    output
}

fn groups<'a>(path: &'a str, lines: &Lines<'a>, finding: &'a Finding) -> Vec<Group<'a>> {
    let level = match finding.level {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = Group::with_title(
        level
            .primary_title(finding.message.as_str())
            .id(finding.code.as_str()),
    );
    let main = match snippet(path, lines, &finding.labels) {
        Some(snippet) => title.element(snippet),
        None if path.is_empty() => title,
        None => title.element(Origin::path(path)),
    };
    let help = finding.help.iter().map(|text| {
        Group::with_title(Level::HELP.secondary_title(normalize_untrusted_str(text.as_str())))
    });
    std::iter::once(main).chain(help).collect()
}

/// The lines from the first label to the last, with all labels; None if there is no label.
fn snippet<'a>(
    path: &'a str,
    lines: &Lines<'a>,
    labels: &'a [Label],
) -> Option<Snippet<'a, Annotation<'a>>> {
    let spots: Vec<Spot> = labels
        .iter()
        .map(|label| lines.spot(label.start, label.end))
        .collect();
    let first = spots.iter().map(|spot| spot.line).min()?;
    let last = spots.iter().map(|spot| spot.line).max()?;
    // The renderer looks at all the text that it is given, so it gets no more than it shows.
    let window = lines.window(first, last);
    let annotations = labels.iter().zip(&spots).map(|(label, spot)| {
        let kind = if label.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let text = normalize_untrusted_str(label.text.as_str());
        let text = Some(text).filter(|text| !text.is_empty());
        kind.span(spot.start - window.start..spot.end - window.start)
            .label(text)
    });
    Some(
        Snippet::source(window.text)
            .path(Some(path).filter(|path| !path.is_empty()))
            .line_start(first + 1)
            .annotations(annotations),
    )
}
