"""The engines that editors understand TOML and YAML with, from the registries."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.lsp.client import Client
from tests.real.workshop import CACHE, Workshop, exclusive, run

YAML_SERVER = "yaml-language-server@2.0.0"
TAPLO = Path(__file__).parent / "taplo"
_CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}


@dataclass(frozen=True, slots=True)
class Server:
    """A language server: its command, and its settings, which it asks for by section.

    `rounds`: how often it says what is wrong with a text; the last time it says all of it.
    """

    command: tuple[str, ...]
    notation: Literal["toml", "yaml"]
    settings: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 1

    def start(self, folder: Path, env: Mapping[str, str]) -> Client:
        """The server, ready for the files of a folder."""
        client = Client(
            self.command,
            cwd=folder,
            env=env,
            answers={"workspace/configuration": self._configure},
        )
        root = folder.as_uri()
        folders = [{"uri": root, "name": folder.name}]
        client.initialize(_CAPABILITIES, rootUri=root, workspaceFolders=folders)
        client.notify("workspace/didChangeConfiguration", {"settings": {}})
        return client

    def _configure(self, params: Any) -> list[Any]:
        return [self.settings.get(item.get("section")) for item in params["items"]]


def tombi(workshop: Workshop) -> Server:
    """What the extension Tombi runs."""
    return Server((str(workshop.program("tombi")), "lsp", "--offline"), "toml")


def taplo(workshop: Workshop) -> Server:
    """What the extension Even Better TOML runs, as the module that it comes in."""
    wanted = (TAPLO / "package-lock.json").read_bytes()
    folder = CACHE / f"taplo-{hashlib.sha256(wanted).hexdigest()[:16]}"
    with exclusive(CACHE / "lock"):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(TAPLO / name, folder)
            quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            run([str(workshop.program("npm")), "ci", *quiet, "--prefix", str(folder)])
            (folder / "installed").touch()
    command = (str(workshop.program("node")), str(TAPLO / "server.cjs"), str(folder))
    # Once when the file opens, then of its syntax, then by the schema.
    return Server(command, "toml", rounds=3)


def yaml_server(workshop: Workshop) -> Server:
    """What the YAML extensions of editors run."""
    folder = CACHE / YAML_SERVER.replace("@", "-")
    with exclusive(CACHE / "lock"):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            npm = [str(workshop.program("npm")), "install", *quiet, "--prefix", str(folder)]
            run([*npm, YAML_SERVER])
            (folder / "installed").touch()
    script = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    # Without the store it takes no schema but the one that a file names.
    settings = {"validate": True, "completion": True, "schemaStore": {"enable": False}}
    command = (str(workshop.program("node")), str(script), "--stdio")
    return Server(command, "yaml", {"yaml": settings})


SERVERS: Sequence[Callable[[Workshop], Server]] = (tombi, taplo, yaml_server)
