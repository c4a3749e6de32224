"""Tasks of Pixi, in a pyproject.toml or a pixi.toml."""

from pipec.backends.scripts.port import Companion
from pipec.backends.scripts.toml_entries import TomlEntries


class Pixi(TomlEntries):
    """The table `tool.pixi.tasks` of a pyproject.toml."""

    name = "pixi"
    separator = ":"
    companion: Companion | None = None

    def __init__(self) -> None:
        super().__init__("tool", "pixi", "tasks")

    def is_used_in(self, text: str) -> bool:
        """Whether the project has settings of Pixi."""
        return self.has(text, "tool", "pixi")


class PixiManifest(Pixi):
    """The table `tasks` of a pixi.toml."""

    def __init__(self) -> None:
        TomlEntries.__init__(self, "tasks")

    def is_used_in(self, text: str) -> bool:
        """Every pixi.toml can have tasks."""
        del text
        return True
