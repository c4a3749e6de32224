"""What can be said about a plan before anything runs."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import BugError, RunError, SpecError
from pipec.ir.inputs import CommandInput, FileValueInput
from pipec.ir.step import AgentStep
from pipec.ir.task import Task, TaskId
from pipec.plan.services import asked_services, services_of
from pipec.runtime import environment
from pipec.runtime.decision import Decision, read_decisions
from pipec.runtime.inputs import Extra, FileValues, has_command_inputs
from pipec.runtime.outcome import NOT_NEEDED
from pipec.runtime.platforms import runs_here
from pipec.runtime.ready import (
    dynamic_steps,
    is_plain,
    key_values,
    policy_of,
    ready_steps,
)
from pipec.runtime.redaction import Redaction, is_too_short
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.stores import pipeline_for_engine, planned, state_folder, store_roots

if TYPE_CHECKING:
    from pipec import _core

REFUSALS = frozenset({Code.COMMAND_DENIED, Code.APPROVAL_REQUIRED, Code.ENVIRONMENT_REQUIRED})
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run would do with one task. `reason` says why it is skipped or unknown."""

    task: TaskId
    outcome: Literal["run", "cached", "unknown", "skipped"]
    decision: Decision | None = None
    reason: str = ""


class Assessment:
    """A plan that has been looked at: what the engine knows of each task, and the engine itself."""

    def __init__(
        self,
        request: RunRequest,
        engine: "_core.Engine",
        file_values: FileValues,
        decisions: dict[str, Decision],
        *,
        services: Services,
    ) -> None:
        self.request = request
        self.engine = engine
        self.file_values = file_values
        self.services = services
        self.redaction = Redaction()
        self.short_secrets: tuple[str, ...] = ()
        """Names of secrets that are too short to be masked."""
        self._decisions = decisions
        self._asked = asked_services(request.pipeline, request.plan.targets)
        self._barred = _barred(request)
        self._planned = frozenset(request.plan.tasks)
        self._settled = self._find_settled(intact=False)
        self._in_place = self._find_settled(intact=True)

    def _is_settled(self, task: Task, *, intact: bool) -> bool:
        if task.id in self._barred:
            return False
        decision = self._decisions.get(task.id)
        return (
            not task.steps
            or (task.service is not None and task.id not in self._asked)
            or not runs_here(task, self.request.platform)
            or (decision is not None and decision.is_hit and decision.intact >= intact)
        )

    def decision(self, task: TaskId) -> Decision | None:
        """What the engine says of the task; None if that depends on what will run."""
        return self._decisions.get(task)

    def foreseen(self, task: TaskId) -> Decision | None:
        """The decision, if nothing that the run does before can change it."""
        if self._are_met(self.request.pipeline.tasks[task], self._in_place):
            return self._decisions.get(task)
        return None

    def refusal(self, task: TaskId) -> str:
        """Why the policy on command lines does not let the task run; empty: it does."""
        return self._barred.get(task, "")

    def is_in_place(self, task: TaskId) -> bool:
        """Whether neither the task nor anything that it depends on has to run or be restored."""
        return task in self._in_place

    @property
    def nothing_to_do(self) -> bool:
        """Whether every task is in place."""
        return len(self._in_place) == len(self.request.plan.tasks)

    def check_environment(self) -> None:
        """Finds the values of everything that will or may run, and the secrets among them.

        Raises:
            SpecError: secrets or variables are missing; it has all of them.
        """
        from pipec.runtime.declared_secrets import declared_secrets

        findings: list[Finding] = []
        secrets: list[tuple[str, str]] = []
        host = self.request.host_env
        for task in planned(self.request):
            if not runs_here(task, self.request.platform):
                continue
            secrets += [(name, host.get(name, "")) for name in task.requires.secrets]
            will_run = not self._is_hit(task) and bool(task.steps)
            if will_run:
                findings += environment.missing_secrets(task, host)
                if any(isinstance(step, AgentStep) for step in task.steps):
                    from pipec.runtime.agents import unanswered

                    findings += unanswered(self.request, task)
            with_env = (i for i, step in enumerate(task.steps) if getattr(step, "env", None))
            for step in (None, *with_env):
                try:
                    values = self.engine.environment(task.id, step)
                except ValueError as error:
                    findings += findings_of(error) if will_run else []
                else:
                    secrets += [(name, value) for name, value, is_secret in values if is_secret]
        if findings:
            raise SpecError(environment.unique_findings(findings))
        declared = declared_secrets(self.request.pipeline, host)
        self.redaction = Redaction((*(value for _, value in secrets), *declared))
        short = (name for name, value in secrets if is_too_short(value))
        self.short_secrets = tuple(dict.fromkeys(short))

    def save(self, warn: Callable[[Code, str], None]) -> None:
        """Keeps what was learnt about files and tasks; `warn` is told if that cannot be written."""
        self.file_values.save()
        try:
            self.engine.save()
        except OSError as error:
            reason = error.strerror or str(error)
            warn(Code.STATE_UNWRITABLE, f"what pipec knows of the files cannot be kept: {reason}")

    def forecasts(self) -> list[Forecast]:
        """What a run would do, task by task."""
        return [self._forecast(task) for task in planned(self.request)]

    def _forecast(self, task: Task) -> Forecast:  # noqa: PLR0911 - one for each outcome
        if not runs_here(task, self.request.platform):
            reason = f"platform: only on {', '.join(task.platforms)}"
            return Forecast(task=task.id, outcome="skipped", reason=reason)
        if task.id in self._barred:
            return Forecast(task=task.id, outcome="run", reason=self._barred[task.id])
        decision = self._decisions.get(task.id)
        if task.service is not None:
            return self._forecast_of_service(task, decision)
        if not task.steps:
            is_cached = task.id in self._settled
            outcome: Literal["run", "cached"] = "cached" if is_cached else "run"
            return Forecast(task=task.id, outcome=outcome, decision=decision)
        if decision is not None:
            outcome = "cached" if decision.is_hit else "run"
            return Forecast(task=task.id, outcome=outcome, decision=decision)
        if task.cache is None:
            return Forecast(task=task.id, outcome="run")
        return Forecast(task=task.id, outcome="unknown", reason=self._why_unknown(task))

    def _forecast_of_service(self, task: Task, decision: Decision | None) -> Forecast:
        """It is started if something that needs it runs."""
        pipeline = self.request.pipeline
        outcomes = {
            self._forecast(other).outcome
            for other in planned(self.request)
            if task.id in services_of(pipeline, other)
        }
        if task.id in self._asked or "run" in outcomes:
            return Forecast(task=task.id, outcome="run", decision=decision)
        if "unknown" in outcomes:
            reason = "it is not known yet whether a task that depends on it has to run"
            return Forecast(task=task.id, outcome="unknown", reason=reason)
        return Forecast(task=task.id, outcome="skipped", reason=NOT_NEEDED)

    def _why_unknown(self, task: Task) -> str:
        for need in task.depends_on:
            if need in self._planned and need not in self._settled:
                return f"depends on {need}, which is not cached"
        if has_command_inputs(task):
            return "has an input that is the output of a command"
        if dynamic_steps(task):
            return "not known before the dynamic step runs"
        return "its inputs cannot be read yet"

    def _is_hit(self, task: Task) -> bool:
        decision = self._decisions.get(task.id)
        return decision is not None and decision.is_hit and task.id not in self._barred

    def _find_settled(self, *, intact: bool) -> set[TaskId]:
        """The tasks that need not run, nor does anything that they depend on.

        `intact`: nothing needs to be restored either.
        """
        found: set[TaskId] = set()
        for task in planned(self.request):
            if self._is_settled(task, intact=intact) and self._are_met(task, found):
                found.add(task.id)
        return found

    def _are_met(self, task: Task, done: Collection[TaskId]) -> bool:
        """Whether everything that the task depends on is done, or is left as it is."""
        return all(need in done or need not in self._planned for need in task.depends_on)


