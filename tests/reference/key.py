"""What must enter a task's key, written out whole: keys are one if and only if these are one."""

import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.reference.inputs import Seen


def essence(
    task: Mapping[str, Any],
    inputs: Mapping[bytes, Seen],
    *,
    host: Mapping[str, str],
    platform: str,
    extras: Sequence[Sequence[str]] = (),
    dependencies: Sequence[object] = (),
) -> str:
    """All that matters, as text."""
    steps = [
        {name: value for name, value in step.items() if name not in ("name", "timeout-ms", "env")}
        for step in task.get("steps", ())
    ]
    uses_shell = any(step["kind"] == "shell" and "shell" not in step for step in steps)
    structured = [
        ("env " + item["env"], host.get(item["env"]))
        for item in task.get("structured-inputs", ())
        if "env" in item
    ]
    said = {
        "steps": steps,
        "shell": task.get("shell") if uses_shell else None,
        "cwd": task.get("cwd", ""),
        "outputs": [
            (rule["glob"], rule.get("exclude", False), rule.get("optional", False))
            for rule in task.get("outputs", ())
        ],
        "env": [
            {name: resolved(name, value, host) for name, value in layer.items()}
            for layer in (task.get("env", {}), *(s.get("env", {}) for s in task.get("steps", ())))
        ],
        "env-inputs": selected(task.get("env-inputs", ()), host),
        "matrix": task.get("matrix", {}),
        "platform": None if task.get("platform-independent") else platform,
        "salt": (task.get("cache") or {}).get("salt", ""),
        "values": sorted([list(extra) for extra in extras] + structured, key=repr),
        "dependencies": sorted(map(repr, dependencies)),
        "inputs": [
            (repr(path), seen.kind, repr(seen.contents)) for path, seen in sorted(inputs.items())
        ],
    }
    return json.dumps(said, sort_keys=True)


def resolved(name: str, value: Any, host: Mapping[str, str]) -> object:
    """The value that a variable has, if it counts."""
    if isinstance(value, str):
        return value
    if not value.get("in-key", "secret" not in value):
        return None
    if "value" in value:
        return value["value"]
    source = value.get("secret") or value.get("var")
    found = host.get(source) or host.get(name) or value.get("default")
    return value["map"][found] if "map" in value else found


def selected(patterns: Sequence[str], host: Mapping[str, str]) -> dict[str, str | None]:
    """The host's variables that are named, and those that are named but not set."""
    found: dict[str, str | None] = {}
    for pattern in patterns:
        if pattern.endswith("*"):
            found |= {name: host[name] for name in fnmatch.filter(host, pattern)}
        else:
            found[pattern] = host.get(pattern)
    return found
