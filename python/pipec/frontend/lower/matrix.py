"""The combinations of a matrix."""

from collections.abc import Mapping
from itertools import product
from math import prod

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.ir.task import TaskId
from pipec.spec.matrix import MatrixSpec

_MOST = 1024

Combination = dict[str, str]


def combinations(
    name: str, matrix: MatrixSpec, route: Route, findings: list[Finding]
) -> tuple[tuple[TaskId, Mapping[str, str]], ...]:
    """The ids of a task with a matrix, `test[os=linux,python=3.11]`, and their values, by id.

    As in GitHub Actions: what `exclude` names goes first; an entry of `include` then adds to every
    combination of which it changes no value, and is one of its own when there is none.
    """
    size = prod(len(values) for values in matrix.variables.values()) + len(matrix.include)
    if size > _MOST:
        message = (
            f"the matrix of `{name}` has {size:,} combinations, and at most {_MOST:,} are made"
        )
        findings.append(Finding(Code.INVALID_VALUE, message, (Label(route, at="key"),)))
        return ()
    made = _expand(matrix)
    if not made:
        message = f"the matrix of `{name}` leaves no combination"
        findings.append(Finding(Code.INVALID_VALUE, message, (Label(route, at="key"),)))
    by_id = {_id(name, values): dict(sorted(values.items())) for values in made}
    return tuple(sorted(by_id.items()))


def _expand(matrix: MatrixSpec) -> list[Combination]:
    names = sorted(matrix.variables)
    made: list[Combination] = []
    if names:
        cells = product(*(matrix.variables[name] for name in names))
        made = [dict(zip(names, values, strict=True)) for values in cells]
    made = [values for values in made if not any(_fits(entry, values) for entry in matrix.exclude)]
    original = [dict(values) for values in made]
    for entry in matrix.include:
        extended = False
        for values, first in zip(made, original, strict=False):
            # Only original values are protected: an entry may change what an earlier one added.
            if all(first.get(key, value) == value for key, value in entry.items()):
                values.update(entry)
                extended = True
        if not extended:
            made.append(dict(entry))
    return [values for values in made if values]


def _fits(entry: Mapping[str, str], values: Mapping[str, str]) -> bool:
    return all(values.get(key) == value for key, value in entry.items())


def _id(name: str, values: Mapping[str, str]) -> TaskId:
    return TaskId(f"{name}[{','.join(f'{key}={values[key]}' for key in sorted(values))}]")
