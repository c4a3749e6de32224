"""What was different about a task's inputs when it ran, compared with its last success."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipec.runtime.record import TaskRecord

if TYPE_CHECKING:
    from pipec import _core


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedComponent:
    """One part of a key that is not what it was; an empty digest: it was not there."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedInput:
    """One input file that is not what it was, and the pattern that makes it an input."""

    path: str
    change: str
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDiff:
    """What was different from the last success. `has_baseline`: there is one to compare with.

    `is_complete`: every component and file is listed. Where it is not, the list is the verdict's,
    and `more` is how many other files changed.
    """

    has_baseline: bool
    is_complete: bool
    components: tuple[ChangedComponent, ...]
    files: tuple[ChangedInput, ...]
    more: int = 0


def look_at_inputs(
    engine: "_core.Engine", task: str, extras: Sequence[Sequence[str]]
) -> tuple[str, InputDiff]:
    """The task's key as things are, and all that is different. Runs nothing.

    Raises:
        OSError: an input cannot be read.
        ValueError: a value of the environment cannot be resolved.
    """
    text = json.dumps(extras)
    diff: dict[str, Any] = json.loads(engine.diff_inputs(task, text))
    key: str = json.loads(engine.decide(task, text)).get("key") or ""
    return key, InputDiff(
        has_baseline=diff["baseline"],
        is_complete=True,
        components=tuple(
            ChangedComponent(name=name, before=before or "", now=now or "")
            for name, before, now in diff["components"]
        ),
        files=tuple(
            ChangedInput(path=file["path"], change=file["change"], rule=file.get("rule"))
            for file in diff["files"]
        ),
    )


def recorded_diff(task: TaskRecord) -> InputDiff | None:
    """What the verdict of a recorded task says; None if it was not compared with anything."""
    verdict = task.verdict
    if verdict is None or verdict.kind != "miss":
        return None
    has_baseline = verdict.component != "no-baseline"
    component = verdict.component if has_baseline else None
    return InputDiff(
        has_baseline=has_baseline,
        is_complete=not has_baseline,
        components=(ChangedComponent(name=component, before="", now=""),) if component else (),
        files=tuple(
            ChangedInput(path=change.path, change=change.change) for change in verdict.changed or ()
        ),
        more=verdict.more or 0,
    )


def plain_text(diff: Mapping[str, Any]) -> list[str]:
    """The lines of a difference, as people read them: `~ src/app.ts`."""
    marks = {"changed": "~", "added": "+", "removed": "-"}
    lines = [f"{marks.get(file['change'], '?')} {file['path']}" for file in diff["files"]]
    if diff.get("more"):
        lines.append(f"… and {diff['more']} more")
    named = [part["name"] for part in diff["components"]]
    lines += [f"* {name}" for name in named if name != "inputs" or not diff["files"]]
    return lines
