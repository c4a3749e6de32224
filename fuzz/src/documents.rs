//! Texts that people write: where things stand in them, what is wrong with them, how that is shown.

use pipec_core::document::{
    Finding, Label, RouteItem, Severity, parse_findings, parse_routes, render_findings,
    toml_cursor, toml_errors, toml_outline, toml_spans,
};

use crate::source::Source;

pub fn run(bytes: &[u8]) {
    let mut source = Source(bytes);
    let numbers = [(); 6].map(|()| usize::from(source.byte()));
    let text = String::from_utf8_lossy(source.0);
    let _ = (parse_findings(&text), parse_routes(&text));
    let keys = ["tasks", "a", "run", "inputs"].map(|key| RouteItem::Key(key.into()));
    let mut routes: Vec<Vec<RouteItem>> =
        (0..=keys.len()).map(|end| keys[..end].to_vec()).collect();
    routes.push(vec![
        keys[0].clone(),
        RouteItem::Index(-1),
        RouteItem::Index(i64::MAX),
    ]);
    routes.push(vec![
        keys[1].clone(),
        RouteItem::Index(0),
        RouteItem::Index(1),
    ]);
    for place in toml_spans(&text, &routes).into_iter().flatten() {
        for range in [place.key, place.value] {
            assert!(text.get(range).is_some());
        }
    }
    let entries = toml_outline(&text);
    for (index, entry) in entries.iter().enumerate() {
        assert!(entry.parent.is_none_or(|parent| parent < index));
        for range in [&entry.key, &entry.value] {
            assert!(text.get(range.clone()).is_some());
        }
    }
    for offset in [numbers[0], numbers[2], text.len()] {
        if let Some(cursor) = toml_cursor(&text, offset) {
            assert!(text.get(cursor.start..offset).is_some());
        }
    }
    let mut labels = vec![
        label(numbers[0], numbers[1], &text),
        label(numbers[2], numbers[3], ""),
    ];
    for error in toml_errors(&text) {
        assert!(text.get(error.span.clone()).is_some());
        labels.push(label(error.span.start, error.span.end, &error.message));
    }
    labels.truncate(4);
    labels.push(label(usize::MAX, numbers[4], "behind"));
    let finding = Finding {
        level: if numbers[5] % 2 == 0 {
            Severity::Error
        } else {
            Severity::Warning
        },
        code: "PIPEC_CODE".into(),
        message: (&*text).into(),
        labels,
        help: vec![(&*text).into()],
    };
    for color in [false, true] {
        let shown = render_findings(
            "pipeline.toml",
            &text,
            std::slice::from_ref(&finding),
            color,
        );
        assert!(shown.ends_with('\n'));
        // Nothing in a document may speak to the terminal.
        assert!(color || !shown.contains('\u{1b}'));
    }
    let _ = render_findings(&text, "", &[finding], false);
}

fn label(start: usize, end: usize, text: &str) -> Label {
    Label {
        start,
        end,
        text: text.into(),
        primary: start < end,
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "name = \"x\"\n[tasks.a]\nrun = ['b', \"\"\"c\nd\"\"\"]\ninputs = [{glob = \"*\"}]\n",
        "tasks = {a = {run = 1}}\r\nb = [1, 2\n= 3\n\"\\u00e9\" = 1979-05-27T07:32:00Z\n",
        "[tasks.a\nrun = [\"x\n[[b]]\n[[b]]\nc = {d = \"\"\"\ne.f = 1\n",
        r#"[{"level":"error","code":"C","message":"m","labels":[],"help":["h"]}]"#,
        r#"[["tasks", 0, -1]]"#,
    ];
    let seed = |text: &str| [&[3, 9, 20, 40, 1, 0], text.as_bytes()].concat();
    texts.map(seed).to_vec()
}
