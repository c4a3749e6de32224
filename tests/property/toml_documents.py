"""TOML documents for hypothesis: most of them valid, the others almost."""

from hypothesis import strategies as st

KEYS = st.sampled_from(["a", "b", "c-1", '"d e"', "'f.g'", '"\\u0061"', '""', "1", '"ü"', "'é漢'"])

KEY_PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)

NUMBERS = ["0x1F", "0o17", "0b1", "1_000", "+7", "1.5", "-0.0", "6.02e23", "inf", "-nan"]
TIMES = ["1979-05-27", "07:32:00.5", "07:32", "1979-05-27T07:32:00Z", "0001-01-01 07:32:00+01:30"]
TEXTS = ["''", '""', "'''it's\ntwo'''", '"""\n\ttwo\\\n  lines\n"""', '"\\e\\x41"']
NO_VALUES = ["01", "1__0", "tru", "'open", '"\\q"', '"\\ud800"', "1979-13-01", "2023-02-29", "9:0"]

SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.sampled_from([*NUMBERS, *TIMES, *TEXTS, "true", "false"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'\r\n")).map(
        lambda text: f"'{text}'"
    ),
)

SPACES = st.sampled_from(["", " ", "\t", "\n", " # why\n"])


def lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lists of such values, over one line or several, with and without a last comma."""
    items = st.lists(st.tuples(SPACES, values).map("".join), max_size=3)
    return st.builds(
        lambda items, comma, space: f"[{','.join(items)}{comma if items else ''}{space}]",
        items,
        st.sampled_from(["", ","]),
        SPACES,
    )


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Inline tables of such values, as TOML 1.1 allows them."""
    items = st.lists(st.builds("{}{} = {}".format, SPACES, KEY_PATHS, values), max_size=3)
    return st.builds(lambda items, space: f"{{{','.join(items)}{space}}}", items, SPACES)


VALUES = st.recursive(SCALARS, lambda values: lists(values) | inline_tables(values), max_leaves=6)

STATEMENTS = st.one_of(
    st.builds("{} = {}".format, KEY_PATHS, VALUES),
    st.builds("[{}]".format, KEY_PATHS),
    st.builds("[[{}]]".format, KEY_PATHS),
    st.sampled_from(["", "# a comment", "  # é漢"]),
)

NEWLINES = st.sampled_from(["\n", "\r\n"])

DOCUMENTS = st.builds(
    lambda statements, newline, last: newline.join(statements) + last,
    st.lists(STATEMENTS, max_size=8),
    NEWLINES,
    st.sampled_from(["", "\n"]),
)


DAMAGE = st.text("[]{}=.,'\"#\n\r\t\\a1 é\x7f\0", max_size=2) | st.sampled_from(NO_VALUES)


@st.composite
def damaged_documents(draw: st.DrawFn) -> str:
    """A document with a few characters replaced."""
    text = draw(DOCUMENTS)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + draw(DAMAGE) + text[end:]
    return text
