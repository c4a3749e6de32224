"""What a finding misses, as an edit: a key of a table, or items of a list that is there."""

import os
from collections.abc import Sequence

from pipec.diagnostics import Addition
from pipec.frontend.outline.entries import Entry
from pipec.lsp.analysis import Analysis
from pipec.lsp.spelling import spell_key, spell_value

Insertion = tuple[int, str]
"""A byte offset, and what is put in there."""


def insert(analysis: Analysis, addition: Addition) -> Insertion | None:
    """Where the addition goes, and its text; None where nobody would write it by hand."""
    written = analysis.outline.at((*addition.table, addition.key))
    if written:
        return _into_list(analysis, addition, written[-1])
    return _into_table(analysis, addition)


def describe(analysis: Analysis, addition: Addition) -> str:
    """What the edit does, for a menu."""
    if analysis.outline.at((*addition.table, addition.key)):
        return f"Add {', '.join(f'`{item}`' for item in _items(addition))} to `{addition.key}`"
    return f"Add `{_pair(analysis, addition)}`"


def _into_table(analysis: Analysis, addition: Addition) -> Insertion | None:
    """Beside the other keys of a table, else under its heading or between its braces."""
    outline = analysis.outline
    names = [name for name in outline.names(addition.table) if isinstance(name, str)]
    beside = [entry for name in names for entry in outline.at((*addition.table, name))]
    beside = [entry for entry in beside if entry.kind not in {"header", "part"}]
    if not addition.table:
        return _at_the_top(analysis, addition)
    if not beside:
        return _under_heading(analysis, addition) or _in_braces(analysis, addition)
    pair = _pair(analysis, addition, quoted=_is_quoted(analysis, beside[-1]))
    if _is_on_one_line(analysis, addition):
        return beside[-1].value[1], f", {pair}"
    return _on_own_line(analysis, beside, pair)


def _on_own_line(analysis: Analysis, beside: Sequence[Entry], pair: str) -> Insertion | None:
    """Before the line of the last key that has one for itself."""
    content = analysis.content
    for anchor in reversed(beside):
        start = content.rfind(b"\n", 0, anchor.key[0]) + 1
        # White space, or the beginning of a dotted key.
        before = content[start : anchor.key[0]].decode()
        if analysis.notation == "toml" or not before.strip():
            return start, f"{before}{pair}{_line_end(content)}"
    # The first key of an item stands on the line of its dash: the next one goes below it.
    start = content.rfind(b"\n", 0, beside[0].key[0]) + 1
    before = content[start : beside[0].key[0]].decode()
    if before.strip(" -") or len(beside) > 1 or beside[0].kind not in {"text", "plain"}:
        return None
    end = content.find(b"\n", beside[0].value[1])
    end = len(content) if end < 0 else end - (content[end - 1 : end] == b"\r")
    return end, f"{_line_end(content)}{' ' * len(before)}{pair}"


def _at_the_top(analysis: Analysis, addition: Addition) -> Insertion:
    """Before the first key, and before the remarks right above it unless the text begins there."""
    content, end = analysis.content, _line_end(analysis.content)
    pair = _pair(analysis, addition)
    first = min((entry.key[0] for entry in analysis.outline.entries), default=None)
    if first is None:
        ahead = end if content and not content.endswith(b"\n") else ""
        return len(content), f"{ahead}{pair}{end}"
    if content[:first].rstrip().endswith(b"{"):
        return first, f"{_pair(analysis, addition, quoted=True)}, "
    place = start = content.rfind(b"\n", 0, first) + 1
    before = content[start:first].decode()
    indent = before[: len(before) - len(before.lstrip())]
    is_apart = "[" in before
    while place > 0:
        above = content.rfind(b"\n", 0, place - 1) + 1
        if not content[above:place].lstrip().startswith(b"#"):
            is_apart |= place < start
            start = place
            break
        place = above
    return start, f"{indent}{pair}{end}{end if is_apart else ''}"


def _under_heading(analysis: Analysis, addition: Addition) -> Insertion | None:
    headings = [entry for entry in analysis.outline.at(addition.table) if entry.kind == "header"]
    if not headings:
        return None
    end = analysis.content.find(b"\n", headings[0].key[1])
    pair = f"{_pair(analysis, addition)}{_line_end(analysis.content)}"
    if end < 0:
        return len(analysis.content), f"{_line_end(analysis.content)}{pair}"
    return end + 1, pair


def _in_braces(analysis: Analysis, addition: Addition) -> Insertion | None:
    """Between braces with nothing in them."""
    if not _is_on_one_line(analysis, addition):
        return None
    start, end = analysis.outline.at(addition.table)[-1].value
    is_empty = not analysis.content[start + 1 : end - 1].strip()
    return (start + 1, _pair(analysis, addition)) if is_empty else None


def _into_list(analysis: Analysis, addition: Addition, written: Entry) -> Insertion | None:
    """Behind the last item, written as that is."""
    content = analysis.content
    indexes = analysis.outline.names(written.route)
    texts = [spell_value(item, analysis.notation) for item in _items(addition)]
    if written.kind != "list" or not texts:
        return None
    if not indexes:
        return written.value[0] + 1, ", ".join(texts)
    last = analysis.outline.at((*written.route, indexes[-1]))[-1]
    if content[written.value[0] : written.value[0] + 1] == b"[":
        return last.value[1], "".join(f", {text}" for text in texts)
    start = content.rfind(b"\n", 0, last.key[0]) + 1
    before = content[start : last.key[0]].decode()
    if before.strip() != "-":
        return None
    return last.value[1], "".join(f"{_line_end(content)}{before}{text}" for text in texts)


def _items(addition: Addition) -> tuple[str, ...]:
    return addition.value if isinstance(addition.value, tuple) else ()


def _is_on_one_line(analysis: Analysis, addition: Addition) -> bool:
    """Whether the table stands in braces."""
    places = [entry.value[0] for entry in analysis.outline.at(addition.table)]
    return any(analysis.content[start : start + 1] == b"{" for start in places)


def _is_quoted(analysis: Analysis, entry: Entry) -> bool:
    return analysis.content[entry.key[0] : entry.key[0] + 1] == b'"'


def _pair(analysis: Analysis, addition: Addition, *, quoted: bool = False) -> str:
    key = f'"{addition.key}"' if quoted else spell_key(addition.key, analysis.notation)
    mark = " = " if analysis.notation == "toml" else ": "
    # What stands in the quotes of JSON is a value of TOML as well.
    notation = "toml" if quoted else analysis.notation
    return f"{key}{mark}{spell_value(_value(analysis, addition), notation)}"


def _value(analysis: Analysis, addition: Addition) -> str | int | tuple[str, ...] | None:
    """The value to begin with: a pipeline has the name of its folder until it has a better one."""
    if (addition.table, addition.key) == ((), "name"):
        return os.path.basename(os.path.dirname(analysis.path)) or "app"
    return addition.value


def _line_end(content: bytes) -> str:
    return "\r\n" if b"\r\n" in content else "\n"
