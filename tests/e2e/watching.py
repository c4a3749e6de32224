"""A `pipec watch` under way, for tests that follow what it tells."""

import json
import signal
from typing import Any

from tests.conftest import Project
from tests.e2e.survivors import MARK, assert_none_left


class Watch:
    """A watch under way; its events are read one after the other."""

    def __init__(self, project: Project, *words: str, env: dict[str, str] | None = None) -> None:
        self.mark = str(project.folder)
        self._project = project
        self.process = project.start(
            "watch", *words, "--format", "jsonl", env={MARK: self.mark, **(env or {})}
        )
        self.seen: list[dict[str, Any]] = []

    def until(self, kind: str, task: str | None = None) -> dict[str, Any]:
        """Reads on to the next event of a kind; a watch that ends is a failure."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            self.seen.append(event)
            if event["event"] == kind and task in (None, event.get("task")):
                return event
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read().decode())

    def rest(self) -> dict[str, Any]:
        """Reads on until nothing is left to do."""
        return self.until("watch_waiting")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ends it, and sees to it that nothing is left."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        assert_none_left(self.mark)
        return self.process.returncode
