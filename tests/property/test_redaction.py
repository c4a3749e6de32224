"""No secret leaves a stream, in whatever form and whichever way the stream is cut."""

import base64
import json
import urllib.parse
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipec._core import Redactor

laws = settings(max_examples=60, deadline=None)

# Few letters, so that secrets overlap, repeat and begin with each other all the time.
KNOTTY = st.lists(st.sampled_from([b"a", b"b", b"\n"])).map(b"".join)
SECRETS = st.lists(
    st.lists(st.sampled_from([b"a", b"b", b"\n"]), min_size=1, max_size=9).map(b"".join),
    max_size=4,
)
PLAIN_SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=20)


def streamed(redactor: Redactor, text: bytes, cuts: list[int]) -> bytes:
    """The text, redacted in pieces."""
    borders = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [text[start:end] for start, end in pairwise(borders)]
    return b"".join(map(redactor.feed, pieces)) + redactor.finish()


def masked(text: bytes, secrets: list[bytes]) -> bytes:
    """What should come out, as slowly and as simply as it can be said."""
    spans = sorted(
        (start, start + len(secret))
        for secret in secrets
        if len(secret) >= 4
        for start in range(len(text))
        if text.startswith(secret, start)
    )
    output, position, reached = b"", 0, 0
    for start, end in spans:
        if start >= reached:
            output += text[position:start] + b"***"
        position = reached = max(reached, end)
    return output + text[position:]


@laws
@given(SECRETS, KNOTTY, st.lists(st.integers(0, 200)))
def test_the_stream_is_redacted_the_same_however_it_is_cut(
    secrets: list[bytes], text: bytes, cuts: list[int]
) -> None:
    redactor = Redactor(secrets)
    assert streamed(redactor, text, cuts) == redactor.redact(text)
    assert b"".join(redactor.feed(bytes([byte])) for byte in text) + redactor.finish() == (
        redactor.redact(text)
    )


@laws
@given(SECRETS, KNOTTY)
def test_exactly_the_secrets_are_masked(secrets: list[bytes], text: bytes) -> None:
    # With these letters no encoded form is anything else than the secret or absent from the text.
    assert Redactor(secrets).redact(text) == masked(text, secrets)


@laws
@given(st.lists(st.binary(min_size=4, max_size=12), min_size=1, max_size=3), st.data())
def test_no_secret_is_left_in_what_comes_out(secrets: list[bytes], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from(secrets) | st.binary(max_size=5)))
    cuts = data.draw(st.lists(st.integers(0, 200)))
    output = streamed(Redactor(secrets), b"".join(parts), cuts)
    for rest in output.split(b"***"):
        assert not any(secret in rest for secret in secrets)


@laws
@given(st.binary(min_size=4, max_size=40), st.binary(max_size=7), st.binary(max_size=7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_wherever_the_secret_stands_in_it(
    encode: Callable[[bytes], bytes], secret: bytes, before: bytes, after: bytes
) -> None:
    output = Redactor([secret]).redact(encode(before + secret + after))
    # All characters made of nothing but the secret are gone.
    first = -(-len(before) * 8 // 6)
    last = (len(before) + len(secret)) * 8 // 6
    text = encode(before + secret + after)
    assert b"***" in output
    assert text[first:last] not in output
    assert len(output) <= len(text) - (last - first) + len(b"***")


@laws
@given(PLAIN_SECRETS)
@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: json.dumps(text).replace("/", "\\/"),
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda text: urllib.parse.quote(text, safe=""),
        lambda text: urllib.parse.quote(text, safe="!*'()"),
        lambda text: base64.b64encode(text.encode()).decode(),
    ],
    ids=[
        "json",
        "json-unicode",
        "json-slashes",
        "quote",
        "quote-plus",
        "all",
        "component",
        "base64",
    ],
)
def test_a_secret_vanishes_from_what_the_usual_writers_make_of_it(
    write: Callable[[str], str], secret: str
) -> None:
    output = Redactor([secret.encode()]).redact(f"<{write(secret)}>".encode())
    assert output.replace(b'"', b"") == b"<***>"


def test_a_whole_text_leaves_the_stream_alone() -> None:
    redactor = Redactor([b"hunter22"])
    assert redactor.feed(b"a hunt") == b"a "
    assert redactor.redact(b"er22 hunter22") == b"er22 ***"
    assert redactor.feed(b"er22 b") == b"*** b"


def test_one_redactor_serves_one_stream_after_the_other() -> None:
    redactor = Redactor([b"hunter22"])
    assert redactor.feed(b"hunter") == b""
    assert redactor.finish() == b"hunter"
    assert redactor.feed(b"22\n") == b"22\n"


def test_what_is_kept_back_is_no_longer_than_the_longest_form_of_a_secret() -> None:
    redactor = Redactor([b"x" * 3000])
    fed = given_out = 0
    for _ in range(200):
        chunk = b"x" * 2999 + b"y"
        fed += len(chunk)
        given_out += len(redactor.feed(chunk))
        assert fed - given_out <= 3000 * 3
