"""`pipec import package-json`: a task for each script of a package and of its workspace members."""

import re

from pipec.importers.files import Files
from pipec.importers.packages import Package, Workspace, read_workspace
from pipec.importers.paths import matcher
from pipec.importers.port import Importer
from pipec.importers.target import Target, TargetTask
from pipec.importers.tree import Node

_ON_INSTALL = frozenset(
    {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}
)
_ON_PUBLISH = frozenset(
    {"prepublishOnly", "prepack", "postpack", "publish", "postpublish", "preversion", "version",
     "postversion", "dependencies"}
)  # fmt: skip
_NAME = r"[\w@./*:-]+"
_PARALLEL = re.compile(
    rf"(?:run-p|npm-run-all2? (?:-p|--parallel)|run-s|npm-run-all2?)((?: {_NAME})+)"
)
_CONCURRENTLY = re.compile(
    r"concurrently((?: (?:\"npm:[\w.:*-]+\"|'npm:[\w.:*-]+'|npm:[\w.:*-]+))+)"
)


def read(path: str, files: Files, target: Target) -> None:
    """Imports the scripts of a package.json and of the members that it names."""
    workspace = read_workspace(path, files)
    target.name = workspace.root.name if workspace.root.name != "root" else target.name
    names = workspace.short_names()
    for package in workspace.packages:
        group = () if package is workspace.root else (names[package.folder],)
        for script in package.scripts.values():
            _add_script(script, package, workspace, group, target)
        _report_wireit(package, target)
    root = workspace.root.scripts
    for name in dict.fromkeys(name for member in workspace.members for name in member.scripts):
        owners = [member for member in workspace.members if name in member.scripts]
        if name not in root and not _is_hook(name, owners[0], workspace):
            keys = [(member.folder, name) for member in owners]
            job = target.add_job(name, owners[0].scripts[name].place, keys)
            job.fields["description"] = f"`{name}` of every member that has it"


def _add_script(
    script: Node, package: Package, workspace: Workspace, group: tuple[str, ...], target: Target
) -> None:
    name, place = script.key, script.place
    if _is_hook(name, package, workspace):
        base = name.removeprefix("pre") if name.startswith("pre") else name.removeprefix("post")
        target.report.exact(
            place,
            f"script `{name}`",
            f"`{workspace.manager} run {base}` runs it: it is no own task",
        )
        return
    segments = [part for part in name.split(":") if part.strip()] or [name]
    task = target.add((package.folder, name), (*group, *segments), place)
    if package.folder:
        task.fields["cwd"] = package.folder
    needs = _parallel(script.value, package)
    if needs and not _has_hooks(name, package):
        for need in needs:
            task.needs_task((package.folder, need), place)
        target.report.exact(place, f"script `{name}`", "it groups the scripts that it runs at once")
        return
    task.fields["run"] = workspace.run_script(name)
    if not _remark_lifecycle(task, script, workspace):
        target.report.exact(place, f"script `{name}`", "the package manager runs it as before")


def _is_hook(name: str, package: Package, workspace: Workspace) -> bool:
    """Whether the script runs by itself before or after another one."""
    if not workspace.runs_hooks:
        return False
    for prefix in ("pre", "post"):
        base = name.removeprefix(prefix)
        if base not in (name, "") and base in package.scripts:
            return True
    return False


def _has_hooks(name: str, package: Package) -> bool:
    return f"pre{name}" in package.scripts or f"post{name}" in package.scripts


def _parallel(command: str, package: Package) -> list[str]:
    """The scripts that a command does nothing else with than run them all at once."""
    found = _PARALLEL.fullmatch(command.strip())
    words = found.group(1).split() if found else []
    if (
        found
        and command.strip().startswith(("run-s", "npm-run-all"))
        and not re.match(r"npm-run-all2? (-p|--parallel)", command.strip())
    ):
        # One after the other: only for a single script is that the same as a dependency.
        words = words if len(words) == 1 and "*" not in words[0] else []
    if not found:
        found = _CONCURRENTLY.fullmatch(command.strip())
        words = (
            [word.strip("\"'").removeprefix("npm:") for word in found.group(1).split()]
            if found
            else []
        )
    scripts: list[str] = []
    for word in words:
        # In these patterns `:` parts what `/` parts in paths.
        rule = matcher(word.replace("/", "\0").replace(":", "/").replace("\0", ":"))
        matching = [name for name in package.scripts if rule.fullmatch(name.replace(":", "/"))]
        if not matching:
            return []
        scripts += matching
    return list(dict.fromkeys(scripts))


def _remark_lifecycle(task: TargetTask, script: Node, workspace: Workspace) -> bool:
    """Says so, if the package manager runs the script at a moment of its own."""
    moments = {
        **dict.fromkeys(_ON_INSTALL, "on install"),
        **dict.fromkeys(_ON_PUBLISH, "on publish"),
    }
    moment = moments.get(script.key)
    if moment is None:
        return False
    reason = f"{workspace.manager} also runs it {moment}, pipec only when it is asked to"
    task.approximated(script.place, "when it runs", reason)
    return True


def _report_wireit(package: Package, target: Target) -> None:
    node = package.tree.top.get("wireit")
    if node is not None:
        target.dropped(node.place, "`wireit`", "its own runner stays in charge of these scripts")
    node = package.tree.top.get("config")
    if node is not None:
        reason = "scripts still see it: the package manager runs them"
        target.report.exact(node.place, "`config`", reason)


PACKAGE_JSON = Importer(
    kind="package-json", tool="package.json", names=("package.json",), read=read
)
