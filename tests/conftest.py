"""The `project` fixture: a folder of one's own, and pipec as a user calls it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is; each test has a time limit of its own.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Whoever started the tests may ignore signals (`nohup`, `&` in a script), and children would too.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP):
    if signal.getsignal(number) is signal.SIG_IGN:
        is_ours = number is signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_ours else signal.SIG_DFL)

DURATION = re.compile(r" *(?<![\w.-])\d+(?:\.\d+)?(?:ms|s|m|h)(?: \d+(?:s|m))?(?![\w-])")
RUN_ID = re.compile(r"\b\d{8}T\d{6}\.\d{3}-[0-9a-f]{8}\b")
SIZE = re.compile(r"\b\d+(?:\.\d+)? (?:B|[KMG]iB)(?!\w)")
WHEN = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed and how it ended. Whatever no two runs share is a placeholder."""

    stdout: str
    stderr: str
    status: int


class Project:
    """A folder with a pipeline, and the commands that a user calls in it."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self.folder = folder
        self.environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            # Tests tell a slow machine from a hanging one by their own time limit.
            "PYTHONWARNINGS": "error",
        }

    def write(self, path: str, text: str = "") -> Path:
        """Writes a file, and the folders that it needs."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="surrogateescape")
        return target

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.folder / path).read_text(encoding="utf-8")

    def start(
        self, *words: str, env: Mapping[str, str] | None = None, **options: object
    ) -> subprocess.Popen[bytes]:
        """Starts pipec; its output is readable at `stdout` and `stderr`."""
        pipes: dict[str, object] = {
            "cwd": self.folder,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        process = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "pipec", *words],
            env={**self.environment, **(env or {})},
            **{**pipes, **options},
        )
        self._started.append(process)
        return process  # type: ignore[no-any-return]

    def close(self) -> None:
        """Ends what still runs, and closes what was not read to its end.

        A test that fails on a busy machine leaves processes behind. Without this the garbage
        collector would complain of them, in whichever test comes to collect them.
        """
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
                # What was not written yet is for nobody any more.
                with suppress(BrokenPipeError):
                    stream.close()
        self._started.clear()

    def pipec(self, *words: str, env: Mapping[str, str] | None = None, cwd: str = "") -> Result:
        """Calls pipec and waits for its end."""
        process = self.start(*words, env=env, cwd=self.folder / cwd)
        out, err = process.communicate(timeout=60)
        return Result(self.plain(out), self.plain(err), process.returncode)

    def plain(self, output: bytes) -> str:
        """The output as text, with placeholders."""
        text = output.decode("utf-8", "surrogateescape").replace(str(self.folder), "<project>")
        text = DIGEST.sub("<digest>", RUN_ID.sub("<run>", text))
        return DURATION.sub(" <time>", SIZE.sub("<size>", WHEN.sub("<when>", text)))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project."""
    folder = tmp_path / "project"
    folder.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    project = Project(folder, home)
    yield project
    project.close()


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes several projects for one test, by name."""
    made: list[Project] = []

    def make(name: str) -> Project:
        folder = tmp_path / name
        folder.mkdir()
        home = tmp_path / f"{name}-home"
        home.mkdir()
        made.append(Project(folder, home))
        return made[-1]

    yield make
    for project in made:
        project.close()
