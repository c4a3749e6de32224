"""What the engine decided about a task, as a value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipec.runtime.record import ChangeRecord, OriginRecord, OutputsRecord, VerdictRecord, timestamp

HIT = "hit"
UNCHANGED = "unchanged"
"""It passed a moment ago, and everything is as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a task must run, and why. `intact`: the outputs of a hit are in place already."""

    verdict: VerdictRecord
    key: str | None = None
    intact: bool = False
    origin: OriginRecord | None = None
    outputs: OutputsRecord | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def is_hit(self) -> bool:
        """Whether a result is there that can be used."""
        return self.verdict.kind in (HIT, UNCHANGED)


def read_decision(text: str) -> Decision:
    """One decision of `Engine.decide`."""
    return decision_from(json.loads(text))


def read_decisions(text: str) -> dict[str, Decision]:
    """The decisions of `Engine.assess`, by task."""
    return {task: decision_from(member) for task, member in json.loads(text).items()}


def decision_from(data: dict[str, Any]) -> Decision:
    """A decision from the engine's JSON."""
    entry = data.get("entry")
    return Decision(
        verdict=_verdict(data["verdict"]),
        key=data.get("key"),
        intact=bool(data.get("intact")),
        origin=_origin(entry) if entry else None,
        outputs=_outputs(entry) if entry else None,
        metadata=entry.get("metadata") if entry else None,
    )


def _verdict(data: dict[str, Any]) -> VerdictRecord:
    changed = tuple(
        ChangeRecord(path=change["path"], change=change["change"])
        for change in data.get("changed") or ()
    )
    return VerdictRecord(
        kind=data["kind"],
        component=data.get("component") or None,
        changed=changed or None,
        more=data.get("more") or None,
        detail=data.get("detail") or None,
    )


def _outputs(entry: dict[str, Any]) -> OutputsRecord:
    return OutputsRecord(files=entry["files"], bytes=entry["bytes"], digest=entry["outputs_digest"])


def _origin(entry: dict[str, Any]) -> OriginRecord:
    return OriginRecord(
        run_id=entry["run_id"],
        finished_at=timestamp(entry["finished_ms"]),
        duration_ms=entry["duration_ms"],
    )
