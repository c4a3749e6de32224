"""Runs a Markdown page: writes its files, runs its console blocks and gives back what they printed.

Fenced blocks with these info strings count, in the order in which they stand on the page:

- `<language> title="<path>"` is a file to write;
- `sh setup` is a script that brings about a state the reader does not type;
- `console` holds `$ command` lines, each followed by exactly what a user then sees, standard output
  before standard error, and by `exit status N` where N is not 0.

`python -m tests.docs.runner PAGE…` writes what the commands print now into the pages.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

TITLE = re.compile(r'\btitle="(?P<path>[^"]+)"')
PROMPT = "$ "

# What differs from one run to the next. The blanks before a duration may be padding.
DURATION = re.compile(
    r" *(?<![\w.-])\d+(?:\.\d+)? ?(?:µs|ms|s|m|h)(?: ?\d+(?:\.\d+)?(?:ms|s|m))*(?![\w-])"
)
RUN_ID = re.compile(r"\b\d{8}T\d{6}[0-9A-Za-z.-]*\b")
KEY = re.compile(r"\b[0-9a-f]{2}/?[0-9a-f]{62}\b")
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)?")
PROCESS = re.compile(r"\bprocess \d+\b")


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page asks its reader to write."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Setup:
    """A script that prepares what the page is about."""

    script: str


@dataclass(frozen=True, slots=True)
class Session:
    """Commands and what they print; `start` and `end` are the lines of its text in the page."""

    text: str
    start: int
    end: int

    @property
    def commands(self) -> list[str]:
        """The lines that a user types."""
        return [line[len(PROMPT) :] for line in self.text.splitlines() if line.startswith(PROMPT)]


Block = File | Setup | Session


def read_blocks(page: str) -> list[Block]:
    """The blocks of a page that take part in running it."""
    blocks: list[Block] = []
    for token in MarkdownIt().parse(page):
        if token.type != "fence" or token.map is None:
            continue
        words = token.info.split()
        if title := TITLE.search(token.info):
            blocks.append(File(title["path"], token.content))
        elif words[:1] == ["console"]:
            blocks.append(Session(token.content, token.map[0] + 1, token.map[1] - 1))
        elif words == ["sh", "setup"]:
            blocks.append(Setup(token.content))
    return blocks


def normalize(text: str) -> str:
    """The text with everything that no two runs share replaced by a placeholder."""
    text = KEY.sub("<key>", RUN_ID.sub("<run>", MOMENT.sub("<moment>", text)))
    text = DURATION.sub(" <time>", PROCESS.sub("process <pid>", text))
    text = re.sub(r" +<time>", " <time>", text)
    # Whether a cached run was any faster depends on the machine.
    return text.replace(" (saved <time>)", "")


class Reader:
    """Somebody who follows a page in a folder of their own, at a terminal without colours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: list[int] = []

    def follow(self, block: Block) -> str | None:
        """Does what the block says; gives the transcript if it is a session."""
        match block:
            case File(path, text):
                target = self._folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
                return None
            case Setup(script):
                self._set_up(script)
                return None
            case Session():
                return "".join(self._type(command) for command in block.commands)

    def leave(self) -> None:
        """Ends whatever a set-up left running."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _set_up(self, script: str) -> None:
        process = subprocess.Popen(
            ["sh", "-e", "-c", script],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._groups.append(process.pid)
        if process.wait(timeout=60) != 0:
            raise AssertionError(f"the set-up failed with {process.returncode}:\n{script}")

    def _type(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=120,
        )
        output = b"".join(
            stream if stream.endswith(b"\n") or not stream else stream + b"\n"
            for stream in (done.stdout, done.stderr)
        ).decode("utf-8", "backslashreplace")
        output = output.replace(str(self._folder), "<project>")
        status = f"exit status {done.returncode}\n" if done.returncode else ""
        return f"{PROMPT}{command}\n{output}{status}"

    def _environment(self) -> Mapping[str, str]:
        home = self._folder.parent / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }


@dataclass(frozen=True, slots=True)
class Transcript:
    """A session of a page, as written and as it went."""

    session: Session
    actual: str


def run_page(page: str, folder: Path) -> list[Transcript]:
    """Follows a page from top to bottom in an empty folder."""
    project = (folder / "project").resolve()
    project.mkdir()
    reader = Reader(project)
    transcripts: list[Transcript] = []
    try:
        for block in read_blocks(page):
            actual = reader.follow(block)
            if isinstance(block, Session) and actual is not None:
                transcripts.append(Transcript(block, actual))
    finally:
        reader.leave()
    return transcripts


def check_page(path: Path, folder: Path) -> None:
    """Asserts that every session of the page prints what the page says."""
    for transcript in run_page(path.read_text(encoding="utf-8"), folder):
        assert normalize(transcript.actual) == normalize(transcript.session.text), (
            f"{path.name}, line {transcript.session.start}: "
            f"`python -m tests.docs.runner {shlex.quote(str(path))}` writes what is printed now"
        )


def rewrite_page(path: Path) -> None:
    """Puts what the sessions print now in the place of what the page said."""
    page = path.read_text(encoding="utf-8")
    lines = page.splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as folder:
        transcripts = run_page(page, Path(folder))
    for transcript in reversed(transcripts):
        session = transcript.session
        if normalize(transcript.actual) != normalize(session.text):
            lines[session.start : session.end] = [normalize(transcript.actual)]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite_page(Path(name))
