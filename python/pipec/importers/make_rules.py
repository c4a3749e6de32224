"""Reads Makefiles: variables, conditions, includes, and the rules that they leave."""

import glob
import os
import posixpath
import re
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.make_syntax import Statement, read_makefile
from pipec.importers.make_values import Expander, UntranslatableError, Value, Variable, matches
from pipec.importers.paths import inside
from pipec.importers.report import Place
from pipec.importers.target import Target

MOST_RULES = 5_000
"""How many rules are made of patterns."""

_DEEPEST = 20
_OF_ENVIRONMENT = ("PATH", "HOME", "LANG")
"""Variables that come from the environment: make hands a changed value on by itself."""
_WITHOUT_EFFECT = {
    ".DELETE_ON_ERROR": "outputs of a task that failed are not kept",
    ".PRECIOUS": "pipec deletes no intermediate files",
    ".SECONDARY": "pipec deletes no intermediate files",
    ".INTERMEDIATE": "pipec deletes no intermediate files",
    ".SILENT": "`pipec run --output-logs` decides what is shown",
    ".SUFFIXES": "pipec has no built-in rules",
    ".DEFAULT": "every task has a name",
    ".IGNORE": "a task that may fail says `allow-failure`",
    ".POSIX": "it is about make itself",
    ".SECONDEXPANSION": "it is about make itself",
    ".EXPORT_ALL_VARIABLES": "declare what tasks need in `env`",
    ".LOW_RESOLUTION_TIME": "pipec compares contents",
    ".WAIT": "what has to wait says so in `depends-on`",
}


@dataclass(slots=True)
class Rule:
    """All that is said of one target. `stem` is what `%` stood for, of a pattern rule."""

    name: str
    place: Place
    needs: dict[str, None] = field(default_factory=dict)
    ordered: dict[str, None] = field(default_factory=dict)
    recipe: list[Statement] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    description: str = ""
    stem: str = ""
    others: tuple[str, ...] = ()
    has_older_recipe: bool = False


