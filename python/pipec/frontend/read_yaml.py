"""Reads YAML: the values first, the places on demand.

When something has to be reported, the text is parsed again and only the places asked for are kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import yaml

from pipec.codes import Code
from pipec.diagnostics import Addition, Finding, Route
from pipec.errors import SpecError
from pipec.frontend.document import Document, Span
from pipec.frontend.read_yaml_blocks import mistakes_of_blocks, read_blocks
from pipec.frontend.yaml_builder import Builder, Stop, described, syntax_error


def read_yaml(document: Document) -> dict[str, Any]:
    """The values of a YAML document. Notes all places on the way if the document keeps them.

    Raises:
        SpecError: with a syntax error of each block, or with every repeated, nameless or empty key.
    """
    kept = document.kept
    if kept is not None and (read := read_blocks(document.text, kept.blocks)) is not None:
        kept.places = read.places
        return read.values
    builder = Builder(document.text, wanted=frozenset() if kept is None else None)
    try:
        value = builder.build()
    except yaml.YAMLError as error:
        findings = [*builder.findings, *_syntax_errors(document.text, error)]
        unique = list(dict.fromkeys(findings))
        raise SpecError(unique, document=document) from None
    if builder.findings:
        raise SpecError(builder.findings, document=document)
    if not isinstance(value, dict):
        raise SpecError([_not_a_table(value)], document=document)
    if kept is not None:
        kept.places = builder.spans().get
    return value


def locate(text: str, routes: Sequence[Route]) -> list[Span | None]:
    """Where the values at these routes stand in a text that `read_yaml` has read."""
    builder = Builder(text, wanted=frozenset(routes))
    with suppress(yaml.YAMLError):
        builder.build()
    spans = builder.spans()
    return [spans.get(route) for route in routes]


def _syntax_errors(text: str, error: yaml.YAMLError) -> list[Finding]:
    """A mistake of each block of the text, else the one that the parser stopped at."""
    found = [] if isinstance(error, Stop) else mistakes_of_blocks(text)
    return found or [syntax_error(text, error)]


def _not_a_table(value: Any) -> Finding:
    if value is None:
        message = "the document holds nothing but comments"
        return Finding(Code.EMPTY_FILE, message, addition=Addition((), "name", ""))
    message = f"a pipeline is a table of keys and values, not {described(value)}"
    return Finding(Code.WRONG_TYPE, message)
