"""What a service that stays writes, as it writes it: somebody sits before it."""

from collections.abc import Callable

from pipec.cli.console import Console
from pipec.runtime.visible import visible

_LONGEST_LINE = 8192


class Following:
    """Says whole lines, each after the name of its service."""

    def __init__(self, console: Console, say: Callable[[str], None], *, width: int) -> None:
        self._console = console
        self._say = say
        self._width = width
        self._rests: dict[str, bytes] = {}

    def start(self, service: str) -> None:
        """What this service writes is printed from now on."""
        self._rests.setdefault(service, b"")

    def take(self, task: str, data: bytes) -> None:
        """Output of a task, cut anywhere; nothing happens if it is no service that is followed."""
        rest = self._rests.get(task)
        if rest is None:
            return
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = b""
        self._rests[task] = rest
        for line in lines:
            self._print(task, line)

    def finish(self, task: str) -> bool:
        """Prints what is left; gives whether the task was followed."""
        rest = self._rests.pop(task, None)
        if rest:
            self._print(task, rest)
        return rest is not None

    def _print(self, task: str, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r").expandtabs()
        name = self._console.style(f"{task:<{self._width}} |", "dim")
        self._say(f"{name} {visible(text)}".rstrip())
