"""Services: up before the first task that needs them, until the last has ended, no longer."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left

if TYPE_CHECKING:
    import subprocess

SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204 if self.path == "/health" else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])))"


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def listening() -> Iterator[int]:
    """Somebody else who takes connections."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def last(project: Project) -> dict[str, Any]:
    return read_records(project.folder)[-1]


def events(project: Project, *kinds: str) -> list[dict[str, Any]]:
    """The events of these kinds in the newest journal."""
    journal = read_journal(project.folder, last(project)["run_id"])
    return [event for event in journal if event["event"] in kinds]


def task(record: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (task for task in record["tasks"] if task["id"] == name)
    assert isinstance(found, dict)
    return found


def pipeline(project: Project, serve: str, service: str, test: str, more: str = "") -> None:
    """A service `web`, and a task `test` that needs it."""
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.web]\nrun = {json.dumps(serve)}\nservice = {service}\n'
        f'[tasks.test]\ndepends-on = ["web"]\nrun = {json.dumps(test)}\n{more}',
    )


def test_a_service_is_ready_when_a_line_of_its_output_says_so(project: Project) -> None:
    serve = "printf '\\033[32mlisten'; cat gate > /dev/null; echo 'ing on 1234'; exec sleep 300"
    pipeline(project, serve, '{ ready = "^listening on \\\\d+$" }', "echo tested")
    os.mkfifo(project.folder / "gate")
    mark = str(project.folder)
    process = project.start("run", "test", env={MARK: mark})
    # Half a line is not the line: only when the gate is open can the task start.
    (project.folder / "gate").write_text("")
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert_none_left(mark)
    record = last(project)
    assert statuses(record) == {"web": "passed", "test": "passed"}
    web = task(record, "web")
    assert web["verdict"] == {"kind": "service"}
    assert web["service"]["restarts"] == 0
    assert web["service"]["ready_after_ms"] >= 0
    kinds = ("service_started", "service_ready", "task_started", "service_stopped")
    told = [(event["event"], event["task"]) for event in events(project, *kinds)]
    assert told == [
        ("task_started", "web"),
        ("service_started", "web"),
        ("service_ready", "web"),
        ("task_started", "test"),
        ("service_stopped", "web"),
    ]
    assert events(project, "service_stopped")[0]["reason"] == "no longer needed"
    log = project.read(f".pipec/runs/{record['run_id']}/logs/web.log")
    assert log == "\033[32mlistening on 1234\n"


@pytest.mark.parametrize("kind", ["http", "port", "command"])
def test_a_service_is_ready_when_it_answers(project: Project, kind: str) -> None:
    port = free_port()
    project.write("server.py", SERVER)
    project.write("connect.py", CONNECT)
    ready = {
        "http": f'{{ http = "http://localhost:{port}/health" }}',
        "port": f"{{ port = {port} }}",
        "command": f'{{ command = "python3 connect.py {port}" }}',
    }
    pipeline(
        project,
        f"python3 server.py {port}",
        f"{{ ready = {ready[kind]} }}",
        f"python3 connect.py {port}",
    )
    mark = str(project.folder)
    result = project.pipec("run", "test", env={MARK: mark})
    assert result.status == 0, result.stderr
    assert_none_left(mark)
    assert statuses(last(project)) == {"web": "passed", "test": "passed"}


def test_an_address_that_answers_with_an_error_is_not_ready(project: Project) -> None:
    port = free_port()
    project.write("server.py", SERVER)
    address = f"http://localhost:{port}/other"
    service = f'{{ ready = {{ http = "{address}" }}, ready-timeout = "2s" }}'
    pipeline(project, f"exec python3 server.py {port}", service, "true")
    result = project.pipec("run", "test")
    assert result.status == 1
    assert task(last(project), "web")["error"]["code"] == "PIPEC_SERVICE_NOT_READY"
    assert f"`{address}` answers with status 503" in result.stderr


def test_a_service_that_ends_before_it_is_ready_is_told_of_with_its_log(project: Project) -> None:
    pipeline(project, "echo no table; exit 3", '{ ready = "listening" }', "touch ran")
    result = project.pipec("run", "test")
    assert result.status == 1
    message = "the service `web` did not become ready: it ended with exit status 3"
    assert f"error[PIPEC_SERVICE_NOT_READY]: web: {message}" in result.stderr
    assert "--- log of web\nno table\n--- end of web\n" in result.stderr
    record = last(project)
    assert statuses(record) == {"web": "failed", "test": "skipped"}
    assert task(record, "test")["reason"] == "dependency failed: web"
    assert not (project.folder / "ran").exists()


