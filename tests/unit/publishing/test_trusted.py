"""Jobs that prove what they are instead of having a token, and attestations."""

import json
import os
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.publishing.manifest import Package, read_package
from pipec.publishing.npm import NpmRequest, publish_npm
from pipec.publishing.outcome import Outcome
from pipec.publishing.pypi import PypiRequest, publish_pypi
from pipec.publishing.tokens import Veil
from pipec.publishing.web import Web
from tests.doubles.faulty import serving

PROOF, MINTED = "proof-of-the-job", "minted-token-of-minutes"


class FakeIndex:
    """An index that mints tokens, and the runner that proves jobs."""

    def __init__(self) -> None:
        self.url = ""
        self.uploads: list[tuple[str, bytes]] = []
        self.is_trusting = True

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, object]:
        if path == "/_/oidc/audience":
            return 200, {"audience": "packages"}
        if path == "/runner?x=1&audience=packages" and authorization == "Bearer of-the-runner":
            return 200, {"value": PROOF}
        if path == "/_/oidc/mint-token" and json.loads(body) == {"token": PROOF}:
            if self.is_trusting:
                return 200, {"token": MINTED}
            return 422, {"message": "invalid-publisher"}
        if method == "POST" and path == "/legacy/":
            self.uploads.append((authorization, body))
            return 200, {}
        return 404, {}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    state = FakeIndex()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = self.headers["Authorization"] or ""
            status, document = state.answer(self.command, self.path, said, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

    with serving(Handler) as url:
        state.url = url
        yield state


@pytest.fixture
def package(tmp_path: Path) -> Package:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1.0"\n')
    (tmp_path / "dist").mkdir()
    with zipfile.ZipFile(tmp_path / "dist" / "a-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("a-1.0.dist-info/METADATA", "Name: a\nVersion: 1.0\n")
    return read_package(str(tmp_path), ".")


def publish(package: Package, index: FakeIndex, path: str = "") -> object:
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{index.url}runner?x=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
        "PATH": path,
    }
    return publish_pypi(
        package,
        PypiRequest(registry=f"{index.url}legacy/"),
        web=Web(attempts=1, wait=lambda _: None, agent=""),
        environ=environ,
        veil=Veil(environ),
    ).note


def test_a_trusted_job_gets_a_token_of_its_own(package: Package, index: FakeIndex) -> None:
    note = publish(package, index)
    assert note == "without attestations: `pypi-attestations` is not on the path"
    ((authorization, body),) = index.uploads
    # `__token__:` and the token, in base64.
    assert authorization == "Basic X190b2tlbl9fOm1pbnRlZC10b2tlbi1vZi1taW51dGVz"
    assert MINTED.encode() not in body


def test_a_job_that_is_not_trusted_is_told_so(package: Package, index: FakeIndex) -> None:
    index.is_trusting = False
    with pytest.raises(PipecError) as refusal:
        publish(package, index)
    assert refusal.value.code is Code.REGISTRY_REFUSED
    assert "422 invalid-publisher" in refusal.value.message
    assert index.uploads == []


def signer(folder: Path, script: str) -> str:
    program = folder / "bin" / "pypi-attestations"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def test_attestations_go_with_their_file(
    package: Package, index: FakeIndex, tmp_path: Path
) -> None:
    # A double of the program: it records its call, and leaves what the real one leaves.
    script = 'echo "$@" "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" > ../call\n'
    script += 'printf \'{"version": 1}\' > "$2.publish.attestation"'
    assert publish(package, index, signer(tmp_path, script)) is None
    file = tmp_path / "dist" / "a-1.0-py3-none-any.whl"
    assert (tmp_path / "call").read_text() == f"sign {file} of-the-runner\n"
    ((_, body),) = index.uploads
    assert b'name="attestations"\r\n\r\n[{"version": 1}]\r\n' in body


def test_attestations_that_fail_publish_nothing(
    package: Package, index: FakeIndex, tmp_path: Path
) -> None:
    with pytest.raises(PipecError, match="attestations cannot be made: no way"):
        publish(package, index, signer(tmp_path, "echo no way >&2; exit 1"))
    assert index.uploads == []


# npm proves the job by itself: what it is asked for, and what it sees, is ours.

NPM = """\
#!/bin/sh
case $1 in
  pack) printf packed > "$4/a-1.0.0.tgz" ;;
  publish) echo "$@" > "$CALLS/words"; env > "$CALLS/seen" ;;
esac
"""


class FakeNpm:
    """A registry of npm that has nothing, with or without keys to sign; and a double of npm."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self.folder = folder
        self.keys: tuple[int, object] = (404, {})
        (folder / "package.json").write_text('{"name": "a", "version": "1.0.0"}')
        (folder / "bin").mkdir()
        (folder / "bin" / "npm").write_text(NPM)
        (folder / "bin" / "npm").chmod(0o755)

    def answer(self, path: str) -> tuple[int, object]:
        return self.keys if path == "/-/npm/v1/keys" else (404, {})

    def publish(self, **more: str) -> Outcome:
        environ = {
            "CALLS": str(self.folder),
            "PATH": f"{self.folder}/bin:{os.defpath}",
            "NPM_TOKEN": "token-of-npm",
            **more,
        }
        return publish_npm(
            read_package(str(self.folder), "."),
            NpmRequest(registry=self.url),
            web=Web(attempts=1, wait=lambda _: None, agent=""),
            environ=environ,
            veil=Veil(environ),
        )

    @property
    def words(self) -> list[str]:
        return (self.folder / "words").read_text().split()


@pytest.fixture
def npm(tmp_path: Path) -> Iterator[FakeNpm]:
    state = FakeNpm(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            status, document = state.answer(self.path)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as url:
        state.url = url
        yield state


IDENTITY = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1/runner",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
}
KEYS = (200, {"keys": [{"keyid": "SHA256:x", "key": "y"}]})


def test_npm_says_where_it_was_built_if_the_registry_takes_that(npm: FakeNpm) -> None:
    npm.keys = KEYS
    outcome = npm.publish(**IDENTITY)
    assert (outcome.action, outcome.note) == ("published", None)
    assert "--provenance" in npm.words
    seen = (npm.folder / "seen").read_text().splitlines()
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-runner" in seen
    assert not any(line.startswith("NPM_TOKEN=") for line in seen)


@pytest.mark.parametrize("keys", [(404, {}), (200, {"keys": []}), (200, [])])
def test_a_registry_that_takes_none_gets_none_and_that_is_said(
    npm: FakeNpm, keys: tuple[int, object]
) -> None:
    npm.keys = keys
    outcome = npm.publish(**IDENTITY)
    assert outcome.note == "without provenance: the registry has no keys to sign"
    assert "--provenance" not in npm.words


def test_a_registry_that_does_not_say_stops_before_anything_is_sent(npm: FakeNpm) -> None:
    npm.keys = (500, {})
    with pytest.raises(PipecError) as caught:
        npm.publish(**IDENTITY)
    assert caught.value.code is Code.REGISTRY_UNAVAILABLE
    assert not (npm.folder / "words").exists()


def test_a_job_without_a_proof_asks_for_none(npm: FakeNpm) -> None:
    npm.keys = KEYS
    assert npm.publish().note is None
    assert "--provenance" not in npm.words
