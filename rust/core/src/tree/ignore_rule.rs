//! One line of an ignore file, with the meaning that it has for git: of bytes, not of characters.

/// What a line says of the paths that it names.
pub(super) struct IgnoreRule {
    /// It begins with `!`: what it names is not ignored.
    pub is_negated: bool,
    /// It ends with `/`.
    is_for_folders: bool,
    /// It has a slash elsewhere, and is of whole paths below its file's folder; else of names.
    is_of_paths: bool,
    matcher: Matcher,
}

/// Most lines are one of the first two.
enum Matcher {
    Literal(Vec<u8>),
    /// `*.log`
    Suffix(Vec<u8>),
    Wild {
        prefix: Vec<u8>,
        tokens: Vec<Token>,
    },
    Nothing,
}

enum Token {
    Byte(u8),
    /// `?`: any byte but a slash.
    One,
    /// `*`
    Star,
    /// `**/`
    Folders,
    /// `**` at the end.
    Everything,
    Class {
        is_negated: bool,
        members: Box<[bool; 256]>,
    },
}

impl IgnoreRule {
    /// None for a line that is empty or a comment.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = without_trailing_spaces(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() || line[0] == b'#' {
            return None;
        }
        let (is_negated, line) = split_prefix(line, b'!');
        let (is_for_folders, line) = match line.strip_suffix(b"/") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let is_of_paths = line.contains(&b'/');
        let pattern = line.strip_prefix(b"/").unwrap_or(line);
        Some(Self {
            is_negated,
            is_for_folders,
            is_of_paths,
            matcher: Matcher::parse(pattern, is_of_paths),
        })
    }

    /// `path` is relative to the folder of the ignore file.
    pub(super) fn names(&self, path: &[u8], is_folder: bool) -> bool {
        if self.is_for_folders && !is_folder {
            return false;
        }
        if self.is_of_paths {
            return self.matcher.matches(path);
        }
        let name = path.rsplit(|byte| *byte == b'/').next();
        self.matcher.matches(name.unwrap_or(path))
    }
}

impl Matcher {
    fn parse(pattern: &[u8], is_of_paths: bool) -> Self {
        let is_plain = |part: &[u8]| !part.iter().any(|byte| b"*?[\\".contains(byte));
        if pattern.is_empty() {
            return Self::Nothing;
        }
        if is_plain(pattern) {
            return Self::Literal(pattern.into());
        }
        if let Some(suffix) = pattern.strip_prefix(b"*")
            && is_plain(suffix)
            && !is_of_paths
        {
            return Self::Suffix(suffix.into());
        }
        let magic = pattern.iter().position(|byte| b"*?[\\".contains(byte));
        let (prefix, wild) = pattern.split_at(magic.unwrap_or(0));
        match tokens(wild) {
            Some(tokens) => Self::Wild {
                prefix: prefix.into(),
                tokens,
            },
            None => Self::Nothing,
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::Wild { prefix, tokens } => text
                .strip_prefix(&**prefix)
                .is_some_and(|rest| fits(tokens, rest)),
            Self::Nothing => false,
        }
    }
}

/// What comes after the literal beginning of a pattern. None if it can match nothing.
fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        let rest = &pattern[at..];
        let (token, length) = match rest[0] {
            b'\\' => (Token::Byte(*rest.get(1)?), 2),
            b'?' => (Token::One, 1),
            b'[' => class(rest)?,
            b'*' => {
                let stars = rest.iter().take_while(|byte| **byte == b'*').count();
                // Right after the literal beginning counts as the start of a component: git looks no
                // further back.
                let begins = at == 0 || pattern[at - 1] == b'/';
                match rest.get(stars) {
                    None if stars > 1 && begins => (Token::Everything, stars),
                    Some(b'/') if stars > 1 && begins => (Token::Folders, stars + 1),
                    _ => (Token::Star, stars),
                }
            }
            byte => (Token::Byte(byte), 1),
        };
        tokens.push(token);
        at += length;
    }
    Some(tokens)
}

/// The class at the front and its length. None if it is not closed or names an unknown kind.
fn class(pattern: &[u8]) -> Option<(Token, usize)> {
    let mut members = Box::new([false; 256]);
    let is_negated = matches!(pattern.get(1)?, b'!' | b'^');
    let start = if is_negated { 2 } else { 1 };
    let mut at = start;
    let mut last = None;
    loop {
        match *pattern.get(at)? {
            b']' if at > start => break,
            b'-' if last.is_some() && !matches!(pattern.get(at + 1)?, b']') => {
                at += 1;
                if pattern[at] == b'\\' {
                    at += 1;
                }
                let (low, high) = (last?, *pattern.get(at)?);
                (low..=high).for_each(|byte| members[usize::from(byte)] = true);
                last = None;
            }
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let inside = &pattern[at + 2..];
                let end = inside.iter().position(|byte| *byte == b']')?;
                if let Some(kind) = inside[..end].strip_suffix(b":") {
                    let is_of_kind = kind_of_byte(kind)?;
                    (0..=255_u8)
                        .filter(is_of_kind)
                        .for_each(|byte| members[usize::from(byte)] = true);
                    at += 2 + end;
                    last = None;
                } else {
                    members[usize::from(b'[')] = true;
                    last = Some(b'[');
                }
            }
            byte => {
                let byte = if byte == b'\\' {
                    at += 1;
                    *pattern.get(at)?
                } else {
                    byte
                };
                members[usize::from(byte)] = true;
                last = Some(byte);
            }
        }
        at += 1;
    }
    Some((
        Token::Class {
            is_negated,
            members,
        },
        at + 1,
    ))
}

