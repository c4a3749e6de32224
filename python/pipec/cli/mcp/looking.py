"""The tools that look at the pipeline: they run nothing and change nothing."""

from typing import Any

from pydantic import Field

from pipec.cli.commands.list import describe as describe_pipeline
from pipec.cli.commands.show import describe as describe_task
from pipec.cli.documents import ShowDocument
from pipec.cli.mcp.tool import Arguments, Call, Name, Nothing, RunName, Tool
from pipec.cli.metadata import describe_metadata
from pipec.cli.why import Explainer
from pipec.plan.graph import graph_of
from pipec.plan.select import everything, select


class GraphArguments(Arguments):
    """What to draw."""

    job: Name | None = Field(default=None, description="A job or task; everything if left out.")


class TaskArguments(Arguments):
    """One task."""

    task: Name = Field(description="The id of a task, or the name of a task with a matrix.")


class WhyArguments(TaskArguments):
    """A task, and a run."""

    run: RunName | None = Field(
        default=None,
        description="The id of a run, or `latest`; the newest with the task if left out.",
    )


def _list_tasks(call: Call) -> Any:
    _, pipeline = call.invocation.load()
    return describe_pipeline(pipeline)


def _graph(call: Call) -> Any:
    _, pipeline = call.invocation.load()
    job = call.arguments.job
    return graph_of(pipeline, everything(pipeline) if job is None else select(pipeline, [job]))


def _explain_task(call: Call) -> Any:
    _, pipeline = call.invocation.load()
    names = select(pipeline, [call.arguments.task], kind="task").targets
    return ShowDocument(tasks=tuple(describe_task(pipeline, name) for name in names))


def _metadata(call: Call) -> Any:
    return describe_metadata(call.invocation)


def _diff_inputs(call: Call) -> Any:
    return Explainer(call.invocation).look(call.arguments.task)


def _why(call: Call) -> Any:
    arguments = call.arguments
    return Explainer(call.invocation).explain(arguments.task, run=arguments.run, now=False)


LOOKING = (
    Tool(
        name="list_tasks",
        description="Every job and task of the pipeline, with what each depends on.",
        arguments=Nothing,
        look=_list_tasks,
    ),
    Tool(
        name="graph",
        description="Which task waits for which, for one job or for the whole pipeline.",
        arguments=GraphArguments,
        look=_graph,
    ),
    Tool(
        name="explain_task",
        description="One task in full: steps, inputs, outputs, environment, cache, dependents.",
        arguments=TaskArguments,
        look=_explain_task,
    ),
    Tool(
        name="metadata",
        description="The normalized pipeline with its digest, as every command works on it.",
        arguments=Nothing,
        look=_metadata,
    ),
    Tool(
        name="diff_inputs",
        description="What is different now from a task's last success. Runs nothing.",
        arguments=TaskArguments,
        look=_diff_inputs,
    ),
    Tool(
        name="why",
        description="Why a task ran or did not: component of its key, files, patterns, commits, "
        "changed lines.",
        arguments=WhyArguments,
        look=_why,
    ),
)
