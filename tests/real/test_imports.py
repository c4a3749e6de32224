"""Importers on files that others wrote: what comes out compiles, and its graph is their tool's."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipec.importers.files import Files
from pipec.importers.kinds import IMPORTERS
from pipec.importers.make_pipeline import Imported, make_pipeline
from tests.real.importing import Sources, edges_of
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

MAKEFILES = (
    "aws-lc-rs",
    "console",
    "sha1_smol",
    "similar",
    "superagent",
    "github.com/golangci/golangci-lint",
    "github.com/spf13/cobra",
)
JUSTFILES = (
    "bytesize",
    "convert_case",
    "just",
    "lexiclean",
    "outref",
    "petgraph",
    "quick-junit",
)
TASKFILES = ("github.com/go-task/task/v3", "github.com/goreleaser/nfpm/v2")
TURBO_WORKSPACES = {
    "icebreakers-monorepo-templates": "assets",
    "nesalia-template-monorepo-ts": ".",
    "patra-turbo-template": "template",
}
"""Packages that bring a workspace with its own `turbo.json`, and where in them its root stands."""
PACKAGES = ("express", "superagent", "trpc-server", "trpc-client")
MEMBERS = ("trpc-server", "trpc-client", "trpc-react-query", "trpc-next")

TURBO = {
    "tasks": {
        "build": {"dependsOn": ["^build", "codegen-entrypoints"], "outputs": ["dist/**"]},
        "codegen-entrypoints": {"outputs": []},
        "lint": {"dependsOn": ["^build", "//#format"]},
        "dev": {"cache": False, "persistent": True, "dependsOn": ["^build"]},
        "benchmark": {"dependsOn": ["^benchmark", "^lint"]},
        "@trpc/next#build": {"dependsOn": ["@trpc/client#lint", "^build"]},
        "//#format": {},
    }
}
NX = {
    "analytics": False,
    "neverConnectToCloud": True,
    "targetDefaults": {
        "build": {"dependsOn": ["^build", "codegen-entrypoints"], "cache": True},
        "lint": {"dependsOn": ["^build"]},
        "ts-watch": {"dependsOn": ["^ts-watch", {"projects": ["@trpc/server"], "target": "lint"}]},
        "dev": {"dependsOn": ["^benchmark"]},
    },
}


@pytest.fixture(scope="session")
def sources() -> Sources:
    return Sources(Workshop.open())


def imported(folder: Path, kind: str, name: str) -> Imported:
    """Imports by the command as well: what it writes is checked by another call of pipec."""
    importer = next(known for known in IMPORTERS if known.kind == kind)
    command = [sys.executable, "-m", "pipec", "import", kind, name, "--force", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    check = [sys.executable, "-m", "pipec", "check"]
    checked = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return make_pipeline(importer, Files(str(folder)), name, notation="toml", schema="./x")


def left_to_tool(result: Imported) -> set[str]:
    """The tasks that their own tool still runs, with what they depend on: they have no edges."""
    reason = re.compile(r"it is left to (?:make|just|Task)")
    return {note.subject.split(": `")[0] for note in result.notes if reason.match(note.reason)}


def renamed(result: Imported) -> dict[str, str]:
    """What the source calls the tasks whose names are no ids."""
    found = {}
    for note in result.notes:
        match = re.fullmatch(r"it is the task `(.*)`", note.reason)
        if match is not None:
            found[match.group(1)] = note.subject.strip("`")
    return found


@pytest.mark.parametrize("package", JUSTFILES)
def test_a_justfile_has_the_graph_that_just_sees(
    package: str, sources: Sources, tmp_path: Path
) -> None:
    folder = sources.copy(package, tmp_path / "app")
    name = next(path.name for path in folder.iterdir() if path.name.lower() == "justfile")
    dump = [sources.tool("just"), "--justfile", name, "--dump", "--dump-format", "json"]
    recipes = json.loads(sources.ask(dump, folder))["recipes"]
    result = imported(folder, "just", name)
    left = left_to_tool(result)
    theirs = {
        recipe: {need["recipe"] for need in written["dependencies"][: written["priors"]]}
        for recipe, written in recipes.items()
    }
    ours = edges_of(result.pipeline.tasks)
    assert set(ours) == set(theirs)
    assert {name: needs for name, needs in ours.items() if name not in left} == {
        name: needs for name, needs in theirs.items() if name not in left
    }
    assert len(left) < len(ours)


@pytest.mark.parametrize("package", MAKEFILES)
def test_a_makefile_has_the_graph_that_make_sees(
    package: str, sources: Sources, tmp_path: Path
) -> None:
    folder = sources.copy(package, tmp_path / "app")
    database = sources.ask(["make", "-npqrR", "no-such-target"], folder)
    result = imported(folder, "make", "Makefile")
    names, left = renamed(result), left_to_tool(result)
    ours = {
        names.get(task, task): {names.get(need, need) for need in needs}
        for task, needs in edges_of(result.pipeline.tasks).items()
    }
    theirs = {
        target: {need for need in needs if need in ours}
        for target, needs in targets_of(database).items()
    }
    # Names that have neither a recipe nor prerequisites are nothing to run.
    extra = {target for target in theirs if target not in ours}
    assert all(not theirs[target] for target in extra)
    assert not [target for target in extra if recipe_of(database, target)]
    assert {target: needs for target, needs in ours.items() if target not in left} == {
        target: needs for target, needs in theirs.items() if target not in left | extra
    }
    assert len(left) < len(ours)


def targets_of(database: str) -> dict[str, set[str]]:
    """The targets of make's own data base with their prerequisites, without special ones."""
    found: dict[str, set[str]] = {}
    is_target = True
    _, _, files = database.partition("\n# Files")
    for line in files.partition("\n# files hash-table")[0].split("\n"):
        rule = re.match(r"([^\s#:][^:]*):{1,2}(?!=)\s*(.*)", line)
        if line.startswith("# Not a target"):
            is_target = False
        elif rule is not None:
            if is_target and not re.fullmatch(r"\.[A-Z_]+", rule.group(1)):
                needs = rule.group(2).replace("|", " ").split()
                found.setdefault(rule.group(1), set()).update(needs)
            is_target = True
    return found


