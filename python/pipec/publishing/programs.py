"""Runs the programs of others that publishing needs."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipec.codes import Code
from pipec.errors import RunError

_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said, on one line."""
        return " ".join((self.err or self.out).split())


def run_program(argv: Sequence[str], *, folder: str, environ: Mapping[str, str]) -> Done:
    """Runs a program to its end; its output is read and not shown.

    Raises:
        RunError: it is not on the path, or does not end.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            argv,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
        )
        return Done(done.returncode, done.stdout, done.stderr)
    except FileNotFoundError:
        message = f"`{argv[0]}` is not on the path"
        raise RunError(Code.MISSING_TOOL, message) from None
    except subprocess.TimeoutExpired:
        message = f"`{argv[0]} {argv[1]}` did not end in {_TIMEOUT_S // 60} minutes"
        raise RunError(Code.TIMED_OUT, message) from None
