"""Where each value that a task sees comes from, and what is missing; runs nothing."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipec.errors import SpecError
from pipec.ir.codec import encode
from pipec.ir.env import EnvValue, Secret, Variable
from pipec.ir.env import Literal as LiteralValue
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.plan.select import select
from pipec.runtime import environment
from pipec.runtime.assess import open_engine
from pipec.runtime.declared_secrets import declared_secrets
from pipec.runtime.redaction import Redaction
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.stores import SESSION_VARIABLE

Level = Literal["env-file", "pipeline", "job", "task", "step", "pipec"]
Kind = Literal["literal", "variable", "default", "secret", "param", "matrix", "fact"]

_MASK = "***"
_OF_A_RUN = {
    "PIPEC_RUN_ID": "set for each run",
    "PIPEC_ATTEMPT": "set for each attempt",
    SESSION_VARIABLE: "set for each run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedValue:
    """One variable of a task.

    `value` is None if it is missing or known only in a run: `note` says so; that of a secret is
    masked. `declared_as` is the variable of the host that a declaration names, `found_as` the one
    that has the value. `hides`: levels whose value of this name does not count.
    """

    name: str
    level: Level
    kind: Kind
    is_missing: bool = False
    value: str | None = None
    note: str | None = None
    file: str | None = None
    declared_as: str | None = None
    found_as: str | None = None
    is_mapped: bool = False
    hides: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnvironment:
    """What one step has on top of its task's environment. `step` counts from 1."""

    step: int
    variables: tuple[SourcedValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPart:
    """Names of the host's variables that the task sees, and of those that it does not."""

    mode: Literal["loose", "strict"]
    passes: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnvironment:
    """The environment of one task. `problems`: what a run would refuse."""

    task: str
    variables: tuple[SourcedValue, ...]
    steps: tuple[StepEnvironment, ...]
    host: HostPart
    required_secrets: Mapping[str, bool]
    problems: tuple[str, ...]
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    level: Level
    value: EnvValue
    file: str | None = None


def trace_environment(request: RunRequest, task: Task) -> TaskEnvironment:
    """What the task would see in a run of this request, value by value.

    The request's job, if it has one, gives its values and the defaults of its parameters.
    """
    return _Trace(request, task).give()


class _Trace:
    def __init__(self, request: RunRequest, task: Task) -> None:
        job = next(iter(request.plan.jobs), None)
        self._job = None if job is None else request.pipeline.jobs[job]
        self._params = self._job.params if self._job else {}
        known = {
            name: param.default for name, param in self._params.items() if param.default is not None
        }
        self._request = dataclasses.replace(request, params={**known, **request.params})
        self._task = task
        self._secrets: list[str] = [
            request.host_env.get(name, "") for name in task.requires.secrets
        ]
        self._problems: list[str] = []

    def give(self) -> TaskEnvironment:
        task, host = self._task, self._request.host_env
        declared: dict[str, list[_Declared]] = {}
        for name, value in self._declarations():
            declared.setdefault(name, []).append(value)
        variables = {SESSION_VARIABLE: self._session()}
        variables |= {value.name: value for value in self._resolve(declared)}
        for told in self._facts():
            hidden = variables.get(told.name)
            below = () if hidden is None or hidden.level == "pipec" else (hidden.level,)
            variables[told.name] = dataclasses.replace(told, hides=below)
        steps = tuple(self._steps(variables))
        seen = environment.host_part(task, host)
        self._problems += [finding.message for finding in environment.missing_secrets(task, host)]
        # Of the task itself, and of those beside it.
        others = declared_secrets(self._request.pipeline, host)
        redaction = Redaction((*self._secrets, *others))
        return TaskEnvironment(
            task=task.id,
            job=None if self._job is None else self._job.id,
            variables=tuple(_masked(variables[name], redaction) for name in sorted(variables)),
            steps=tuple(
                StepEnvironment(
                    step=step.step,
                    variables=tuple(_masked(value, redaction) for value in step.variables),
                )
                for step in steps
            ),
            host=HostPart(
                mode=task.env_mode,
                passes=tuple(sorted(seen)),
                withheld=tuple(sorted(host.keys() - seen.keys())),
            ),
            required_secrets={name: bool(host.get(name)) for name in task.requires.secrets},
            problems=tuple(dict.fromkeys(self._problems)),
        )

    def _declarations(self) -> Iterator[tuple[str, _Declared]]:
        """Everything that is declared for the task, lowest first."""
        for file in self._request.pipeline.env_files:
            try:
                values = environment.read_env_file(self._request.root, file)
            except SpecError as error:
                self._problems.append(error.message)
                continue
            for name, text in values.items():
                value = LiteralValue(value=text)
                yield name, _Declared(level="env-file", value=value, file=file.path)
        levels: list[tuple[Level, Mapping[str, EnvValue]]] = [
            ("pipeline", self._request.pipeline.env),
            ("job", self._job.env if self._job else {}),
            ("task", self._task.env),
        ]
        for level, env in levels:
            for name, item in env.items():
                yield name, _Declared(level=level, value=item)

    def _resolve(self, declared: Mapping[str, list[_Declared]]) -> Iterator[SourcedValue]:
        """The values as a run would find them; the last declaration of a name counts."""
        counting = {name: items[-1] for name, items in declared.items()}
        values, missing = self._ask({name: item.value for name, item in counting.items()})
        for name, item in counting.items():
            written = item.value
            source = _source_of(written)
            found_as = self._found_as(source, name) if source is not None else None
            yield SourcedValue(
                name=name,
                level=item.level,
                kind=_kind(written, is_found=found_as is not None),
                is_missing=name in missing,
                value=values.get(name),
                note=missing.get(name),
                file=item.file,
                declared_as=source,
                found_as=found_as,
                is_mapped=isinstance(written, Variable) and written.map is not None,
                hides=tuple(dict.fromkeys(other.level for other in declared[name][:-1])),
            )
        self._problems += missing.values()

    def _ask(self, values: Mapping[str, EnvValue]) -> tuple[dict[str, str], dict[str, str]]:
        """What the engine makes of declared values, and what it says about the others."""
        missing: dict[str, str] = {}
        while True:
            present = {name: value for name, value in values.items() if name not in missing}
            try:
                resolved = self._engine_for(present)
            except ValueError as error:
                missing |= {item["name"]: item["message"] for item in json.loads(str(error))}
                continue
            self._secrets += [value for _, value, is_secret in resolved if is_secret]
            return {name: value for name, value, _ in resolved}, missing

    def _engine_for(self, values: Mapping[str, EnvValue]) -> list[tuple[str, str, bool]]:
        """The engine's answer about a task that declares these values and nothing else."""
        task = TaskId("asked")
        alone = Pipeline(name="asked", tasks={task: Task(id=task, env=values)})
        request = dataclasses.replace(
            self._request,
            pipeline=alone,
            pipeline_bytes=encode(alone),
            plan=select(alone, [task], kind="task"),
        )
        return open_engine(request, Services(), run_id="").environment(task)

    def _found_as(self, source: str, name: str) -> str | None:
        """The variable that has the value: an empty one counts as missing."""
        params = self._request.params
        host = {
            **self._request.host_env,
            **{environment.param_variable(param): value for param, value in params.items()},
        }
        return next((variable for variable in (source, name) if host.get(variable)), None)

    def _session(self) -> SourcedValue:
        outer = self._request.host_env.get(SESSION_VARIABLE)
        return SourcedValue(
            name=SESSION_VARIABLE,
            level="pipec",
            kind="fact",
            value=outer or None,
            note=None if outer else _OF_A_RUN[SESSION_VARIABLE],
            found_as=SESSION_VARIABLE if outer else None,
        )

    def _facts(self) -> Iterator[SourcedValue]:
        told = environment.facts(
            self._task,
            root=self._request.root,
            run_id="",
            attempt=1,
            params=self._request.params,
        )
        for name, value in told.items():
            kind: Kind = "fact"
            if name.startswith("PIPEC_MATRIX_"):
                kind = "matrix"
            elif name.startswith("PIPEC_PARAM_"):
                kind = "param"
            note = _OF_A_RUN.get(name)
            yield SourcedValue(
                name=name, level="pipec", kind=kind, value=None if note else value, note=note
            )
        for param in sorted(self._params.keys() - self._request.params.keys()):
            name = environment.param_variable(param)
            note = f"the parameter `{param}` has no default: `--param {param}=…` gives it"
            self._problems.append(note)
            yield SourcedValue(name=name, level="pipec", kind="param", is_missing=True, note=note)

    def _steps(self, below: Mapping[str, SourcedValue]) -> Iterator[StepEnvironment]:
        for number, step in enumerate(self._task.steps, start=1):
            env: Mapping[str, EnvValue] = getattr(step, "env", {})
            if env:
                on_top = self._resolve(
                    {name: [_Declared(level="step", value=value)] for name, value in env.items()}
                )
                variables = tuple(
                    dataclasses.replace(value, hides=(below[value.name].level,))
                    if value.name in below
                    else value
                    for value in on_top
                )
                yield StepEnvironment(
                    step=number, variables=tuple(sorted(variables, key=lambda value: value.name))
                )


def _source_of(value: EnvValue) -> str | None:
    """The variable of the host that a declaration names."""
    if isinstance(value, Secret):
        return value.secret
    return value.var if isinstance(value, Variable) else None


def _kind(value: EnvValue, *, is_found: bool) -> Kind:
    if isinstance(value, Secret):
        return "secret"
    if isinstance(value, Variable):
        return "default" if not is_found and value.default is not None else "variable"
    return "literal"


def _masked(variable: SourcedValue, redaction: Redaction) -> SourcedValue:
    """The variable without secrets: not in a text that holds one either."""
    if variable.value is None:
        return variable
    value = _MASK if variable.kind == "secret" else redaction.text(variable.value)
    return dataclasses.replace(variable, value=value)
