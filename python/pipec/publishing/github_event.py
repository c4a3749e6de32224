"""What happened on GitHub, as its runner tells it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipec.codes import Code
from pipec.errors import PlanError


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubEvent:
    """One event. What it does not have is empty; `number` is that of a pull request, 0 for none.

    `head` and `head_repository` are those of a pull request; `sha` is what was checked out.
    """

    name: str
    repository: str
    sha: str
    ref: str
    number: int = 0
    head: str = ""
    head_repository: str = ""
    release_tag: str = ""

    @property
    def owner(self) -> str:
        """Who the repository belongs to, in lower case."""
        return self.repository.partition("/")[0].lower()

    @property
    def branch(self) -> str:
        """The branch, if the event is about one."""
        prefix = "refs/heads/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else ""

    @property
    def tag(self) -> str:
        """The tag, if the event is about one."""
        prefix = "refs/tags/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else self.release_tag


def read_event(environ: Mapping[str, str]) -> GithubEvent:
    """The event of this job.

    Raises:
        PlanError: this is no job of GitHub Actions, or its event cannot be read.
    """
    name, path = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_EVENT_PATH", "")
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not name or "/" not in repository:
        message = "this is no job of GitHub Actions"
        advice = (
            "`GITHUB_EVENT_NAME`, `GITHUB_REPOSITORY` and `GITHUB_EVENT_PATH` say what happened"
        )
        raise PlanError(Code.EVENT_UNSUITABLE, message, help=(advice,))
    payload: Any = {}
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                payload = json.load(file)
        except (OSError, ValueError) as error:
            message = f"the event in `GITHUB_EVENT_PATH` cannot be read: {error}"
            raise PlanError(Code.EVENT_UNSUITABLE, message) from None
    pull, release = _table(payload, "pull_request"), _table(payload, "release")
    head = _table(pull, "head")
    number = pull.get("number")
    return GithubEvent(
        name=name,
        repository=repository,
        sha=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        number=number if isinstance(number, int) else 0,
        head=str(head.get("sha") or ""),
        head_repository=str(_table(head, "repo").get("full_name") or ""),
        release_tag=str(release.get("tag_name") or ""),
    )


def _table(value: Any, key: str) -> Mapping[str, Any]:
    member = value.get(key) if isinstance(value, Mapping) else None
    return member if isinstance(member, Mapping) else {}
