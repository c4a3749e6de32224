"""What a folder says about how it is built and tested: the tasks of a first pipeline."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli

from pipec.errors import SpecError
from pipec.importers.files import Files
from pipec.importers.kinds import IMPORTERS
from pipec.importers.make_pipeline import find_source
from pipec.importers.report import Report
from pipec.importers.target import Target

SCHEMA = ".pipec/schemas/pipeline.schema.json"
"""Where editors find the schema of the file, relative to the pipeline."""

_SCRIPTS = ("lint", "typecheck", "check", "test", "build")
_RUNNERS = {"make": "make", "just": "just", "taskfile": "task"}
_PACKAGE_MANAGERS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
_PYTHON_LOCKS = {"uv.lock": "uv run ", "poetry.lock": "poetry run ", "pdm.lock": "pdm run "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """A task to begin with, and the file that suggested it. With `inputs` it can be cached."""

    task: str
    command: str
    found_in: str
    inputs: tuple[str, ...] = ()


def find_starters(folder: str) -> tuple[Starter, ...]:
    """The tasks that the folder's own files suggest; the first one of each name counts."""
    found: dict[str, Starter] = {}
    for look in (_package_json, _pyproject, _cargo, _go, _other_runners):
        for starter in look(folder):
            found.setdefault(starter.task, starter)
    return tuple(found.values())


def find_name(folder: str) -> str:
    """The name of the project: that in its manifest, else that of its folder."""
    manifests = (
        _manifest(folder).get("name"),
        _table(_toml_values(folder, "pyproject.toml"), "project").get("name"),
        _table(_toml_values(folder, "Cargo.toml"), "package").get("name"),
    )
    named = (name for name in manifests if isinstance(name, str) and name.strip())
    return next(named, os.path.basename(os.path.abspath(folder)))


def render_pipeline(name: str, starters: Sequence[Starter]) -> str:
    """The text of a pipeline with these tasks and a job that runs them all."""
    lines = [f"#:schema ./{SCHEMA}", "", f"name = {_toml(name)}", ""]
    for starter in starters or (_EXAMPLE,):
        lines.append(f"[tasks.{starter.task}]")
        if starter.inputs:
            lines.append(f"inputs = [{', '.join(map(_toml, starter.inputs))}]")
            # Passing is all that such a task gives: `outputs = []` says so.
            lines += ["outputs = []", "cache = true"]
        lines += [f"run = {_toml(starter.command)}", ""]
    tasks = [starter.task for starter in starters or (_EXAMPLE,)]
    lines += ["[jobs.verify]", f"target = [{', '.join(map(_toml, tasks))}]"]
    return "\n".join(lines) + "\n"


_EXAMPLE = Starter(task="hello", command="echo hello from pipec", found_in="")


def _package_json(folder: str) -> Iterator[Starter]:
    manifest = _manifest(folder)
    scripts = _table(manifest, "scripts")
    runner = _package_manager(folder, manifest)
    for script in _SCRIPTS:
        if script in scripts:
            yield Starter(task=script, command=f"{runner} run {script}", found_in="package.json")


def _package_manager(folder: str, manifest: Mapping[str, Any]) -> str:
    """What runs scripts: what the manifest names, else that whose lock file is there."""
    named = str(manifest.get("packageManager", "")).partition("@")[0]
    if named in _PACKAGE_MANAGERS.values():
        return named
    return next(
        (tool for lock, tool in _PACKAGE_MANAGERS.items() if _is_there(folder, lock)), "npm"
    )


def _pyproject(folder: str) -> Iterator[Starter]:
    text = _read(folder, "pyproject.toml")
    locks = (prefix for lock, prefix in _PYTHON_LOCKS.items() if _is_there(folder, lock))
    prefix = next(locks, "")
    inputs = ("**/*.py", "pyproject.toml")
    for tool, task, command in (
        ("ruff", "lint", "ruff check"),
        ("mypy", "typecheck", "mypy ."),
        ("pytest", "test", "pytest"),
    ):
        if re.search(rf"\b{tool}\b", text):
            yield Starter(
                task=task, command=prefix + command, found_in="pyproject.toml", inputs=inputs
            )


def _cargo(folder: str) -> Iterator[Starter]:
    if _read(folder, "Cargo.toml"):
        inputs = ("**/*.rs", "**/Cargo.toml", "Cargo.lock")
        for task, command in (("lint", "cargo clippy"), ("test", "cargo test")):
            yield Starter(task=task, command=command, found_in="Cargo.toml", inputs=inputs)


def _go(folder: str) -> Iterator[Starter]:
    if _read(folder, "go.mod"):
        inputs = ("**/*.go", "go.mod", "go.sum")
        for task, command in (("lint", "go vet ./..."), ("test", "go test ./...")):
            yield Starter(task=task, command=command, found_in="go.mod", inputs=inputs)


def _other_runners(folder: str) -> Iterator[Starter]:
    """Tasks of files that an importer reads: their own tool keeps running them."""
    for kind, command in _RUNNERS.items():
        importer = next(known for known in IMPORTERS if known.kind == kind)
        files = Files(folder)
        target = Target(name="", report=Report())
        try:
            path = find_source(importer, files)
            importer.read(path, files, target)
        except SpecError:
            # A file that its tool could not read suggests nothing; importing it says what is wrong.
            continue
        names = {task.path for task in target.tasks.values()}
        for task in _SCRIPTS:
            if (task,) in names:
                yield Starter(task=task, command=f"{command} {task}", found_in=path)


def find_importable(folder: str) -> tuple[str, ...]:
    """The kinds of files here that `pipec import` takes over as a whole."""
    files = Files(folder)
    return tuple(
        importer.kind
        for importer in IMPORTERS
        if any(files.exists(name) or files.is_folder(name) for name in importer.names)
    )


def _manifest(folder: str) -> Mapping[str, Any]:
    try:
        values: Any = json.loads(_read(folder, "package.json"))
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _toml_values(folder: str, name: str) -> Mapping[str, Any]:
    try:
        return tomli.loads(_read(folder, name))
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _table(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = values.get(key)
    return value if isinstance(value, dict) else {}


def _is_there(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))


def _read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _toml(text: str) -> str:
    """A basic string: TOML's escapes are JSON's, except that a lone surrogate has no spelling."""
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
