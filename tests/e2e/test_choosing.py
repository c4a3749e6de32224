"""What of a pipeline runs, in which order, and what still starts after a failure: on both ways."""

import json
import signal

import pytest

from tests.conftest import Project, Result
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left

pytestmark = pytest.mark.parametrize("way", [(), ("-C", ".")], ids=["core", "python"])
"""No form with an option of every command is known to the core."""

GRAPH = """
name = "app"

[tasks.lint]
run = "echo lint >> order; exit 3"

[tasks.build]
depends-on = ["lint"]
run = "echo build >> order"

[tasks.other]
run = "echo other >> order"

[tasks.after-other]
depends-on = ["other"]
run = "echo after-other >> order"

[tasks.optional]
allow-failure = true
run = "echo optional >> order; false"

[tasks.after-optional]
depends-on = ["optional"]
run = "echo after-optional >> order"

[jobs.verify]
target = ["build", "after-other", "after-optional"]
"""


def run(project: Project, way: tuple[str, ...], *words: str) -> Result:
    return project.pipec("run", *words[:1], *way, "--concurrency", "1", *words[1:])


def last(project: Project) -> dict:
    return read_records(project.folder)[-1]


def reasons(record: dict) -> dict[str, str]:
    return {task["id"]: task["reason"] for task in record["tasks"] if "reason" in task}


@pytest.mark.parametrize(
    ("mode", "skipped", "ran"),
    [
        (
            None,
            {
                "build": "dependency failed: lint",
                "after-optional": "stopped after failure of lint",
                "after-other": "stopped after failure of lint",
                "optional": "stopped after failure of lint",
                "other": "stopped after failure of lint",
            },
            ["lint"],
        ),
        (
            "dependencies-successful",
            {"build": "dependency failed: lint"},
            ["lint", "optional", "other", "after-optional", "after-other"],
        ),
        ("always", {}, ["lint", "optional", "other", "after-optional", "after-other", "build"]),
    ],
)
def test_what_still_starts_after_a_failure(
    project: Project, way: tuple[str, ...], mode: str | None, skipped: dict, ran: list[str]
) -> None:
    project.write("pipeline.toml", GRAPH)
    result = run(project, way, "verify", *(("--continue", mode) if mode else ()))
    assert result.status == 1
    record = last(project)
    assert reasons(record) == skipped
    assert sorted(project.read("order").split()) == sorted(ran)
    assert record["request"].get("continue_mode") == mode
    assert record["counts"]["failed"] == (1 if mode is None else 2)


def test_a_failure_that_is_allowed_is_a_warning(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", GRAPH)
    result = run(project, way, "after-optional")
    assert result.status == 0
    message = "`echo optional >> order; false` ended with exit status 1"
    said = f"warning[PIPEC_STEP_FAILED]: optional: {message} (it may fail)\n2 tasks in "
    assert said in result.stderr
    assert "error" not in result.stderr
    record = last(project)
    assert statuses(record) == {"optional": "failed", "after-optional": "passed"}
    assert [task.get("may_fail") for task in record["tasks"]] == [True, None]
    summary = project.read(f".pipec/runs/{record['run_id']}/summary.md")
    assert f"- `optional`: {message} (it may fail)\n" in f"{summary}\n"
    colored = project.start("run", "after-optional", *way, "--color=always").communicate()[1]
    assert "\x1b[33m✗\x1b[0m optional".encode() in colored
    assert b"\x1b[33mwarning[PIPEC_STEP_FAILED]\x1b[0m: optional" in colored
    # Quiet means that what went wrong is said all the same.
    assert said.partition("\n")[0] in run(project, way, "after-optional", "-q").stderr


def test_what_runs_after_a_failure_all_the_same_is_never_kept(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.make]\noutputs = ["made"]\ncache = true\ninputs = ["in"]\n'
        'run = "cp in made; test ! -e broken"\n'
        '[tasks.use]\ndepends-on = ["make"]\noutputs = ["used"]\ncache = true\n'
        'inputs = ["made"]\nrun = "cp made used"\n',
    )
    project.write("in", "text")
    project.write("broken")
    assert run(project, way, "use", "--continue=always").status == 1
    assert statuses(last(project)) == {"make": "failed", "use": "passed"}
    (project.folder / "broken").unlink()
    assert run(project, way, "use").status == 0
    assert statuses(last(project)) == {"make": "passed", "use": "passed"}


def test_several_jobs_and_tasks_run_as_one(project: Project, way: tuple[str, ...]) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\nrun = "echo a >> order"\n'
        '[tasks.b]\ndepends-on = ["a"]\nrun = "echo b >> order"\n'
        '[tasks.c]\ndepends-on = ["a"]\nrun = "echo c >> order"\n'
        '[jobs.one]\ntarget = "b"\n[jobs.two]\ntarget = "c"\n',
    )
    result = run(project, way, "two", "one", "c", "two")
    assert result.status == 0
    assert project.read("order") == "a\nb\nc\n"
    record = last(project)
    assert record["request"]["targets"] == ["two", "one", "c"]
    started = read_journal(project.folder, record["run_id"])[0]
    assert started["targets"] == ["c", "b"]


