"""Every short form, default and reference has one normal form."""

import pytest

from pipec import ir
from pipec.ir.env import Literal, Secret, Variable
from pipec.ir.inputs import (
    CommandInput,
    EnvInput,
    FileValueInput,
    NamedRule,
    OutputPattern,
    OutputsOfInput,
    Rule,
)
from pipec.ir.job import JobId
from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep
from pipec.ir.task import Retry, Task, TaskId
from tests.pipelines import codes_of, pipeline_of


def task_of(fields: str, *, before: str = "") -> Task:
    pipeline = pipeline_of(f'name = "app"\n{before}\n[tasks.t]\n{fields}\n')
    return pipeline.tasks[TaskId("t")]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('run = "a"', 'steps = ["a"]'),
        ('run = "a"', 'run = [{ sh = "a" }]'),
        ('run = { sh = "a" }', 'steps = [{ sh = "a", env = {} }]'),
        ("retry = 3", "retry = { attempts = 3 }"),
        ('timeout = "1m30s"', "timeout = 90_000"),
        ('outputs = ["dist"]', 'outputs = [{ glob = "./dist/", optional = false }]'),
        ('inputs = ["/src//a/"]', 'inputs = ["src/./x/../a"]'),
        ('inputs = ["."]', 'inputs = ["**"]'),
        ('inputs = ["build*/"]', 'inputs = ["build*/**"]'),
        ("cache = true", 'cache = "file"'),
        ('cache = "file:local"', 'cache = { store = "file", policy = "local" }'),
        ('cache = "memory"', 'cache = { store = "memory", policy = "session" }'),
        ('env = { A = "x" }', 'env = { A = { value = "x" } }'),
        ('cwd = "./web/"', 'cwd = "web"'),
        ('platforms = ["linux", "macos"]', 'platforms = ["macos", "linux", "macos"]'),
        ("", 'platforms = ["linux", "macos", "windows"]'),
        ("", 'shell = "sh"'),
        ("", 'env-mode = "loose"'),
        ('env-inputs = ["B", "A"]', 'env-inputs = ["A", "B", "B"]'),
        ('requires = { tools = ["b", "a"] }', 'requires = { tools = ["a", "b"], secrets = [] }'),
    ],
)
def test_short_and_long_forms_are_one(short: str, long: str) -> None:
    one, other = (pipeline_of(f'name = "app"\n[tasks.t]\n{text}\n') for text in (short, long))
    assert ir.encode(one) == ir.encode(other)


