"""Installs the tools that pipec is compared with, pinned, and says how each is run."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benches.build import SCRATCH, TOOLS, Built

FROM_NPM: Final = {"turbo": "2.11.11", "nx": "24.0.6", "@moonrepo/cli": "2.5.5"}
FROM_PYPI: Final = {"ninja": "1.13.2"}

FOLDER: Final = SCRATCH / "rivals"
QUIET: Final = {
    "DO_NOT_TRACK": "1",
    "TURBO_TELEMETRY_DISABLED": "1",
    "TURBO_NO_UPDATE_NOTIFIER": "1",
    "NX_NO_CLOUD": "true",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
"""No telemetry, no question for a newer version, no settings of whoever runs the benchmark."""


@dataclass(frozen=True, slots=True)
class Tool:
    """How one tool does each kind of work; what it cannot do alone is empty.

    `digests` are the patterns, relative to a tree, of where it remembers digests of files;
    `results` those of where it remembers that tasks have run. `!` keeps what an earlier one has.
    """

    name: str
    config: tuple[str, ...]
    tests: tuple[str, ...]
    builds: tuple[str, ...] = ()
    digest_all: tuple[str, ...] = ()
    graph: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Path] = field(default_factory=dict)
    slow: bool = False
    stop: tuple[str, ...] = ()


def pipec(built: Built) -> Tool:
    """pipec, by its console script."""
    program = str(built.pipec)
    run = (program, "run", "--output-logs=none")
    return Tool(
        name="pipec",
        config=("pipec", "git"),
        tests=(*run, "test"),
        builds=(*run, "build"),
        digest_all=(*run, "test"),
        graph=(program, "graph", "--format", "dot", "test"),
        version=(program, "--version"),
        help=(program, "--help"),
        digests=(".pipec/cache/index*", ".pipec/cache/surveys", ".pipec/cache/settled"),
        # Everything but the compiled pipeline: this is not a measurement of reading TOML.
        results=(".pipec/cache/*", "!.pipec/cache/ir", "!.pipec/cache/plan*"),
    )


def git() -> Tool:
    """`git status`, which answers less (has anything changed?) and which everybody has."""
    program = found("git")
    return Tool(
        "git status", ("git",), (program, "status", "--porcelain"), version=(program, "--version")
    )


def ninja() -> Tool:
    """ninja: time stamps only, every file named beforehand; a yardstick without a cache."""
    program = str(FOLDER / "ninja" / "bin" / "ninja")
    return Tool(
        name="ninja",
        config=("ninja",),
        tests=(program, "--quiet"),
        graph=(program, "-t", "targets", "all"),
        version=(program, "--version"),
        results=(".ninja_*",),
    )


def turbo() -> Tool:
    """turbo's native binary, without its script for node."""
    (program,) = map(str, (FOLDER / "node_modules" / "@turbo").glob("*/bin/turbo"))
    run = (program, "run", "--skip-infer", "--output-logs=none")
    return Tool(
        name="turbo",
        config=("turbo", "git"),
        tests=(*run, "test"),
        builds=(*run, "build"),
        digest_all=(program, "run", "--skip-infer", "test", "--dry=json"),
        graph=(program, "run", "--skip-infer", "test", f"--graph={SCRATCH / 'turbo.dot'}"),
        help=(program, "--skip-infer", "run", "--help"),
        results=(".turbo",),
    )


def nx(*, daemon: bool) -> Tool:
    """nx through node, as it comes; its daemon is on unless told otherwise."""
    package = FOLDER / "node_modules" / "nx"
    program = (found("node"), str(package / "dist" / "bin" / "nx.js"))
    run = (*program, "run-many", "--outputStyle=static", "-t")
    return Tool(
        name="nx with daemon" if daemon else "nx",
        config=("nx", "git"),
        tests=(*run, "test"),
        builds=(*run, "build"),
        version=() if daemon else (*program, "--version"),
        results=(".nx",),
        variables={"NX_DAEMON": "true" if daemon else "false"},
        links={"node_modules/nx": package},
        slow=True,
        stop=(*program, "daemon", "--stop") if daemon else (),
    )


def moon() -> Tool:
    """moon's native binary."""
    (program,) = map(str, (FOLDER / "node_modules" / "@moonrepo").glob("core-*/moon"))
    return Tool(
        name="moon",
        config=("moon", "git"),
        tests=(program, "run", ":test"),
        builds=(program, "run", ":build"),
        graph=(program, "task-graph", "--json"),
        version=(program, "--version"),
        results=(".moon/cache",),
        variables={"MOON_HOME": str(SCRATCH / "home" / ".moon")},
        slow=True,
    )


def rivals(*, slow: bool) -> list[Tool]:
    """The installed tools; `slow` adds those that take minutes on a large tree."""
    return [turbo(), git(), ninja(), *([nx(daemon=False), nx(daemon=True), moon()] if slow else [])]


def install(*, slow: bool) -> None:
    """Installs what is not there yet, without running scripts of the packages.

    Raises:
        subprocess.CalledProcessError: a registry cannot be reached, or has no such version.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = dict(FROM_NPM) if slow else {"turbo": FROM_NPM["turbo"]}
    missing = {name: version for name, version in wanted.items() if _version(name) != version}
    if missing:
        (FOLDER / "package.json").write_text(json.dumps({"name": "rivals", "private": True}))
        pins = [f"{name}@{version}" for name, version in (_present() | missing).items()]
        npm = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([*npm, "--save-exact", *pins], cwd=FOLDER, check=True)
    for name, version in FROM_PYPI.items():
        if not (FOLDER / name / f"{name}-{version}.dist-info").is_dir():
            target = ("--target", str(FOLDER / name))
            uv = (str(TOOLS / "uv"), "pip", "install", "--quiet")
            subprocess.run([*uv, *target, f"{name}=={version}"], check=True)


def environment(tool: Tool, built: Built) -> dict[str, str]:
    """What a tool sees: nothing of the host's, and an `npm` that does nothing first on the path."""
    home = SCRATCH / "home"
    home.mkdir(exist_ok=True)
    path = [str(built.npm.parent), str(Path(found("node")).parent) if tool.slow else "", *_SYSTEM]
    variables = {"PATH": ":".join(filter(None, path)), "HOME": str(home), "LANG": "C.UTF-8"}
    return variables | QUIET | dict(tool.variables)


_SYSTEM: Final = ("/usr/local/bin", "/usr/bin", "/bin")


def _present() -> dict[str, str]:
    """The packages that are installed already: npm removes what it is not told to keep."""
    return {name: version for name, version in FROM_NPM.items() if _version(name) == version}


def _version(package: str) -> str:
    manifest = FOLDER / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.is_file() else ""


def found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(f"{program} is not on PATH")
    return path
