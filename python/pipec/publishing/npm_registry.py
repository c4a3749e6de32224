"""What a registry of npm has of a package."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from pipec.publishing.web import Answer, Web, plain, refused


@dataclass(frozen=True, slots=True)
class Released:
    """A version that is there: the digest of its archive, and where that is."""

    integrity: str
    tarball: str


@dataclass(frozen=True, slots=True)
class NpmRegistry:
    """One registry; `token` is empty for asking as nobody in particular."""

    web: Web
    url: str
    token: str = ""

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return plain(self.url)

    def version(self, name: str, version: str) -> Released | None:
        """The version of a package; None if the registry does not have it.

        Raises:
            RunError: the registry does not answer, or will not say.
        """
        answer = self._ask(f"{self.url.rstrip('/')}/{quote(name, safe='@')}")
        document = answer.json()
        if answer.is_missing:
            return None
        if not answer.is_good or not isinstance(document, dict):
            raise refused(self.url, f"{answer.status} {answer.words}")
        dist: Any = document.get("versions", {}).get(version, {}).get("dist")
        if not isinstance(dist, dict):
            return None
        return Released(str(dist.get("integrity", "")), str(dist.get("tarball", "")))

    def download(self, released: Released) -> bytes:
        """The archive of a version.

        Raises:
            RunError: the registry does not answer, or does not give it.
        """
        answer = self._ask(released.tarball)
        if not answer.is_good:
            raise refused(released.tarball, f"{answer.status} {answer.words}")
        return answer.body

    def has_provenance(self) -> bool:
        """Whether it takes statements of where a package was built: whether it has keys to sign.

        After "About registry signatures" of npm's documentation.

        Raises:
            RunError: the registry does not answer, or will not say.
        """
        answer = self._ask(f"{self.url.rstrip('/')}/-/npm/v1/keys")
        if answer.is_missing:
            return False
        if not answer.is_good:
            raise refused(self.url, f"{answer.status} {answer.words}")
        document = answer.json()
        return isinstance(document, dict) and bool(document.get("keys"))

    def _ask(self, url: str) -> Answer:
        is_here = urlsplit(url).netloc == urlsplit(self.url).netloc
        headers = {"Authorization": f"Bearer {self.token}"} if self.token and is_here else {}
        return self.web.ask(url, headers={"Accept": "application/json, */*;q=0.5", **headers})
