"""`.pipec.sync.lock.json`: which scripts in which files are ours."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipec.backends.scripts.port import Made
from pipec.codes import Code
from pipec.errors import PipecError
from pipec.ir.sync_tasks import RUNNERS

LOCK = ".pipec.sync.lock.json"
LOCK_VERSION = 1

_HELP = (
    f"restore `{LOCK}` from version control",
    "without it, `pipec sync tasks generate --adopt` takes over the scripts that are right",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file with scripts of ours: commands by name, and the tables that were made for them.

    `path` begins at the folder of the pipeline. `companion` is a file of ours beside it.
    """

    path: str
    runner: str
    scripts: Mapping[str, str]
    made: tuple[Made, ...] = ()
    companion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncLock:
    """Every file with scripts of ours, by path and runner. `.pipec.sync.lock.json`."""

    schema_version: int = LOCK_VERSION
    files: tuple[LockedFile, ...] = ()


def render_lock(files: Iterable[LockedFile]) -> str:
    """The text of the lock: no times, nothing of the machine."""
    ordered = sorted(files, key=lambda file: (file.path, file.runner))
    document = _without_none(asdict(SyncLock(files=tuple(ordered))))
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_lock(content: bytes | None) -> SyncLock:
    """The lock of a text; an empty one for None.

    Raises:
        PipecError: it is cut short, of a newer version, or was edited into something else.
    """
    if content is None:
        return SyncLock()
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _unreadable(f"`{LOCK}` is not JSON, perhaps cut short: {error}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > LOCK_VERSION:
        message = f"`{LOCK}` has version {version}, and this pipec knows {LOCK_VERSION}"
        raise PipecError(Code.SYNC_LOCK_UNREADABLE, message, help=("use a newer pipec",))
    if version != LOCK_VERSION:
        raise _unreadable(f"`{LOCK}` is no lock of pipec")
    try:
        return SyncLock(files=tuple(map(_file, document["files"])))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unreadable(f"`{LOCK}` was edited, and does not say what it should") from None


def _file(item: dict[str, Any]) -> LockedFile:
    locked = LockedFile(
        path=_text(item["path"]),
        runner=_text(item["runner"]),
        scripts={_text(name): _text(command) for name, command in item["scripts"].items()},
        made=tuple(
            Made(_text(made["at"]), made.get("was"), _text(made.get("glue", "")))
            for made in item.get("made", ())
        ),
        companion=item.get("companion"),
    )
    is_inside = ".." not in locked.path.split("/") and not locked.path.startswith("/")
    if locked.runner not in RUNNERS or not is_inside or "/" in (locked.companion or ""):
        raise ValueError(locked.path)
    return locked


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _unreadable(message: str) -> PipecError:
    return PipecError(Code.SYNC_LOCK_UNREADABLE, message, help=_HELP)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        members = {key: _without_none(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value]
    return value
