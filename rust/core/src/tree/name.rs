//! A name in a folder, kept where it is used: there are many, and most are too short to be worth a piece
//! of memory of their own.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// As many bytes as fit where a long name keeps its place.
const SHORT: usize = 22;

/// The bytes of a name.
#[derive(Clone)]
pub struct Name(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl From<&[u8]> for Name {
    fn from(name: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        Self(
            match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
                (Some(own), Ok(length)) => {
                    own.copy_from_slice(name);
                    Kept::Short { length, bytes }
                }
                _ => Kept::Long(name.into()),
            },
        )
    }
}

impl Deref for Name {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => &bytes[..usize::from(*length)],
            Kept::Long(name) => name,
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.escape_ascii())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_are_what_they_were() {
        let text = [b'n'; 2 * SHORT];
        for length in 0..text.len() {
            let name = Name::from(&text[..length]);
            assert_eq!(*name, text[..length]);
            assert_eq!(name, name.clone());
        }
    }

    #[test]
    fn a_short_name_takes_no_more_room_than_a_place_of_a_long_one() {
        assert_eq!(size_of::<Name>(), 24);
    }
}
