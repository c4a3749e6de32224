"""Everything that the tasks of one run share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipec.codes import Code
from pipec.ir.task import Task
from pipec.ports.agent import Agent
from pipec.ports.executor import Executor
from pipec.runtime import environment
from pipec.runtime.command_values import CommandValues
from pipec.runtime.far_store import FarStore
from pipec.runtime.found import Found
from pipec.runtime.inputs import FileValues
from pipec.runtime.interrupt import Interrupt
from pipec.runtime.process import Processes
from pipec.runtime.reaper import Reaper
from pipec.runtime.record import ErrorRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.redaction import Redaction
from pipec.runtime.request import RunRequest
from pipec.runtime.stores import SESSION_VARIABLE

if TYPE_CHECKING:
    from pipec import _core


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """One run under way.

    `executor` runs the commands of steps, `processes` whatever else has to run. `far` is the store
    behind the project's own. `session_store` is the folder of the session's results. `found`: what
    had to be run to know it. `agent` answers agent steps instead of the commands of profiles.
    """

    request: RunRequest
    recorder: Recorder
    engine: "_core.Engine"
    redaction: Redaction
    processes: Processes
    executor: Executor
    reaper: Reaper
    interrupt: Interrupt
    file_values: FileValues
    command_values: CommandValues
    session_store: str
    found: Found = field(default_factory=Found)
    far: FarStore | None = None
    agent: Agent | None = None

    def environment_of(
        self, task: Task, declared: Mapping[str, str], *, attempt: int
    ) -> dict[str, str]:
        """All that a process of the task sees; `declared`: what its declarations come to."""
        return {
            **environment.host_part(task, self.request.host_env),
            SESSION_VARIABLE: self.session_store,
            **declared,
            **environment.facts(
                task,
                root=self.request.root,
                run_id=self.recorder.run_id,
                attempt=attempt,
                params=self.request.params,
            ),
        }

    def error(self, code: Code, message: str) -> ErrorRecord:
        """An error for a record, without secrets."""
        return ErrorRecord(code=code, message=self.redaction.text(message))

    def warn(self, code: Code, message: str, *, task: str | None = None) -> None:
        """A warning, without secrets."""
        self.recorder.warn(code, self.redaction.text(message), task=task)
