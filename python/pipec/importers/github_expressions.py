"""Expressions of GitHub as values of the language, and as variables of the shell."""

import re

from pipec.importers.ids import legal
from pipec.importers.shells import spliced
from pipec.importers.target import TargetTask

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_CONTEXT = re.compile(r"(secrets|vars|env|matrix|inputs|github\.event\.inputs|github)\.([\w-]+)")
_OF_RUNNER = {
    "actor", "base_ref", "event_name", "head_ref", "job", "ref", "ref_name", "ref_type",
    "repository", "repository_owner", "run_attempt", "run_id", "run_number", "server_url", "sha",
    "workflow", "workspace",
}  # fmt: skip


class UntranslatableError(Exception):
    """An expression that only GitHub can evaluate; the message quotes it."""


def fill_in(task: TargetTask, text: str) -> str:
    """A command with its expressions as variables of the shell, which the task is given.

    Raises:
        UntranslatableError: only GitHub can evaluate one of them.
    """
    parts: list[str] = []
    at = 0
    for found in _EXPRESSION.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        parts.append(spliced("".join(parts), _variable(task, found.group(1))))
    parts.append(text[at:])
    return "".join(parts)


def env_value(text: str) -> object:
    """A value of the language for a value of `env`; None if only GitHub can evaluate it."""
    if "${{" not in text:
        return text
    found = _EXPRESSION.fullmatch(text.strip())
    match = _CONTEXT.fullmatch(found.group(1)) if found is not None else None
    if match is None:
        return None
    context, name = match.groups()
    if context == "secrets":
        return {"secret": name}
    if context == "vars":
        return {"var": name, "default": ""}
    if context == "github" and name in _OF_RUNNER:
        return {"var": f"GITHUB_{name.upper()}", "default": ""}
    return None


def _variable(task: TargetTask, expression: str) -> str:
    match = _CONTEXT.fullmatch(expression)
    if match is None:
        raise UntranslatableError(expression)
    context, name = match.groups()
    if context == "matrix":
        return f"${{PIPEC_MATRIX_{name.upper().replace('-', '_')}}}"
    if context in ("inputs", "github.event.inputs"):
        variable = f"PIPEC_PARAM_{legal(name).upper().replace('-', '_')}"
        names = task.fields.setdefault("env-inputs", [])
        if variable not in names:
            names.append(variable)
        return f"${{{variable}:-}}"
    if context == "github":
        if name not in _OF_RUNNER:
            raise UntranslatableError(expression)
        return f"${{GITHUB_{name.upper()}:-}}"
    if context in ("secrets", "vars"):
        kind = "secret" if context == "secrets" else "var"
        task.fields.setdefault("env", {}).setdefault(name, {kind: name})
    return f"${{{name}}}"
