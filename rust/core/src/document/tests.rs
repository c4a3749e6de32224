//! Documents, as their callers meet them: text in; errors, places and rendered findings out.

use super::*;

/// What the text holds at the key and at the value of a route.
fn at<'t>(text: &'t str, route: &str) -> Option<(&'t str, &'t str)> {
    let routes = parse_routes(&format!("[{route}]")).unwrap();
    let [place] = toml_spans(text, &routes).try_into().unwrap();
    place.map(|place| (&text[place.key], &text[place.value]))
}

/// The syntax errors: message, and the text that they point at.
fn errors(text: &str) -> Vec<(String, &str)> {
    toml_errors(text)
        .into_iter()
        .map(|error| (error.message, &text[error.span]))
        .collect()
}

fn finding(labels: &str, help: &str) -> String {
    format!(
        r#"[{{"level": "error", "code": "CODE", "message": "it is wrong", "labels": [{labels}], "help": [{help}]}}]"#
    )
}

fn label(start: i64, end: i64, text: &str) -> String {
    format!(r#"{{"start": {start}, "end": {end}, "text": "{text}", "primary": true}}"#)
}

fn render(text: &str, findings: &str) -> String {
    render_findings(
        "pipeline.toml",
        text,
        &parse_findings(findings).unwrap(),
        false,
    )
}

fn render_at(text: &str, start: i64, end: i64) -> String {
    render(text, &finding(&label(start, end, "here"), ""))
}

#[test]
fn a_document_without_mistakes_has_no_errors() {
    assert_eq!(errors(""), []);
    assert_eq!(errors("# only a comment"), []);
    assert_eq!(errors("a.b = 1\r\n[[c]]\r\nd = {e = [1,\n 2,\n]}\r\n"), []);
}

#[test]
fn several_mistakes_are_found_in_one_pass() {
    let text = "a = tru\nb = 1\n[c]\nd = 'x\n[c]\ne = 1\ne = 2\n";
    let found = errors(text);
    let messages: Vec<&str> = found.iter().map(|(message, _)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "invalid boolean, expected `true`",
            "invalid literal string, expected `'`",
            "duplicate key",
            "duplicate key",
        ]
    );
    let pointed: Vec<&str> = found.iter().map(|(_, pointed)| *pointed).collect();
    assert_eq!(pointed, ["tru", "", "c", "e"]);
}

#[test]
fn a_list_that_is_not_closed_is_not_reported_for_every_line_after_it() {
    let found = toml_errors("a = [1, 2\nb = 1\nc = 2\nd = 3\n");
    let messages: Vec<&str> = found.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "missing comma between array elements, expected `,`",
            "unclosed array, expected `]`"
        ]
    );
}

#[test]
fn errors_of_a_line_after_the_first_are_left_out() {
    assert_eq!(errors("x = 1 y = 2 z\nok = 1\n").len(), 1);
}

