"""GitHub's own lock of actions, which `gh actions-lock` keeps: read, and never written.

Its form is that of version v0.0.2, as GitHub's own repositories have it: `dependencies` by
`owner/repo@ref`, each with a `commit` such as `sha1-…`, and those of each workflow by its path.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from pipec.backends.github.model import Pin

PATH = ".github/workflows/actions.lock"
_COMMIT = re.compile(r"sha1-([0-9a-f]{40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionsLock:
    """The commits that GitHub's lock has, by action and reference; `workflow` are those of ours.

    `workflow` None: GitHub does not hold our workflow to the lock.
    """

    commits: Mapping[tuple[str, str], str]
    workflow: frozenset[tuple[str, str]] | None = None


def read_actions_lock(content: bytes, *, workflow: str) -> ActionsLock:
    """What the file says; of what it does not say in the known form, nothing."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError):
        document = None
    commits: dict[tuple[str, str], str] = {}
    for key, entry in _table(document, "dependencies").items():
        found = _COMMIT.fullmatch(str(_table({"": entry}, "").get("commit")))
        if isinstance(key, str) and "@" in key and found is not None:
            commits[_split(key)] = found[1]
    listed = _table(document, "workflows").get(workflow)
    if not isinstance(listed, list):
        return ActionsLock(commits=commits)
    uses = frozenset(_split(item) for item in listed if isinstance(item, str) and "@" in item)
    return ActionsLock(commits=commits, workflow=uses)


def disagreements(lock: ActionsLock, pins: Iterable[Pin]) -> list[tuple[Pin, str]]:
    """The pins with which GitHub's lock does not agree, each with the reason in words.

    A version that is another commit there is one, and so is an action of ours that is not there: a
    workflow that is held to the lock cannot use it.
    """
    found = []
    for pin in pins:
        action = pin.action.lower()
        commit = lock.commits.get((action, pin.version), pin.sha)
        if commit != pin.sha:
            found.append((pin, f"{pin.version} is {commit[:12]} there, and {pin.sha[:12]} here"))
        elif lock.workflow is not None and (action, pin.sha) not in lock.workflow:
            found.append((pin, f"{pin.sha[:12]} is not in it, and the workflow is held to it"))
    return found


def _split(key: str) -> tuple[str, str]:
    """The repository, in small letters, and the reference; a path to one of several is left out."""
    name, _, ref = key.partition("@")
    return "/".join(name.split("/")[:2]).lower(), ref


def _table(value: object, key: str) -> Mapping[object, object]:
    member = value.get(key) if isinstance(value, Mapping) else None
    return member if isinstance(member, Mapping) else {}
