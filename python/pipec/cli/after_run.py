"""Completes the record of a run that the core executed by itself, when tasks of it failed."""

import contextlib
import os
import sys

from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions, Settings
from pipec.errors import PipecError


def keep_context(run_id: str) -> None:
    """Writes the context packs of the run that this process has just ended.

    Whatever goes wrong, the run is over, and its exit status is known.
    """
    from pipec.cli.console import Console

    with contextlib.suppress(PipecError, OSError, ValueError):
        console = Console(sys.stdout, sys.stderr, color=False)
        console.configure(color=False, is_quiet=True, is_verbose=False)
        invocation = Invocation(
            cwd=os.getcwd(), environ=os.environ, settings=Settings(), console=console
        )
        complete_record(invocation, invocation.find().root, run_id)


def complete_record(invocation: Invocation, root: str, run_id: str) -> None:
    """Adds what the core leaves out to the record of a run that has ended.

    Raises:
        PipecError, OSError: the record or the pipeline cannot be read any more.
    """
    from pipec.cli.run import open_request
    from pipec.runtime.assess import assess
    from pipec.runtime.evidence.keep import keep_context_packs
    from pipec.runtime.evidence.reading import read_run
    from pipec.runtime.request import Services

    record = read_run(root, run_id)
    if record is None:
        return
    asked = record.request
    request = open_request(
        invocation,
        RunOptions(
            targets=asked.targets,
            only=bool(asked.only),
            params=tuple(f"{name}={value}" for name, value in asked.params.items()),
            arguments=asked.arguments or (),
        ),
    )
    assessment = assess(request, Services(handle_signals=False), run_id)
    # What is missing now was missing then: the tasks that failed of it have said so.
    with contextlib.suppress(PipecError):
        assessment.check_environment()
    keep_context_packs(assessment, record)
