//! One component of a path against a glob of one component.

/// A glob between two slashes, with at least one of `*`, `?` and a class in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ComponentGlob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Char(char),
    /// `?`: one character, or one byte that belongs to none.
    One,
    /// `*`: any number of them.
    Any,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl ComponentGlob {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &[u8]) -> bool {
        let tokens = &self.0;
        let (mut token, mut at) = (0, 0);
        // Where the last `*` stood, and how much it has taken: one is enough, since a later `*` can
        // make up for whatever an earlier one did not take.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() || token < tokens.len() {
            if let Some(taken) = tokens.get(token).and_then(|t| step(t, &name[at..])) {
                token += 1;
                at += taken;
            } else if matches!(tokens.get(token), Some(Token::Any)) {
                star = Some((token, at));
                token += 1;
            } else if let Some((star_token, star_at)) = star.filter(|&(_, from)| from < name.len())
            {
                let next = star_at + char_length(&name[star_at..]);
                star = Some((star_token, next));
                token = star_token + 1;
                at = next;
            } else {
                return false;
            }
        }
        true
    }

    /// A name that matches, for showing two patterns that meet.
    pub fn example(&self) -> String {
        self.0
            .iter()
            .filter_map(|token| match token {
                Token::Char(c) => Some(*c),
                Token::One => Some('x'),
                Token::Any => None,
                Token::Class { negated, ranges } => example_of(*negated, ranges),
            })
            .collect()
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.0
    }
}

impl Token {
    /// Whether some character is allowed by both.
    pub(super) fn meets(&self, other: &Self) -> Option<char> {
        match (self, other) {
            (Self::Char(c), token) | (token, Self::Char(c)) => token.allows(*c).then_some(*c),
            (Self::Class { negated, ranges }, token) | (token, Self::Class { negated, ranges }) => {
                candidates(ranges).find(|c| in_class(*negated, ranges, *c) && token.allows(*c))
            }
            _ => Some('x'),
        }
    }

    fn allows(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Any => c != '/',
            Self::Class { negated, ranges } => in_class(*negated, ranges, c),
        }
    }
}

/// How many bytes one token takes from the front of `rest`, or None if it does not match there.
fn step(token: &Token, rest: &[u8]) -> Option<usize> {
    if rest.is_empty() {
        return None;
    }
    match token {
        Token::Any => None,
        Token::One => Some(char_length(rest)),
        Token::Char(expected) => {
            let mut buffer = [0; 4];
            let expected = expected.encode_utf8(&mut buffer).as_bytes();
            rest.starts_with(expected).then_some(expected.len())
        }
        Token::Class { negated, ranges } => match first_char(rest) {
            Some(c) => in_class(*negated, ranges, c).then(|| c.len_utf8()),
            None => negated.then_some(1),
        },
    }
}

fn in_class(negated: bool, ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|&(low, high)| low <= c && c <= high) != negated
}

fn example_of(negated: bool, ranges: &[(char, char)]) -> Option<char> {
    candidates(ranges).find(|c| in_class(negated, ranges, *c))
}

/// Characters worth trying: the ends of the ranges, and some that are rarely in one.
fn candidates(ranges: &[(char, char)]) -> impl Iterator<Item = char> + '_ {
    let ends = ranges.iter().flat_map(|&(low, high)| [low, high]);
    ends.chain("x0_aA-~é中".chars())
}

/// The length of the character at the front; a byte that belongs to none counts as one.
fn char_length(bytes: &[u8]) -> usize {
    first_char(bytes).map_or(1, char::len_utf8)
}

fn first_char(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    valid.chars().next()
}

#[cfg(test)]
mod tests {
    use crate::glob::{Component, Pattern};

    fn matches(glob: &str, name: &[u8]) -> bool {
        let pattern = Pattern::parse(glob).unwrap();
        match &pattern.alternatives[0].components[0] {
            Component::Literal(literal) => **literal == *name,
            Component::Wild(glob) => glob.matches(name),
            Component::Folders => true,
        }
    }

    #[test]
    fn stars_backtrack() {
        assert!(matches("*.test.*", b"a.test.test.ts"));
        assert!(matches("a*b*c", b"aXbXbXc"));
        assert!(!matches("a*b*c", b"aXbXbX"));
        assert!(matches("*", b""));
        assert!(matches("*", b".hidden"));
    }

    #[test]
    fn classes_and_single_characters_are_of_characters_not_bytes() {
        assert!(matches("?", "é".as_bytes()));
        assert!(matches("[é]x", "éx".as_bytes()));
        assert!(matches("[!a]", "日".as_bytes()));
        assert!(!matches("[!a]", b"a"));
        assert!(matches("[a-c]", b"b"));
        assert!(matches("[]]", b"]"));
        assert!(matches("[-a]", b"-"));
    }

    #[test]
    fn a_byte_that_is_no_character_counts_as_one() {
        assert!(matches("a?b", b"a\xffb"));
        assert!(matches("a*b", b"a\xff\xfeb"));
        assert!(!matches("a?b", b"a\xff\xfeb"));
    }

    #[test]
    fn a_backslash_takes_the_next_character_as_it_is() {
        assert!(matches(r"\*", b"*"));
        assert!(!matches(r"\*", b"a"));
        assert!(matches(r"a\[b", b"a[b"));
    }
}
