"""`pipec verify --twice`: whether a task makes the same outputs wherever it runs."""

import json
import os
from collections.abc import Iterable
from typing import Any

import jsonschema_rs
import pytest

from tests.conftest import Project, Result
from tests.e2e.records import SCHEMAS, read_records


def verified(project: Project, run: str, outputs: str = '["out/**"]', more: str = "") -> Any:
    """The answer for programs about a task, which keeps to its schema."""
    text = f"name = 'app'\n{more}\n[tasks.t]\noutputs = {outputs}\nrun = '''{run}'''\n"
    project.write("pipeline.toml", text)
    printed = project.start("verify", "--twice", "t", "--format", "json").communicate()[0]
    out = json.loads(printed)
    schema = json.loads((SCHEMAS / "cli/verify.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(out)
    return out


@pytest.mark.parametrize(
    ("run", "difference"),
    [
        ("mkdir -p out; pwd > out/a", {"kind": "content", "path": "out/a"}),
        (
            "mkdir -p out; printf 'same\\nx' > out/a; date +%H >> out/a",
            {"kind": "content", "line": 2, "offset": 6},
        ),
        ("mkdir -p out; echo $LC_ALL > out/a", {"kind": "content", "offset": 1}),
        ("mkdir -p out; echo 1 > out/a; test $(umask) = 0022 || echo 2 > out/b", {"path": "out/b"}),
        (
            "mkdir -p out; python3 -c 'import uuid; print(uuid.uuid4())' > out/a",
            {"kind": "content", "path": "out/a"},
        ),
        ("mkdir -p out; ln -s $PWD out/l", {"kind": "link", "path": "out/l"}),
        (
            "mkdir -p out; echo 1 > out/a; test $(umask) = 0022 || chmod +x out/a",
            {"kind": "executable", "path": "out/a"},
        ),
        (
            "mkdir -p out; test $(umask) = 0022 && echo 1 > out/a || ln -s x out/a",
            {"kind": "kind", "before": "file", "after": "link"},
        ),
    ],
    ids=["folder", "time zone", "locale", "missing", "chance", "link", "executable", "kind"],
)
def test_the_first_difference_is_named(
    project: Project, run: str, difference: dict[str, Any]
) -> None:
    document = verified(project, run)
    assert not document["is_reproducible"]
    assert document["differing"] == 1
    assert difference.items() <= document["differences"][0].items()


SAME_CPUS = "both runs had the same number of processors: this machine gives no choice\n"


def test_the_number_of_processors_differs_as_far_as_the_machine_has_several(
    project: Project,
) -> None:
    usable = len(os.sched_getaffinity(0))
    document = verified(project, "mkdir -p out; nproc > out/n")
    assert [around["cpus"] for around in document["conditions"]] == [usable, 1]
    # With one processor there is nothing to find, and that is said: the test after this one.
    found = [(one["path"], one["before"], one["after"]) for one in document["differences"]]
    different = [("out/n", f"{usable}\n".encode().hex(" "), b"1\n".hex(" "))]
    assert found == (different if usable > 1 else [])


def test_with_one_processor_it_says_that_their_number_was_the_same(project: Project) -> None:
    verified(project, "mkdir -p out; nproc > out/n")
    one = sorted(os.sched_getaffinity(0))[:1]
    process = project.start("verify", "--twice", "t", preexec_fn=lambda: bind_to(one))
    out, err = process.communicate(timeout=60)
    assert out.startswith(b"t makes the same twice")
    assert err.decode() == SAME_CPUS


def bind_to(cpus: Iterable[int]) -> None:
    """Leaves a process that is about to start no other processors."""
    os.sched_setaffinity(0, cpus)


def test_a_task_that_depends_on_nothing_of_this_makes_the_same(project: Project) -> None:
    project.write("src/a", "1\n")
    document = verified(project, "mkdir -p out; cp src/a out/a; chmod 700 out/a; echo 2 > out/b")
    assert document["is_reproducible"]
    assert (document["files"], document["bytes"]) == (2, 4)
    one, other = document["conditions"]
    assert all(one[name] != other[name] for name in ("folder", "time_zone", "locale", "umask"))
    several = len(os.sched_getaffinity(0)) > 1
    assert project.pipec("verify", "--twice", "t") == Result(
        "t makes the same twice: 2 outputs, <size>\n", "" if several else SAME_CPUS, 0
    )


def test_the_difference_is_told_to_the_byte(project: Project) -> None:
    verified(project, "mkdir -p out; printf ab > out/a; test $(umask) = 0022 || printf c >> out/a")
    result = project.pipec("verify", "--twice", "t")
    assert result.stdout == (
        "error[PIPEC_NOT_REPRODUCIBLE]: t: `out/a` differs from byte 2 (line 1) on: the end | 63\n"
    )
    assert result.status == 1


def test_the_project_stays_as_it_was(project: Project) -> None:
    project.write("out/old", "mine\n")
    project.write("src/a", "1\n")
    verified(project, "echo changed > src/a; mkdir -p out; echo 1 > out/a")
    assert project.read("out/old") == "mine\n"
    assert project.read("src/a") == "1\n"
    assert not (project.folder / "out/a").exists()
    assert read_records(project.folder) == []


def test_what_it_depends_on_runs_once_and_before(project: Project) -> None:
    project.write(
        "pipeline.toml",
        "name = 'app'\n"
        "[tasks.first]\noutputs = ['made']\nrun = 'date +%N > made'\n"
        "[tasks.t]\ndepends-on = ['first']\noutputs = ['out']\nrun = 'cat made > out'\n",
    )
    result = project.pipec("verify", "--twice", "t")
    assert result.stdout.startswith("t makes the same twice")
    assert len(read_records(project.folder)) == 1


def test_what_cannot_be_verified_says_why(project: Project) -> None:
    tasks = "[tasks.t]\nrun='true'\n[tasks.u]\nrun='exit 3'\noutputs=['o']\n"
    project.write("pipeline.toml", f"name='app'\n{tasks}")
    for words, code in (
        (["t"], "PIPEC_USAGE"),
        (["u"], "PIPEC_STEP_FAILED"),
        (["nosuch"], "PIPEC_UNKNOWN_TARGET"),
    ):
        result = project.pipec("verify", "--twice", *words)
        assert f"error[{code}]" in result.stderr
        assert result.status in (1, 2)


def test_verify_without_twice_is_the_job_of_that_name(project: Project) -> None:
    project.write("pipeline.toml", "name='app'\n[tasks.t]\nrun='true'\n[jobs.verify]\ntarget='t'\n")
    assert project.pipec("verify").status == 0
    assert project.pipec("verify", "--concurrency", "1").status == 0
    assert [record["request"]["targets"] for record in read_records(project.folder)] == [
        ["verify"]
    ] * 2


SECRET = "hunter2&more than"
DIFFERENT = "mkdir -p out; test $(umask) = 0022 && n=1 || n=2; "


def write_secretive(project: Project, run: str) -> None:
    run = json.dumps(DIFFERENT + run)
    secrets = 'env = { TOKEN = { secret = "TOKEN" } }'
    project.write(
        "pipeline.toml", f"name = 'app'\n{secrets}\n[tasks.t]\noutputs = ['out/**']\nrun = {run}\n"
    )


@pytest.mark.parametrize(
    "run",
    [
        'printf "%s$TOKEN" $n > out/a',
        'printf "$n 3456789012345%s" "$TOKEN" > out/a',
        'printf "%.8s$n%s" "$TOKEN" "$TOKEN" > out/a',
        'test $n = 1 && printf "%s" "$TOKEN" > out/a || printf "%.16s!" "$TOKEN" > out/a',
        'printf "x$n%s" "$TOKEN" | base64 > out/a',
        """printf '{"%s": "hunter2%%26more%%20than"}' $n > out/a""",
        r"""printf '{"%s": "hunter2\\u0026more than"}' $n > out/a""",
    ],
    ids=["behind", "one byte", "after a part", "its last", "base64", "URL", "JSON"],
)
def test_no_byte_of_a_secret_is_shown(project: Project, run: str) -> None:
    write_secretive(project, run)
    printed = project.pipec("verify", "--twice", "t", env={"TOKEN": SECRET})
    assert printed.status == 1, printed
    assert "on: not shown, for it is of a secret" in printed.stdout
    out = project.pipec("verify", "--twice", "t", "--format", "json", env={"TOKEN": SECRET})
    (difference,) = json.loads(out.stdout)["differences"]
    assert (difference["before"], difference["after"]) == ("", "")
    assert difference["is_hidden"]


def test_what_is_beside_a_secret_is_shown(project: Project) -> None:
    run = 'printf "$n 34567890123456%s" "$TOKEN" > out/a; ln -s "$TOKEN$n" out/b'
    write_secretive(project, run)
    printed = project.pipec("verify", "--twice", "t", env={"TOKEN": SECRET})
    assert "31 20 33" in printed.stdout
    assert "links to ***1 and to ***2" in printed.stdout
    assert "hunter2" not in printed.stdout
