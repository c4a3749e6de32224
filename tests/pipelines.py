"""Pipelines given as text: their normal form, or what is said about them."""

from textwrap import dedent

from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.discover import Notation
from pipec.frontend.document import Document
from pipec.frontend.load import Loaded, load_document
from pipec.frontend.render import render
from pipec.ir.pipeline import Pipeline


def document_of(text: str, notation: Notation = "toml") -> Document:
    """A document as if it were the project's pipeline."""
    return Document(f"pipeline.{notation}", dedent(text).lstrip("\n"), notation)


def load_text(text: str, notation: Notation = "toml") -> Loaded:
    """What a text loads as."""
    return load_document(document_of(text, notation))


def pipeline_of(text: str, notation: Notation = "toml") -> Pipeline:
    """The normal form of a text without errors."""
    return load_text(text, notation).pipeline


def findings_of(text: str, notation: Notation = "toml") -> tuple[Finding, ...]:
    """Errors and warnings about a text."""
    try:
        return load_text(text, notation).warnings
    except SpecError as error:
        return error.findings


def codes_of(text: str, notation: Notation = "toml") -> list[str]:
    """The codes of the findings about a text, without their common prefix."""
    return [finding.code.removeprefix("PIPEC_") for finding in findings_of(text, notation)]


def said_of(text: str, notation: Notation = "toml") -> str:
    """The findings about a text as a person reads them, without the last line of each."""
    document = document_of(text, notation)
    rendered = render(findings_of(text, notation), document, color=False)
    lines = [line for line in rendered.splitlines() if not line.startswith("help: pipec explain")]
    return "\n".join(lines) + "\n"
