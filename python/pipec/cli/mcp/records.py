"""The tools that read records of runs."""

from typing import Any

from pydantic import Field

from pipec.cli.documents import RunsDocument
from pipec.cli.failures import explain_run
from pipec.cli.mcp.tool import Arguments, Call, RunName, Tool
from pipec.cli.records import find_record, list_records


class ListArguments(Arguments):
    """How many."""

    limit: int = Field(default=20, ge=1, le=500, description="The newest so many runs.")


class ReadArguments(Arguments):
    """One run."""

    run: RunName = Field(description="The id of a run, its beginning, or `latest`.")


def _list_runs(call: Call) -> Any:
    root = call.invocation.find().root
    return RunsDocument(runs=list_records(root, limit=call.arguments.limit))


def _read_run(call: Call) -> Any:
    root = call.invocation.find().root
    record = find_record(root, call.arguments.run)
    failed = explain_run(root, record["run_id"]).failed
    return {"schema_version": 1, "record": record, "context_packs": list(failed)}


RECORDS = (
    Tool(
        name="list_runs",
        description="The recorded runs, newest first.",
        arguments=ListArguments,
        look=_list_runs,
    ),
    Tool(
        name="read_run",
        description="The record of a run, and for each failed task its context: error, end of the "
        "log, command that reproduces it, inputs that changed.",
        arguments=ReadArguments,
        look=_read_run,
    ),
)
