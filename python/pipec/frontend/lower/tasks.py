"""Tasks in their normal form: one for each combination of a matrix, every default filled in."""

from collections.abc import Iterable, Sequence

from pipec.diagnostics import Finding
from pipec.frontend.lower.cache import lower_task_cache
from pipec.frontend.lower.env import lower_env
from pipec.frontend.lower.inputs import NamedInputTable, lower_outputs
from pipec.frontend.lower.known_tasks import KnownTasks, LoweredTask
from pipec.frontend.lower.references import References
from pipec.frontend.lower.service import lower_service
from pipec.frontend.lower.steps import lower_shell, lower_steps
from pipec.frontend.lower.tree import Placed
from pipec.frontend.origins import TaskOrigin
from pipec.ir.task import Requirements, Retry, Task, TaskId
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.task import RequiresSpec, RetrySpec

_PLATFORMS = 3
_NO_RETRY = Retry()
_NO_REQUIREMENTS = Requirements()


def lower_tasks(
    spec: PipelineSpec,
    placed: Iterable[Placed],
    *,
    references: References,
    named: NamedInputTable,
    default_cache: str,
    findings: list[Finding],
    known: KnownTasks | None = None,
) -> tuple[dict[TaskId, Task], dict[TaskId, TaskOrigin]]:
    """The tasks, and where they come from, by id."""
    tasks: dict[TaskId, Task] = {}
    origins: dict[TaskId, TaskOrigin] = {}
    around: object = (references.meanings, named.meanings, default_cache, spec.env_mode)
    if known is not None:
        around = known.begin(around)
    for place in placed:
        before = known.lowered(place, around) if known is not None else None
        if before is not None:
            tasks.update(before.tasks)
            origins.update(dict.fromkeys(before.tasks, before.origin))
            continue
        so_far = len(findings)
        written = place.spec
        origin = TaskOrigin(place.route, place.inherited)
        foreign: list[str] = []
        needs = _needs(place, origin, references, findings, foreign)
        rules, indexes, structured = named.lower(
            written.inputs, origin.of("inputs"), references, group=place.group
        )
        # What defaults of all tasks say of results, tries and time is not meant for a service.
        ends = written.service is None
        cached = not written.interactive and ends
        shared = {
            "description": written.description,
            "depends_on": tuple(sorted(needs)),
            "foreign_needs": tuple(sorted(set(foreign))),
            "inputs": rules,
            "structured_inputs": structured,
            "inputs_gitignore": written.inputs_gitignore,
            "outputs": lower_outputs(written.outputs),
            "cache": lower_task_cache(written.cache, default=default_cache) if cached else None,
            "env": lower_env(written.env),
            "env_inputs": tuple(sorted(set(written.env_inputs))),
            "env_mode": written.env_mode or spec.env_mode,
            "cwd": written.cwd,
            "shell": lower_shell(written.shell),
            "retry": _lower_retry(written.retry) if ends else _NO_RETRY,
            "timeout_ms": written.timeout if ends else None,
            "requires": _lower_requires(written.requires),
            "steps": lower_steps(written),
            "pool": (written.pool or "") if ends else "",
            "priority": written.priority,
            "allow_failure": written.allow_failure and ends,
            "interactive": written.interactive,
            "service": lower_service(written.service),
            "platforms": _lower_platforms(written.platforms),
            "platform_independent": written.platform_independent,
        }
        origin = TaskOrigin(
            place.route,
            place.inherited,
            written=written.model_fields_set,
            needs=tuple(needs.items()),
            inputs=indexes,
            has_list=isinstance(written.run, list),
        )
        made = {
            task_id: Task(id=task_id, matrix=combination, **shared)  # type: ignore[arg-type]
            for task_id, combination in place.variants
        }
        tasks.update(made)
        origins.update(dict.fromkeys(made, origin))
        if known is not None and len(findings) == so_far:
            known.keep(LoweredTask(place, around, made, origin))
    return tasks, origins


def _needs(
    place: Placed,
    origin: TaskOrigin,
    references: References,
    findings: list[Finding],
    foreign: list[str],
) -> dict[TaskId, int]:
    """The dependencies, each with the index of the first reference that means it."""
    needs: dict[TaskId, int] = {}
    for index, written in enumerate(place.spec.depends_on):
        route = origin.of("depends-on", index)
        for task_id in references.resolve(
            written, route, findings, foreign=foreign, group=place.group
        ):
            needs.setdefault(task_id, index)
    return needs


def _lower_retry(written: int | RetrySpec) -> Retry:
    if isinstance(written, int):
        return Retry(attempts=written) if written > 1 else _NO_RETRY
    delay = written.delay or 0
    return Retry(attempts=written.attempts, delay_ms=delay, backoff=written.backoff)


def _lower_requires(written: RequiresSpec) -> Requirements:
    if not written.model_fields_set:
        return _NO_REQUIREMENTS
    return Requirements(
        tools=tuple(sorted(set(written.tools))),
        secrets=tuple(sorted(set(written.secrets))),
        runtime=written.runtime or "",
    )


def _lower_platforms(written: Sequence[str] | None) -> tuple[str, ...]:
    """The platforms in order; none for all of them."""
    platforms = tuple(sorted(set(written or ())))
    return () if len(platforms) == _PLATFORMS else platforms
