//! From the text of a glob to sequences of components.

use std::collections::HashSet;
use std::fmt;

use super::component::{ComponentGlob, Token};

/// More alternatives than this in one pattern's braces are taken for a mistake.
const MOST_ALTERNATIVES: usize = 1024;

/// More bytes than this to look at while braces are expanded: nobody means that, and it takes seconds.
const MOST_WORK: usize = 16 << 20;

/// A parsed glob: what its braces expand to.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub alternatives: Vec<Sequence>,
}

/// Components from the top folder down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    pub components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    Literal(Box<[u8]>),
    Wild(ComponentGlob),
    /// `**`: any number of folders; at the end of a pattern, everything below.
    Folders,
}

/// Why a pattern cannot be used, and which bytes of it are to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub start: usize,
    pub end: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Sequence {
    /// Without magic: it names one file, or one folder and everything below it.
    pub fn is_literal(&self) -> bool {
        let mut components = self.components.iter();
        components.all(|component| matches!(component, Component::Literal(_)))
    }

    /// The folder that holds everything which this matches, as far as its first names without magic tell;
    /// empty for the top folder. What it names itself lies in that folder too.
    pub fn literal_folder(&self) -> Vec<u8> {
        let mut names = self.first_names();
        // The last of the names may be a file, or a link in the place of a folder.
        names.pop();
        names.join(&b'/')
    }

    /// The path at which, or below which, everything lies that this matches: its first names without magic.
    /// Empty if it has none.
    pub fn literal_prefix(&self) -> Vec<u8> {
        self.first_names().join(&b'/')
    }

    fn first_names(&self) -> Vec<&[u8]> {
        let names = self
            .components
            .iter()
            .map_while(|component| match component {
                Component::Literal(name) => Some(&**name),
                Component::Wild(_) | Component::Folders => None,
            });
        names.collect()
    }

    /// The path that a sequence without magic names.
    pub fn literal_path(&self) -> Option<Vec<u8>> {
        let mut names = Vec::with_capacity(self.components.len());
        for component in &self.components {
            match component {
                Component::Literal(name) => names.push(&**name),
                Component::Wild(_) | Component::Folders => return None,
            }
        }
        Some(names.join(&b'/'))
    }
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, Problem> {
        check_text(text)?;
        let mut alternatives = Vec::new();
        let mut known = HashSet::new();
        for expanded in expand(text)? {
            let sequence = parse_sequence(&expanded).map_err(|message| whole(text, message))?;
            if known.insert(sequence.clone()) {
                alternatives.push(sequence);
            }
        }
        Ok(Self { alternatives })
    }
}

fn whole(text: &str, message: impl Into<String>) -> Problem {
    Problem {
        message: message.into(),
        start: 0,
        end: text.len(),
    }
}

/// Finds what is wrong with the text as written, where its place is still known.
fn check_text(text: &str) -> Result<(), Problem> {
    let problem = |message: &str, start: usize, end: usize| {
        Err(Problem {
            message: message.into(),
            start,
            end,
        })
    };
    if text.is_empty() {
        return problem("a pattern cannot be empty", 0, 0);
    }
    let bytes = text.as_bytes();
    let mut braces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            0 => return problem("a pattern cannot hold a NUL", at, at + 1),
            b'\\' if at + 1 == bytes.len() => {
                return problem("nothing follows the backslash", at, at + 1);
            }
            b'\\' => at += 1,
            b'[' => match class_end(bytes, at) {
                Some(end) => at = end,
                None => return problem("this class is not closed with `]`", at, at + 1),
            },
            b'{' => braces.push(at),
            b'}' => match braces.pop() {
                Some(open) if open + 1 == at => {
                    return problem("these braces are empty", open, at + 1);
                }
                Some(_) => {}
                None => return problem("no `{` opens this brace", at, at + 1),
            },
            b'*' if bytes.get(at + 1) == Some(&b'*') => {
                let end = at + bytes[at..].iter().take_while(|&&b| b == b'*').count();
                let before = at == 0 || matches!(bytes[at - 1], b'/' | b'{' | b',');
                let after = matches!(bytes.get(end), None | Some(b'/' | b'}' | b','));
                if end - at != 2 || !before || !after {
                    return problem("`**` has to stand alone between slashes", at, end);
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    match braces.pop() {
        Some(open) => problem("this brace is not closed with `}`", open, open + 1),
        None => Ok(()),
    }
}

/// The index of the `]` that closes the class opened at `open`.
fn class_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    if matches!(bytes.get(at), Some(b'!' | b'^')) {
        at += 1;
    }
    // A `]` in the first place is a member.
    if bytes.get(at) == Some(&b']') {
        at += 1;
    }
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'/' => return None,
            b']' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// All texts that the braces stand for.
fn expand(text: &str) -> Result<Vec<String>, Problem> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    let mut work: usize = 0;
    while let Some(next) = open.pop() {
        work += next.len();
        match first_braces(&next) {
            None => done.push(next),
            Some((start, end, commas)) => {
                let mut from = start + 1;
                let mut variants = Vec::new();
                for to in commas.into_iter().chain([end]) {
                    variants.push(format!(
                        "{}{}{}",
                        &next[..start],
                        &next[from..to],
                        &next[end + 1..]
                    ));
                    from = to + 1;
                }
                // The stack gives back the first alternative first.
                open.extend(variants.into_iter().rev());
            }
        }
        if done.len() + open.len() > MOST_ALTERNATIVES {
            let message = format!("its braces stand for more than {MOST_ALTERNATIVES} patterns");
            return Err(whole(text, message));
        }
        if work > MOST_WORK && !open.is_empty() {
            return Err(whole(text, "its braces stand for too much text"));
        }
    }
    Ok(done)
}

/// The first top-level braces: where they open, where they close, and the commas between.
fn first_braces(text: &str) -> Option<(usize, usize, Vec<usize>)> {
    let bytes = text.as_bytes();
    let (mut depth, mut start, mut commas) = (0_usize, 0, Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => at = class_end(bytes, at).unwrap_or(at),
            b'{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b',' if depth == 1 => commas.push(at),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((start, at, commas));
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn parse_sequence(text: &str) -> Result<Sequence, String> {
    if text.starts_with('/') {
        return Err("a pattern is relative: it cannot begin with a slash".into());
    }
    let mut components = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err("a pattern cannot leave the folder: `..`".into()),
            "**" if components.last() == Some(&Component::Folders) => {}
            "**" => components.push(Component::Folders),
            _ if part.contains("**") => {
                return Err("`**` has to stand alone between slashes".into());
            }
            _ => components.push(parse_component(part)),
        }
    }
    let mut sequence = Sequence { components };
    // `packages/*/` means what is in the folders.
    if text.ends_with('/') && !sequence.is_literal() {
        sequence.components.push(Component::Folders);
    }
    Ok(sequence)
}

fn parse_component(part: &str) -> Component {
    let tokens = tokens(part);
    let literal: Option<String> = tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => Some(*c),
            _ => None,
        })
        .collect();
    match literal {
        Some(text) => Component::Literal(text.into_bytes().into()),
        None => Component::Wild(ComponentGlob::new(tokens)),
    }
}

