"""An engine whose answers a test decides: no files, no store, and a note of every call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class ScriptedEngine:
    """Knows no hit and stores nothing, unless told otherwise.

    `hits`: task → whether its outputs are intact. `missing`: task → patterns without outputs.
    `secrets`: values that every task is given, by name. `calls` holds (method, task) in order.
    """

    def __init__(
        self,
        *,
        hits: Mapping[str, bool] | None = None,
        missing: Mapping[str, Sequence[str]] | None = None,
        changed: Mapping[str, Sequence[str]] | None = None,
        secrets: Mapping[str, str] | None = None,
        store_is_down: bool = False,
    ) -> None:
        self.calls: list[tuple[str, str]] = []
        self.request: dict[str, Any] = {}
        self._hits = hits or {}
        self._missing = missing or {}
        self._changed = changed or {}
        self._secrets = secrets or {}
        self._store_is_down = store_is_down

    def __call__(self, root: str, ir: bytes, request: str) -> "ScriptedEngine":
        self.request = {"root": root, "ir": ir, **json.loads(request)}
        return self

    def environment(self, task: str, step: int | None = None) -> list[tuple[str, str, bool]]:
        return [(name, value, True) for name, value in self._secrets.items() if step is None]

    def assess(self, extras: str) -> str:
        return json.dumps({task: self._decision(task) for task in self._hits})

    def decide(self, task: str, extras: str) -> str:
        self.calls.append(("decide", task))
        return json.dumps(self._decision(task))

    def restore(self, task: str) -> str:
        self.calls.append(("restore", task))
        if self._store_is_down:
            raise OSError("the store is down")
        return json.dumps({"restored": 1, "removed": 0, "unchanged": 0})

    def seal(self, task: str, facts: str) -> str:
        self.calls.append(("seal", task))
        return json.dumps(
            {
                "files": 1,
                "bytes": 2,
                "digest": "d" * 64,
                "missing": list(self._missing.get(task, ())),
                "unsuitable": [],
                "changed_inputs": list(self._changed.get(task, ())),
                "stored": not self._store_is_down,
                "trouble": "the store is down" if self._store_is_down else "",
            }
        )

    def failed(self, task: str) -> None:
        self.calls.append(("failed", task))

    def log_of(self, task: str) -> bytes | None:
        return f"log of {task}\n".encode()

    def durations(self) -> dict[str, int]:
        return {}

    def save(self) -> None:
        self.calls.append(("save", ""))

    def _decision(self, task: str) -> dict[str, Any]:
        if task not in self._hits:
            return {"verdict": {"kind": "disabled"}, "key": "0" * 64}
        return {
            "verdict": {"kind": "hit"},
            "key": "1" * 64,
            "intact": self._hits[task],
            "entry": {
                "run_id": "20260101T000000.000-00000000",
                "finished_ms": 1_767_225_600_000,
                "duration_ms": 5000,
                "tool": "0.1.0",
                "files": 1,
                "bytes": 2,
                "outputs_digest": "d" * 64,
            },
        }