ONLY = """
name = "app"
[tasks.codegen]
inputs = ["schema"]
outputs = ["gen"]
cache = true
run = "echo codegen >> runs; cp schema gen"

[tasks.prepare]
inputs = ["config"]
run = "echo prepare >> runs"

[tasks.build]
depends-on = ["codegen", "prepare"]
inputs = ["src"]
outputs = ["out"]
cache = true
run = "echo build >> runs; cat src gen > out"
"""


@pytest.fixture
def generated(project: Project) -> Project:
    project.write("pipeline.toml", ONLY)
    for name in ("schema", "config", "src"):
        project.write(name, f"{name}\n")
    return project


def runs_of(project: Project) -> list[str]:
    """What ran since the last call."""
    path = project.folder / "runs"
    ran = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return ran


def test_only_the_named_task_runs(generated: Project, way: tuple[str, ...]) -> None:
    assert run(generated, way, "build").status == 0
    assert sorted(runs_of(generated)) == ["build", "codegen", "prepare"]
    generated.write("src", "new\n")
    assert run(generated, way, "build", "--only").status == 0
    assert runs_of(generated) == ["build"]
    record = last(generated)
    assert statuses(record) == {"build": "passed"}
    assert record["request"]["only"] is True


def test_the_key_of_a_task_alone_goes_by_what_its_dependencies_left(
    generated: Project, way: tuple[str, ...]
) -> None:
    assert run(generated, way, "build").status == 0
    runs_of(generated)
    # What is there is what a run of everything has seen: the same key.
    assert run(generated, way, "build", "--only").status == 0
    assert (runs_of(generated), statuses(last(generated))) == ([], {"build": "cached"})
    # An edit that would run a dependency again does not matter yet.
    generated.write("schema", "other\n")
    assert run(generated, way, "build", "--only").status == 0
    assert runs_of(generated) == []
    # What a dependency left does, though the task does not name it among its inputs.
    generated.write("gen", "other\n")
    assert run(generated, way, "build", "--only").status == 0
    assert (runs_of(generated), generated.read("out")) == (["build"], "src\nother\n")
    # And that was right: with everything the task is found in place.
    assert run(generated, way, "build").status == 0
    assert sorted(runs_of(generated)) == ["codegen", "prepare"]
    assert statuses(last(generated))["build"] == "cached"


def test_a_dependency_without_outputs_counts_by_its_key(
    generated: Project, way: tuple[str, ...]
) -> None:
    assert run(generated, way, "build").status == 0
    runs_of(generated)
    generated.write("config", "other\n")
    assert run(generated, way, "build", "--only").status == 0
    assert runs_of(generated) == ["build"]
    assert run(generated, way, "build").status == 0
    assert runs_of(generated) == ["prepare"]


def test_a_task_alone_without_what_it_needs_is_not_kept(
    generated: Project, way: tuple[str, ...]
) -> None:
    generated.write("pipeline.toml", ONLY.replace("cat src gen", "cat src"))
    for _ in range(2):
        assert run(generated, way, "build", "--only").status == 0
        assert runs_of(generated) == ["build"]
    (task,) = last(generated)["tasks"]
    assert task["verdict"]["kind"] == "disabled"


ARGUMENTS = """
name = "app"
[tasks.first]
run = "echo first"
[tasks.test]
depends-on = ["first"]
outputs = ["seen"]
inputs = []
cache = true
run = ["true", '''
: > seen
printf '%s|' >> seen
''']
[tasks.list]
run = { argv = ["printf", "%s|"] }
[tasks.group]
depends-on = ["test"]
[jobs.both]
target = ["list", "test"]
"""


