"""`pipec sync`: scripts of package managers, written, checked and taken back."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest

from tests.conftest import Project
from tests.sarif import SCHEMA

ROOT = Path(__file__).parents[2]
LOCK = ".pipec.sync.lock.json"
PIPELINE = """\
name = "app"

[tasks.build]
run = "echo building"

[tasks.web.test.matrix]
os = ["a", "b"]

[jobs.verify]
target = "build"

[sync.tasks]
"""
PACKAGE = '{\n  "name": "app",\n  "scripts": {\n    "start": "node ."\n  }\n}\n'
CURRENT = PACKAGE.replace('node ."', 'node .",\n    "pipeline:verify": "pipec run verify"')


def files_of(project: Project) -> dict[str, bytes]:
    """Every file but what pipec keeps for itself."""
    return {
        path.relative_to(project.folder).as_posix(): path.read_bytes()
        for path in project.folder.rglob("*")
        if path.is_file() and ".pipec" not in path.relative_to(project.folder).parts
    }


@pytest.fixture
def app(project: Project) -> Project:
    """A project whose package.json has its script."""
    project.write("pipeline.toml", PIPELINE)
    project.write("package.json", PACKAGE)
    assert project.pipec("sync", "tasks", "generate").status == 0
    assert project.read("package.json") == CURRENT
    return project


def verdicts(project: Project, *words: str) -> list[tuple[str, str, str]]:
    """What `check` finds, as verdict, file and message."""
    result = project.pipec("sync", *words, "check", "--format", "json")
    document = json.loads(result.stdout)
    schema = json.loads((ROOT / "schemas/cli/sync-check.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(document)
    drifts = document["drifts"]
    assert document["is_current"] == (not drifts)
    assert result.status == (1 if drifts else 0)
    codes = {drift["code"] for drift in drifts}
    assert all(code.startswith(("PIPEC_SYNC_STALE", "PIPEC_WORKFLOW_")) for code in codes)
    return [(drift["verdict"], drift["path"], drift["message"]) for drift in drifts]


def set_up(project: Project, old: str, new: str, path: str = "package.json") -> None:
    text = project.read(path)
    assert old in text
    project.write(path, text.replace(old, new))


OF_PACKAGE = "the script `pipeline:verify` in `package.json`"
CHANGES: dict[str, tuple[Callable[[Project], object], list[tuple[str, str, str]]]] = {
    "nothing": (lambda _: None, []),
    "a script deleted": (
        lambda app: app.write("package.json", PACKAGE),
        [("missing", "package.json", f"{OF_PACKAGE} is missing")],
    ),
    "a script edited": (
        lambda app: set_up(app, "run verify", "run all"),
        [("hand-edited", "package.json", f"{OF_PACKAGE} was edited by hand")],
    ),
    "another command in the pipeline": (
        lambda app: app.write("pipeline.toml", PIPELINE + 'command = "uv run pipec"\n'),
        [("spec-changed", "package.json", f"{OF_PACKAGE} changed in the pipeline")],
    ),
    "a job less": (
        lambda app: app.write("pipeline.toml", PIPELINE + 'jobs = "none"\n'),
        [("obsolete", "package.json", f"{OF_PACKAGE} is no longer wanted")],
    ),
    "no section any more": (
        lambda app: app.write("pipeline.toml", PIPELINE.replace("[sync.tasks]\n", "")),
        [("obsolete", "package.json", f"{OF_PACKAGE} is no longer wanted")],
    ),
    "a lock with something else": (
        lambda app: set_up(app, '"pipeline:verify"', '"pipeline:old"', LOCK),
        [],
    ),
    "another layout of the package": (
        lambda app: app.write("package.json", json.dumps(json.loads(CURRENT), indent=8)),
        [],
    ),
    "line ends of another system": (
        lambda app: [
            (app.folder / name).write_bytes(app.read(name).replace("\n", "\r\n").encode())
            for name in ("package.json", LOCK, "pipeline.toml")
        ],
        [],
    ),
}


@pytest.mark.parametrize(
    ("change", "found"),
    [case for name, case in CHANGES.items() if "lock" not in name],
    ids=[name for name in CHANGES if "lock" not in name],
)
def test_a_check_says_what_is_not_current(
    app: Project,
    change: Callable[[Project], object],
    found: list[tuple[str, str, str]],
) -> None:
    change(app)
    before = files_of(app)
    assert verdicts(app) == verdicts(app, "tasks") == found
    assert files_of(app) == before
    assert app.pipec("sync", "generate").status == 0
    if "sync.tasks" in app.read("pipeline.toml") or found == []:
        assert verdicts(app) == []
    if not found:
        assert files_of(app) == before


def test_a_script_that_only_the_lock_lacks_is_not_ours(app: Project) -> None:
    set_up(app, '"pipeline:verify"', '"pipeline:old"', LOCK)
    assert app.pipec("sync", "check").stderr == (
        "error[PIPEC_SYNC_CONFLICT]: `package.json` has a script `pipeline:verify` already, and "
        "pipec did not write it\n"
        "help: rename it, or choose another `sync.tasks.prefix`\n"
        "help: pipec explain PIPEC_SYNC_CONFLICT\n"
    )
    (app.folder / LOCK).unlink()
    assert app.pipec("sync", "tasks", "generate").status == 2
    before = app.read("package.json")
    result = app.pipec("sync", "tasks", "generate", "--adopt")
    assert (result.stderr, result.status) == (f"wrote {LOCK}\n", 0)
    assert app.read("package.json") == before
    assert verdicts(app) == []


def test_adopting_takes_nothing_that_would_be_overwritten(app: Project) -> None:
    (app.folder / LOCK).unlink()
    set_up(app, "run verify", "run mine")
    before = files_of(app)
    assert app.pipec("sync", "tasks", "generate", "--adopt").status == 2
    assert files_of(app) == before


def test_without_its_section_everything_is_as_it_was(app: Project) -> None:
    app.write("pipeline.toml", PIPELINE.replace("[sync.tasks]\n", ""))
    result = app.pipec("sync", "generate")
    assert result.stderr == f"removed {LOCK}\nupdated package.json\n"
    assert files_of(app).keys() == {"pipeline.toml", "package.json"}
    assert app.read("package.json") == PACKAGE
    assert app.pipec("sync", "generate").stderr.startswith("error[PIPEC_SYNC_NOT_CONFIGURED]")
    assert app.pipec("sync", "list").stderr == (
        "the pipeline asks for no generated files: it has no `sync`\n"
    )


ALL = """\
command = "python3 -m pipec"
tasks = "all"
scripts = { dry = "run verify --dry" }
targets = [
  "package.json", "web/deno.jsonc", { path = "pyproject.toml", runner = "poe" },
  { path = "pyproject.toml", runner = "pixi" }, "Makefile", "justfile", "pixi.toml",
]
"""
FILES = {
    "package.json": "\ufeff{}",
    "web/deno.jsonc": '{ // why\r\n\t"tasks": {}, }',
    "pyproject.toml": '[project]\nname = "x"',
    "Makefile": "all:\n",
    "justfile": "all:",
    "pixi.toml": "# nothing\n",
}


@pytest.fixture
def all_runners(project: Project) -> Project:
    """A project with a file of every runner."""
    for path, text in FILES.items():
        project.write(path, "").write_bytes(text.encode())
    project.write("pipeline.toml", PIPELINE + ALL)
    return project


def test_every_runner_gets_every_script(all_runners: Project) -> None:
    before = files_of(all_runners)
    assert all_runners.pipec("sync", "generate", "--dry-run").stdout == "".join(
        f"would write {path}\n" for path in sorted([LOCK, *FILES, "pipec.just", "pipec.mk"])
    )
    assert files_of(all_runners) == before
    assert all_runners.pipec("sync", "generate").status == 0
    assert verdicts(all_runners) == []
    assert all_runners.pipec("sync", "generate").stderr == "everything is current\n"
    document = json.loads(all_runners.pipec("sync", "list", "--format", "json").stdout)
    commands = ["run verify", "run-task build", "run-task web.test", "run verify --dry"]
    for file in document["files"]:
        mark = "-" if file["what"] in {"make", "just"} else ":"
        names = ["verify", "task.build", "task.web.test", "dry"]
        expected = {
            f"pipeline.{name}".replace(".", mark): f"python3 -m pipec {command}"
            for name, command in zip(names, commands, strict=True)
        }
        assert file["scripts"] == expected
    assert [(file["path"], file["what"]) for file in document["files"]] == [
        ("Makefile", "make"),
        ("justfile", "just"),
        ("package.json", "package"),
        ("pixi.toml", "pixi"),
        ("pyproject.toml", "pixi"),
        ("pyproject.toml", "poe"),
        ("web/deno.jsonc", "deno"),
    ]
    lock = json.loads(all_runners.read(LOCK))
    schema = json.loads((ROOT / "schemas/sync-lock.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(lock)
    all_runners.write("pipeline.toml", PIPELINE)
    all_runners.write("pipeline.toml", PIPELINE.replace("[sync.tasks]\n", ""))
    assert all_runners.pipec("sync", "generate").status == 0
    after = files_of(all_runners)
    assert {path: after[path] for path in after if path != "pipeline.toml"} == {
        path: before[path] for path in before if path != "pipeline.toml"
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", "pipeline-verify:\n\techo mine\n"),
        ("justfile", "pipeline-dry *args:\n    echo mine\n"),
        ("pipec.mk", "mine:\n"),
        ("pixi.toml", '[tasks]\n"pipeline:verify" = { cmd = "mine" }\n'),
        ("pyproject.toml", '[tool.poe.tasks."pipeline:task:build"]\ncmd = "mine"\n'),
        ("web/deno.jsonc", '{ "tasks": { "pipeline:dry": { "command": "mine" } } }'),
    ],
)
def test_one_conflict_leaves_every_file_alone(all_runners: Project, path: str, text: str) -> None:
    all_runners.write(path, text)
    before = files_of(all_runners)
    result = all_runners.pipec("sync", "generate")
    assert result.status == 2
    assert result.stderr.startswith(f"error[PIPEC_SYNC_CONFLICT]: `{path}` ")
    assert files_of(all_runners) == before


def test_a_file_that_cannot_be_written_leaves_every_file_alone(all_runners: Project) -> None:
    # A folder where the new content would be prepared.
    (all_runners.folder / "pyproject.toml.pipec-new").mkdir()
    before = files_of(all_runners)
    result = all_runners.pipec("sync", "generate")
    assert (result.status, "no generated file was changed" in result.stderr) == (1, True)
    assert files_of(all_runners) == before


def test_what_is_generated_whole_is_checked_whole(all_runners: Project) -> None:
    assert all_runners.pipec("sync", "generate").status == 0
    all_runners.write("pipec.mk", "mine:\n")
    all_runners.write("justfile", "all:")
    (all_runners.folder / "pipec.just").unlink()
    assert verdicts(all_runners) == [
        ("hand-edited", "pipec.mk", "`pipec.mk` was edited by hand"),
        ("missing", "pipec.just", "`pipec.just` is missing"),
        ("missing", "justfile", "`justfile` does not include `pipec.just`"),
    ]
    assert all_runners.pipec("sync", "generate").status == 0
    assert verdicts(all_runners) == []


LOCKS = {
    "cut short": (lambda lock: lock[:40], "is not JSON, perhaps cut short: "),
    "newer": (
        lambda lock: lock.replace('"schema_version": 1', '"schema_version": 2'),
        "has version 2, and this pipec knows 1\nhelp: use a newer pipec",
    ),
    "no lock": (lambda _: "[]", "is no lock of pipec"),
    "edited": (lambda lock: lock.replace('"path"', '"pfad"'), "was edited, and does not say"),
    "leading outside": (
        lambda lock: lock.replace("package.json", "../package.json"),
        "was edited, and does not say",
    ),
    "another runner": (lambda lock: lock.replace('"package"', '"x"'), "was edited, and does not"),
}


@pytest.mark.parametrize(("change", "said"), LOCKS.values(), ids=LOCKS)
def test_a_lock_that_cannot_be_trusted_is_refused(
    app: Project, change: Callable[[str], str], said: str
) -> None:
    app.write(LOCK, change(app.read(LOCK)))
    before = files_of(app)
    for command in ("generate", "check", "list"):
        result = app.pipec("sync", command)
        assert result.status == 2
        assert result.stderr.startswith(f"error[PIPEC_SYNC_LOCK_UNREADABLE]: `{LOCK}` {said}")
    assert files_of(app) == before


def test_a_package_is_found_by_its_name(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE + 'targets = [{ package = "web" }]\n')
    project.write("apps/one/package.json", '{ "name": "web" }')
    project.write("apps/broken/package.json", "{")
    project.write("node_modules/web/package.json", '{ "name": "web" }')
    assert project.pipec("sync", "generate").status == 0
    assert "pipeline:verify" in project.read("apps/one/package.json")
    assert project.read("node_modules/web/package.json") == '{ "name": "web" }'
    project.write("apps/two/deno.json", '{ "name": "web" }')
    result = project.pipec("sync", "generate")
    assert result.stderr == (
        "error[PIPEC_SYNC_TARGET_AMBIGUOUS]: several packages are called `web`: "
        "`apps/one/package.json` and `apps/two/deno.json`\n"
        "help: name the path of one, or set `allow-multiple = true`\n"
        "help: pipec explain PIPEC_SYNC_TARGET_AMBIGUOUS\n"
    )
    multiple = 'targets = [{ package = "web", allow-multiple = true }]\n'
    project.write("pipeline.toml", PIPELINE + multiple)
    assert project.pipec("sync", "generate").status == 0
    assert "pipeline:verify" in project.read("apps/two/deno.json")
    project.write("pipeline.toml", PIPELINE + 'targets = [{ package = "api" }]\n')
    assert project.pipec("sync", "check").stderr.startswith(
        "error[PIPEC_SYNC_TARGET_NOT_FOUND]: no package here is called `api`"
    )


def test_a_link_that_leads_out_of_the_project_is_not_followed(project: Project) -> None:
    outside = project.folder.parent / "package.json"
    outside.write_text("{}")
    (project.folder / "package.json").symlink_to(outside)
    project.write("pipeline.toml", PIPELINE)
    result = project.pipec("sync", "generate")
    assert result.stderr.startswith(
        "error[PIPEC_SYNC_TARGET_UNSUITABLE]: `package.json` is a link that leads out of the "
    )
    assert outside.read_text() == "{}"


def test_a_link_inside_the_project_stays_a_link(project: Project) -> None:
    project.write("real/package.json", PACKAGE)
    (project.folder / "package.json").symlink_to("real/package.json")
    project.write("pipeline.toml", PIPELINE)
    assert project.pipec("sync", "generate").status == 0
    assert (project.folder / "package.json").is_symlink()
    assert project.read("real/package.json") == CURRENT


def test_the_root_is_looked_through_for_the_runners_asked_for(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE + 'runners = ["poe", "deno"]\n')
    project.write("package.json", PACKAGE)
    project.write("pyproject.toml", '[project]\nname = "x"\n')
    assert project.pipec("sync", "generate").stderr.startswith(
        "error[PIPEC_SYNC_TARGET_NOT_FOUND]: no file in the folder of the pipeline has scripts"
    )
    project.write("pyproject.toml", "[tool.poe]\n")
    assert project.pipec("sync", "generate").stderr == f"wrote {LOCK}\nupdated pyproject.toml\n"


def test_annotations_name_the_file(app: Project) -> None:
    app.write("package.json", PACKAGE)
    result = app.pipec("sync", "tasks", "check", "--format", "github")
    assert result.stdout == (
        "::error file=package.json,title=PIPEC_SYNC_STALE::"
        f"{OF_PACKAGE} is missing%0A"
        "help: `pipec sync tasks generate` brings everything up to date\n"
    )
    assert result.status == 1


def test_sarif_names_the_file_and_explains_the_code(app: Project) -> None:
    app.write("package.json", PACKAGE)
    result = app.pipec("sync", "check", "--format", "sarif")
    document = json.loads(result.stdout)
    jsonschema_rs.validate(SCHEMA, document)
    (run,) = document["runs"]
    (found,) = run["results"]
    place = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (found["ruleId"], place) == ("PIPEC_SYNC_STALE", "package.json")
    assert found["message"]["text"].startswith(f"{OF_PACKAGE} is missing\nhelp: ")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["PIPEC_SYNC_STALE"]
    assert result.status == 1


def test_every_kind_of_generated_file_is_written_together(app: Project) -> None:
    app.write("pipeline.toml", PIPELINE + '\n[sync.github]\ninstall = "preinstalled"\n')
    workflow = ".github/workflows/pipec.yml"
    found = verdicts(app)
    assert {(verdict, path) for verdict, path, _ in found} == {
        ("missing", workflow),
        ("missing", ".github/workflows/pipec-pins.yml"),
        ("missing", ".github/pipec.lock.json"),
    }
    assert verdicts(app, "tasks") == []
    before = files_of(app)
    app.write("package.json", PACKAGE.replace('"start"', '"pipeline:verify": "mine", "start"'))
    (app.folder / LOCK).unlink()
    assert app.pipec("sync", "generate").status == 2
    assert ".github/pipec.lock.json" not in files_of(app)
    app.write("package.json", before["package.json"].decode())
    app.write(LOCK, before[LOCK].decode())
    assert app.pipec("sync", "github", "generate").status == 0
    assert verdicts(app) == []
    assert app.pipec("github", "check").status == 0
    set_up(app, "ubuntu-24.04", "ubuntu-22.04", workflow)
    ((verdict, path, _),) = verdicts(app, "github")
    assert (verdict, path) == ("hand-edited", workflow)
