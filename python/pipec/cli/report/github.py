"""Findings as workflow commands of GitHub: the runner shows each beside the line it is about."""

from collections.abc import Iterator, Mapping

from pipec.cli.documents import CheckDocument, FoundProblem


def render_annotations(document: CheckDocument) -> str:
    """One command a finding. `path` of the document is the file's path in the repository."""
    return "".join(_annotation(problem, document.path) for problem in document.findings)


def _annotation(problem: FoundProblem, path: str) -> str:
    properties: dict[str, str | int] = {"file": path, **_region(problem), "title": problem.code}
    written = ",".join(
        f"{name}={escape_property(str(value))}" for name, value in properties.items()
    )
    told = escape_data("\n".join(_lines(problem)))
    return f"::{problem.severity} {written}::{told}\n"


def _region(problem: FoundProblem) -> Mapping[str, int]:
    """Columns only where start and end share a line: GitHub refuses the others."""
    if not problem.places:
        return {}
    place = problem.places[0]
    if place.line != place.end_line:
        return {"line": place.line, "endLine": place.end_line}
    return {"line": place.line, "col": place.column, "endColumn": place.end_column}


def _lines(problem: FoundProblem) -> Iterator[str]:
    yield problem.message
    for index, place in enumerate(problem.places):
        if place.text:
            where = "" if index == 0 else f"line {place.line}: "
            yield f"{where}{place.text}"
    yield from (f"help: {sentence}" for sentence in problem.help)


def escape_data(text: str) -> str:
    """A message of a command, on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The value of a command's property."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