def test_a_service_that_ends_while_it_is_needed_ends_the_task(project: Project) -> None:
    os.mkfifo(project.folder / "gate")
    pipeline(
        project,
        "echo listening; cat gate > /dev/null; exit 4",
        '{ ready = "listening" }',
        "echo > gate; sleep 300",
        '[tasks.later]\ndepends-on = ["test"]\nrun = "touch ran"\n',
    )
    mark = str(project.folder)
    result = project.pipec("run", "later", env={MARK: mark})
    assert result.status == 1
    assert_none_left(mark)
    record = last(project)
    assert statuses(record) == {"web": "failed", "test": "failed", "later": "skipped"}
    assert task(record, "web")["error"] == {
        "code": "PIPEC_SERVICE_ENDED",
        "message": "the service `web` ended while it was needed: it ended with exit status 4",
    }
    assert task(record, "test")["error"] == {
        "code": "PIPEC_SERVICE_ENDED",
        "message": "the service `web` ended while the task needed it",
    }
    assert task(record, "later")["reason"] == "dependency failed: test"


def test_a_service_is_started_again_as_often_as_it_may(project: Project) -> None:
    service = '{ ready = "up", restart = "on-failure", max-restarts = 2, restart-delay = "1ms" }'
    serve = "echo start >> starts; test $(wc -l < starts) = 3 || exit 1; echo up; exec sleep 300"
    pipeline(project, serve, service, "cat starts")
    result = project.pipec("run", "test")
    assert result.status == 0, result.stderr
    assert project.read("starts") == "start\n" * 3
    web = task(last(project), "web")
    assert web["service"]["restarts"] == 2
    assert [attempt["exit_code"] for attempt in web["attempts"]] == [1, 1, 143]
    again = events(project, "service_restarted")
    assert [(event["number"], event["limit"]) for event in again] == [(1, 2), (2, 2)]
    assert again[0]["reason"] == "it ended with exit status 1"
    (project.folder / "starts").unlink()
    pipeline(project, "echo start >> starts; exit 1", service, "true")
    assert project.pipec("run", "test").status == 1
    assert project.read("starts") == "start\n" * 3
    assert "3 times" in task(last(project), "web")["error"]["message"]


@pytest.mark.parametrize(("policy", "starts"), [("on-failure", 1), ("always", 2)])
def test_whether_an_end_without_failure_counts_is_a_matter_of_policy(
    project: Project, policy: str, starts: int
) -> None:
    service = f'{{ ready = "up", restart = "{policy}", max-restarts = 1, restart-delay = 1 }}'
    pipeline(project, "echo start >> starts", service, "true")
    assert project.pipec("run", "test").status == 1
    assert project.read("starts") == "start\n" * starts


def test_a_port_that_somebody_else_has_is_not_taken_for_ready(project: Project) -> None:
    with listening() as port:
        pipeline(project, "touch started", f"{{ ready = {{ port = {port} }} }}", "touch ran")
        result = project.pipec("run", "test")
        assert result.status == 1
        error = task(last(project), "web")["error"]
        assert error["code"] == "PIPEC_PORT_IN_USE"
        holder = f"port {port} is in use already by process {os.getpid()} ("
        assert error["message"].startswith(holder)
        address = f'{{ ready = {{ http = "http://127.0.0.1:{port}/" }} }}'
        pipeline(project, "touch started", address, "touch ran")
        assert project.pipec("run", "test").status == 1
        assert task(last(project), "web")["error"]["code"] == "PIPEC_PORT_IN_USE"
    assert not (project.folder / "started").exists()
    assert not (project.folder / "ran").exists()


CACHED = """
name = "app"
[tasks.web]
inputs = ["server"]
run = "echo started >> starts; echo up; exec sleep 300"
service = { ready = "up" }
[tasks.unit]
inputs = ["unit"]
outputs = []
cache = true
run = "cat unit"
[tasks.test]
depends-on = ["web", "unit"]
inputs = ["src"]
outputs = []
cache = true
run = "cat src"
[tasks.all]
depends-on = ["test"]
"""


def test_nothing_is_started_for_tasks_that_are_cached(project: Project) -> None:
    project.write("pipeline.toml", CACHED)
    for name in ("server", "src", "unit"):
        project.write(name, "1")
    assert project.pipec("run", "all").status == 0
    assert project.read("starts") == "started\n"
    # Neither when everything is, nor when something runs that does not need it.
    for changed in (None, "unit"):
        if changed:
            project.write(changed, "2")
            project.write("src", "1")
        result = project.pipec("run", "unit" if changed else "all")
        assert result.status == 0, result.stderr
        assert project.read("starts") == "started\n"
    assert project.pipec("run", "all").status == 0
    project.write("src", "2")
    assert project.pipec("run", "all").status == 0
    assert project.read("starts") == "started\n" * 3
    result = project.pipec("run", "all", "--dry")
    assert "web" in result.stdout + result.stderr


def test_a_dependent_runs_again_when_its_service_is_another_one(project: Project) -> None:
    project.write("pipeline.toml", CACHED)
    for name in ("server", "src", "unit"):
        project.write(name, "1")
    assert project.pipec("run", "all").status == 0
    project.write("server", "2")
    assert project.pipec("run", "all").status == 0
    assert statuses(last(project)) == {
        "web": "passed",
        "unit": "cached",
        "test": "passed",
        "all": "passed",
    }
    # How it is kept running is no part of what it is.
    text = CACHED.replace('ready = "up"', 'ready = "u", restart = "always"')
    project.write("pipeline.toml", text)
    assert project.pipec("run", "all").status == 0
    assert statuses(last(project))["test"] == "cached"
    assert task(last(project), "web")["reason"].startswith("not needed")


