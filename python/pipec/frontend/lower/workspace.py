"""The workspace in its normal form: its members are found when they are needed."""

from pipec.diagnostics import Finding
from pipec.frontend.lower.inputs import NamedInputTable
from pipec.frontend.lower.references import MemberReferences
from pipec.frontend.lower.tasks import lower_tasks
from pipec.frontend.lower.tree import place_tasks
from pipec.frontend.origins import TaskOrigin
from pipec.ir.inputs import Rule
from pipec.ir.task import TaskId
from pipec.ir.workspace import Workspace
from pipec.spec.pipeline import PipelineSpec


def lower_workspace(
    spec: PipelineSpec, *, named: NamedInputTable, default_cache: str, findings: list[Finding]
) -> tuple[Workspace | None, dict[TaskId, TaskOrigin]]:
    """The workspace, if the file has one, and where the tasks of its members come from."""
    written = spec.workspace
    if written is None:
        return None, {}
    route = ("workspace", "tasks")
    placed = place_tasks(written.tasks, spec.task_defaults, route, findings)
    tasks, origins = lower_tasks(
        spec,
        placed,
        references=MemberReferences(),
        named=named,
        default_cache=default_cache,
        findings=findings,
    )
    members = tuple(
        Rule(glob=pattern.removeprefix("!"), exclude=pattern.startswith("!"))
        for pattern in written.members
    )
    return Workspace(
        members=members, graph=written.graph, tasks=dict(sorted(tasks.items()))
    ), origins
