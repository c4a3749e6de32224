//! Redaction, as its callers meet it: bytes in, bytes out.

use super::{Secrets, Stream};

fn secrets(list: &[&str]) -> Secrets {
    Secrets::new(list.iter().map(|secret| secret.as_bytes())).unwrap()
}

fn redacted(list: &[&str], text: &str) -> String {
    String::from_utf8(secrets(list).redact(text.as_bytes())).unwrap()
}

/// The redacted bytes of a text that comes in the given pieces.
fn streamed<'t>(secrets: &Secrets, pieces: impl IntoIterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut stream = Stream::default();
    let mut bytes: Vec<u8> = pieces
        .into_iter()
        .flat_map(|piece| stream.feed(secrets, piece))
        .collect();
    bytes.extend(stream.finish());
    bytes
}

/// Every way to cut a text in two and in three, and byte by byte.
fn assert_same_however_cut(list: &[&str], text: &str) {
    let secrets = secrets(list);
    let bytes = text.as_bytes();
    let whole = secrets.redact(bytes);
    assert_eq!(
        streamed(&secrets, bytes.chunks(1)),
        whole,
        "{text:?} byte by byte"
    );
    for second in 0..=bytes.len() {
        for first in 0..=second {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(
                streamed(&secrets, pieces),
                whole,
                "{text:?} cut at {first} and {second}"
            );
        }
    }
}

#[test]
fn a_secret_is_masked_and_the_rest_is_left_alone() {
    assert_eq!(
        redacted(&["hunter22"], "login hunter22 ok\n"),
        "login *** ok\n"
    );
    assert_eq!(redacted(&["hunter22"], "hunter22hunter22"), "******");
    assert_eq!(redacted(&["hunter22"], ""), "");
}

#[test]
fn without_secrets_every_byte_passes_at_once() {
    let secrets = secrets(&[]);
    assert_eq!(Stream::default().feed(&secrets, b"\xff\0abc"), b"\xff\0abc");
}

#[test]
fn secrets_of_fewer_than_four_bytes_are_left_alone() {
    assert_eq!(redacted(&["", "a", "abc", "four"], "abc four"), "abc ***");
}

#[test]
fn the_longest_of_several_secrets_wins() {
    let list = ["pass", "password", "password-1234"];
    assert_eq!(
        redacted(&list, "password-1234 password-123 password passwor"),
        "*** ***-123 *** ***wor"
    );
    assert_same_however_cut(&list, "password-1234 password-123 passwor");
}

#[test]
fn no_part_of_overlapping_secrets_is_left_over() {
    assert_eq!(redacted(&["abcdef", "defghi"], "xabcdefghix"), "x***x");
    assert_eq!(redacted(&["bcde", "abcdef"], "xabcdefx"), "x***x");
    assert_eq!(redacted(&["abab"], "abababab"), "***");
    assert_eq!(redacted(&["abcd", "efgh"], "abcdefgh"), "******");
    for text in ["xabcdefghix abcdefx defghi", "abcdeabcdefgh", "bcdefghi"] {
        assert_same_however_cut(&["abcdef", "defghi", "bcde"], text);
    }
    assert_same_however_cut(&["abab", "baba"], "xabababababxbaba");
    assert_same_however_cut(&["aaaa"], "aaaaaaaaabaaaaaaa");
}

#[test]
fn base64_is_masked_at_all_three_alignments() {
    let secret = "S3cr3t/value?>~";
    // base64 of "x", "xy" and "xyz", each followed by the secret and by `!!!!`.
    for text in [
        "UzNjcjN0L3ZhbHVlPz5+ISEhIQ==",
        "eFMzY3IzdC92YWx1ZT8+fiEhISE=",
        "eHlTM2NyM3QvdmFsdWU/Pn4hISEh",
        "eHl6UzNjcjN0L3ZhbHVlPz5+ISEhIQ==",
        "eFMzY3IzdC92YWx1ZT8-fiEhISE=",
        "eHlTM2NyM3QvdmFsdWU_Pn4hISEh",
    ] {
        let output = redacted(&[secret], text);
        assert!(output.contains("***"), "{text} gave {output}");
        assert!(output.len() < 17, "{text} gave {output}");
        assert_same_however_cut(&[secret], text);
    }
}

#[test]
fn base64_of_the_secret_alone_vanishes_with_its_padding() {
    assert_eq!(redacted(&["hunter22"], "Basic aHVudGVyMjI=;"), "Basic ***;");
    assert_eq!(redacted(&["hunter22"], "Basic aHVudGVyMjI;"), "Basic ***;");
    assert_eq!(
        redacted(&["hunter2"], "Basic aHVudGVyMg==\n"),
        "Basic ***\n"
    );
    // `user:hunter22`, as in the header of HTTP.
    assert_eq!(
        redacted(&["hunter22"], "Basic dXNlcjpodW50ZXIyMg=="),
        "Basic dXNlcjp***"
    );
}

