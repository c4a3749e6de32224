"""Records that anybody may have damaged: every command that reads them gives findings, no more."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec.cli.main import main
from tests.e2e.collector import open_collector
from tests.property.damage import damaged
from tests.property.effort import laws

PIPELINE = """
name = "app"
[tasks.good]
inputs = ["source"]
outputs = ["out"]
cache = true
run = "cp source out"
[tasks.bad]
inputs = ["source"]
depends-on = ["good"]
retry = { attempts = 2 }
run = "echo words; exit 3"
[tasks.after]
depends-on = ["bad"]
run = "true"
[jobs.verify]
target = "after"
"""

FILES = ("execution.json", "journal.jsonl", "graph.json", "context/bad.json")

COMMANDS = (
    ("runs", "ls"),
    ("runs", "ls", "--format", "json"),
    ("runs", "show"),
    ("runs", "show", "RUN"),
    ("runs", "show", "RUN", "--format", "json"),
    ("runs", "open", "RUN"),
    ("runs", "open", "RUN", "--task", "bad"),
    ("runs", "export", "RUN"),
    ("runs", "export", "RUN", "--format", "junit"),
    ("runs", "export", "RUN", "--format", "graph"),
    ("runs", "export", "RUN", "--format", "context"),
    ("runs", "export", "RUN", "--format", "otlp", "--to", "COLLECTOR"),
    ("why", "good"),
    ("why", "bad", "--run", "RUN"),
    ("why", "bad", "--format", "json"),
    ("explain", "--run", "RUN"),
    ("explain", "--run", "RUN", "--format", "json"),
    ("explain", "--run", "latest"),
    ("profile",),
    ("profile", "RUN", "--format", "json"),
    ("doctor", "--format", "json"),
    ("gc", "--dry"),
)


@dataclass(frozen=True)
class Recorded:
    """A project with two runs, the second of them as it was before anybody damaged it."""

    folder: Path
    run: str
    collector: str

    def file(self, name: str) -> Path:
        return self.folder / ".pipec" / "runs" / self.run / name

    def damage(self, name: str, contents: bytes) -> None:
        """Damages one file of the record; all others are as they were."""
        for other in FILES:
            shutil.copyfile(self.folder / "kept" / other, self.file(other))
        self.file(name).write_bytes(contents)

    def call(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        """Calls pipec in this process. Status, and what it printed."""
        stand_for = {"RUN": self.run, "COLLECTOR": self.collector}
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            status = main([stand_for.get(word, word) for word in words])
            for stream in streams:
                stream.flush()
        out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
        return status, out, err


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A passing run, then one in which a task fails."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "pipeline.toml").write_text(PIPELINE)
    (folder / "source").write_text("text")
    for words in (["run-task", "good"], ["run", "verify", "--concurrency", "1"]):
        command = [sys.executable, "-m", "pipec", *words]
        subprocess.run(command, cwd=folder, check=False, capture_output=True)
    run = max(path.name for path in (folder / ".pipec" / "runs").iterdir())
    for name in FILES:
        kept = folder / "kept" / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / ".pipec" / "runs" / run / name, kept)
    before = Path.cwd()
    os.chdir(folder)
    with open_collector() as collector:
        yield Recorded(folder, run, collector.url)
    os.chdir(before)


def check_is_no_surprise(words: tuple[str, ...], status: int, out: str, err: str) -> None:
    assert status in (0, 1, 2), (words, err)
    assert "PIPEC_BUG" not in err, (words, err)
    assert "Traceback" not in out + err, (words, err)
    assert "\x1b[2J" not in out + err, words
    assert bool(status) == bool("error[" in err), (words, err)
    if status == 0 and "json" in words:
        json.loads(out, parse_constant=pytest.fail)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_can_read_a_record_that_is_whole(
    recorded: Recorded, words: tuple[str, ...]
) -> None:
    for name in FILES:
        recorded.damage(name, (recorded.folder / "kept" / name).read_bytes())
    status, out, err = recorded.call(words)
    assert status == 0, err
    check_is_no_surprise(words, status, out, err)


@laws(100)
@given(data=st.data())
def test_whatever_was_done_to_a_record_every_command_gives_findings(
    recorded: Recorded, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(FILES), label="file")
    contents = (recorded.folder / "kept" / name).read_bytes()
    recorded.damage(name, data.draw(damaged(contents), label="contents"))
    chosen = st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=3, unique=True)
    for words in data.draw(chosen, label="commands"):
        check_is_no_surprise(words, *recorded.call(words))


@laws(40)
@given(data=st.data())
def test_whatever_a_crash_left_behind_the_next_run_passes(
    recorded: Recorded, data: st.DataObject
) -> None:
    lock = recorded.folder / ".pipec" / "run.lock"
    note = {"pid": 2**22, "started_ms": 1, "run_id": recorded.run, "action": "run"}
    record = json.loads((recorded.folder / "kept" / "execution.json").read_bytes())
    record["status"] = "running"
    for task in record["tasks"]:
        task.update(status="waiting")
    left = {
        "execution.json": json.dumps(record).encode(),
        "journal.jsonl": (recorded.folder / "kept" / "journal.jsonl").read_bytes(),
        "run.lock": json.dumps(note).encode(),
    }
    name = data.draw(st.sampled_from(sorted(left)), label="file")
    left[name] = data.draw(damaged(left[name]), label="contents")
    lock.write_bytes(left.pop("run.lock"))
    for run in (recorded.folder / ".pipec" / "runs").iterdir():
        # Only so many are kept: the one in question must not go.
        if run.name != recorded.run:
            shutil.rmtree(run)
    for other, contents in left.items():
        recorded.file(other).write_bytes(contents)
    words = ("run-task", "good", "--concurrency", "1")
    status, out, err = recorded.call(words)
    assert status == 0, err
    check_is_no_surprise(words, status, out, err)
    check_is_no_surprise(("doctor",), *recorded.call(("doctor",)))
    if name == "journal.jsonl":
        closed = json.loads(recorded.file("execution.json").read_bytes())
        assert (closed["status"], closed["reason"]) == ("interrupted", "crashed")
