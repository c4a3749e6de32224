"""`pipec import just`: a task for each recipe of a justfile, its imports and its modules."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.just_modules import NAMES, PLATFORMS, Module, platforms_of, read_modules
from pipec.importers.just_syntax import (
    Dependency,
    Expression,
    Parameter,
    Recipe,
    parse_expression,
)
from pipec.importers.just_values import (
    SPECIAL,
    Shell,
    UntranslatableError,
    Value,
    call,
    in_shell,
    is_static_value,
    shown,
    variable_name,
    with_spaces,
)
from pipec.importers.paths import joined
from pipec.importers.port import Importer
from pipec.importers.report import Place
from pipec.importers.shells import may_fail, needs_bash, spliced
from pipec.importers.target import Key, Target, TargetTask

_DEEPEST = 20
_MOST_INSTANCES = 2_000
_INTERPOLATION = re.compile(r"\{\{(?!\{)(.*?)\}\}", re.DOTALL)
_BRACES = "{{{{"
_INTERPRETERS = {"python": "-c", "python3": "-c", "node": "-e", "perl": "-e", "ruby": "-e"}
_SHELLS = ("sh", "bash")
_TASK_ATTRIBUTES = {
    "confirm": "pipec asks nothing",
    "group": "pipec lists tasks by their ids",
    "no-exit-message": "pipec says which task failed",
    "no-quiet": "`pipec run --output-logs` decides what is shown",
    "metadata": "pipec has nothing of the kind",
    "extension": "a script is handed to its interpreter as text",
    "exit-message": "pipec says which task failed",
    "openbsd": "pipec does not know this platform",
    "freebsd": "pipec does not know this platform",
    "android": "pipec does not know this platform",
    "dragonfly": "pipec does not know this platform",
    "netbsd": "pipec does not know this platform",
}
_HANDLED_ATTRIBUTES = frozenset(
    {"private", "doc", "script", "working-directory", "no-cd", "parallel", "default",
     "positional-arguments", *PLATFORMS}
)  # fmt: skip


_Identity = tuple[tuple[str, ...], str, tuple[Value, ...]]
"""A module, a recipe, and the arguments that it is called with."""


def read(path: str, files: Files, target: Target) -> None:
    """Imports a justfile."""
    _Import(target).run(read_modules(path, files, target))


@dataclass(slots=True)
class _Import:
    target: Target
    made: dict[tuple[tuple[str, ...], str, tuple[Value, ...]], list[Key]] = field(
        default_factory=dict
    )

    def run(self, module: Module) -> None:
        self._settings(module)
        self._make_all(module)
        self._aliases(module)

    def _settings(self, module: Module) -> None:
        settings = module.settings
        loads = {"dotenv-load", "dotenv-filename", "dotenv-path", "dotenv-required"} & set(settings)
        if loads and settings.get("dotenv-load") != ("false",):
            names = settings.get("dotenv-path") or settings.get("dotenv-filename") or (".env",)
            required = settings.get("dotenv-required") == ("true",)
            path = joined(module.folder, names[0])
            self.target.fields["env-files"] = [
                path if required else {"path": path, "optional": True}
            ]
        env: dict[str, object] = {}
        for name, (expression, place) in module.exported.items():
            try:
                value = self._evaluate(expression, module, {})
            except UntranslatableError as problem:
                self.target.dropped(
                    place, f"variable `{name}`", f"only just can evaluate `{problem}`"
                )
                continue
            if all(isinstance(part, str) for part in value):
                env[name] = "".join(str(part) for part in value)
                self.target.report.exact(place, f"variable `{name}`", "`env` of the pipeline")
            else:
                reason = "its value comes from a command: declare it where a task needs it"
                self.target.dropped(place, f"exported variable `{name}`", reason)
        if env:
            self.target.fields["env"] = env

    def _make_all(self, module: Module) -> None:
        for name, entries in module.recipes.items():
            for recipe, path in entries:
                self._make(module, name, (), Place(path, recipe.line))
        for inner in module.modules.values():
            self._make_all(inner)

    def _aliases(self, module: Module) -> None:
        for alias, meant in module.aliases.items():
            found = module.find(meant)
            keys = self.made.get((found[0].namespace, found[1], ()), []) if found else []
            if keys:
                name = "-".join((*module.namespace, alias))
                job = self.target.add_job(name, self.target.tasks[keys[0]].place, keys)
                job.fields["description"] = f"another name of `{meant}`"
        for inner in module.modules.values():
            self._aliases(inner)

    def _make(
        self, module: Module, name: str, arguments: tuple[Value, ...], place: Place
    ) -> list[Key]:
        """The tasks of a recipe with these arguments: one more if it is written by platform."""
        identity = (module.namespace, name, arguments)
        if identity in self.made:
            return self.made[identity]
        entries = module.recipes[name]
        if len(self.made) >= _MOST_INSTANCES:
            return []
        suffix = "-".join(shown(value) for value in arguments)
        own = f"{name}-{suffix}" if arguments else name
        keys = [(*module.namespace, own, str(index)) for index in range(len(entries))]
        self.made[identity] = keys[:1] if len(keys) == 1 else [(*module.namespace, own)]
        made: list[TargetTask] = []
        for key, (recipe, path) in zip(keys, entries, strict=True):
            label = own if len(keys) == 1 else f"{own}-{'-'.join(platforms_of(recipe))}"
            task = self.target.add(key, (*module.namespace, label), Place(path, recipe.line))
            made.append(task)
            try:
                self._fill(task, module, recipe, arguments)
            except UntranslatableError as problem:
                self._call_just(task, module, name, arguments, str(problem))
        if len(made) > 1:
            group = self.target.add((*module.namespace, own), (*module.namespace, own), place)
            for task in made:
                group.needs_task(task.key, task.place)
        return self.made[identity]

    def _call_just(
        self,
        task: TargetTask,
        module: Module,
        name: str,
        arguments: tuple[Value, ...],
        problem: str,
    ) -> None:
        task.fields.clear()
        task.needs.clear()
        words = ["just", "::".join((*module.namespace, name))]
        words += [shown(value) for value in arguments]
        task.fields["run"] = shlex.join(words)
        subject = f"`{' '.join(problem.split())[:60]}`"
        task.approximated(task.place, subject, "it is left to just, with what it depends on")

    def _fill(
        self, task: TargetTask, module: Module, recipe: Recipe, arguments: tuple[Value, ...]
    ) -> None:
        scope = self._parameters(task, module, recipe, arguments)
        description = next((a.arguments for a in recipe.attributes if a.name == "doc"), None)
        text = description[0] if description else recipe.doc if description is None else ""
        if text:
            task.fields["description"] = text
        folder = joined(module.folder, "".join(module.settings.get("working-directory", ())))
        for attribute in recipe.attributes:
            if attribute.name == "working-directory" and attribute.arguments:
                folder = joined(folder, attribute.arguments[0])
        if folder:
            task.fields["cwd"] = folder
        before = [needed for needed in recipe.dependencies if not needed.is_after]
        for needed in before:
            for key in self._depend(task, module, needed, scope):
                task.needs_task(key, task.place)
        is_parallel = any(attribute.name == "parallel" for attribute in recipe.attributes)
        if len(before) > 1 and not is_parallel:
            reason = "just runs them one after the other, pipec at once where it can"
            self.target.report.approximated(task.place, f"{task.shown}: dependencies", reason)
        steps = self._steps(task, module, recipe, scope)
        for needed in recipe.dependencies:
            if needed.is_after:
                steps += self._inlined(task, module, needed, scope)
        self._attributes(task, recipe)
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps
        self.target.report.exact(task.place, f"recipe `{task.shown}`", "a task")

    def _parameters(
        self, task: TargetTask, module: Module, recipe: Recipe, arguments: tuple[Value, ...]
    ) -> dict[str, Value]:
        """The values of the parameters; those that nobody gives become parameters of a job."""
        scope: dict[str, Value] = {}
        params: dict[str, object] = {}
        given = list(arguments)
        for parameter in recipe.parameters:
            if given:
                values = given if parameter.sign else given[:1]
                given = given[len(values) :]
                scope[parameter.name] = with_spaces(values)
            elif arguments:
                scope[parameter.name] = self._default(parameter, module, scope)
            else:
                scope[parameter.name] = self._param(parameter, module, scope, params)
        if params:
            names = [f"PIPEC_PARAM_{variable_name(name)}" for name in params]
            task.fields["env-inputs"] = names
            name = "-".join((*module.namespace, recipe.name))
            job = self.target.add_job(name, task.place, [task.key])
            job.fields["params"] = params
            reason = "parameters of the job of this name: `--param name=value`"
            task.approximated(task.place, "parameters", reason)
        return scope

    def _default(self, parameter: Parameter, module: Module, scope: Mapping[str, Value]) -> Value:
        if parameter.default is None:
            return ("",)
        return self._evaluate(parameter.default, module, scope)

    def _param(
        self,
        parameter: Parameter,
        module: Module,
        scope: Mapping[str, Value],
        params: dict[str, object],
    ) -> Value:
        variable = f"PIPEC_PARAM_{variable_name(parameter.name)}"
        default = self._default(parameter, module, scope)
        is_static = all(isinstance(part, str) for part in default)
        text = "".join(part if isinstance(part, str) else part.text for part in default)
        if parameter.default is None and parameter.sign != "*":
            params[parameter.name] = "string"
            return (Shell(f"${{{variable}:?}}"),)
        params[parameter.name] = {"type": "string", "default": text if is_static else ""}
        if SPECIAL.search(text) and is_static:
            raise UntranslatableError(f"{parameter.name}={text}")
        return (Shell(f"${{{variable}:-{text}}}"),)

    def _depend(
        self, task: TargetTask, module: Module, needed: Dependency, scope: Mapping[str, Value]
    ) -> list[Key]:
        found = module.find(needed.name)
        if found is None:
            task.dropped(task.place, f"needs `{needed.name}`", "there is no such recipe")
            return []
        arguments = tuple(self._evaluate(value, module, scope) for value in needed.arguments)
        if any(isinstance(part, Shell) for value in arguments for part in value):
            raise UntranslatableError(needed.name)
        return self._make(found[0], found[1], arguments, task.place)

    def _inlined(
        self, task: TargetTask, module: Module, needed: Dependency, scope: Mapping[str, Value]
    ) -> list[object]:
        """The steps of a recipe that runs after this one."""
        keys = self._depend(task, module, needed, scope)
        steps: list[object] = []
        for key in keys:
            called = self.target.tasks[key]
            for need, place in called.needs.items():
                task.needs_task(need, place)
            run = called.fields.get("run")
            steps += run if isinstance(run, list) else [run] if run else []
            if called.fields.get("shell") != task.fields.get("shell") and "shell" in called.fields:
                raise UntranslatableError(f"&& {needed.name}")
            reason = f"the commands of `{needed.name}` stand at the end of this task as well"
            task.approximated(task.place, f"`&& {needed.name}`", reason)
        return steps

    def _steps(
        self, task: TargetTask, module: Module, recipe: Recipe, scope: Mapping[str, Value]
    ) -> list[object]:
        exports = [
            f'export {parameter.name}="{in_shell(scope[parameter.name])}"'
            for parameter in recipe.parameters
            if parameter.is_exported or module.settings.get("export") == ("true",)
        ]
        positional = module.settings.get("positional-arguments") == ("true",) or any(
            attribute.name == "positional-arguments" for attribute in recipe.attributes
        )
        if positional and recipe.parameters:
            values = (in_shell(scope[parameter.name]) for parameter in recipe.parameters)
            exports.append("set -- " + " ".join(f'"{value}"' for value in values))
        body = list(recipe.body)
        script = next((a.arguments for a in recipe.attributes if a.name == "script"), None)
        if body and body[0].startswith("#!"):
            words = body[0][2:].split()
            words = [word for word in words if not word.endswith("/env") and word != "-S"]
            return self._script(task, module, words, body[1:], scope, exports)
        if script is not None:
            return self._script(task, module, list(script) or ["sh"], body, scope, exports)
        shell = module.settings.get("shell")
        if shell and shell not in (("sh", "-c"), ("sh", "-cu"), ("sh", "-uc")):
            task.fields["shell"] = list(shell)
        steps: list[object] = []
        for line in _joined_lines(body):
            text = line.lstrip()
            signs = text[: len(text) - len(text.lstrip("@-"))]
            text = text[len(signs) :].strip()
            if not text or text.startswith("#"):
                continue
            filled = self._interpolate(text, module, scope, is_shell=True)
            filled = "\n".join([*exports, filled])
            steps.append(may_fail(filled) if "-" in signs else filled)
        if not shell and any(needs_bash(str(step)) for step in steps):
            reason = "it looks like bash; `sh` of just may be another shell"
            self.target.report.approximated(task.place, f"{task.shown}: shell", reason)
        return steps

    def _script(  # noqa: PLR0917 - one call, one place
        self,
        task: TargetTask,
        module: Module,
        words: list[str],
        body: list[str],
        scope: Mapping[str, Value],
        exports: list[str],
    ) -> list[object]:
        program = posixpath.basename(words[0]) if words else "sh"
        is_shell = program in _SHELLS
        if not is_shell and (program not in _INTERPRETERS or len(words) > 1 or exports):
            raise UntranslatableError(" ".join(["#!", *words]))
        text = self._interpolate("\n".join(body).strip("\n"), module, scope, is_shell=is_shell)
        if is_shell:
            if program != "sh":
                task.fields["shell"] = program
            if not re.search(r"set -\w*e", text):
                task.approximated(task.place, "script", "it ends at its first failing line")
        else:
            task.fields["shell"] = [program, _INTERPRETERS[program]]
        text = "\n".join([*exports, text])
        return [text] if text.strip() else []

    def _interpolate(
        self, text: str, module: Module, scope: Mapping[str, Value], *, is_shell: bool
    ) -> str:
        """The text with its expressions filled in."""
        parts: list[str] = []
        at = 0
        text = text.replace(_BRACES, "\0")
        for found in _INTERPOLATION.finditer(text):
            parts.append(text[at : found.start()])
            at = found.end()
            for part in self._evaluate(parse_expression(found.group(1)), module, scope):
                if isinstance(part, str):
                    parts.append(part)
                elif is_shell:
                    parts.append(spliced("".join(parts), part.text))
                else:
                    raise UntranslatableError(found.group())
        parts.append(text[at:])
        return "".join(parts).replace("\0", "{{")

    def _evaluate(  # noqa: PLR0911 - a form each
        self, expression: Expression, module: Module, scope: Mapping[str, Value], depth: int = 0
    ) -> Value:
        if depth > _DEEPEST:
            raise UntranslatableError(expression.text)
        if expression.kind == "text":
            return (expression.text,)
        if expression.kind == "command":
            if "{{" in expression.text:
                raise UntranslatableError(expression.text)
            return (Shell(f"$({expression.text})"),)
        if expression.kind == "name":
            if expression.text in scope:
                return scope[expression.text]
            value = module.variables.get(expression.text)
            if value is None:
                raise UntranslatableError(expression.text)
            return self._evaluate(value, module, {}, depth + 1)
        parts = [self._evaluate(part, module, scope, depth + 1) for part in expression.parts]
        if expression.kind == "join":
            return (*parts[0], *(("/",) if expression.text == "/" else ()), *parts[1])
        if expression.kind == "if" and all(is_static_value(part) for part in parts[:2]):
            same = shown(parts[0]) == shown(parts[1])
            return parts[2] if same == (expression.text == "==") else parts[3]
        if expression.kind == "call":
            return call(expression.text, parts)
        raise UntranslatableError(expression.text)

    def _attributes(self, task: TargetTask, recipe: Recipe) -> None:
        platforms = platforms_of(recipe)
        if platforms:
            task.fields["platforms"] = platforms
        if recipe.name.startswith("_") or any(a.name == "private" for a in recipe.attributes):
            reason = "it is listed like any other task"
            self.target.report.approximated(task.place, f"private recipe `{task.shown}`", reason)
        for attribute in recipe.attributes:
            place = Place(task.place.path, attribute.line)
            if attribute.name == "no-cd":
                task.approximated(place, "`[no-cd]`", "tasks always start in the pipeline's folder")
            elif attribute.name not in _HANDLED_ATTRIBUTES:
                reason = _TASK_ATTRIBUTES.get(attribute.name, "pipec has nothing of the kind")
                self.target.report.dropped(place, f"{task.shown}: `[{attribute.name}]`", reason)


def _joined_lines(body: list[str]) -> Iterator[str]:
    """The lines of a recipe; one that ends with `\\` goes on in the next one."""
    pending = ""
    for line in body:
        whole = pending + (line.strip() if pending else line)
        if whole.endswith("\\"):
            pending = whole[:-1]
        else:
            yield whole
            pending = ""
    if pending:
        yield pending


JUST = Importer(kind="just", tool="just", names=NAMES, read=read)
