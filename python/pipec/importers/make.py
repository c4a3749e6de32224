"""`pipec import make`: a task for each target of a Makefile that says how it is made."""

import glob
import os
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.make_syntax import Statement, read_makefile
from pipec.importers.make_values import (
    Expander,
    Shell,
    UntranslatableError,
    Value,
    Variable,
    matches,
)
from pipec.importers.paths import inside
from pipec.importers.port import Importer
from pipec.importers.report import Place
from pipec.importers.shells import may_fail, spliced
from pipec.importers.target import Target, TargetTask

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_DEEPEST = 20
_MOST_TASKS = 5_000
_POOL = "make"
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
class _Rule:
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


def read(path: str, files: Files, target: Target) -> None:
    """Imports a Makefile."""
    _Import(files, target).run(path)


@dataclass(slots=True)
class _Import:
    files: Files
    target: Target
    variables: dict[str, Variable] = field(default_factory=dict)
    rules: dict[str, _Rule] = field(default_factory=dict)
    patterns: list[tuple[str, _Rule]] = field(default_factory=list)
    phony: set[str] = field(default_factory=set)
    current: list[_Rule] = field(default_factory=list)
    first: str = ""
    is_one_shell: bool = False
    is_serial: bool = False
    exported: dict[str, Place] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    folder: str = ""

    def run(self, path: str) -> None:
        self.folder = posixpath.dirname(path)
        self._file(path, 0)
        self._environment()
        self._from_patterns()
        for rule in list(self.rules.values())[:_MOST_TASKS]:
            self._make(rule)
        goal = self.variables.get(".DEFAULT_GOAL")
        name = goal.text.strip() if goal is not None else self.first
        if (name,) in self.target.tasks:
            job = self.target.add_job("default", self.target.tasks[(name,)].place, [(name,)])
            job.fields["description"] = "what `make` makes when no target is named"
        if self.is_serial:
            self.target.fields["pools"] = {_POOL: 1}

    def _environment(self) -> None:
        """Gives exported variables to the pipeline, or to each step if they ask the shell."""
        env: dict[str, object] = {}
        for name, place in self.exported.items():
            variable = self.variables.get(name)
            value = self._at_once(f"$({name})") if variable is not None else None
            if value is None:
                reason = "its value is not known here"
                self.target.dropped(place, f"exported variable `{name}`", reason)
            elif any(isinstance(part, Shell) for part in value):
                self.exports.append(f'export {name}="{_quoted(value)}"')
                self.target.report.exact(place, f"exported `{name}`", "each step exports it")
            else:
                env[name] = "".join(part for part in value if isinstance(part, str)).strip()
                self.target.report.exact(place, f"exported `{name}`", "`env` of the pipeline")
        if env:
            self.target.fields["env"] = env

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
            for rule in self.current:
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
            added = self._at_once(text) if known is not None else None
            value = (*known, " ", *added) if known is not None and added is not None else None
            into[name] = Variable(old + text, before is not None and before.is_default, value)
        elif statement.operator == "!=":
            into[name] = Variable(f"$(shell {text})")
        elif statement.operator in (":=", "::=", ":::="):
            into[name] = Variable(text, value=self._at_once(text))
        else:
            into[name] = Variable(text)

    def _at_once(self, text: str) -> Value | None:
        """The value that a text has here; None if only make can expand it."""
        try:
            return self._expander(None).value(text)
        except UntranslatableError:
            return None

    def _holds(self, statement: Statement, place: Place) -> bool:
        """Whether a condition holds, with every variable of the environment empty."""
        expander = self._expander(None, is_forgiving=True)
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
            names = self._expander(None).text(statement.text).split()
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
        self.current = []
        colon = _colon(statement.text)
        left, right = statement.text[:colon], statement.text[colon + 1 :].lstrip(":")
        is_group = left.endswith("&")
        try:
            targets = self._expander(None).text(left.removesuffix("&")).split()
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
                rule = _Rule(name, place, dict.fromkeys(needs), dict.fromkeys(ordered))
                self.patterns.append((name, rule))
                self.current.append(rule)
                continue
            rule = self._of(name, place)
            stem = _stem(pattern, name) if pattern else ""
            rule.stem = stem or rule.stem
            rule.needs.update(dict.fromkeys(need.replace("%", stem, 1) for need in needs))
            rule.ordered.update(dict.fromkeys(need.replace("%", stem, 1) for need in ordered))
            rule.description = description or rule.description
            if is_group:
                rule.others = tuple(other for other in targets if other != name)
            self.current.append(rule)
            if not self.first and not (name.startswith(".") and "/" not in name):
                self.first = name
        for rule in self.current:
            # The last recipe of a target counts.
            rule.has_older_recipe = bool(rule.recipe)

    def _of(self, name: str, place: Place) -> _Rule:
        if name not in self.rules:
            self.rules[name] = _Rule(name, place)
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
            pattern = self._expander(None).text(text[:colon]).strip()
            text = text[colon + 1 :]
        if "$(wildcard" in text or "${wildcard" in text:
            reason = "the files that are there now"
            self.target.report.approximated(place, "`$(wildcard ...)`", reason)
        plain, _, ordered = self._expander(None).text(text).partition("|")
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

    def _expander(self, rule: _Rule | None, *, is_forgiving: bool = False) -> Expander:
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

    def _from_patterns(self) -> None:
        """Makes rules for files that are needed and that a pattern rule makes."""
        pending = [need for rule in self.rules.values() for need in (*rule.needs, *rule.ordered)]
        pending += [name for name, rule in self.rules.items() if not rule.recipe]
        seen: set[str] = set()
        used: set[int] = set()
        while pending and len(self.rules) < _MOST_TASKS:
            name = pending.pop(0)
            known = self.rules.get(name)
            if name in seen or name in self.phony or (known is not None and known.recipe):
                continue
            seen.add(name)
            for index, (pattern, rule) in enumerate(self.patterns):
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
        for index, (pattern, rule) in enumerate(self.patterns):
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
            for pattern, rule in self.patterns
        )

    def _make(self, rule: _Rule) -> None:
        if not rule.recipe and not rule.needs and not rule.ordered and rule.name not in self.phony:
            return
        task = self.target.add((rule.name,), (rule.name,), rule.place)
        if rule.description:
            task.fields["description"] = rule.description
        if self.is_serial:
            task.fields["pool"] = _POOL
        if self.folder:
            task.fields["cwd"] = self.folder
        try:
            steps = self._steps(task, rule)
        except UntranslatableError as problem:
            self._call_make(task, rule, str(problem))
            return
        for need in (*rule.needs, *rule.ordered):
            if need in self.rules and self._is_task(self.rules[need]):
                task.needs_task((need,), rule.place)
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps
        shell = self._shell(rule)
        if shell:
            task.fields["shell"] = shell
        self._caching(task, rule)
        task.report.exact(rule.place, f"target `{rule.name}`", "a task")

    def _commands(self, rule: _Rule) -> list[str]:
        """The commands whose output is part of a recipe: what they print decides as well."""
        found: dict[str, None] = {}
        for statement in rule.recipe:
            for part in self._expander(rule).value(statement.text):
                if isinstance(part, Shell) and part.text.startswith("$("):
                    found.setdefault(part.text[2:-1])
        return list(found)

    def _is_task(self, rule: _Rule) -> bool:
        return bool(rule.recipe or rule.needs or rule.ordered or rule.name in self.phony)

    def _call_make(self, task: TargetTask, rule: _Rule, problem: str) -> None:
        task.fields["run"] = shlex.join(["make", rule.name])
        subject = f"`{' '.join(problem.split())[:60]}`"
        task.approximated(rule.place, subject, "it is left to make, with what it depends on")

    def _shell(self, rule: _Rule) -> object:
        try:
            text = self._expander(rule).text("$(SHELL)").strip()
            flags = self._expander(rule).text("$(.SHELLFLAGS)").split()
        except UntranslatableError:
            return None
        words = [word for word in text.split() if not word.endswith("/env")]
        if not words or posixpath.basename(words[0]) == "sh":
            return None
        if not flags and posixpath.basename(words[0]) == "bash":
            return "bash"
        return [*words, *(flags or ["-c"])]

    def _steps(self, task: TargetTask, rule: _Rule) -> list[object]:
        expander = self._expander(rule)
        steps: list[object] = []
        for statement in rule.recipe:
            if "$(info " in statement.text or "$(warning " in statement.text:
                place = Place(rule.place.path, statement.line)
                task.report.dropped(place, f"{task.shown}: a message of make", "it is not printed")
            value = expander.value(_refolded(statement.text))
            for line in _lines(_as_shell(value)):
                text = line.lstrip()
                signs = text[: len(text) - len(text.lstrip("@-+ \t"))]
                text = text[len(signs) :].rstrip()
                if not text or text.startswith("#"):
                    continue
                steps.append(may_fail(text) if "-" in signs else text)
                if re.match(r"(?:cd \S+ && )?make\b", text):
                    place = Place(rule.place.path, statement.line)
                    reason = "make is still called for what it makes there"
                    task.report.approximated(place, f"{task.shown}: `{text[:60]}`", reason)
        if self.is_one_shell and steps:
            steps = ["\n".join(str(step) for step in steps)]
        return ["\n".join([*self.exports, str(step)]) for step in steps]

    def _caching(self, task: TargetTask, rule: _Rule) -> None:
        """A file that is made of others is cached; a name that only looks like a file is not."""
        if rule.name in self.phony or not rule.recipe:
            return
        sources = [need for need in rule.needs if self.files.exists(inside(self.folder, need))]
        uses_name = any("$@" in s.text or "$(@" in s.text for s in rule.recipe)
        is_file = uses_name or "/" in rule.name or re.search(r"\w\.\w+$", rule.name)
        if not is_file or not (sources or any(need in self.rules for need in rule.needs)):
            reason = "it is not `.PHONY`, but nothing shows what file it makes of what: not cached"
            task.report.approximated(rule.place, f"target `{rule.name}`", reason)
            return
        names = (rule.name, *rule.others)
        if any(name.startswith(("/", "~", "..")) for name in names):
            task.approximated(rule.place, "output", "it is outside of the project: not cached")
            return
        commands = [{"command": f"{text} || true"} for text in self._commands(rule)]
        patterns = [_literal(inside(self.folder, need)) for need in sources]
        task.fields["inputs"] = [*patterns, *commands]
        task.fields["outputs"] = [
            {"glob": _literal(inside(self.folder, name)), "optional": True} for name in names
        ]
        task.fields["cache"] = True


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


def _refolded(text: str) -> str:
    """A command over several lines: make takes a tab from the beginning of each."""
    return text.replace("\\\n\t", "\\\n")


def _as_shell(value: Value) -> str:
    parts: list[str] = []
    for part in value:
        parts.append(spliced("".join(parts), part.text) if isinstance(part, Shell) else part)
    return "".join(parts)


def _lines(text: str) -> Iterator[str]:
    """The lines of an expanded recipe; one that ends with `\\` goes on in the next."""
    pending = ""
    for line in text.split("\n"):
        pending += line
        if line.endswith("\\"):
            pending += "\n"
        else:
            yield pending
            pending = ""
    if pending:
        yield pending


def _quoted(value: Value) -> str:
    """A value inside of double quotes."""
    return "".join(
        part.text if isinstance(part, Shell) else re.sub(r'(["\\$`])', r"\\\1", part)
        for part in value
    )


def _literal(name: str) -> str:
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", name)


MAKE = Importer(kind="make", tool="make", names=_NAMES, read=read)