@dataclass(slots=True)
class Makefile:
    """A Makefile and all that it includes: its variables, its rules, and what is said of them."""

    files: Files
    target: Target
    folder: str = ""
    variables: dict[str, Variable] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    phony: set[str] = field(default_factory=set)
    exported: dict[str, Place] = field(default_factory=dict)
    first: str = ""
    is_one_shell: bool = False
    is_serial: bool = False
    _patterns: list[tuple[str, Rule]] = field(default_factory=list)
    _current: list[Rule] = field(default_factory=list)

    def read(self, path: str) -> None:
        """Reads a Makefile, and makes a rule of a pattern for each file that needs it."""
        self.folder = posixpath.dirname(path)
        self._file(path, 0)
        self._from_patterns()

    def expander(self, rule: Rule | None, *, is_forgiving: bool = False) -> Expander:
        """What expands texts of a rule's recipe; without one, texts outside of rules."""
        if rule is None:
            return Expander(self.variables, self._glob, is_forgiving=is_forgiving)
        needs = list(rule.needs)
        automatic = {
            "@": rule.name,
            "<": needs[0] if needs else "",
            "^": " ".join(needs),
            "+": " ".join(needs),
            "?": " ".join(needs),
            "|": " ".join(rule.ordered),
            "*": rule.stem or posixpath.splitext(rule.name)[0],
        }
        return Expander({**self.variables, **rule.variables}, self._glob, automatic)

    def at_once(self, text: str) -> Value | None:
        """The value that a text has here; None if only make can expand it."""
        try:
            return self.expander(None).value(text)
        except UntranslatableError:
            return None

    def _file(self, path: str, depth: int) -> None:
        statements = read_makefile(self.files.read(path))
        taken: list[tuple[bool, bool]] = []
        for statement in statements:
            place = Place(path, statement.line)
            is_live = all(now for now, _ in taken)
            if statement.kind == "if":
                holds = is_live and self._holds(statement, place)
                taken.append((holds, holds))
            elif statement.kind == "else":
                _, before = taken.pop()
                outer = all(now for now, _ in taken)
                holds = (
                    outer and not before and (not statement.name or self._holds(statement, place))
                )
                taken.append((holds, before or holds))
            elif statement.kind == "endif":
                taken.pop()
            elif is_live:
                self._statement(statement, place, depth)

    def _statement(self, statement: Statement, place: Place, depth: int) -> None:
        if statement.kind == "recipe":
            for rule in self._current:
                if rule.has_older_recipe:
                    rule.recipe, rule.has_older_recipe = [], False
                rule.recipe.append(statement)
            return
        if statement.kind == "assign":
            self._assign(statement, place, self.variables)
        elif statement.kind == "include":
            self._include(statement, place, depth)
        elif statement.kind == "rule":
            self._rule(statement, place)
        elif statement.name == "export":
            for name in statement.text.split()[1:]:
                self.exported[name] = place
        else:
            reason = "only make can carry it out"
            self.target.dropped(place, f"`{statement.text[:60]}`", reason)

    def _assign(self, statement: Statement, place: Place, into: dict[str, Variable]) -> None:
        name, text = statement.name, statement.text
        if "export" in statement.words or name in _OF_ENVIRONMENT:
            self.exported[name] = place
        if "$" in name:
            self.target.dropped(place, f"variable `{name}`", "only make knows its name")
            return
        before = into.get(name, self.variables.get(name))
        if statement.operator == "?=":
            if before is None:
                into[name] = Variable(text, is_default=True)
        elif statement.operator == "+=":
            old = f"{before.text} " if before is not None else ""
            known = before.value if before is not None else None
            added = self.at_once(text) if known is not None else None
            value = (*known, " ", *added) if known is not None and added is not None else None
            into[name] = Variable(old + text, before is not None and before.is_default, value)
        elif statement.operator == "!=":
            into[name] = Variable(f"$(shell {text})")
        elif statement.operator in (":=", "::=", ":::="):
            into[name] = Variable(text, value=self.at_once(text))
        else:
            into[name] = Variable(text)

    def _holds(self, statement: Statement, place: Place) -> bool:
        """Whether a condition holds, with every variable of the environment empty."""
        expander = self.expander(None, is_forgiving=True)
        name, text = statement.name, statement.text
        try:
            if name in ("ifdef", "ifndef"):
                variable = self.variables.get(expander.text(text).strip())
                is_set = variable is not None and bool(variable.text)
                holds = is_set == (name == "ifdef")
            else:
                left, right = _sides(text)
                same = expander.text(left).strip() == expander.text(right).strip()
                holds = same == (name == "ifeq")
        except UntranslatableError:
            holds = False
        reason = f"decided when importing: it {'holds' if holds else 'does not hold'}"
        self.target.report.approximated(place, f"`{name} {text}`", reason)
        return holds

    def _include(self, statement: Statement, place: Place, depth: int) -> None:
        try:
            names = self.expander(None).text(statement.text).split()
        except UntranslatableError:
            names = [statement.text]
        for name in names:
            found = self._glob(name) or [name]
            for path in found:
                if depth < _DEEPEST and self.files.exists(path):
                    self._file(path, depth + 1)
                    self.target.report.exact(place, f"include `{path}`", "read")
                elif statement.name == "include":
                    reason = "there is no such file in the project"
                    self.target.dropped(place, f"include `{path}`", reason)

    def _rule(self, statement: Statement, place: Place) -> None:
        self._current = []
        colon = _colon(statement.text)
        left, right = statement.text[:colon], statement.text[colon + 1 :].lstrip(":")
        is_group = left.endswith("&")
        try:
            targets = self.expander(None).text(left.removesuffix("&")).split()
        except UntranslatableError as problem:
            self.target.dropped(
                place, f"rule `{left.strip()}`", f"only make can expand `{problem}`"
            )
            return
        variable = re.match(
            r"\s*((?:export|override|private)\s+)*([A-Za-z_.][\w.-]*)\s*(\?=|\+=|:::?=|:=|=)\s*(.*)",
            right,
            re.DOTALL,
        )
        if variable is not None:
            for name in targets:
                inner = Statement(
                    kind="assign",
                    line=place.line,
                    text=variable.group(4),
                    name=variable.group(2),
                    operator=variable.group(3),
                )
                self._assign(inner, place, self._of(name, place).variables)
            return
        try:
            needs, ordered, pattern = self._prerequisites(right, place)
        except UntranslatableError as problem:
            reason = f"only make can expand `{problem}`: the target is left to it"
            for name in targets:
                self.target.approximated(place, f"prerequisites of `{name}`", reason)
            needs, ordered, pattern = [], [], ""
        description = re.sub(r"^#+\s*", "", statement.comment) if "##" in statement.comment else ""
        for name in targets:
            if self._special(name, needs, place):
                continue
            if "%" in name and not pattern:
                rule = Rule(name, place, dict.fromkeys(needs), dict.fromkeys(ordered))
                self._patterns.append((name, rule))
                self._current.append(rule)
                continue
            rule = self._of(name, place)
            stem = _stem(pattern, name) if pattern else ""
            rule.stem = stem or rule.stem
            rule.needs.update(dict.fromkeys(need.replace("%", stem, 1) for need in needs))
            rule.ordered.update(dict.fromkeys(need.replace("%", stem, 1) for need in ordered))
            rule.description = description or rule.description
            if is_group:
                rule.others = tuple(other for other in targets if other != name)
            self._current.append(rule)
            if not self.first and not (name.startswith(".") and "/" not in name):
                self.first = name
        for rule in self._current:
            # The last recipe of a target counts.
            rule.has_older_recipe = bool(rule.recipe)

    def _of(self, name: str, place: Place) -> Rule:
        if name not in self.rules:
            self.rules[name] = Rule(name, place)
        return self.rules[name]

    def _special(self, name: str, needs: list[str], place: Place) -> bool:
        if not re.fullmatch(r"\.[A-Z_]+", name):
            return False
        if name == ".PHONY":
            self.phony.update(needs)
        elif name == ".ONESHELL":
            self.is_one_shell = True
        elif name == ".NOTPARALLEL":
            self.is_serial = True
            self.target.report.exact(place, "`.NOTPARALLEL`", "all tasks share a pool of one")
        else:
            reason = _WITHOUT_EFFECT.get(name, "pipec has nothing of the kind")
            self.target.report.dropped(place, f"`{name}`", reason)
        return True

    def _prerequisites(self, text: str, place: Place) -> tuple[list[str], list[str], str]:
        """Prerequisites, those that only come first, and the pattern of a static pattern rule."""
        colon = _colon(text)
        pattern = ""
        if colon >= 0:
            pattern = self.expander(None).text(text[:colon]).strip()
            text = text[colon + 1 :]
        if "$(wildcard" in text or "${wildcard" in text:
            reason = "the files that are there now"
            self.target.report.approximated(place, "`$(wildcard ...)`", reason)
        plain, _, ordered = self.expander(None).text(text).partition("|")
        return self._globbed(plain.split()), self._globbed(ordered.split()), pattern

    def _globbed(self, words: list[str]) -> list[str]:
        found: list[str] = []
        for word in words:
            found += (self._glob(word) or [word]) if set(word) & set("*?[") else [word]
        return [posixpath.normpath(word) if "%" not in word else word for word in found]

    def _glob(self, pattern: str) -> list[str]:
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            return []
        root = os.path.join(self.files.root, self.folder)
        paths = glob.glob(pattern, root_dir=root)
        return sorted(path.replace(os.sep, "/") for path in paths)

    def _from_patterns(self) -> None:
        """Makes rules for files that are needed and that a pattern rule makes."""
        pending = [need for rule in self.rules.values() for need in (*rule.needs, *rule.ordered)]
        pending += [name for name, rule in self.rules.items() if not rule.recipe]
        seen: set[str] = set()
        used: set[int] = set()
        while pending and len(self.rules) < MOST_RULES:
            name = pending.pop(0)
            known = self.rules.get(name)
            if name in seen or name in self.phony or (known is not None and known.recipe):
                continue
            seen.add(name)
            for index, (pattern, rule) in enumerate(self._patterns):
                if not rule.recipe or not matches(pattern, name):
                    continue
                stem = _stem(pattern, name)
                needs = [need.replace("%", stem, 1) for need in rule.needs]
                if not all(map(self._can_be_had, needs)):
                    continue
                made = self._of(name, rule.place)
                made.needs = {**dict.fromkeys(needs), **made.needs}
                made.ordered.update(dict.fromkeys(rule.ordered))
                made.recipe, made.stem = list(rule.recipe), stem
                pending += needs
                used.add(index)
                break
        for index, (pattern, rule) in enumerate(self._patterns):
            if index in used:
                reason = "a task for each file that is needed"
                self.target.report.exact(rule.place, f"pattern rule `{pattern}`", reason)
            else:
                reason = "no rule needs a file that it makes"
                self.target.report.dropped(rule.place, f"pattern rule `{pattern}`", reason)

    def _can_be_had(self, name: str) -> bool:
        """Whether a file is there, or some rule makes it."""
        if name in self.rules or self.files.exists(inside(self.folder, name)):
            return True
        return any(
            rule.recipe and "%" in pattern and pattern != "%" and matches(pattern, name)
            for pattern, rule in self._patterns
        )


def _colon(text: str) -> int:
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "({") - (character in ")}")
        if character == ":" and depth <= 0:
            return index
    return -1


def _sides(text: str) -> tuple[str, str]:
    """Both sides of `ifeq`: `(a,b)`, `"a" "b"`."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        depth = 0
        for index, character in enumerate(text[1:-1], 1):
            depth += (character in "({") - (character in ")}")
            if character == "," and depth == 0:
                return text[1:index], text[index + 1 : -1]
    quoted = re.fullmatch(r"([\"'])(.*?)\1\s*([\"'])(.*?)\3", text, re.DOTALL)
    return (quoted.group(2), quoted.group(4)) if quoted is not None else (text, "")


def _stem(pattern: str, name: str) -> str:
    before, _, after = pattern.partition("%")
    if not matches(pattern, name):
        return ""
    return name[len(before) : len(name) - len(after)]
