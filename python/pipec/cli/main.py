"""The front door: answers plain forms, hands the others to typer, turns errors into messages.

A run with everything cached comes through here in milliseconds: nothing is imported in advance.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from pipec import _core
from pipec.__main__ import help_page, is_help
from pipec.cli.console import Console, wants_color
from pipec.cli.options import UsageError, plain_run, take_globals
from pipec.errors import PipecError

OUTPUT_CLOSED = 141
INTERRUPTED = 130

VERBS = (
    "run",
    "run-task",
    "watch",
    "plan",
    "list",
    "show",
    "graph",
    "check",
    "compile",
    "metadata",
    "matrix",
    "diff",
    "fmt",
    "sync",
    "lsp",
    "publish",
    "release",
    "why",
    "key",
    "env",
    "shell",
    "affected",
    "config",
    "runs",
    "profile",
    "audit",
    "cache",
    "gc",
    "github",
    "init",
    "import",
    "explain",
    "doctor",
    "mcp",
    "schema",
    "completions",
    "version",
)
"""Every command, in the order of the help. Any other first word is a job or a task to run."""

TWICE = "verify"
"""A command only with `--twice`: else it is a name that many projects have for a job."""


def main(argv: Sequence[str], begun: "_core.HandOver | None" = None) -> int:
    """Carries out the command line of this process and gives the exit status. Never raises.

    `begun` is the run of this command line as far as the core got with it.
    """
    console = Console(sys.stdout, sys.stderr, color=wants_color("auto", os.environ, sys.stderr))
    try:
        status = _carry_out(argv, console, os.environ, begun=begun)
    except BrokenPipeError:
        _drop(sys.stdout, sys.stderr)
        return OUTPUT_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    if console.data_is_lost:
        _drop(sys.stdout)
    if console.words_are_lost:
        _drop(sys.stderr)
    return status


def call(
    argv: Sequence[str], *, cwd: str, environ: Mapping[str, str], out: TextIO, err: TextIO
) -> int:
    """Carries out a command line inside of another program and gives the exit status.

    Nothing of this process is touched: no stream, folder, variable or signal handler.
    """
    console = Console(out, err, color=wants_color("auto", environ, err))
    return _carry_out(argv, console, environ, cwd=cwd)


def report(error: Exception) -> int:
    """Tells a person of an error outside of any command line; gives the exit status."""
    from pipec.cli.report.errors import report_error

    console = Console(sys.stdout, sys.stderr, color=wants_color("auto", os.environ, sys.stderr))
    return report_error(error, console=console, environ=os.environ)


def _drop(*streams: TextIO) -> None:
    """Gives up what could not be written: Python would complain about it on the way out."""
    with open(os.devnull, "wb") as nowhere:
        for stream in streams:
            os.dup2(nowhere.fileno(), stream.fileno())


def _working_folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the folder in which pipec was called is gone") from None


def _working_folder_or_root() -> str:
    try:
        return _working_folder()
    except UsageError:
        return os.sep


def _carry_out(
    argv: Sequence[str],
    console: Console,
    environ: Mapping[str, str],
    *,
    cwd: str | None = None,
    begun: "_core.HandOver | None" = None,
) -> int:
    """Without `cwd` the call is that of this process.

    Raises:
        BrokenPipeError: nobody reads any more.
        KeyboardInterrupt: somebody interrupted this process.
    """
    try:
        status = _dispatch(argv, console, environ, cwd, begun)
        console.finish()
    except BrokenPipeError:
        raise
    except Exception as error:
        from pipec.cli.masking import redaction_of_call
        from pipec.cli.report.errors import report_error

        # Words of the command line stand in messages.
        folder = _working_folder_or_root() if cwd is None else cwd
        redaction = redaction_of_call(argv, cwd=folder, environ=environ, console=console)
        return report_error(error, console=console, environ=environ, redact=redaction.text)
    return status


def _dispatch(
    argv: Sequence[str],
    console: Console,
    environ: Mapping[str, str],
    cwd: str | None,
    begun: "_core.HandOver | None",
) -> int:
    settings, words = take_globals(argv)
    console.configure(
        color=wants_color(settings.color, environ, console.err),
        is_quiet=settings.is_quiet,
        is_verbose=settings.is_verbose,
    )
    if words in (["--version"], ["version"]):
        console.data(f"pipec {_core.VERSION}\n")
        return 0
    if words and is_help(words[-1]) and (page := help_page(words[:-1])):
        console.data(page)
        return 0
    from pipec.cli.invocation import Invocation

    invocation = Invocation(
        cwd=_working_folder() if cwd is None else cwd,
        environ=environ,
        settings=settings,
        console=console,
        owns_process=cwd is None,
    )
    if "_PIPEC_COMPLETE" in environ:
        # A shell asks for completions: its words are in the environment.
        words = []
    is_verb = not words or words[0] in VERBS or words[0].startswith("-")
    is_verb = is_verb or (words[0] == TWICE and "--twice" in words)
    if not is_verb:
        words.insert(0, "run")
    try:
        options = plain_run(words)
        if options is not None:
            from pipec.cli.run import run

            return run(invocation, options, begun=begun)
        from pipec.cli.app import run_app

        return run_app(invocation, words)
    except PipecError as error:
        if is_verb:
            raise
        from pipec.cli.report.errors import not_a_command

        raise not_a_command(words[1], error, verbs=VERBS) from None
