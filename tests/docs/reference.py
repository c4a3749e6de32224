"""The reference pages that are made from the program: tables of keys, and the index of codes.

A comment in the page of the pipeline file names a model, such as
`<!-- fields of pipec.spec.job.JobSpec -->`; its table follows. `python -m tests.docs.reference`
writes the tables and the index anew.
"""

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipec.codes import Code
from pipec.spec.base import Spec
from pipec.spec.forms import form_of, plain_name
from pipec.spec.meaning import Meaning, meanings
from tests.docs.python_reference import PYTHON_PAGE, python_page

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "pipeline-file.md"
INDEX = DOCS / "reference" / "codes.md"

MARKER = re.compile(
    r"(?P<marker><!-- fields of (?P<model>[\w.]+) -->\n\n)(?P<table>(?:\|.*\n)*\n?)"
)
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


def models(page: str) -> list[str]:
    """The models whose tables a page has."""
    return [found["model"] for found in MARKER.finditer(page)]


def with_tables(page: str) -> str:
    """The page with every table as the models are now."""
    sections = anchors(page)
    filled = MARKER.sub(
        lambda found: found["marker"] + table(load_model(found["model"]), sections), page
    )
    return filled.rstrip() + "\n"


def anchors(page: str) -> dict[type[Spec], str]:
    """The anchor of the section that each model's table is in: of the heading above it."""
    found = {}
    for marker in MARKER.finditer(page):
        heading = [match["title"] for match in HEADING.finditer(page, 0, marker.start())][-1]
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found[load_model(marker["model"])] = anchor
    return found


def load_model(name: str) -> type[Spec]:
    """The model with a dotted name."""
    module, _, member = name.rpartition(".")
    model = getattr(importlib.import_module(module), member)
    assert issubclass(model, Spec)
    return model


def table(model: type[Spec], sections: Mapping[type[Spec], str]) -> str:
    """A row for each key: what it can be, what it is when left out, its meaning, an example."""
    rows = ["| key | type | default | meaning | example |", "| --- | --- | --- | --- | --- |"]
    fields = {field.alias: field for field in model.model_fields.values()}

    def link(kind: type[Spec]) -> str:
        anchor = sections.get(kind)
        return f"[{plain_name(kind)}](#{anchor})" if anchor else "no keys"

    for meaning in meanings(model):
        form = form_of(fields[meaning.key], link)
        cells = [f"`{meaning.key}`", form, default(meaning), meaning.text, example(meaning)]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n\n"


def default(meaning: Meaning) -> str:
    """A default as it would be written, blank for nothing."""
    if meaning.is_required:
        return "required"
    return spelled(meaning.default)


def spelled(value: Any) -> str:
    """A value in TOML, blank for nothing."""
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value)}`"


def example(meaning: Meaning) -> str:
    """The example, line by line."""
    return "<br>".join(f"`{line}`" for line in meaning.example.splitlines() if line)


def index() -> str:
    """Every code with the first sentence of its page."""
    rows = [
        f"| [{code}](../errors/{code}.md) | {first_sentence(code).replace('|', chr(92) + '|')} |"
        for code in Code
    ]
    lines = [
        "# Codes",
        "",
        "Made from the program itself. A code is never renamed and never reused;",
        "`pipec explain CODE` prints its page.",
        "",
        "| code | meaning |",
        "| --- | --- |",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def first_sentence(code: Code) -> str:
    """What the page of a code begins with."""
    page = (DOCS / "errors" / f"{code}.md").read_text(encoding="utf-8")
    paragraph = " ".join(page.split("\n\n")[1].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", paragraph)[0]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    INDEX.write_text(index(), encoding="utf-8")
    PYTHON_PAGE.write_text(python_page(), encoding="utf-8")
