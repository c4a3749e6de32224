//! All the ways in which a secret is likely to be written down: as it is, in base64, in URLs, in JSON.

use std::collections::BTreeSet;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The bytes besides letters and digits that one or another percent encoder leaves alone.
const UNESCAPED_IN_URLS: [&[u8]; 4] = [
    b"-._~",                 // RFC 3986, Python's `quote(…, safe="")`
    b"-._~/",                // Python's `quote`
    b"-._~!*'()",            // JavaScript's `encodeURIComponent`
    b"-._~!*'();,/?:@&=+$#", // JavaScript's `encodeURI`
];

/// The same for the encoders of forms, which write a space as `+`.
const UNESCAPED_IN_FORMS: [&[u8]; 2] = [
    b"-._~", // Python's `quote_plus`
    b"*-._", // the URL standard of browsers
];

/// Every form of one secret, without repetitions, none of them empty if the secret is not.
pub(super) fn forms(secret: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([secret.to_vec()]);
    forms.extend(base64_forms(secret));
    forms.extend(percent_forms(secret));
    forms.extend(json_forms(secret));
    forms
}

/// What a base64 text shows of a secret that stands anywhere in what was encoded.
///
/// A character holds six bits, so that the secret may begin at any of three places in a group. Only
/// characters that depend on nothing but the secret are the same in every text. When the secret is
/// the end of what was encoded, its last bits are known too, and there may be padding.
fn base64_forms(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    [STANDARD, URL_SAFE].into_iter().flat_map(move |alphabet| {
        (0..3).flat_map(move |before: usize| {
            let start = (before * 8).div_ceil(6);
            let whole = (before + secret.len()) * 8 / 6;
            let text = base64(alphabet, before, secret);
            let mut padded = text.clone();
            padded.resize(text.len().next_multiple_of(4), b'=');
            [
                text[start..whole].to_vec(),
                text[start..].to_vec(),
                padded[start..].to_vec(),
            ]
        })
    })
}

/// Base64 without padding of so many zero bytes and then the secret.
fn base64(alphabet: &[u8; 64], before: usize, secret: &[u8]) -> Vec<u8> {
    let bytes = [vec![0; before], secret.to_vec()].concat();
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (index, byte)| {
            bits | u32::from(*byte) << (16 - 8 * index)
        });
        for index in 0..=group.len() {
            let six = bits >> (18 - 6 * index) & 63;
            text.push(alphabet[six as usize]);
        }
    }
    text
}

fn percent_forms(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let urls = UNESCAPED_IN_URLS
        .into_iter()
        .map(|unescaped| (unescaped, false));
    let forms = UNESCAPED_IN_FORMS
        .into_iter()
        .map(|unescaped| (unescaped, true));
    urls.chain(forms).flat_map(move |(unescaped, plus)| {
        [Hex::Upper, Hex::Lower].map(|hex| percent(secret, unescaped, plus, hex))
    })
}

fn percent(secret: &[u8], unescaped: &[u8], plus: bool, hex: Hex) -> Vec<u8> {
    let mut text = Vec::with_capacity(secret.len() * 3);
    for &byte in secret {
        match byte {
            b' ' if plus => text.push(b'+'),
            _ if byte.is_ascii_alphanumeric() || unescaped.contains(&byte) => text.push(byte),
            _ => text.extend(format!("%{}", hex.write(u16::from(byte), 2)).into_bytes()),
        }
    }
    text
}

/// The insides of a JSON string, as the usual writers differ about them.
fn json_forms(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let choices = [false, true];
    choices.into_iter().flat_map(move |ascii| {
        choices.into_iter().flat_map(move |html| {
            choices.into_iter().flat_map(move |slash| {
                [Hex::Lower, Hex::Upper].map(|hex| {
                    JsonWriter {
                        ascii,
                        html,
                        slash,
                        hex,
                    }
                    .write(secret)
                })
            })
        })
    })
}

#[derive(Clone, Copy)]
enum Hex {
    Lower,
    Upper,
}

impl Hex {
    fn write(self, number: u16, width: usize) -> String {
        match self {
            Self::Lower => format!("{number:0width$x}"),
            Self::Upper => format!("{number:0width$X}"),
        }
    }
}

/// One way to write a JSON string.
struct JsonWriter {
    /// Characters beyond printable ASCII are escaped (Python's default).
    ascii: bool,
    /// `<`, `>` and `&` are escaped (Go's default).
    html: bool,
    /// `/` is escaped (PHP's default).
    slash: bool,
    hex: Hex,
}

impl JsonWriter {
    fn write(&self, secret: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(secret.len() + 8);
        for chunk in secret.utf8_chunks() {
            for character in chunk.valid().chars() {
                self.write_character(character, &mut text);
            }
            for &byte in chunk.invalid() {
                self.write_stray(byte, &mut text);
            }
        }
        text
    }

    fn write_character(&self, character: char, text: &mut Vec<u8>) {
        match character {
            '"' => text.extend(br#"\""#),
            '\\' => text.extend(br"\\"),
            '\n' => text.extend(br"\n"),
            '\r' => text.extend(br"\r"),
            '\t' => text.extend(br"\t"),
            '\u{8}' => text.extend(br"\b"),
            '\u{c}' => text.extend(br"\f"),
            '/' if self.slash => text.extend(br"\/"),
            '\0'..'\u{20}' => self.write_escape(character, text),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if self.html => {
                self.write_escape(character, text);
            }
            '\u{7f}'.. if self.ascii => self.write_escape(character, text),
            _ => text.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }

    fn write_escape(&self, character: char, text: &mut Vec<u8>) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.extend(format!("\\u{}", self.hex.write(*unit, 4)).into_bytes());
        }
    }

    /// Python reads a byte that is not UTF-8 as a lone surrogate, and so writes it.
    fn write_stray(&self, byte: u8, text: &mut Vec<u8>) {
        if self.ascii {
            let unit = 0xdc00 + u16::from(byte);
            text.extend(format!("\\u{}", self.hex.write(unit, 4)).into_bytes());
        } else {
            text.push(byte);
        }
    }
}