#[test]
fn percent_encoding_is_masked_as_every_encoder_writes_it() {
    let secret = "a b/c+d&é!";
    for text in [
        "a%20b%2Fc%2Bd%26%C3%A9%21",
        "a%20b%2fc%2bd%26%c3%a9%21",
        "a%20b/c%2Bd%26%C3%A9%21",
        "a%20b%2Fc%2Bd%26%C3%A9!",
        "a%20b/c+d&%C3%A9!",
        "a+b%2Fc%2Bd%26%C3%A9%21",
    ] {
        assert_eq!(
            redacted(&[secret], &format!("?q={text}&r=1")),
            "?q=***&r=1",
            "{text}"
        );
        assert_same_however_cut(&[secret], text);
    }
}

#[test]
fn json_escapes_are_masked_as_every_writer_writes_them() {
    let secret = "q\"b\\s/l\n<é😀>\u{1}";
    for text in [
        r#"q\"b\\s/l\n<é😀>\u0001"#,
        r#"q\"b\\s\/l\n<é😀>\u0001"#,
        r#"q\"b\\s/l\n<\u00e9\ud83d\ude00>\u0001"#,
        r#"q\"b\\s/l\n<\u00E9\uD83D\uDE00>\u0001"#,
        r#"q\"b\\s/l\n\u003cé😀\u003e\u0001"#,
    ] {
        assert_eq!(
            redacted(&[secret], &format!("\"{text}\"")),
            "\"***\"",
            "{text}"
        );
    }
}

#[test]
fn the_delete_character_is_masked_escaped_or_not() {
    assert_eq!(redacted(&["key\u{7f}"], "key\\u007f key\u{7f}"), "*** ***");
}

#[test]
fn bytes_that_are_not_unicode_are_masked_too() {
    let secrets = Secrets::new([b"\xff\xfe\0key".as_slice()]).unwrap();
    assert_eq!(secrets.redact(b"<\xff\xfe\0key>"), b"<***>");
    assert_eq!(secrets.redact(br#""\udcff\udcfe\u0000key""#), br#""***""#);
}

#[test]
fn a_secret_of_several_lines_is_masked_as_one() {
    let key = "-----BEGIN-----\nMIIE\nabcd\n-----END-----\n";
    assert_eq!(
        redacted(&[key], &format!("key: {key}done\n")),
        "key: ***done\n"
    );
    assert_eq!(
        redacted(&[key], r"-----BEGIN-----\nMIIE\nabcd\n-----END-----\n"),
        "***"
    );
    assert_same_however_cut(&[key], &format!("a\n{key}b\n"));
}

#[test]
fn only_a_possible_start_of_a_secret_is_kept_back() {
    let secrets = secrets(&["hunter22"]);
    let mut stream = Stream::default();
    assert_eq!(stream.feed(&secrets, b"say hunt"), b"say ");
    assert_eq!(stream.feed(&secrets, b"ing"), b"hunting");
    assert_eq!(stream.feed(&secrets, b" hunter2"), b" ");
    assert_eq!(stream.feed(&secrets, b"2"), b"***");
    assert_eq!(stream.feed(&secrets, b"hunter"), b"");
    assert_eq!(stream.finish(), b"hunter");
}

#[test]
fn a_finished_stream_begins_anew() {
    let secrets = secrets(&["hunter22"]);
    let mut stream = Stream::default();
    stream.feed(&secrets, b"hunter");
    stream.finish();
    assert_eq!(stream.feed(&secrets, b"22\n"), b"22\n");
}

#[test]
fn a_stream_keeps_no_more_than_the_longest_secret() {
    // The worst text for this secret: every byte may start it, and one occurrence never ends.
    let secret = "a".repeat(1000);
    let secrets = secrets(&[&secret]);
    let mut stream = Stream::default();
    let mut given = 0;
    for _ in 0..1000 {
        given += stream.feed(&secrets, &[b'a'; 997]).len();
    }
    assert_eq!(given, 3);
    given += stream.feed(&secrets, b"b").len();
    assert_eq!(given, 4);
    // Almost a secret, again and again: all but the last thousand bytes have been given out.
    let almost = [&secret.as_bytes()[1..], b"b"].concat();
    let fed: usize = (0..1000)
        .map(|_| stream.feed(&secrets, &almost).len())
        .sum();
    assert_eq!(fed, 1000 * almost.len());
}
