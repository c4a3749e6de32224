"""Measures what a task costs beside its process: thousands of tasks that do nothing, in one run.

python -m benches.overhead                  10,000 tasks, as many at once as there are cores
python -m benches.overhead --tasks 200 --rounds 1 --without turbo      a look

The floor is a loop of `posix_spawn` in Python that keeps as many processes alive. No tool caches:
every task runs each time. just has no limit for tasks at a time: it takes them one by one.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benches import measure, rivals
from benches.build import TOOLS, Built, build
from benches.kept import kept

TARGET: Final = 1.5
JUST: Final = ("rust-just", "1.59.0")
NOTHING: Final = "/bin/true"
LOOP: Final = """
import os, sys
count, limit, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
running = 0
for _ in range(count):
    if running == limit:
        os.wait()
        running -= 1
    os.posix_spawn(program, [program], os.environ)
    running += 1
for _ in range(running):
    os.wait()
"""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A tool with what it runs, in a folder of its own."""

    name: str
    arguments: tuple[str, ...]
    files: dict[str, str]
    state: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> None:
    """Measures all entrants in turn, round after round, and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=measure.CORES, help="(default: the cores)")
    parser.add_argument("--without", default="", help="names of entrants to leave out: a,b")
    parser.add_argument("--keep", action="store_true", help="the table in benches/results")
    options = parser.parse_args(arguments)
    built = build()
    rivals.install(slow=False)
    _install_just()
    entrants = [
        entrant
        for entrant in _entrants(built, options.tasks, options.at_once)
        if entrant.name not in options.without.split(",")
    ]
    with tempfile.TemporaryDirectory() as scratch:
        samples = _measure(built, entrants, Path(scratch), options.rounds)
    with kept("overhead", keep=options.keep):
        print(f"{options.tasks:,} tasks, {options.at_once} at once, {options.rounds} rounds\n")
        print("| | time | of a processor | a task | of the loop | processor of the loop | peak |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        floor = samples[0][1]
        for entrant, taken in samples:
            print(_row(entrant.name, taken, floor, options.tasks))
        print(f"\nTarget: pipec within {TARGET} times of the loop.")


def _measure(
    built: Built, entrants: Sequence[Entrant], scratch: Path, rounds: int
) -> list[tuple[Entrant, list[measure.Sample]]]:
    environment = rivals.environment(rivals.ninja(), built)
    folders = []
    for number, entrant in enumerate(entrants):
        folder = scratch / str(number)
        for name, text in entrant.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        folder.mkdir(exist_ok=True)
        folders.append(folder)
    samples: list[list[measure.Sample]] = [[] for _ in entrants]
    # The first round fills caches, and does not count.
    for count in range(rounds + 1):
        for entrant, folder, taken in zip(entrants, folders, samples, strict=True):
            for name in entrant.state:
                shutil.rmtree(folder / name, ignore_errors=True)
            command = measure.Command(entrant.arguments, folder, environment)
            sample = measure.sample(
                command, before=_nothing, after=_nothing, scratch=scratch, seconds=0
            )
            if count:
                taken.append(sample)
    return list(zip(entrants, samples, strict=True))


def _nothing() -> None:
    """Nothing has to be put back: no tool keeps anything of these tasks."""


def _entrants(built: Built, tasks: int, at_once: int) -> list[Entrant]:
    names = [f"t{number}" for number in range(tasks)]
    quoted = ", ".join(f'"{name}"' for name in names)
    (turbo,) = map(str, (rivals.FOLDER / "node_modules" / "@turbo").glob("*/bin/turbo"))
    return [
        Entrant(
            "posix_spawn",
            (str(built.python), "-I", "-S", "-c", LOOP, str(tasks), str(at_once), NOTHING),
            {},
        ),
        Entrant(
            "pipec",
            (str(built.pipec), "run", "all", "--concurrency", str(at_once), "-q"),
            {
                "pipeline.toml": 'name = "bench"\n'
                + "".join(f'[tasks.{name}]\nrun = "{NOTHING}"\n' for name in names)
                + f"[tasks.all]\ndepends-on = [{quoted}]\n"
            },
        ),
        Entrant(
            "ninja",
            (str(rivals.FOLDER / "ninja" / "bin" / "ninja"), "-j", str(at_once), "--quiet"),
            {
                "build.ninja": f"rule nothing\n  command = {NOTHING}\n"
                + "".join(f"build {name}: nothing\n" for name in names)
            },
            state=(".ninja_log", ".ninja_deps"),
        ),
        Entrant(
            "make",
            (rivals.found("make"), "-s", "-j", str(at_once), "all"),
            {
                "Makefile": f".PHONY: all {' '.join(names)}\nall: {' '.join(names)}\n"
                + "".join(f"{name}:\n\t@{NOTHING}\n" for name in names)
            },
        ),
        Entrant(
            "just",
            (str(rivals.FOLDER / "just" / "bin" / "just"), "-q", "all"),
            {
                "justfile": f"all: {' '.join(names)}\n"
                + "".join(f"{name}:\n    @{NOTHING}\n" for name in names)
            },
        ),
        Entrant(
            "turbo",
            (
                *(turbo, "run", "nothing", "--skip-infer", "--output-logs=none", "--no-cache"),
                *("--force", f"--concurrency={at_once}"),
            ),
            _turbo_files(names),
        ),
    ]


def _turbo_files(names: Sequence[str]) -> dict[str, str]:
    """A package for each task: turbo has no more than one task of a name in each."""
    files = {
        "turbo.json": json.dumps({"tasks": {"nothing": {"cache": False}}}),
        "package.json": json.dumps(
            {"name": "bench", "packageManager": "npm@11.0.0", "workspaces": ["packages/*"]}
        ),
        "package-lock.json": json.dumps({"name": "bench", "lockfileVersion": 3, "packages": {}}),
    }
    for name in names:
        manifest = {"name": name, "version": "1.0.0", "scripts": {"nothing": NOTHING}}
        files[f"packages/{name}/package.json"] = json.dumps(manifest)
    return files


def _install_just() -> None:
    name, version = JUST
    target = rivals.FOLDER / "just"
    if not (target / f"rust_just-{version}.dist-info").is_dir():
        uv = (str(TOOLS / "uv"), "pip", "install", "--quiet")
        subprocess.run([*uv, "--target", str(target), f"{name}=={version}"], check=True)


def _row(
    name: str, taken: Sequence[measure.Sample], floor: Sequence[measure.Sample], tasks: int
) -> str:
    def middle(samples: Sequence[measure.Sample], field: str) -> float:
        return statistics.median(getattr(sample, field) for sample in samples)

    wall, cpu = middle(taken, "wall_ms"), middle(taken, "cpu_ms")
    cells = [
        name,
        f"{wall / 1000:.2f} s",
        f"{cpu / 1000:.2f} s",
        f"{wall / tasks * 1000:.0f} µs",
        f"{wall / middle(floor, 'wall_ms'):.2f}",
        f"{cpu / middle(floor, 'cpu_ms'):.2f}",
        f"{middle(taken, 'peak_mb'):.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
