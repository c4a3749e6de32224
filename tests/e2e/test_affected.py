"""`pipec affected`: the tasks that a change concerns, by git."""

import json
from typing import Any

import jsonschema_rs
import pytest
from inline_snapshot import snapshot

from tests.conftest import Project
from tests.e2e.records import SCHEMAS
from tests.e2e.test_why_chain import Checkout

PIPELINE = """\
name = "app"

[named-inputs]
source = ["src/**", "!src/**/*.md"]

[tasks.codegen]
inputs = ["schema.json"]
outputs = ["src/made/**"]
run = "true"

[tasks.build]
depends-on = ["codegen"]
inputs = ["source"]
run = "true"

[tasks.test]
depends-on = ["build"]
run = "true"

[tasks.pack]
inputs = [{ file = "package.json", key = "version" }]
run = "true"

[tasks.report]
run = { call = "steps.report:say" }

[tasks.alone]
inputs = ["other/**"]
run = "true"

[jobs.verify]
target = "test"

[jobs.nightly]
target = "alone"
"""


@pytest.fixture
def checkout(project: Project) -> Checkout:
    project.write("pipeline.toml", PIPELINE)
    project.write("package.json", '{"version": "1"}')
    project.write("steps/report.py", "def say(ctx): ...\n")
    project.write(".gitignore", "ignored\n")
    checkout = Checkout(project)
    checkout.git("add", ".")
    checkout.commit("Begin", a="one\n", b="two\n")
    return checkout


def affected(checkout: Checkout, *words: str) -> dict[str, Any]:
    """The answer for programs, which keeps to its schema."""
    process = checkout.project.start("affected", *words, "--format", "json")
    document: dict[str, Any] = json.loads(process.communicate()[0])
    schema = json.loads((SCHEMAS / "cli/affected.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(document)
    return document


def names(document: dict[str, Any]) -> list[str]:
    return [task["id"] for task in document["tasks"]]


def test_inputs_and_what_depends_on_them_are_affected(checkout: Checkout) -> None:
    checkout.project.write("src/a", "three\n")
    assert checkout.project.pipec("affected").stdout == snapshot(
        """\
build  src/a  by src/** (named input `source`)
test   depends on build
2 of 6 tasks affected by 1 changed file
jobs: verify
"""
    )
    assert checkout.project.pipec("affected", "--format", "names").stdout == "build\ntest\n"


def test_without_a_change_nothing_is_affected(checkout: Checkout) -> None:
    # Git has to look into a file whose times are new.
    checkout.project.write("src/a", "one\n")
    checkout.project.write("src/ignored", "x")
    assert affected(checkout)["changed"] == []
    assert checkout.project.pipec("affected").stdout == snapshot(
        "0 of 6 tasks affected by 0 changed files\n"
    )


@pytest.mark.parametrize(
    ("path", "tasks"),
    [
        ("src/new", ["build", "test"]),
        ("src/deep/x.md", []),
        ("src/made/x", ["build", "test"]),
        ("schema.json", ["codegen", "build", "test"]),
        ("package.json", ["pack"]),
        ("steps/report.py", ["report"]),
        ("README", []),
        ("src/node_modules/x", []),
    ],
)
def test_each_file_concerns_the_tasks_whose_key_it_is_part_of(
    checkout: Checkout, path: str, tasks: list[str]
) -> None:
    checkout.project.write(path, "new\n")
    document = affected(checkout)
    assert document["changed"] == [path]
    assert sorted(names(document)) == sorted(tasks)


def test_a_file_that_is_gone_is_a_change(checkout: Checkout) -> None:
    (checkout.project.folder / "src/b").unlink()
    checkout.git("mv", "src/a", "src/c")
    document = affected(checkout)
    assert document["changed"] == ["src/a", "src/b", "src/c"]
    assert names(document) == ["build", "test"]


def test_a_definition_concerns_its_task(checkout: Checkout) -> None:
    new = PIPELINE.replace('"other/**"]\nrun = "true"', '"other/**"]\nrun = "false"')
    checkout.project.write("pipeline.toml", f'{new}\n[tasks.fresh]\nrun = "true"\n')
    document = affected(checkout)
    assert document["tasks"] == [
        {"id": "alone", "reasons": [{"kind": "definition", "components": ["steps"]}]},
        {"id": "fresh", "reasons": [{"kind": "definition"}]},
    ]
    assert document["jobs"] == ["nightly"]


def test_a_branch_is_compared_with_where_it_began(checkout: Checkout) -> None:
    checkout.git("branch", "topic")
    checkout.commit("Go on", a="main\n")
    checkout.git("checkout", "-q", "topic")
    checkout.project.write("other/x", "x")
    checkout.git("add", "other")
    checkout.commit("Change something else")
    checkout.project.write("src/a", "not committed\n")
    assert names(affected(checkout, "main...HEAD")) == ["alone"]
    assert sorted(names(affected(checkout, "main..HEAD"))) == ["alone", "build", "test"]


def test_paths_begin_at_the_project_below_the_top_of_its_repository(make_project) -> None:  # type: ignore[no-untyped-def]
    project = make_project("outer")
    project.write("beside", "x")
    (project.folder / "inner").mkdir()
    project.folder = project.folder / "inner"
    project.write("pipeline.toml", PIPELINE)
    checkout = Checkout(project)
    checkout.commit("Begin", a="one\n")
    project.write("src/a", "two\n")
    project.write("../beside", "y")
    assert affected(checkout)["changed"] == ["src/a"]


def test_no_program_that_a_repository_names_is_started(checkout: Checkout) -> None:
    folder = checkout.project.folder
    trap = checkout.project.write("trap.sh", f"#!/bin/sh\ntouch '{folder}/sprung'\ncat\n")
    trap.chmod(0o755)
    for setting in ("core.fsmonitor", "filter.x.clean", "diff.external", "diff.x.textconv"):
        checkout.git("config", setting, str(trap))
    checkout.project.write(".gitattributes", "src/a diff=x filter=x\n")
    checkout.project.write("src/a", "three\n")
    assert "src/a" in affected(checkout)["changed"]
    assert not (folder / "sprung").exists()


def test_without_a_repository_it_says_so(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    result = project.pipec("affected")
    assert result.status == 2
    assert result.stderr.startswith("error[PIPEC_NOT_A_REPOSITORY]")
