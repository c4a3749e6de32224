"""What type checkers must know of the public API: mypy reads this file, nothing runs it."""

from collections.abc import Collection
from typing import assert_type

import pipec
from pipec.testing import (
    FakeClock,
    MemoryStore,
    Project,
    ScriptedAgent,
    ScriptedCommand,
    ScriptedExecutor,
)


class OwnStore:
    """A store by structure alone."""

    def get(self, name: str) -> bytes | None:
        return name.encode()

    def put(self, name: str, data: bytes) -> None: ...

    def missing(self, names: Collection[str]) -> set[str]:
        return set(names)


def listen(event: pipec.Event) -> None: ...


async def use(project: Project) -> None:
    """Every call with everything that it takes."""
    pipeline = assert_type(pipec.load("."), pipec.Pipeline)
    record = pipec.run_job(
        pipeline,
        "verify",
        params={"name": "value"},
        concurrency=2,
        force=True,
        wait=False,
        cwd=".",
        env={"PATH": "/bin"},
        executor=ScriptedExecutor(ScriptedCommand("true")),
        agent=ScriptedAgent({"why": "because"}),
        store=OwnStore(),
        clock=FakeClock(),
        listeners=[listen],
    )
    assert_type(record, pipec.RunRecord)
    assert_type(record.tasks, tuple[pipec.TaskRecord, ...])
    assert_type(await pipec.arun_task(pipeline, "build", store=MemoryStore()), pipec.RunRecord)
    assert_type(pipec.run_cli(["check"]).exit_code, int)
    assert_type(project.run_task("build").status == "passed", bool)
    pipec.run_job(pipeline, "verify", forced=True)  # type: ignore[call-arg]
    pipec.run_job(pipeline, "verify", store=object())  # type: ignore[arg-type]
