"""`pipec shell`: a shell in the folder and with the environment of a task."""

import os
from typing import Annotated

import typer

from pipec.cli.commands.env import request_for
from pipec.cli.looking import single_target
from pipec.cli.names import complete_tasks
from pipec.cli.options import UsageError
from pipec.cli.parameters import arguments_of, command_app, examples, invocation_of
from pipec.cli.trouble import reading_inputs
from pipec.errors import SpecError
from pipec.runtime import environment
from pipec.runtime.assess import open_engine
from pipec.runtime.request import RunRequest, Services

app = command_app()

_OF_A_RUN = ("PIPEC_RUN_ID", "PIPEC_ATTEMPT")


@app.command(
    epilog=examples(
        "pipec shell build",
        "pipec shell build --job release",
        "pipec shell build -- node --version    one command instead of a shell",
    )
)
def shell(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task.", autocompletion=complete_tasks)
    ],
    *,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="As in a run of this job.")] = None,
) -> None:
    """Open a shell where a task would run: its folder, its environment, its secrets.

    The shell is `$SHELL`; what stands behind `--` is started instead of it. It takes the place of
    pipec, so its exit status is the end. Nothing of the task is run, nothing is recorded or masked.
    """
    invocation = invocation_of(context)
    request = request_for(invocation, task, job)
    node = request.pipeline.tasks[single_target(request, task)]
    if findings := environment.missing_secrets(node, request.host_env):
        raise SpecError(findings)
    with reading_inputs():
        declared = open_engine(request, Services(), run_id="").environment(node.id)
    told = environment.facts(node, root=request.root, run_id="", attempt=1, params=_params(request))
    seen = {
        **environment.host_part(node, request.host_env),
        **{name: value for name, value, _ in declared},
        **{name: value for name, value in told.items() if name not in _OF_A_RUN},
    }
    folder = os.path.join(request.root, node.cwd)
    if not os.path.isdir(folder):
        raise UsageError(f"the folder of `{node.id}` is not there: `{node.cwd}`")
    if not invocation.owns_process:
        raise UsageError("`pipec shell` takes the place of its process, which is not its own here")
    argv = arguments_of(context) or (invocation.environ.get("SHELL") or "/bin/sh",)
    invocation.console.finish()
    os.chdir(folder)
    try:
        os.execvpe(argv[0], argv, seen)  # noqa: S606 - what the user asked for, as they asked for it
    except OSError as error:
        raise UsageError(f"cannot start `{argv[0]}`: {error.strerror}") from None


def _params(request: RunRequest) -> dict[str, str]:
    """The parameters of the job, as far as they have defaults."""
    found = (request.pipeline.jobs[job].params.items() for job in request.plan.jobs)
    return {
        name: param.default
        for params in found
        for name, param in params
        if param.default is not None
    }
