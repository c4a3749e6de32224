"""Finds the record that a command line names: a run's id, the beginning of one, or `latest`."""

from typing import Any

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.frontend.suggest import did_you_mean
from pipec.runtime.records import list_runs, newest_records, read_record


def find_record(root: str, name: str) -> dict[str, Any]:
    """The record of a run as plain data.

    Raises:
        PlanError: no record, or more than one, goes by this name.
    """
    if name == "latest":
        newest = next(newest_records(root), None)
        if newest is None:
            raise PlanError(Code.UNKNOWN_RUN, "no run is recorded in this project")
        return newest
    ids = list_runs(root)
    matches = [name] if name in ids else [run for run in ids if run.startswith(name)]
    if len(matches) > 1:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"{len(matches)} runs begin with `{name}`",
            help=(f"the newest of them is `{matches[-1]}`",),
        )
    record = read_record(root, matches[0]) if matches else None
    if record is None:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"no run `{name}` is recorded in this project",
            help=did_you_mean(name, ids) or ("`pipec runs ls` shows every run",),
        )
    return record
