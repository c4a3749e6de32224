use super::*;

fn set(rules: &[&str]) -> SetSpec {
    let rules = rules.iter().map(|rule| match rule.strip_prefix('!') {
        Some(glob) => Rule::Glob {
            pattern: Pattern::parse(glob).unwrap(),
            exclude: true,
        },
        None => Rule::Glob {
            pattern: Pattern::parse(rule).unwrap(),
            exclude: false,
        },
    });
    SetSpec {
        rules: rules.collect(),
        respects_ignore_files: true,
        is_outputs: false,
    }
}

fn selects(rules: &[&str], path: &str) -> bool {
    Automaton::new(&[set(rules)]).selects(0, path.as_bytes(), false)
}

#[test]
fn the_last_rule_that_matches_decides() {
    let rules = ["src/**", "!src/test/**", "src/test/keep.ts"];
    assert!(selects(&rules, "src/a/b.ts"));
    assert!(!selects(&rules, "src/test/a.ts"));
    assert!(selects(&rules, "src/test/keep.ts"));
    assert!(!selects(&rules, "lib/a.ts"));
}

#[test]
fn double_stars_stand_for_any_number_of_folders() {
    assert!(selects(&["**/*.ts"], "a.ts"));
    assert!(selects(&["**/*.ts"], "x/y/a.ts"));
    assert!(selects(&["a/**/z"], "a/z"));
    assert!(selects(&["a/**/z"], "a/b/c/z"));
    assert!(!selects(&["a/**/z"], "a/b/c/y"));
    assert!(selects(&["**"], "any/thing"));
    assert!(!selects(&["src/**"], "src"));
    assert!(!selects(&["src/*"], "src/a/b"));
}

#[test]
fn a_pattern_without_magic_takes_a_file_or_a_whole_folder() {
    assert!(selects(&["src"], "src"));
    assert!(selects(&["src"], "src/a/b"));
    assert!(selects(&["."], "anything/at/all"));
    assert!(!selects(&["src"], "srcs"));
}

#[test]
fn node_modules_is_never_an_input_but_may_be_an_output() {
    assert!(!selects(&["**"], "node_modules/a.js"));
    assert!(!selects(&["node_modules/a.js"], "node_modules/a.js"));
    let mut outputs = set(&["node_modules/**"]);
    outputs.is_outputs = true;
    let automaton = Automaton::new(&[outputs]);
    assert!(automaton.selects(0, b"node_modules/a/node_modules/b.js", false));
    let mut some = set(&["node_modules/**", "!**/*.map"]);
    some.is_outputs = true;
    let automaton = Automaton::new(&[some]);
    assert!(automaton.selects(0, b"node_modules/a.js", false));
    assert!(!automaton.selects(0, b"node_modules/a.map", false));
    let mut everything = set(&["**"]);
    everything.is_outputs = true;
    assert!(!Automaton::new(&[everything]).selects(0, b"node_modules/a.js", false));
}

#[test]
fn a_group_counts_as_one() {
    let source = set(&["src/**", "!src/gen/**"]);
    let mut whole = set(&["**"]);
    whole.rules.push(Rule::Group {
        set: 0,
        exclude: true,
    });
    let mut early = set(&["src/gen/a"]);
    early.rules.push(Rule::Group {
        set: 0,
        exclude: false,
    });
    let automaton = Automaton::new(&[source, whole, early]);
    assert!(!automaton.selects(1, b"src/a", false));
    assert!(automaton.selects(1, b"src/gen/a", false));
    assert!(automaton.selects(1, b"lib/a", false));
    // The group does not take in `src/gen`, but neither does it take it out.
    assert!(automaton.selects(2, b"src/gen/a", false));
    assert!(automaton.selects(2, b"src/b", false));
}

#[test]
fn folders_without_hope_are_not_entered() {
    let automaton = Automaton::new(&[set(&["packages/a/src/**", "!other/**"])]);
    let at = |path: &str| {
        let names = path.split('/');
        names.fold(automaton.start(), |state, name| {
            automaton.step(&state, name.as_bytes())
        })
    };
    assert!(at("packages").can_enter);
    assert!(at("packages/a/src/deep/er").can_enter);
    assert!(!at("packages/b").can_enter);
    assert!(!at("other").can_enter);
}

#[test]
fn what_is_ignored_is_taken_only_by_its_own_name() {
    let automaton = Automaton::new(&[set(&["build/**"]), set(&["build/keep"])]);
    let names: [&[u8]; 3] = [b"build", b"keep", b"a"];
    let mut state = automaton.start();
    for name in names {
        state = automaton.step(&state, name);
    }
    assert_eq!(&*automaton.selecting(&state, None), [0, 1]);
    // `build` is ignored: only the pattern that names a folder below takes it.
    assert_eq!(&*automaton.selecting(&state, Some(1)), [1]);
    // Something below the named folder is ignored itself.
    assert!(automaton.selecting(&state, Some(3)).is_empty());
}

#[test]
fn many_states_are_shared() {
    let automaton = Automaton::new(&[set(&["**/*.ts", "**/*.json"])]);
    let mut state = automaton.start();
    for depth in 0..50 {
        state = automaton.step(&state, format!("d{depth}").as_bytes());
    }
    assert!(automaton.states.read().unwrap().len() <= 3);
}
