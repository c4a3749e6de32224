"""`--filter`: which of the tasks run, as a user sees it. Every filter is for the long way."""

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses

GRAPH = """
name = "app"

[tasks.codegen]
run = "true"

[tasks.build]
depends-on = ["codegen"]
run = "true"

[tasks.test]
depends-on = ["build"]
run = "true"

[tasks.lint]
run = "true"

[tasks.web.build]
run = "true"

[tasks.web.test]
depends-on = ["web.build"]
run = "true"

[tasks.unit]
matrix = { os = ["a", "b"] }
run = "true"

[jobs.verify]
target = ["test", "lint"]
"""


def what_ran(project: Project, *words: str, status: int = 0) -> set[str]:
    project.write("pipeline.toml", GRAPH)
    result = project.pipec("run", *words)
    assert result.status == status, result
    record = read_records(project.folder)[-1]
    filters = [words[i + 1] for i, word in enumerate(words) if word == "--filter"]
    assert record["request"]["filters"] == filters
    return set(statuses(record))


@pytest.mark.parametrize(
    ("filters", "selected"),
    [
        (["lint"], {"lint"}),
        (["lint", "codegen"], {"lint", "codegen"}),
        (["web"], {"web.build", "web.test"}),
        (["web.*"], {"web.build", "web.test"}),
        (["*test"], {"test", "build", "codegen", "web.test", "web.build"}),
        (["li?t"], {"lint"}),
        (["unit"], {"unit[os=a]", "unit[os=b]"}),
        (["build..."], {"build", "codegen"}),
        (["build^..."], {"codegen"}),
        (["...build"], {"test", "build", "codegen"}),
        (["...^web.build"], {"web.test", "web.build"}),
        (["!unit", "!web", "!test"], {"codegen", "build", "lint"}),
        (["web", "lint", "!web.test"], {"web.build", "lint"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_selects_among_all_tasks(
    project: Project, filters: list[str], selected: set[str]
) -> None:
    words = [word for one in filters for word in ("--filter", one)]
    assert what_ran(project, *words) == selected


def test_it_selects_among_what_the_names_would_run(project: Project) -> None:
    assert what_ran(project, "verify", "--filter", "*i*") == {"lint", "build", "codegen"}
    assert what_ran(project, "verify", "--filter", "!build...") == {
        "test",
        "build",
        "codegen",
        "lint",
    }
    assert what_ran(project, "verify", "lint", "web.test", "--filter", "web") == {
        "web.test",
        "web.build",
    }


def test_only_leaves_out_what_the_selected_depend_on(project: Project) -> None:
    assert what_ran(project, "--filter", "*test", "--only") == {"test", "web.test"}
    assert what_ran(project, "verify", "--filter", "...^codegen", "--only") == {"build", "test"}


@pytest.mark.parametrize(
    ("mode", "ended"),
    [
        ("never", {"a": "failed", "b": "skipped", "c": "skipped"}),
        ("dependencies-successful", {"a": "failed", "b": "skipped", "c": "passed"}),
        ("always", {"a": "failed", "b": "passed", "c": "passed"}),
    ],
)
def test_after_a_failure_it_goes_on_as_told(
    project: Project, mode: str, ended: dict[str, str]
) -> None:
    project.write(
        "pipeline.toml",
        "name = 'app'\n[tasks.a]\npriority = 1\nrun = 'false'\n"
        "[tasks.b]\ndepends-on = ['a']\nrun = 'true'\n[tasks.c]\nrun = 'true'\n"
        "[tasks.d]\nrun = 'true'\n",
    )
    words = ("--filter", "!d", f"--continue={mode}", "--concurrency", "1")
    assert project.pipec("run", *words).status == 1
    assert statuses(read_records(project.folder)[-1]) == ended


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--filter", "biuld"),
            """\
error[PIPEC_UNKNOWN_TARGET]: the filter `biuld` names no task of this pipeline
help: did you mean `build`?
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
        ),
        (
            ("--filter", "x*"),
            """\
error[PIPEC_UNKNOWN_TARGET]: the filter `x*` names no task of this pipeline
help: `pipec list` shows every task
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
        ),
        (
            ("verify", "--filter", "web"),
            """\
error[PIPEC_UNKNOWN_TARGET]: nothing is left to run with `--filter web`
help: `--dry` without the filter shows what there is to choose from
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
        ),
        (
            ("--filter", "......"),
            """\
error[PIPEC_USAGE]: `......` is no filter
help: write a name, `name...` with what it depends on, `...name` with its dependents
help: pipec explain PIPEC_USAGE
""",
        ),
    ],
)
def test_what_selects_nothing_says_what_to_type(
    project: Project, words: tuple[str, ...], said: str
) -> None:
    project.write("pipeline.toml", GRAPH)
    result = project.pipec("run", *words)
    assert (result.stdout, result.stderr, result.status) == ("", said, 2)
    assert read_records(project.folder) == []
