//! Globs from a pipeline file: parsed, matched along a path, compared with each other.

use pipec_core::glob::{Automaton, Component, Pattern, Rule, SetSpec, overlaps};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut patterns = Vec::new();
    for line in text.lines() {
        let (glob, exclude) = match line.strip_prefix('!') {
            Some(glob) => (glob, true),
            None => (line, false),
        };
        match Pattern::parse(glob) {
            Ok(pattern) => patterns.push((pattern, exclude)),
            Err(problem) => {
                assert!(problem.start <= problem.end && problem.end <= glob.len());
                assert!(!problem.message.is_empty());
            }
        }
    }
    let automaton = Automaton::new(&[spec(&patterns)]);
    for path in text.lines().chain(["a", "src/a", "a/node_modules/b", ""]) {
        let selected = automaton.selects(0, path.as_bytes(), false);
        let _ = automaton.selects(0, path.as_bytes(), true);
        if selected {
            // One of the patterns alone has to say so too.
            let positive = patterns.iter().filter(|(_, exclude)| !exclude);
            assert!(positive.into_iter().any(|one| {
                Automaton::new(&[spec(std::slice::from_ref(one))]).selects(
                    0,
                    path.as_bytes(),
                    false,
                )
            }));
        }
    }
    for (pattern, _) in &patterns {
        for sequence in &pattern.alternatives {
            for component in &sequence.components {
                if let Component::Wild(glob) = component {
                    let _ = glob.example();
                    let _ = glob.matches(bytes);
                }
            }
        }
    }
    let half = patterns.len() / 2;
    let sets = [patterns[..half].to_vec(), patterns[half..].to_vec()];
    for overlap in overlaps(&sets) {
        for set in &sets {
            let owner = SetSpec {
                is_outputs: true,
                ..spec(set)
            };
            assert!(Automaton::new(&[owner]).selects(0, overlap.path.as_bytes(), false));
        }
    }
}

fn spec(patterns: &[(Pattern, bool)]) -> SetSpec {
    let rule = |(pattern, exclude): &(Pattern, bool)| Rule::Glob {
        pattern: pattern.clone(),
        exclude: *exclude,
    };
    SetSpec {
        rules: patterns.iter().map(rule).collect(),
        respects_ignore_files: true,
        is_outputs: false,
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "src/**\n!src/**/*.tmp\n*.md\nsrc/a.rs",
        "a/{b,c{d,e}}/[!x-z]?*\n**/[]a]\n\\*\na/b/ay",
        "**/node_modules/**\nnode_modules/*\n.\na/",
        "[a-\\]]\n{,a}\n{a}\n***\n[\n}\n../a\n/a",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
