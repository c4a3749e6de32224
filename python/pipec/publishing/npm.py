"""Publishes a package of npm: packed once, compared with what is there, sent at most once."""

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pipec.codes import Code
from pipec.errors import RunError
from pipec.publishing.archives import differences
from pipec.publishing.manifest import Package, unsuitable
from pipec.publishing.npm_registry import NpmRegistry
from pipec.publishing.outcome import Outcome
from pipec.publishing.programs import Done, run_program
from pipec.publishing.tokens import NPM, Veil, find_token, no_token, without_tokens
from pipec.publishing.web import Web, check_address, refused, unavailable

_TOKEN = "PIPEC_PUBLISH_TOKEN"  # noqa: S105 - the name of a variable
_OUTAGE = re.compile(
    r"\b(E5\d\d|E429|E408|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN"
    r"|ERR_SOCKET_TIMEOUT|ERR_STREAM_PREMATURE_CLOSE)\b"
)
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmRequest:
    """What is asked for. An empty `tag` is the one that fits the version.

    With `has_provenance` a job that can prove itself says where the package was built, if the
    registry takes that.
    """

    registry: str
    tag: str = ""
    access: str = ""
    has_provenance: bool = True
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class Tarball:
    """A packed package."""

    path: str
    content: bytes

    @property
    def integrity(self) -> str:
        """Its digest as registries write it."""
        digest = hashlib.sha512(self.content).digest()
        return f"sha512-{base64.b64encode(digest).decode()}"


def publish_npm(
    package: Package,
    request: NpmRequest,
    *,
    web: Web,
    environ: Mapping[str, str],
    veil: Veil,
) -> Outcome:
    """Publishes the package of a folder.

    Raises:
        PlanError: there is no token.
        RunError: the version is there with other content, the registry does not answer or refuses,
            or npm cannot pack.
    """
    url = request.registry or default_registry(package, environ)
    token = find_token(environ, NPM)
    with tempfile.TemporaryDirectory(prefix="pipec-publish-") as folder:
        tarball = pack(package.folder, folder, environ)
        registry = NpmRegistry(web, url, token)
        return send(
            registry,
            tarball,
            name=package.name,
            version=package.version,
            request=request,
            environ=environ,
            veil=veil,
        )


def send(
    registry: NpmRegistry,
    tarball: Tarball,
    *,
    name: str,
    version: str,
    request: NpmRequest,
    environ: Mapping[str, str],
    veil: Veil,
) -> Outcome:
    """Sends a tarball unless the registry has it already.

    Raises:
        PlanError: there is no token.
        RunError: as `publish_npm`.
    """
    outcome = Outcome(
        action="published",
        name=name,
        version=version,
        where=registry.shown,
        files=(os.path.basename(tarball.path),),
    )
    if is_there(registry, tarball, name=name, version=version):
        return Outcome(
            action="skipped",
            reason="already-published",
            name=name,
            version=version,
            where=registry.shown,
        )
    if request.is_dry:
        return Outcome(
            action="would-publish",
            name=name,
            version=version,
            where=registry.shown,
            files=outcome.files,
        )
    has_identity = has_id_token(environ)
    if not registry.token and not has_identity:
        raise no_token(NPM, "publishing to a registry of npm")
    tag = request.tag or default_tag(version)
    words = ["npm", "publish", tarball.path, "--json", "--ignore-scripts", "--tag", tag]
    words += options_for(registry, name)
    words += ["--access", request.access] if request.access else []
    if has_identity and request.has_provenance:
        if registry.has_provenance():
            words.append("--provenance")
        else:
            outcome = replace(outcome, note="without provenance: the registry has no keys to sign")
    for attempt in range(registry.web.attempts):
        done = run_npm(registry, words, environ)
        if done.status == 0:
            return outcome
        said = veil.over(_complaint(done))
        # The answer may have been lost, and not the question.
        if is_there(registry, tarball, name=name, version=version):
            return outcome
        if not _OUTAGE.search(said):
            raise refused(registry.url, said)
        if attempt + 1 < registry.web.attempts:
            registry.web.pause(attempt)
    raise unavailable(registry.url, said, registry.web.attempts)


def is_there(registry: NpmRegistry, tarball: Tarball, *, name: str, version: str) -> bool:
    """Whether the registry has this version, with this content.

    Raises:
        RunError: it has the version with other content.
    """
    released = registry.version(name, version)
    if released is None:
        return False
    if released.integrity == tarball.integrity:
        return True
    try:
        changed = differences(tarball.content, registry.download(released))
    except ValueError as error:
        changed = [f"the archive itself ({error})"]
    if changed:
        listed = ", ".join(f"`{name}`" for name in changed[:_MOST_NAMES])
        more = len(changed) - _MOST_NAMES
        listed += f" and {more} more" if more > 0 else ""
        message = f"`{registry.shown}` has {name} {version} with other content; different: {listed}"
        raise RunError(
            Code.VERSION_CONFLICT, message, help=("a version never changes: publish a new one",)
        )
    return True


