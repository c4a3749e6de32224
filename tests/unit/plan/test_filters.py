"""`--filter`: which tasks it selects, and what it says of what it cannot read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec.errors import PlanError
from pipec.ir.job import Job, JobId
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.plan.select import select


def pipeline(**needs: str) -> Pipeline:
    tasks = {
        name.replace("__", "."): tuple(map(TaskId, names.split())) for name, names in needs.items()
    }
    return Pipeline(
        name="app",
        tasks={TaskId(n): Task(id=TaskId(n), depends_on=needs) for n, needs in tasks.items()},
        jobs={JobId("verify"): Job(id=JobId("verify"), targets=(TaskId("test"),))},
    )


APP = pipeline(
    codegen="", lint="codegen", build="codegen", test="build lint", web__dev="build", web__test=""
)


def selected(*filters: str, names: tuple[str, ...] = ()) -> str:
    return " ".join(select(APP, names, filters=filters).targets)


@pytest.mark.parametrize(
    ("filters", "tasks"),
    [
        ("build", "build"),
        ("web", "web.dev web.test"),
        ("*.test", "web.test"),
        ("*test", "test web.test"),
        ("??nt", "lint"),
        ("build...", "build codegen"),
        ("build^...", "codegen"),
        ("...build", "build test web.dev"),
        ("...^build", "test web.dev"),
        ("...build...", "build codegen test web.dev"),
        ("lint build", "build lint"),
        ("!web", "build codegen lint test"),
        ("test... !lint", "build codegen test"),
        ("!...codegen", "web.test"),
    ],
)
def test_a_filter_selects_by_name_and_by_what_is_around(filters: str, tasks: str) -> None:
    assert selected(*filters.split()) == tasks


def test_with_names_it_chooses_among_what_they_would_run() -> None:
    assert selected("...codegen", names=("verify",)) == "build codegen lint test"
    assert selected("*", names=("lint",)) == "codegen lint"
    assert selected("!codegen", names=("lint",)) == "lint"
    plan = select(APP, ["verify"], filters=["lint"])
    assert (plan.jobs, plan.tasks) == (("verify",), ("codegen", "lint"))
    assert select(APP, ["verify"], filters=["lint"], only=True).tasks == ("lint",)


def test_the_base_name_of_a_matrix_selects_every_entry() -> None:
    tasks = {TaskId(f"t[x={n}]"): Task(id=TaskId(f"t[x={n}]"), matrix={"x": n}) for n in "12"}
    matrix = Pipeline(name="app", tasks=tasks)
    assert select(matrix, [], filters=["t"]).targets == ("t[x=1]", "t[x=2]")
    assert select(matrix, [], filters=["t[x=2]"]).targets == ("t[x=2]",)
    assert select(matrix, [], filters=["t[x=*]"]).targets == ("t[x=1]", "t[x=2]")


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ("biuld", "the filter `biuld` names no task of this pipeline"),
        ("...", "`...` is no filter"),
        ("a^b", "`a^b` is no filter"),
        ("!", "`!` is no filter"),
        ("build !build", "nothing is left to run with `--filter build` `--filter !build`"),
        ("./packages/*", "selects members of a workspace by a folder, which this version"),
        ("...[origin/main]", "by what changed since a revision, which this version"),
    ],
)
def test_what_cannot_be_selected_is_said(filters: str, said: str) -> None:
    with pytest.raises(PlanError, match=re.escape(said)):
        selected(*filters.split())


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    count = draw(st.integers(1, 10))
    return pipeline(
        **{
            f"t{n}": " ".join(
                f"t{need}" for need in sorted(draw(st.sets(st.integers(0, n - 1)))) if n
            )
            if n
            else ""
            for n in range(count)
        }
    )


@given(pipelines(), st.integers(0, 9))
def test_both_directions_are_each_other_turned_around(app: Pipeline, number: int) -> None:
    name = f"t{number % len(app.tasks)}"
    below = set(select(app, [], filters=[f"{name}..."]).targets)
    assert below == set(select(app, [name]).tasks)
    for other in app.tasks:
        above = select(app, [], filters=[f"...{other}"]).targets
        assert (name in above) == (other in below)
