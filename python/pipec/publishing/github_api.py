"""The few things that publishing asks of GitHub and tells it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from pipec.publishing.web import Answer, Web, plain, refused

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Github:
    """One repository. `url` is the address of the API."""

    web: Web
    url: str
    repository: str
    token: str

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return plain(f"{self.url.rstrip('/')}/repos/{self.repository}")

    def head_of_pull(self, number: int) -> str:
        """The commit at the head of a pull request."""
        return str(self._get(f"pulls/{number}").get("head", {}).get("sha", ""))

    def head_of_branch(self, branch: str) -> str:
        """The commit at the head of a branch."""
        found = self._get(f"branches/{quote(branch, safe='')}")
        return str(found.get("commit", {}).get("sha", ""))

    def say(self, number: int, mark: str, text: str) -> bool:
        """Comments on a pull request, once: the comment with the mark is written anew.

        Gives whether anything changed.
        """
        body = f"{mark}\n{text}"
        for comment in self._comments(number):
            if str(comment.get("body", "")).startswith(mark):
                if comment["body"] == body:
                    return False
                self._send("PATCH", f"issues/comments/{comment['id']}", {"body": body})
                return True
        self._send("POST", f"issues/{number}/comments", {"body": body})
        return True

    def release(self, tag: str) -> dict[str, Any] | None:
        """The release of a tag, be it a draft; None if there is none."""
        answer = self._ask("GET", f"releases/tags/{quote(tag, safe='')}")
        if answer.is_good:
            found = answer.json()
            return found if isinstance(found, dict) else None
        if not answer.is_missing:
            raise self._refusal(answer)
        # A draft has no tag yet, and is only in the list.
        for release in self._list("releases"):
            if release.get("tag_name") == tag:
                return release
        return None

    def draft(self, tag: str, *, text: str, is_prerelease: bool) -> dict[str, Any]:
        """A new release that nobody sees yet."""
        fields = {
            "tag_name": tag,
            "name": tag,
            "body": text,
            "draft": True,
            "prerelease": is_prerelease,
        }
        return self._send("POST", "releases", fields)

    def attach(self, release: dict[str, Any], name: str, content: bytes) -> None:
        """Adds a file to a release."""
        address = str(release.get("upload_url", "")).partition("{")[0]
        answer = self._ask(
            "POST",
            f"{address}?{urlencode({'name': name})}",
            body=content,
            kind="application/octet-stream",
        )
        if not answer.is_good:
            raise self._refusal(answer)

    def remove_file(self, number: int) -> None:
        """Removes a file from a release."""
        self._ask("DELETE", f"releases/assets/{number}")

    def show(self, release: dict[str, Any]) -> None:
        """Makes a draft a release."""
        self._send("PATCH", f"releases/{release['id']}", {"draft": False})

    def _comments(self, number: int) -> Iterator[dict[str, Any]]:
        return self._list(f"issues/{number}/comments")

    def _list(self, path: str) -> Iterator[dict[str, Any]]:
        """Everything in a list, page by page."""
        page = 1
        while True:
            answer = self._ask("GET", f"{path}?{urlencode({'per_page': _PAGE, 'page': page})}")
            items = answer.json()
            if not answer.is_good or not isinstance(items, list):
                raise self._refusal(answer)
            yield from items
            if len(items) < _PAGE:
                return
            page += 1

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._ask("GET", path)
        found = answer.json()
        if not answer.is_good or not isinstance(found, dict):
            raise self._refusal(answer)
        return found

    def _send(self, method: str, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        answer = self._ask(method, path, body=json.dumps(fields).encode(), kind="application/json")
        found = answer.json()
        if not answer.is_good or not isinstance(found, dict):
            raise self._refusal(answer)
        return found

    def _ask(self, method: str, path: str, *, body: bytes | None = None, kind: str = "") -> Answer:
        url = path if path.startswith("http") else f"{self.shown}/{path}"
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Authorization": f"Bearer {self.token}",
            **({"Content-Type": kind} if kind else {}),
        }
        return self.web.ask(url, method=method, headers=headers, body=body)

    def _refusal(self, answer: Answer) -> Exception:
        return refused(self.shown, f"{answer.status} {answer.words}")
