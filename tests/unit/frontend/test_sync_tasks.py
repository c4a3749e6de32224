"""What `sync.tasks` may say, and what it means."""

import pytest

from pipec.codes import Code
from pipec.errors import SpecError
from pipec.ir.sync_tasks import runners_of, scripts_of
from tests.pipelines import pipeline_of

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
MISTAKES = {
    'prefix = "1a"': "PIPEC_INVALID_ID",
    'runners = ["npm"]': "PIPEC_INVALID_VALUE",
    "runners = []": "PIPEC_INVALID_VALUE",
    'targets = ["../package.json"]': "PIPEC_PATH_OUTSIDE_PROJECT",
    'targets = ["setup.cfg"]': "PIPEC_INVALID_VALUE",
    'targets = [{ path = "deno.json", runner = "poe" }]': "PIPEC_CONFLICTING_FIELDS",
    'targets = [{ path = "deno.json", package = "x" }]': "PIPEC_CONFLICTING_FIELDS",
    'targets = [{ path = "deno.json", allow-multiple = true }]': "PIPEC_CONFLICTING_FIELDS",
    'targets = [{ runner = "poe" }]': "PIPEC_MISSING_FIELD",
    'jobs = ["verfy"]': "PIPEC_UNKNOWN_JOB",
    'tasks = ["web.tst"]': "PIPEC_UNKNOWN_TASK",
    'tasks = "some"': "PIPEC_INVALID_VALUE",
    'scripts = { "a b" = "x" }': "PIPEC_INVALID_ID",
    'scripts = { a = "x\\ny" }': "PIPEC_INVALID_VALUE",
    'scripts = { verify = "run x" }': "PIPEC_SYNC_NAME_CLASH",
    'command = ""': "PIPEC_INVALID_VALUE",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_in_the_section_is_a_finding(line: str) -> None:
    with pytest.raises(SpecError) as refusal:
        pipeline_of(f"{PIPELINE}{line}\n")
    errors = [finding for finding in refusal.value.findings if finding.severity == "error"]
    assert [finding.code for finding in errors] == [Code(MISTAKES[line])]
    assert errors[0].labels, "it points into the file"


@pytest.mark.parametrize(
    ("value", "is_on"), [("true", True), ("false", False), ('{ jobs = "none" }', True)]
)
def test_the_section_can_be_a_truth_value(value: str, *, is_on: bool) -> None:
    text = PIPELINE.replace("[sync.tasks]", f"[sync]\ntasks = {value}")
    assert (pipeline_of(text).sync.tasks is not None) == is_on


def test_all_means_every_job_and_task_by_its_base_name() -> None:
    tasks = pipeline_of(f'{PIPELINE}tasks = "all"\n').sync.tasks
    assert tasks is not None
    assert [(script.name(":"), script.command) for script in scripts_of(tasks)] == [
        ("pipeline:verify", "pipec run verify"),
        ("pipeline:task:build", "pipec run-task build"),
        ("pipeline:task:web:test", "pipec run-task web.test"),
    ]


@pytest.mark.parametrize(
    ("path", "runners"),
    [
        ("a/package.json", ("package",)),
        ("Package.json", ()),
        ("pyproject.toml", ("poe", "pixi")),
        ("GNUmakefile", ("make",)),
        ("rules.mk", ("make",)),
        ("Justfile", ("just",)),
        (".justfile", ("just",)),
        ("tools.just", ("just",)),
        ("README.md", ()),
    ],
)
def test_a_file_is_for_the_runners_that_read_it(path: str, runners: tuple[str, ...]) -> None:
    assert runners_of(path) == runners
