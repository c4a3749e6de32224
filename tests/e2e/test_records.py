"""What a run leaves behind for people and programs."""

import json

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.ways import WAYS

PIPELINE = """
name = "app"

[tasks.make]
inputs = ["in"]
outputs = ["out"]
cache = true
run = "cat in > out; echo made"

[tasks.fail]
depends-on = ["make"]
allow-failure = true
run = "exit 5"

[tasks.elsewhere]
platforms = ["windows"]
run = "true"

[tasks.all]
depends-on = ["make", "fail", "elsewhere"]

[jobs.verify]
target = "all"
"""


def test_every_kind_of_run_leaves_a_valid_record(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    assert project.pipec("run", "verify").status == 0
    assert project.pipec("run", "verify", "--force").status == 0
    (project.folder / "out").unlink()
    assert project.pipec("run", "make").status == 0
    assert project.pipec("run", "make").status == 0
    project.write("in", "2")
    assert project.pipec("run", "make").status == 0
    first, forced, restored, quick, changed = read_records(project.folder)
    assert statuses(first) == {
        "elsewhere": "skipped",
        "make": "passed",
        "fail": "failed",
        "all": "passed",
    }
    assert first["request"]["targets"] == ["verify"]
    assert forced["tasks"][1]["verdict"]["kind"] == "forced"
    assert statuses(restored) == statuses(quick) == {"make": "cached"}
    assert quick["tasks"][0]["origin"]["run_id"] == forced["run_id"]
    assert quick["tasks"][0]["outputs"] == forced["tasks"][1]["outputs"]
    assert changed["tasks"][0]["verdict"] == {
        "kind": "miss",
        "component": "inputs",
        "changed": [{"path": "in", "change": "changed"}],
    }


def test_the_record_that_is_printed_is_the_one_that_is_kept(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    printed = json.loads(project.pipec("run", "make", "--format", "json").stdout.replace("<", ""))
    (kept,) = read_records(project.folder)
    assert printed.keys() == kept.keys()
    assert statuses(printed) == statuses(kept)


def test_the_journal_replayed_gives_the_record(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    project.pipec("run", "verify")
    (record,) = read_records(project.folder)
    events = read_journal(project.folder, record["run_id"])
    told = [e["task"] for e in events if e["event"] in ("task_finished", "task_skipped")]
    assert sorted(told, key=lambda task: task["id"]) == sorted(
        record["tasks"], key=lambda task: task["id"]
    )
    assert events[-1]["record"] == {key: v for key, v in record.items() if key != "tasks"}


def test_only_as_many_records_stay_as_are_asked_for(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    for _ in range(4):
        assert project.pipec("run", "make", env={"PIPEC_KEEP_RUNS": "2"}).status == 0
    assert len(read_records(project.folder)) == 2


@WAYS
def test_a_log_that_is_too_long_keeps_both_ends(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = "seq 10000"\n')
    assert project.pipec("run", "a", *way, env={"PIPEC_MAX_LOG_BYTES": "2000"}).status == 0
    (record,) = read_records(project.folder)
    log = project.read(f".pipec/runs/{record['run_id']}/logs/a.log")
    assert log.startswith("1\n2\n")
    assert log.endswith("9999\n10000\n")
    assert "bytes of output are left out here" in log
    assert len(log) < 2200


@WAYS
def test_a_log_without_a_limit_is_whole(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = "seq 1500000"\n')
    assert project.pipec("run", "a", *way, env={"PIPEC_MAX_LOG_BYTES": "0"}).status == 0
    (log,) = project.folder.glob(".pipec/runs/*/logs/a.log")
    # More than the eight mebibytes that are the limit unless another one is given.
    assert log.read_bytes() == b"".join(b"%d\n" % number for number in range(1, 1_500_001))


@WAYS
def test_a_task_that_prints_nothing_has_no_log(project: Project, way: tuple[str, ...]) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.quiet]\ncache = true\nrun = "true"\n'
        '[tasks.loud]\ndepends-on = ["quiet"]\nrun = "echo a; exit 1"\n'
        '[tasks.failing]\ndepends-on = ["quiet"]\nrun = "exit 1"\n',
    )
    for task, log in (("quiet", None), ("loud", "logs/loud.log"), ("failing", None)):
        project.pipec("run", task, *way)
        record = read_records(project.folder)[-1]
        assert record["tasks"][-1].get("log") == log
        kept = (project.folder / ".pipec/runs" / record["run_id"] / "logs").iterdir()
        assert [f"logs/{path.name}" for path in kept] == ([log] if log else [])
    assert project.pipec("run", "quiet", "--output-logs", "full").status == 0


def test_a_secret_is_nowhere(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\ncache = true\noutputs = ["o"]\n'
        'env = { TOKEN = { secret = "REAL_TOKEN" } }\n'
        'run = "touch o; echo $TOKEN; printf %s $TOKEN | base64; echo correct-horse >&2"\n'
        '[tasks.b]\ndepends-on = ["a"]\nrun = "echo $REAL_TOKEN; exit 1"\n'
        '[tasks.c]\ndepends-on = ["a"]\nrun = "correct-horse"\n',
    )
    env = {"REAL_TOKEN": "correct-horse"}
    for words in (["b"], ["c"], ["b", "--format", "jsonl"], ["a", "--output-logs", "full"]):
        result = project.pipec("run", *words, env=env)
        assert "correct-horse" not in result.stdout + result.stderr
        assert "Y29ycmVjdC1ob3JzZ" not in result.stdout + result.stderr
    for path in (project.folder / ".pipec").rglob("*"):
        is_compiled = path.parent.name == "ir"
        if path.is_file() and not is_compiled:
            assert b"correct-horse" not in path.read_bytes(), path
            assert b"Y29ycmVjdC1ob3JzZ" not in path.read_bytes(), path


def test_a_secret_too_short_to_be_masked_is_a_warning_once_and_without_its_value(
    project: Project,
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\nenv = { PIN = { secret = "REAL_PIN" } }\n'
        '[tasks.a]\nrun = "true"\n'
        '[tasks.b]\ndepends-on = ["a"]\nrequires = { secrets = ["CODE"] }\nrun = "true"\n'
        '[tasks.c]\ndepends-on = ["b"]\nenv = { LONG = { secret = "LONG" } }\nrun = "true"\n',
    )
    result = project.pipec("run", "c", env={"REAL_PIN": "§9", "CODE": "~7", "LONG": "1234"})
    assert result.status == 0
    (record,) = read_records(project.folder)
    warned = [(warning["code"], warning["message"]) for warning in record["warnings"]]
    assert warned == [
        (
            "PIPEC_SHORT_SECRET",
            f"the secret `{name}` has fewer than 4 characters and will not be masked",
        )
        for name in ("PIN", "CODE")
    ]
    assert result.stderr.count("warning[PIPEC_SHORT_SECRET]") == 2
    assert "§9" not in result.stderr + json.dumps(record, ensure_ascii=False)
    assert "~7" not in result.stderr + json.dumps(record)


def test_missing_secrets_are_reported_before_anything_runs(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n'
        '[tasks.a]\nrun = "touch ran"\n'
        '[tasks.b]\ndepends-on = ["a"]\nenv = { X = { secret = "SX" } }\nrun = "true"\n'
        '[tasks.c]\ndepends-on = ["b"]\nrun = { sh = "true", env = { Y = { var = "VY" } } }\n',
    )
    result = project.pipec("run", "c")
    assert result.status == 2
    assert "PIPEC_MISSING_SECRET" in result.stderr
    assert "PIPEC_MISSING_VARIABLE" in result.stderr
    assert not (project.folder / "ran").exists()
    assert read_records(project.folder) == []
