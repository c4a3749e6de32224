"""What is emitted, two parsers read back as what it was: YAML 1.1 and YAML 1.2."""

import io
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipec.backends.github.emit import describe, emit
from pipec.backends.github.facts import Facts
from pipec.backends.github.lower import lower
from pipec.backends.github.place import Place
from pipec.backends.github.subject import look_at
from pipec.backends.github.yaml_text import Noted, render_yaml
from pipec.ir.env import Secret, Variable
from pipec.ir.job import GithubSettings, Job, JobEnvironment, JobId, Param
from pipec.ir.pipeline import Pipeline
from pipec.ir.sync import SyncSettings
from pipec.ir.sync_github import GithubSync, Install, Toolchain
from pipec.ir.task import Task, TaskId
from pipec.ir.trigger import GithubEvents, Trigger

# What YAML, or one of its versions, takes for something else.
AWKWARD = [
    *(
        "on",
        "Yes",
        "no",
        "null",
        "~",
        "true",
        "1",
        "1.0",
        "0x1f",
        "1e3",
        "012",
        "1:30",
        "2026-01-01",
    ),
    *(
        "a: b",
        "a #b",
        "#x",
        "- a",
        "'q'",
        '"q"',
        "\\n",
        "tab\t",
        "line\nline",
        "trail ",
        " lead",
        "",
    ),
    *("[a]", "{a}", "*x", "&x", "!x", "|", ">", "%x", "@x", "`x`", "über", "😀", "\x85", "\u2028"),
    *("=", "<<", ".inf", ".nan", "...", "---", "a\r\nb", "\ufeffbom", "\x00", "\x07", "${{ x }}"),
    *("a\n\n  b\n", "\n", "a\n", "a\n\n", "a \nb"),
]
TEXTS = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(-5, 10_000))
WORDS = st.lists(st.sampled_from(["linux", "x64", "on"]), min_size=1, max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(TEXTS, inner, max_size=3),
        st.lists(
            SCALARS | st.dictionaries(TEXTS, inner, min_size=1, max_size=2) | WORDS, max_size=3
        ),
    ),
    max_leaves=6,
)


def read_twice(text: str) -> list[Any]:
    """The document as a parser of YAML 1.1 and one of YAML 1.2 have it."""
    modern = YAML(typ="safe", pure=True)
    modern.version = (1, 2)  # type: ignore[assignment]
    return [yaml.safe_load(text), modern.load(io.StringIO(text))]


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3))
def test_every_value_is_read_back_by_both(document: dict[str, Any]) -> None:
    text = render_yaml(document)
    assert text.endswith("\n")
    assert read_twice(text) == [document, document]


NAMES = TEXTS.filter(lambda text: text.strip() != "")


# What GitHub allows, and what YAML, or one of its versions, takes for something else.
IDS = st.sampled_from(["on", "No", "y", "null", "true", "_", "e1", "a-b_c", "NaN", "O1"])
CRONS = st.sampled_from(
    ["*/15 * * * *", "0 6 * * MON-FRI", "17 2 1 JAN-MAR/2 *", "5 0-6,22 */2 * 0,6"]
)


@given(
    st.tuples(NAMES, NAMES, NAMES, NAMES),
    st.lists(NAMES, min_size=1, max_size=2),
    IDS,
    CRONS,
)
def test_a_workflow_is_read_back_by_both(
    names: tuple[str, str, str, str], commands: list[str], job_id: str, cron: str
) -> None:
    name, description, environment, label = names
    job = Job(
        id=JobId(job_id),
        targets=(TaskId("test"),),
        triggers=("main", "night"),
        params={"p": Param(type="choice", choices=(name,), description=description)},
        mode="manual",
        environment=JobEnvironment(name=environment, url=description),
        env={"A": Secret(secret="NO"), "B": Variable(var="Y")},
        github=GithubSettings(runs_on=("self-hosted", label), concurrency=name),
    )
    trigger = Trigger(github=GithubEvents(events=("push",), branches=(label, "it's: #1", "über")))
    sync = GithubSync(
        name=name,
        install=Install(),
        setup={"java": Toolchain(version=label, install=tuple(commands))},
    )
    subject = look_at(
        Pipeline(
            name="app",
            tasks={TaskId("test"): Task(id=TaskId("test"))},
            jobs={job.id: job},
            triggers={"main": trigger, "night": Trigger(cron=cron, timezone="Europe/Paris")},
            sync=SyncSettings(github=sync),
        ),
        sync,
        place=Place("/", ""),
        pipeline_file="pipeline.toml",
        facts=Facts(),
    )
    workflow = lower(subject, {})
    expected = plain(describe(workflow))
    assert read_twice(emit(workflow)) == [expected, expected]
    assert emit(workflow) == emit(lower(subject, {}))
    assert expected["on"]["push"]["branches"][1:] == ["it's: #1", "über"]
    assert expected["on"]["schedule"] == [{"cron": cron, "timezone": "Europe/Paris"}]
    assert expected["jobs"][job_id]["runs-on"] == ["self-hosted", label]


def plain(value: Any) -> Any:
    """The value without its comments."""
    if isinstance(value, Noted):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
