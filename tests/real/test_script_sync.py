"""Scripts in manifests that others wrote: nothing else changes, and they run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.packages import PACKAGES, TYPESCRIPT, Package
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

CORPUS = (
    *PACKAGES,
    TYPESCRIPT,
    Package(
        name="create-vite-extra",
        registry="npm",
        requirement="create-vite-extra@5.0.3",
        archive="create-vite-extra-5.0.3.tgz",
        sha256="5bed1ecd7b9af48d874850bb0de9a0642ba3c333f15c1ab788f4652f275f0bbf",
        tasks=frozenset(),
        outputs=(),
        edits=(),
    ),
    Package(
        name="poethepoet",
        registry="pypi",
        requirement="poethepoet==0.49.0",
        archive="poethepoet-0.49.0.tar.gz",
        sha256="256b72c057b5f60341bbe09498212939e558341fac4ab59d0ce478aca04f0d2a",
        tasks=frozenset(),
        outputs=(),
        edits=(),
    ),
    Package(
        name="hatchling",
        registry="pypi",
        requirement="hatchling==1.33.0",
        archive="hatchling-1.33.0.tar.gz",
        sha256="4c422bd4d554fcff5de5b73e9596f85e41e9f97f7e553d8f7595ecb31a627bef",
        tasks=frozenset(),
        outputs=(),
        edits=(),
    ),
    Package(
        name="packaging",
        registry="pypi",
        requirement="packaging==26.3",
        archive="packaging-26.3.tar.gz",
        sha256="94edc256424af38762eb31306eed28beb9f0efc50a8837492c9d6fd6004aed79",
        tasks=frozenset(),
        outputs=(),
        edits=(),
    ),
)
"""Sources with manifests in them, theirs and those of their templates and tests."""

PIPELINE = """\
name = "corpus"

[tasks.build]
run = "echo built"

[tasks.web.test]
run = "echo tested"

[jobs.verify]
target = ["build", "web.test"]

[jobs.zero]
target = "build"
"""
SYNC = """
[sync.tasks]
prefix = "pipec-sync"
tasks = {tasks}
targets = {targets}
"""
OURS = ("pipec-sync", "[tool.poe.tasks]")


def manifests() -> Iterator[tuple[str, bytes]]:
    """Every manifest of the corpus, under the name of a kind of file that it can be."""
    workshop = Workshop.open()
    for package in CORPUS:
        for path, content in workshop.members(package):
            name = path.rpartition("/")[2]
            if name in {"package.json", "deno.json", "deno.jsonc", "pyproject.toml"}:
                yield f"{package.name}/{path}", content
            elif name.startswith("tsconfig") and name.endswith(".json"):
                # JSON with comments, laid out by people: what a deno.jsonc looks like.
                folder = path.rpartition("/")[0]
                yield f"{package.name}/{folder}/{name}/deno.jsonc", content


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A project that holds every manifest."""
    folder = tmp_path_factory.mktemp("corpus")
    files = dict(manifests())
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder, files


def generate(folder: Path, sync: str) -> None:
    (folder / "pipeline.toml").write_text(PIPELINE + sync)
    for command in ("generate", "check"):
        done = subprocess.run(
            [sys.executable, "-m", "pipec", "sync", command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or (command, sync) == ("check", ""), done.stderr


def others(content: bytes) -> list[bytes]:
    """The lines that are not ours, without commas at their ends."""
    lines = content.splitlines()
    return [line.rstrip(b", \t") for line in lines if not any(o.encode() in line for o in OURS)]


def test_nothing_but_scripts_changes_in_real_manifests(
    corpus: tuple[Path, dict[str, bytes]],
) -> None:
    folder, files = corpus
    kinds = [path.rpartition("/")[2] for path in files]
    assert kinds.count("package.json") > 20
    assert kinds.count("deno.json") >= 8
    assert kinds.count("deno.jsonc") > 10
    assert kinds.count("pyproject.toml") > 4
    targets = [
        {"path": path, **({"runner": "poe"} if path.endswith(".toml") else {})} for path in files
    ]
    listed = ", ".join(
        "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in target.items()) + " }"
        for target in targets
    )
    generate(folder, SYNC.format(tasks='"none"', targets=f"[{listed}]"))
    once = {path: (folder / path).read_bytes() for path in files}
    for path, before in files.items():
        after = once[path]
        assert after.count(b'"pipec run verify"') == 1, path
        gained = [line for line in others(after) if line not in others(before)]
        # What may come beside scripts: the key of a table that was not there, and blank lines.
        assert [g for g in gained if g.strip() not in KEYS] == [], path
        rest = iter(after)
        assert all(byte in rest for byte in before) or b"{}" in before, path
    generate(folder, SYNC.format(tasks='"all"', targets=f"[{listed}]"))
    generate(folder, SYNC.format(tasks='"none"', targets=f"[{listed}]"))
    assert {path: (folder / path).read_bytes() for path in files} == once
    generate_nothing(folder)
    assert {path: (folder / path).read_bytes() for path in files} == files
    assert not (folder / ".pipec.sync.lock.json").exists()


KEYS = {b"", b"}", b'"scripts": {', b'"tasks": {', b'"scripts":{', b'"tasks":{'}


def generate_nothing(folder: Path) -> None:
    """Takes everything back."""
    (folder / "pipeline.toml").write_text(PIPELINE)
    done = subprocess.run(
        [sys.executable, "-m", "pipec", "sync", "generate"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


RUNNERS = {
    "package.json": ('{\n  "name": "x"\n}\n', ["npm", "run", "--silent", "pipeline:verify"]),
    "deno.jsonc": ("{ // tasks\n}\n", ["deno", "task", "--quiet", "pipeline:verify"]),
    "pyproject.toml": ("[tool.poe]\n", ["poe", "--quiet", "pipeline:verify"]),
    "Makefile": ("all:\n\techo all\n", ["make", "--silent", "pipeline-verify"]),
    "justfile": ("all:\n    echo all\n", ["just", "--quiet", "pipeline-verify"]),
}


@pytest.mark.parametrize("manifest", RUNNERS)
def test_a_script_runs_the_job(manifest: str, tmp_path: Path) -> None:
    text, command = RUNNERS[manifest]
    (tmp_path / manifest).write_text(text)
    generate(tmp_path, f'\n[sync.tasks]\ntargets = ["{manifest}"]\n')
    environment = dict(Workshop.open().environment(tmp_path / "home"))
    pipec = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([environment["PATH"], pipec])
    environment["DENO_NO_UPDATE_CHECK"] = "1"
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = (tmp_path / ".pipec" / "runs").glob("*/execution.json")
    assert json.loads(record.read_text())["status"] == "passed"
