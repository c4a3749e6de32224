"""Reads what runs left in a project, and holds all of it against the published schemas."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).parents[2] / "schemas"


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a project, oldest first, each valid, and so are commands and transcripts."""
    check = validator("execution-record")
    records = []
    for path in sorted((folder / ".pipec/runs").glob("*/execution.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        check.validate(record)
        assert record["run_id"] == path.parent.name
        records.append(record)
        for lines in path.parent.glob("commands.jsonl"):
            read_lines(lines, "command")
        for lines in path.parent.glob("agents/*.jsonl"):
            read_lines(lines, "transcript")
    return records


def read_lines(path: Path, schema: str) -> list[dict[str, Any]]:
    """The lines of a file of a record, each valid."""
    check = validator(schema)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        check.validate(line)
    return lines


def validator(schema: str) -> Any:
    """What holds a document against a published schema."""
    text = (SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def read_journal(folder: Path, run_id: str) -> list[dict[str, Any]]:
    """The events that a run wrote down."""
    text = (folder / ".pipec/runs" / run_id / "journal.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def statuses(record: dict[str, Any]) -> dict[str, str]:
    """Task → status."""
    return {task["id"]: task["status"] for task in record["tasks"]}
