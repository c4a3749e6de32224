"""Commands as steps: what needs bash, what is quoted, what goes before a command."""

import re
import shlex
from collections.abc import Mapping

_BASH = re.compile(
    r"\[\[|<<<|[<>]\(|\bsource\s|\bpipefail\b|\bshopt\b|\bdeclare\b|\$'|\b\w+\+?=\(|&>|\bfunction\s|"
    r"\$\{\w+(?:\[|//?|\^|,|:\d)|\(\("
)
_SYSTEMS = {"linux": "Linux", "macos": "Darwin"}


def needs_bash(text: str) -> bool:
    """Whether a command is written for bash rather than for any shell."""
    return _BASH.search(text) is not None


def with_commands(text: str, commands: Mapping[str, str], *, export: bool = False) -> str:
    """A command after assignments from what other commands print."""
    lines = [f"{name}=$({command})" for name, command in commands.items()]
    if export:
        lines += [f"export {name}" for name in commands]
    return "\n".join([*lines, text])


def only_on(platform: str, text: str) -> str:
    """A command for one platform, that does nothing on the others."""
    system = shlex.quote(_SYSTEMS.get(platform, platform))
    return f'if [ "$(uname -s)" = {system} ]; then\n{text}\nfi'


def may_fail(text: str) -> str:
    """A command whose failure counts for nothing."""
    return f"({text}) || true" if "\n" not in text else f"(\n{text}\n) || true"


def demand(condition: str, message: str) -> str:
    """A command that ends a task unless a condition holds."""
    return f"({condition}) || {{ echo {shlex.quote(message)} >&2; exit 1; }}"


def spliced(before: str, fragment: str) -> str:
    """A piece of shell such as `${NAME}` as it has to stand after a text, outside of its quotes."""
    quote = ""
    at = 0
    while at < len(before):
        character = before[at]
        if character == "\\" and quote != "'":
            at += 1
        elif character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        elif character == "#" and not quote and (at == 0 or before[at - 1] in " \t\n;"):
            # A comment ends with its line.
            at = before.find("\n", at)
            if at < 0:
                break
        at += 1
    return f"'\"{fragment}\"'" if quote == "'" else fragment


def prefixed(step: object, lines: list[str]) -> object:
    """A step after some lines of shell."""
    if not lines:
        return step
    if isinstance(step, dict):
        return {**step, "sh": "\n".join([*lines, str(step["sh"])])}
    return "\n".join([*lines, str(step)])


def conditional(condition: str, step: object) -> object:
    """A step that happens only if a shell says so."""
    if isinstance(step, dict):
        return {**step, "sh": f"if {condition}; then\n{step['sh']}\nfi"}
    return f"if {condition}; then\n{step}\nfi"
