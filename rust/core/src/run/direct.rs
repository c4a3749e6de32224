//! Commands that need no shell: plain words, and a program that is not part of the shell.

/// What a shell does itself, or reads as something else than the name of a program. `true` and `false`
/// are programs as well, and do the same.
const OF_THE_SHELL: [&str; 74] = [
    "!", ".", ":", "[", "[[", "]]", "alias", "bg", "bind", "break", "builtin", "caller", "case",
    "cd", "chdir", "command", "compgen", "complete", "continue", "coproc", "declare", "dirs",
    "disown", "do", "done", "echo", "elif", "else", "enable", "esac", "eval", "exec", "exit",
    "export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "help", "history", "if",
    "in", "jobs", "kill", "let", "local", "logout", "popd", "printf", "pushd", "pwd", "read",
    "readonly", "return", "select", "set", "shift", "shopt", "source", "suspend", "test", "then",
    "time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset",
];
const MORE_OF_THE_SHELL: [&str; 4] = ["until", "wait", "while", "mapfile"];

/// The words of a command in which nothing means anything to a shell.
///
/// Whatever is not quite as plain is left to the shell, and so is a program that turns out not to be there:
/// the shell has its own words for that.
pub(super) fn words(command: &str) -> Option<Vec<String>> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" _@%+=:,./-".contains(&byte);
    if !command.bytes().all(is_plain) {
        return None;
    }
    let words: Vec<String> = command
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let program = words.first()?.as_str();
    let is_name = !program.contains('=')
        && !OF_THE_SHELL.contains(&program)
        && !MORE_OF_THE_SHELL.contains(&program);
    is_name.then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_need_no_shell() {
        for command in ["true", "cat a/b.c", "  ls  -l --color=never ", "/bin/cat x"] {
            assert!(words(command).is_some(), "{command}");
        }
    }

    #[test]
    fn what_means_something_to_a_shell_is_left_to_it() {
        for command in [
            "",
            " ",
            "cat a; b",
            "cat $A",
            "cat 'a'",
            "cat a*",
            "cat ~",
            "A=1 cat",
            "cd a",
            "exit 3",
            "echo a",
            "exec cat",
            "cat a > b",
            "cat a\ncat b",
            "cat # a",
            "cat {a,b}",
            "cat a &",
            "cat \u{e9}",
            "cat\ta",
        ] {
            assert_eq!(words(command), None);
        }
    }
}
