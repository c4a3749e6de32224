"""Expressions of GitHub Actions as values: built, combined, and printed with the right quotes."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str

    def __str__(self) -> str:
        doubled = self.value.replace("'", "''")
        return f"'{doubled}'"


@dataclass(frozen=True, slots=True)
class Name:
    """A value of a context, such as `github.ref`."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    function: str
    arguments: tuple["Expression", ...] = ()

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Equal:
    """Whether two values are equal; of strings GitHub ignores the case."""

    left: "Expression"
    right: "Expression"

    def __str__(self) -> str:
        return f"{self.left} == {self.right}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: "Expression"

    def __str__(self) -> str:
        if isinstance(self.part, Equal):
            return f"{self.part.left} != {self.part.right}"
        is_simple = isinstance(self.part, (Name, Call))
        return f"!{self.part}" if is_simple else f"!({self.part})"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Expression", ...]

    def __str__(self) -> str:
        return " && ".join(f"({p})" if isinstance(p, Some) else str(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple["Expression", ...]

    def __str__(self) -> str:
        return " || ".join(f"({p})" if isinstance(p, All) else str(p) for p in self.parts)


Expression = Text | Name | Call | Equal | Not | All | Some


@dataclass(frozen=True, slots=True)
class Template:
    """Text that GitHub evaluates: with `${{ … }}` in it, written so by pipec or by the author."""

    text: str


def all_of(parts: Sequence[Expression]) -> Expression:
    """Every part holds; of one part that part."""
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def some_of(parts: Sequence[Expression]) -> Expression:
    """At least one part holds; of one part that part. Equal parts count once."""
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Some(distinct)


def evaluated(expression: Expression) -> Template:
    """The value of an expression."""
    return Template(f"${{{{ {expression} }}}}")


def literal(text: str) -> str:
    """Text that GitHub does not evaluate, whatever is in it."""
    return text.replace("${{", "${{ '${{' }}")
