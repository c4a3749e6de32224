//! Which patterns of a list match a path, each asked for itself: to say which one decides.

use super::automaton::{Automaton, Rule, SetId, SetSpec};
use super::parse::Pattern;

/// For each path, the indexes of the patterns that match it, in ascending order.
///
/// A path is a file: unlike in a pattern, there is nothing below it.
pub fn matching(patterns: &[Pattern], paths: &[impl AsRef<[u8]>]) -> Vec<Vec<SetId>> {
    let alone = |pattern: &Pattern| SetSpec {
        rules: vec![Rule::Glob {
            pattern: pattern.clone(),
            exclude: false,
        }],
        respects_ignore_files: false,
        // So that `node_modules` can be matched: whether it counts is the caller's business.
        is_outputs: true,
    };
    let automaton = Automaton::new(&patterns.iter().map(alone).collect::<Vec<_>>());
    let of_path = |path: &_| {
        automaton
            .selecting_path(AsRef::<[u8]>::as_ref(path))
            .to_vec()
    };
    paths.iter().map(of_path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_no_folder_with_files_below() {
        let globs = ["src/**", "src/**/*.md", "src/a.ts", "src"];
        let patterns = globs.map(|glob| Pattern::parse(glob).unwrap());
        let found = matching(&patterns, &["src/a.ts", "src/b.md", "lib/a"]);
        assert_eq!(found, [vec![0, 2, 3], vec![0, 1, 3], vec![]]);
    }
}
