"""What a Python step is told about its run, and what it can say about itself."""

from __future__ import annotations

# As in `typing`, without importing it: the module is imported by every Python step.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any


class Root:
    """The project that pipec was called in. `dir`: its folder, absolute."""

    __slots__ = ("dir",)

    def __init__(self, dir: Path) -> None:  # noqa: A002 - the name that the language gives it
        self.dir = dir


class Candidate:
    """The project under test. `dir`: its folder, absolute.

    The other facts are looked up when they are asked for. None of them enters the key of a task.
    """

    __slots__ = ("_ask", "_known", "dir")

    def __init__(self, dir: Path, ask: Callable[[str], str | None]) -> None:  # noqa: A002
        self.dir = dir
        self._ask = ask
        self._known: dict[str, str | None] = {}

    @property
    def fingerprint(self) -> str:
        """One digest of the inputs of all tasks as they are now: 64 hex digits."""
        return self._fact("fingerprint") or ""

    @property
    def commit(self) -> str | None:
        """The commit that is checked out; None outside of a git repository."""
        return self._fact("commit")

    @property
    def ref(self) -> str | None:
        """The branch that is checked out; None for a commit by itself and outside of git."""
        return self._fact("ref")

    @property
    def dirty(self) -> bool | None:
        """Whether files differ from the commit; None outside of a git repository."""
        changes = self._fact("changes")
        return None if changes is None else bool(changes)

    def _fact(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = self._ask(name)
        return self._known[name]


class Source:
    """The source that the task comes from. `type` is `git` or `path`."""

    __slots__ = ("commit", "dir", "name", "ref", "type")

    def __init__(
        self,
        name: str,
        dir: Path,  # noqa: A002
        type: str,  # noqa: A002
        ref: str | None,
        commit: str | None,
    ) -> None:
        self.name = name
        self.dir = dir
        self.type = type
        self.ref = ref
        self.commit = commit


class Context:
    """The one argument of the function of a `dynamic` or `call` step.

    `task_id` and `run_id` are those of the run, `cwd` the task's folder (absolute, and the current
    one), `env` what the task sees, `args` what the step says in `with`. `source` is None for a task
    of the project itself.
    """

    __slots__ = (
        "_tell",
        "args",
        "candidate",
        "cwd",
        "env",
        "root",
        "run_id",
        "source",
        "task_id",
    )

    def __init__(
        self,
        *,
        task_id: str,
        run_id: str,
        cwd: Path,
        env: Mapping[str, str],
        root: Root,
        candidate: Candidate,
        args: Mapping[str, Any],
        tell: Callable[[dict[str, Any]], None],
        source: Source | None = None,
    ) -> None:
        self.task_id = task_id
        self.run_id = run_id
        self.cwd = cwd
        self.env = env
        self.root = root
        self.candidate = candidate
        self.source = source
        self.args = args
        self._tell = tell

    def log(self, text: str) -> None:
        """Adds a line to the task's log."""
        print(text, flush=True)  # noqa: T201 - the output of a step is its log

    def meta(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Adds to what the record keeps of the task as its `metadata`; a name that is there goes.

        Raises:
            TypeError: a value is not JSON: text, numbers, booleans, None, lists, tables.
        """
        said = {**(values or {}), **more}
        for name in said:
            if not isinstance(name, str):
                raise TypeError(f"the names of metadata are text, and `{name!r}` is not")
        self._tell(said)
