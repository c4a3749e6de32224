"""Measures what an editor waits for: an answer of `pipec lsp` to a keystroke in a large file.

python -m benches.editor                 5,000 lines in each notation, 60 keystrokes
python -m benches.editor --lines 20000   more lines
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benches.kept import kept
from pipec.frontend.discover import Notation
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from tests.lsp.client import Client

KEYSTROKES = 60
LOADS = 9
_LINES_OF_A_TASK = 8
_WORD = "depends-on"


def main(arguments: Sequence[str]) -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=5000, help="of the file (default: 5000)")
    parser.add_argument("--keystrokes", type=int, default=KEYSTROKES)
    parser.add_argument("--keep", action="store_true", help="the table in benches/results")
    options = parser.parse_args(arguments)
    with kept("editor", keep=options.keep):
        print("| file | loaded once | completion | diagnostics | work of a keystroke |")
        print("| --- | --- | --- | --- | --- |")
        notations: tuple[Notation, ...] = ("toml", "yaml")
        for notation in notations:
            text = pipeline(notation, options.lines)
            lines = text.count("\n")
            once, work = load_once(text, notation)
            with tempfile.TemporaryDirectory() as folder:
                editor = Editor(Path(folder), notation, text)
                try:
                    before = editor.work()
                    completion = editor.measure(options.keystrokes, editor.complete)
                    each = (editor.work() - before) / options.keystrokes
                    diagnostics = editor.measure(options.keystrokes, editor.wait_for_diagnostics)
                finally:
                    editor.end()
            cells = [
                f"{notation}, {lines:,} lines",
                f"{once * 1000:.0f} ms, {work * 1000:.0f} ms of a processor",
                *(shown(times, once) for times in (completion, diagnostics)),
                f"{each * 1000:.0f} ms of a processor, {each / work:.2f} loads",
            ]
            print(f"| {' | '.join(cells)} |")


def shown(times: Sequence[float], once: float) -> str:
    """The median, what nineteen of twenty are below, and the median as a multiple of one load."""
    middle = statistics.median(times)
    slow = sorted(times)[int(len(times) * 0.95) - 1]
    return f"{middle * 1000:.0f} ms (95 %: {slow * 1000:.0f} ms), {middle / once:.2f} loads"


def load_once(text: str, notation: Notation) -> tuple[float, float]:
    """Seconds in which the front end goes through the text, and how many of a processor."""
    times, works = [], []
    for _ in range(LOADS):
        start, work = time.perf_counter(), time.process_time()
        load_document(Document(f"pipeline.{notation}", text, notation))
        times.append(time.perf_counter() - start)
        works.append(time.process_time() - work)
    return statistics.median(times), statistics.median(works)


def pipeline(notation: Notation, lines: int) -> str:
    """A pipeline of about so many lines, whose tasks depend on the two before them."""
    tasks = range(lines // _LINES_OF_A_TASK)
    if notation == "toml":
        head = ['name = "large"', "", "[named-inputs]", 'source = ["src/**", "!src/**/*.md"]', ""]
        return "\n".join([*head, *(line for task in tasks for line in _toml_task(task))])
    head = ["name: large", "", "named-inputs:", '  source: ["src/**", "!src/**/*.md"]', "tasks:"]
    return "\n".join([*head, *(line for task in tasks for line in _yaml_task(task))])


def _toml_task(number: int) -> Iterator[str]:
    needs = ", ".join(f'"t{need}"' for need in range(max(number - 2, 0), number))
    yield from (
        f"[tasks.t{number}]",
        f'description = "Task number {number}"',
        f"depends-on = [{needs}]",
        f'inputs = ["source", "lib/{number}/**"]',
        f'outputs = ["out/{number}/**"]',
        "cache = true",
        f'run = "build {number}"',
        "",
    )


def _yaml_task(number: int) -> Iterator[str]:
    needs = ", ".join(f"t{need}" for need in range(max(number - 2, 0), number))
    yield from (
        f"  t{number}:",
        f"    description: Task number {number}",
        f"    depends-on: [{needs}]",
        f'    inputs: [source, "lib/{number}/**"]',
        f'    outputs: ["out/{number}/**"]',
        "    cache: true",
        f"    run: build {number}",
        "",
    )


class Editor:
    """A person who types a key, letter by letter, in a new task in the middle of the file."""

    def __init__(self, folder: Path, notation: Notation, text: str) -> None:
        env = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        self._client = Client([sys.executable, "-m", "pipec", "lsp"], cwd=folder, env=env)
        self._client.initialize()
        self._uri = (folder / f"pipeline.{notation}").as_uri()
        indent = "" if notation == "toml" else "    "
        heading = "[tasks.new]\n" if notation == "toml" else "  new:\n"
        lines = text.split("\n")
        middle = next(i for i in range(len(lines) // 2, len(lines)) if not lines[i])
        lines[middle + 1 : middle + 1] = [f"{heading}{indent}", ""]
        self._line = middle + 2
        self._start = len(indent)
        self._typed = 0
        self._version = 1
        item = {
            "uri": self._uri,
            "languageId": notation,
            "version": self._version,
            "text": "\n".join(lines),
        }
        self._client.notify("textDocument/didOpen", {"textDocument": item})
        self.wait_for_diagnostics()

    def measure(self, keystrokes: int, answer: Callable[[], object]) -> list[float]:
        """Seconds from each keystroke to its answer; the next comes when the server is at rest."""
        times = []
        for _ in range(keystrokes):
            start = time.perf_counter()
            self._type()
            answer()
            times.append(time.perf_counter() - start)
            self.wait_for_diagnostics()
            self._client.notifications.clear()
        return times

    def complete(self) -> None:
        """Asks what can be written here, as editors do at every keystroke."""
        items = self._client.request("textDocument/completion", self._here())
        assert any(item["label"] == _WORD for item in items)

    def wait_for_diagnostics(self) -> None:
        """Waits for what is said of the text as it is now."""
        self._client.wait_for(
            "textDocument/publishDiagnostics",
            lambda params: params.get("version") == self._version,
        )

    def work(self) -> float:
        """Seconds of a processor that the server has used, by the kernel's count."""
        stat = Path(f"/proc/{self._client.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Ends the server."""
        assert self._client.end() == 0
        self._client.kill()

    def _type(self) -> None:
        """The next letter of the word; after the last one it is taken away."""
        end = self._start + self._typed
        if self._typed == len(_WORD):
            change = self._change(self._start, end, "")
            self._typed = 0
        else:
            change = self._change(end, end, _WORD[self._typed])
            self._typed += 1
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        params = {"textDocument": document, "contentChanges": [change]}
        self._client.notify("textDocument/didChange", params)

    def _change(self, start: int, end: int, text: str) -> dict[str, Any]:
        places = ({"line": self._line, "character": column} for column in (start, end))
        return {"range": dict(zip(("start", "end"), places, strict=True)), "text": text}

    def _here(self) -> dict[str, Any]:
        position = {"line": self._line, "character": self._start + self._typed}
        return {"textDocument": {"uri": self._uri}, "position": position}


if __name__ == "__main__":
    main(sys.argv[1:])
