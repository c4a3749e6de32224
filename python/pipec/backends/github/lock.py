"""The lock: what the workflow was made of, so that a later look can say what has changed."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipec import _core
from pipec.backends.files import unified
from pipec.backends.github.fields import Field
from pipec.backends.github.model import Pin
from pipec.codes import Code
from pipec.errors import DriftError

LOCK_VERSION = 1
RENDERER = 1
"""Counts up when the same pipeline and pins give another text."""

_SHORT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file by its path from the top of the repository, and the digest of its text."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPin:
    """An action as it was pinned, and GitHub's numbers of its owner and repository if known."""

    action: str
    version: str
    sha: str
    owner_id: int | None = None
    repo_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock file.

    `fields` has a digest of each value of the pipeline that shows in the workflow, by its place;
    `seal` is the digest of all the rest. There is no time in it and nothing of a machine.
    """

    version: int
    tool: str
    renderer: int
    pipeline: str
    workflow: LockedFile
    pins: tuple[LockedPin, ...]
    fields: Mapping[str, str]
    seal: str


def make_lock(
    *,
    pipeline_file: str,
    workflow: str,
    text: str,
    pins: Mapping[str, Pin],
    fields: Mapping[Field, Any],
) -> Lock:
    """The lock of a workflow: of its path and text, the pins in it and the fields it is made of."""
    return sealed(
        Lock(
            version=LOCK_VERSION,
            tool=_core.VERSION,
            renderer=RENDERER,
            pipeline=pipeline_file,
            workflow=LockedFile(path=workflow, digest=text_digest(text.encode())),
            pins=tuple(
                LockedPin(
                    action=pin.action,
                    version=pin.version,
                    sha=pin.sha,
                    owner_id=pin.owner_id,
                    repo_id=pin.repo_id,
                )
                for pin in pins.values()
            ),
            fields={spell_place(place): value_digest(value) for place, value in fields.items()},
            seal="",
        )
    )


def render_lock(lock: Lock) -> str:
    """The text of the lock file: sorted, a value a line."""
    return json.dumps(_plain(lock), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_lock(content: bytes, *, path: str) -> Lock:
    """The lock of a file.

    Raises:
        DriftError: it is no lock, somebody changed it, or a newer pipec wrote it.
    """
    try:
        document = json.loads(unified(content))
        version = document["version"]
    except (ValueError, KeyError, TypeError):
        raise _unreadable(path, "is cut short, or is no lock at all") from None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _unreadable(path, "has no version that pipec knows")
    if version > LOCK_VERSION:
        tool = document.get("tool", "")
        by = f" by pipec {tool}" if isinstance(tool, str) and tool else ""
        message = (
            f"`{path}` was written{by} in version {version}, and this pipec reads {LOCK_VERSION}"
        )
        help_ = ("use the version of pipec that the project uses", *_newer(tool))
        raise DriftError(Code.LOCK_TOO_NEW, message, help=help_)
    try:
        lock = Lock(
            **{
                **document,
                "workflow": LockedFile(**document["workflow"]),
                "pins": tuple(LockedPin(**pin) for pin in document["pins"]),
                "fields": dict(document["fields"]),
            }
        )
        is_whole = sealed(lock).seal == lock.seal
    except (KeyError, TypeError, ValueError):
        raise _unreadable(path, "lacks something, or has something that no lock has") from None
    if not is_whole:
        raise _unreadable(path, "was changed by hand")
    return lock


def _newer(tool: Any) -> tuple[str, ...]:
    """How to get the pipec that wrote a lock, or to do without it."""
    is_version = isinstance(tool, str) and re.fullmatch(r"[\w.+-]+", tool, re.ASCII)
    ours = "`pipec github generate` writes it anew, in the form of this version"
    return (f"`pip install pipec=={tool}` installs it", ours) if is_version else (ours,)


def _unreadable(path: str, why: str) -> DriftError:
    message = f"the lock `{path}` {why}"
    return DriftError(
        Code.LOCK_UNREADABLE, message, help=("`pipec github generate` writes it anew",)
    )


def spell_place(place: Field) -> str:
    """A place as the lock has it: ids of jobs and triggers have no dots."""
    return ".".join(place)


def text_digest(content: bytes) -> str:
    """The digest of a text, whichever line endings a checkout gave it."""
    return f"sha256:{hashlib.sha256(unified(content)).hexdigest()}"


def value_digest(value: Any) -> str:
    """The digest of one field."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_SHORT]


def sealed(lock: Lock) -> Lock:
    """The lock with the digest of all the rest of it."""
    document = _plain(lock)
    del document["seal"]
    return Lock(**{**_shallow(lock), "seal": f"sha256:{_digest_of(document)}"})


def _digest_of(document: Any) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _shallow(lock: Lock) -> dict[str, Any]:
    return {name: getattr(lock, name) for name in Lock.__slots__}


def _plain(lock: Lock) -> dict[str, Any]:
    return {
        **_shallow(lock),
        "workflow": {"path": lock.workflow.path, "digest": lock.workflow.digest},
        "pins": [_plain_pin(pin) for pin in lock.pins],
        "fields": dict(lock.fields),
    }


def _plain_pin(pin: LockedPin) -> dict[str, Any]:
    values = {name: getattr(pin, name) for name in LockedPin.__slots__}
    return {name: value for name, value in values.items() if value is not None}