def test_the_normal_form_reads_back_as_itself() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        description = "All of it"
        env-files = [".env", { path = "local.env", optional = true }]
        env = { A = "x", B = { value = "y", in-key = false }, C = { secret = "S", in-key = true } }
        [named-inputs]
        source = ["src/**", "!src/gen/**", { env = "MODE" }]
        [pools]
        db = 2
        [cache]
        default = "big:read-write"
        [cache.stores]
        big = { file = { root = "/var/cache/x", max-size = "2GiB" } }
        both = { layered = ["file", "big"] }
        [tasks.a]
        inputs = ["source", { file = "p.json", key = "x.y" }, { command = "date" }]
        outputs = ["out/**", "!out/tmp", { glob = "log", optional = true }]
        cache = { ttl = "7d", salt = "2", outputs-only = true }
        env = { V = { var = "V", default = "d", map = { d = "1" } } }
        retry = { attempts = 3, delay = "2s", backoff = 2 }
        shell = ["nu", "-c"]
        pool = "db"
        run = ["x", { argv = ["p", "a b"], cwd = "web", timeout = 5, name = "n" },
               { call = "m.n:f", with = { a = [1, true, "x"] } },
               { dynamic = "m:g", timeout = "1s" }]
        [tasks.b]
        depends-on = ["a"]
        matrix = { os = ["l", "m"] }
        run = { agent = { var = "AGENT" }, prompt = "p", model = { var = "M", default = "d" } }
        [triggers]
        pr = { github = { events = ["push"], branches = ["main", "!x"] } }
        night = { schedule = "0 2 * * MON-FRI", timezone = "Europe/Paris" }
        [jobs.j]
        target = ["b", "a"]
        trigger = ["pr", "night"]
        environment = { name = "prod", url = "https://e" }
        requires = { provenance = true }
        mode = "ci"
        timeout = "1h"
        params = { n = { type = "int", default = 3 }, f = "bool",
                   c = { type = "choice", choices = ["a", "b"], default = "a" } }
        github = { permissions = { id-token = "write" }, runs-on = "u",
                   concurrency = { group = "g", cancel-in-progress = true } }
        """
    )
    assert ir.decode(ir.encode(pipeline)) == pipeline
    task = pipeline.tasks[TaskId("a")]
    assert task.inputs == (NamedRule(named="source"),)
    assert task.structured_inputs == (
        EnvInput(env="MODE"),
        FileValueInput(file="p.json", key="x.y"),
        CommandInput(command="date"),
    )
    assert task.outputs == (
        OutputPattern(glob="out/**"),
        OutputPattern(glob="out/tmp", exclude=True),
        OutputPattern(glob="log", optional=True),
    )
    assert task.retry == Retry(attempts=3, delay_ms=2000, backoff=2)
    assert task.steps == (
        ShellStep(command="x"),
        ArgvStep(argv=("p", "a b"), cwd="web", timeout_ms=5, name="n"),
        PythonStep(kind="call", function="m.n:f", arguments={"a": [1, True, "x"]}),
        PythonStep(kind="dynamic", function="m:g", timeout_ms=1000),
    )
    assert task.env == {"V": Variable(var="V", default="d", map={"d": "1"})}
    assert task.cache is not None
    assert (task.cache.store, task.cache.policy, task.cache.ttl_ms) == (
        "big",
        "read-write",
        604_800_000,
    )
    assert pipeline.env == {
        "A": Literal(value="x"),
        "B": Literal(value="y", in_key=False),
        "C": Secret(secret="S", in_key=True),
    }
    agent = pipeline.tasks[TaskId("b[os=l]")].steps[0]
    assert agent == AgentStep(
        agent=Variable(var="AGENT"), prompt="p", model=Variable(var="M", default="d")
    )
    job = pipeline.jobs[JobId("j")]
    assert job.targets == ("a", "b[os=l]", "b[os=m]")
    assert job.params["n"].default == "3"
    assert pipeline.cache.stores["big"] == {"file": {"max-size": 2**31, "root": "/var/cache/x"}}


@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        ('"sh"', ("sh", "-e", "-c")),
        ('"bash"', ("bash", "-eo", "pipefail", "-c")),
        ('"pwsh"', ("pwsh", "-NoProfile", "-NonInteractive", "-Command")),
        ('"cmd"', ("cmd", "/d", "/s", "/c")),
        ('["zsh", "-c"]', ("zsh", "-c")),
    ],
)
def test_a_shell_is_its_arguments_up_to_the_command(shell: str, argv: tuple[str, ...]) -> None:
    assert task_of(f"shell = {shell}").shell == argv


def test_groups_join_ids_and_default_takes_the_id_of_the_group() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        [tasks.claims.default]
        depends-on = ["report"]
        [tasks.claims.report]
        [tasks.claims.deep.index]
        depends-on = ["other", "claims.report"]
        [tasks.claims.deep.other]
        [tasks.default]
        """
    )
    needs = {task_id: task.depends_on for task_id, task in pipeline.tasks.items()}
    assert needs == {
        "claims": ("claims.report",),
        "claims.deep": ("claims.deep.other", "claims.report"),
        "claims.deep.other": (),
        "claims.report": (),
        "default": (),
    }


