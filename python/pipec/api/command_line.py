"""Carries out a command line in this process, without touching anything of it."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipec.cli.main import call


@dataclass(frozen=True, slots=True, kw_only=True)
class CliResult:
    """What a command line printed, and its exit status: 0, 1 or 2."""

    stdout: str
    stderr: str
    exit_code: int


def run_cli(
    args: Sequence[str],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
) -> CliResult:
    """What `pipec` with these arguments prints, and how it ends; never raises for what it says.

    `cwd` is the folder in which it is called, `env` its whole environment; those of this process if
    left out. Working directory, environment, streams and signal handlers of this process stay what
    they are. Commands of tasks run as processes, as ever. `lsp`, `mcp` and tasks that are
    interactive need a process of their own.
    """
    out, err = io.StringIO(), io.StringIO()
    status = call(
        args,
        cwd=os.path.abspath(cwd or os.getcwd()),
        environ=dict(os.environ if env is None else env),
        out=out,
        err=err,
    )
    return CliResult(stdout=out.getvalue(), stderr=err.getvalue(), exit_code=status)
