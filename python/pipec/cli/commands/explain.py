"""`pipec explain`: what an error code means, what failed in a run, what would make a task run."""

import os
from collections.abc import Collection
from typing import Annotated

import typer

from pipec.cli.documents import ExplainDocument, print_document
from pipec.cli.error_pages import read_page
from pipec.cli.failures import explain_run
from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.failures import render_failures
from pipec.codes import Code
from pipec.errors import PipecError
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.plan.select import names_of
from pipec.runtime.records import run_folder

app = command_app()

_PREFIX = "PIPEC_"
_WHERE_THEY_ARE = (
    "a code stands in brackets behind `error` or `warning`; `pipec list` shows every task",
)


@app.command(
    epilog=examples(
        "pipec explain PIPEC_UNKNOWN_FIELD",
        "pipec explain unknown-field",
        "pipec explain --run latest        what failed, with the end of its log",
        "pipec explain build --diff-inputs what is different from its last success",
    )
)
def explain(
    context: typer.Context,
    word: Annotated[
        str | None,
        typer.Argument(metavar="[CODE|TASK]", help="A code, with or without `PIPEC_`; or a task."),
    ] = None,
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="ID", help="What failed in a run: its id, or `latest`."),
    ] = None,
    diff_inputs: Annotated[
        bool,
        typer.Option("--diff-inputs", help="What changed about a task since it last passed."),
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Explain an error code, a failed run, or a task. Runs nothing."""
    invocation = invocation_of(context)
    if run is not None:
        if diff_inputs:
            raise UsageError(
                "`--run` and `--diff-inputs` do not go together",
                help=("`pipec why TASK --run ID` says what was different in a run",),
            )
        _explain_run(invocation, run, word, format=format)
    elif word is None:
        raise UsageError(
            "say what to explain: a code, a task, or a run",
            help=(
                "`pipec explain --run latest` explains what failed",
                "`pipec explain TASK` what would make a task run",
            ),
        )
    elif diff_inputs or (find_code(word) is None and word in _tasks(invocation)):
        from pipec.cli.report.why import render_why
        from pipec.cli.why import Explainer

        document = Explainer(invocation).look(word)
        if format == "json":
            print_document(invocation.console, document)
        else:
            invocation.console.data(render_why(document))
    else:
        invocation.console.data(read_page(_code(word, tasks=_tasks(invocation))))


def _explain_run(invocation: Invocation, run: str, task: str | None, *, format: str) -> None:  # noqa: A002
    root = invocation.find().root
    document: ExplainDocument = explain_run(root, run, task)
    if format == "json":
        print_document(invocation.console, document)
        return
    folder = os.path.relpath(run_folder(root, document.run_id), invocation.cwd)
    invocation.console.data(render_failures(document, folder))


def _tasks(invocation: Invocation) -> Collection[str]:
    """The tasks of the project, if there is one."""
    try:
        _, pipeline = invocation.load()
    except PipecError:
        return ()
    return tuple(names_of(pipeline, "task"))


def find_code(text: str) -> Code | None:
    """The code that somebody means, however it is written; None if there is none."""
    try:
        return Code(_full(text))
    except ValueError:
        return None


def _code(text: str, *, tasks: Collection[str]) -> Code:
    code = find_code(text)
    if code is not None:
        return code
    # Without the prefix, which would make any two codes alike.
    names = [_short(code.value) for code in Code]
    if text.startswith(_PREFIX) or not tasks:
        message = f"there is no code `{text}`"
        name = nearest(_short(text), names)
        meant = tuple(f"did you mean `{_full(one)}`?" for one in (name,) if one)
    else:
        message = f"there is no task and no code `{text}`"
        meant = did_you_mean(text, [*tasks, *names])
    raise UsageError(message, help=meant or _WHERE_THEY_ARE)


def _short(code: str) -> str:
    return code.removeprefix(_PREFIX).lower().replace("_", "-")


def _full(text: str) -> str:
    name = text.upper().replace("-", "_")
    return name if name.startswith(_PREFIX) else f"{_PREFIX}{name}"