def assess(request: RunRequest, services: Services, run_id: str) -> Assessment:
    """Looks at the plan. Runs no command and changes no file.

    Raises:
        SpecError: an env file is missing.
    """
    file_values = FileValues(request.root, state_folder(request.root))
    begun = _take_over(request, services, run_id)
    if begun is not None:
        engine, decided = begun
        return Assessment(
            request,
            engine,
            file_values,
            read_decisions(decided),
            services=services,
        )
    engine = open_engine(request, services, run_id)
    extras: dict[str, list[Extra]] = {}
    for task in planned(request):
        try:
            values = foreseeable_values(request, task, file_values)
        except RunError:
            # The task will say so itself, if it is still so when its turn comes.
            continue
        if values:
            extras[task.id] = values
    try:
        decisions = read_decisions(engine.assess(json.dumps(extras)))
    except (OSError, ValueError):
        # Whatever it is, the task that it belongs to will name it.
        decisions = {}
    return Assessment(request, engine, file_values, decisions, services=services)


def _barred(request: RunRequest) -> dict[TaskId, str]:
    """The tasks that the policy on command lines does not let run, and why; no hit changes that."""
    if policy_of(request) is None:
        return {}
    barred: dict[TaskId, str] = {}
    for task in planned(request):
        try:
            if not dynamic_steps(task):
                ready_steps(request, task, {})
            elif request.found is not None and task.id in request.found.returned:
                ready_steps(request, task, request.found.returned[task.id])
        except RunError as refusal:
            if refusal.code in REFUSALS:
                barred[task.id] = refusal.message
    return barred