def recipe_of(database: str, target: str) -> bool:
    """Whether make knows a recipe for a target."""
    _, _, rest = database.partition(f"\n{target}:")
    return "#  recipe to execute" in rest.partition("\n\n")[0]


@pytest.mark.parametrize("package", TASKFILES)
def test_a_taskfile_runs_what_task_would_run(
    package: str, sources: Sources, tmp_path: Path
) -> None:
    folder = sources.copy(package, tmp_path / "app")
    task = sources.tool("task")
    listed = json.loads(sources.ask([task, "--list-all", "--json"], folder))["tasks"]
    result = imported(folder, "taskfile", "Taskfile.yml")
    tasks, left, names = result.pipeline.tasks, left_to_tool(result), renamed(result)
    # The default task of an included file has the name of its group.
    theirs = {entry["name"].removesuffix(":default") for entry in listed}
    ours = {names.get(str(task_id), str(task_id).replace(".", ":")): task_id for task_id in tasks}
    # A wildcard is no task until it is called; an internal task is not listed.
    assert {name for name in theirs if "*" not in name} <= set(ours)
    edges = edges_of(tasks)
    compared = 0
    for name in sorted(theirs & set(ours)):
        dry = sources.ask([task, "--dry", "--force", "--verbose", name], folder)
        reached = closure(str(ours[name]), edges)
        by_name = {known for known, task_id in ours.items() if str(task_id) in reached}
        if by_name & left or "executable file not found" in dry:
            # Task runs it itself; or a variable of it asks a program that is not here.
            continue
        printed = re.findall(r"^task: \[([^\]]+)\]", dry, re.MULTILINE)
        executed = {known.removesuffix(":default") for known in printed}
        silent = {known for known in by_name if known not in executed}
        assert executed <= by_name, (name, dry)
        assert not [
            known for known in silent if tasks[ours[known]].steps and is_shown(folder, known)
        ]
        compared += 1
    assert compared > len(ours) // 2


def closure(start: str, edges: dict[str, set[str]]) -> set[str]:
    """A task and all that it waits for."""
    found: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += edges[name]
    return found


def is_shown(folder: Path, name: str) -> bool:
    """Whether Task prints the commands of a task: not those of a silent one."""
    text = (folder / "Taskfile.yml").read_text()
    _, _, rest = text.partition(f"\n  {name}:\n")
    return bool(rest) and "silent: true" not in rest.partition("\n\n")[0]


@pytest.fixture
def workspace(sources: Sources, tmp_path: Path) -> Path:
    """Packages of one family as the members of a workspace, with the settings of two tools."""
    folder = tmp_path / "shop"
    (folder / "packages").mkdir(parents=True)
    for member in MEMBERS:
        sources.copy(member, folder / "packages" / member.removeprefix("trpc-"))
    manifest = {
        "name": "shop",
        "private": True,
        "packageManager": "npm@10.8.2",
        "workspaces": ["packages/*"],
        "scripts": {"format": "true"},
    }
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "turbo.json").write_text(json.dumps(TURBO))
    (folder / "nx.json").write_text(json.dumps(NX))
    return folder