@pytest.mark.parametrize(
    "words", [("-k", "a b"), ("it's", '"', "$HOME", "*", "", "--force", "é\n")], ids=["few", "odd"]
)
def test_arguments_go_to_the_last_command_as_they_are(
    project: Project, way: tuple[str, ...], words: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", ARGUMENTS)
    result = run(project, way, "test", "--", *words)
    assert result.status == 0, result.stderr
    assert project.read("seen") == "|".join(words) + "|"
    record = last(project)
    assert record["request"]["arguments"] == list(words)
    assert statuses(record) == {"first": "passed", "test": "passed"}
    assert run(project, way, "list", "--output-logs=new-only", "--", *words).status == 0
    log = project.folder / ".pipec/runs" / last(project)["run_id"] / "logs/list.log"
    assert log.read_text() == "|".join(words) + "|"


def test_arguments_enter_the_key(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", ARGUMENTS)
    expected = {("a",): "passed", ("b",): "passed", (): "passed"}
    for words, status in [*expected.items(), *((words, "cached") for words in expected)]:
        assert run(project, way, "test", *(("--", *words) if words else ())).status == 0
        assert statuses(last(project))["test"] == status
        assert project.read("seen") == f"{''.join(words)}|"


def test_each_task_that_was_asked_for_gets_the_arguments(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", ARGUMENTS)
    assert run(project, way, "both", "--", "x").status == 0
    record = last(project)
    steps = {task["id"]: task["attempts"][-1]["steps"][-1]["command"] for task in record["tasks"]}
    assert steps["list"].endswith(" x")
    assert steps["test"].endswith(" x")
    assert steps["first"] == "echo first"


def test_a_group_takes_no_arguments(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", ARGUMENTS)
    result = run(project, way, "group", "--", "x")
    assert result.status == 2
    assert "`group` runs no command that could take arguments" in result.stderr


def test_a_secret_among_the_arguments_is_in_no_record(
    project: Project, way: tuple[str, ...]
) -> None:
    secret = "correct-horse"
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\nenv = { TOKEN = { secret = "TOKEN" } }\ncache = true\n'
        'outputs = []\ninputs = []\nrun = "true"\n',
    )
    for _ in range(2):
        result = project.pipec("run", "a", *way, "--", secret, env={"TOKEN": secret})
        assert result.status == 0
        assert secret not in result.stderr
        for path in (project.folder / ".pipec/runs").rglob("*"):
            assert path.is_dir() or secret not in path.read_text()
    assert last(project)["counts"]["cached"] == 1


def test_force_runs_what_is_in_place(generated: Project, way: tuple[str, ...]) -> None:
    for _ in range(2):
        assert run(generated, way, "build", "--force").status == 0
        assert sorted(runs_of(generated)) == ["build", "codegen", "prepare"]
    record = last(generated)
    assert record["request"]["force"] is True
    assert {task["verdict"]["kind"] for task in record["tasks"]} == {"forced", "disabled"}
    assert run(generated, way, "build").status == 0
    assert runs_of(generated) == ["prepare"]


PARAMS = """
name = "app"
[tasks.show]
env-inputs = ["PIPEC_PARAM_*"]
inputs = []
outputs = ["shown"]
cache = true
run = "echo $PIPEC_PARAM_LEVEL $PIPEC_PARAM_DRY_RUN > shown"
[jobs.show-it.params]
level = { type = "int", default = 1 }
dry-run = { type = "bool", default = false }
[jobs.show-it]
target = "show"
timeout = "1h"
"""


def test_parameters_have_defaults_and_enter_keys(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", PARAMS)
    given = ("--param", "level=7", "--param", "dry-run=true")
    for words, text in (((), "1 false\n"), (given, "7 true\n"), ((), "1 false\n")):
        for _ in range(2):
            result = run(project, way, "show-it", *words)
            assert result.status == 0
            assert project.read("shown") == text
            level, dry_run = text.split()
            asked = last(project)["request"]
            assert asked["params"] == {"level": level, "dry-run": dry_run}
            assert asked["timeout_ms"] == 3_600_000
        assert last(project)["counts"]["cached"] == 1
    assert run(project, way, "show-it", "--param", "level=high").status == 2
    assert run(project, way, "show-it", "--param", "nobody=1").status == 2


def test_the_record_is_printed_as_json(generated: Project, way: tuple[str, ...]) -> None:
    for _ in range(2):
        result = generated.pipec("run", "build", *way, "--format", "json")
        assert result.status == 0
        printed = json.loads(result.stdout)
        kept = json.loads(generated.plain(json.dumps(last(generated), indent=2).encode()))
        assert printed == kept
        assert "tasks in" in result.stderr


SLOW = """
name = "app"
[tasks.slow]
run = "sleep 300 & sleep 300"
[tasks.after]
depends-on = ["slow"]
run = "true"
[tasks.stubborn]
run = "trap '' TERM; while :; do sleep 0.01; done"
[jobs.verify]
target = "after"
timeout = "200ms"
"""


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        (("verify",), "the job `verify` may take 200ms"),
        (("verify", "--timeout", "100ms"), "the run may take 100ms"),
        (("after", "--timeout", "100ms"), "the run may take 100ms"),
        (("verify", "--timeout", "1h"), "the job `verify` may take 200ms"),
    ],
)
def test_a_run_that_takes_too_long_is_ended_and_has_failed(
    project: Project, way: tuple[str, ...], words: tuple[str, ...], limit: str
) -> None:
    project.write("pipeline.toml", SLOW)
    mark = str(project.folder)
    result = project.pipec("run", *words, *way, env={MARK: mark})
    assert result.status == 1
    assert "warning[PIPEC_TIMED_OUT]" in result.stderr
    assert_none_left(mark)
    record = last(project)
    assert (record["status"], record["exit_code"]) == ("failed", 1)
    assert record["reason"] == f"timed out: {limit}"
    assert statuses(record) == {"slow": "cancelled", "after": "skipped"}
    assert reasons(record) == dict.fromkeys(("slow", "after"), f"timed out: {limit}")


def test_a_run_that_ends_in_time_is_not_ended(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = "true"\n')
    assert run(project, way, "a", "--timeout", "1h").status == 0
    assert last(project)["request"]["timeout_ms"] == 3_600_000


def test_a_signal_after_the_time_is_up_kills_at_once(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", SLOW)
    mark = str(project.folder)
    process = project.start("run", "stubborn", *way, "--timeout", "200ms", env={MARK: mark})
    assert process.stderr is not None
    while b"PIPEC_TIMED_OUT" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert_none_left(mark)
    assert last(project)["status"] == "failed"
