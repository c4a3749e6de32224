"""The part of SARIF 2.1.0 that pipec writes, as a schema that allows nothing else."""

from typing import Any


def _table(required: str, optional: str = "", /, **members: Any) -> dict[str, Any]:
    names = {name.rstrip("_"): member for name, member in members.items()}
    assert set(names) == {*required.split(), *optional.split()}
    return {
        "type": "object",
        "required": required.split(),
        "properties": names,
        "additionalProperties": False,
    }


def _list(items: Any, **limits: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **limits}


_TEXT = {"type": "string", "minLength": 1}
_NUMBER = {"type": "integer", "minimum": 1}
_MESSAGE = _table("text", text=_TEXT)
_REGION = _table(
    "startLine startColumn endLine endColumn",
    startLine=_NUMBER,
    startColumn=_NUMBER,
    endLine=_NUMBER,
    endColumn=_NUMBER,
)
_URI = {"type": "string", "format": "uri-reference"}
_PLACE = _table(
    "artifactLocation", "region", artifactLocation=_table("uri", uri=_URI), region=_REGION
)
_LOCATION = _table(
    "physicalLocation", "id message", physicalLocation=_PLACE, id=_NUMBER, message=_MESSAGE
)
_RULE = _table(
    "id shortDescription help",
    id=_TEXT,
    shortDescription=_MESSAGE,
    help=_table("text markdown", text=_TEXT, markdown=_TEXT),
)
_RESULT = _table(
    "ruleId ruleIndex level message locations",
    "relatedLocations",
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_MESSAGE,
    locations=_list(_LOCATION),
    relatedLocations=_list(_LOCATION, uniqueItems=True),
)
_DRIVER = _table(
    "name version semanticVersion rules",
    name=_TEXT,
    version=_TEXT,
    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
    rules=_list(_RULE, uniqueItems=True),
)
_RUN = _table(
    "tool columnKind results",
    tool=_table("driver", driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=_list(_RESULT),
)
_LOG = _table("schema version runs", schema=_URI, version={"const": "2.1.0"}, runs=_list(_RUN))
SCHEMA = {
    **_LOG,
    "required": ["version", "runs"],
    "properties": {"$schema": _URI, **{k: _LOG["properties"][k] for k in ("version", "runs")}},
}
