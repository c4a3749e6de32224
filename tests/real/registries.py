"""Real registries on loopback, with nothing in them: verdaccio for npm, pypiserver for Python."""

import json
import secrets
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.workshop import CACHE, Workshop, exclusive, run

VERDACCIO = Path(__file__).parent / "verdaccio"


HASH = (
    "import sys; from passlib.hash import apr_md5_crypt; "
    "print('__token__:' + apr_md5_crypt.hash(sys.stdin.read()))"
)


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that runs: its address, and a token that may publish."""

    url: str
    token: str


@contextmanager
def verdaccio(folder: Path) -> Iterator[Registry]:
    """A registry of npm."""
    workshop = Workshop.open()
    environment = dict(workshop.environment(folder / "home"))
    with exclusive(CACHE / "lock"):
        installed = CACHE / "verdaccio"
        if not (installed / "furnished").exists():
            shutil.rmtree(installed, ignore_errors=True)
            shutil.copytree(VERDACCIO, installed)
            run(
                [str(workshop.program("npm")), "ci", "--ignore-scripts", "--prefix", str(installed)]
            )
            (installed / "furnished").touch()
    port = free_port()
    config = {
        "storage": str(folder / "storage"),
        "auth": {"htpasswd": {"file": str(folder / "htpasswd"), "max_users": 10}},
        "packages": {"**": {"access": "$all", "publish": "$authenticated"}},
        "log": {"type": "stdout", "format": "json", "level": "fatal"},
        "web": {"enable": False},
    }
    (folder / "config.json").write_text(json.dumps(config))
    script = installed / "node_modules" / "verdaccio" / "bin" / "verdaccio"
    command = [
        *(str(workshop.program("node")), str(script)),
        *("--config", str(folder / "config.json"), "--listen", f"127.0.0.1:{port}"),
    ]
    url = f"http://127.0.0.1:{port}/"
    with running(command, environment, port):
        yield Registry(url, register(url))


def register(url: str) -> str:
    """A token of a new user."""
    name = f"user-{secrets.token_hex(4)}"
    body = {"name": name, "password": secrets.token_hex(16)}
    request = urllib.request.Request(
        f"{url}-/user/org.couchdb.user:{name}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        token = json.load(response)["token"]
    assert isinstance(token, str)
    return token


@contextmanager
def pypiserver(folder: Path) -> Iterator[Registry]:
    """An index of Python packages; its user is `__token__`."""
    workshop = Workshop.open()
    token = f"pypi-{secrets.token_hex(16)}"
    made = subprocess.run(
        [str(workshop.program("python")), "-c", HASH],
        input=token,
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "htpasswd").write_text(made.stdout)
    (folder / "packages").mkdir()
    port = free_port()
    command = [
        *(str(workshop.program("pypi-server")), "run", "--interface", "127.0.0.1"),
        *("--port", str(port), "--passwords", str(folder / "htpasswd")),
        *("--authenticate", "update", "--disable-fallback", str(folder / "packages")),
    ]
    with running(command, dict(workshop.environment(folder / "home")), port):
        yield Registry(f"http://127.0.0.1:{port}/", token)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """A server, from when it listens until the end of the block."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                # It does not listen yet: its end, or that it listens, is what is waited for.
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            break
        assert process.poll() is None, f"{command} ended with {process.returncode}"
        yield
    finally:
        process.kill()
        process.wait()