def test_a_reference_in_a_group_means_the_group_first_and_the_top_else() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        [tasks.lint]
        [tasks.web.build]
        depends-on = ["lint", "test", "web.test"]
        [tasks.web.test]
        """
    )
    assert pipeline.tasks[TaskId("web.build")].depends_on == ("lint", "web.test")


def test_defaults_apply_by_id_then_by_segment_then_to_all() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        [task-defaults."*"]
        timeout = "1s"
        retry = 2
        run = "all"
        env = { A = "1", B = "1" }
        [task-defaults.build]
        timeout = "2s"
        steps = ["segment"]
        [task-defaults."web.build"]
        timeout = "3s"
        [tasks.web.build]
        env = { A = "2" }
        [tasks.build]
        [tasks.lint]
        run = "own"
        """
    )
    told = {
        task_id: (task.timeout_ms, task.retry.attempts, task.steps, sorted(task.env))
        for task_id, task in pipeline.tasks.items()
    }
    assert told == {
        "build": (2000, 2, (ShellStep(command="segment"),), ["A", "B"]),
        "lint": (1000, 2, (ShellStep(command="own"),), ["A", "B"]),
        "web.build": (3000, 2, (ShellStep(command="segment"),), ["A"]),
    }


def test_a_matrix_makes_a_task_for_each_combination() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        [tasks.test.matrix]
        python = ["3.11", "3.12"]
        os = ["a", "b"]
        fast = [true]
        exclude = [{ python = "3.11", os = "b" }]
        include = [{ os = "a", extra = "x" }, { os = "c", n = 1 }]
        [tasks.all]
        depends-on = ["test"]
        [tasks.one]
        depends-on = ["test[fast=true,os=b,python=3.12]"]
        """
    )
    tests = [task_id for task_id in pipeline.tasks if task_id.startswith("test")]
    assert tests == [
        "test[extra=x,fast=true,os=a,python=3.11]",
        "test[extra=x,fast=true,os=a,python=3.12]",
        "test[fast=true,os=b,python=3.12]",
        "test[n=1,os=c]",
    ]
    assert pipeline.tasks[TaskId("all")].depends_on == tuple(tests)
    assert pipeline.tasks[TaskId("one")].depends_on == ("test[fast=true,os=b,python=3.12]",)
    assert pipeline.tasks[TaskId("test[n=1,os=c]")].matrix == {"n": "1", "os": "c"}


@pytest.mark.parametrize(
    "matrix",
    [
        'a = ["x"]\nexclude = [{ a = "x" }]',
        "include = []",
        "a = " + str([str(n) for n in range(33)]) + "\nb = " + str([str(n) for n in range(33)]),
        'a = ["x,y"]',
        'a = [" x"]',
        "a = []",
    ],
)
def test_a_matrix_that_makes_nothing_or_too_much_is_refused(matrix: str) -> None:
    assert codes_of(f'name = "app"\n[tasks.t.matrix]\n{matrix}\n') == ["INVALID_VALUE"]


def test_variables_of_a_matrix_must_differ_in_the_environment() -> None:
    assert codes_of('name = "app"\n[tasks.t.matrix]\na-b = ["x"]\na_b = ["x"]\n') == [
        "CONFLICTING_FIELDS"
    ]


def test_named_inputs_bring_their_structured_items_along_once() -> None:
    pipeline = pipeline_of(
        """
        name = "app"
        [named-inputs]
        one = ["a", { env = "A" }]
        two = ["one", "b", { env = "B" }, { outputs-of = "gen" }]
        [tasks.gen]
        outputs = ["gen/**"]
        [tasks.t]
        depends-on = ["gen"]
        inputs = [{ env = "B" }, "two", "!one", "c", "!d"]
        """
    )
    task = pipeline.tasks[TaskId("t")]
    assert task.inputs == (
        NamedRule(named="two"),
        NamedRule(named="one", exclude=True),
        Rule(glob="c"),
        Rule(glob="d", exclude=True),
    )
    assert task.structured_inputs == (
        EnvInput(env="B"),
        OutputsOfInput(outputs_of="gen"),
        EnvInput(env="A"),
    )


def test_env_mode_of_the_pipeline_is_that_of_its_tasks() -> None:
    assert task_of("", before='env-mode = "strict"').env_mode == "strict"
    assert task_of('env-mode = "loose"', before='env-mode = "strict"').env_mode == "loose"


def test_an_interactive_task_is_not_cached_by_defaults() -> None:
    before = '[task-defaults."*"]\ncache = true\ninputs = []\noutputs = []'
    assert task_of("interactive = true", before=before).cache is None
    assert task_of("", before=before).cache is not None