def test_turbo_sees_the_same_graph(workspace: Path, sources: Sources) -> None:
    names = [*(task for task in TURBO["tasks"] if "#" not in task), "format"]
    theirs = turbo_graph(workspace, names, sources)
    result = imported(workspace, "turbo", "turbo.json")
    spelled = spell({**{name: f"@trpc/{name}" for name in short_names()}, "root": "//"}, "#")
    ours = {
        spelled(task): {spelled(need) for need in needs}
        for task, needs in edges_of(result.pipeline.tasks).items()
    }
    assert ours == theirs


@pytest.mark.parametrize("package", TURBO_WORKSPACES)
def test_a_turbo_json_of_others_has_the_graph_that_turbo_sees(
    package: str, sources: Sources, tmp_path: Path
) -> None:
    unpacked = sources.copy(package, tmp_path / "package")
    # The root's files lie in a folder of their own, beside that of the members or with it.
    folder = Path(shutil.copytree(unpacked, tmp_path / "app"))
    shutil.copytree(unpacked / TURBO_WORKSPACES[package], folder, dirs_exist_ok=True)
    names = list(json.loads((folder / "turbo.json").read_text())["tasks"])
    theirs = turbo_graph(folder, names, sources)
    result = imported(folder, "turbo", "turbo.json")
    written = [json.loads(path.read_text())["name"] for path in folder.glob("*/*/package.json")]
    members = {name.rpartition("/")[2]: name for name in written}
    names_of_theirs = renamed(result)

    def spelled(task: str) -> str:
        member, _, script = names_of_theirs.get(task, task.replace(".", ":", 1)).partition(":")
        return f"{members[member]}#{script}"

    ours = {
        spelled(task): {spelled(need) for need in needs}
        for task, needs in edges_of(result.pipeline.tasks).items()
    }
    assert ours == theirs
    assert len(ours) >= 6


def turbo_graph(folder: Path, names: list[str], sources: Sources) -> dict[str, set[str]]:
    """What each task waits for, by turbo's own dry run."""
    command = [sources.tool("turbo"), "run", *names, "--dry=json"]
    printed = sources.ask(command, folder, TURBO_TELEMETRY_DISABLED="1", DO_NOT_TRACK="1")
    planned = json.loads(printed[printed.index("\n{") :])["tasks"]
    missing = {task["taskId"] for task in planned if task["command"] == "<NONEXISTENT>"}
    waits_for = {task["taskId"]: task["dependencies"] for task in planned}
    return {
        task: through_missing(waits_for, needs, missing)
        for task, needs in waits_for.items()
        if task not in missing
    }


def through_missing(
    waits_for: dict[str, list[str]], needs: list[str], missing: set[str]
) -> set[str]:
    """Dependencies without those that no script stands for: what they wait for instead."""
    found: set[str] = set()
    for need in needs:
        if need in missing:
            found |= through_missing(waits_for, waits_for[need], missing)
        else:
            found.add(need)
    return found


def test_nx_sees_the_same_graph(workspace: Path, sources: Sources, tmp_path: Path) -> None:
    nx = Path(sources.tool("nx"))
    (workspace / "node_modules").symlink_to(nx.parents[1])
    targets = ["build", "lint", "dev", "ts-watch", "codegen-entrypoints", "benchmark"]
    graph = tmp_path / "graph.json"
    command = [str(nx), "run-many", "-t", *targets, f"--graph={graph}"]
    said = sources.ask(command, workspace, NX_DAEMON="false", NX_NO_CLOUD="true", CI="true")
    assert graph.exists(), said
    tasks = json.loads(graph.read_text())["tasks"]
    theirs = {
        task: {need if isinstance(need, str) else need["id"] for need in needs}
        for task, needs in tasks["dependencies"].items()
    }
    result = imported(workspace, "nx", "nx.json")
    spelled = spell({name: f"@trpc/{name}" for name in short_names()}, ":")
    ours = {
        spelled(task): {spelled(need) for need in needs}
        for task, needs in edges_of(result.pipeline.tasks).items()
    }
    assert ours == theirs


def short_names() -> list[str]:
    """The members as groups are called."""
    return [member.removeprefix("trpc-") for member in MEMBERS]


def spell(owners: dict[str, str], mark: str) -> Callable[[str], str]:
    """How another tool spells the id of a task."""

    def spelled(task: str) -> str:
        owner, _, name = task.partition(".")
        return f"{owners[owner]}{mark}{name}"

    return spelled


@pytest.mark.parametrize("package", PACKAGES)
def test_every_script_of_a_package_is_a_task_or_a_hook(
    package: str, sources: Sources, tmp_path: Path
) -> None:
    folder = sources.copy(package, tmp_path / "app")
    scripts = json.loads((folder / "package.json").read_text())["scripts"]
    result = imported(folder, "package-json", "package.json")
    hooks = [note for note in result.notes if note.reason.endswith("it is no own task")]
    assert len(result.pipeline.tasks) + len(hooks) == len(scripts)
