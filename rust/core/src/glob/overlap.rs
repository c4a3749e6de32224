//! Whether two pattern sets can select a common path: for outputs that two tasks own.

use std::collections::HashMap;

use super::automaton::{Automaton, Rule, SetSpec};
use super::component::{ComponentGlob, Token};
use super::parse::{Component, Pattern, Sequence};

/// Two sets, by index, and a path that both select.
#[derive(Debug, PartialEq, Eq)]
pub struct Overlap {
    pub first: usize,
    pub second: usize,
    pub path: String,
}

/// The names of the folders that a pattern begins with.
type LiteralFolder = Vec<Box<[u8]>>;

/// All pairs of sets that select a common path. Each set is a list of globs and whether they exclude.
///
/// A pair is found by building a path that satisfies one pattern of each, and asking both sets about
/// it: what is reported is always true. Patterns are compared only along their literal folders, so that
/// ten thousand tasks with folders of their own cost no ten thousand squared.
pub fn overlaps(sets: &[Vec<(Pattern, bool)>]) -> Vec<Overlap> {
    let mut by_folder: HashMap<LiteralFolder, Vec<(usize, &Sequence)>> = HashMap::new();
    for (set, patterns) in sets.iter().enumerate() {
        for (pattern, _) in patterns.iter().filter(|(_, exclude)| !exclude) {
            for sequence in &pattern.alternatives {
                by_folder
                    .entry(literal_folder(sequence))
                    .or_default()
                    .push((set, sequence));
            }
        }
    }
    let mut deciders: HashMap<usize, Automaton> = HashMap::new();
    let mut found: HashMap<(usize, usize), String> = HashMap::new();
    let mut folders: Vec<_> = by_folder.keys().collect();
    folders.sort();
    for folder in folders {
        let own = &by_folder[folder];
        for length in 0..=folder.len() {
            let Some(others) = by_folder.get(&folder[..length]) else {
                continue;
            };
            for &(a, left) in own {
                for &(b, right) in others {
                    let pair = (a.min(b), a.max(b));
                    if a == b || found.contains_key(&pair) {
                        continue;
                    }
                    let common = witnesses(left, right).into_iter().find(|path| {
                        [a, b].into_iter().all(|set| {
                            let decider =
                                deciders.entry(set).or_insert_with(|| decider(&sets[set]));
                            decider.selects(0, path.as_bytes(), false)
                        })
                    });
                    if let Some(path) = common {
                        found.insert(pair, path);
                    }
                }
            }
        }
    }
    let mut pairs: Vec<_> = found
        .into_iter()
        .map(|((first, second), path)| Overlap {
            first,
            second,
            path,
        })
        .collect();
    pairs.sort_by_key(|pair| (pair.first, pair.second));
    pairs
}

/// Whether any pattern of one list could match what a pattern of the other matches.
pub fn sets_may_meet(left: &[&Pattern], right: &[&Pattern]) -> bool {
    left.iter().flat_map(|p| &p.alternatives).any(|a| {
        right
            .iter()
            .flat_map(|p| &p.alternatives)
            .any(|b| !witnesses(a, b).is_empty())
    })
}

fn decider(patterns: &[(Pattern, bool)]) -> Automaton {
    let rules = patterns.iter().map(|(pattern, exclude)| Rule::Glob {
        pattern: pattern.clone(),
        exclude: *exclude,
    });
    Automaton::new(&[SetSpec {
        rules: rules.collect(),
        respects_ignore_files: false,
        is_outputs: true,
    }])
}

/// The literal components that a sequence begins with: its own folder, or for a file the file.
fn literal_folder(sequence: &Sequence) -> LiteralFolder {
    let mut names = Vec::new();
    for component in &sequence.components {
        match component {
            Component::Literal(name) => names.push(name.clone()),
            Component::Wild(_) | Component::Folders => break,
        }
    }
    names
}

/// Paths that both sequences match: the shortest, and one a folder deeper where that is possible.
fn witnesses(left: &Sequence, right: &Sequence) -> Vec<String> {
    let (left, right) = (everything_below(left), everything_below(right));
    let mut search = Search {
        path: Vec::new(),
        found: Vec::new(),
        steps: MOST_STEPS,
    };
    search.meet(&left, &right);
    search.found
}

/// A sequence without magic may name a folder: then it goes on below.
fn everything_below(sequence: &Sequence) -> Vec<Component> {
    let mut components = sequence.components.clone();
    if sequence.is_literal() {
        components.push(Component::Folders);
    }
    components
}

const ENOUGH: usize = 8;
/// Patterns with many `**` on both sides have more ways to meet than are worth trying.
const MOST_STEPS: usize = 10_000;

struct Search {
    path: Vec<String>,
    found: Vec<String>,
    steps: usize,
}

impl Search {
    fn meet(&mut self, left: &[Component], right: &[Component]) {
        if self.found.len() >= ENOUGH || self.steps == 0 {
            return;
        }
        self.steps -= 1;
        match (left, right) {
            ([], []) => self.found.push(self.path.join("/")),
            ([Component::Folders], [Component::Folders]) => {
                // What is named without magic may be a file: better than one that nobody wrote.
                self.found.push(self.path.join("/"));
                self.below("x".into(), |search| {
                    search.found.push(search.path.join("/"));
                });
            }
            ([Component::Folders, rest @ ..], other) | (other, [Component::Folders, rest @ ..]) => {
                // `**` stands for no folder, or takes the other side's next component as one more.
                self.meet(rest, other);
                if let [head, tail @ ..] = other {
                    let whole = [&[Component::Folders], rest].concat();
                    match head {
                        Component::Folders => self.meet(&whole, tail),
                        Component::Literal(_) | Component::Wild(_) => {
                            self.below(example(head), |search| search.meet(&whole, tail));
                        }
                    }
                }
            }
            ([a, left @ ..], [b, right @ ..]) => {
                if let Some(name) = common_name(a, b) {
                    self.below(name, |search| search.meet(left, right));
                }
            }
            ([], _) | (_, []) => {}
        }
    }

