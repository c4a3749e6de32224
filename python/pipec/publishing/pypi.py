"""Publishes built packages of Python: each file compared with what is there, sent at most once."""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit

from pipec.codes import Code
from pipec.errors import RunError
from pipec.publishing.dists import Dist, find_dists
from pipec.publishing.manifest import Package
from pipec.publishing.npm import has_id_token
from pipec.publishing.outcome import Outcome
from pipec.publishing.programs import run_program
from pipec.publishing.pypi_index import Index
from pipec.publishing.tokens import PYPI, Veil, find_token, no_token, without_tokens
from pipec.publishing.web import Web, refused

UPLOAD = "https://upload.pypi.org/legacy/"
INDEX = "https://pypi.org/simple/"
_ATTESTATION = ".publish.attestation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiRequest:
    """What is asked for: where to send to, where to look, and the folder of what was built."""

    registry: str = ""
    index: str = ""
    dist: str = ""
    is_dry: bool = False

    @property
    def upload_url(self) -> str:
        """Where files are sent to."""
        return self.registry or UPLOAD

    @property
    def index_url(self) -> str:
        """Where projects are listed; beside the registry unless it is given."""
        if self.index or not self.registry:
            return self.index or INDEX
        return urljoin(self.registry, "/simple/")


def publish_pypi(
    package: Package,
    request: PypiRequest,
    *,
    web: Web,
    environ: Mapping[str, str],
    veil: Veil,
) -> Outcome:
    """Publishes what was built of a package.

    Every file is compared before the first is sent. One that could not be sent is named, and the
    same command sends the rest later.

    Raises:
        PlanError: nothing is built, or there is no token.
        RunError: a file is there with other content, the index does not answer, or refuses.
    """
    dists = find_dists(package, request.dist or os.path.join(package.folder, "dist"))
    version, index = dists[0].version, Index(web, request.index_url)
    missing = files_to_send(index, package.name, dists)
    names = tuple(dist.filename for dist in missing)
    if not missing:
        return Outcome(
            action="skipped",
            reason="already-published",
            name=package.name,
            version=version,
            where=index.shown,
        )
    if request.is_dry:
        return Outcome(
            action="would-publish",
            name=package.name,
            version=version,
            where=index.shown,
            files=names,
        )
    token = _token(request, web=web, environ=environ, veil=veil)
    note = _attest(missing, environ)
    user = environ.get("PYPI_USERNAME") or environ.get("TWINE_USERNAME") or "__token__"
    sender = _Sender(web, request.upload_url, user, token, veil)
    sent: list[str] = []
    for dist in missing:
        try:
            sender.send(dist, index, package.name)
        except RunError as error:
            left = [name for name in names if name not in sent]
            done = f"sent: {', '.join(sent)}" if sent else "no file was sent"
            error.help = (*error.help, f"{done}; the same command sends what is left: {left[0]}")
            raise
        sent.append(dist.filename)
    return Outcome(
        action="published",
        name=package.name,
        version=version,
        where=index.shown,
        files=names,
        note=note,
    )


def files_to_send(index: Index, name: str, dists: Sequence[Dist]) -> tuple[Dist, ...]:
    """The files that the index does not have yet.

    Raises:
        RunError: it has one of them with other content.
    """
    there = index.files(name)
    missing = []
    for dist in dists:
        algorithm, digest = there.get(dist.filename, ("", ""))
        if dist.filename not in there:
            missing.append(dist)
        elif not digest:
            raise refused(index.url, f"it does not tell the digest of `{dist.filename}`")
        elif not dist.has_digest(algorithm, digest):
            message = f"`{index.shown}` has `{dist.filename}` with other content ({algorithm})"
            advice = "a version never changes: publish a new one"
            raise RunError(Code.VERSION_CONFLICT, message, help=(advice,))
    return tuple(missing)


@dataclass(frozen=True, slots=True)
class _Sender:
    web: Web
    url: str
    user: str
    token: str
    veil: Veil

    def send(self, dist: Dist, index: Index, name: str) -> None:
        """Sends one file; that it is there already counts when it is the same.

        Raises:
            RunError: the registry does not answer, or refuses.
        """
        credentials = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        self.veil.learn(credentials)
        kind, body = _form(dist)
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": kind}
        answer = self.web.ask(self.url, method="POST", headers=headers, body=body)
        if answer.is_good:
            return
        # An answer that was lost is asked for again, and then the file is there.
        if answer.status in {400, 409} and not files_to_send(index, name, [dist]):
            return
        raise refused(self.url, f"{answer.status} {answer.words}")


def _form(dist: Dist) -> tuple[str, bytes]:
    """The form of an upload: its type and its bytes."""
    boundary = hashlib.sha256(dist.content).hexdigest()
    attestation = dist.path + _ATTESTATION
    fields = dist.fields()
    if os.path.exists(attestation):
        with open(attestation, encoding="utf-8") as file:
            fields.append(("attestations", json.dumps([json.load(file)])))
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; '
        f'filename="{dist.filename}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    end = f"\r\n--{boundary}--\r\n"
    body = b"".join([*parts, head.encode(), dist.content, end.encode()])
    return f"multipart/form-data; boundary={boundary}", body


def _token(request: PypiRequest, *, web: Web, environ: Mapping[str, str], veil: Veil) -> str:
    token = find_token(environ, PYPI)
    if token:
        return token
    if not has_id_token(environ):
        raise no_token(PYPI, "publishing to an index of Python packages")
    token = _trusted_token(request, web=web, environ=environ)
    veil.learn(token)
    return token


def _trusted_token(request: PypiRequest, *, web: Web, environ: Mapping[str, str]) -> str:
    """A token for a few minutes, in exchange for proof of which job this is."""
    top = urljoin(request.index_url, "/_/oidc/")
    audience = (web.ask(urljoin(top, "audience")).json() or {}).get("audience", "pypi")
    asked = environ["ACTIONS_ID_TOKEN_REQUEST_URL"]
    separator = "&" if urlsplit(asked).query else "?"
    proof = web.ask(
        f"{asked}{separator}{urlencode({'audience': audience})}",
        headers={"Authorization": f"Bearer {environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
    ).json()
    body = json.dumps({"token": (proof or {}).get("value", "")}).encode()
    answer = web.ask(
        urljoin(top, "mint-token"),
        method="POST",
        headers={"Content-Type": "application/json"},
        body=body,
    )
    token = (answer.json() or {}).get("token")
    if not isinstance(token, str) or not token:
        advice = "is this repository and workflow a trusted publisher of the project?"
        raise refused(top, f"{answer.status} {answer.words}", advice)
    return token


def _attest(dists: Sequence[Dist], environ: Mapping[str, str]) -> str | None:
    """Writes attestations beside the files, where the job can prove itself; else says why not.

    Raises:
        RunError: the program that does it fails.
    """
    if not has_id_token(environ):
        return None
    paths = [dist.path for dist in dists if not os.path.exists(dist.path + _ATTESTATION)]
    if not paths:
        return None
    if shutil.which("pypi-attestations", path=environ.get("PATH")) is None:
        return "without attestations: `pypi-attestations` is not on the path"
    name = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    done = run_program(
        ["pypi-attestations", "sign", *paths],
        folder=os.path.dirname(paths[0]),
        environ={**without_tokens(environ), name: environ[name]},
    )
    if done.status != 0:
        raise RunError(Code.REGISTRY_REFUSED, f"attestations cannot be made: {done.words}")
    return None