#[test]
fn nesting_without_end_is_an_error_and_not_a_crash() {
    for text in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}b = 1", "a.".repeat(100_000)),
        format!("[{}b]\n", "a.".repeat(100_000)),
    ] {
        assert!(!toml_errors(&text).is_empty());
        toml_spans(&text, &parse_routes(r#"[["a", "a", "a"]]"#).unwrap());
    }
    // As deep as it may be: dotted keys within nested inline tables.
    let dotted = "a.".repeat(79) + "a";
    let deep = (0..80).fold("1".to_owned(), |value, _| format!("{{{dotted}={value}}}"));
    assert_eq!(toml_errors(&format!("[{dotted}]\n{dotted} = {deep}")), []);
}

#[test]
fn plain_tables_and_values_have_places() {
    let text = "name = 'x'\n[tasks.lint]\nrun = \"ruff\" # why\nneeds = ['a', 'b']\n";
    assert_eq!(at(text, r#"["name"]"#), Some(("name", "'x'")));
    assert_eq!(at(text, r#"["tasks"]"#), Some(("tasks", "tasks")));
    assert_eq!(
        at(text, r#"["tasks", "lint"]"#),
        Some(("lint", "[tasks.lint]"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "run"]"#),
        Some(("run", "\"ruff\""))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs"]"#),
        Some(("needs", "['a', 'b']"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs", 1]"#),
        Some(("'b'", "'b'"))
    );
}

#[test]
fn dotted_and_quoted_keys_have_places() {
    let text = "a.\"b c\".'d.e' = 1\n\"\\u0061b\" = 2\n[x.'y.z']\nq.r = [{s.t = 3}]\n";
    assert_eq!(at(text, r#"["a"]"#), Some(("a", "a")));
    assert_eq!(at(text, r#"["a", "b c"]"#), Some(("\"b c\"", "\"b c\"")));
    assert_eq!(at(text, r#"["a", "b c", "d.e"]"#), Some(("'d.e'", "1")));
    assert_eq!(at(text, r#"["ab"]"#), Some(("\"\\u0061b\"", "2")));
    assert_eq!(at(text, r#"["x", "y.z"]"#), Some(("'y.z'", "[x.'y.z']")));
    assert_eq!(
        at(text, r#"["x", "y.z", "q", "r", 0, "s", "t"]"#),
        Some(("t", "3"))
    );
}

#[test]
fn lists_of_tables_have_places() {
    let text = "[[jobs]]\nid = 1\n[[jobs.steps]]\nrun = 'a'\n[[jobs.steps]]\nrun = 'b'\n[[jobs]]\nid = 2\n[[jobs.steps]]\nrun = 'c'\n";
    assert_eq!(at(text, r#"["jobs"]"#), Some(("jobs", "[[jobs]]")));
    assert_eq!(at(text, r#"["jobs", 0]"#), Some(("[[jobs]]", "[[jobs]]")));
    assert_eq!(at(text, r#"["jobs", 1, "id"]"#), Some(("id", "2")));
    assert_eq!(
        at(text, r#"["jobs", 0, "steps", 1, "run"]"#),
        Some(("run", "'b'"))
    );
    assert_eq!(
        at(text, r#"["jobs", 1, "steps", 0, "run"]"#),
        Some(("run", "'c'"))
    );
}

#[test]
fn tables_out_of_order_have_the_place_of_their_own_header() {
    let text = "[a.b.c]\nx = 1\n[d]\n[a]\ny = 2\n[a.b]\nz = 3\n";
    assert_eq!(at(text, r#"["a"]"#), Some(("a", "[a]")));
    assert_eq!(at(text, r#"["a", "b"]"#), Some(("b", "[a.b]")));
    assert_eq!(at(text, r#"["a", "b", "c", "x"]"#), Some(("x", "1")));
    assert_eq!(at(text, r#"["a", "b", "z"]"#), Some(("z", "3")));
    assert_eq!(at(text, r#"["a", "y"]"#), Some(("y", "2")));
}

#[test]
fn a_route_beyond_the_document_has_the_place_of_what_there_is() {
    let text = "[tasks.lint]\nneeds = ['a']\n";
    assert_eq!(
        at(text, r#"["tasks", "lint", "run"]"#),
        Some(("lint", "[tasks.lint]"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs", 7]"#),
        Some(("needs", "['a']"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs", -1]"#),
        Some(("needs", "['a']"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs", "0"]"#),
        Some(("needs", "['a']"))
    );
    assert_eq!(
        at(text, r#"["tasks", "lint", "needs", 0, "x"]"#),
        Some(("'a'", "'a'"))
    );
    assert_eq!(at(text, r#"["jobs", "x"]"#), None);
    assert_eq!(at(text, "[0]"), None);
    assert_eq!(at(text, "[]"), None);
    assert_eq!(at("", r#"["a"]"#), None);
}

#[test]
fn offsets_are_bytes_also_after_a_byte_order_mark() {
    let text = "\u{feff}# é漢\nkey = 'ü'\n";
    assert_eq!(at(text, r#"["key"]"#), Some(("key", "'ü'")));
}

#[test]
fn routes_and_findings_that_are_not_what_they_should_be_are_refused() {
    for json in ["", "{}", "[1]", "[[null]]", "[[1.5]]"] {
        assert!(parse_routes(json).is_err(), "{json}");
    }
    for json in ["", "{}", "[{}]", "[1]"] {
        assert!(parse_findings(json).is_err(), "{json}");
    }
}

#[test]
fn a_finding_looks_as_in_the_style_guide() {
    let text = "[tasks.lint]\nrun = 'ruff'\n\n\n\n\ntimout = 30\n";
    let findings = r#"[{"level": "error", "code": "PIPEC_UNKNOWN_FIELD",
        "message": "a shell step has no field `timout`",
        "labels": [{"start": 30, "end": 36, "text": "did you mean `timeout`?", "primary": true}],
        "help": ["pipec explain PIPEC_UNKNOWN_FIELD"]}]"#;
    let expected = "\
error[PIPEC_UNKNOWN_FIELD]: a shell step has no field `timout`
 --> pipeline.toml:7:1
  |
7 | timout = 30
  | ^^^^^^ did you mean `timeout`?
  |
help: pipec explain PIPEC_UNKNOWN_FIELD
";
    assert_eq!(render(text, findings), expected);
}

#[test]
fn several_findings_are_set_apart_by_an_empty_line() {
    let findings = r#"[{"level": "warning", "code": "A", "message": "one", "labels": [], "help": []},
        {"level": "error", "code": "B", "message": "two\nlines", "labels": [], "help": ["x", "y"]}]"#;
    let expected = "\
warning[A]: one
 --> pipeline.toml

error[B]: two
          lines
 --> pipeline.toml
  |
help: x
help: y
";
    assert_eq!(render("a = 1\n", findings), expected);
    assert_eq!(render("a = 1\n", "[]"), "");
}

#[test]
fn a_finding_about_no_file_names_none() {
    let findings = parse_findings(&finding("", "")).unwrap();
    assert_eq!(
        render_findings("", "", &findings, false),
        "error[CODE]: it is wrong\n"
    );
}

#[test]
fn several_labels_are_drawn_in_one_excerpt() {
    let text = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\na = 7\n";
    let labels = r#"{"start": 36, "end": 37, "text": "again", "primary": true},
        {"start": 0, "end": 1, "text": "first here", "primary": false}"#;
    let expected = "\
error[CODE]: it is wrong
 --> pipeline.toml:7:1
  |
1 | a = 1
  | - first here
...
7 | a = 7
  | ^ again
";
    assert_eq!(render(text, &finding(labels, "")), expected);
}

#[test]
fn two_labels_may_share_a_line_or_a_place() {
    let text = "a = 1\n";
    for (start, end) in [(0, 1), (4, 5), (0, 5)] {
        let labels = format!("{}, {}", label(0, 1, "one"), label(start, end, "two"));
        let output = render(text, &finding(&labels, ""));
        assert!(output.contains("one") && output.contains("two"), "{output}");
    }
}

#[test]
fn tabs_and_wide_characters_do_not_move_the_caret() {
    let expected = "\
error[CODE]: it is wrong
 --> pipeline.toml:1:8
  |
1 |     漢字 = x
  |            ^ here
";
    // A tab is drawn as four columns, each of the two characters as two; the column counts characters.
    assert_eq!(
        render_at("\t漢字 = x\n", 10, 11),
        expected.replace(":1:8", ":1:7")
    );
}

#[test]
fn a_label_over_several_lines_is_drawn_at_its_first() {
    let expected = "\
error[CODE]: it is wrong
 --> pipeline.toml:1:5
  |
1 | a = [
  |     ^ here
";
    assert_eq!(render_at("a = [\n 1,\n]\n", 4, 11), expected);
    assert_eq!(render_at("a = [\r\n 1,\r\n]\r\n", 4, 13), expected);
}

#[test]
fn the_end_of_the_file_is_the_end_of_its_last_line() {
    let expected = "\
error[CODE]: it is wrong
 --> pipeline.toml:2:6
  |
2 | b = [
  |      ^ here
";
    for text in ["a = 1\nb = [", "a = 1\nb = [\n", "a = 1\r\nb = [\r\n"] {
        let end = i64::try_from(text.len()).unwrap();
        assert_eq!(render_at(text, end, end), expected, "{text:?}");
        assert_eq!(render_at(text, end + 5, end + 9), expected, "{text:?}");
        assert_eq!(render_at(text, i64::MAX, i64::MAX), expected, "{text:?}");
    }
}

#[test]
fn an_empty_text_can_be_pointed_at() {
    for (start, end) in [(0, 0), (-1, 9), (5, 3)] {
        let output = render_at("", start, end);
        assert!(output.contains(" --> pipeline.toml:1:1\n"), "{output}");
        assert!(output.ends_with("^ here\n"), "{output}");
    }
}

#[test]
fn no_pair_of_offsets_makes_the_renderer_fail() {
    for text in [
        "é\n漢\r\n\t😀\n\n",
        "\r",
        "\r\n",
        "\n\n",
        "é",
        "a\u{301}\u{200d}b\u{1b}[1m\0",
    ] {
        let length = i64::try_from(text.len()).unwrap();
        for start in -1..=length + 2 {
            for end in -1..=length + 2 {
                let output = render_at(text, start, end);
                assert!(output.contains("here"), "{text:?} {start} {end}: {output}");
            }
        }
    }
    let huge = label(0, 0, "here")
        .replace(": 0", ": 1e300")
        .replace("1e300,", "123456789012345678901234567890,");
    render("a", &finding(&huge, ""));
}

#[test]
fn an_offset_inside_a_character_means_all_of_it() {
    assert_eq!(render_at("é漢x\n", 3, 4), render_at("é漢x\n", 2, 5));
}

#[test]
fn a_long_line_is_cut_around_the_label() {
    let text = format!(
        "a = '{}', b = 3, c = '{}'\n",
        "x".repeat(5000),
        "y".repeat(5000)
    );
    let start = i64::try_from(text.find('b').unwrap()).unwrap();
    let output = render_at(&text, start, start + 1);
    assert!(output.lines().all(|line| line.len() <= 150), "{output}");
    assert!(
        output.contains("...") && output.contains("b = 3"),
        "{output}"
    );
    assert!(output.contains(":1:5009\n"), "{output}");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let findings = r#"[{"level": "error", "code": "C", "message": "m\u001b[31m",
        "labels": [{"start": 0, "end": 1, "text": "l\u001b[31m", "primary": true}],
        "help": ["h\u001b[31m"]}]"#;
    let findings = parse_findings(findings).unwrap();
    let output = render_findings("p\n\u{1b}[31m", "a = '\u{1b}[31m'\n", &findings, false);
    assert!(!output.contains('\u{1b}'), "{output}");
    assert!(output.contains("p␊␛[31m:1:1\n"), "{output}");
}

#[test]
fn what_is_not_unicode_is_replaced() {
    let findings = r#"[{"level": "error", "code": "C", "message": "no file `\udcff`", "labels": [],
        "help": ["\ud83d\ude00"]}]"#;
    let output = render("", findings);
    assert!(output.contains("no file `\u{fffd}"), "{output}");
    assert!(output.contains("help: 😀"), "{output}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let text = "a = 1\n";
    let findings = parse_findings(&finding(&label(0, 1, "here"), "\"help\"")).unwrap();
    let plain = render_findings("p", text, &findings, false);
    let coloured = render_findings("p", text, &findings, true);
    assert!(coloured.contains("\u{1b}[1m"), "{coloured:?}");
    let mut stripped = String::new();
    for (index, part) in coloured.split('\u{1b}').enumerate() {
        stripped += if index == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        };
    }
    assert_eq!(stripped, plain);
}

/// The entries of a text, a line each: the names that lead to it, what it is, its key and its value.
fn outlined(text: &str) -> Vec<String> {
    let entries = toml_outline(text);
    entries
        .iter()
        .map(|entry| {
            let mut names = Vec::new();
            let mut next = Some(entry);
            while let Some(entry) = next {
                names.push(match &entry.name {
                    Name::Key(key) => key.clone(),
                    Name::Index(index) => index.to_string(),
                });
                next = entry.parent.map(|index| &entries[index]);
            }
            names.reverse();
            let (key, value) = (&text[entry.key.clone()], &text[entry.value.clone()]);
            let value = value.lines().next().unwrap_or_default();
            format!("{} {:?} {key} -> {value}", names.join("/"), entry.kind)
        })
        .collect()
}

#[test]
fn an_outline_has_every_writing_of_every_key() {
    let text = "\
a = 1
[t.x]
b.c = ['u', { d = \"v\" }]
[[l]]
e = true
[[l]]
[l.f]
[t.x.y]
";
    let expected = [
        "a Plain a -> 1",
        "t Part t -> t",
        "t/x Header x -> [t.x]",
        "t/x/b Part b -> b",
        "t/x/b/c List c -> ['u', { d = \"v\" }]",
        "t/x/b/c/0 Text 'u' -> 'u'",
        "t/x/b/c/1 Table { d = \"v\" } -> { d = \"v\" }",
        "t/x/b/c/1/d Text d -> \"v\"",
        "l List l -> [[l",
        "l/0 Header l -> [[l]]",
        "l/0/e Plain e -> true",
        "l List l -> [[l",
        "l/1 Header l -> [[l]]",
        "l Part l -> l",
        "l/1 Part l -> [l.f",
        "l/1/f Header f -> [l.f]",
        "t Part t -> t",
        "t/x Part x -> x",
        "t/x/y Header y -> [t.x.y]",
    ];
    assert_eq!(outlined(text), expected);
}

#[test]
fn what_is_half_written_swallows_nothing() {
    for (broken, entry) in [
        ("a = [\"x\n", "a List a -> [\"x"),
        ("a = { b = \"x\", \n", "a Table a -> { b = \"x\", "),
        ("a = [{ b = 1 ]\n", "a List a -> [{ b = 1 ]"),
        ("a = \"\"\"x\n", "a List a -> \"\"\"x"),
        ("a = \"x\n", "a Text a -> \"x"),
        ("a =\n", "a Missing a -> "),
        ("a\n", "a Missing a -> "),
    ] {
        for after in ["[t]\nz = 1\n", "\n# c\nz.y = 1\n", "[t\nz = 1\n"] {
            let text = format!("{broken}{after}");
            let outlined = outlined(&text);
            assert_eq!(outlined[0], entry, "{text}");
            let last = outlined.last().unwrap();
            assert!(last.ends_with("-> 1"), "{text}: {outlined:?}");
            assert!(!last.starts_with("a/"), "{text}: {outlined:?}");
        }
    }
}

/// What comes at the place of the `|` in a text: slot, route, what is written of it.
fn cursor(text: &str) -> Option<(Slot, String, String)> {
    let offset = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let cursor = toml_cursor(&text, offset)?;
    let names = cursor.route.iter().map(|name| match name {
        Name::Key(key) => key.clone(),
        Name::Index(index) => index.to_string(),
    });
    let route = names.collect::<Vec<_>>().join("/");
    Some((cursor.slot, route, text[cursor.start..offset].to_owned()))
}

#[test]
fn a_cursor_knows_what_comes() {
    for (text, slot, route, written) in [
        ("|", Slot::Key, "", ""),
        ("[t]\n|", Slot::Key, "t", ""),
        ("[t]\nab|c = 1\n", Slot::Key, "t", "ab"),
        ("[t]\na.b|\n", Slot::Key, "t/a", "b"),
        ("[t]\na.|\n[u]\n", Slot::Key, "t/a", ""),
        ("[t.|\n", Slot::Header, "t", ""),
        ("[t.a|]\n", Slot::Header, "t", "a"),
        ("[[t.a|]]\n", Slot::Header, "t", "a"),
        ("a = |\n", Slot::Value, "a", ""),
        ("a = tr|ue\n", Slot::Value, "a", "tr"),
        ("a = \"x|\nb = 1\n", Slot::Value, "a", "\"x"),
        ("a = [\"x\", \"y|\nb = 1\n", Slot::Value, "a/1", "\"y"),
        ("a = [\n\"x\",\n|\n]\nb = 1\n", Slot::Value, "a/1", ""),
        ("a = [\n\"x\",\n|\n[t]\n", Slot::Value, "a/1", ""),
        ("a = [[1], [2, |\n", Slot::Value, "a/1/1", ""),
        ("a = { b = 1, c| }\n", Slot::Key, "a", "c"),
        ("a = [{ b = |\n", Slot::Value, "a/0/b", ""),
        ("[[t]]\n[[t]]\na|\n", Slot::Key, "t/1", "a"),
        ("x = [\n[t]\na|\n", Slot::Key, "t", "a"),
    ] {
        let expected = Some((slot, route.to_owned(), written.to_owned()));
        assert_eq!(cursor(text), expected, "{text}");
    }
    for text in [
        "a = 1 |\n",
        "# |\n",
        "a = 1 # |\n",
        "[t] |\n",
        "a |= 1\n",
        "a = [1 |]\n",
    ] {
        assert_eq!(cursor(text), None, "{text}");
    }
    assert_eq!(toml_cursor("é", 1), None);
    assert_eq!(toml_cursor("a", 9), None);
}