def pack(folder: str, into: str, environ: Mapping[str, str]) -> Tarball:
    """Packs a folder as npm does. Its own scripts may run, and see no token.

    Raises:
        RunError: npm cannot.
    """
    done = run_program(
        ["npm", "pack", "--json", "--pack-destination", into],
        folder=folder,
        environ={**without_tokens(environ), **_QUIET},
    )
    if done.status != 0:
        raise unsuitable(f"npm cannot pack it: {_complaint(done)}")
    made = [name for name in os.listdir(into) if name.endswith(".tgz")]
    if len(made) != 1:
        raise unsuitable("npm packed nothing")
    path = os.path.join(into, made[0])
    with open(path, "rb") as file:
        return Tarball(path, file.read())


def options_for(registry: NpmRegistry, name: str) -> list[str]:
    """The registry as options: these win over what the manifest and settings of npm say."""
    scope = name.partition("/")[0] if name.startswith("@") else ""
    return [
        *("--registry", registry.url),
        *((f"--{scope}:registry={registry.url}",) if scope else ()),
    ]


def run_npm(registry: NpmRegistry, words: Sequence[str], environ: Mapping[str, str]) -> Done:
    """Runs npm against a registry. The token is in its environment and nowhere else."""
    check_address(registry.url, has_token=bool(registry.token))
    parts = urlsplit(registry.url)
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    with _settings(f"//{parts.netloc}{path}:_authToken=${{{_TOKEN}}}\n") as settings:
        seen = {
            **without_tokens(environ),
            **_QUIET,
            "npm_config_userconfig": settings,
            "npm_config_fetch_retries": "0",
            **({_TOKEN: registry.token} if registry.token else {}),
            **_identity(environ),
        }
        return run_program(words, folder=os.path.dirname(settings), environ=seen)


@contextmanager
def _settings(text: str) -> Iterator[str]:
    """A file of settings that names the variable with the token, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="pipec-npm-") as folder:
        path = os.path.join(folder, "npmrc")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        yield path


def default_registry(package: Package, environ: Mapping[str, str]) -> str:
    """Where npm would publish the package: as its manifest says, else as npm is set up.

    Raises:
        RunError: npm is not there.
    """
    config = package.values.get("publishConfig")
    scope = package.name.partition("/")[0] if package.name.startswith("@") else ""
    if isinstance(config, Mapping):
        asked = config.get(f"{scope}:registry") or config.get("registry")
        if isinstance(asked, str):
            return asked
    seen = {**without_tokens(environ), **_QUIET}
    for key in (f"{scope}:registry", "registry") if scope else ("registry",):
        words = ["npm", "config", "get", key]
        said = run_program(words, folder=package.folder, environ=seen).out.strip()
        if said not in {"", "undefined", "null"}:
            return said
    raise unsuitable("npm names no registry")


def default_tag(version: str) -> str:
    """`latest`, or for a version before a release the word that says so, such as `beta`."""
    before = version.partition("+")[0].partition("-")[2]
    word = re.match(r"[A-Za-z][A-Za-z-]*", before)
    if not before:
        return "latest"
    return word[0] if word else "next"


def has_id_token(environ: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub Actions that may prove what it is."""
    return bool(
        environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
        and environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    )


def _identity(environ: Mapping[str, str]) -> dict[str, str]:
    name = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    return {name: environ[name]} if has_id_token(environ) else {}


_QUIET = {
    "npm_config_update_notifier": "false",
    "npm_config_fund": "false",
    "npm_config_audit": "false",
    # npm writes what it is told into files of its own, and keeps them.
    "npm_config_logs_max": "0",
}


def _complaint(done: Done) -> str:
    """What npm says went wrong: its code and its first sentence."""
    found = re.search(r"\{.*\}", done.out, re.DOTALL)
    try:
        error = json.loads(found[0])["error"] if found else {}
    except (ValueError, KeyError, TypeError):
        error = {}
    if isinstance(error, dict) and error.get("summary"):
        return " ".join(f"{error.get('code', '')} {error['summary']}".split())
    lines = [
        line.partition("npm error ")[2] for line in done.err.splitlines() if "npm error " in line
    ]
    return " ".join(" ".join(lines[:3]).split()) or done.words
