"""The tables of the reference, made from the models that read the file.

A page names a model in a comment, `<!-- fields of pipec.spec.task.TaskSpec -->`, and its table
follows. `python -m tests.docs.reference PAGE…` writes the tables into the pages.
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any, get_args

from pipec.spec.base import Spec, kebab

MARKER = re.compile(r"(?P<marker><!-- fields of (?P<model>[\w.]+) -->\n\n)(?P<table>(?:\|.*\n)*)")


def models(page: str) -> list[str]:
    """The models whose tables a page has."""
    return [found["model"] for found in MARKER.finditer(page)]


def with_tables(page: str) -> str:
    """The page with every table as the models are now."""
    return MARKER.sub(lambda found: found["marker"] + table(load_model(found["model"])), page)


def load_model(name: str) -> type[Spec]:
    """The model with a dotted name."""
    module, _, member = name.rpartition(".")
    model = getattr(importlib.import_module(module), member)
    assert issubclass(model, Spec)
    return model


def table(model: type[Spec]) -> str:
    """A row for each key: its name, what it is when it is left out, and what it means."""
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        key = field.alias or kebab(name)
        default = field.get_default(call_default_factory=True)
        written = "required" if field.is_required() else spelled(default)
        meaning = (field.description or choices(field.annotation)).replace("|", "\\|")
        rows.append(f"| `{key}` | {written} | {meaning} |")
    return "\n".join(rows) + "\n"


def choices(annotation: Any) -> str:
    """The texts that a key can have, where the model leaves its meaning to them."""
    texts = [text for text in get_args(annotation) if isinstance(text, str)]
    for part in get_args(annotation):
        texts += [text for text in get_args(part) if isinstance(text, str)]
    return ", ".join(f"`{text}`" for text in texts)


def spelled(default: Any) -> str:
    """A default as it would be written, blank for nothing."""
    if default in (None, "", [], {}) or isinstance(default, Spec):
        return ""
    return f"`{json.dumps(default)}`"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument)
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
