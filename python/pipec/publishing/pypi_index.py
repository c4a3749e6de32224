"""What an index of Python packages has of a project."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from pipec.publishing.manifest import normal_name
from pipec.publishing.web import Web, plain, refused

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


@dataclass(frozen=True, slots=True)
class Index:
    """One index, by the address of its list of projects."""

    web: Web
    url: str

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return plain(self.url)

    def files(self, name: str) -> Mapping[str, tuple[str, str]]:
        """The files of a project: for each name the algorithm and the digest of its content.

        A file without a digest has empty ones.

        Raises:
            RunError: the index does not answer, or will not say.
        """
        url = f"{self.url.rstrip('/')}/{normal_name(name)}/"
        answer = self.web.ask(url, headers={"Accept": _ACCEPT})
        if answer.is_missing:
            return {}
        if not answer.is_good:
            raise refused(url, f"{answer.status} {answer.words}")
        document = answer.json()
        if isinstance(document, dict):
            return {
                str(file.get("filename")): _digest(file.get("hashes") or {})
                for file in document.get("files", ())
            }
        reader = _Links()
        reader.feed(answer.body.decode("utf-8", "replace"))
        return reader.files


def _digest(hashes: Mapping[str, str]) -> tuple[str, str]:
    for algorithm in ("sha256", *hashes):
        if algorithm in hashes:
            return algorithm, hashes[algorithm]
    return "", ""


class _Links(HTMLParser):
    """The files that a page links to, with the digests behind their addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, tuple[str, str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") if tag == "a" else None
        if not target:
            return
        parts = urlsplit(target)
        name = unquote(parts.path.rpartition("/")[2])
        found = re.fullmatch(r"(\w+)=([0-9a-fA-F]+)", parts.fragment)
        if name:
            self.files[name] = (found[1], found[2].lower()) if found else ("", "")
