"""Configures each tool for a generated monorepo: the same two tasks a package, in its own words."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from typing import IO, Final, cast

from benches.plan import Monorepo
from benches.tree import TreeWriter

Emitter = Callable[[Monorepo, TreeWriter], None]


def emit_pipec(repo: Monorepo, writer: TreeWriter) -> None:
    """One pipeline file with a group for each package, and two jobs: all builds, all tests."""
    outputs = bool(repo.shape.outputs)
    lines = ['name = "synthetic-monorepo"', "", '[task-defaults."*"]', "cache = true"]
    for job in ("build", "test"):
        targets = [f"{package.name}.{job}" for package in repo.packages]
        lines += ["", f"[jobs.{job}]", f"target = {json.dumps(targets)}"]
    for package in repo.packages:
        inputs = json.dumps([f"{package.folder}/src/**", f"{package.folder}/package.json"])
        builds = [f"{name}.build" for name in package.dependencies]
        made = [f"{package.folder}/dist/**"] if outputs else []
        lines += [
            "",
            f"[tasks.{package.name}.build]",
            f"depends-on = {json.dumps(builds)}",
            f"inputs = {inputs}",
            f"outputs = {json.dumps(made)}",
            f'cwd = "{package.folder}"',
            f'run = "{repo.build_command}"',
            "",
            f"[tasks.{package.name}.test]",
            f'depends-on = ["{package.name}.build"]',
            f"inputs = {inputs}",
            "outputs = []",
            f'cwd = "{package.folder}"',
            'run = "true"',
        ]
    writer.write("pipeline.toml", "\n".join(lines) + "\n")


def emit_turbo(repo: Monorepo, writer: TreeWriter) -> None:
    """Every file of a package that git does not ignore is an input: turbo's fastest way."""
    outputs = ["dist/**"] if repo.shape.outputs else []
    tasks = {
        "build": {"dependsOn": ["^build"], "outputs": outputs},
        "test": {"dependsOn": ["build"], "outputs": []},
    }
    writer.write_json("turbo.json", {"tasks": tasks})


def emit_nx(repo: Monorepo, writer: TreeWriter) -> None:
    """The scripts of each package.json as targets, cached."""
    inputs = ["sources", "^sources"]
    outputs = ["{projectRoot}/dist"] if repo.shape.outputs else []
    build = {"cache": True, "dependsOn": ["^build"], "inputs": inputs, "outputs": outputs}
    test = {"cache": True, "dependsOn": ["build"], "inputs": inputs, "outputs": []}
    writer.write_json(
        "nx.json",
        {
            "neverConnectToCloud": True,
            "tui": {"enabled": False},
            "namedInputs": {"sources": ["{projectRoot}/src/**/*", "{projectRoot}/package.json"]},
            "targetDefaults": {"build": build, "test": test},
        },
    )


def emit_moon(repo: Monorepo, writer: TreeWriter) -> None:
    """Tasks that every project inherits; inputs found by globs, much faster than by its default."""
    writer.write(
        ".moon/workspace.yml",
        "projects: ['packages/*']\n"
        "vcs: {client: git, defaultBranch: main}\n"
        "hasher: {walkStrategy: glob}\n"
        "telemetry: false\n",
    )
    inputs = "inputs: ['src/**/*', 'package.json'], toolchains: ['system']"
    outputs = ", outputs: ['dist']" if repo.shape.outputs else ""
    writer.write(
        ".moon/tasks/all.yml",
        "tasks:\n"
        f"  build: {{script: '{repo.build_command}', deps: ['^:build'], {inputs}{outputs}}}\n"
        f"  test: {{command: 'true', deps: ['~:build'], {inputs}}}\n",
    )
    for package in repo.packages:
        writer.write(
            f"{package.folder}/moon.yml", f"dependsOn: {json.dumps(package.dependencies)}\n"
        )


def emit_ninja(repo: Monorepo, writer: TreeWriter) -> None:
    """Every file by name, compared by time stamp only: a yardstick, not a tool with a cache."""
    lines = [
        "builddir = .",
        "rule build",
        f"  command = (cd packages/$package && {repo.build_command}) && touch $out",
        "rule test",
        "  command = touch $out",
    ]
    for package in repo.packages:
        paths = [*(file.path for file in package.files), "package.json"]
        sources = " ".join(f"{package.folder}/{path}" for path in paths)
        builds = " ".join(f".ninja_{name}.build" for name in package.dependencies)
        lines += [
            f"build .ninja_{package.name}.build: build {sources} | {builds}",
            f"  package = {package.name}",
            f"build .ninja_{package.name}.test: test .ninja_{package.name}.build",
        ]
    writer.write("build.ninja", "\n".join(lines) + "\n")


def emit_git(repo: Monorepo, writer: TreeWriter) -> None:
    """A repository with one commit, of a fixed date, of everything that is not ignored.

    Runs last. The objects come as one pack: `git add` would make a file for each of theirs.
    """
    del repo
    _git(writer, "init", "--quiet", "--initial-branch=main")
    _git(writer, "config", "gc.auto", "0")
    listed = _git(writer, "ls-files", "-z", "--others", "--exclude-standard")
    paths = sorted(path for path in listed.split(b"\0") if path)
    message = b"synthetic monorepo\n"
    importing = _start_git(writer, "-c", "core.compression=1", "fast-import", "--quiet")
    with importing, cast("IO[bytes]", importing.stdin) as stream:
        stream.write(b"commit refs/heads/main\n")
        stream.write(b"committer bench <bench@example.invalid> 1704067200 +0000\n")
        stream.write(b"data %d\n%s\n" % (len(message), message))
        for path in paths:
            content = (writer.root / os.fsdecode(path)).read_bytes()
            stream.write(b"M 100644 inline %s\ndata %d\n" % (path, len(content)))
            stream.write(content + b"\n")
    if importing.returncode != 0:
        raise subprocess.CalledProcessError(importing.returncode, "git fast-import")
    _git(writer, "read-tree", "main")
    _git(writer, "update-index", "-q", "--refresh")


def _git(writer: TreeWriter, *arguments: str) -> bytes:
    """Runs git in the tree; gives what it prints."""
    with _start_git(writer, *arguments) as process:
        printed, _ = process.communicate()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, ["git", *arguments])
    return printed


def _start_git(writer: TreeWriter, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts git in the tree, deaf to the settings of whoever runs the benchmark."""
    deaf = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.Popen(
        ["git", *arguments],
        cwd=writer.root,
        env={**os.environ, **deaf},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


EMITTERS: Final[Mapping[str, Emitter]] = {
    "pipec": emit_pipec,
    "turbo": emit_turbo,
    "nx": emit_nx,
    "moon": emit_moon,
    "ninja": emit_ninja,
    "git": emit_git,
}
"""By the name that `--emit` takes; `git` has to come last: it commits what the others wrote."""
