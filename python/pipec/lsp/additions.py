"""What a finding misses, as an edit: a list in a table, or items of a list that is there."""

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
        return _into_list(analysis, addition, written[-1]) if addition.items else None
    return _into_table(analysis, addition)


def describe(analysis: Analysis, addition: Addition) -> str:
    """What the edit does, for a menu."""
    if analysis.outline.at((*addition.table, addition.key)):
        return f"Add {', '.join(f'`{item}`' for item in addition.items)} to `{addition.key}`"
    return f"Add `{_pair(analysis, addition)}`"


def _into_table(analysis: Analysis, addition: Addition) -> Insertion | None:
    """Before the line of another key of the table, or beside it in a table on one line."""
    outline, content = analysis.outline, analysis.content
    names = [name for name in outline.names(addition.table) if isinstance(name, str)]
    beside = [entry for name in names for entry in outline.at((*addition.table, name))]
    if not beside:
        return _under_heading(analysis, addition)
    anchor = beside[-1]
    pair = _pair(analysis, addition, quoted=content[slice(*anchor.key)][:1] == b'"')
    if _is_on_one_line(analysis, addition):
        return anchor.value[1], f", {pair}"
    start = content.rfind(b"\n", 0, anchor.key[0]) + 1
    # White space, or the beginning of a dotted key.
    before = content[start : anchor.key[0]].decode()
    if anchor.kind in {"header", "part"} or (analysis.notation == "yaml" and before.strip()):
        return None
    return start, f"{before}{pair}{_line_end(content)}"


def _under_heading(analysis: Analysis, addition: Addition) -> Insertion | None:
    headings = [entry for entry in analysis.outline.at(addition.table) if entry.kind == "header"]
    if not headings:
        return None
    end = analysis.content.find(b"\n", headings[0].key[1])
    pair = f"{_pair(analysis, addition)}{_line_end(analysis.content)}"
    if end < 0:
        return len(analysis.content), f"{_line_end(analysis.content)}{pair}"
    return end + 1, pair


def _into_list(analysis: Analysis, addition: Addition, written: Entry) -> Insertion | None:
    """Behind the last item, written as that is."""
    content = analysis.content
    indexes = analysis.outline.names(written.route)
    texts = [spell_value(item, analysis.notation) for item in addition.items]
    if written.kind != "list":
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


def _is_on_one_line(analysis: Analysis, addition: Addition) -> bool:
    """Whether the table stands in braces."""
    places = [entry.value[0] for entry in analysis.outline.at(addition.table)]
    return any(analysis.content[start : start + 1] == b"{" for start in places)


def _pair(analysis: Analysis, addition: Addition, *, quoted: bool = False) -> str:
    key = f'"{addition.key}"' if quoted else spell_key(addition.key, analysis.notation)
    mark = " = " if analysis.notation == "toml" else ": "
    return f"{key}{mark}{spell_value(addition.items, analysis.notation)}"


def _line_end(content: bytes) -> str:
    return "\r\n" if b"\r\n" in content else "\n"
