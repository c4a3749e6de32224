"""What a command line can say, as data: the options of every command, and those of `run`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipec.codes import Code
from pipec.errors import PlanError

FORMATS = ("text", "json", "jsonl")
OUTPUT_LOGS = ("full", "new-only", "errors-only", "none")
LOG_ORDERS = ("grouped", "stream")
_RUNNING = ("run", "run-task")
TAKING_ARGUMENTS = (*_RUNNING, "plan", "shell")
"""The commands that pass on what stands behind `--`."""

CONTINUE = ("never", "dependencies-successful", "always")


class UsageError(PlanError):
    """The command line itself cannot be understood."""

    def __init__(self, message: str, *, help: Sequence[str] = ()) -> None:  # noqa: A002
        super().__init__(Code.USAGE, message, help=help)


@dataclass(slots=True, kw_only=True)
class Settings:
    """Options that every command takes, before or after its name."""

    directory: str | None = None
    file: str | None = None
    color: str = "auto"
    is_quiet: bool = False
    is_verbose: bool = False


@dataclass(slots=True, kw_only=True)
class RunOptions:
    """A request to run, as it was written: names are not looked up yet.

    `arguments` is what stands behind `--`.
    """

    targets: tuple[str, ...] = ()
    is_task: bool = False
    concurrency: str = "auto"
    force: bool = False
    dry: bool = False
    wait: bool = False
    format: str = "text"
    output_logs: str | None = None
    """Those that failed unless said otherwise; with logs as they come, those of what runs."""
    log_order: str = "grouped"
    params: tuple[str, ...] = ()
    continue_mode: Literal["never", "dependencies-successful", "always"] = "never"
    only: bool = False
    filters: tuple[str, ...] = ()
    timeout: str = ""
    environment: str = ""
    approvals: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


_GLOBAL_VALUES = {
    "-C": "directory",
    "--directory": "directory",
    "-f": "file",
    "--file": "file",
    "--color": "color",
}
_GLOBAL_FLAGS = {
    "-q": "is_quiet",
    "--quiet": "is_quiet",
    "-v": "is_verbose",
    "--verbose": "is_verbose",
}
_RUN_VALUES = {
    "--concurrency": "concurrency",
    "--format": "format",
    "--output-logs": "output_logs",
    "--log-order": "log_order",
    "--continue": "continue_mode",
    "--timeout": "timeout",
    "--environment": "environment",
}
_RUN_LISTS = ("--param", "--filter", "--approve")
_RUN_FLAGS = {"--force": "force", "--dry": "dry", "--wait": "wait", "--only": "only"}


def take_globals(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """Takes the options of every command out of a command line; gives them and the rest.

    Raises:
        UsageError: such an option has no value, or one it cannot have.
    """
    settings = Settings()
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word == "--":
            rest += [word, *words]
        elif word in _GLOBAL_FLAGS:
            setattr(settings, _GLOBAL_FLAGS[word], True)
        elif name in _GLOBAL_VALUES:
            if not equals:
                value = next(words, "")
            if not value:
                raise UsageError(f"option `{name}` needs a value")
            setattr(settings, _GLOBAL_VALUES[name], value)
        else:
            rest.append(word)
    if settings.color not in ("auto", "always", "never"):
        raise UsageError(
            f"`{settings.color}` is no value for `--color`",
            help=("choose one of `auto`, `always`, `never`",),
        )
    return settings, rest


def plain_run(words: Sequence[str]) -> RunOptions | None:
    """The request of a plain `run …` or `run-task …`; None for a form that is not known whole.

    Typer knows every form, and says what is wrong with the others. Of a form that is known here it
    makes the same request.
    """
    if not words or words[0] not in _RUNNING:
        return None
    options = RunOptions(is_task=words[0] == "run-task")
    targets: list[str] = []
    lists: dict[str, list[str]] = {name: [] for name in _RUN_LISTS}
    words, options.arguments = split_arguments(words)
    rest = iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            targets.append(word)
        elif word in _RUN_FLAGS:
            setattr(options, _RUN_FLAGS[word], True)
        elif name in _RUN_VALUES or name in lists:
            value = value if equals else next(rest, "")
            if not value or value.startswith("-"):
                return None
            if name in lists:
                lists[name].append(value)
            else:
                setattr(options, _RUN_VALUES[name], value)
        else:
            return None
    options.targets = tuple(targets)
    options.params = tuple(lists["--param"])
    options.filters = tuple(lists["--filter"])
    options.approvals = tuple(lists["--approve"])
    return options if _is_whole(options) else None


def _is_whole(options: RunOptions) -> bool:
    """Whether all that was said can be: else typer says what is wrong."""
    if options.is_task and (options.params or options.filters or len(options.targets) != 1):
        return False
    return (
        bool(options.targets or options.filters)
        and options.format in FORMATS
        and options.log_order in LOG_ORDERS
        and options.output_logs in (None, *OUTPUT_LOGS)
        and options.continue_mode in CONTINUE
    )


def split_arguments(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What stands before the first `--`, and what behind it."""
    before = list(words)
    if "--" not in before:
        return before, ()
    at = before.index("--")
    return before[:at], tuple(before[at + 1 :])
