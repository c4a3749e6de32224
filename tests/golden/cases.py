"""The golden files of the language: a folder a table, and for each key what is right and wrong.

`<table>/<key>.valid.toml` is a file without errors that has the key in such a table. Each
`<table>/<key>.invalid*.toml` begins with a comment for every error, code and place, in their order:

    # PIPEC_INVALID_DURATION tasks.build.timeout

`differences.toml` names the files about which the schema says otherwise, and why it has to.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tomli

from pipec.diagnostics import Finding, Route
from pipec.spec.base import Spec

FOLDER = Path(__file__).parent / "language"
EXPECTED = re.compile(r"# (PIPEC_\w+) (\S+)")


@dataclass(frozen=True, slots=True)
class Case:
    """One file: the table and the key that it is about, and what is to be found in it."""

    path: Path
    table: str
    key: str
    text: str
    expected: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The path in the folder of all cases."""
        return self.path.relative_to(FOLDER).as_posix()


def cases(kind: str) -> list[Case]:
    """All files that are `valid` or `invalid`, in the order of their names."""
    return [_read(path) for path in sorted(FOLDER.glob(f"*/*.{kind}*.toml"))]


def _read(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    expected = []
    for line in text.splitlines():
        found = EXPECTED.fullmatch(line)
        if found is None:
            break
        expected.append((found[1], found[2]))
    key = path.name.split(".")[0]
    return Case(
        path, path.parent.name, "$schema" if key == "schema" else key, text, tuple(expected)
    )


def described(findings: Iterable[Finding]) -> tuple[tuple[str, str], ...]:
    """Code and place of each error, as the files have them."""
    return tuple(
        (finding.code.value, spelled(finding.labels[0].route) if finding.labels else "-")
        for finding in findings
        if finding.severity == "error"
    )


def spelled(route: Route) -> str:
    """A place: `tasks.build.run[0].sh`; white space would end it."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in route)
    return "".join(parts).removeprefix(".").replace(" ", "␠") or "-"


def table_name(model: type[Spec]) -> str:
    """The folder of a model: `shell-step` of `ShellStepSpec`."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", model.__name__.removesuffix("Spec"))
    return words.lower()


def differences() -> dict[str, list[str]]:
    """Why the schema says otherwise, and in which files, by reason."""
    written = tomli.loads((FOLDER / "differences.toml").read_text(encoding="utf-8"))
    return {reason: table["files"] for reason, table in written.items()}
