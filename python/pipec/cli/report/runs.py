"""A recorded run for people: what was asked for, then its tasks, one a line."""

from collections.abc import Mapping
from typing import Any

from pipec.cli.records import outcome
from pipec.runtime.durations import spell_duration
from pipec.runtime.visible import visible


def render_run(record: Mapping[str, Any], folder: str) -> str:
    """The run, then its tasks. `folder`: where the record is, as a person would write it."""
    request = record["request"]
    reason = f" ({visible(record['reason'])})" if record.get("reason") else ""
    facts = {
        "run": record["run_id"],
        "status": f"{record['status']}{reason}",
        "targets": visible(" ".join(request["targets"])),
        "params": visible(" ".join(f"{name}={text}" for name, text in request["params"].items())),
        "environment": visible(request.get("environment", "")),
        "approved by": visible(", ".join(request.get("approved", ()))),
        "started": record["started_at"],
        "took": spell_duration(record["duration_ms"]) if "duration_ms" in record else "",
        "record": folder,
    }
    told = {name: text for name, text in facts.items() if text}
    longest = max(map(len, told))
    lines = [f"{name:<{longest}}  {text}" for name, text in told.items()]
    lines.append("")
    width = max((len(visible(task["id"])) for task in record["tasks"]), default=0)
    for task in record["tasks"]:
        duration = spell_duration(task["duration_ms"]) if "duration_ms" in task else ""
        name = visible(task["id"])
        line = f"{task['status']:<9}  {name:<{width}}  {duration:>7}  {outcome(task)}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
