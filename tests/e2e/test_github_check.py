"""`pipec github check`: each verdict is reached by exactly one change, and the message names it."""

import dataclasses
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest

from pipec.backends.github.lock import read_lock, render_lock, sealed
from tests.conftest import Project
from tests.e2e.traces import trace
from tests.sarif import SCHEMA

PIPELINE = """\
name = "app"

[tasks.test]
run = "make test"

[triggers]
pr = { github = { events = ["pull_request"] } }

[jobs.verify]
target = "test"
trigger = ["pr"]

[sync.github]
install = "preinstalled"
setup = "none"
"""
WORKFLOW = ".github/workflows/pipec.yml"
PINS = ".github/workflows/pipec-pins.yml"
LOCK = ".github/pipec.lock.json"
# `actions/checkout` v5.0.0.
OTHER = "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
SHIPPED = "de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    assert project.pipec("github", "generate").status == 0
    return project


def replace(path: str, old: str, new: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        text = project.read(path)
        assert old in text
        project.write(path, text.replace(old, new))

    return change


def remove(path: str) -> Callable[[Project], None]:
    return lambda project: (project.folder / path).unlink()


def pipeline(old: str, new: str) -> Callable[[Project], None]:
    return replace("pipeline.toml", old, new)


READ_AND_WRITE = "`contents: read`, `issues: write`"
IN_JOB = 'trigger = ["pr"]\n'

CHANGES = {
    "workflow-gone": (remove(WORKFLOW), "missing", f"the workflow `{WORKFLOW}` is missing"),
    "lock-gone": (remove(LOCK), "missing", f"the lock `{LOCK}` is missing"),
    "pins-gone": (remove(PINS), "missing", f"the file of pins `{PINS}` is missing"),
    "edited": (
        replace(WORKFLOW, "timeout-minutes: 30", "timeout-minutes: 31"),
        "hand-edited",
        f"`{WORKFLOW}` is not what pipec wrote: line 26 is the first that differs",
    ),
    "line-added": (
        replace(WORKFLOW, "permissions: {}\n", "permissions: {}\nenv: { A: b }\n"),
        "hand-edited",
        f"`{WORKFLOW}` is not what pipec wrote: line 11 is the first that differs",
    ),
    "timeout": (
        pipeline(IN_JOB, f'{IN_JOB}timeout = "90m"\n'),
        "spec-changed",
        "the field `timeout` of the job `verify` has changed: it is now `90`",
    ),
    "permission": (
        pipeline(IN_JOB, f'{IN_JOB}github = {{ permissions = {{ issues = "write" }} }}\n'),
        "spec-changed",
        f"the field `permissions` of the job `verify` has changed: it is now {READ_AND_WRITE}",
    ),
    "secret": (
        pipeline(IN_JOB, f'{IN_JOB}env = {{ A = {{ secret = "TOKEN" }} }}\n'),
        "spec-changed",
        "the field `secrets` of the job `verify` is new: it is `TOKEN`",
    ),
    "branches": (
        pipeline('["pull_request"] ', '["pull_request"], branches = ["main"] '),
        "spec-changed",
        "the field `branches` of the trigger `pr` is new: it is `main`",
    ),
    "job": (
        pipeline("[sync.github]", '[jobs.deploy]\ntarget = "test"\n\n[sync.github]'),
        "spec-changed",
        "the job `deploy` is new",
    ),
    "setting": (
        pipeline('setup = "none"', 'setup = "none"\nconcurrency = false'),
        "spec-changed",
        "the setting `concurrency` of `sync.github` is new: it is false",
    ),
    "toolchain": (
        pipeline('setup = "none"', 'setup = ["rust"]'),
        "spec-changed",
        "the toolchain `rust` is new",
    ),
    "name": (
        pipeline('name = "app"', 'name = "application"'),
        "spec-changed",
        "the name of the workflow has changed: it is now `application`",
    ),
    "cache": (
        pipeline(
            'run = "make test"\n', 'run = "make test"\ncache = true\ninputs = []\noutputs = []\n'
        ),
        "spec-changed",
        "the folder in which results of tasks are kept is new: it is `.pipec/cache`",
    ),
    "pin": (
        replace(PINS, SHIPPED, OTHER),
        "pins-changed",
        "the pin of `actions/checkout` is v5.0.0 at 08c6903cd8c0, and was v6.0.2 at de0fac2e4500",
    ),
    "pin-by-tag": (
        replace(PINS, f"@{SHIPPED}", "@v6"),
        "unpinned",
        "`actions/checkout@v6` is not pinned to a commit",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named(app: Project, change: str) -> None:
    make, verdict, message = CHANGES[change]
    make(app)
    result = app.pipec("github", "check", "--format", "json")
    document = json.loads(result.stdout)
    assert [(item["verdict"], item["message"]) for item in document["drifts"]] == [
        (verdict, message)
    ]
    assert (result.status, document["is_current"]) == (1, False)
    assert app.pipec("github", "generate").status == 0
    if change != "pin-by-tag":
        assert app.pipec("github", "check").status == 0


def test_a_cache_that_has_moved_is_named(app: Project) -> None:
    text = PIPELINE.replace("[triggers]", "cache = true\ninputs = []\noutputs = []\n[triggers]")
    app.write("pipeline.toml", text)
    assert app.pipec("github", "generate").status == 0
    app.write("pipeline.toml", text + '[cache.stores.file.file]\nroot = "elsewhere"\n')
    document = json.loads(app.pipec("github", "check", "--format", "json").stdout)
    assert [(item["verdict"], item["message"]) for item in document["drifts"]] == [
        (
            "spec-changed",
            "the folder in which results of tasks are kept has changed: it is now `elsewhere`",
        )
    ]


def test_what_nobody_changed_is_current(app: Project) -> None:
    result = app.pipec("github", "check")
    assert (result.stdout, result.status) == ("", 0)
    # What does not show in the workflow is free to change.
    app.write("pipeline.toml", PIPELINE.replace("make test", "make check") + "# a comment\n")
    assert app.pipec("github", "check").status == 0


def test_an_action_by_tag_is_told_beside_the_edit(app: Project) -> None:
    replace(WORKFLOW, f"@{SHIPPED}", "@v6")(app)
    document = json.loads(app.pipec("github", "check", "--format", "json").stdout)
    verdicts = {item["verdict"]: item["message"] for item in document["drifts"]}
    assert verdicts["unpinned"] == "`actions/checkout@v6` is not pinned to a commit"
    assert set(verdicts) == {"unpinned", "hand-edited"}


def test_another_generator_is_named(app: Project) -> None:
    lock = read_lock(app.read(LOCK).encode(), path=LOCK)
    app.write(LOCK, render_lock(sealed(dataclasses.replace(lock, renderer=0, tool="0.0.9"))))
    document = json.loads(app.pipec("github", "check", "--format", "json").stdout)
    assert [(item["verdict"], item["message"]) for item in document["drifts"]] == [
        (
            "generator-changed",
            "pipec 0.0.9 wrote the workflow, and this version of pipec writes it otherwise",
        )
    ]


def test_a_bot_that_moves_both_files_is_told_of_the_pin_alone(app: Project) -> None:
    for path in (PINS, WORKFLOW):
        text = app.read(path)
        app.write(path, text.replace(SHIPPED, OTHER))
    document = json.loads(app.pipec("github", "check", "--format", "json").stdout)
    assert [item["verdict"] for item in document["drifts"]] == ["pins-changed"]
    assert app.pipec("github", "update", "--offline").status == 0
    assert app.pipec("github", "check").status == 0
    assert OTHER in app.read(WORKFLOW)


def test_it_reads_and_does_nothing_else(app: Project, tmp_path: Path) -> None:
    """No code of the repository, no other program, no network: it comes before all of that."""
    names = (
        "yaml",
        "json",
        "pydantic",
        "sitecustomize",
        "usercustomize",
        "conftest",
        "pipec",
        "steps",
    )
    for name in names:
        app.write(f"{name}.py", f"open({str(tmp_path / name)!r}, 'w')\n")
    app.write("pipeline.toml", PIPELINE + '[tasks.more]\nrun = { call = "steps:go" }\n')
    program = str(Path(sys.executable).parent / "pipec")
    seen = trace(
        [program, "github", "check"],
        folder=app.folder,
        environment=app.environment,
        into=tmp_path / "trace",
        also=("socket", "connect"),
    )
    assert [call.path for call in seen if call.name in {"socket", "connect"}] == []
    assert len([call for call in seen if call.name.startswith("execve") and call.succeeded]) == 1
    assert [call.path for call in seen if call.name in {"fork", "vfork", "clone3"}] == []
    opened = {Path(call.path) for call in seen if call.opens}
    assert app.folder / "pipeline.toml" in opened
    assert {path for path in opened if path.suffix == ".py" and app.folder in path.parents} == set()
    assert [name for name in names if (tmp_path / name).exists()] == []


def test_other_line_endings_are_not_stale(app: Project) -> None:
    for path in (WORKFLOW, PINS, LOCK):
        file = app.folder / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert app.pipec("github", "check").status == 0
    assert "up to date" in app.pipec("github", "generate").stderr


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace('"renderer": 1', '"renderer": 2'), "was changed by hand"),
        (lambda text: text[: len(text) // 2], "is cut short, or is no lock at all"),
        (lambda text: "", "is cut short, or is no lock at all"),
        (lambda text: text.replace('  "seal"', '  "more": 1,\n  "seal"'), "that no lock has"),
        (lambda text: text.replace('"version": 1,', '"version": 9,'), "in version 9, and this"),
        (lambda text: text.replace('"version": 1,', '"version": "1",'), "no version that pipec"),
    ],
    ids=["edited", "truncated", "empty", "more", "newer", "odd"],
)
def test_a_lock_that_cannot_be_relied_on_is_said(app: Project, damage, words: str) -> None:
    text = app.read(LOCK)
    app.write(LOCK, damage(text))
    assert damage(text) != text
    result = app.pipec("github", "check")
    assert words in result.stderr
    assert result.status == 1
    assert app.pipec("github", "generate").status == 0
    assert app.pipec("github", "check").status == 0


def test_findings_are_printed_for_programs(app: Project) -> None:
    pipeline(IN_JOB, f'{IN_JOB}timeout = "90m"\n')(app)
    replace(WORKFLOW, "timeout-minutes: 30", "timeout-minutes: 31")(app)
    told = app.pipec("github", "check", "--format", "github")
    assert re.findall(r"^::error file=([^,]+),line=(\d+)", told.stdout, re.MULTILINE) == [
        ("pipeline.toml", "12")
    ]
    sarif = json.loads(app.pipec("github", "check", "--format", "sarif").stdout)
    jsonschema_rs.validate(SCHEMA, sarif)
    results = sarif["runs"][0]["results"]
    assert [item["ruleId"] for item in results] == [
        "PIPEC_WORKFLOW_SPEC_CHANGED",
        "PIPEC_WORKFLOW_EDITED",
    ]


def test_the_runner_is_told_a_digest_of_the_pipeline(app: Project) -> None:
    output = app.write("output", "")
    env = {"GITHUB_OUTPUT": str(output)}
    assert app.pipec("github", "check", "--format", "github", env=env).status == 0
    first = output.read_text()
    assert re.fullmatch(r"digest=[0-9a-f]{16}\n", first)
    # How the workflow is generated says nothing about results.
    pipeline('setup = "none"', 'setup = "none"\nconcurrency = false')(app)
    app.pipec("github", "check", "--format", "github", env=env)
    assert output.read_text() == first * 2


ACTIONS_LOCK = """\
# This file is machine-generated by `gh actions-lock`.
version: 'v0.0.2'
workflows:
    '.github/workflows/pipec.yml':
        - 'actions/checkout@{listed}'
dependencies:
    'actions/checkout@{ref}':
        ref: 'v6.0.2'
        commit: 'sha1-{commit}'
        owner_id: 44036562
        repo_id: 197814629
"""
COMMIT = SHIPPED.partition(" ")[0]
OTHER_COMMIT = OTHER.partition(" ")[0]


@pytest.mark.parametrize(
    ("listed", "ref", "commit", "message"),
    [
        (COMMIT, COMMIT, COMMIT, ""),
        (COMMIT, "v6.0.2", COMMIT, ""),
        (COMMIT, "v6.0.2", OTHER_COMMIT, "v6.0.2 is 08c6903cd8c0 there, and de0fac2e4500 here"),
        ("v6.0.2", "v6.0.2", COMMIT, "de0fac2e4500 is not in it, and the workflow is held to it"),
    ],
    ids=["by-commit", "by-version", "another-commit", "not-listed"],
)
def test_the_lock_of_github_is_compared_with_the_pins(
    app: Project, listed: str, ref: str, commit: str, message: str
) -> None:
    text = ACTIONS_LOCK.format(listed=listed, ref=ref, commit=commit)
    app.write(".github/workflows/actions.lock", text)
    document = json.loads(app.pipec("github", "check", "--format", "json").stdout)
    told = [f"GitHub's lock disagrees on `actions/checkout`: {message}"] if message else []
    assert [drift["message"] for drift in document["drifts"]] == told


def test_a_repository_of_the_same_name_with_other_numbers_is_told(app: Project) -> None:
    text = ACTIONS_LOCK.format(listed=COMMIT, ref=COMMIT, commit=COMMIT)
    app.write(".github/workflows/actions.lock", text.replace("197814629", "7"))
    drifts = json.loads(app.pipec("github", "check", "--format", "json").stdout)["drifts"]
    there, here = "repository 7 of owner 44036562", "repository 197814629 of owner 44036562"
    assert [drift["message"] for drift in drifts] == [
        f"GitHub's lock disagrees on `actions/checkout`: it is {there} there, and {here} here"
    ]


def test_the_lock_has_the_numbers_of_repositories_that_are_known(app: Project) -> None:
    locked = json.loads((app.folder / ".github/pipec.lock.json").read_text())["pins"]
    (checkout,) = (pin for pin in locked if pin["action"] == "actions/checkout")
    assert (checkout["owner_id"], checkout["repo_id"]) == (44036562, 197814629)


def test_numbers_that_only_github_s_lock_has_are_taken_over(app: Project) -> None:
    pipeline('setup = "none"', 'setup = { deno = { version = "2.5" } }')(app)
    dependency = f"""\
    'denoland/setup-deno@667a34cdef165d8d2b2e98dde39547c9daac7282:sha1-{COMMIT}':
        ref: 'v2.0.4'
        commit: 'sha1-667a34cdef165d8d2b2e98dde39547c9daac7282'
        owner_id: 1
        repo_id: 2
"""
    text = ACTIONS_LOCK.format(listed=COMMIT, ref=COMMIT, commit=COMMIT) + dependency
    app.write(".github/workflows/actions.lock", text)
    assert app.pipec("github", "generate").status == 0
    locked = json.loads((app.folder / ".github/pipec.lock.json").read_text())["pins"]
    ids = {pin["action"]: (pin.get("owner_id"), pin.get("repo_id")) for pin in locked}
    assert ids["denoland/setup-deno"] == (1, 2)
    app.write(".github/workflows/actions.lock", text.replace("repo_id: 2\n", "repo_id: 3\n"))
    changed = json.loads(app.pipec("github", "check", "--format", "json").stdout)["drifts"]
    message = "the pin of `denoland/setup-deno` is another repository: 3, and was 2"
    assert message in [drift["message"] for drift in changed]


@pytest.mark.parametrize(
    "text", ["", "a: [", "- a\n", "dependencies: {a: 1, 'b@c': {commit: x}}\n"]
)
def test_a_lock_of_github_that_says_nothing_is_no_drift(app: Project, text: str) -> None:
    app.write(".github/workflows/actions.lock", text)
    assert app.pipec("github", "check").status == 0
