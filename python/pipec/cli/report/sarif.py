"""Findings as SARIF 2.1.0, the format in which code scanning exchanges results."""

from typing import Any
from urllib.parse import quote

from pipec import _core
from pipec.cli.documents import CheckDocument, FoundProblem, Place
from pipec.cli.error_pages import read_page
from pipec.codes import Code

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def describe_sarif(*documents: CheckDocument) -> dict[str, Any]:
    """One run of pipec. `path` of a document is the file's path in the repository.

    The rules are the codes that were found, with their pages as help.
    """
    codes = sorted({problem.code for document in documents for problem in document.findings})
    driver = {
        "name": "pipec",
        "version": _core.VERSION,
        "semanticVersion": _core.VERSION,
        "rules": [_rule(Code(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(problem, codes.index(problem.code), document.path)
            for document in documents
            for problem in document.findings
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Code) -> dict[str, Any]:
    page = read_page(code)
    _, meaning, *_ = page.split("\n\n")
    return {
        "id": code.value,
        "shortDescription": {"text": meaning},
        "help": {"text": page, "markdown": page},
    }


def _result(problem: FoundProblem, rule: int, path: str) -> dict[str, Any]:
    first, *others = problem.places or (None,)
    message = "\n".join([problem.message, *(f"help: {sentence}" for sentence in problem.help)])
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": message},
        "locations": [_location(path, first)],
    }
    if others:
        result["relatedLocations"] = [
            {"id": number, **_location(path, place)} for number, place in enumerate(others, 1)
        ]
    return result


def _location(path: str, place: Place | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(path)}}
    if place is None:
        return {"physicalLocation": physical}
    physical["region"] = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.text:
        location["message"] = {"text": place.text}
    return location
