"""Runs a pipeline made of values, with an engine whose answers the test decides."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipec.ir import ArgvStep, Pipeline, Retry, ShellStep, Task, encode
from pipec.ir.task import TaskId
from pipec.plan.select import select
from pipec.runtime.events import Event, OutputChunk
from pipec.runtime.record import RunRecord
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.run import run
from tests.unit.runtime.scripted_engine import ScriptedEngine


def shell(name: str, *commands: str, needs: tuple[str, ...] = (), **fields: Any) -> Task:
    """A task of shell commands."""
    steps = tuple(ShellStep(command=command) for command in commands)
    return Task(id=TaskId(name), depends_on=tuple(map(TaskId, needs)), steps=steps, **fields)


@dataclass
class Rig:
    """A project folder and everything that a run in it told."""

    folder: Path
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    events: list[Event] = field(default_factory=list)

    def run(self, *tasks: Task, env: Mapping[str, str] | None = None, **request: Any) -> RunRecord:
        """Runs all of these tasks."""
        pipeline = Pipeline(name="p", tasks={task.id: task for task in tasks})
        services = request.pop("services", None)
        return run(
            RunRequest(
                root=str(self.folder),
                pipeline=pipeline,
                pipeline_bytes=encode(pipeline),
                plan=select(pipeline, [task.id for task in tasks]),
                platform="linux-x86_64",
                host_env={"PATH": os.environ["PATH"], **(env or {})},
                **{"kill_grace_ms": 200, **request},
            ),
            services
            or Services(
                listeners=(self.events.append,),
                open_engine=self.engine,  # type: ignore[arg-type]
                handle_signals=False,
            ),
        )

    def output(self, task: str) -> str:
        """What the task was heard to write."""
        chunks = [e.data for e in self.events if isinstance(e, OutputChunk) and e.task == task]
        return b"".join(chunks).decode()

    def log(self, record: RunRecord, task: str) -> str:
        """What is in the task's log."""
        found = next(t for t in record.tasks if t.id == task)
        assert found.log is not None
        return (self.folder / ".pipec/runs" / record.run_id / found.log).read_text()

    def journal(self, record: RunRecord) -> list[dict[str, Any]]:
        """The lines of the journal."""
        path = self.folder / ".pipec/runs" / record.run_id / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def execution(self, record: RunRecord) -> dict[str, Any]:
        """What is in `execution.json`."""
        path = self.folder / ".pipec/runs" / record.run_id / "execution.json"
        return json.loads(path.read_text())


__all__ = ["ArgvStep", "Retry", "Rig", "shell"]
