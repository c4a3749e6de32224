"""A project and the core on it: runs tasks as the runtime does, with steps played by the test."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipec._core import Engine

Steps = Callable[[Path], object]


def pattern(text: str) -> dict[str, Any]:
    """A rule from its spelling: `!` excludes, `@` names a group."""
    kind, name = ("named", text.lstrip("!")[1:]) if "@" in text[:2] else ("glob", text.lstrip("!"))
    return {kind: name, **({"exclude": True} if text.startswith("!") else {})}


def task(
    inputs: Sequence[str] = (), outputs: Sequence[str] = (), **fields: object
) -> dict[str, Any]:
    """A cached task of the IR with one step. Fields in snake_case; None leaves one out."""
    made = {
        "inputs": [pattern(text) for text in inputs],
        "outputs": [pattern(text) for text in outputs],
        "cache": {},
        "steps": [{"kind": "shell", "command": "make"}],
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class Bench:
    """A project folder and its tasks, in the order in which they run."""

    root: Path
    tasks: dict[str, dict[str, Any]]
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    # What the last run took, as the core counts.
    counters: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """Where index and baselines and, unless said otherwise, the store are."""
        return self.root / ".pipec" / "cache"

    def engine(self, **request: object) -> Engine:
        """A fresh engine over all tasks."""
        self.state.mkdir(parents=True, exist_ok=True)
        named = {name: [pattern(rule) for rule in rules] for name, rules in self.named.items()}
        ir = {"ir-version": 1, "name": "bench", "tasks": self.tasks, "named-inputs": named}
        asked: dict[str, Any] = {
            "tasks": list(self.tasks),
            "state": str(self.state),
            "stores": {"file": {"root": str(self.state)}},
            "platform": "linux-x86_64",
            "run_id": "run",
            "now_ms": 1_000_000,
            **self.request,
            **request,
        }
        return Engine(os.fspath(self.root), json.dumps(ir).encode(), json.dumps(asked))

    def write(self, path: str, text: str | bytes = "", mode: int | None = None) -> Path:
        """Writes a file, and the folders that it needs."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        if mode is not None:
            target.chmod(mode)
        return target

    def inputs(self, name: str = "") -> dict[bytes, str]:
        """Path → digest of a task's inputs; of the first task if none is named."""
        return dict(self.engine().input_files(name or next(iter(self.tasks))))

    def key(self, name: str = "", extras: Sequence[Sequence[str]] = (), **request: object) -> str:
        """A task's key now; of the first task if none is named."""
        engine = self.engine(**request)
        return str(decide(engine, name or next(iter(self.tasks)), extras)["key"])

    def run(self, steps: Mapping[str, Steps] | Steps, **request: object) -> dict[str, str]:
        """Runs all tasks once as the runtime does; gives what became of each.

        `intact`, `restored`, or for one that ran the kind of its verdict; `unrestorable` for a hit
        that could not be restored.
        """
        engine = self.engine(**request)
        decisions = json.loads(engine.assess("{}"))
        outcome = {}
        for name in self.tasks:
            play = steps if callable(steps) else steps.get(name, nothing)
            decision = decisions.get(name) or decide(engine, name)
            outcome[name] = self._finish(engine, name, decision, play)
        engine.save()
        self.counters = engine.counters()
        return outcome

    def _finish(self, engine: Engine, name: str, decision: Any, play: Steps) -> str:
        kind = str(decision["verdict"]["kind"])
        if kind == "hit":
            if decision["intact"]:
                return "intact"
            try:
                engine.restore(name)
            except OSError:
                kind = "unrestorable"
            else:
                return "restored"
        play(self.root)
        sealed = seal(engine, name)
        return kind if not sealed["trouble"] else f"{kind}, {sealed['trouble']}"


def nothing(_: Path) -> None:
    """Steps that do nothing."""


def decide(engine: Engine, name: str, extras: Sequence[Sequence[str]] = ()) -> Any:
    """The decision on one task."""
    return json.loads(engine.decide(name, json.dumps(extras)))


def seal(engine: Engine, name: str, **facts: object) -> Any:
    """Closes a task whose steps are played out."""
    given = {"finished_ms": 1_000_000, "duration_ms": 5, "tool": "test", **facts}
    return json.loads(engine.seal(name, json.dumps(given)))


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below a folder: mode and bytes of files, text of links, folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_dir():
            found[name] = "folder"
        elif path.is_file():
            found[name] = (path.stat().st_mode & 0o777, path.read_bytes())
        else:
            found[name] = "special"
    return found
