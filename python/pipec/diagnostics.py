"""A finding: what is wrong, where in the file, and what to do. Others print it."""

from dataclasses import dataclass
from typing import Literal

from pipec.codes import Code

Route = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a document to a value."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the document.

    `route` leads to a value; `at` says whether to point at the value or at its key. A place that no
    route reaches (a syntax error) has `span`, a half-open range of byte offsets, instead.
    """

    route: Route = ()
    text: str = ""
    at: Literal["key", "value"] = "value"
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """What a table should have: `key` in the table at a route, with this value to begin with.

    A tuple is a list of texts: where the list is there already, they are added to it. None is an
    empty table.
    """

    table: Route
    key: str
    value: str | int | tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnostic. The first label is where the finding is; the others explain it.

    `help` holds what would be right, one sentence each. A finding without labels is about the whole
    file, or about none. `replacement` is what was probably meant in the place of the first label: a
    key where that points at one, else a value, a text or a list of texts. `addition` is what is
    missing, if that is all there is to do.
    """

    code: Code
    message: str
    labels: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()
    severity: Severity = "error"
    replacement: str | tuple[str, ...] | None = None
    addition: Addition | None = None
