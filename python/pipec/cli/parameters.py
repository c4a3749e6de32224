"""Options that several commands share, and how a command's examples are laid out."""

from typing import Annotated, Literal

import typer

from pipec.cli.invocation import Invocation

Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="Text for people, JSON for programs.")
]

RunFormat = Annotated[
    Literal["text", "json", "jsonl"],
    typer.Option(
        "--format", help="Text for people; the record as JSON; each event as a line of JSON."
    ),
]
Concurrency = Annotated[
    str, typer.Option(metavar="N|P%|auto", help="Tasks at once: a number, or a share of the cores.")
]
Force = Annotated[bool, typer.Option("--force", help="Run every task, whatever the cache holds.")]
Dry = Annotated[bool, typer.Option("--dry", help="Change nothing; say what would be done.")]
DryRun = Annotated[
    bool, typer.Option("--dry", "--dry-run", help="Change nothing; say what would be done.")
]
Continue = Annotated[
    Literal["never", "dependencies-successful", "always"],
    typer.Option(
        "--continue",
        help="What still starts after a failure: nothing; what does not depend on it; everything.",
    ),
]
Only = Annotated[
    bool, typer.Option("--only", help="Run the named tasks alone, not what they depend on.")
]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILTER",
        help="Only tasks of this name: `x...` with what they need, `...x` with what needs "
        "them, `!x` without.",
    ),
]
Param = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="The value of a parameter of the job."),
]
Timeout = Annotated[
    str, typer.Option(metavar="DURATION", help="How long the run may take, such as `10m`.")
]
Environment = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The environment that the run is in, for the policy on command lines. "
        "[env var: PIPEC_ENVIRONMENT]",
    ),
]
Approve = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Who approves of commands that need it, for the policy. [env var: PIPEC_APPROVE]",
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for a run that is active in this project.")
]
OutputLogs = Annotated[
    Literal["full", "new-only", "errors-only", "none"],
    typer.Option(help="Whose logs to print: of every task, of those that ran, that failed."),
]
RunLogs = Annotated[
    Literal["full", "new-only", "errors-only", "none"] | None,
    typer.Option(
        "--output-logs",
        help="Whose logs to print: of every task, of those that ran, that failed. "
        "[default: errors-only, as a stream new-only]",
    ),
]
LogOrder = Annotated[
    Literal["grouped", "stream"],
    typer.Option(help="Each log with the end of its task, or all logs line by line as they come."),
]


def command_app(*, help: str | None = None) -> typer.Typer:  # noqa: A002
    """The application of one command, or, with `help`, of a group of commands."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=False,
        help=help,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def examples(*lines: str) -> str:
    """The end of a help page: how the command is used."""
    shown = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExamples:\n{shown}\n\nOptions of every command: pipec --help."


def arguments_of(context: typer.Context) -> tuple[str, ...]:
    """What stood behind `--`."""
    return invocation_of(context).arguments


def invocation_of(context: typer.Context) -> Invocation:
    """The call that a command belongs to."""
    invocation = context.obj
    assert isinstance(invocation, Invocation)
    return invocation
