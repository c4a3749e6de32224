"""The reference of the Python API, made of its source: signatures as written, and docstrings.

`python -m tests.docs.reference` writes it anew, with the other pages.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pipec

PYTHON_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "python-api.md"

HEAD = """# The Python API

Every public name of `pipec` and `pipec.testing`, as its docstring describes it; the guide is
[From Python](../guides/python-api.md). This page is made of the code.
"""
MODULES = ("pipec", "pipec.testing")
_LONGEST = 96


def python_page() -> str:
    """The whole page."""
    sections = [HEAD, *(section for name in MODULES for section in _module(name))]
    return "\n".join(sections).rstrip() + "\n"


def _module(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    yield f"## `{name}`\n"
    for member in sorted(module.__all__, key=str.lower):
        yield f"### `{member}`\n"
        yield from _member(getattr(module, member), member)


def _member(value: object, name: str) -> Iterator[str]:
    if isinstance(value, str):
        yield "The version of pipec, as text.\n"
    elif isinstance(value, FunctionType):
        yield _code(_signature(_definition(value), name))
        yield _doc(value)
    elif isinstance(value, type):
        yield _doc(value)
        yield from _class_body(value)
    else:
        # A type alias: its name has no definition of its own to ask.
        yield f"A type: `{_alias(name)}`\n"


def _class_body(cls: type) -> Iterator[str]:
    body = _definition(cls).body
    shown = [node for node in body if isinstance(node, ast.AnnAssign)]
    if shown and not issubclass(cls, str):
        yield _code("\n".join(_field(node) for node in shown))
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if node.name == "__init__":
            yield _code(_signature(node, cls.__name__))
        elif not node.name.startswith("_"):
            yield _code(_signature(node, f"{cls.__name__}.{node.name}"))
            yield _markdown(ast.get_docstring(node) or "")


def _field(node: ast.AnnAssign) -> str:
    default = (
        "" if node.value is None or isinstance(node.value, ast.Call) else f" = {_text(node.value)}"
    )
    return f"{_text(node.target)}: {_text(node.annotation)}{default}"


def _definition(value: type | FunctionType) -> "ast.ClassDef | ast.FunctionDef":
    node = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    assert isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    return node  # type: ignore[return-value]


def _signature(node: "ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef", name: str) -> str:
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if node.args.args and node.args.args[0].arg == "self":
        del node.args.args[0]
    arguments = _text(node.args)
    prefix = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    returns = _text(node.returns) if node.returns is not None else "None"
    given = "" if returns == "None" else f" -> {returns}"
    line = f"{prefix}{name}({arguments}){given}"
    if len(line) <= _LONGEST:
        return line
    parts = _split(arguments)
    return "\n".join([f"{prefix}{name}(", *(f"    {part}," for part in parts), f"){given}"])


def _split(arguments: str) -> list[str]:
    """At the commas that are in no bracket."""
    parts, depth = [""], 0
    for character in arguments:
        depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _alias(name: str) -> str:
    home = next(module for module, names in pipec._HOMES.items() if name in names)
    tree = ast.parse(inspect.getsource(importlib.import_module(home)))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return next(_text(node.value) for node in assigned if _text(node.targets[0]) == name)


def _text(node: ast.AST) -> str:
    return ast.unparse(node).replace("'", '"')


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _doc(value: object) -> str:
    return _markdown(inspect.getdoc(value) or "")


def _markdown(docstring: str) -> str:
    """A docstring with what it raises as a list."""
    text, _, raised = docstring.partition("\nRaises:\n")
    items: list[str] = []
    for line in raised.splitlines():
        if line.startswith("     "):
            items[-1] += " " + line.strip()
        else:
            items.append(line.strip())
    listed = "".join(f"- raises {item}\n" for item in items)
    return text.rstrip() + "\n" + (f"\n{listed}" if listed else "")
