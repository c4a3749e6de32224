"""GitHub's own lock of actions, which `gh actions-lock` keeps: read, and never written.

Its form is that of the versions v0.0.1 to v0.0.3, as GitHub's own repositories have it:
`dependencies` by `owner/repo@ref`, each with a `commit` such as `sha1-…` and the numbers of owner
and repository, and those of each workflow by its path. In v0.0.1 keys end with the commit as well.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from pipec.backends.github.model import Pin

PATH = ".github/workflows/actions.lock"
_COMMIT = re.compile(r"sha1-([0-9a-f]{40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionsLock:
    """The commits that GitHub's lock has, by action and reference; `workflow` are those of ours.

    `repositories` are GitHub's numbers of owner and repository, by action. `workflow` None: GitHub
    does not hold our workflow to the lock.
    """

    commits: Mapping[tuple[str, str], str]
    repositories: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    workflow: frozenset[tuple[str, str]] | None = None


def read_actions_lock(content: bytes, *, workflow: str) -> ActionsLock:
    """What the file says; of what it does not say in the known form, nothing."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError):
        document = None
    commits: dict[tuple[str, str], str] = {}
    repositories: dict[str, tuple[int, int]] = {}
    for key, entry in _table(document, "dependencies").items():
        if not isinstance(key, str) or "@" not in key:
            continue
        action = _split(key)
        said = _table({"": entry}, "")
        if found := _COMMIT.fullmatch(str(said.get("commit"))):
            commits[action] = found[1]
        owner, repository = said.get("owner_id"), said.get("repo_id")
        if isinstance(owner, int) and isinstance(repository, int):
            repositories[action[0]] = (owner, repository)
    listed = _table(document, "workflows").get(workflow)
    uses = None
    if isinstance(listed, list):
        uses = frozenset(_split(item) for item in listed if isinstance(item, str) and "@" in item)
    return ActionsLock(commits=commits, repositories=repositories, workflow=uses)


def disagreements(lock: ActionsLock, pins: Iterable[Pin]) -> list[tuple[Pin, str]]:
    """The pins with which GitHub's lock does not agree, each with the reason in words.

    A version that is another commit there is one, and so is an action of ours that is not there: a
    workflow that is held to the lock cannot use it. So is a repository of the same name with other
    numbers: then the name has come to mean another one.
    """
    found = []
    for pin in pins:
        action = pin.action.lower()
        commit = lock.commits.get((action, pin.version), pin.sha)
        here = (pin.owner_id, pin.repo_id)
        there = lock.repositories.get(action, here)
        if None not in here and there != here:
            found.append((pin, f"it is {_numbers(there)} there, and {_numbers(here)} here"))
        elif commit != pin.sha:
            found.append((pin, f"{pin.version} is {commit[:12]} there, and {pin.sha[:12]} here"))
        elif lock.workflow is not None and (action, pin.sha) not in lock.workflow:
            found.append((pin, f"{pin.sha[:12]} is not in it, and the workflow is held to it"))
    return found


def _split(key: str) -> tuple[str, str]:
    """The repository, in small letters, and the reference; a path to one of several is left out."""
    name, _, ref = key.partition("@")
    return "/".join(name.split("/")[:2]).lower(), ref.partition(":sha1-")[0]


def _numbers(ids: tuple[int | None, int | None]) -> str:
    return f"repository {ids[1]} of owner {ids[0]}"


def _table(value: object, key: str) -> Mapping[object, object]:
    member = value.get(key) if isinstance(value, Mapping) else None
    return member if isinstance(member, Mapping) else {}