def foreseeable_values(request: RunRequest, task: Task, values: FileValues) -> list[Extra] | None:
    """Label and value of what only Python can find of the task's key, without running anything.

    None: something has to run before its key is known, and was not found a moment ago.

    Raises:
        RunError: a value cannot be found.
    """
    known = request.found
    needs_a_run = has_command_inputs(task) or bool(dynamic_steps(task))
    if needs_a_run and (known is None or not known.covers(task)):
        return None
    found: list[Extra] = []
    for item in task.structured_inputs:
        if isinstance(item, FileValueInput):
            found.append([file_label(item), values.value(item)])
        elif isinstance(item, CommandInput):
            assert known is not None
            found.append([item.command, known.commands[item.command]])
    if not is_plain(request, task):
        returned = known.returned.get(task.id, {}) if known is not None else {}
        found += key_values(request, ready_steps(request, task, returned), returned)
    return found


def file_label(item: FileValueInput) -> str:
    """How a value out of a file is called where a key is explained."""
    return f"{item.file} {item.key}"


def open_engine(request: RunRequest, services: Services, run_id: str) -> "_core.Engine":
    """An engine for this plan.

    Raises:
        SpecError: an env file is missing.
    """
    asked = _question(request, services, run_id)
    return services.open_engine(request.root, pipeline_for_engine(request), asked)


def _take_over(
    request: RunRequest, services: Services, run_id: str
) -> "tuple[_core.Engine, str] | None":
    """The engine that looked at this very plan already, and its decisions."""
    if services.begun is None:
        return None
    pipeline = pipeline_for_engine(request)
    return services.begun.take_engine(request.root, pipeline, _question(request, services, run_id))


def _question(request: RunRequest, services: Services, run_id: str) -> str:
    """What an engine is asked about this plan, as JSON."""
    moment_ago = {"passed": request.passed, "failed": request.failed}
    return json.dumps(
        {
            **{name: dict(told) for name, told in moment_ago.items() if told},
            "tasks": list(request.plan.tasks),
            "state": state_folder(request.root),
            "stores": store_roots(request),
            "host": {_text(name): _text(value) for name, value in request.host_env.items()},
            "layers": environment.layers(request),
            "params": dict(request.params),
            "platform": request.platform,
            "run_id": run_id,
            "now_ms": services.clock.now_ms(),
            "force": request.force,
            "only": request.plan.only,
        }
    )


def findings_of(error: ValueError) -> list[Finding]:
    """What the engine says about values that it cannot resolve.

    Raises:
        BugError: the engine has something else to say.
    """
    try:
        troubles: list[dict[str, Any]] = json.loads(str(error))
        return [Finding(Code(trouble["code"]), trouble["message"]) for trouble in troubles]
    except ValueError:
        raise BugError(str(error)) from error


def _text(value: str) -> str:
    """A value that JSON can carry: the host's environment may hold any bytes."""
    return _SURROGATE.sub("\ufffd", value)
