"""Reads a justfile, its imports and its modules: recipes and variables by namespace."""

import posixpath
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.just_syntax import Expression, Justfile, Recipe, read_justfile
from pipec.importers.paths import joined
from pipec.importers.report import Place
from pipec.importers.target import Target

NAMES = ("justfile", "Justfile", ".justfile", "JUSTFILE")
_DEEPEST = 20
PLATFORMS = {
    "linux": ("linux",),
    "macos": ("macos",),
    "unix": ("linux", "macos"),
    "windows": ("windows",),
}
"""Attributes of recipes that name platforms, and ours for them."""

_HANDLED_SETTINGS = frozenset(
    {"shell", "dotenv-load", "dotenv-filename", "dotenv-path", "dotenv-required", "export",
     "working-directory", "positional-arguments"}
)  # fmt: skip
_SETTINGS_WITHOUT_EFFECT = {
    "quiet": "`pipec run --output-logs` decides what is shown",
    "fallback": "pipec looks for the nearest pipeline by itself",
    "tempdir": "scripts are handed to their interpreter as text",
    "ignore-comments": "comments in recipes are left out",
    "unstable": "it is about just itself",
    "allow-duplicate-recipes": "the later recipe counts",
    "allow-duplicate-variables": "the later value counts",
    "windows-shell": "the shell is that of other systems",
    "windows-powershell": "the shell is that of other systems",
}


@dataclass(slots=True)
class Module:
    """The recipes and variables of a namespace."""

    namespace: tuple[str, ...]
    folder: str
    recipes: dict[str, list[tuple[Recipe, str]]] = field(default_factory=dict)
    variables: dict[str, Expression] = field(default_factory=dict)
    exported: dict[str, tuple[Expression, Place]] = field(default_factory=dict)
    settings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    modules: dict[str, "Module"] = field(default_factory=dict)

    def find(self, name: str) -> tuple["Module", str] | None:
        """The module and the name of the recipe that a name means here; None if there is none."""
        module = self
        *outer, last = name.split("::")
        for part in outer:
            if part not in module.modules:
                return None
            module = module.modules[part]
        last = module.aliases.get(last, last)
        return (module, last) if last in module.recipes else None


def read_modules(path: str, files: Files, target: Target) -> Module:
    """The module of a justfile, with all that it imports."""
    module = Module((), posixpath.dirname(path))
    _Reader(files, target).read(path, module, 0)
    return module


@dataclass(slots=True)
class _Reader:
    files: Files
    target: Target

    def read(self, path: str, module: Module, depth: int) -> None:
        justfile = read_justfile(self.files.read(path))
        report = self.target.report
        for recipe in justfile.recipes:
            entries = module.recipes.setdefault(recipe.name, [])
            if not platforms_of(recipe):
                # The later recipe counts, unless each is for a platform.
                entries.clear()
            entries.append((recipe, path))
        for assignment in justfile.assignments:
            module.variables[assignment.name] = assignment.value
            if assignment.is_exported:
                place = Place(path, assignment.line)
                module.exported[assignment.name] = (assignment.value, place)
        for setting in justfile.settings:
            place = Place(path, setting.line)
            module.settings[setting.name] = setting.values
            reason = _SETTINGS_WITHOUT_EFFECT.get(setting.name, "pipec has nothing of the kind")
            if setting.name in _HANDLED_SETTINGS:
                report.exact(place, f"setting `{setting.name}`", "carried over")
            else:
                report.dropped(place, f"setting `{setting.name}`", reason)
        for alias, meant, line in justfile.aliases:
            module.aliases[alias] = meant
            report.exact(Place(path, line), f"alias `{alias}`", "a job")
        self._inclusions(justfile, path, module, depth)

    def _inclusions(self, justfile: Justfile, path: str, module: Module, depth: int) -> None:
        for inclusion in justfile.inclusions:
            place = Place(path, inclusion.line)
            folder = posixpath.dirname(path)
            word = f"module `{inclusion.name}`" if inclusion.name else f"import `{inclusion.path}`"
            found = self._included(folder, inclusion.name, inclusion.path)
            if found is None or depth >= _DEEPEST:
                self.target.dropped(place, word, "there is no such file in the project")
            elif not inclusion.name:
                self.read(found, module, depth + 1)
                self.target.report.exact(place, word, "its recipes stand beside the others")
            else:
                inner = Module((*module.namespace, inclusion.name), posixpath.dirname(found))
                module.modules[inclusion.name] = inner
                self.read(found, inner, depth + 1)
                self.target.report.exact(place, word, "a group")

    def _included(self, folder: str, name: str, written: str) -> str | None:
        if written.startswith(("/", "~")):
            return None
        base = joined(folder, written or name)
        candidates = [joined(folder, written)] if written else [f"{base}.just"]
        if name:
            candidates += [posixpath.join(base, known) for known in ("mod.just", *NAMES)]
        return next((known for known in candidates if self.files.exists(known)), None)


def platforms_of(recipe: Recipe) -> list[str]:
    """The platforms that a recipe is for; none for all."""
    found = [
        platform
        for attribute in recipe.attributes
        for platform in PLATFORMS.get(attribute.name, ())
    ]
    return list(dict.fromkeys(found))
