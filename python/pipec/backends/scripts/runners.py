"""Every runner that scripts are written for, by the files that hold them."""

from collections.abc import Mapping

from pipec.backends.scripts.deno import Deno
from pipec.backends.scripts.just import Just
from pipec.backends.scripts.make import Make
from pipec.backends.scripts.package import Package
from pipec.backends.scripts.pixi import Pixi, PixiManifest
from pipec.backends.scripts.poe import Poe
from pipec.backends.scripts.port import Runner

_RUNNERS: Mapping[str, Runner] = {
    "package": Package(),
    "deno": Deno(),
    "poe": Poe(),
    "pixi": Pixi(),
    "make": Make(),
    "just": Just(),
}
_PIXI_MANIFEST = PixiManifest()

ROOT_FILES = (
    "package.json",
    "deno.json",
    "deno.jsonc",
    "pyproject.toml",
    "pixi.toml",
)
"""Files of the root that get scripts without being named, if their runner is in use."""


def runner_for(name: str, path: str) -> Runner:
    """The runner of this name, for a file."""
    if name == "pixi" and path.endswith("pixi.toml"):
        return _PIXI_MANIFEST
    return _RUNNERS[name]
