"""The typer application: every command with its help, loaded only when it is called."""

import os
import re
from dataclasses import replace
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Literal

import typer
import typer.core

# typer carries its own copy of click; it is pinned to one minor version for this reason too.
from typer._click.core import Command, Context
from typer._click.exceptions import NoSuchOption
from typer._click.exceptions import UsageError as TyperUsageError
from typer._click.shell_completion import CompletionItem
from typer._completion_classes import completion_init

from pipec.cli.invocation import Invocation
from pipec.cli.main import TWICE, VERBS
from pipec.cli.options import TAKING_ARGUMENTS, UsageError, split_arguments
from pipec.frontend.suggest import did_you_mean

COMPLETION = "_PIPEC_COMPLETE"
"""The variable in which a shell asks for completions."""

OVERVIEW = """Run the tasks of a project: only those whose inputs changed, and say why.

`pipec JOB` is short for `pipec run JOB`.
"""
EPILOG = """\b
Examples:
  pipec init                    write a first pipeline.toml
  pipec verify                  run the job or task `verify`
  pipec why build               say why `build` ran
  pipec explain PIPEC_USAGE     explain an error code
"""


class Commands(typer.core.TyperGroup):
    """Every verb, by name; the module of a verb is imported when it is needed."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The verbs in the order of the help."""
        return [*VERBS, TWICE]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of this name, if there is one."""
        if cmd_name not in (*VERBS, TWICE):
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(
            f"pipec.cli.commands.{name}_" if iskeyword(name) else f"pipec.cli.commands.{name}"
        )
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what can be run without naming one: jobs and tasks."""
        from pipec.cli.names import complete_jobs_and_tasks

        completions = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return completions
        names = complete_jobs_and_tasks(ctx, incomplete)
        known = {item.value for item in completions}
        return completions + [
            CompletionItem(name, help=what) for name, what in names if name not in known
        ]


def open_app() -> Command:
    """The whole command line, for running it and for describing it."""
    app = typer.Typer(
        cls=Commands,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=OVERVIEW, epilog=EPILOG, invoke_without_command=True)(describe_globals)
    return typer.main.get_command(app)


def describe_globals(
    context: typer.Context,
    *,
    directory: Annotated[
        str | None, typer.Option("-C", "--directory", metavar="DIR", help="Start in this folder.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="Use this pipeline file.")
    ] = None,
    color: Annotated[
        Literal["auto", "always", "never"], typer.Option(help="When to colour.")
    ] = "auto",
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print only errors and what was asked for.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print more.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Declares what every command takes, for the help; the front door has read it already."""
    del directory, file, color, quiet, verbose, version
    if context.invoked_subcommand is None:
        # As `--help` prints it, which does not come here.
        with open(os.path.join(os.path.dirname(__file__), "help", "pipec.txt"), "rb") as page:
            context.obj.console.data(page.read().decode())


def run_app(invocation: Invocation, words: list[str]) -> int:
    """Carries out a command and gives its exit status.

    Raises:
        UsageError: the words are no command of pipec.
        PipecError: what the command raises.
    """
    command = open_app()
    if words and words[0] in TAKING_ARGUMENTS:
        words, arguments = split_arguments(words)
        invocation = replace(invocation, arguments=arguments)
    if COMPLETION in invocation.environ:
        completion_init()
        command.main(words, prog_name="pipec", complete_var=COMPLETION, obj=invocation)
    try:
        # Not `command.main`: it has its own opinion on a closed output and on the exit status.
        with command.make_context("pipec", words, obj=invocation) as context:
            status = command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except NoSuchOption as error:
        raise _unknown_option(error) from None
    except TyperUsageError as error:
        raise _usage_problem(error) from None
    return int(status or 0)


def _unknown_option(error: NoSuchOption) -> UsageError:
    context = error.ctx
    if context is None:
        return UsageError(f"there is no option `{error.option_name}`")
    names = [name for param in context.command.get_params(context) for name in param.opts]
    suggestion = did_you_mean(error.option_name, [n for n in names if n.startswith("-")])
    return UsageError(
        f"`{context.command_path}` has no option `{error.option_name}`",
        help=suggestion or _see_help(context),
    )


_TOO_MUCH = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL)
_NO_NUMBER = (
    (re.compile(r"(?<=: )(-?\d+) is not in the range x>=(\d+)"), r"`\1` is less than \2"),
    (
        re.compile(r"(?<=: )(-?\d+) is not in the range (\d+)<=x<=(\d+)"),
        r"`\1` is not between \2 and \3",
    ),
    (re.compile(r"is not a valid int(?:eger)?(?: range)?"), "is no whole number"),
)


def _usage_problem(error: TyperUsageError) -> UsageError:
    message = re.sub(r"'([^']*)'", r"`\1`", error.format_message()).rstrip(".")
    context = error.ctx
    if context is None:
        return UsageError(message[:1].lower() + message[1:])
    if too_much := _TOO_MUCH.fullmatch(message):
        message = f"`{context.command_path}` takes no `{too_much[1]}`"
        return UsageError(message, help=_see_help(context))
    for pattern, words in _NO_NUMBER:
        message = pattern.sub(words, message)
    if message == "Missing command" and isinstance(context.command, typer.core.TyperGroup):
        commands = ", ".join(f"`{name}`" for name in context.command.list_commands(context))
        message = f"`{context.command_path}` needs a command: {commands}"
        return UsageError(message, help=_see_help(context))
    return UsageError(message[:1].lower() + message[1:], help=_see_help(context))


def _see_help(context: Context) -> tuple[str, ...]:
    return (f"`{context.command_path} --help` shows how it is used",)
