"""Reads TOML: tomli for the values, the core for all syntax errors at once."""

from typing import Any

import tomli

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import SpecError
from pipec.frontend.document import Document


def read_toml(document: Document) -> dict[str, Any]:
    """The values of a TOML document.

    Raises:
        SpecError: with every syntax error.
    """
    try:
        return tomli.loads(document.text)
    except tomli.TOMLDecodeError as error:
        raise SpecError(_syntax_errors(document, error), document=document) from None
    except RecursionError:
        message = "tables and lists stand in each other too deep to be read"
        raise SpecError([Finding(Code.TOML_SYNTAX, message)], document=document) from None


def _syntax_errors(document: Document, error: tomli.TOMLDecodeError) -> list[Finding]:
    errors = _core.toml_errors(document.text)
    if not errors:
        # The two parsers disagree: tomli's word decides, and it has a position too.
        offset = len(document.text[: error.pos].encode())
        errors = [(error.msg, offset, offset)]
    return [
        Finding(
            Code.REPEATED_KEY if "duplicate key" in message else Code.TOML_SYNTAX,
            message[:1].lower() + message[1:],
            (Label(span=(start, end)),),
        )
        for message, start, end in errors
    ]
