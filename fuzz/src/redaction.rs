//! Redaction: however a stream is cut, the same comes out, and no secret with it.

use pipec_core::redact::{MASK, SHORTEST, Secrets, Stream};

use crate::source::Source;

pub fn run(bytes: &[u8]) {
    let mut source = Source(bytes);
    let mut given = Vec::new();
    for _ in 0..source.below(4) {
        let length = usize::from(source.below(40)).min(source.0.len());
        let (secret, rest) = source.0.split_at(length);
        given.push(secret);
        source.0 = rest;
    }
    let cut = usize::from(source.byte()) + 1;
    let text = [
        source.0,
        given.first().copied().unwrap_or_default(),
        source.0,
    ]
    .concat();
    let secrets = Secrets::new(given.iter().copied()).expect("they are small");
    let whole = secrets.redact(&text);
    let mut stream = Stream::default();
    let mut pieces = Vec::new();
    for piece in text.chunks(cut) {
        pieces.extend(stream.feed(&secrets, piece));
    }
    pieces.extend(stream.finish());
    assert_eq!(pieces, whole);
    for secret in given.iter().filter(|secret| secret.len() >= SHORTEST) {
        // A mask may complete a secret that is made of asterisks; nothing else may leave one.
        if !secret.contains(&MASK[0]) {
            assert!(!whole.windows(secret.len()).any(|part| part == *secret));
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let seeds: [&[u8]; 3] = [
        b"\x01\x06secret\x03a secret, c2VjcmV0, 736563726574, s%65cret and more secretsecret",
        b"\x02\x04abab\x06babaab\x00ababababaab abab ba",
        b"\x01\x0bline\nline \"\x01line\\nline \\\" line&#10;line",
    ];
    seeds.map(<[u8]>::to_vec).to_vec()
}
