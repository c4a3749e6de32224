"""`pipec lsp`, started once for the tests of a file."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Client
from tests.lsp.editor import CAPABILITIES, Editor

COMMAND = (sys.executable, "-m", "pipec", "lsp")


def environment(home: Path) -> dict[str, str]:
    """What the server sees of the machine."""
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Starts servers of one's own, which nobody has initialized yet."""
    clients: list[Client] = []

    def open_client(**more: Any) -> Client:
        clients.append(Client(COMMAND, cwd=tmp_path, env=environment(tmp_path), **more))
        return clients[-1]

    yield open_client
    for client in clients:
        client.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for all tests of a file; it has to end in order, without a complaint."""
    folder = tmp_path_factory.mktemp("server")
    client = Client(COMMAND, cwd=folder, env=environment(folder))
    try:
        client.initialize(CAPABILITIES)
        yield client
        assert client.end() == 0
        assert client.complaints == ""
        said = [params for name, params in client.notifications if name == "window/logMessage"]
        assert said == []
    finally:
        client.kill()


@pytest.fixture
def editor(shared: Client, tmp_path: Path) -> Editor:
    """An editor with no file open, in a folder of its own."""
    return Editor(shared, tmp_path)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Mapping[str, str]], None]:
    """Writes files next to those that are open."""

    def write(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write
