"""Which tasks a request selects, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec.codes import Code
from pipec.errors import BugError, PlanError
from pipec.ir import Job, Literal, Pipeline, Task
from pipec.ir.service import Service
from pipec.ir.step import ShellStep
from pipec.plan.select import Plan, names_of, select


def pipeline_of(needs, jobs=(), **tasks):
    """A pipeline from `task: the tasks it waits for`."""
    return Pipeline(
        name="p",
        tasks={
            name: tasks.get(name) or Task(id=name, depends_on=tuple(sorted(on)))
            for name, on in needs.items()
        },
        jobs={job.id: job for job in jobs},
    )


DIAMOND = {"top": ["left", "right"], "left": ["base"], "right": ["base"], "base": [], "alone": []}


def test_a_task_brings_what_it_depends_on_and_nothing_else():
    assert select(pipeline_of(DIAMOND), ["top"]) == Plan(
        tasks=("base", "left", "right", "top"), targets=("top",), asked=("top",)
    )


def test_several_targets_make_one_plan_without_repetition():
    plan = select(pipeline_of(DIAMOND), ["left", "alone", "left"])
    assert plan == Plan(
        tasks=("alone", "base", "left"), targets=("left", "alone"), asked=("left", "alone")
    )


def test_a_job_goes_before_a_task_of_the_same_name():
    pipeline = pipeline_of(DIAMOND, [Job(id="top", targets=("alone",))])
    assert select(pipeline, ["top"]).tasks == ("alone",)
    assert select(pipeline, ["top"]).jobs == ("top",)
    assert select(pipeline, ["top"], kind="task").tasks[-1] == "top"


def test_the_base_name_of_a_matrix_selects_every_expansion():
    expansions = {f"test[py={v}]": Task(id=f"test[py={v}]", matrix={"py": v}) for v in "12"}
    pipeline = pipeline_of({name: [] for name in expansions}, **expansions)
    assert select(pipeline, ["test"]).tasks == ("test[py=1]", "test[py=2]")
    assert select(pipeline, ["test[py=2]"]).tasks == ("test[py=2]",)
    assert names_of(pipeline) == ["test[py=1]", "test", "test[py=2]"]


@pytest.mark.parametrize(
    ("name", "kind", "message", "suggestion"),
    [
        ("tpo", "any", "this pipeline has no job or task `tpo`", "did you mean `top`?"),
        ("Verify", "any", "this pipeline has no job or task `Verify`", "did you mean `verify`?"),
        (
            "verify",
            "task",
            "this pipeline has no task `verify`",
            "`verify` is a job; it runs `alone`",
        ),
        ("zzz", "task", "this pipeline has no task `zzz`", "`pipec list` shows every task"),
        ("top", "job", "this pipeline has no job `top`", "`pipec list` shows every job"),
        ("", "any", "this pipeline has no job or task ``", "`pipec list` shows every job or task"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_ones(name, kind, message, suggestion):
    pipeline = pipeline_of(DIAMOND, [Job(id="verify", targets=("alone",))])
    with pytest.raises(PlanError) as caught:
        select(pipeline, [name], kind=kind)
    assert (caught.value.code, caught.value.message) == (Code.UNKNOWN_TARGET, message)
    assert caught.value.help == (suggestion,)


def test_jobs_that_disagree_about_a_variable_cannot_run_together():
    jobs = [
        Job(id="a", targets=("base",), env={"MODE": Literal(value="a")}),
        Job(id="b", targets=("left",), env={"MODE": Literal(value="b")}),
        Job(id="c", targets=("left",), env={"MODE": Literal(value="a")}),
    ]
    pipeline = pipeline_of(DIAMOND, jobs)
    assert select(pipeline, ["a", "c"]).jobs == ("a", "c")
    with pytest.raises(PlanError, match="jobs `a` and `b` do not agree on `MODE`") as caught:
        select(pipeline, ["a", "b"])
    assert caught.value.code is Code.JOB_ENV_CONFLICT


def test_a_task_beside_a_job_with_an_environment_has_to_be_part_of_the_job():
    job = Job(id="job", targets=("left",), env={"MODE": Literal(value="a")})
    pipeline = pipeline_of(DIAMOND, [job])
    assert select(pipeline, ["job", "base"]).targets == ("left", "base")
    with pytest.raises(PlanError, match="job `job` sets `MODE`, and `alone`"):
        select(pipeline, ["job", "alone"])


def test_a_chain_of_ten_thousand_tasks_is_planned_without_recursion():
    names = [f"t{i:05}" for i in range(10_000)]
    needs = {name: [names[i - 1]] if i else [] for i, name in enumerate(names)}
    assert select(pipeline_of(needs), [names[-1]]).tasks == tuple(names)


def test_a_cycle_that_nobody_reported_is_our_mistake():
    with pytest.raises(BugError):
        select(pipeline_of({"a": ["b"], "b": ["a"]}), ["a"])


@given(st.data())
def test_an_order_never_puts_a_task_before_what_it_needs(data):
    count = data.draw(st.integers(1, 12))
    names = data.draw(st.permutations([f"t{i}" for i in range(count)]))
    needs = {
        name: data.draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        for i, name in enumerate(names)
    }
    shuffled = dict(data.draw(st.permutations(list(needs.items()))))
    targets = data.draw(st.lists(st.sampled_from(names), min_size=1))
    plan = select(pipeline_of(shuffled), targets)
    assert plan == select(pipeline_of(needs), targets)
    assert set(targets) <= set(plan.tasks)
    assert len(set(plan.tasks)) == len(plan.tasks)
    for position, task in enumerate(plan.tasks):
        assert set(needs[task]) <= set(plan.tasks[:position])


def test_only_leaves_out_what_a_task_depends_on_but_not_its_services():
    service = Service()
    tasks = {
        "db": Task(id="db", service=service, steps=(ShellStep(command="db"),)),
        "queue": Task(
            id="queue", service=service, steps=(ShellStep(command="q"),), depends_on=("db",)
        ),
        "test": Task(id="test", steps=(ShellStep(command="t"),), depends_on=("base", "queue")),
    }
    pipeline = pipeline_of({"base": [], "db": [], "queue": [], "test": []}, **tasks)
    plan = select(pipeline, ["test"], only=True)
    assert (plan.tasks, plan.targets) == (("db", "queue", "test"), ("test",))