fn tokens(part: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = part.char_indices();
    while let Some((at, c)) = chars.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Char(chars.next().map_or('\\', |(_, c)| c)),
            '[' => match class_end(part.as_bytes(), at) {
                Some(end) => {
                    while chars.clone().next().is_some_and(|(next, _)| next <= end) {
                        chars.next();
                    }
                    class(&part[at + 1..end])
                }
                None => Token::Char('['),
            },
            other => Token::Char(other),
        });
    }
    tokens.dedup_by(|next, last| *next == Token::Any && *last == Token::Any);
    tokens
}

fn class(inside: &str) -> Token {
    let (negated, inside) = match inside.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let mut members = Vec::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        let escaped = c == '\\';
        members.push((
            if escaped {
                chars.next().unwrap_or('\\')
            } else {
                c
            },
            escaped,
        ));
    }
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        let low = members[at].0;
        if at + 2 < members.len() && members[at + 1] == ('-', false) {
            ranges.push((low, members[at + 2].0));
            at += 3;
        } else {
            ranges.push((low, low));
            at += 1;
        }
    }
    Token::Class { negated, ranges }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_that_would_take_forever_are_refused() {
        let deep = "{".repeat(20_000) + "a" + &"}".repeat(20_000);
        let long = "x".repeat(100_000) + &"{a,b}".repeat(10);
        let many = "{a,b}".repeat(10) + &"{a}".repeat(5_000);
        for text in [deep, long, many] {
            let problem = Pattern::parse(&text).unwrap_err();
            assert_eq!(problem.message, "its braces stand for too much text");
        }
        let plain = "x".repeat(1 << 25);
        assert_eq!(shown(&plain), [plain.as_str()]);
        let names: Vec<String> = (0..1000)
            .map(|number| "n".repeat(100) + &number.to_string())
            .collect();
        assert_eq!(shown(&format!("{{{}}}", names.join(","))), names);
    }

    fn shown(text: &str) -> Vec<String> {
        let pattern = Pattern::parse(text).unwrap();
        let show = |component: &Component| match component {
            Component::Literal(name) => String::from_utf8_lossy(name).into_owned(),
            Component::Wild(_) => "WILD".to_owned(),
            Component::Folders => "**".to_owned(),
        };
        let alternatives = pattern.alternatives.iter();
        alternatives
            .map(|sequence| {
                sequence
                    .components
                    .iter()
                    .map(show)
                    .collect::<Vec<_>>()
                    .join("/")
            })
            .collect()
    }

    #[test]
    fn braces_expand_also_across_slashes_and_nested() {
        assert_eq!(shown("a/{b/c,d}/e"), ["a/b/c/e", "a/d/e"]);
        assert_eq!(shown("{a,b{c,d}}"), ["a", "bc", "bd"]);
        assert_eq!(shown(r"\{a,b\}"), ["{a,b}"]);
        assert_eq!(shown("[{,}]"), ["WILD"]);
        assert_eq!(shown("x{,.bak}"), ["x", "x.bak"]);
    }

    #[test]
    fn needless_parts_fall_away() {
        assert_eq!(shown("./a//b/./c"), ["a/b/c"]);
        assert_eq!(shown("a/**/**/b"), ["a/**/b"]);
        assert_eq!(shown("dist/"), ["dist"]);
        assert_eq!(shown("*/"), ["WILD/**"]);
        assert_eq!(shown("."), [""]);
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let problem = |text: &str| {
            let problem = Pattern::parse(text).unwrap_err();
            (problem.start, problem.end)
        };
        assert_eq!(problem("src/[ab"), (4, 5));
        assert_eq!(problem("src/{a,b"), (4, 5));
        assert_eq!(problem("src/a}"), (5, 6));
        assert_eq!(problem("src/a**"), (5, 7));
        assert_eq!(problem("a/***"), (2, 5));
        assert_eq!(problem("a\\"), (1, 2));
        assert_eq!(problem("{}"), (0, 2));
        assert_eq!(problem("a/../b"), (0, 6));
        assert_eq!(problem(""), (0, 0));
        assert!(Pattern::parse(&"{a,b}".repeat(11)).is_err());
    }
}
