"""Planning takes steps in proportion to the tasks: counted, whatever else the machine does.

Each call of a function is a step. What is quadratic in the number of tasks takes four times the
steps for twice the tasks, and shows long before anybody has that many.
"""

import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest

from pipec.frontend.discover import Found
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.frontend.read import read_text
from pipec.ir.codec import decode, encode
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import select
from pipec.runtime.record import RequestRecord, RunRecord, TaskRecord, count, to_json
from pipec.runtime.schedule import Schedule
from pipec.runtime.summary import render_summary

SIZES = (200, 400, 800)
MOST_GROWTH = 2.3


def steps_of(work: Callable[[], object]) -> int:
    """How many functions, our own and those of C, the work calls."""
    total = 0

    def count_call(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal total
        total += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(before)
    return total


def text_of(size: int) -> str:
    """Tasks that each need two others, with files of their own, in groups, and jobs of ten."""
    lines = ['name = "app"']
    for number in range(size):
        needs = sorted({f"g{need % 7}.t{need}" for need in (number // 2, number - 1) if need >= 0})
        needs = [need for need in needs if not need.endswith(f".t{number}")]
        lines += [
            f"[tasks.g{number % 7}.t{number}]",
            f"depends-on = {needs}".replace("'", '"'),
            f'inputs = ["in/{number}/**"]',
            f'outputs = ["out/{number}"]',
            "cache = true",
            'run = "true"',
        ]
    for number in range(0, size, 10):
        targets = [f"g{target % 7}.t{target}" for target in range(number, min(size, number + 10))]
        lines += [f"[jobs.j{number}]", f"target = {targets}".replace("'", '"')]
    return "\n".join(lines)


def document_of(size: int) -> Document:
    path = "/project/pipeline.toml"
    found = Found(root="/project", path=path, notation="toml", shown="pipeline.toml")
    return read_text(found, text_of(size).encode())


def pipeline_of(size: int) -> Pipeline:
    return load_document(document_of(size)).pipeline


def schedule_all(pipeline: Pipeline) -> None:
    plan = select(pipeline, list(pipeline.jobs))
    schedule = Schedule([pipeline.tasks[task] for task in plan.tasks], concurrency=4, pools={})
    while (task := schedule.start_next()) is not None:
        schedule.take_ready()
        schedule.finish(task)
    assert list(schedule.never_started()) == []


def record_of(pipeline: Pipeline) -> RunRecord:
    tasks = {str(task): TaskRecord(id=str(task), status="passed") for task in pipeline.tasks}
    return RunRecord(
        run_id="r",
        tool_version="0",
        pipeline="app",
        ir_digest="",
        pid=1,
        request=RequestRecord(targets=(), force=False, concurrency=1, params={}),
        status="passed",
        started_at="",
        tasks=tuple(tasks.values()),
        counts=count(tasks),
        time_saved_ms=0,
    )


def loads() -> Iterable[Callable[[], object]]:
    for size in SIZES:
        document = document_of(size)
        yield lambda document=document: load_document(document)


def of_pipelines(work: Callable[[Pipeline], object]) -> Iterable[Callable[[], object]]:
    for size in SIZES:
        pipeline = pipeline_of(size)
        yield lambda pipeline=pipeline: work(pipeline)


def of_encoded(work: Callable[[bytes], object]) -> Iterable[Callable[[], object]]:
    for size in SIZES:
        encoded = encode(pipeline_of(size))
        yield lambda encoded=encoded: work(encoded)


WORK = {
    "load": loads,
    "encode": lambda: of_pipelines(encode),
    "decode": lambda: of_encoded(decode),
    "select": lambda: of_pipelines(lambda pipeline: select(pipeline, list(pipeline.jobs))),
    "filter": lambda: of_pipelines(
        lambda pipeline: select(pipeline, [], filters=["...g0", "!*9", "g1..."])
    ),
    "schedule": lambda: of_pipelines(schedule_all),
    "record": lambda: of_pipelines(lambda pipeline: to_json(record_of(pipeline))),
    "summary": lambda: of_pipelines(lambda pipeline: render_summary(record_of(pipeline))),
}


@pytest.mark.parametrize("name", WORK)
def test_twice_the_tasks_take_twice_the_steps(name: str) -> None:
    # The first time caches are filled.
    works = list(WORK[name]())
    works[0]()
    steps = [steps_of(work) for work in works]
    growth = [later / earlier for earlier, later in pairwise(steps)]
    assert max(growth) < MOST_GROWTH, steps


def test_what_is_quadratic_is_noticed() -> None:
    def compare_all(pipeline: Pipeline) -> None:
        for one in pipeline.tasks:
            for other in pipeline.tasks:
                one.startswith(other)

    steps = [steps_of(work) for work in of_pipelines(compare_all)]
    assert steps[1] / steps[0] > MOST_GROWTH
