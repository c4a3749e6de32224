"""Finds the files that scripts go into."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tomli

from pipec.backends.scripts.jsonc import Jsonc
from pipec.backends.scripts.runners import ROOT_FILES, runner_for
from pipec.codes import Code
from pipec.errors import PipecError
from pipec.ir.sync_tasks import SyncTarget, SyncTasks, runners_of

_NAMED = ("package.json", "deno.json", "deno.jsonc", "pyproject.toml")
_NEVER = frozenset({"node_modules", "dist", "build", "target", "vendor", "coverage", "venv"})


@dataclass(frozen=True, slots=True, order=True)
class Manifest:
    """A file that gets scripts: its path from the folder of the pipeline, and its runner."""

    path: str
    runner: str


def find_manifests(root: str, settings: SyncTasks) -> tuple[Manifest, ...]:
    """The files of the settings, by path and runner.

    Raises:
        PipecError: one is not there, several have the name of one, or its runner is not clear.
    """
    if not settings.targets:
        found = tuple(_in_root(root, settings.runners))
        if not found:
            message = "no file in the folder of the pipeline has scripts that pipec could add to"
            advice = (
                "name one in `sync.tasks.targets`",
                "package.json, deno.json, deno.jsonc and pixi.toml count without being named",
                "so does a pyproject.toml with `[tool.poe]` or `[tool.pixi]`",
            )
            raise PipecError(Code.SYNC_TARGET_NOT_FOUND, message, help=advice)
        return found
    chosen = {manifest for target in settings.targets for manifest in _of_target(root, target)}
    return tuple(sorted(chosen))


def _in_root(root: str, runners: Sequence[str]) -> Iterator[Manifest]:
    for name in ROOT_FILES:
        path = os.path.join(root, name)
        if not os.path.isfile(path):
            continue
        text = _read(path)
        for runner in runners_of(name):
            if runner in runners and runner_for(runner, name).is_used_in(text):
                yield Manifest(name, runner)


def _of_target(root: str, target: SyncTarget) -> Iterator[Manifest]:
    if target.path:
        if not os.path.isfile(os.path.join(root, target.path)):
            message = f"there is no file `{target.path}` to put scripts in"
            raise PipecError(Code.SYNC_TARGET_NOT_FOUND, message)
        yield Manifest(target.path, target.runner or _runner_of(root, target.path))
        return
    paths = list(_with_name(root, target.package, target.runner))
    if not paths:
        message = f"no package here is called `{target.package}`"
        raise PipecError(Code.SYNC_TARGET_NOT_FOUND, message)
    if len(paths) > 1 and not target.allow_multiple:
        listed = " and ".join(f"`{path}`" for path in paths)
        message = f"several packages are called `{target.package}`: {listed}"
        advice = ("name the path of one, or set `allow-multiple = true`",)
        raise PipecError(Code.SYNC_TARGET_AMBIGUOUS, message, help=advice)
    for path in paths:
        yield Manifest(path, target.runner or _runner_of(root, path))


def _runner_of(root: str, path: str) -> str:
    """The runner of a file by its name and, where that is not enough, by what is in it.

    Raises:
        PipecError: it has settings of several runners, or of none.
    """
    possible = runners_of(path)
    if len(possible) == 1:
        return possible[0]
    text = _read(os.path.join(root, path))
    used = [name for name in possible if runner_for(name, path).is_used_in(text)]
    if len(used) == 1:
        return used[0]
    message = f"`{path}` can have scripts of {' and of '.join(possible)}"
    advice = (f'say which: `{{ path = "{path}", runner = "{possible[0]}" }}`',)
    raise PipecError(Code.SYNC_TARGET_AMBIGUOUS, message, help=advice)


def _with_name(root: str, name: str, runner: str) -> Iterator[str]:
    """The manifests of packages with this name, folder by folder."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _NEVER and not f.startswith("."))
        for file in _NAMED:
            path = os.path.join(folder, file)
            if file not in files or (runner and runner not in runners_of(file)):
                continue
            if _name_in(path, file) == name:
                yield os.path.relpath(path, root).replace(os.sep, "/")


def _name_in(path: str, file: str) -> str | None:
    text = _read(path)
    try:
        if file == "pyproject.toml":
            values = tomli.loads(text).get("project", {})
        else:
            values = Jsonc(text).values
    except (ValueError, json.JSONDecodeError):
        # Somewhere among the packages a file may be broken on purpose: it has no name.
        return None
    name = values.get("name") if isinstance(values, dict) else None
    return name if isinstance(name, str) else None


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode("utf-8-sig", "replace")
