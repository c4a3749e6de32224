"""The five errors of pipec: a class for each thing a caller can do, a code for each mistake."""

from collections.abc import Sequence
from typing import ClassVar

from pipec.codes import Code
from pipec.diagnostics import Finding


class PipecError(Exception):
    """Any error that pipec reports. `help` says what would be right, where that is known."""

    exit_status: ClassVar[int] = 2

    def __init__(self, code: Code, message: str, *, help: Sequence[str] = ()) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = tuple(help)


class SpecError(PipecError):
    """The file says something that pipec cannot accept; carries every finding, sorted by place.

    `document` is what the findings' labels point into: its path as the user would write it, and its
    text. It is None when there is no text to point into.
    """

    def __init__(self, findings: Sequence[Finding], *, document: object | None = None) -> None:
        first = next((f for f in findings if f.severity == "error"), findings[0])
        super().__init__(first.code, first.message, help=first.help)
        self.findings = tuple(findings)
        self.document = document


class PlanError(PipecError):
    """The request does not fit the pipeline."""


class DriftError(PipecError):
    """A generated file is not what the pipeline says it should be."""

    exit_status = 1


class RunError(PipecError):
    """A step, a store or a requirement failed while running."""

    exit_status = 1


class BugError(PipecError):
    """pipec broke one of its own rules; the message asks for a report."""

    def __init__(self, message: str) -> None:
        super().__init__(
            Code.BUG, message, help=["this is a bug in pipec: please report it with the file above"]
        )
