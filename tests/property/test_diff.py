"""A difference is empty exactly where the meaning is the same, and is where an edit was made."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.ir.codec import decode, encode, plain
from pipec.ir.pipeline import Pipeline
from pipec.plan.diff import diff
from tests.property.effort import laws
from tests.property.pipelines import ENV_VALUES, NAMES, PIPELINES, TASK_FIELDS, TASKS, to_toml
from tests.unit.core.bench import Bench, decide

IR_FIELDS = {"run": ["steps"], "inputs": ["inputs", "structured-inputs"]}
SECTIONS = {
    "description": st.sampled_from(["", "new"]),
    "env": st.dictionaries(st.sampled_from(["A", "B_1"]), ENV_VALUES, max_size=2),
    "triggers": st.just({"t": {"cron": "5 0 * * *"}}),
    "cache": st.sampled_from(["file:read", "memory", "file"]),
    "pools": st.dictionaries(st.sampled_from(["p", "q"]), st.integers(1, 9), max_size=2),
}
JOB_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "description": st.sampled_from(["", "new"]),
    "target": st.sampled_from(["group", ["group"], ["group.inner", "group"]]),
    "env": st.dictionaries(st.sampled_from(["A", "B_1"]), ENV_VALUES, max_size=2),
    "params": st.dictionaries(NAMES, st.sampled_from(["string", "int", "bool"]), max_size=2),
    "environment": st.sampled_from(["prod", {"name": "test", "url": "https://app.example"}]),
    "requires": st.sampled_from([{"provenance": True}, {"provenance": False}]),
    "timeout": st.integers(1, 99),
    "github": st.fixed_dictionaries(
        {},
        optional={
            "permissions": st.sampled_from([{}, {"contents": "read"}, {"contents": "write"}]),
            "runs-on": st.sampled_from(["linux", ["linux", "big"]]),
            "concurrency": st.sampled_from(["one", {"group": "two", "cancel-in-progress": True}]),
        },
    ),
}


def load(values: dict[str, Any]) -> Pipeline:
    """The pipeline of plain values that are right."""
    text = to_toml(values, headings=False)
    try:
        return load_document(Document("pipeline.toml", text, "toml")).pipeline
    except SpecError:
        reject()


@laws(30)
@given(PIPELINES)
def test_a_pipeline_does_not_differ_from_itself(values: dict[str, Any]) -> None:
    pipeline = load(values)
    difference = diff(pipeline, decode(encode(pipeline)))
    assert (difference.changes, difference.renamed, difference.keys) == ((), {}, ())


@laws(30)
@given(PIPELINES, PIPELINES)
def test_different_pipelines_differ_both_ways(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = load(one), load(other)
    is_same = encode(before) == encode(after)
    assert (not diff(before, after).changes) == is_same
    assert (not diff(after, before).changes) == is_same


@laws(30)
@given(PIPELINES, st.sampled_from(sorted(TASK_FIELDS)), st.data())
def test_an_edit_of_a_field_is_a_change_of_that_field(
    values: dict[str, Any], field: str, data: st.DataObject
) -> None:
    assume(field not in {"matrix", "platforms"})
    name = data.draw(st.sampled_from(sorted(values["tasks"].keys() - {"group"}) or [""]))
    assume(name)
    key = field.rstrip("_").replace("_", "-")
    edited = copy.deepcopy(values)
    edited["tasks"][name][key] = data.draw(TASK_FIELDS[field])
    before, after = load(values), load(edited)
    changes = diff(before, after).changes
    tasks = [task for task in after.tasks if task.partition("[")[0] == name]
    assert {change.place[:3] for change in changes} <= {
        ("tasks", task, part) for task in tasks for part in IR_FIELDS.get(key, [key, f"{key}-ms"])
    }
    assert bool(changes) == (encode(before) != encode(after))


@laws(30)
@given(PIPELINES, st.sampled_from(sorted(SECTIONS)), st.data())
def test_an_edit_of_a_section_is_a_change_of_that_section(
    values: dict[str, Any], section: str, data: st.DataObject
) -> None:
    edited = {**values, section: data.draw(SECTIONS[section])}
    before, after = load(values), load(edited)
    changes = [change for change in diff(before, after).changes if change.place[0] != "tasks"]
    assert {change.place[0] for change in changes} <= {section}
    differs = plain(before).get(section) != plain(after).get(section)
    assert bool(changes) == differs


@laws(30)
@given(PIPELINES, st.sampled_from(sorted(JOB_FIELDS)), st.data())
def test_an_edit_of_a_job_is_a_change_of_that_field(
    values: dict[str, Any], field: str, data: st.DataObject
) -> None:
    job = {"target": ["group"], **data.draw(st.fixed_dictionaries({}, optional=JOB_FIELDS))}
    edited = {**job, field: data.draw(JOB_FIELDS[field])}
    before, after = (load({**values, "jobs": {"j": each}}) for each in (job, edited))
    changes = diff(before, after).changes
    part = {"target": "targets", "timeout": "timeout-ms", "requires": "provenance"}
    assert {change.place[:3] for change in changes} <= {("jobs", "j", part.get(field, field))}
    assert bool(changes) == (encode(before) != encode(after))


@laws(30)
@given(PIPELINES, NAMES)
def test_a_task_that_comes_or_goes_is_one_change(values: dict[str, Any], name: str) -> None:
    more = copy.deepcopy(values)
    more["tasks"] |= {f"new-{name}": {"run": "something new"}}
    before, after = load(values), load(more)
    for difference, action in ((diff(before, after), "added"), (diff(after, before), "removed")):
        (change,) = difference.changes
        assert (change.action, change.place) == (action, ("tasks", f"new-{name}"))
        assert difference.keys == ()


@laws(30)
@given(PIPELINES, TASKS, NAMES)
def test_a_task_under_another_id_is_renamed(
    values: dict[str, Any], task: dict[str, Any], name: str
) -> None:
    values["tasks"][name] = {key: value for key, value in task.items() if key != "matrix"}
    user = {"user": {"depends-on": [name], "inputs": [{"outputs-of": name}]}}
    edited = copy.deepcopy(values)
    edited["tasks"]["other"] = edited["tasks"].pop(name)
    edited["tasks"] |= {"user": {"depends-on": ["other"], "inputs": [{"outputs-of": "other"}]}}
    before = load({**values, "tasks": {**values["tasks"], **user}})
    difference = diff(before, load(edited))
    (change,) = difference.changes
    assert (change.action, change.before, change.after) == ("renamed", name, "other")
    assert [(key.changed, key.possible) for key in difference.keys] == [((), ())]
    assert difference.renamed == {name: "other"}


def edits(task: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The task with one field of its definition changed."""
    texts = st.sampled_from(["", "x", "y"])
    values = st.one_of(
        texts,
        st.fixed_dictionaries({"value": texts, "in-key": st.booleans()}),
        st.fixed_dictionaries({"var": st.just("HOST"), "default": texts}),
        st.sampled_from([{"secret": "HOST"}, {"secret": "HOST", "in-key": True}]),
    )
    env = st.dictionaries(st.sampled_from(["A", "B"]), values, max_size=2)
    steps = st.lists(
        st.fixed_dictionaries(
            {"kind": st.just("shell"), "command": texts},
            optional={"name": texts, "timeout-ms": st.just(5), "env": env, "cwd": texts},
        ),
        max_size=2,
    )
    fields: dict[str, st.SearchStrategy[Any]] = {
        "steps": steps,
        "shell": st.sampled_from([["sh", "-c"], ["bash"]]),
        "cwd": texts,
        "outputs": st.sampled_from([[], [{"glob": "o"}], [{"glob": "o", "optional": True}]]),
        "env": env,
        "env-inputs": st.sampled_from([[], ["A"], ["A", "B*"], ["HOST"]]),
        "inputs": st.sampled_from([[], [{"glob": "a"}], [{"glob": "*"}, {"named": "n"}]]),
        "structured-inputs": st.sampled_from([[], [{"env": "HOST"}], [{"env": "B"}]]),
        "platform-independent": st.booleans(),
        "cache": st.sampled_from([{}, {"salt": "s"}, {"ttl-ms": 5}, None]),
        "description": texts,
        "pool": texts,
        "priority": st.integers(0, 2),
        "retry": st.just({"attempts": 3}),
        "timeout-ms": st.just(7),
    }
    return st.sampled_from(sorted(fields)).flatmap(
        lambda name: fields[name].map(lambda value: {**task, name: value})
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose files stay as they are."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "a").write_text("a")
    return folder


def components(folder: Path, task: dict[str, Any]) -> dict[str, str]:
    """What the core makes the task's key of."""
    bench = Bench(folder, {"t": task}, {"n": ["a"]}, {"host": {"HOST": "x", "A": "1"}})
    return dict(decide(bench.engine(), "t")["components"])


def pipeline_with(task: dict[str, Any]) -> Pipeline:
    """A pipeline of one task as the IR has it; None leaves a field out."""
    written = {name: value for name, value in task.items() if value is not None}
    named = {"n": [{"glob": "a"}]}
    document = {"ir-version": 1, "name": "p", "tasks": {"t": written}, "named-inputs": named}
    return decode(json.dumps(document).encode())


@laws(60)
@given(data=st.data())
def test_keys_change_as_said(folder: Path, data: st.DataObject) -> None:
    base: dict[str, Any] = {"cache": {}, "steps": [{"kind": "shell", "command": "x"}]}
    one = data.draw(edits(base))
    other = data.draw(edits(one))
    before, after = (pipeline_with(task) for task in (one, other))
    there, now = (components(folder, plain(side)["tasks"]["t"]) for side in (before, after))
    really = {name for name in there if there[name] != now[name]}
    said = diff(before, after).keys
    changed = {name for key in said for name in key.changed}
    possible = {name for key in said for name in key.possible}
    assert changed <= really <= changed | possible