    fn below(&mut self, name: String, search: impl FnOnce(&mut Self)) {
        self.path.push(name);
        search(self);
        self.path.pop();
    }
}

fn example(component: &Component) -> String {
    match component {
        Component::Literal(name) => String::from_utf8_lossy(name).into_owned(),
        Component::Wild(glob) => Some(glob.example())
            .filter(|e| !e.is_empty())
            .unwrap_or("x".into()),
        Component::Folders => "x".into(),
    }
}

fn common_name(left: &Component, right: &Component) -> Option<String> {
    match (left, right) {
        (Component::Literal(a), Component::Literal(b)) => (a == b).then(|| example(left)),
        (Component::Literal(name), Component::Wild(glob))
        | (Component::Wild(glob), Component::Literal(name)) => glob
            .matches(name)
            .then(|| String::from_utf8_lossy(name).into_owned()),
        (Component::Wild(a), Component::Wild(b)) => common_to_globs(a, b),
        (Component::Folders, other) | (other, Component::Folders) => Some(example(other)),
    }
}

/// A name that both globs match, by walking the pairs of their positions breadth first.
fn common_to_globs(left: &ComponentGlob, right: &ComponentGlob) -> Option<String> {
    let (left, right) = (left.tokens(), right.tokens());
    let mut seen = vec![false; (left.len() + 1) * (right.len() + 1)];
    let mut queue = std::collections::VecDeque::from([(0, 0, String::new())]);
    while let Some((i, j, name)) = queue.pop_front() {
        let place = i * (right.len() + 1) + j;
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        match (left.get(i), right.get(j)) {
            (None, None) => return Some(if name.is_empty() { "x".into() } else { name }),
            (Some(Token::Any), None) => queue.push_back((i + 1, j, name)),
            (None, Some(Token::Any)) => queue.push_back((i, j + 1, name)),
            (Some(a), Some(b)) => {
                let (any_a, any_b) = (*a == Token::Any, *b == Token::Any);
                if any_a {
                    queue.push_back((i + 1, j, name.clone()));
                }
                if any_b {
                    queue.push_back((i, j + 1, name.clone()));
                }
                if let Some(c) = a.meets(b).filter(|_| !(any_a && any_b)) {
                    let next = (i + usize::from(!any_a), j + usize::from(!any_b));
                    queue.push_back((next.0, next.1, format!("{name}{c}")));
                }
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_overlap(left: &[&str], right: &[&str]) -> Option<String> {
        let parse = |globs: &[&str]| {
            let parsed = globs.iter().map(|glob| match glob.strip_prefix('!') {
                Some(glob) => (Pattern::parse(glob).unwrap(), true),
                None => (Pattern::parse(glob).unwrap(), false),
            });
            parsed.collect::<Vec<_>>()
        };
        overlaps(&[parse(left), parse(right)])
            .pop()
            .map(|overlap| overlap.path)
    }

    #[test]
    fn folders_within_each_other_overlap() {
        assert!(first_overlap(&["dist/**"], &["dist/types/**"]).is_some());
        assert!(first_overlap(&["dist"], &["dist/a.js"]).is_some());
        assert!(first_overlap(&["**/*.js"], &["a/b/c.js"]).is_some());
        assert!(first_overlap(&["**/x"], &["a/**"]).is_some());
        assert!(first_overlap(&["a"], &["a"]).is_some());
    }

    #[test]
    fn a_file_that_both_name_is_the_example() {
        for right in ["a/b.js", "a/**", "a", "**/b.js"] {
            let path = first_overlap(&["a/b.js"], &[right]);
            assert_eq!(path.as_deref(), Some("a/b.js"), "{right}");
        }
        assert_eq!(first_overlap(&["a/**"], &["a/**"]).as_deref(), Some("a/x"));
    }

    #[test]
    fn folders_beside_each_other_do_not() {
        assert_eq!(first_overlap(&["dist/a/**"], &["dist/b/**"]), None);
        assert_eq!(first_overlap(&["dist/*.js"], &["dist/*.css"]), None);
        assert_eq!(first_overlap(&["a/*"], &["a/b/*"]), None);
        assert_eq!(first_overlap(&["**/*.js"], &["src/*.ts"]), None);
    }

    #[test]
    fn what_one_side_excludes_does_not_count() {
        assert_eq!(
            first_overlap(&["dist/**", "!dist/types/**"], &["dist/types/**"]),
            None
        );
        assert!(first_overlap(&["dist/**", "!dist/types/**"], &["dist/**"]).is_some());
    }

    #[test]
    fn globs_of_one_component_meet_where_a_name_fits_both() {
        assert_eq!(first_overlap(&["a*c"], &["ab*"]).as_deref(), Some("abc"));
        assert_eq!(
            first_overlap(&["[a-c]x"], &["[c-e]?"]).as_deref(),
            Some("cx")
        );
        assert_eq!(first_overlap(&["a*b"], &["a*c"]), None);
        assert_eq!(first_overlap(&["?"], &["??"]), None);
    }
}
