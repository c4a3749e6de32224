"""Reads what runs left in a project, and holds every record against the published schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).parents[2] / "schemas"


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a project, oldest first, each valid."""
    schema = json.loads((SCHEMAS / "execution-record.schema.json").read_text(encoding="utf-8"))
    check = jsonschema_rs.validator_for(schema)
    records = []
    for path in sorted((folder / ".pipec/runs").glob("*/execution.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        check.validate(record)
        assert record["run_id"] == path.parent.name
        records.append(record)
    return records


def read_journal(folder: Path, run_id: str) -> list[dict[str, Any]]:
    """The events that a run wrote down."""
    text = (folder / ".pipec/runs" / run_id / "journal.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def statuses(record: dict[str, Any]) -> dict[str, str]:
    """Task → status."""
    return {task["id"]: task["status"] for task in record["tasks"]}