def test_a_service_stays_until_the_last_task_that_needs_it_has_ended(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
name = "app"
[tasks.db]
run = "echo db up; trap 'echo db down >> order; exit 0' TERM; while :; do sleep 0.01; done"
service = { ready = "db up" }
[tasks.web]
depends-on = ["db"]
run = "echo web up; trap 'echo web down >> order; exit 0' TERM; while :; do sleep 0.01; done"
service = { ready = "web up" }
[tasks.servers]
depends-on = ["web"]
[tasks.first]
depends-on = ["servers"]
run = "echo first >> order"
[tasks.second]
depends-on = ["first", "web"]
run = "echo second >> order"
[tasks.third]
depends-on = ["second"]
run = "echo third >> order"
""",
    )
    mark = str(project.folder)
    result = project.pipec("run", "third", "--concurrency", "1", env={MARK: mark})
    assert result.status == 0, result.stderr
    assert_none_left(mark)
    order = project.read("order").split("\n")
    assert order[:2] == ["first", "second"]
    assert order.index("web down") < order.index("db down")
    assert set(statuses(last(project)).values()) == {"passed"}


def test_a_service_that_is_asked_for_stays_until_it_is_interrupted(project: Project) -> None:
    os.mkfifo(project.folder / "started")
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\nrun = "echo listening; echo > started; exec sleep 300"\n'
        'service = { ready = "listening" }\n[tasks.servers]\ndepends-on = ["web"]\n'
        '[jobs.dev]\ntarget = "servers"\n',
    )
    mark = str(project.folder)
    process = project.start("run", "dev", env={MARK: mark})
    (project.folder / "started").read_text()
    assert process.stderr is not None
    lines = {process.stderr.readline() for _ in range(2)}
    assert b"web     | listening\n" in lines
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert_none_left(mark)
    record = last(project)
    assert record["status"] == "interrupted"
    assert statuses(record)["web"] == "cancelled"
    assert events(project, "service_stopped")[0]["reason"] == "interrupted"


def test_a_service_that_is_asked_for_and_ends_fails_the_run(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\nrun = "echo up"\nservice = {}\n',
    )
    assert project.pipec("run", "web").status == 1
    assert task(last(project), "web")["error"]["code"] == "PIPEC_SERVICE_ENDED"


def start_and_wait(project: Project, serve: str, *, mark: str) -> "subprocess.Popen[bytes]":
    """A run whose task is under way, with its service up."""
    os.mkfifo(project.folder / "started")
    pipeline(
        project,
        serve,
        '{ ready = "up", grace = "200ms" }',
        "echo > started; sleep 300",
    )
    process = project.start("run", "test", env={MARK: mark})
    (project.folder / "started").read_text()
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_service_outlives_pipec(project: Project, number: signal.Signals) -> None:
    mark = str(project.folder)
    stubborn = "setsid sleep 300 & trap '' TERM INT; echo up; while :; do sleep 0.05; done"
    process = start_and_wait(project, stubborn, mark=mark)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert_none_left(mark)


def test_a_service_has_its_own_grace(project: Project) -> None:
    mark = str(project.folder)
    slow = (
        "trap 'sleep 0.1; echo saved > saved; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    )
    pipeline(project, slow, '{ ready = "up", grace = "30s" }', "true")
    assert project.pipec("run", "test", env={MARK: mark}).status == 0
    assert project.read("saved") == "saved\n"
    assert_none_left(mark)


def test_what_a_service_prints_holds_no_secret(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\nenv = { TOKEN = { secret = "TOKEN" } }\n'
        "run = 'echo up with $TOKEN; exit 1'\n"
        "service = { ready = { command = 'echo $TOKEN; false' } }\n"
        '[tasks.test]\ndepends-on = ["web"]\nrun = "true"\n',
    )
    result = project.pipec("run", "test", env={"TOKEN": "s3cr3t-value"})
    assert result.status == 1
    assert "s3cr3t-value" not in result.stderr
    for path in (project.folder / ".pipec").rglob("*"):
        if path.is_file():
            assert b"s3cr3t-value" not in path.read_bytes(), path


def test_a_service_of_another_system_is_nobody_s_need(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\nplatforms = ["windows"]\nrun = "exit 1"\nservice = {}\n'
        '[tasks.test]\ndepends-on = ["web"]\nrun = "true"\n',
    )
    result = project.pipec("run", "test")
    assert result.status == 0, result.stderr
    assert statuses(last(project)) == {"web": "skipped", "test": "passed"}


def test_a_service_is_shown_with_when_it_is_ready(project: Project) -> None:
    pipeline(project, "serve", '{ ready = { port = 3000 }, restart = "always" }', "true")
    shown = project.pipec("show", "web").stdout
    assert "  service       ready when port 3000 is open\n" in shown
    assert "                restart always, 5 times at most\n" in shown