/// The bytes that `[:alpha:]` and its like stand for.
fn kind_of_byte(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

/// Whether the tokens match the whole text. All ways are followed at once, so none is followed twice.
fn fits(tokens: &[Token], text: &[u8]) -> bool {
    let mut here = vec![false; tokens.len() + 1];
    let mut next = vec![false; tokens.len() + 1];
    enter(tokens, &mut here, 0);
    for &byte in text {
        next.fill(false);
        for at in (0..tokens.len()).filter(|at| here[*at]) {
            let (stays, goes_on) = match &tokens[at] {
                Token::Byte(own) => (false, byte == *own),
                Token::One => (false, byte != b'/'),
                Token::Class {
                    is_negated,
                    members,
                } => (
                    false,
                    byte != b'/' && members[usize::from(byte)] != *is_negated,
                ),
                Token::Star => (byte != b'/', false),
                Token::Folders => (true, byte == b'/'),
                Token::Everything => (true, false),
            };
            if stays && matches!(tokens[at], Token::Folders) {
                // In the middle of a folder's name: only a slash leads out.
                next[at] = true;
            } else if stays {
                enter(tokens, &mut next, at);
            }
            if goes_on {
                enter(tokens, &mut next, at + 1);
            }
        }
        std::mem::swap(&mut here, &mut next);
    }
    here[tokens.len()]
}

/// Marks a place, and those behind it that need no byte.
fn enter(tokens: &[Token], places: &mut [bool], at: usize) {
    places[at] = true;
    let mut at = at;
    while let Some(Token::Star | Token::Everything | Token::Folders) = tokens.get(at) {
        at += 1;
        places[at] = true;
    }
}

/// Spaces at the end do not count unless a backslash stands before them.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => {}
            b'\\' => {
                at += 1;
                end = (at + 1).min(line.len());
            }
            _ => end = at + 1,
        }
        at += 1;
    }
    &line[..end]
}

fn split_prefix(line: &[u8], prefix: u8) -> (bool, &[u8]) {
    match line.split_first() {
        Some((first, rest)) if *first == prefix => (true, rest),
        _ => (false, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str, path: &str) -> bool {
        IgnoreRule::parse(line.as_bytes()).is_some_and(|rule| rule.names(path.as_bytes(), false))
    }

    #[test]
    fn a_name_is_met_at_any_depth_and_a_path_only_where_it_is() {
        assert!(names("a", "x/y/a"));
        assert!(names("*.log", "x/y.log"));
        assert!(names("/a", "a"));
        assert!(!names("/a", "x/a"));
        assert!(!names("/*.log", "x/y.log"));
        assert!(names("x/a", "x/a"));
        assert!(!names("x/a", "y/x/a"));
        assert!(!names("a/", "a"));
    }

    #[test]
    fn two_stars_stand_for_folders() {
        assert!(names("**/a", "a"));
        assert!(names("x/**/a", "x/a"));
        assert!(names("x/**/a", "x/y/z/a"));
        assert!(!names("x/**/a", "x/ya"));
        assert!(names("x/**", "x/y/z"));
        assert!(!names("x/*", "x/y/z"));
    }

    #[test]
    fn braces_are_only_braces() {
        assert!(!names("{a,b}", "a"));
        assert!(names("{a,b}", "{a,b}"));
    }

    #[test]
    fn classes_hold_bytes_ranges_and_kinds() {
        assert!(names("[a-c]x", "bx"));
        assert!(names("[!a-c]x", "dx"));
        assert!(names("[]-]", "-"));
        assert!(names(r"[\]]", "]"));
        assert!(names("[[:digit:]_]", "7"));
        assert!(!names("[[:digit:]", "7"));
        assert!(!names("[a", "[a"));
    }

    #[test]
    fn spaces_at_the_end_count_only_behind_a_backslash() {
        assert!(names("a  ", "a"));
        assert!(names(r"a\ ", "a "));
        assert!(names("a\t", "a\t"));
        assert!(names(r"\#a", "#a"));
    }

    #[test]
    fn many_stars_cost_no_more_than_few() {
        let line = "*a".repeat(30) + "b";
        assert!(!names(&line, &"a".repeat(2000)));
    }
}
