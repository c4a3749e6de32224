"""`pipec import make`: a task for each target of a Makefile that says how it is made."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.make_rules import MOST_RULES, Makefile, Rule
from pipec.importers.make_values import Shell, UntranslatableError, Value
from pipec.importers.paths import inside
from pipec.importers.port import Importer
from pipec.importers.report import Place
from pipec.importers.shells import may_fail, spliced
from pipec.importers.target import Target, TargetTask

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_POOL = "make"


def read(path: str, files: Files, target: Target) -> None:
    """Imports a Makefile."""
    makefile = Makefile(files, target)
    makefile.read(path)
    _Import(makefile, files, target).run()


@dataclass(slots=True)
class _Import:
    makefile: Makefile
    files: Files
    target: Target
    exports: list[str] = field(default_factory=list)

    def run(self) -> None:
        self._environment()
        for rule in list(self.makefile.rules.values())[:MOST_RULES]:
            self._make(rule)
        goal = self.makefile.variables.get(".DEFAULT_GOAL")
        name = goal.text.strip() if goal is not None else self.makefile.first
        if (name,) in self.target.tasks:
            job = self.target.add_job("default", self.target.tasks[(name,)].place, [(name,)])
            job.fields["description"] = "what `make` makes when no target is named"
        if self.makefile.is_serial:
            self.target.fields["pools"] = {_POOL: 1}

    def _environment(self) -> None:
        """Gives exported variables to the pipeline, or to each step if they ask the shell."""
        env: dict[str, object] = {}
        for name, place in self.makefile.exported.items():
            variable = self.makefile.variables.get(name)
            value = self.makefile.at_once(f"$({name})") if variable is not None else None
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

    def _make(self, rule: Rule) -> None:
        if not self._is_task(rule):
            return
        task = self.target.add((rule.name,), (rule.name,), rule.place)
        if rule.description:
            task.fields["description"] = rule.description
        if self.makefile.is_serial:
            task.fields["pool"] = _POOL
        if self.makefile.folder:
            task.fields["cwd"] = self.makefile.folder
        try:
            steps = self._steps(task, rule)
        except UntranslatableError as problem:
            self._call_make(task, rule, str(problem))
            return
        for need in (*rule.needs, *rule.ordered):
            if need in self.makefile.rules and self._is_task(self.makefile.rules[need]):
                task.needs_task((need,), rule.place)
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps
        shell = self._shell(rule)
        if shell:
            task.fields["shell"] = shell
        self._caching(task, rule)
        task.report.exact(rule.place, f"target `{rule.name}`", "a task")

    def _commands(self, rule: Rule) -> list[str]:
        """The commands whose output is part of a recipe: what they print decides as well."""
        found: dict[str, None] = {}
        for statement in rule.recipe:
            for part in self.makefile.expander(rule).value(statement.text):
                if isinstance(part, Shell) and part.text.startswith("$("):
                    found.setdefault(part.text[2:-1])
        return list(found)

    def _is_task(self, rule: Rule) -> bool:
        return bool(rule.recipe or rule.needs or rule.ordered or rule.name in self.makefile.phony)

    def _call_make(self, task: TargetTask, rule: Rule, problem: str) -> None:
        task.fields["run"] = shlex.join(["make", rule.name])
        subject = f"`{' '.join(problem.split())[:60]}`"
        task.approximated(rule.place, subject, "it is left to make, with what it depends on")

    def _shell(self, rule: Rule) -> object:
        try:
            text = self.makefile.expander(rule).text("$(SHELL)").strip()
            flags = self.makefile.expander(rule).text("$(.SHELLFLAGS)").split()
        except UntranslatableError:
            return None
        words = [word for word in text.split() if not word.endswith("/env")]
        if not words or posixpath.basename(words[0]) == "sh":
            return None
        if not flags and posixpath.basename(words[0]) == "bash":
            return "bash"
        return [*words, *(flags or ["-c"])]

    def _steps(self, task: TargetTask, rule: Rule) -> list[object]:
        expander = self.makefile.expander(rule)
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
        if self.makefile.is_one_shell and steps:
            steps = ["\n".join(str(step) for step in steps)]
        return ["\n".join([*self.exports, str(step)]) for step in steps]

    def _caching(self, task: TargetTask, rule: Rule) -> None:
        """A file that is made of others is cached; a name that only looks like a file is not."""
        if rule.name in self.makefile.phony or not rule.recipe:
            return
        folder = self.makefile.folder
        sources = [need for need in rule.needs if self.files.exists(inside(folder, need))]
        uses_name = any("$@" in s.text or "$(@" in s.text for s in rule.recipe)
        is_file = uses_name or "/" in rule.name or re.search(r"\w\.\w+$", rule.name)
        if not is_file or not (sources or any(need in self.makefile.rules for need in rule.needs)):
            reason = "it is not `.PHONY`, but nothing shows what file it makes of what: not cached"
            task.report.approximated(rule.place, f"target `{rule.name}`", reason)
            return
        names = (rule.name, *rule.others)
        if any(name.startswith(("/", "~", "..")) for name in names):
            task.approximated(rule.place, "output", "it is outside of the project: not cached")
            return
        commands = [{"command": f"{text} || true"} for text in self._commands(rule)]
        patterns = [_literal(inside(folder, need)) for need in sources]
        task.fields["inputs"] = [*patterns, *commands]
        task.fields["outputs"] = [
            {"glob": _literal(inside(folder, name)), "optional": True} for name in names
        ]
        task.fields["cache"] = True


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
