"""The JSON Schema (draft-07) of one line of a journal, read off the dataclasses of the events."""

from typing import Any, get_args

from pipec.runtime.events import Event, OutputChunk, RunFinished, event_kind
from pipec.runtime.record import RunRecord
from pipec.runtime.record_schema import object_schema

DIALECT = "http://json-schema.org/draft-07/schema#"


def event_schema() -> dict[str, Any]:
    """The schema of what `to_line` makes of an event.

    A journal has every kind but `output_chunk`; `--format jsonl` prints all of them.
    """
    definitions: dict[str, Any] = {}
    kinds: list[dict[str, Any]] = []
    for cls in get_args(Event):
        described = _line_schema(cls, definitions)
        definitions[cls.__name__] = described
        kinds.append({"$ref": f"#/definitions/{cls.__name__}"})
    return {
        "$schema": DIALECT,
        "title": "An event of a pipec run: a line of journal.jsonl or of `--format jsonl`",
        "anyOf": kinds,
        "definitions": dict(sorted(definitions.items())),
    }


def _line_schema(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls is OutputChunk:
        return _chunk_schema()
    described = object_schema(cls, definitions)
    properties = described["properties"]
    if cls is RunFinished:
        # The record as it is kept, without its tasks: each has had its own line.
        record = object_schema(RunRecord, definitions)
        del record["properties"]["tasks"]
        record["required"].remove("tasks")
        definitions["FinishedRun"] = record
        properties["record"] = {"$ref": "#/definitions/FinishedRun"}
        del definitions["RunRecord"]
    return {
        **described,
        "properties": {"event": {"const": event_kind(cls)}, **properties},
        "required": sorted(["event", *described["required"]]),
    }


def _chunk_schema() -> dict[str, Any]:
    """Output is told as text; whether it comes from a stored log is not said."""
    return {
        "description": "Text that a task wrote, cut anywhere.",
        "type": "object",
        "properties": {
            "event": {"const": event_kind(OutputChunk)},
            "at_ms": {"type": "integer"},
            "task": {"type": "string"},
            "text": {"type": "string"},
        },
        "required": ["at_ms", "event", "task", "text"],
        "additionalProperties": False,
    }
